"""After a visit came in: its signals, whether somebody should look, whether it is drawn by lot.

Runs as a job in its own transaction. Run again it changes nothing: what is opened or drawn is
keyed by the visit.
"""

import secrets
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.codes import scans
from roadchief.db import tenant_of
from roadchief.patrol.doubts import signals
from roadchief.patrol.models import CheckIn, Finding
from roadchief.patrol.plan_models import Recheck, Review
from roadchief.patrol.presence.reach import CONTRADICTED, VERIFIED, WEAK, Verdict
from roadchief.patrol.rules import section

AROUND = timedelta(minutes=45)
MOST_AROUND = 60

events.declare(
    {
        "patrol.review_opened": "a check-in waits for somebody to look at it",
        "patrol.recheck_drawn": "a visit was drawn by lot to be done again by somebody else",
        "patrol.rechecked": "a visit drawn by lot was done again, with or without agreement",
    }
)

PHOTOS = text(
    """
SELECT p.source, EXISTS (
  SELECT FROM item_photo o WHERE o.subdistrict_id = :here AND o.sha256 = p.sha256
    AND o.item_id <> p.item_id) AS elsewhere
FROM item_photo p WHERE p.subdistrict_id = :here AND p.item_id = :item
"""
)
OTHERS_ON_PHONE = text(
    """
SELECT 1 FROM (SELECT person_id FROM patrol_item WHERE subdistrict_id = :here
  AND device_id = :device ORDER BY seq DESC LIMIT 500) x WHERE person_id <> :person LIMIT 1
"""
)


def weigh(
    session: Session,
    visit_id: uuid.UUID,
    *,
    at: datetime,
    draw: Callable[[], float] = lambda: secrets.randbelow(10**6) / 10**6,
) -> bool:
    """Signals, review, lot and re-check of one visit. `draw` gives numbers of [0, 1).

    False when the item is no visit.
    """
    row = session.get(CheckIn, (tenant_of(session), visit_id))
    if row is None:
        return False
    if row.purpose == "self_check":
        return True
    if row.how == "picked" and "plate_elsewhere" in row.flags:
        _alarm(session, row, at=at)
    found = signals_of(session, row)
    sampled = row.outcome == WEAK and draw() < section("sample")["share"]
    if signals.needs_review(found) or sampled:
        open_review(session, row, found, sampled=sampled, at=at)
    if row.purpose == "recheck" and row.recheck_of:
        compare(session, row, at=at)
    elif row.outcome == VERIFIED and draw() < section("recheck")["share"]:
        draw_recheck(session, row, at=at)
    return True


HUNG = text(
    """
SELECT p.id, ST_Distance(CAST(f.door AS geography), CAST(s.door AS geography)) AS metres
FROM plate p JOIN storefront f ON f.subdistrict_id = :here AND f.id = p.storefront_id
JOIN storefront s ON s.subdistrict_id = :here AND s.id = :shop
WHERE p.subdistrict_id = :here AND p.token_hash = :digest
"""
)


def _alarm(session: Session, row: CheckIn, *, at: datetime) -> None:
    """A patroller stood before the plate of another shop: perhaps a copy, so the office is told."""
    values = {"here": tenant_of(session), "shop": row.storefront_id, "digest": row.plate_digest}
    hung = session.execute(HUNG, values).first()
    if hung:
        metres = round(hung.metres)
        scans.raise_alarm(session, hung.id, "far", at=at, distance_m=metres, visit=str(row.id))


def signals_of(session: Session, row: CheckIn) -> list[dict[str, Any]]:
    """Everything odd about a visit, with the measured facts."""
    figures = section("signals")
    rules_of = signals.Figures(
        **{name: figures[name] for name in signals.Figures.__dataclass_fields__}
    )
    around = _around(session, row)
    visit = _visit(row)
    photos = session.execute(PHOTOS, {"here": tenant_of(session), "item": row.id}).all()
    found = [signals.signal(flag) for flag in row.flags]
    found += _of_place(row)
    found += signals.among(visit, around, rules_of)
    live = any(photo.source == "camera" for photo in photos)
    near = signals.corroborated(visit, around, rules_of.neighbour_minutes)
    if row.outcome == WEAK and not live and not near:
        found.append(signals.signal("weak_alone", minutes=rules_of.neighbour_minutes))
    if row.took_ms is not None and row.photos and row.took_ms < rules_of.burst_ms:
        found.append(signals.signal("burst", seconds=round(row.took_ms / 1000, 1)))
    if any(photo.elsewhere for photo in photos):
        found.append(signals.signal("same_photo"))
    values = {"here": tenant_of(session), "device": row.device_id, "person": row.person_id}
    if session.execute(OTHERS_ON_PHONE, values).first():
        found.append(signals.signal("two_accounts"))
    return found


