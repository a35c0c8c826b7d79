"""Reads of hints and risks for pages and plans; and putting a hint aside."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import tenant_of
from roadchief.errors import BadInput, NotFound, WrongState
from roadchief.insight.models import Hint, HotSpot, SegmentRisk
from roadchief.insight.rules import KINDS, rules
from roadchief.streets.models import RoadSegment

PAGE = 50

events.declare({"insight.dismissed": "a hint was put aside with a reason"})


def page(
    session: Session,
    *,
    kind: str | None,
    among: Sequence[uuid.UUID] | None,
    number: int,
) -> tuple[list[Any], int]:
    """Open hints, heaviest first within their kind; `among`: only these segments."""
    here = tenant_of(session)
    chosen = (
        select(Hint, RoadSegment.name)
        .outerjoin(
            RoadSegment,
            (RoadSegment.subdistrict_id == here) & (RoadSegment.id == Hint.segment_id),
        )
        .where(Hint.subdistrict_id == here, Hint.state == "open")
    )
    if kind in KINDS:
        chosen = chosen.where(Hint.kind == kind)
    if among is not None:
        chosen = chosen.where(Hint.segment_id.in_(among))
    total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
    rows = session.execute(
        chosen.order_by(Hint.weight.desc(), Hint.id).limit(PAGE).offset((number - 1) * PAGE)
    )
    return list(rows), total


def counts(session: Session, *, among: Sequence[uuid.UUID] | None) -> dict[str, int]:
    wanted = (
        select(Hint.kind, func.count().label("hints"))
        .where(Hint.subdistrict_id == tenant_of(session), Hint.state == "open")
        .group_by(Hint.kind)
    )
    if among is not None:
        wanted = wanted.where(Hint.segment_id.in_(among))
    found = {row.kind: row.hints for row in session.execute(wanted)}
    return {kind: found.get(kind, 0) for kind in KINDS}


def risks(
    session: Session, *, among: Sequence[uuid.UUID] | None = None, most: int = 20
) -> list[Any]:
    """Segments by risk, with their reasons and how hot their neighbourhood is."""
    here = tenant_of(session)
    wanted = (
        select(SegmentRisk, RoadSegment.name)
        .join(
            RoadSegment,
            (RoadSegment.subdistrict_id == here) & (RoadSegment.id == SegmentRisk.id),
        )
        .where(SegmentRisk.subdistrict_id == here, SegmentRisk.points > 0)
        .order_by(SegmentRisk.points.desc(), RoadSegment.code)
        .limit(most)
    )
    if among is not None:
        wanted = wanted.where(SegmentRisk.id.in_(among))
    return list(session.execute(wanted))


# A chief sees the clusters that reach a segment of theirs.
REACHED = text(
    """
SELECT h.id FROM hot_spot h WHERE h.subdistrict_id = :here AND EXISTS (
  SELECT FROM road_segment s WHERE s.subdistrict_id = :here AND s.id = ANY(:among)
    AND s.line && ST_Expand(h.place, (h.radius_m + 50) / 60000)
    AND ST_DWithin(s.line::geography, h.place::geography, h.radius_m + 50))
"""
)


def hot_spots(session: Session, *, among: Sequence[uuid.UUID] | None = None) -> list[HotSpot]:
    """Clusters of cases, the greatest first; `among`: only those that reach these segments."""
    here = tenant_of(session)
    wanted = select(HotSpot).where(HotSpot.subdistrict_id == here)
    if among is not None:
        found = session.scalars(REACHED, {"here": here, "among": list(among)})
        wanted = wanted.where(HotSpot.id.in_(list(found)))
    return list(session.scalars(wanted.order_by(HotSpot.cases.desc(), HotSpot.id).limit(50)))


# Shops worth the next walk: silent ones, those with repeats or doubts, on segments at risk.
NEXT = text(
    """
SELECT h.subject_id AS storefront_id, f.address, coalesce(f.name, f.address) AS name,
  f.segment_id, s.name AS segment, coalesce(r.points, 0) AS risk,
  jsonb_object_agg(h.kind, h.reasons) AS why,
  (sum(CASE h.kind WHEN 'silence' THEN least(h.weight, 60) WHEN 'repeat' THEN 10 * h.weight
       ELSE 15 END) + coalesce(r.points, 0))::float AS weight
FROM hint h
JOIN storefront f ON f.subdistrict_id = :here AND f.id = h.subject_id AND f.closed_at IS NULL
JOIN road_segment s ON s.subdistrict_id = :here AND s.id = f.segment_id
LEFT JOIN segment_risk r ON r.subdistrict_id = :here AND r.id = f.segment_id
WHERE h.subdistrict_id = :here AND h.state = 'open' AND h.subject_kind = 'storefront'
  AND (CAST(:among AS uuid[]) IS NULL OR f.segment_id = ANY(:among))
GROUP BY h.subject_id, f.address, f.name, f.segment_id, s.name, r.points
ORDER BY weight DESC, f.address LIMIT :most
"""
)


def next_visits(session: Session, *, among: Sequence[uuid.UUID] | None = None) -> Sequence[Any]:
    """The best next visits, with the reasons of each; feeds the plan of a patrol."""
    values = {
        "here": tenant_of(session),
        "among": list(among) if among is not None else None,
        "most": rules()["visits"]["most"],
    }
    return session.execute(NEXT, values).all()


def dismiss(
    session: Session,
    hint_id: uuid.UUID,
    *,
    by: uuid.UUID,
    at: datetime,
    because: str,
    among: Sequence[uuid.UUID] | None = None,
) -> Hint:
    """Put aside with a reason; out of `among` it is not found. Of two at once one is told."""
    if not because:
        raise BadInput(field="原因 reason", reason_zh="请说明原因", reason_en="say why")
    hint = session.get(Hint, (tenant_of(session), hint_id), with_for_update=True)
    if hint is None or (among is not None and hint.segment_id not in among):
        raise NotFound
    if hint.state != "open":
        raise WrongState
    hint.state, hint.dismissed_at = "dismissed", at
    hint.dismissed_by, hint.dismissed_because = by, because
    events.record(session, "insight.dismissed", subject=hint, by=by, at=at, because=because)
    return hint
