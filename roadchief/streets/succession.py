"""What follows when segments are cut, split or merged: assignments and storefronts go along.

History stays: old rows are closed, and succession rows say what took their place.
"""

import uuid
from collections.abc import Callable
from datetime import datetime

import shapely
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from roadchief.db import new_id, tenant_of
from roadchief.lib.geo import Plane
from roadchief.streets.models import Assignment, RoadSegment, SegmentSuccession, Storefront

# Packages above that keep something of a segment carry it over, in the same transaction:
# (session, before, after, at=…).
carriers: list[Callable[..., object]] = []


def follow(
    session: Session,
    before: list[RoadSegment],
    after: list[RoadSegment],
    *,
    at: datetime,
    because: str,
) -> None:
    """Close segments; assignments and storefronts follow to those in their place."""
    for old in before:
        old.closed_at = at
        for new in after:
            session.add(
                SegmentSuccession(
                    subdistrict_id=old.subdistrict_id,
                    id=new_id(),
                    before_id=old.id,
                    after_id=new.id,
                    at=at,
                    because=because,
                )
            )
    _move_assignments(session, before, after, at=at, because=because)
    _move_storefronts(session, before, after)
    session.flush()
    for carry in carriers:
        carry(session, before, after, at=at)


def _move_assignments(
    session: Session,
    before: list[RoadSegment],
    after: list[RoadSegment],
    *,
    at: datetime,
    because: str,
) -> None:
    """Running assignments end and run on at the successors, each post once a segment.

    One that was to begin later ends as it begins and begins then at the successors.
    """
    running = session.scalars(
        select(Assignment)
        .where(Assignment.subdistrict_id == tenant_of(session))
        .where(or_(Assignment.ends_at.is_(None), Assignment.ends_at > at))
        .where(Assignment.segment_id.in_([old.id for old in before]))
        .order_by(Assignment.id)
        .with_for_update()
    ).all()
    terms: dict[uuid.UUID, list[tuple[datetime, datetime | None]]] = {}
    # The longest first: where one post answered for both, the longer term runs on.
    for old in sorted(running, key=lambda row: (row.ends_at is not None, row.starts_at)):
        start, end = max(at, old.starts_at), old.ends_at
        old.ends_at, old.ended_because = start, because
        known = terms.setdefault(old.post_id, [])
        if any(_overlap((start, end), term) for term in known):
            continue
        known.append((start, end))
        for new in after:
            session.add(
                Assignment(
                    subdistrict_id=old.subdistrict_id,
                    id=new_id(),
                    post_id=old.post_id,
                    segment_id=new.id,
                    acting_for_id=old.acting_for_id,
                    starts_at=start,
                    ends_at=end,
                )
            )


def _overlap(
    one: tuple[datetime, datetime | None], other: tuple[datetime, datetime | None]
) -> bool:
    (start, end), (other_start, other_end) = one, other
    return (end is None or other_start < end) and (other_end is None or start < other_end)


def _move_storefronts(
    session: Session, before: list[RoadSegment], after: list[RoadSegment]
) -> None:
    """Storefronts stand where they stood: the successor nearest to the door, measured anew."""
    ids = [old.id for old in before]
    # All locks in one order first: a shop at the corner of two segments is met from both.
    session.execute(
        select(Storefront.id)
        .where(Storefront.subdistrict_id == tenant_of(session))
        .where(or_(Storefront.segment_id.in_(ids), Storefront.second_segment_id.in_(ids)))
        .order_by(Storefront.id)
        .with_for_update()
    )
    for segment, side, measure in (
        ("segment_id", "side", "measure_m"),
        ("second_segment_id", "second_side", "second_measure_m"),
    ):
        column = getattr(Storefront, segment)
        rows = session.scalars(
            select(Storefront)
            .where(Storefront.subdistrict_id == tenant_of(session), column.in_(ids))
            .order_by(Storefront.id)
            .execution_options(populate_existing=True)
        ).all()
        sides = {old.id: old for old in before}
        for row in rows:
            place = _nearest(row.door, after)
            turned = place is not None and _turned(sides[getattr(row, segment)].line, place[0].line)
            setattr(row, segment, place[0].id if place else None)
            setattr(row, measure, place[1] if place else None)
            if place is None or turned:
                flipped = {"left": "right", "right": "left"}.get(getattr(row, side))
                setattr(row, side, flipped if place else None)


def _nearest(door: shapely.Point, segments: list[RoadSegment]) -> tuple[RoadSegment, float] | None:
    if not segments:
        return None
    plane = Plane.around(door)
    here = plane.flat(door)
    best = min(segments, key=lambda row: plane.flat(row.line).distance(here))
    return best, float(plane.flat(best.line).project(here))


def _turned(old: shapely.LineString, new: shapely.LineString) -> bool:
    """Does the successor run the other way? Then left is right."""
    (ax, ay), (bx, by) = old.coords[0], old.coords[-1]
    (cx, cy), (dx, dy) = new.coords[0], new.coords[-1]
    return bool((bx - ax) * (dx - cx) + (by - ay) * (dy - cy) < 0)
