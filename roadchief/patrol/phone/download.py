"""What a phone takes along for a shift, so that it needs no signal until evening."""

import uuid
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Any

import shapely
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from roadchief.db import from_hex, new_id, tenant_of
from roadchief.errors import NotFound
from roadchief.patrol import rules
from roadchief.patrol.checklists import questions
from roadchief.patrol.items.reading import instant_text
from roadchief.patrol.other_shops import LAST_TOLD
from roadchief.patrol.phone.taken import taken
from roadchief.patrol.plan_models import Shift, ShiftStop
from roadchief.patrol.planning import due
from roadchief.patrol.planning import shifts as planning
from roadchief.patrol.presence import radius
from roadchief.patrol.routes import ordering
from roadchief.patrol.selfchecks.reading import LAST_SELF
from roadchief.patrol.standing import LAST
from roadchief.streets import standards
from roadchief.streets.models import RoadSegment

SHIFTS = text(
    """
SELECT s.id, s.starts_at, s.ends_at, s.title, s.state,
       array(SELECT g.name FROM shift_beat b JOIN road_segment g
             ON g.subdistrict_id = :here AND g.id = b.segment_id
             WHERE b.subdistrict_id = :here AND b.shift_id = s.id ORDER BY b.seq) AS segments
FROM shift s
WHERE s.subdistrict_id = :here AND s.person_id = :person AND s.state <> 'cancelled'
  AND s.ends_at > :since AND s.starts_at < :until
ORDER BY s.starts_at, s.id
"""
)
STOPS = text(
    f"""
SELECT f.id, f.segment_id, g.road_id, g.seq AS segment_seq, f.side, f.measure_m, f.name,
       f.address, f.house_number, f.human_number, f.door, f.frontage, q.name AS road, r.radius_m,
       v.last_at, x.id AS recheck, own.self_check, {LAST_TOLD},
       array(SELECT encode(p.token_hash, 'hex') FROM plate p WHERE p.subdistrict_id = :here
             AND p.storefront_id = f.id AND p.state IN ('bound', 'active', 'damaged')) AS plates,
       (SELECT p.number FROM plate p WHERE p.subdistrict_id = :here AND p.storefront_id = f.id
        AND p.state IN ('bound', 'active', 'damaged') LIMIT 1) AS plate_number,
       (SELECT jsonb_agg(jsonb_build_object('kind', a.kind, 'windows', a.windows))
        FROM permit_area a WHERE a.subdistrict_id = :here AND :day BETWEEN a.valid_from AND
        a.valid_to AND a.area && f.duty_zone AND ST_Intersects(a.area, f.duty_zone)) AS permits
FROM storefront f
JOIN road_segment g ON g.subdistrict_id = :here AND g.id = f.segment_id
JOIN road q ON q.subdistrict_id = :here AND q.id = g.road_id
{radius.JOINED.format(segment="f.segment_id")}
LEFT JOIN LATERAL (SELECT y.id FROM recheck y WHERE y.subdistrict_id = :here
  AND y.storefront_id = f.id AND y.second_id IS NULL AND y.first_person_id <> :person
  AND y.until > :at LIMIT 1) x ON true
{LAST}
{LAST_SELF}
WHERE f.subdistrict_id = :here AND f.closed_at IS NULL AND f.segment_id = ANY(:segments)
ORDER BY f.id
"""
)
HANDOVERS = text(
    """
SELECT h.id, h.text, h.written_at, h.segment_id, n.name,
       h.person_id = :person OR EXISTS (SELECT FROM handover_reading r
         WHERE r.subdistrict_id = :here AND r.handover_id = h.id AND r.person_id = :person) AS read
FROM handover h JOIN person n ON n.subdistrict_id = :here AND n.id = h.person_id
WHERE h.subdistrict_id = :here AND h.segment_id = ANY(:segments) AND h.written_at > :since
ORDER BY h.written_at DESC LIMIT 50
"""
)
SENT_BACK = text(
    """
SELECT w.id, w.because, w.decided_at, f.name, f.address FROM review w
JOIN check_in c ON c.subdistrict_id = :here AND c.id = w.id AND c.person_id = :person
JOIN storefront f ON f.subdistrict_id = :here AND f.id = c.storefront_id
WHERE w.subdistrict_id = :here AND w.state = 'sent_back' ORDER BY w.decided_at LIMIT 50
"""
)
NEAR = text(
    """
SELECT g.name, g.line FROM road_segment g
WHERE g.subdistrict_id = :here AND g.closed_at IS NULL
  AND g.line && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
ORDER BY g.id LIMIT 400
"""
)
BEATS = text(
    """
SELECT g.id, g.name, g.length_m, count(f.id) AS stops FROM road_segment g
LEFT JOIN storefront f ON f.subdistrict_id = :here AND f.segment_id = g.id
  AND f.closed_at IS NULL
WHERE g.subdistrict_id = :here AND g.closed_at IS NULL
GROUP BY g.id, g.name, g.length_m, g.subdistrict_id ORDER BY g.name LIMIT 500
"""
)
RECENT = timedelta(days=2)
AHEAD = timedelta(days=7)
NOTES = timedelta(days=7)
TOLD = timedelta(days=90)
AROUND_DEG = 0.002


