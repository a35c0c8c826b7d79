"""Check-ins written: all at once, each at most once.

One statement writes receipt, check-in and event of every item that is new; what was there
already is left as it is and told apart by its absence from the result.
"""

import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief import events, jobs
from roadchief.accounts.access import Actor
from roadchief.db import new_id, tenant_of
from roadchief.patrol.checklists import questions
from roadchief.patrol.items.reading import Item, storable
from roadchief.patrol.models import Finding
from roadchief.patrol.phone.judging import Ready
from roadchief.streets import standards

WEIGH = "patrol.weigh"

# Called with each finding, in its transaction: app.py and worker.py put the makers of cases here.
# on_finding(session, *, storefront_id, segment_id, item, by, at, note, photos, source_id)
on_finding: list[Callable[..., None]] = []

events.declare(
    {
        "patrol.checked_in": "a visit to a storefront was recorded, with its verdict",
        "patrol.finding": "something not as it should be was found on patrol",
    }
)

TAKE_IN = text(
    """
WITH given AS (
  SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
    id uuid, kind text, sha text, device uuid, seq int, answer jsonb, body jsonb, event uuid,
    told jsonb, purpose text, shift_id uuid, storefront_id uuid, segment_id uuid, how text,
    because text, plate text, occurred_at timestamptz, uncertainty_s float8, wall timestamptz,
    mono bigint, page text, off bigint, lon float8, lat float8, accuracy_m float8, fix jsonb,
    distance_m float8, radius_m float8, limit_m float8, outcome text, reason text, rule text,
    form text, grade text, took_ms int, inspection_code text, recheck_of uuid, photos int,
    flags text[])
), fresh AS (
  INSERT INTO patrol_item
    (subdistrict_id, id, kind, body_sha256, person_id, device_id, seq, received_at, answer, body)
  SELECT :here, id, kind, decode(sha, 'hex'), :person, device, seq, :at, answer, body
  FROM given ORDER BY id
  ON CONFLICT (subdistrict_id, id) DO NOTHING RETURNING id
), visits AS (
  INSERT INTO check_in
    (subdistrict_id, id, purpose, person_id, shift_id, storefront_id, segment_id, how, because,
     plate_digest, occurred_at, uncertainty_s, received_at, device_id, device_wall,
     device_mono_ms, device_session, offset_ms, place, accuracy_m, fix, distance_m, radius_m,
     limit_m, outcome, reason, rule, form, grade, took_ms, inspection_code, recheck_of, photos,
     flags)
  SELECT :here, id, purpose, :person, shift_id, storefront_id, segment_id, how, because,
     decode(plate, 'hex'), occurred_at, uncertainty_s, :at, device, wall, mono, page, off,
     ST_SetSRID(ST_MakePoint(lon, lat), 4326), accuracy_m, fix, distance_m, radius_m, limit_m,
     outcome, reason, rule, form, grade, took_ms, inspection_code, recheck_of, photos, flags
  FROM given JOIN fresh USING (id)
), told AS (
  INSERT INTO event (subdistrict_id, id, name, subject_kind, subject_id, "by", at, data)
  SELECT :here, event, 'patrol.checked_in', 'check_in', id, :person, :at, told
  FROM given JOIN fresh USING (id)
)
SELECT id FROM fresh
"""
)
PROMISE = text(
    """
INSERT INTO item_photo (subdistrict_id, id, item_id, sha256, source, promised_at)
SELECT :here, r.id, r.item, decode(r.sha, 'hex'), r.source, :at
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, item uuid, sha text, source text)
"""
)


def write(session: Session, ready: list[Ready], *, by: Actor, at: datetime) -> set[uuid.UUID]:
    """Write what is new, in one go, and return its ids."""
    if not ready:
        return set()
    rows = [_sql_row(one) for one in ready]
    values = {
        "here": tenant_of(session),
        "person": by.person_id,
        "at": at,
        "rows": json.dumps(rows, default=_plain, ensure_ascii=False),
    }
    fresh = set(session.scalars(TAKE_IN, values))
    new = [one for one in ready if one.item.id in fresh]
    promise(session, [one.item for one in new], at=at)
    here = tenant_of(session)
    jobs.many_later(
        session, WEIGH, [{"subdistrict_id": here, "item_id": str(one.item.id)} for one in new]
    )
    for one in new:
        for finding_id, bad in one.bad:
            _find(session, one, finding_id, bad, by=by, at=at)
    return fresh


def promise(session: Session, items: list[Item], *, at: datetime) -> None:
    """The immutable list of photos that belong to each item, come or not."""
    rows = [
        {"id": new_id(), "item": item.id, "sha": photo.sha256, "source": photo.source}
        for item in items
        for photo in item.photos
    ]
    if rows:
        told = json.dumps(rows, default=_plain)
        session.execute(PROMISE, {"here": tenant_of(session), "at": at, "rows": told})


def add_finding(session: Session, finding: Finding, *, by: uuid.UUID, at: datetime) -> None:
    """Write a finding, tell it, and let a case be made of it in the same transaction."""
    session.add(finding)
    session.flush()
    events.record(
        session,
        "patrol.finding",
        subject=finding,
        by=by,
        at=at,
        item=finding.item,
        severity=finding.severity,
        note=finding.note,
        photos=finding.photos,
        storefront=str(finding.storefront_id) if finding.storefront_id else None,
        source=str(finding.source_id),
    )
    for make in on_finding:
        make(
            session,
            storefront_id=finding.storefront_id,
            segment_id=finding.segment_id,
            item=finding.item,
            by=by,
            at=at,
            note=finding.note,
            photos=finding.photos,
            source_id=finding.source_id,
        )


def _find(
    session: Session,
    ready: Ready,
    finding_id: uuid.UUID,
    bad: questions.Bad,
    *,
    by: Actor,
    at: datetime,
) -> None:
    row = ready.row
    finding = Finding(
        subdistrict_id=tenant_of(session),
        id=finding_id,
        source_id=ready.item.id,
        check_in_id=ready.item.id,
        storefront_id=row["storefront_id"],
        segment_id=row["segment_id"],
        item=bad.item,
        severity=standards.items()[bad.item].severity,
        note=bad.note,
        inspection_code=row["inspection_code"],
        person_id=by.person_id,
        occurred_at=row["occurred_at"],
        photos=list(bad.photos) or [photo.sha256 for photo in ready.item.photos],
    )
    add_finding(session, finding, by=by.person_id, at=at)


def _sql_row(ready: Ready) -> dict[str, Any]:
    item, row = ready.item, ready.row
    return row | {
        "id": item.id,
        "kind": item.kind,
        "sha": item.sha256,
        "device": item.device_id,
        "seq": item.seq,
        "answer": ready.answer,
        "body": storable(item.body),
        "fix": storable(row["fix"]) if isinstance(row["fix"], dict) else None,
        "event": new_id(),
        "told": {
            "storefront": str(row["storefront_id"]),
            "outcome": row["outcome"],
            "grade": row["grade"],
        },
    }


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
