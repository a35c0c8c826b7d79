"""What a chief sees first: how much was seen, what waits, who was late, what to do now."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.errors import NotFound
from roadchief.patrol import rules
from roadchief.patrol.chief import alerts
from roadchief.patrol.coverage import covering
from roadchief.patrol.doubts import review
from roadchief.patrol.plan_models import PatrolAlert, Review, Shift
from roadchief.patrol.planning import due

SUMMARY = text(
    """
SELECT
  (SELECT count(*) FROM shift_stop p WHERE p.subdistrict_id = :here AND p.shift_id = :id) AS stops,
  (SELECT count(*) FROM check_in c WHERE c.subdistrict_id = :here AND c.shift_id = :id) AS visits,
  (SELECT count(DISTINCT c.storefront_id) FROM check_in c WHERE c.subdistrict_id = :here
    AND c.shift_id = :id) AS shops,
  (SELECT count(*) FROM check_in c WHERE c.subdistrict_id = :here AND c.shift_id = :id
    AND c.outcome = 'verified') AS verified,
  (SELECT count(*) FROM check_in c WHERE c.subdistrict_id = :here AND c.shift_id = :id
    AND c.outcome = 'weak') AS weak,
  (SELECT count(*) FROM check_in c WHERE c.subdistrict_id = :here AND c.shift_id = :id
    AND c.outcome = 'contradicted') AS contradicted,
  (SELECT count(*) FROM finding d JOIN check_in c ON c.subdistrict_id = :here
    AND c.id = d.check_in_id WHERE d.subdistrict_id = :here AND c.shift_id = :id) AS findings,
  (SELECT coalesce(sum(t.walked_m), 0) FROM track t WHERE t.subdistrict_id = :here
    AND t.shift_id = :id) AS walked_m
"""
)
MISSES = text(
    """
SELECT m.because, m.note, m.occurred_at, f.name, f.address FROM missed_visit m
JOIN storefront f ON f.subdistrict_id = :here AND f.id = m.storefront_id
WHERE m.subdistrict_id = :here AND m.shift_id = :id ORDER BY m.occurred_at LIMIT 200
"""
)
UNPASSED = text(
    """
SELECT f.name, f.address, p.due FROM shift_stop p
JOIN storefront f ON f.subdistrict_id = :here AND f.id = p.storefront_id
WHERE p.subdistrict_id = :here AND p.shift_id = :id AND p.due <> 'done'
  AND NOT EXISTS (SELECT FROM check_in c WHERE c.subdistrict_id = :here AND c.shift_id = :id
                  AND c.storefront_id = p.storefront_id)
  AND NOT EXISTS (SELECT FROM missed_visit m WHERE m.subdistrict_id = :here AND m.shift_id = :id
                  AND m.storefront_id = p.storefront_id)
ORDER BY p.seq LIMIT 200
"""
)
# The nth part of a sub-district that has somebody to walk: its segments, as ids.
BEAT = text("SELECT segment_id FROM shift_beat WHERE subdistrict_id = :here AND shift_id = :id")
TODAY = text(
    """
SELECT s.id, s.title, s.starts_at, s.ends_at, s.state, s.started_at, s.closed_at, s.approved_at,
       n.name AS person FROM shift s
JOIN person n ON n.subdistrict_id = :here AND n.id = s.person_id
WHERE s.subdistrict_id = :here AND s.starts_at < :until AND s.ends_at > :since
  AND s.state <> 'cancelled'
  AND (CAST(:segments AS uuid[]) IS NULL OR EXISTS (SELECT FROM shift_beat b
       WHERE b.subdistrict_id = :here AND b.shift_id = s.id AND b.segment_id = ANY(:segments)))
ORDER BY s.starts_at LIMIT 60
"""
)
OLDEST = 8
STREETS = 60
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Morning:
    """The chief's page."""

    covered: covering.Covered
    reviews: Any  # waiting, oldest
    alerts: list[Any]
    shifts: list[Any]
    oldest: list[tuple[Any, due.Due]]
    days: int


def morning(session: Session, mine: Sequence[uuid.UUID] | None, *, at: datetime) -> Morning:
    """Everything of the page in a fixed number of questions."""
    figures = rules.section("visits")
    every = figures["scan_every_days"]
    segments = None if mine is None else list(mine)
    since = at - timedelta(days=every)
    covered = covering.glance(session, segments, since=since, at=at, size=OLDEST, streets=STREETS)
    values = {
        "here": tenant_of(session),
        "segments": segments,
        "since": at - DAY / 2,
        "until": at + DAY / 2,
    }
    soon = figures["soon_days"]
    return Morning(
        covered=covered,
        reviews=review.waiting(session, segments),
        alerts=alerts.open_alerts(session, segments),
        shifts=list(session.execute(TODAY, values)),
        oldest=[
            (row, due.judge(row.last_at, at=at, every_days=every, soon_days=soon))
            for row in covered.shops
        ],
        days=every,
    )


def summary(session: Session, shift: Shift) -> tuple[Any, list[Any], list[Any]]:
    """(figures, misses with reasons, storefronts passed over) of one shift."""
    values = {"here": tenant_of(session), "id": shift.id}
    return (
        session.execute(SUMMARY, values).one(),
        list(session.execute(MISSES, values)),
        list(session.execute(UNPASSED, values)),
    )


def check_shift(session: Session, shift_id: uuid.UUID, mine: Sequence[uuid.UUID] | None) -> None:
    """Not found unless the shift walks one of these segments."""
    values = {"here": tenant_of(session), "id": shift_id}
    beat = set(session.scalars(BEAT, values))
    if not beat or (mine is not None and not beat & set(mine)):
        raise NotFound


def check_alert(session: Session, alert_id: uuid.UUID, mine: Sequence[uuid.UUID] | None) -> None:
    row = session.get(PatrolAlert, (tenant_of(session), alert_id))
    if row is None:
        raise NotFound
    check_shift(session, row.shift_id, mine)


def check_review(session: Session, visit_id: uuid.UUID, mine: Sequence[uuid.UUID] | None) -> None:
    row = session.get(Review, (tenant_of(session), visit_id))
    if row is None or (mine is not None and row.segment_id not in set(mine)):
        raise NotFound
