"""Reads: what would follow if a line were entered, a segment split, merged or closed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.errors import RuleBroken
from roadchief.lib.geo import Plane, length_m
from roadchief.streets import linework, register
from roadchief.streets.linework import Piece
from roadchief.streets.models import Road, RoadSegment, Storefront, Subdistrict

SHORTEST_M, LONGEST_M = 10.0, 30_000.0
BESIDE_M, MOST_BESIDE_M = 8.0, 30.0  # so near a line of the same road, it is there already
CROSS_M = 20.0  # a crossing nearer to an end of a segment is its own junction


class BadLine(RuleBroken):
    zh = "道路线不合理：{reason_zh}"
    en = "this line cannot be right: {reason_en}"


@dataclass(frozen=True)
class Crossing:
    """An open segment of another road that a new line crosses between its ends."""

    segment: RoadSegment
    measure_m: float


@dataclass(frozen=True)
class Outlook:
    """What a drawn line would become."""

    pieces: Sequence[Piece]
    crossings: Sequence[Crossing]


@dataclass(frozen=True)
class Successor:
    """A segment to be: its ends, length and the storefronts that would lie on it."""

    name: str
    length_m: float
    storefronts: int


def of_line(session: Session, line: shapely.LineString, *, road: Road | None = None) -> Outlook:
    """The segments that a line would be cut into, and segments that it would cross; no writing."""
    if not SHORTEST_M <= length_m(line) <= LONGEST_M:
        raise BadLine(
            reason_zh=f"长 {length_m(line):.0f} 米，应为 {SHORTEST_M:.0f} 米到 30 公里",
            reason_en=f"{length_m(line):.0f} m long, should be {SHORTEST_M:.0f} m to 30 km",
        )
    rows = segments_near(session, line)
    own = [row.line for row, _name in rows if road is not None and row.road_id == road.id]
    _check_new(line, own)
    others = [(name, row.line) for row, name in rows if road is None or row.road_id != road.id]
    area = session.scalar(select(Subdistrict.area).where(Subdistrict.id == tenant_of(session)))
    kept = linework.inside([line], area) if area is not None else [line]
    pieces = [
        piece
        for part in kept
        for piece in linework.cut(linework.in_house_number_order(part), others)
    ]
    if not pieces:
        raise BadLine(reason_zh="不在本街镇范围内", reason_en="outside this sub-district")
    crossings = [
        Crossing(row, measure)
        for row, _name in rows
        if (road is None or row.road_id != road.id)
        and (measure := _crossed_at(row.line, line)) is not None
    ]
    return Outlook(pieces, crossings)


def others(
    session: Session, line: shapely.LineString, road: Road
) -> list[tuple[str, shapely.LineString]]:
    near = segments_near(session, line)
    return [(name, row.line) for row, name in near if row.road_id != road.id]


def of_split(
    session: Session, segment: RoadSegment, road: Road, measure_m: float, between: str | None
) -> list[Successor]:
    """Raises what the split itself would raise."""
    register.check_split(segment, measure_m)
    lines = linework.split_at(segment.line, measure_m)
    between = between or register.name_of_cut(session, segment, measure_m)
    ends = ((segment.from_name, between), (between, segment.to_name))
    return _successors(session, [segment], road, list(zip(lines, ends, strict=True)))


def of_merge(session: Session, one: RoadSegment, other: RoadSegment, road: Road) -> list[Successor]:
    first, second = sorted((one, other), key=lambda row: row.seq)
    line = register.merged_line(first, second)
    return _successors(session, [first, second], road, [(line, (first.from_name, second.to_name))])


def storefronts_on(session: Session, segments: Sequence[RoadSegment]) -> int:
    """Open storefronts that lie on these, also by a corner."""
    return len(_doors(session, segments))


def _successors(
    session: Session,
    before: Sequence[RoadSegment],
    road: Road,
    after: Sequence[tuple[shapely.LineString, tuple[str | None, str | None]]],
) -> list[Successor]:
    plane = Plane.around(before[0].line)
    doors = plane.flat(np.array(_doors(session, before), dtype=object))
    lines = plane.flat(np.array([line for line, _ends in after], dtype=object))
    away = np.array([shapely.distance(doors, line) for line in lines])
    nearest = np.argmin(away, axis=0) if len(doors) else np.array([], dtype=int)
    return [
        Successor(
            register.segment_name(road.name, *ends), length_m(line), int((nearest == at).sum())
        )
        for at, (line, ends) in enumerate(after)
    ]


def _doors(session: Session, segments: Sequence[RoadSegment]) -> list[shapely.Point]:
    ids = [segment.id for segment in segments]
    rows = session.scalars(
        select(Storefront.door)
        .where(Storefront.subdistrict_id == tenant_of(session), Storefront.closed_at.is_(None))
        .where(or_(Storefront.segment_id.in_(ids), Storefront.second_segment_id.in_(ids)))
    )
    return list(rows)


def segments_near(session: Session, line: shapely.LineString) -> list[tuple[RoadSegment, str]]:
    west, south, east, north = shapely.bounds(line)
    box = func.ST_MakeEnvelope(west - 4e-4, south - 4e-4, east + 4e-4, north + 4e-4, 4326)
    rows = session.execute(
        select(RoadSegment, Road.name)
        .join(Road, Road.id == RoadSegment.road_id)
        .where(Road.subdistrict_id == tenant_of(session))
        .where(RoadSegment.subdistrict_id == tenant_of(session), RoadSegment.closed_at.is_(None))
        .where(RoadSegment.line.op("&&")(box))
        .order_by(RoadSegment.id)
    )
    return [(row[0], row[1]) for row in rows]


def _check_new(line: shapely.LineString, own: Sequence[shapely.LineString]) -> None:
    if not own:
        return
    plane = Plane.around(line)
    there = shapely.union_all([plane.flat(part).buffer(BESIDE_M) for part in own])
    again = plane.flat(line).intersection(there).length
    if again > MOST_BESIDE_M:
        raise BadLine(
            reason_zh=f"有 {again:.0f} 米与本路已有路段重合",
            reason_en=f"{again:.0f} m of it are there already",
        )


def _crossed_at(segment: shapely.LineString, line: shapely.LineString) -> float | None:
    plane = Plane.around(segment)
    flat = plane.flat(segment)
    meeting = flat.intersection(plane.flat(line))
    if meeting.is_empty:
        return None
    measure = float(flat.project(shapely.get_parts(meeting)[0].centroid))
    return measure if CROSS_M < measure < flat.length - CROSS_M else None
