"""What happens without a person: lights told, the merchant's time up, silence, masking."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from roadchief import holidays
from roadchief.accounts import notices
from roadchief.db import tenant_of
from roadchief.issues import adjusting, cases, categories, clocks, deadlines, moves, telling
from roadchief.issues.cases import SYSTEM
from roadchief.issues.models import Case, CasePause
from roadchief.issues.opening import dispatch, end_merchants_time, route_of
from roadchief.issues.publishing import masked
from roadchief.issues.voices import Receipt, Voice
from roadchief.lib.text import pieces

MASK_AFTER = timedelta(days=180)  # [D] domain.md §7.5
MOST = 500
RANK = {"yellow": 1, "red": 2, "black": 3}


def due_merchants(session: Session, *, at: datetime) -> list[uuid.UUID]:
    return list(
        session.scalars(
            select(Case.id)
            .where(Case.subdistrict_id == tenant_of(session), Case.state == "notified_merchant")
            .where(Case.merchant_due_at < at, Case.ended_at.is_(None))
            .order_by(Case.id)
            .limit(MOST)
        )
    )


def merchant_is_late(session: Session, case_id: uuid.UUID, *, at: datetime) -> bool:
    """Not fixed in time: on to the unit, or to the centre where there is none. Once."""
    case = cases.locked(session, case_id)
    if case.state != "notified_merchant" or not case.merchant_due_at or case.merchant_due_at >= at:
        return False
    route = route_of(session, case)
    if route.unit:
        dispatch(session, case, who=SYSTEM, to=route.unit.id, at=at, words="商户逾期未整改")
        return True
    before, case.state = case.state, "open"
    case.version += 1
    case.updated_at = at
    step = cases.add_step(session, case, "merchant_late", before, SYSTEM, at=at)
    end_merchants_time(session, case, at=at)
    clocks.reckon(session, case, at=at)
    telling.centre(session, case, step, at=at)
    return True


def changed_lights(session: Session, *, at: datetime) -> list[uuid.UUID]:
    """Running cases whose light has turned since it was told. Paused ones never ring."""
    return list(
        session.scalars(
            select(Case.id)
            .where(Case.subdistrict_id == tenant_of(session), Case.ended_at.is_(None))
            .where(Case.paused_at.is_(None), Case.yellow_at <= at, Case.state.not_in(("reported",)))
            .where(
                or_(
                    Case.told_light.is_(None),
                    (Case.told_light == "yellow") & (Case.due_at < at),
                    (Case.told_light == "red") & (Case.black_at < at),
                )
            )
            .order_by(Case.id)
            .limit(MOST)
        )
    )


def tell_light(session: Session, case_id: uuid.UUID, *, at: datetime) -> str | None:
    """Yellow and red to the unit, black (twice overdue) to the highest chief; each once.

    In working hours, except danger, which is told at any hour.
    """
    case = cases.locked(session, case_id)
    if case.ended_at or case.paused_at or not (case.yellow_at and case.due_at and case.black_at):
        return None
    light = deadlines.lit(case.yellow_at, case.due_at, case.black_at, at)
    if RANK.get(light, 0) <= RANK.get(case.told_light or "", 0):
        return None
    if not case.danger and not _in_hours(session, at):
        return None
    case.told_light = light
    step = cases.add_step(
        session, case, f"light_{light}", case.state, SYSTEM, at=at, data={"due": str(case.due_at)}
    )
    if light == "black":
        telling.chief_of_all(session, case, step, at=at)
    telling.unit(session, case, step, at=at)
    return light


def silent_questions(session: Session, *, at: datetime) -> list[uuid.UUID]:
    """Questions that nobody answered for days."""
    since = at - timedelta(days=adjusting.SILENT_DAYS)
    rows = session.scalars(
        select(CasePause.case_id)
        .where(CasePause.subdistrict_id == tenant_of(session), CasePause.kind == "waiting")
        .where(CasePause.ends_at.is_(None), CasePause.begins_at < since)
        .limit(MOST)
    )
    return sorted(set(rows))


def to_mask(session: Session, *, at: datetime) -> list[uuid.UUID]:
    """Cases whose last closing is so old that nobody need be reached; reopened ones are not."""
    return list(
        session.scalars(
            select(Case.id)
            .where(Case.subdistrict_id == tenant_of(session), Case.masked_at.is_(None))
            .where(Case.ended_at < at - MASK_AFTER)
            .order_by(Case.id)
            .limit(MOST)
        )
    )


def mask(session: Session, case_id: uuid.UUID, *, at: datetime) -> bool:
    """Contacts of reporter and followers go; numbers in their words too. The facts stay."""
    case = cases.locked(session, case_id)
    if case.ended_at is None or case.ended_at >= at - MASK_AFTER or case.masked_at:
        return False
    here = case.subdistrict_id
    session.execute(
        update(Receipt)
        .where(Receipt.subdistrict_id == here, Receipt.case_id == case.id)
        .values(contact=None, contact_proven_at=None, masked_at=at)
    )
    notices.forget(session, None, subject_id=case.id, at=at)
    voices = session.scalars(
        select(Voice).where(Voice.subdistrict_id == here, Voice.case_id == case.id)
    )
    for voice in voices:
        voice.words, voice.masked_at = masked(voice.words), at
    case.words, case.masked_at = masked(case.words), at
    case.pieces = pieces(case.number, case.address, case.words)
    cases.add_step(session, case, "mask", case.state, SYSTEM, at=at)
    return True


def preview_limits(session: Session, *, at: datetime) -> list[tuple[Case, str, str]]:
    """Running cases whose limit would change by the lists of today: what a recalculation does."""
    rows = session.scalars(
        select(Case)
        .where(Case.subdistrict_id == tenant_of(session), Case.ended_at.is_(None))
        .order_by(Case.due_at)
        .limit(10_000)
    )
    found = []
    for case in rows:
        limit = categories.find(case.category).limit
        if (limit.amount, limit.clock) != (case.limit_amount, case.limit_clock):
            before = f"{case.limit_amount:g} {case.limit_clock}"
            found.append((case, before, f"{limit.amount:g} {limit.clock}"))
    return found


def recalculate(session: Session, case_id: uuid.UUID, *, at: datetime) -> None:
    """Take the limit of today for one running case; the step tells from what."""
    case = cases.locked(session, case_id)
    if case.state in moves.ENDED:
        return
    limit, before = categories.find(case.category).limit, f"{case.limit_amount} {case.limit_clock}"
    case.limit_amount, case.limit_clock = limit.amount, limit.clock
    case.limit_version = categories.version()
    clocks.reckon(session, case, at=at)
    cases.add_step(session, case, "limit", case.state, SYSTEM, at=at, data={"from": before})


def _in_hours(session: Session, at: datetime) -> bool:
    """Is it working time now?"""
    wall = at.astimezone(deadlines.HERE).replace(tzinfo=None)
    calendar = holidays.calendar(session)
    return calendar.between(wall, wall + timedelta(minutes=1)) > timedelta()