def shifts(session: Session, person_id: uuid.UUID, *, at: datetime) -> list[dict[str, Any]]:
    """The person's shifts from two days ago until a week ahead."""
    values = {"here": tenant_of(session), "person": person_id, "since": at - RECENT}
    return [
        {
            "id": str(row.id),
            "starts_at": instant_text(row.starts_at),
            "ends_at": instant_text(row.ends_at),
            "title": row.title,
            "state": row.state,
            "segments": list(row.segments),
        }
        for row in session.execute(SHIFTS, values | {"until": at + AHEAD})
    ]


def beats(session: Session, *, at: datetime) -> list[dict[str, Any]]:
    """Segments that somebody may set out on without a plan."""
    return [
        {"id": str(row.id), "name": row.name, "length_m": round(row.length_m), "stops": row.stops}
        for row in session.execute(BEATS, {"here": tenant_of(session)})
    ]


def shift(
    session: Session, shift_id: uuid.UUID, person_id: uuid.UUID, *, at: datetime
) -> dict[str, Any]:
    """Everything for one shift. The list of stops stands from the first call on."""
    row = planning.find(session, shift_id)
    if row.person_id != person_id or row.state == "cancelled":
        raise NotFound
    segments = planning.segments_of(session, shift_id)
    walk_at = max(at, row.starts_at)  # what counts when the walk begins
    rows = _rows(session, segments, person_id, at=at, walk_at=walk_at)
    way = ordering.of(list(rows.values()), segments)
    found = [
        _stop_facts(rows[shop.stop.key], place, at=at) for place, shop in enumerate(way.shops, 1)
    ]
    freeze(session, row, found, at=at)
    ids = [segment.id for segment in segments]
    radii = radius.of_segments(session, ids, at=walk_at)
    form = questions.in_force(session, standards.PATROL)
    return {
        "shift": _shift_facts(row),
        "person_id": str(person_id),
        "at": instant_text(at),
        "segments": [_segment_facts(one, radii.get(one.id)) for one in segments],
        "stops": found,
        "taken": taken(session, shift_id),
        "walk": {
            "kind": way.kind,
            "length_m": round(way.length_m),
            "why": {one: way.say(one) for one in ("zh", "en")},
        },
        "checklist": {"version": form.version, "items": [item_facts(code) for code in form.items]},
        "groups": {code: {"zh": zh, "en": en} for code, (zh, en) in standards.groups().items()},
        "handovers": _handovers(session, ids, person_id, at=at),
        "sent_back": _sent_back(session, person_id),
        "roads": _near(session, segments),
        "tracks_kept_days": rules.section("tracks")["keep_days"],
    }


def _rows(
    session: Session,
    segments: list[RoadSegment],
    person_id: uuid.UUID,
    *,
    at: datetime,
    walk_at: datetime,
) -> dict[Hashable, Row[Any]]:
    values = {
        "here": tenant_of(session),
        "segments": [one.id for one in segments],
        "person": person_id,
        "at": at,
        "walk_at": walk_at,
        "day": at.date(),
        "told_since": at - TOLD,
    }
    # In a fixed order, so that the same storefronts always make the same walk.
    return {row.id: row for row in session.execute(STOPS, values)}


def freeze(session: Session, row: Shift, found: list[dict[str, Any]], *, at: datetime) -> None:
    """Keep the list as it was first fetched: what counts as missed is not changed afterwards."""
    session.refresh(row, with_for_update=True)
    if row.frozen_at is not None:
        return
    row.frozen_at = at
    session.add_all(
        ShiftStop(
            subdistrict_id=row.subdistrict_id,
            id=new_id(),
            shift_id=row.id,
            storefront_id=uuid.UUID(stop["storefront_id"]),
            seq=stop["order"],
            due=stop["due"],
            last_at=datetime.fromisoformat(stop["last_at"]) if stop["last_at"] else None,
            recheck_of=uuid.UUID(stop["recheck"]) if stop["recheck"] else None,
        )
        for stop in found
    )
    session.flush()


