"""Storefronts: opened, placed, closed. What is altered later: alterations. Verbs never commit.

Locks are taken in one order, else two people deadlock: the turn for human numbers, then segments
by id, then storefronts by id. `hold` does the last two; whoever needs a storefront and a segment
asks it for both at once.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import shapely
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import new_id, tenant_of
from roadchief.errors import Conflict, NotFound, WrongState
from roadchief.lib import clock
from roadchief.streets import duty_zones, human_numbers, naming, placing, tenancies, zones
from roadchief.streets.models import (
    Road,
    RoadSegment,
    Storefront,
    Subdistrict,
)

events.declare(
    {
        "streets.storefront_opened": "a storefront was entered",
        "streets.storefront_closed": "a storefront was closed",
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
    """The open segments on which doors open, of a sub-district, looked up once for many doors."""

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
    rows = [row for row in rows if naming.is_on_the_ground(row[1])]
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
    human_numbers.take_turn(session)
    placed = place(on, doors)
    hold(session, segments_of(on, placed))
    return enter(session, doors, on, placed, by=by, at=at)


def place(on: Ground, doors: Sequence[Door]) -> placing.Placements:
    points = np.array([door.place for door in doors], dtype=object)
    return on.streets.place(points, [door.address for door in doors])


def segments_of(on: Ground, placed: placing.Placements) -> set[uuid.UUID]:
    """The segments that these placements touch."""
    indexes = {int(index) for index in (*placed.segment, *placed.second)}
    return {on.segments[index].id for index in indexes if index >= 0}


def enter(
    session: Session,
    doors: Sequence[Door],
    on: Ground,
    placed: placing.Placements,
    *,
    by: uuid.UUID | None,
    at: datetime,
) -> list[Storefront]:
    """Rows for placed doors. The caller has taken the turn and holds their segments."""
    rows = [_new_row(session, door, on, placed, number, at=at) for number, door in enumerate(doors)]
    stems = [
        naming.number_stem(on.short_name, _road_of(on, placed, number), door.house_number)
        for number, door in enumerate(doors)
    ]
    for row, human_number in zip(rows, human_numbers.free(session, stems), strict=True):
        row.human_number = human_number
    duty_zones.lay_beside(session, rows)
    session.add_all(rows)
    session.flush()
    for row in rows:
        events.record(session, "streets.storefront_opened", subject=row, by=by, at=at)
    return rows


def hold(
    session: Session, segment_ids: set[uuid.UUID], storefront_ids: Collection[uuid.UUID] = ()
) -> list[Storefront]:
    """These segments and storefronts under lock, all open; segments first, each kind by id.

    Segments cannot be closed or cut before we are done. Storefronts come back in the order asked;
    one whose segment is not among those held was moved meanwhile.
    """
    held = session.scalars(
        select(RoadSegment.id)
        .where(RoadSegment.subdistrict_id == tenant_of(session))
        .where(RoadSegment.id.in_(segment_ids), RoadSegment.closed_at.is_(None))
        .order_by(RoadSegment.id)
        .with_for_update(read=True, key_share=True)
    ).all()
    if len(held) < len(segment_ids):
        raise GroundMoved
    # Neighbours too: their duty zones follow, and they must not be locked in another order later.
    wanted = or_(Storefront.id.in_(storefront_ids), Storefront.segment_id.in_(segment_ids))
    rows = session.scalars(
        select(Storefront)
        .where(Storefront.subdistrict_id == tenant_of(session), Storefront.closed_at.is_(None))
        .where(wanted)
        .order_by(Storefront.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    found = {row.id: row for row in rows}
    for key in storefront_ids:
        row = found.setdefault(key, found.get(key) or locked(session, key))  # refuses a closed one
        if row.segment_id is not None and row.segment_id not in segment_ids:
            raise GroundMoved
    return [found[key] for key in storefront_ids]


def hold_with_segment(session: Session, storefront_ids: Collection[uuid.UUID]) -> list[Storefront]:
    """Storefronts and the segments they lie on, under lock."""
    segments = session.scalars(
        select(Storefront.segment_id)
        .where(Storefront.subdistrict_id == tenant_of(session))
        .where(Storefront.id.in_(storefront_ids), Storefront.segment_id.is_not(None))
        .where(Storefront.closed_at.is_(None))
    )
    return hold(session, {key for key in segments if key}, storefront_ids)


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
        duty_zone_drawn=False,
        house_number=door.house_number,
        address=door.address,
        name=door.name,
        business_type=door.business_type,
        source=door.source,
        source_id=door.source_id or str(new_id()),
        source_datum=door.datum,
        opened_at=at,
    )
    tenancies.make_findable(row)
    set_place(row, on, placed, number, door=door)
    return row


def set_place(
    row: Storefront, on: Ground, placed: placing.Placements, number: int, *, door: Door
) -> None:
    """Door, front, segment, side and measure of a row, out of one placement."""
    row.door, row.frontage, row.accuracy_m = door.place, door.frontage, door.accuracy_m
    segment, second = int(placed.segment[number]), int(placed.second[number])
    row.segment_id = row.side = row.measure_m = None
    row.second_segment_id = row.second_side = row.second_measure_m = None
    if segment >= 0:
        row.segment_id = on.segments[segment].id
        row.side = placing.side_name(int(placed.side[number]))
        row.measure_m = float(placed.measure_m[number])
        line = on.segments[segment].line
        row.frontage = row.frontage or zones.frontage(door.place, line, door.width_m)
    if second >= 0:
        row.second_segment_id = on.segments[second].id
        row.second_side = placing.side_name(int(placed.second_side[number]))
        row.second_measure_m = float(placed.second_measure_m[number])


def close_storefront(
    session: Session, storefront: Storefront, *, by: uuid.UUID | None, at: datetime, because: str
) -> None:
    """The neighbours' duty zones take the room."""
    (storefront,) = hold_with_segment(session, [storefront.id])
    close_held(session, storefront, by=by, at=at, because=because)
    duty_zones.lay_beside(session, [], was=[duty_zones.Spot.of(storefront)])


def close_held(
    session: Session, storefront: Storefront, *, by: uuid.UUID | None, at: datetime, because: str
) -> None:
    """Closed with its tenancy; the caller holds it and sees to the neighbours."""
    running = tenancies.running(session, storefront)
    if running:
        # A tenancy that was to begin later ends on its first day.
        last = max(clock.local_date(at), running.starts_on)
        tenancies.end(session, running, storefront, on=last, by=by, at=at, because=because)
    storefront.closed_at = at
    session.flush()
    events.record(
        session, "streets.storefront_closed", subject=storefront, by=by, at=at, because=because
    )


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


def _road_of(on: Ground, placed: placing.Placements, number: int) -> str:
    segment = int(placed.segment[number])
    return on.roads[segment] if segment >= 0 else ""