def open_review(
    session: Session,
    row: CheckIn,
    found: list[dict[str, Any]],
    *,
    sampled: bool,
    at: datetime,
) -> None:
    """Put a visit before a reviewer, once. An explanation that came first is kept."""
    opened = session.execute(
        insert(Review)
        .values(
            subdistrict_id=row.subdistrict_id,
            id=row.id,
            segment_id=row.segment_id,
            state="waiting",
            sampled=sampled,
            signals=found,
            opened_at=at,
        )
        .on_conflict_do_update(
            index_elements=["subdistrict_id", "id"],
            set_={"signals": found},
            where=func.jsonb_array_length(Review.signals) == 0,
        )
        .returning(Review.id)
    ).first()
    if opened:
        events.record(
            session,
            "patrol.review_opened",
            subject=row,
            by=None,
            at=at,
            signals=[one["kind"] for one in found],
        )


def draw_recheck(session: Session, row: CheckIn, *, at: datetime) -> None:
    """Somebody else visits the same storefront within some days and compares."""
    drawn = session.execute(
        insert(Recheck)
        .values(
            subdistrict_id=row.subdistrict_id,
            id=row.id,
            storefront_id=row.storefront_id,
            first_person_id=row.person_id,
            drawn_at=at,
            until=at + timedelta(days=section("recheck")["days"]),
        )
        .on_conflict_do_nothing()
        .returning(Recheck.id)
    ).first()
    if drawn:
        events.record(session, "patrol.recheck_drawn", subject=row, by=None, at=at)


def compare(session: Session, second: CheckIn, *, at: datetime) -> None:
    """What the second person found against the first; the first who re-checks counts."""
    here = tenant_of(session)
    first = session.get(CheckIn, (here, second.recheck_of))
    other_place = first is None or first.storefront_id != second.storefront_id
    if first is None or other_place or first.person_id == second.person_id:
        return
    kinds: dict[uuid.UUID, set[str]] = {first.id: set(), second.id: set()}
    rows = session.execute(
        select(Finding.check_in_id, Finding.item).where(
            Finding.subdistrict_id == here, Finding.check_in_id.in_(list(kinds))
        )
    )
    for check_in_id, item in rows:
        if check_in_id:
            kinds[check_in_id].add(item)
    differences = sorted(kinds[first.id] ^ kinds[second.id])
    done = session.execute(
        update(Recheck)
        .where(Recheck.subdistrict_id == here, Recheck.id == first.id)
        .where(Recheck.second_id.is_(None))
        .values(second_id=second.id, done_at=at, agreed=not differences, differences=differences)
    )
    if done.rowcount == 1:  # type: ignore[attr-defined]
        events.record(
            session,
            "patrol.rechecked",
            subject=first,
            by=second.person_id,
            at=at,
            agreed=not differences,
            differences=differences,
        )


def verdict_of(row: CheckIn) -> Verdict:
    """The kept verdict, for words and for computing it again."""
    return Verdict(
        outcome=row.outcome,
        reason=row.reason,
        distance_m=row.distance_m,
        accuracy_m=row.accuracy_m,
        radius_m=row.radius_m,
        limit_m=row.limit_m,
        rule=row.rule,
    )


def _of_place(row: CheckIn) -> list[dict[str, Any]]:
    found = []
    if row.outcome == CONTRADICTED:
        verdict = verdict_of(row)
        if verdict.frame:
            found.append(signals.signal("frame", frame=verdict.frame.upper().replace("0", "-0")))
        else:
            found.append(signals.signal("elsewhere", zh=verdict.say("zh"), en=verdict.say("en")))
    if row.how == "picked":
        found.append(signals.signal("picked", because=row.because or ""))
    fix = row.fix if isinstance(row.fix, dict) else {}
    samples, spread = fix.get("samples"), fix.get("spread_m")
    if isinstance(samples, int) and samples >= 5 and spread == 0:
        found.append(signals.signal("no_jitter"))
    return found


def _around(session: Session, row: CheckIn) -> list[signals.Visit]:
    """The person's visits shortly before and after."""
    rows = session.scalars(
        select(CheckIn)
        .where(CheckIn.subdistrict_id == row.subdistrict_id, CheckIn.person_id == row.person_id)
        .where(CheckIn.occurred_at.between(row.occurred_at - AROUND, row.occurred_at + AROUND))
        .order_by(CheckIn.occurred_at)
        .limit(MOST_AROUND)
    )
    return [_visit(one) for one in rows]


def _visit(row: CheckIn) -> signals.Visit:
    return signals.Visit(
        id=row.id,
        storefront_id=row.storefront_id,
        at=row.occurred_at,
        uncertainty_s=row.uncertainty_s or 0.0,
        outcome=row.outcome,
        lon=row.place.x if row.place is not None else None,
        lat=row.place.y if row.place is not None else None,
        accuracy_m=row.accuracy_m,
        device_id=row.device_id,
    )