def item_facts(code: str) -> dict[str, Any]:
    """A line of the checklist as the phone shows it."""
    item = standards.items()[code]
    return {
        "code": item.code,
        "zh": item.zh,
        "en": item.en,
        "group": item.group,
        "who": list(item.who),
        "severity": item.severity,
        "photo": item.photo,
        "limit": {one: item.limit.say(one) for one in ("zh", "en")},
        "patrol_only": _pair(item.patrol_only),
        "first": _pair(item.first),
    }


def _stop_facts(row: Row[Any], order: int, *, at: datetime) -> dict[str, Any]:
    figures = rules.section("visits")
    state = due.judge(
        row.last_at, at=at, every_days=figures["scan_every_days"], soon_days=figures["soon_days"]
    )
    why = {one: state.say(one, every_days=figures["scan_every_days"]) for one in ("zh", "en")}
    return {
        "storefront_id": str(row.id),
        "order": order,
        "name": row.name,
        "road": row.road,
        "address": row.address,
        "house_number": row.house_number,
        "side": row.side,
        "measure_m": round(row.measure_m, 1),
        "segment_id": str(row.segment_id),
        "door": _coordinates(from_hex(row.door)),
        "frontage": _coordinates(from_hex(row.frontage)),
        "radius_m": row.radius_m or rules.reach().radius_m,
        "due": state.state,
        "last_at": instant_text(row.last_at) if row.last_at else None,
        "why": why,
        "recheck": str(row.recheck) if row.recheck else None,
        "number": row.human_number,
        "plate_number": row.plate_number,
        "plate_digests": list(row.plates),
        "permits": row.permits or [],
        "other_shop": row.other_shop,
        "self_check": row.self_check,  # the merchant's own word: for information alone
    }


def _shift_facts(row: Shift) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "title": row.title,
        "starts_at": instant_text(row.starts_at),
        "ends_at": instant_text(row.ends_at),
        "state": row.state,
        "nonce": row.nonce,
        "grace_min": rules.section("alerts")["grace_minutes"],
    }


def _segment_facts(row: RoadSegment, radius_m: float | None) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "code": row.code,
        "line": _coordinates(row.line),
        "kerb_m": row.kerb_m,
        "length_m": round(row.length_m, 1),
        "radius_m": radius_m or rules.reach().radius_m,
    }


def _handovers(
    session: Session, segments: list[uuid.UUID], person_id: uuid.UUID, *, at: datetime
) -> list[dict[str, Any]]:
    values = {"here": tenant_of(session), "segments": segments, "person": person_id}
    return [
        {
            "id": str(row.id),
            "text": row.text,
            "by": row.name,
            "at": instant_text(row.written_at),
            "segment_id": str(row.segment_id),
            "read": row.read,
        }
        for row in session.execute(HANDOVERS, values | {"since": at - NOTES})
    ]


def _sent_back(session: Session, person_id: uuid.UUID) -> list[dict[str, Any]]:
    """Visits that a reviewer wants explained."""
    rows = session.execute(SENT_BACK, {"here": tenant_of(session), "person": person_id})
    return [
        {
            "check_in_id": str(row.id),
            "because": row.because,
            "at": instant_text(row.decided_at) if row.decided_at else None,
            "name": row.name,
            "address": row.address,
        }
        for row in rows
    ]


def _near(session: Session, segments: list[RoadSegment]) -> list[dict[str, Any]]:
    """Streets around the beat, for the map without signal."""
    if not segments:
        return []
    west, south, east, north = shapely.total_bounds([one.line for one in segments])
    values = {
        "here": tenant_of(session),
        "west": west - AROUND_DEG,
        "south": south - AROUND_DEG,
        "east": east + AROUND_DEG,
        "north": north + AROUND_DEG,
    }
    return [
        {"name": row.name, "line": _coordinates(from_hex(row.line))}
        for row in session.execute(NEAR, values)
    ]


def _coordinates(shape: Any) -> Any:
    """A point as a pair, a line as pairs; 1e-7 degrees are a centimetre."""
    if shape is None:
        return None
    pairs = [[round(x, 7), round(y, 7)] for x, y in shapely.get_coordinates(shape)]
    return pairs[0] if shape.geom_type == "Point" else pairs


def _pair(words: tuple[str, str] | None) -> dict[str, str] | None:
    return {"zh": words[0], "en": words[1]} if words else None
