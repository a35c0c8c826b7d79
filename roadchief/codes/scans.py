"""A scan: which plate, what it shows, what is remembered of it, what looks like a copy.

Nothing personal is kept: the time, the kind of viewer, a coarse place if the phone gave one.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.codes import tokens
from roadchief.codes.lifecycle import ANSWERS, IN_STORE
from roadchief.codes.models import CodeDirectory, PlateAlarm, Scan
from roadchief.db import new_id, tenant_of
from roadchief.errors import NotFound, WrongState
from roadchief.lib import geo
from roadchief.lib.text import clean

FAR_M = 300.0  # beyond this plus the accuracy nobody stands at the door
COARSE = 3  # decimals of a degree that are kept: about 100 m
NOBODY = tokens.digest("nobody")  # looked up for what is no token, so that all take as long

events.declare(
    {
        "codes.alarm_raised": "something is odd with a plate",
        "codes.alarm_settled": "somebody looked at an alarm and said what it was",
    }
)


@dataclass(frozen=True)
class Where:
    """The directory's answer: enough to open the right sub-district."""

    subdistrict_id: int
    plate_id: uuid.UUID


@dataclass(frozen=True)
class Seen:
    """A plate as a scan needs it: its state and its place, in one query."""

    plate_id: uuid.UUID
    number: str
    kind: str
    state: str
    state_at: datetime
    photo_id: uuid.UUID | None
    photo_public: bool
    storefront_id: uuid.UUID | None
    segment_id: uuid.UUID | None
    name: str | None
    address: str | None
    house_number: str | None
    human_number: str | None
    business_type: str | None
    closed_at: datetime | None
    door: shapely.Point | None
    segment: str | None
    road: str | None
    block: str | None
    theme: str | None
    office: str
    successor: str | None

    @property
    def answers(self) -> bool:
        return self.state in ANSWERS

    @property
    def in_store(self) -> bool:
        return self.state in IN_STORE


def look_up(session: Session, scanned: str) -> Where | None:
    """The directory, asked in the same way for every text: malformed, unknown and real."""
    token = tokens.normalise(scanned)
    wanted = tokens.digest(token) if token else NOBODY
    row = session.execute(
        select(CodeDirectory.subdistrict_id, CodeDirectory.plate_id).where(
            CodeDirectory.token_hash == wanted
        )
    ).first()
    return Where(row.subdistrict_id, row.plate_id) if row else None


def look_up_number(session: Session, typed: str) -> Where | None:
    """By the number printed on a plate. It is no secret, so it proves nothing."""
    number = tokens.BETWEEN.sub("-", clean(typed).upper())[:40]
    row = session.execute(
        select(CodeDirectory.subdistrict_id, CodeDirectory.plate_id).where(
            CodeDirectory.number == number
        )
    ).first()
    return Where(row.subdistrict_id, row.plate_id) if row else None


SEEN = text(
    """
SELECT p.id AS plate_id, p.number, p.kind, p.state, p.state_at, p.photo_id, p.photo_public,
       f.id AS storefront_id, s.id AS segment_id, f.name, f.address, f.house_number,
       f.human_number, f.business_type, f.closed_at, ST_AsBinary(f.door) AS door,
       s.name AS segment, r.name AS road, b.name AS block, b.theme,
       d.name AS office,
       (SELECT n.number FROM plate n WHERE n.subdistrict_id = :here AND n.id <> p.id
        AND n.storefront_id = p.storefront_id AND n.state IN ('bound', 'active') LIMIT 1)
         AS successor
FROM plate p
JOIN subdistrict d ON d.id = :here
LEFT JOIN storefront f ON f.subdistrict_id = :here AND f.id = p.storefront_id
LEFT JOIN road_segment s ON s.subdistrict_id = :here
  AND s.id = coalesce(p.segment_id, f.segment_id)
LEFT JOIN road r ON r.subdistrict_id = :here AND r.id = s.road_id
LEFT JOIN street_block b ON b.subdistrict_id = :here AND b.id = s.block_id
WHERE p.subdistrict_id = :here AND p.id = :plate
"""
)


def see(session: Session, plate_id: uuid.UUID) -> Seen:
    row = session.execute(SEEN, {"here": tenant_of(session), "plate": plate_id}).mappings().first()
    return _seen(row)


def _seen(row: Any) -> Seen:
    if row is None:
        raise NotFound
    values = dict(row)
    values["door"] = shapely.from_wkb(bytes(values["door"])) if values["door"] else None
    return Seen(**values)


def number_of(session: Session, token: str) -> str | None:
    """The printed number of the plate that a token is of; None where it is none of ours."""
    return session.scalar(
        select(CodeDirectory.number).where(CodeDirectory.token_hash == tokens.digest(token))
    )


