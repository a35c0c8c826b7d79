"""Whole roads: drawn and entered, carried on, renamed, closed. Verbs never commit.

Rows are locked in the order roads by id, segments by id, assignments, storefronts by id.
"""

import uuid
from collections.abc import Collection
from datetime import datetime

import shapely
from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import in_turn, new_id, tenant_of
from roadchief.errors import Conflict, NotFound, WrongState
from roadchief.lib.text import initials
from roadchief.streets import outlook, register, succession, tenancies
from roadchief.streets.models import Assignment, Road, RoadSegment, Storefront

events.declare(
    {
        "streets.road_renamed": "a road got another name",
        "streets.road_closed": "a road was closed with all its segments",
    }
)


class RoadNameTaken(Conflict):
    zh = "“{name}”已存在，请在该道路上添加路段"
    en = "{name} is there already: add a stretch to it"


class RoadClosed(WrongState):
    zh = "道路“{name}”已停用"
    en = "the road {name} is closed"


def enter(
    session: Session,
    *,
    name: str,
    kind: str,
    name_en: str | None,
    line: shapely.LineString,
    kerb_m: float,
    key_road: bool,
    by: uuid.UUID,
    at: datetime,
) -> Road:
    """A road that is not there yet, cut at border and junctions."""
    _check_name(session, name)
    outlook.of_line(session, line)
    road = register.open_road(
        session,
        name=name,
        kind=kind,
        name_en=name_en,
        source="register",
        source_id=str(new_id()),
        by=by,
        at=at,
    )
    register.cut_road(
        session,
        road,
        [line],
        outlook.others(session, line, road),
        by=by,
        at=at,
        kerb_m=kerb_m,
        key_road=key_road,
    )
    return road


def carry_on(
    session: Session,
    road: Road,
    line: shapely.LineString,
    *,
    kerb_m: float,
    by: uuid.UUID,
    at: datetime,
) -> list[RoadSegment]:
    """Another stretch of a road that is there."""
    (road,) = locked(session, [road.id])
    outlook.of_line(session, line, road=road)
    rows = register.cut_road(
        session, road, [line], outlook.others(session, line, road), by=by, at=at, kerb_m=kerb_m
    )
    register.renumber(session, road)
    return rows


def rename(
    session: Session, road: Road, *, to: str, name_en: str | None, by: uuid.UUID, at: datetime
) -> None:
    """Segments, junctions of crossing roads and addresses carry the new name; codes and human
    numbers stay, for they are printed."""
    was = road.name
    crossing = session.scalars(
        select(RoadSegment.road_id)
        .where(RoadSegment.subdistrict_id == tenant_of(session), RoadSegment.closed_at.is_(None))
        .where(or_(RoadSegment.from_name == was, RoadSegment.to_name == was))
    )
    held = locked(session, {road.id, *crossing}, also_closed=True)
    road = next(row for row in held if row.id == road.id)
    if road.closed_at is not None:
        raise RoadClosed(name=road.name)
    if to != road.name:
        _check_name(session, to)
    road.name, road.name_en, road.initials = to, name_en, initials(to)
    names = {row.id: row.name for row in held}
    for segment in _open_segments(session, names):
        ends = [to if end == was else end for end in (segment.from_name, segment.to_name)]
        segment.from_name, segment.to_name = ends
        segment.name = register.segment_name(names[segment.road_id], *ends)
    moved = _readdress(session, road, was, to)
    events.record(
        session, "streets.road_renamed", subject=road, by=by, at=at, was=was, to=to, shops=moved
    )


def close(session: Session, road: Road, *, by: uuid.UUID, at: datetime, because: str) -> None:
    """All its segments close, assignments end, storefronts lose their segment."""
    (road,) = locked(session, [road.id])
    segments = _open_segments(session, [road.id])
    succession.follow(session, segments, [], at=at, because=because)
    session.execute(
        update(Assignment)
        .where(Assignment.subdistrict_id == tenant_of(session), Assignment.road_id == road.id)
        .where(or_(Assignment.ends_at.is_(None), Assignment.ends_at > at))
        .values(ends_at=func.greatest(at, Assignment.starts_at), ended_because=because)
    )
    road.closed_at = at
    session.flush()
    events.record(
        session,
        "streets.road_closed",
        subject=road,
        by=by,
        at=at,
        because=because,
        segments=len(segments),
    )


def find(session: Session, road_id: uuid.UUID) -> Road:
    road = session.get(Road, (tenant_of(session), road_id))
    if road is None:
        raise NotFound
    return road


def locked(
    session: Session, road_ids: Collection[uuid.UUID], *, also_closed: bool = False
) -> list[Road]:
    """Roads under lock, by id."""
    rows = session.scalars(
        select(Road)
        .where(Road.subdistrict_id == tenant_of(session), Road.id.in_(road_ids))
        .order_by(Road.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if len(rows) < len(set(road_ids)):
        raise NotFound
    for row in rows:
        if row.closed_at is not None and not also_closed:
            raise RoadClosed(name=row.name)
    return list(rows)


def _check_name(session: Session, name: str) -> None:
    """One open road of a name: two who enter it at once take turns."""
    in_turn(session, "road.name")
    taken = session.scalar(
        select(Road.id)
        .where(Road.subdistrict_id == tenant_of(session), Road.name == name)
        .where(Road.closed_at.is_(None))
        .limit(1)
    )
    if taken:
        raise RoadNameTaken(name=name)


def _open_segments(session: Session, road_ids: Collection[uuid.UUID]) -> list[RoadSegment]:
    """Under lock, by id; whoever asks holds their roads."""
    rows = session.scalars(
        select(RoadSegment)
        .where(RoadSegment.subdistrict_id == tenant_of(session), RoadSegment.closed_at.is_(None))
        .where(RoadSegment.road_id.in_(road_ids))
        .order_by(RoadSegment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(rows)


def _readdress(session: Session, road: Road, was: str, to: str) -> int:
    """Addresses that begin with the old name, of storefronts on this road."""
    if was == to:
        return 0
    on_road = select(RoadSegment.id).where(
        RoadSegment.subdistrict_id == road.subdistrict_id, RoadSegment.road_id == road.id
    )
    rows = session.scalars(
        select(Storefront)
        .where(Storefront.subdistrict_id == road.subdistrict_id, Storefront.closed_at.is_(None))
        .where(or_(Storefront.segment_id.in_(on_road), Storefront.second_segment_id.in_(on_road)))
        .order_by(Storefront.id)
        .with_for_update()
    ).all()
    moved = [row for row in rows if row.address.startswith(was)]
    for row in moved:
        row.address = to + row.address.removeprefix(was)
        tenancies.make_findable(row)
    return len(moved)
