"""What is personal in old visits goes: where a person stood after two years, photos after one,
those that prove something after three [D] (domain.md §7.5, rules.toml).

Verdicts, distances, grades and findings stay. Photos that a case or a plate shows stay with it.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief import blobs
from roadchief.db import Database, tenant_of
from roadchief.patrol.rules import section

AT_ONCE = 500  # rows of one transaction
LONGER = text("SET LOCAL statement_timeout = '10min'")  # all items or photos are looked at
COUNT_PLACES = text(
    """
SELECT (SELECT count(*) FROM check_in WHERE subdistrict_id = :here AND occurred_at < :before
    AND (place IS NOT NULL OR fix IS NOT NULL))
  + (SELECT count(*) FROM patrol_item i WHERE i.subdistrict_id = :here AND i.received_at < :before
    AND i.body ? 'fix' AND NOT EXISTS (SELECT FROM check_in c
      WHERE c.subdistrict_id = :here AND c.id = i.id AND c.occurred_at < :before
        AND (c.place IS NOT NULL OR c.fix IS NOT NULL)))
"""
)
# All that visits and self-checks say of a photo, by the hash of the bytes that were sent. A photo
# is old when all of it is; a visit that somebody may still have to judge by it counts as proof.
OLD_PHOTOS = text(
    """
WITH said AS (
  SELECT b.id, p.promised_at AS at, CASE
    WHEN p.promised_at >= :plain THEN false
    WHEN p.promised_at < :evidence THEN true
    ELSE NOT EXISTS (SELECT FROM finding f WHERE f.subdistrict_id = :here
        AND (f.source_id = p.item_id OR f.check_in_id = p.item_id))
      AND NOT EXISTS (SELECT FROM review r WHERE r.subdistrict_id = :here AND r.id = p.item_id)
      AND NOT EXISTS (SELECT FROM recheck r WHERE r.subdistrict_id = :here
        AND p.item_id IN (r.id, r.second_id))
      AND NOT EXISTS (SELECT FROM other_shop o WHERE o.subdistrict_id = :here AND o.id = p.item_id)
      AND NOT EXISTS (SELECT FROM check_in c WHERE c.subdistrict_id = :here AND c.id = p.item_id
        AND c.outcome = 'contradicted') END AS old
  FROM item_photo p JOIN blob b ON b.subdistrict_id = p.subdistrict_id AND b.state = 'kept'
    AND b.source_sha256 = encode(p.sha256, 'hex')
  WHERE p.subdistrict_id = :here
  UNION ALL
  SELECT b.id, s.at, s.at < :plain FROM (
    SELECT unnest(photos) AS photo, found_at AS at FROM self_finding WHERE subdistrict_id = :here
    UNION ALL
    SELECT unnest(photos), fixed_at FROM self_fix WHERE subdistrict_id = :here) s
  JOIN blob b ON b.subdistrict_id = :here AND b.source_sha256 = s.photo AND b.state = 'kept'
)
SELECT id FROM said GROUP BY id HAVING bool_and(old) ORDER BY min(at), id
"""
)


@dataclass(frozen=True)
class Terms:
    """Before these moments places, plain photos and photos that prove something are old."""

    places: datetime
    photos: datetime
    evidence: datetime


@dataclass
class Forgotten:
    """What went, or would go."""

    places: int = 0
    photos: int = 0


def terms(at: datetime) -> Terms:
    days = section("keeping")
    return Terms(
        *(at - timedelta(days=days[name]) for name in ("place_days", "photo_days", "evidence_days"))
    )


def due(session: Session, *, at: datetime) -> Forgotten:
    """How much is past its time, for a look before anything goes."""
    values = {"here": tenant_of(session), "before": terms(at).places}
    session.execute(LONGER)
    places = session.scalar(COUNT_PLACES, values)
    return Forgotten(int(places or 0), len(old_photos(session, at=at)))


def forget(
    database: Database,
    subdistrict_id: int,
    *,
    at: datetime,
    tell: Callable[[Forgotten], None] = lambda _done: None,
) -> Forgotten:
    """Let everything go that is past its time, some at once: broken off, the next run goes on."""
    done = Forgotten()
    while True:
        with database.transaction(subdistrict_id) as session:
            gone = forget_places(session, at=at)
            if gone < AT_ONCE:
                blobs.forget_places(session, before=terms(at).places)
        done.places += gone
        tell(done)
        if gone < AT_ONCE:
            break
    with database.transaction(subdistrict_id) as session:
        old = old_photos(session, at=at)
    for first in range(0, len(old), AT_ONCE):
        with database.transaction(subdistrict_id) as session:
            done.photos += forget_photos(session, old[first : first + AT_ONCE], at=at)
        tell(done)
    return done


def forget_places(session: Session, *, at: datetime) -> int:
    """Some of what is past its time; how many rows.

    History is only added to, so this is a function of the database with guards of its own.
    """
    session.execute(LONGER)
    gone = session.scalar(
        text("SELECT forget_places(:here, :before, :most)"),
        {"here": tenant_of(session), "before": terms(at).places, "most": AT_ONCE},
    )
    return int(gone or 0)


def old_photos(session: Session, *, at: datetime) -> list[uuid.UUID]:
    """Photos past their time that nothing else shows, the oldest first."""
    session.execute(LONGER)
    old = terms(at)
    values = {"here": tenant_of(session), "plain": old.photos, "evidence": old.evidence}
    return blobs.unused(session, list(session.scalars(OLD_PHOTOS, values)))


def forget_photos(session: Session, ids: list[uuid.UUID], *, at: datetime) -> int:
    """Looked at again: somebody may have put one into a case meanwhile."""
    unused = blobs.unused(session, ids)
    rows = blobs.get_many(session, unused + blobs.copies(session, unused)).values()
    for row in rows:
        blobs.erase(session, row, by=None, at=at, because="retention")
    return len(rows)
