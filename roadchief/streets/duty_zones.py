"""Duty zones before storefronts: computed side by side, or drawn by hand. Verbs never commit."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import numpy as np
import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import tenant_of
from roadchief.errors import RuleBroken
from roadchief.lib.geo import Plane
from roadchief.streets import zones
from roadchief.streets.models import RoadSegment, Storefront

LARGEST_ZONE_M2 = 5_000
FARTHEST_ZONE_M = 60
BESIDE_M = 60.0  # two fronts with doors farther apart than this leave each other 5 m

events.declare(
    {
        "streets.duty_zone_redrawn": "a duty zone was drawn by hand",
        "streets.duty_zone_reset": "a drawn duty zone gave way to the computed one",
    }
)


@dataclass(frozen=True)
class Spot:
    """Where a storefront stood before it was moved or closed."""

    id: uuid.UUID
    segment_id: uuid.UUID | None
    side: str | None
    measure_m: float | None

    @classmethod
    def of(cls, row: Storefront) -> "Spot":
        return cls(row.id, row.segment_id, row.side, row.measure_m)


Standing = Storefront | Spot


class BadZone(RuleBroken):
    zh = "责任区不合理：{reason_zh}"
    en = "this duty zone cannot be right: {reason_en}"


def lay(
    rows: Sequence[Storefront],
    segments: dict[uuid.UUID, RoadSegment],
    *,
    around: Sequence[Standing] | None = None,
) -> None:
    """Duty zones of storefronts side by side: to the neighbour's front, or 5 m (§3.1).

    With `around`, only zones near those are laid; all others still count as neighbours. Zones
    drawn by hand stay.
    """
    walk = sorted(
        (row for row in rows if row.segment_id and row.frontage),
        key=lambda row: (str(row.segment_id), row.side or "", row.measure_m or 0),
    )
    for segment_id, group in groupby(walk, key=lambda row: row.segment_id):
        along, segment = list(group), segments[segment_id]
        wanted = np.array(
            [
                not row.duty_zone_drawn
                and (around is None or any(_near(row, one) for one in around))
                for row in along
            ]
        )
        fronts = np.array([row.frontage for row in along], dtype=object)
        street, sides = zones.Street(segment.line), [row.side for row in along]
        found = zones.side_by_side(fronts, sides, street, segment.kerb_m, wanted)
        for place in np.flatnonzero(wanted):
            along[place].duty_zone = found[place]


def beside(session: Session, rows: Sequence[Standing]) -> list[Storefront]:
    """Other open storefronts on the same sides of the same segments; under lock."""
    sides = {(row.segment_id, row.side) for row in rows if row.segment_id}
    if not sides:
        return []
    there = session.scalars(
        select(Storefront)
        .where(Storefront.subdistrict_id == tenant_of(session), Storefront.closed_at.is_(None))
        .where(Storefront.segment_id.in_({segment for segment, _ in sides}))
        .where(Storefront.frontage.is_not(None))
        .order_by(Storefront.id)
        .with_for_update()
    )
    known = {row.id for row in rows}
    return [row for row in there if (row.segment_id, row.side) in sides and row.id not in known]


def lay_beside(
    session: Session,
    touched: Sequence[Storefront],
    *,
    was: Sequence[Spot] = (),
) -> None:
    """Zones of `touched` and of their neighbours, laid again; `was`: fronts no longer there."""
    rows = [row for row in touched if row.closed_at is None]
    rows += beside(session, [*touched, *was])
    segments = segments_by_id(session, {row.segment_id for row in rows if row.segment_id})
    lay(rows, segments, around=[*touched, *was])


def segments_by_id(session: Session, wanted: set[uuid.UUID]) -> dict[uuid.UUID, RoadSegment]:
    found = session.scalars(
        select(RoadSegment)
        .where(RoadSegment.subdistrict_id == tenant_of(session), RoadSegment.id.in_(wanted))
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in found}


def lay_all(session: Session, segment: RoadSegment) -> None:
    """All of one segment again, as after its kerb moved; drawn ones stay."""
    lay(_on(session, segment), {segment.id: segment})


def _on(session: Session, segment: RoadSegment) -> list[Storefront]:
    """Open storefronts of a segment under lock, by id."""
    rows = session.scalars(
        select(Storefront)
        .where(Storefront.subdistrict_id == segment.subdistrict_id)
        .where(Storefront.segment_id == segment.id, Storefront.closed_at.is_(None))
        .order_by(Storefront.id)
        .with_for_update()
    )
    return list(rows)


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


def reset(
    session: Session,
    storefront: Storefront,
    *,
    by: uuid.UUID,
    at: datetime,
) -> None:
    """Back to the zone computed from frontage and kerb. The caller holds segment and storefront."""
    storefront.duty_zone_drawn, storefront.duty_zone = False, None
    if storefront.segment_id is not None:
        segment = segments_by_id(session, {storefront.segment_id})[storefront.segment_id]
        storefront.frontage = storefront.frontage or zones.frontage(storefront.door, segment.line)
        session.flush()
        lay_beside(session, [storefront])
    events.record(session, "streets.duty_zone_reset", subject=storefront, by=by, at=at)


def _near(one: Standing, other: Standing) -> bool:
    away = abs((one.measure_m or 0) - (other.measure_m or 0))
    return _same_side(one, other) and away <= BESIDE_M


def _same_side(one: Standing, other: Standing) -> bool:
    return (one.segment_id, one.side) == (other.segment_id, other.side)
