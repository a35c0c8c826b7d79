"""The register of roads and segments: opened, cut, split, merged, closed. Verbs never commit.

Rows are locked in the order road, segments by id, assignments, storefronts by id; always this way
round, because the other order can deadlock. A segment is never edited away: it is closed, and
succession rows say what took its place; assignments and storefronts follow.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import in_turn, new_id, tenant_of
from roadchief.errors import NotFound, RuleBroken, WrongState
from roadchief.lib.geo import length_m
from roadchief.lib.text import initials
from roadchief.streets import linework, naming, succession
from roadchief.streets.models import (
    Road,
    RoadSegment,
    Storefront,
    Subdistrict,
)

BESIDE_M = 30.0  # a house so near gives an unnamed cut its name
END_ROOM_M = 5.0  # a split nearer to an end leaves nothing to answer for

events.declare(
    {
        "streets.road_opened": "a road was entered",
        "streets.road_cut": "a road was cut into segments",
        "streets.segment_split": "a segment became two",
        "streets.segments_merged": "two segments became one",
        "streets.segment_closed": "a segment was closed without a successor",
    }
)


class SplitOutside(RuleBroken):
    zh = "切分点 {measure_m:.0f} 米须在 {low_m:.0f} 到 {high_m:.0f} 米之间"
    en = "the split at {measure_m:.0f} m must lie between {low_m:.0f} and {high_m:.0f} m"


class NotNeighbours(RuleBroken):
    zh = "两个路段不相邻或不属于同一条道路，不能合并"
    en = "the two segments do not touch or are of different roads"


class SegmentClosed(WrongState):
    zh = "路段 {code} 已停用"
    en = "segment {code} is closed"


def open_road(
    session: Session,
    *,
    name: str,
    kind: str,
    source: str,
    source_id: str,
    by: uuid.UUID | None,
    at: datetime,
    name_en: str | None = None,
) -> Road:
    road = Road(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        name=name,
        name_en=name_en,
        initials=initials(name),
        kind=kind,
        source=source,
        source_id=source_id,
    )
    session.add(road)
    session.flush()
    events.record(session, "streets.road_opened", subject=road, by=by, at=at, name=name)
    return road


def cut_road(
    session: Session,
    road: Road,
    lines: Sequence[shapely.LineString],
    others: Sequence[tuple[str, BaseGeometry]],
    *,
    by: uuid.UUID | None,
    at: datetime,
    kerb_m: float = 6.0,
    key_road: bool = False,
    block_id: uuid.UUID | None = None,
) -> list[RoadSegment]:
    """Cut at the sub-district's border, then at junctions with `others` (name, line)."""
    area = session.scalar(select(Subdistrict.area).where(Subdistrict.id == tenant_of(session)))
    kept = linework.inside(lines, area) if area is not None else list(lines)
    pieces = [
        piece
        for line in kept
        for piece in linework.cut(linework.in_house_number_order(line), others)
    ]
    segments: list[RoadSegment] = []
    for piece, code in zip(pieces, free_codes(session, road, len(pieces)), strict=True):
        segment = _made(road, piece, code, number=len(segments) + 1, at=at)
        segment.kerb_m, segment.key_road, segment.block_id = kerb_m, key_road, block_id
        segments.append(segment)
    session.add_all(segments)
    session.flush()
    events.record(session, "streets.road_cut", subject=road, by=by, at=at, into=len(segments))
    return segments


def split_segment(
    session: Session,
    segment: RoadSegment,
    *,
    at_measure_m: float,
    by: uuid.UUID,
    at: datetime,
    because: str,
    name_between: str | None = None,
) -> tuple[RoadSegment, RoadSegment]:
    """Two segments in place of one; storefronts keep their place, assignments run on both."""
    road = _locked_road(session, segment.road_id)
    segment = locked(session, segment.id)
    check_split(segment, at_measure_m)
    first_line, second_line = linework.split_at(segment.line, at_measure_m)
    name_between = name_between or name_of_cut(session, segment, at_measure_m)
    pieces = (
        linework.Piece(first_line, length_m(first_line), segment.from_name, name_between),
        linework.Piece(second_line, length_m(second_line), name_between, segment.to_name),
    )
    first, second = (
        _like(_segment(session, road, piece, number=segment.seq, at=at), segment)
        for piece in pieces
    )
    session.flush()
    succession.follow(session, [segment], [first, second], at=at, because=because)
    renumber(session, road)
    events.record(
        session,
        "streets.segment_split",
        subject=segment,
        by=by,
        at=at,
        because=because,
        into=[first.code, second.code],
    )
    return first, second


def name_of_cut(session: Session, segment: RoadSegment, at_measure_m: float) -> str:
    """What tells both halves apart where no crossing is named: the nearest house, else metres."""
    beside = session.scalar(
        select(Storefront.house_number)
        .where(Storefront.subdistrict_id == segment.subdistrict_id)
        .where(Storefront.segment_id == segment.id, Storefront.closed_at.is_(None))
        .where(Storefront.measure_m.between(at_measure_m - BESIDE_M, at_measure_m + BESIDE_M))
        .order_by(func.abs(Storefront.measure_m - at_measure_m), Storefront.id)
        .limit(1)
    )
    return f"{beside}旁" if beside else f"{at_measure_m:.0f}米处"


