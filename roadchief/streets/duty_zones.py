"""Duty zones before storefronts: computed side by side, or drawn by hand. Verbs never commit."""

import uuid
from collections.abc import Sequence
from datetime import datetime

import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import tenant_of
from roadchief.errors import RuleBroken
from roadchief.lib.geo import Plane
from roadchief.streets import placing
from roadchief.streets.models import RoadSegment, Storefront

LARGEST_ZONE_M2 = 5_000
FARTHEST_ZONE_M = 60
BESIDE_M = 60.0  # two fronts with doors farther apart than this leave each other 5 m

events.declare({"streets.duty_zone_redrawn": "a duty zone was drawn by hand"})


class BadZone(RuleBroken):
    zh = "责任区不合理：{reason_zh}"
    en = "this duty zone cannot be right: {reason_en}"


def lay(rows: Sequence[Storefront], segments: dict[uuid.UUID, RoadSegment]) -> None:
    """Duty zones of storefronts side by side: to the neighbour's front, or 5 m (§3.1)."""
    walk = sorted(
        (row for row in rows if row.segment_id and row.frontage and not row.duty_zone_drawn),
        key=lambda row: (str(row.segment_id), row.side or "", row.measure_m or 0),
    )
    for place, row in enumerate(walk):
        segment = segments[row.segment_id]  # type: ignore[index]
        room = [placing.SIDE_ROOM_M, placing.SIDE_ROOM_M]
        for at, other in ((0, place - 1), (1, place + 1)):
            if 0 <= other < len(walk) and _same_side(walk[other], row):
                room[at] = _room_m(row, walk[other], segment)
        row.duty_zone = placing.duty_zone(
            row.frontage, segment.line, segment.kerb_m, room_before_m=room[0], room_after_m=room[1]
        )


def beside(session: Session, rows: Sequence[Storefront]) -> list[Storefront]:
    """Storefronts already there, so near along the street that their zones meet; under lock."""
    near: dict[tuple[uuid.UUID, str], list[float]] = {}
    for row in rows:
        if row.segment_id and row.side and row.measure_m is not None:
            near.setdefault((row.segment_id, row.side), []).append(row.measure_m)
    if not near:
        return []
    there = session.scalars(
        select(Storefront)
        .where(Storefront.subdistrict_id == tenant_of(session), Storefront.closed_at.is_(None))
        .where(Storefront.segment_id.in_({segment for segment, _ in near}))
        .where(Storefront.frontage.is_not(None))
        .order_by(Storefront.id)
        .with_for_update()
    )
    return [
        row
        for row in there
        if any(
            abs(measure - (row.measure_m or 0)) <= BESIDE_M
            for measure in near.get((row.segment_id, row.side), ())  # type: ignore[arg-type]
        )
    ]


def lay_missing(session: Session, segment: RoadSegment) -> int:
    """Fronts and duty zones of one segment's storefronts that have none, as after an import."""
    rows = session.scalars(
        select(Storefront)
        .where(Storefront.subdistrict_id == segment.subdistrict_id)
        .where(Storefront.segment_id == segment.id, Storefront.closed_at.is_(None))
        .order_by(Storefront.id)
        .with_for_update()
    ).all()
    missing = [row for row in rows if row.duty_zone is None and not row.duty_zone_drawn]
    if not missing:
        return 0
    for row in missing:
        row.frontage = row.frontage or placing.frontage(row.door, segment.line)
    lay([row for row in rows if row.frontage is not None], {segment.id: segment})
    return len(missing)


def redraw(
    session: Session, storefront: Storefront, zone: shapely.Polygon, *, by: uuid.UUID, at: datetime
) -> None:
    """A zone drawn by hand is kept: it is never computed over."""
    plane = Plane.around(storefront.door)
    flat = plane.flat(zone)
    if not zone.is_valid or zone.is_empty:
        raise BadZone(reason_zh="边线自相交或为空", reason_en="it crosses itself or is empty")
    if flat.area > LARGEST_ZONE_M2:
        raise BadZone(
            reason_zh=f"{flat.area:.0f} 平方米，过大", reason_en=f"{flat.area:.0f} m² is too large"
        )
    if flat.distance(plane.flat(storefront.door)) > FARTHEST_ZONE_M:
        raise BadZone(reason_zh="离店门太远", reason_en="it is too far from the door")
    storefront.duty_zone, storefront.duty_zone_drawn = zone, True
    events.record(session, "streets.duty_zone_redrawn", subject=storefront, by=by, at=at)


def _same_side(one: Storefront, other: Storefront) -> bool:
    return (one.segment_id, one.side) == (other.segment_id, other.side)


def _room_m(one: Storefront, other: Storefront, segment: RoadSegment) -> float:
    """Half the free metres between two fronts, along the street: one may stand farther back."""
    plane = Plane.around(segment.line)
    street = plane.flat(segment.line)
    ends = [
        [street.project(shapely.Point(end)) for end in plane.flat(row.frontage).coords]
        for row in (one, other)
    ]
    (low, high), (other_low, other_high) = ((min(pair), max(pair)) for pair in ends)
    free = max(other_low - high, low - other_high, 0.0)
    return float(min(placing.SIDE_ROOM_M, free / 2))