# The plate, and what is kept of its scan: its row, its month, an alarm when a dead plate is used.
# One statement, because most scans are those of people whom nobody needs to look up first.
REMEMBER = text(
    f"""
WITH seen AS MATERIALIZED ({SEEN.text}), kept AS (
  INSERT INTO scan (subdistrict_id, id, plate_id, at, audience, state)
  SELECT :here, :id, plate_id, :at, :audience, state FROM seen
), counted AS (
  INSERT INTO scan_month (subdistrict_id, id, plate_id, month, audience, scans)
  SELECT :here, :id, plate_id, :month, :audience, 1 FROM seen
  ON CONFLICT (subdistrict_id, plate_id, month, audience)
  DO UPDATE SET scans = scan_month.scans + 1
), alarmed AS (
  INSERT INTO plate_alarm (subdistrict_id, id, plate_id, kind, raised_at, last_at, times, facts)
  SELECT :here, :id, plate_id, 'dead', :at, :at, 1, jsonb_build_object('state', state)
  FROM seen WHERE state IN ('replaced', 'retired', 'lost')
  ON CONFLICT (subdistrict_id, plate_id, kind) WHERE settled_at IS NULL
  DO UPDATE SET times = plate_alarm.times + 1, last_at = excluded.last_at
)
SELECT * FROM seen
"""
)


def remember(
    session: Session, plate_id: uuid.UUID, *, audience: str, at: datetime
) -> tuple[Seen, uuid.UUID]:
    """Look at a plate and keep that it was scanned. The id lets the phone add its place."""
    scan_id = new_id()
    row = session.execute(
        REMEMBER,
        {
            "here": tenant_of(session),
            "id": scan_id,
            "plate": plate_id,
            "at": at,
            "month": at.date().replace(day=1),
            "audience": audience,
        },
    )
    return _seen(row.mappings().first()), scan_id


def stand(
    session: Session,
    seen: Seen,
    scan_id: uuid.UUID,
    *,
    place: shapely.Point,
    accuracy_m: float,
    at: datetime,
) -> float | None:
    """The phone said where it is: kept coarsely; far from the door it is an alarm."""
    if seen.door is None:
        return None
    distance_m = geo.distance_m(place, seen.door)
    scan = session.get(Scan, (tenant_of(session), scan_id), with_for_update=True)
    if scan is None or scan.plate_id != seen.plate_id:
        raise NotFound
    if scan.near is not None:
        raise WrongState  # a place is said once
    scan.near = geo.point(lon=round(place.x, COARSE), lat=round(place.y, COARSE))
    scan.distance_m = round(distance_m)
    if distance_m > FAR_M + accuracy_m:
        raise_alarm(session, seen.plate_id, "far", at=at, distance_m=round(distance_m))
    return distance_m


ALARM = text(
    """
INSERT INTO plate_alarm (subdistrict_id, id, plate_id, kind, raised_at, last_at, times, facts)
VALUES (:here, :id, :plate, :kind, :at, :at, 1, CAST(:facts AS jsonb))
ON CONFLICT (subdistrict_id, plate_id, kind) WHERE settled_at IS NULL
DO UPDATE SET times = plate_alarm.times + 1, last_at = excluded.last_at,
              facts = plate_alarm.facts || excluded.facts
RETURNING id, times
"""
)


def raise_alarm(
    session: Session, plate_id: uuid.UUID, kind: str, *, at: datetime, **facts: Any
) -> None:
    """One open alarm a plate and kind; what comes again is counted on it."""
    row = session.execute(
        ALARM,
        {
            "here": tenant_of(session),
            "id": new_id(),
            "plate": plate_id,
            "kind": kind,
            "at": at,
            "facts": json.dumps(facts, ensure_ascii=False),
        },
    ).one()
    if row.times == 1:
        alarm = session.get_one(PlateAlarm, (tenant_of(session), row.id))
        events.record(session, "codes.alarm_raised", subject=alarm, by=None, at=at, kind=kind)


def settle(
    session: Session, alarm_id: uuid.UUID, *, by: uuid.UUID, at: datetime, because: str
) -> PlateAlarm:
    """Somebody looked. Of two who settle at once, the second is told."""
    alarm = session.get(PlateAlarm, (tenant_of(session), alarm_id), with_for_update=True)
    if alarm is None:
        raise NotFound
    if alarm.settled_at is not None:
        raise WrongState
    alarm.settled_at, alarm.settled_by, alarm.settled_because = at, by, because
    events.record(session, "codes.alarm_settled", subject=alarm, by=by, at=at, because=because)
    return alarm


def resolve(session: Session, scanned: str) -> Seen | None:
    """For packages above: a live plate of the sub-district that this transaction is open for."""
    where = look_up(session, scanned)
    if where is None or where.subdistrict_id != session.info.get("subdistrict_id"):
        return None
    seen = see(session, where.plate_id)
    return seen if seen.answers else None