def merge_segments(
    session: Session,
    one: RoadSegment,
    other: RoadSegment,
    *,
    by: uuid.UUID,
    at: datetime,
    because: str,
) -> RoadSegment:
    """One segment in place of two neighbours of one road."""
    merged_line(one, other)
    road = _locked_road(session, one.road_id)
    one, other = sorted(
        (locked(session, key) for key in sorted((one.id, other.id))), key=lambda row: row.seq
    )
    line = merged_line(one, other)
    piece = linework.Piece(line, length_m(line), one.from_name, other.to_name)
    merged = _like(_segment(session, road, piece, number=one.seq, at=at), one)
    session.flush()
    succession.follow(session, [one, other], [merged], at=at, because=because)
    renumber(session, road)
    events.record(
        session,
        "streets.segments_merged",
        subject=merged,
        by=by,
        at=at,
        because=because,
        out_of=[one.code, other.code],
    )
    return merged


def close_segment(
    session: Session, segment: RoadSegment, *, by: uuid.UUID, at: datetime, because: str
) -> None:
    """Nothing takes its place: assignments end; storefronts on it lose their segment."""
    _locked_road(session, segment.road_id)
    segment = locked(session, segment.id)
    succession.follow(session, [segment], [], at=at, because=because)
    events.record(session, "streets.segment_closed", subject=segment, by=by, at=at, because=because)


def check_split(segment: RoadSegment, at_measure_m: float) -> None:
    low, high = END_ROOM_M, segment.length_m - END_ROOM_M
    if not low <= at_measure_m <= high:
        raise SplitOutside(measure_m=at_measure_m, low_m=low, high_m=high)


def merged_line(one: RoadSegment, other: RoadSegment) -> shapely.LineString:
    """Of two neighbours of one road, in the direction of the first."""
    line = linework.join(one.line, other.line) if one.road_id == other.road_id else None
    if one.id == other.id or line is None:
        raise NotNeighbours
    return line


def find_segment(session: Session, segment_id: uuid.UUID) -> RoadSegment:
    segment = session.get(RoadSegment, (tenant_of(session), segment_id))
    if segment is None:
        raise NotFound
    return segment


def locked(session: Session, segment_id: uuid.UUID) -> RoadSegment:
    """The segment under lock, open."""
    segment = session.scalar(
        select(RoadSegment)
        .where(RoadSegment.subdistrict_id == tenant_of(session), RoadSegment.id == segment_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if segment is None:
        raise NotFound
    if segment.closed_at is not None:
        raise SegmentClosed(code=segment.code)
    return segment


def _locked_road(session: Session, road_id: uuid.UUID) -> Road:
    """Segments of one road are renumbered together, so two acts on one road take turns."""
    return session.scalars(
        select(Road)
        .where(Road.subdistrict_id == tenant_of(session), Road.id == road_id)
        .with_for_update()
    ).one()


def _segment(
    session: Session, road: Road, piece: linework.Piece, *, number: int, at: datetime
) -> RoadSegment:
    (code,) = free_codes(session, road, 1)
    segment = _made(road, piece, code, number=number, at=at)
    session.add(segment)
    session.flush()
    return segment


def _made(
    road: Road, piece: linework.Piece, code: str, *, number: int, at: datetime
) -> RoadSegment:
    return RoadSegment(
        subdistrict_id=road.subdistrict_id,
        id=new_id(),
        road_id=road.id,
        code=code,
        name=segment_name(road.name, piece.from_name, piece.to_name),
        seq=number,
        line=piece.line,
        length_m=length_m(piece.line),
        from_name=piece.from_name,
        to_name=piece.to_name,
        opened_at=at,
    )


def segment_name(road: str, from_name: str | None, to_name: str | None) -> str:
    return f"{road}（{from_name or '起点'}—{to_name or '终点'}）"


def free_codes(session: Session, road: Road, count: int) -> list[str]:
    """The next codes with this road's initials; roads may share them, codes are never reused."""
    stem = naming.segment_code(road.name, 0).rsplit("-", 1)[0]
    in_turn(session, f"segment.code {stem}")
    used = session.scalars(
        select(RoadSegment.code)
        .where(RoadSegment.subdistrict_id == road.subdistrict_id)
        .where(RoadSegment.code.startswith(f"{stem}-", autoescape=True))
    )
    numbers = [int(code.rsplit("-", 1)[1]) for code in used if code.rsplit("-", 1)[1].isdigit()]
    first = max(numbers, default=0) + 1
    return [naming.segment_code(road.name, number) for number in range(first, first + count)]


def _like(segment: RoadSegment, before: RoadSegment) -> RoadSegment:
    segment.block_id, segment.grid_id = before.block_id, before.grid_id
    segment.key_road, segment.kerb_m = before.key_road, before.kerb_m
    return segment


def renumber(session: Session, road: Road) -> None:
    """Open segments of a road count from its beginning."""
    rows = session.scalars(
        select(RoadSegment)
        .where(RoadSegment.subdistrict_id == road.subdistrict_id)
        .where(RoadSegment.road_id == road.id, RoadSegment.closed_at.is_(None))
        .order_by(func.ST_Y(func.ST_StartPoint(RoadSegment.line)).desc())
    ).all()
    if rows:
        (x0, y0, x1, y1) = shapely.total_bounds([row.line for row in rows])
        if (x1 - x0) > (y1 - y0):
            rows = sorted(rows, key=lambda row: row.line.coords[0][0])
    for number, row in enumerate(rows, start=1):
        session.execute(
            update(RoadSegment)
            .where(RoadSegment.subdistrict_id == row.subdistrict_id, RoadSegment.id == row.id)
            .values(seq=number)
        )
