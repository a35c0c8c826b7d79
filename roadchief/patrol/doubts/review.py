"""The reviewer's work: look at the evidence, then approve, send back, refuse or remove."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import tenant_of
from roadchief.errors import BadInput, NotFound, RuleBroken, WrongState
from roadchief.patrol import telling
from roadchief.patrol.doubts import signals, weighing
from roadchief.patrol.models import CheckIn
from roadchief.patrol.plan_models import Review
from roadchief.patrol.rules import section

DECISIONS: dict[str, tuple[str, str]] = {
    "approved": ("通过", "approve"),
    "sent_back": ("退回说明", "send back"),
    "refused": ("认定不实", "refuse"),
    "removed": ("删除", "remove"),
}
NEEDS_REASON = {"sent_back", "refused", "removed"}
PAGE = 30

events.declare(
    {
        "patrol.review_decided": "a reviewer approved, sent back, refused or removed a check-in",
    }
)

QUEUE = text(
    """
SELECT w.id, w.state, w.sampled, w.signals, w.opened_at, w.explanation, w.explained_at,
       c.occurred_at, c.outcome, c.reason, c.distance_m, c.accuracy_m, c.limit_m, c.radius_m,
       c.rule, c.how, c.grade, c.photos, n.name AS person, f.name, f.address, f.id AS storefront_id
FROM review w
JOIN check_in c ON c.subdistrict_id = :here AND c.id = w.id
JOIN storefront f ON f.subdistrict_id = :here AND f.id = c.storefront_id
JOIN person n ON n.subdistrict_id = :here AND n.id = c.person_id
WHERE w.subdistrict_id = :here AND w.state = :state
  AND (CAST(:segments AS uuid[]) IS NULL OR w.segment_id = ANY(:segments))
ORDER BY w.opened_at, w.id LIMIT :size OFFSET :skip
"""
)
COUNT = text(
    """
SELECT count(*) AS waiting, min(opened_at) AS oldest FROM review w
WHERE w.subdistrict_id = :here AND w.state = 'waiting'
  AND (CAST(:segments AS uuid[]) IS NULL OR w.segment_id = ANY(:segments))
"""
)
EVIDENCE = text(
    """
SELECT c.*, f.name, f.address, ST_X(f.door) AS door_lon, ST_Y(f.door) AS door_lat,
       ST_X(c.place) AS lon, ST_Y(c.place) AS lat, n.name AS person, s.title AS shift,
       p.number AS plate_number
FROM check_in c
JOIN storefront f ON f.subdistrict_id = :here AND f.id = c.storefront_id
JOIN person n ON n.subdistrict_id = :here AND n.id = c.person_id
LEFT JOIN shift s ON s.subdistrict_id = :here AND s.id = c.shift_id
LEFT JOIN plate p ON p.subdistrict_id = :here AND p.token_hash = c.plate_digest
WHERE c.subdistrict_id = :here AND c.id = :id
"""
)
PHOTOS = text(
    """
SELECT encode(p.sha256, 'hex') AS sha256, p.source, b.id AS blob_id
FROM item_photo p LEFT JOIN blob b
  ON b.subdistrict_id = :here AND b.source_sha256 = encode(p.sha256, 'hex') AND b.state = 'kept'
WHERE p.subdistrict_id = :here AND p.item_id = :id ORDER BY p.source DESC, p.id
"""
)
LATE_PHOTOS = text(
    """
SELECT DISTINCT c.id FROM item_photo p
JOIN check_in c ON c.subdistrict_id = :here AND c.id = p.item_id
WHERE p.subdistrict_id = :here AND p.promised_at BETWEEN :since AND :until
  AND NOT EXISTS (SELECT FROM blob b WHERE b.subdistrict_id = :here
                  AND b.source_sha256 = encode(p.sha256, 'hex'))
  AND NOT EXISTS (SELECT FROM review w WHERE w.subdistrict_id = :here AND w.id = c.id)
