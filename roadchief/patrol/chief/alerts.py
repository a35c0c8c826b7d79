"""Shifts that were begun late, missed or left short: told after a grace, closed with a reason."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import new_id, tenant_of
from roadchief.errors import NotFound, WrongState
from roadchief.patrol import telling
from roadchief.patrol.plan_models import PatrolAlert
from roadchief.patrol.rules import section

WORDS: dict[str, tuple[str, str]] = {
    "late": ("迟到：还没有开始", "late: not begun yet"),
    "missed": ("漏班：没有开始过", "missed: never begun"),
    "short": ("没走完", "left short"),
}

events.declare(
    {
        "patrol.alert_raised": "a shift was begun late, missed or left short",
        "patrol.alert_closed": "an alert about a shift was closed, with the reason",
    }
)

# Each line of the union is a rule; what is known already is left out.
DUE = text(
    """
SELECT x.id AS shift_id, x.kind, x.facts FROM (
  SELECT s.id, 'late' AS kind, '{}'::jsonb AS facts FROM shift s
  WHERE s.subdistrict_id = :here AND s.state = 'planned' AND s.started_at IS NULL
    AND s.starts_at BETWEEN :since AND CAST(:at AS timestamptz) - :grace AND s.ends_at > :at
  UNION ALL
  SELECT s.id, 'missed', '{}'::jsonb FROM shift s
  WHERE s.subdistrict_id = :here AND s.state = 'planned' AND s.started_at IS NULL
    AND s.starts_at > :since AND s.ends_at < CAST(:at AS timestamptz) - :grace
  UNION ALL
  SELECT s.id, 'short', jsonb_build_object('stops', n.stops, 'passed', n.passed) FROM shift s
  CROSS JOIN LATERAL (
    SELECT count(*) AS stops, count(*) FILTER (WHERE
      EXISTS (SELECT FROM check_in c WHERE c.subdistrict_id = :here AND c.shift_id = s.id
              AND c.storefront_id = p.storefront_id AND c.outcome <> 'contradicted')
      OR EXISTS (SELECT FROM missed_visit m WHERE m.subdistrict_id = :here AND m.shift_id = s.id
              AND m.storefront_id = p.storefront_id)) AS passed
    FROM shift_stop p WHERE p.subdistrict_id = :here AND p.shift_id = s.id AND p.due <> 'done'
  ) n
  WHERE s.subdistrict_id = :here AND s.started_at IS NOT NULL AND s.starts_at > :since
    AND s.ends_at < CAST(:at AS timestamptz) - :grace
    AND n.stops > 0 AND n.passed < n.stops * CAST(:share AS float8)
) x
WHERE NOT EXISTS (SELECT FROM patrol_alert a WHERE a.subdistrict_id = :here
                  AND a.shift_id = x.id AND a.kind = x.kind)
"""
)
OPEN = text(
    """
SELECT a.id, a.kind, a.raised_at, a.facts, s.id AS shift_id, s.title, s.starts_at, s.ends_at,
       s.started_at, n.name AS person,
       array(SELECT g.name FROM shift_beat b JOIN road_segment g
             ON g.subdistrict_id = :here AND g.id = b.segment_id
             WHERE b.subdistrict_id = :here AND b.shift_id = s.id ORDER BY b.seq) AS segments
FROM patrol_alert a
JOIN shift s ON s.subdistrict_id = :here AND s.id = a.shift_id
JOIN person n ON n.subdistrict_id = :here AND n.id = s.person_id
WHERE a.subdistrict_id = :here AND a.closed_at IS NULL
  AND (CAST(:segments AS uuid[]) IS NULL OR EXISTS (SELECT FROM shift_beat b
       WHERE b.subdistrict_id = :here AND b.shift_id = s.id AND b.segment_id = ANY(:segments)))
ORDER BY a.raised_at DESC LIMIT 100
"""
)
BACK = timedelta(days=14)


class AlreadyClosed(WrongState):
    zh = "提醒已关闭"
    en = "the alert is closed already"


def raise_due(session: Session, *, at: datetime) -> int:
    """Raise what is due now; run again it raises nothing twice."""
    figures = section("alerts")
    values = {
        "here": tenant_of(session),
        "at": at,
        "since": at - BACK,
        "grace": timedelta(minutes=figures["grace_minutes"]),
        "share": figures["short_share"],
    }
    rows = [
        {"subdistrict_id": values["here"], "id": new_id(), "raised_at": at} | row._asdict()
        for row in session.execute(DUE, values)
    ]
    if not rows:
        return 0
    # Of two who raise at once the second leaves what the first wrote.
    raising = insert(PatrolAlert).values(rows).on_conflict_do_nothing().returning(PatrolAlert.id)
    raised = session.scalars(raising).all()
    for row in session.scalars(
        select(PatrolAlert)
        .where(PatrolAlert.subdistrict_id == tenant_of(session))
        .where(PatrolAlert.id.in_(raised))
    ):
        events.record(session, "patrol.alert_raised", subject=row, by=None, at=at, kind=row.kind)
        telling.tell_alert(session, row.id, row.shift_id, WORDS[row.kind], at=at)
    return len(raised)


def close(
    session: Session, alert_id: uuid.UUID, *, by: uuid.UUID, at: datetime, because: str
) -> None:
    """Once, with a reason; the second of two who press at once is told."""
    here = tenant_of(session)
    row = session.get(PatrolAlert, (here, alert_id))
    if row is None:
        raise NotFound
    done = session.execute(
        update(PatrolAlert)
        .where(PatrolAlert.subdistrict_id == here, PatrolAlert.id == alert_id)
        .where(PatrolAlert.closed_at.is_(None))
        .values(closed_at=at, closed_by=by, because=because)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise AlreadyClosed
    events.record(session, "patrol.alert_closed", subject=row, by=by, at=at, because=because)


def open_alerts(session: Session, segments: list[uuid.UUID] | None) -> list[Any]:
    """Open alerts of these segments (None: of all), the newest first."""
    values = {"here": tenant_of(session), "segments": segments}
    return list(session.execute(OPEN, values))
