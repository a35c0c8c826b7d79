"""Reads of self-checks: where shops stand, what was found and what became of it. Reads only."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.lib import clock
from roadchief.patrol.selfchecks import rhythm
from roadchief.patrol.selfchecks.checks import figures
from roadchief.patrol.selfchecks.rhythm import Turn

MOST = 200
# Every let shop of tenancy `t` and storefront `f`, with its last self-check and what is open.
STANDING = """
SELECT f.id AS storefront_id, t.id AS tenancy_id, t.sign_name, f.address, f.segment_id,
  t.starts_on, k.since, s.id AS last_id, s.checked_at AS last_at, s.on_day AS last_on,
  s.wrong AS last_wrong,
  (SELECT count(*) FROM self_finding d WHERE d.subdistrict_id = :here AND d.tenancy_id = t.id
   AND NOT EXISTS (SELECT FROM self_fix x WHERE x.subdistrict_id = :here AND x.id = d.id)) AS open
FROM tenancy t
JOIN storefront f ON f.subdistrict_id = :here AND f.id = t.storefront_id AND f.closed_at IS NULL
{join} LATERAL (SELECT min(k.starts_at) AS since FROM shopkeeper k
  WHERE k.subdistrict_id = :here AND k.merchant_id = t.merchant_id AND k.ends_at IS NULL) k
  ON {kept}
LEFT JOIN LATERAL (SELECT s.id, s.checked_at, s.on_day, s.wrong FROM self_check s
  WHERE s.subdistrict_id = :here AND s.tenancy_id = t.id
  ORDER BY s.on_day DESC, s.nth DESC LIMIT 1) s ON true
WHERE t.subdistrict_id = :here AND t.ends_on IS NULL AND {where}
ORDER BY f.address, f.id LIMIT :most
"""
OF_TENANCIES = text(STANDING.format(join="LEFT JOIN", kept="true", where="t.id = ANY(:tenancies)"))
OF_SEGMENT = text(STANDING.format(join="LEFT JOIN", kept="true", where="f.segment_id = :segment"))
OF_STOREFRONT = text(STANDING.format(join="LEFT JOIN", kept="true", where="f.id = :storefront"))
# Only shops that somebody speaks for: nobody else can be reminded.
OF_ALL_KEPT = text(
    STANDING.format(join="JOIN", kept="k.since IS NOT NULL", where="f.id > :after").replace(
        "ORDER BY f.address, f.id", "ORDER BY f.id"
    )
)
# For lists that show a storefront's last self-check beside other things.
LAST_SELF = """
LEFT JOIN LATERAL (SELECT jsonb_build_object('at', s.checked_at, 'wrong', s.wrong) AS self_check
  FROM self_check s JOIN tenancy t ON t.subdistrict_id = :here AND t.id = s.tenancy_id
  WHERE s.subdistrict_id = :here AND s.storefront_id = f.id AND t.ends_on IS NULL
  ORDER BY s.on_day DESC, s.nth DESC LIMIT 1) own ON true
"""
LATELY = text(
    """
SELECT s.id, s.checked_at, s.form, s.wrong, s.on_time, s.flags, cardinality(s.items) AS asked
FROM self_check s
WHERE s.subdistrict_id = :here AND s.tenancy_id = :tenancy
ORDER BY s.on_day DESC, s.nth DESC LIMIT :most
"""
)
FOUND = text(
    """
SELECT d.id, d.self_check_id, d.item, d.note, d.fix_on, d.found_at, x.fixed_at,
  x.note AS fixed_note, h.asked_at, h.case_number,
  array(SELECT b.id FROM blob b WHERE b.subdistrict_id = :here AND b.state = 'kept'
    AND b.source_sha256 = ANY(d.photos || coalesce(x.photos, '{}'))
    ORDER BY b.received_at, b.id) AS photos
FROM self_finding d
LEFT JOIN self_fix x ON x.subdistrict_id = :here AND x.id = d.id
LEFT JOIN self_help h ON h.subdistrict_id = :here AND h.id = d.id
WHERE d.subdistrict_id = :here AND d.tenancy_id = :tenancy
ORDER BY (x.id IS NOT NULL), d.found_at DESC, d.id LIMIT :most
"""
)


@dataclass(frozen=True)
class Standing:
    """One shop: its row of `STANDING`, and its turn."""

    row: Any
    turn: Turn


def of_tenancies(session: Session, tenancies: list[uuid.UUID], *, at: datetime) -> list[Standing]:
    return _stand(session, OF_TENANCIES, {"tenancies": tenancies}, at=at)


def of_segment(session: Session, segment_id: uuid.UUID, *, at: datetime) -> list[Standing]:
    return _stand(session, OF_SEGMENT, {"segment": segment_id}, at=at)


def of_storefront(session: Session, storefront_id: uuid.UUID, *, at: datetime) -> Standing | None:
    """None where nobody runs a shop."""
    return next(iter(_stand(session, OF_STOREFRONT, {"storefront": storefront_id}, at=at)), None)


def kept_after(session: Session, after: uuid.UUID, *, at: datetime) -> list[Standing]:
    """A portion of all shops that somebody speaks for, by id, for the reminders."""
    return _stand(session, OF_ALL_KEPT, {"after": after}, at=at)


def lately(session: Session, tenancy_id: uuid.UUID, *, most: int = 12) -> list[Any]:
    """The last self-checks of a tenancy, newest first."""
    values = {"here": tenant_of(session), "tenancy": tenancy_id, "most": most}
    return list(session.execute(LATELY, values))


def found(session: Session, tenancy_id: uuid.UUID, *, most: int = 40) -> list[Any]:
    """What self-checks of a tenancy found: open ones first, then the newest."""
    values = {"here": tenant_of(session), "tenancy": tenancy_id, "most": most}
    return list(session.execute(FOUND, values))


def turn_of(row: Any, *, at: datetime) -> Turn:
    """Where a shop stands in its rhythm."""
    given = figures()
    since = row.starts_on
    if row.since is not None:
        since = max(since, clock.local_date(row.since))
    return rhythm.judge(
        row.last_on,
        since_on=since,
        today=clock.local_date(at),
        every_days=given["every_days"],
        soon_days=given["soon_days"],
    )


def _stand(session: Session, query: Any, values: dict[str, Any], *, at: datetime) -> list[Standing]:
    values = {"here": tenant_of(session), "most": MOST} | values
    return [Standing(row, turn_of(row, at=at)) for row in session.execute(query, values)]
