"""Storefronts: opened, placed, split, merged, closed. Verbs never commit."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import in_turn, new_id, tenant_of
from roadchief.errors import BadInput, Conflict, NotFound, WrongState
from roadchief.lib import clock
from roadchief.streets import duty_zones, naming, placing, tenancies
from roadchief.streets.models import (
    Road,
    RoadSegment,
    Storefront,
    StorefrontSuccession,
    Subdistrict,
)

events.declare(
    {
        "streets.storefront_opened": "a storefront was entered",
        "streets.storefront_closed": "a storefront was closed",
        "streets.storefront_split": "a storefront became several",
        "streets.storefronts_merged": "several storefronts became one",
    }
)


class StorefrontClosed(WrongState):
    zh = "铺位 {address} 已停用"
    en = "storefront {address} is closed"


class GroundMoved(Conflict):
    zh = "路段刚刚调整过，请重新登记"
    en = "the segments have just been changed: enter the storefront again"


@dataclass(frozen=True)
class Door:
    """What is known of a storefront to be opened. `frontage` may be computed."""

    place: shapely.Point
    house_number: str
    address: str
    name: str | None = None
    business_type: str | None = None
    frontage: shapely.LineString | None = None
    width_m: float = 6.0
    source: str = "register"
    source_id: str | None = None
    datum: str = "wgs84"
    accuracy_m: float | None = None


@dataclass(frozen=True)
class Ground:
    """The open segments of a sub-district, looked up once for many doors."""

    short_name: str
    segments: Sequence[RoadSegment]
    roads: Sequence[str]
    streets: placing.Streets


def ground(session: Session) -> Ground:
    rows = session.execute(
        select(RoadSegment, Road.name)
        .join(Road, Road.id == RoadSegment.road_id)
        .where(RoadSegment.subdistrict_id == tenant_of(session))
        .where(Road.subdistrict_id == tenant_of(session), RoadSegment.closed_at.is_(None))
        .order_by(RoadSegment.id)
    ).all()
    segments, roads = [row[0] for row in rows], [row[1] for row in rows]
    short = session.scalar(
        select(Subdistrict.short_name).where(Subdistrict.id == tenant_of(session))
    )
    streets = placing.Streets(
        [row.line for row in segments], roads, [row.kerb_m for row in segments]
    )
    return Ground(short or "X", segments, roads, streets)


def open_storefronts(
    session: Session, doors: Sequence[Door], on: Ground, *, by: uuid.UUID | None, at: datetime
) -> list[Storefront]:
    """Enter doors: each with segment, side, measure, frontage, duty zone and human number."""
    # Human numbers are counted on: two who count at once would reach the same.
    in_turn(session, "storefront.human_number")
    points = np.array([door.place for door in doors], dtype=object)
    placed = on.streets.place(points, [door.address for door in doors])
    used = human_numbers_in_use(session)
    rows = []
    for number, door in enumerate(doors):
        row = _new_row(session, door, on, placed, number, at=at)
        row.human_number = _free_number(on, door, _road_of(on, placed, number), used)
        rows.append(row)
    touched = {key for row in rows for key in (row.segment_id, row.second_segment_id) if key}
    _hold(session, touched)
    duty_zones.lay(
        [*rows, *duty_zones.beside(session, rows)],
        {segment.id: segment for segment in on.segments},
    )
    session.add_all(rows)
    session.flush()
    for row in rows:
        events.record(session, "streets.storefront_opened", subject=row, by=by, at=at)
    return rows


def _hold(session: Session, segment_ids: set[uuid.UUID]) -> None:
    """Nobody may close these segments before we are done; one closed since is told."""
    held = session.scalars(
        select(RoadSegment.id)
        .where(RoadSegment.subdistrict_id == tenant_of(session))
        .where(RoadSegment.id.in_(segment_ids), RoadSegment.closed_at.is_(None))
        .order_by(RoadSegment.id)
        .with_for_update(read=True, key_share=True)
    ).all()
    if len(held) < len(segment_ids):
        raise GroundMoved


def _new_row(
    session: Session,
    door: Door,
    on: Ground,
    placed: placing.Placements,
    number: int,
    *,
    at: datetime,
) -> Storefront:
    row = Storefront(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        door=door.place,
        frontage=door.frontage,
        duty_zone_drawn=False,
        house_number=door.house_number,
        address=door.address,
        name=door.name,
        business_type=door.business_type,
        source=door.source,
        source_id=door.source_id or str(new_id()),
        source_datum=door.datum,
        accuracy_m=door.accuracy_m,
        opened_at=at,
    )
    tenancies.make_findable(row)
    segment = int(placed.segment[number])
    if segment >= 0:
        row.segment_id = on.segments[segment].id
        row.side = placing.side_name(int(placed.side[number]))
        row.measure_m = float(placed.measure_m[number])
        line = on.segments[segment].line
        row.frontage = row.frontage or placing.frontage(door.place, line, door.width_m)
    second = int(placed.second[number])
    if second >= 0:
        row.second_segment_id = on.segments[second].id
        row.second_side = placing.side_name(int(placed.second_side[number]))
        row.second_measure_m = float(placed.second_measure_m[number])
    return row


def close_storefront(
    session: Session, storefront: Storefront, *, by: uuid.UUID | None, at: datetime, because: str
) -> None:
    storefront = locked(session, storefront.id)
    running = tenancies.running(session, storefront)
    if running:
        # A tenancy that was to begin later ends on its first day.
        last = max(clock.local_date(at), running.starts_on)
        tenancies.end(session, running, storefront, on=last, by=by, at=at, because=because)
    storefront.closed_at = at
    events.record(
        session, "streets.storefront_closed", subject=storefront, by=by, at=at, because=because
    )


def split_storefront(
    session: Session,
    storefront: Storefront,
    into: Sequence[Door],
    *,
    by: uuid.UUID | None,
    at: datetime,
    because: str,
) -> list[Storefront]:
    """Several storefronts in place of one; its tenancy ends, history stays."""
    if len(into) < 2:
        raise BadInput(field="铺位 storefronts", reason_zh="至少两间", reason_en="two or more")
    close_storefront(session, storefront, by=by, at=at, because=because)
    rows = open_storefronts(session, into, ground(session), by=by, at=at)
    _succeed(session, [storefront], rows, at=at, because=because)
    events.record(
        session, "streets.storefront_split", subject=storefront, by=by, at=at, because=because
    )
    return rows


def merge_storefronts(
    session: Session,
    storefronts: Sequence[Storefront],
    into: Door,
    *,
    by: uuid.UUID | None,
    at: datetime,
    because: str,
) -> Storefront:
    """One storefront in place of several."""
    if len({row.id for row in storefronts}) < 2:
        raise BadInput(field="铺位 storefronts", reason_zh="至少两间", reason_en="two or more")
    for row in sorted(storefronts, key=lambda one: one.id):
        close_storefront(session, row, by=by, at=at, because=because)
    merged = open_storefronts(session, [into], ground(session), by=by, at=at)[0]
    _succeed(session, list(storefronts), [merged], at=at, because=because)
    events.record(
        session, "streets.storefronts_merged", subject=merged, by=by, at=at, because=because
    )
    return merged


def find(session: Session, storefront_id: uuid.UUID) -> Storefront:
    row = session.get(Storefront, (tenant_of(session), storefront_id))
    if row is None:
        raise NotFound
    return row


def locked(session: Session, storefront_id: uuid.UUID) -> Storefront:
    row = session.scalar(
        select(Storefront)
        .where(Storefront.subdistrict_id == tenant_of(session), Storefront.id == storefront_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound
    if row.closed_at is not None:
        raise StorefrontClosed(address=row.address)
    return row


def human_numbers_in_use(session: Session) -> set[str]:
    rows = session.scalars(
        select(Storefront.human_number)
        .where(Storefront.subdistrict_id == tenant_of(session))
        .where(Storefront.human_number.is_not(None))
    )
    return {number for number in rows if number}


def _free_number(on: Ground, door: Door, road: str, used: set[str]) -> str:
    copy = 1
    while (number := naming.human_number(on.short_name, road, door.house_number, copy)) in used:
        copy += 1
    used.add(number)
    return number


def _road_of(on: Ground, placed: placing.Placements, number: int) -> str:
    segment = int(placed.segment[number])
    return on.roads[segment] if segment >= 0 else ""


def _succeed(
    session: Session,
    before: Sequence[Storefront],
    after: Sequence[Storefront],
    *,
    at: datetime,
    because: str,
) -> None:
    for old in before:
        for new in after:
            session.add(
                StorefrontSuccession(
                    subdistrict_id=old.subdistrict_id,
                    id=new_id(),
                    before_id=old.id,
                    after_id=new.id,
                    at=at,
                    because=because,
                )
            )
    session.flush()