LIMIT 500
"""
)
DISAGREEMENT = text(
    """
SELECT count(*) AS drawn, count(second_id) AS done,
       count(*) FILTER (WHERE NOT agreed) AS differed
FROM recheck WHERE subdistrict_id = :here AND drawn_at BETWEEN :since AND :until
"""
)


class NotYourOwn(RuleBroken):
    zh = "不能审核自己的到访记录"
    en = "nobody reviews a visit of their own"


class AlreadyDecided(WrongState):
    zh = "这条记录已经审核过"
    en = "this has been decided already"


def waiting(session: Session, segments: list[uuid.UUID] | None) -> Any:
    """How many wait (of these segments; None: all), and since when."""
    values = {"here": tenant_of(session), "segments": segments}
    return session.execute(COUNT, values).one()


def queue(
    session: Session,
    segments: list[uuid.UUID] | None,
    *,
    state: str = "waiting",
    number: int = 1,
) -> list[Any]:
    """One page of visits in a state, the oldest first."""
    values = {
        "here": tenant_of(session),
        "segments": segments,
        "state": state,
        "size": PAGE,
        "skip": (number - 1) * PAGE,
    }
    return list(session.execute(QUEUE, values))


def evidence(session: Session, visit_id: uuid.UUID) -> tuple[Any, list[Any], Review]:
    """(check-in with its place, photos come and missing, the review)."""
    values = {"here": tenant_of(session), "id": visit_id}
    row = session.execute(EVIDENCE, values).first()
    review = session.get(Review, (tenant_of(session), visit_id))
    if row is None or review is None:
        raise NotFound
    return row, list(session.execute(PHOTOS, values)), review


def decide(
    session: Session,
    visit_id: uuid.UUID,
    decision: str,
    *,
    by: uuid.UUID,
    at: datetime,
    because: str | None,
) -> None:
    """Of two reviewers one decides; the visit itself stays as it was recorded."""
    here = tenant_of(session)
    visit = session.get(CheckIn, (here, visit_id))
    if visit is None:
        raise NotFound
    if visit.person_id == by:
        raise NotYourOwn
    if decision not in DECISIONS:
        raise BadInput(field="决定", reason_zh="请选择", reason_en="choose one")
    if decision in NEEDS_REASON and not because:
        raise BadInput(field="原因", reason_zh="请填写", reason_en="is required")
    done = session.execute(
        update(Review)
        .where(Review.subdistrict_id == here, Review.id == visit_id)
        .where(Review.state.in_(("waiting", "sent_back")), Review.state != decision)
        .values(state=decision, decided_at=at, decided_by=by, because=because)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise AlreadyDecided
    telling.tell_decision(session, visit, decision, at=at, because=because)
    events.record(
        session,
        "patrol.review_decided",
        subject=visit,
        by=by,
        at=at,
        decision=decision,
        because=because,
    )


def mark_missing_photos(session: Session, *, at: datetime) -> int:
    """A promised photo that has not come in time brings its visit before a reviewer."""
    hours = section("visits")["evidence_hours"]
    values = {
        "here": tenant_of(session),
        "since": at - timedelta(days=30),
        "until": at - timedelta(hours=hours),
    }
    late = session.scalars(LATE_PHOTOS, values).all()
    for row in session.scalars(
        select(CheckIn).where(CheckIn.subdistrict_id == tenant_of(session), CheckIn.id.in_(late))
    ):
        found = [signals.signal("photo_missing", hours=hours)]
        weighing.open_review(session, row, found, sampled=False, at=at)
    return len(late)


def disagreement(session: Session, *, since: datetime, until: datetime) -> Any:
    """Of the visits drawn by lot: drawn, done again, and found otherwise."""
    values = {"here": tenant_of(session), "since": since, "until": until}
    return session.execute(DISAGREEMENT, values).one()
