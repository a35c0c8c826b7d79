"""What changes a case on its way without ending it: hands, time, pauses, parts, category, words."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.db import new_id
from roadchief.issues import categories, clocks, moves, opening, telling
from roadchief.issues.cases import SYSTEM, Who, add_photos, facts_of, locked, move, report
from roadchief.issues.models import Case, CaseHelper, CasePhoto, CaseStep
from roadchief.issues.refusals import TooManyChildren, bad
from roadchief.issues.spots import Spot

MOST_CHILDREN = 10  # [D]
# A question nobody answers gives the case back to the unit after so many days. [D]
SILENT_DAYS = 5
AT_ONCE = timedelta(minutes=1)


def give_back(
    session: Session, case: Case, *, who: Who, at: datetime, words: str, seen: int | None = None
) -> CaseStep:
    """The unit returns it to the centre: not theirs, or not possible."""
    step = move(
        session,
        case,
        "return",
        who=who,
        at=at,
        words=words,
        seen=seen,
        data={"unit": str(case.unit_id)},
    )
    case.unit_id = case.holder_id = None
    telling.centre(session, case, step, at=at)
    return step


def transfer(
    session: Session,
    case: Case,
    *,
    who: Who,
    to: uuid.UUID,
    at: datetime,
    words: str,
    seen: int | None = None,
) -> CaseStep:
    """To another unit; state, used time and pauses stay."""
    unit = opening.running_unit(session, to)
    if unit.id == case.unit_id:
        raise bad("单位 unit", "已在该单位", "has it already")
    step = move(
        session, case, "transfer", who=who, at=at, words=words, seen=seen, data={"unit": unit.name}
    )
    case.unit_id, case.holder_id = unit.id, None
    telling.unit(session, case, step, at=at)
    return step


def ask_time(
    session: Session,
    case: Case,
    *,
    who: Who,
    amount: int,
    at: datetime,
    words: str,
    seen: int | None = None,
) -> CaseStep:
    """More time on the case's own clock: once, and no more than the limit again."""
    if case.extra_amount:
        raise bad("延期 time", "只能延期一次", "time is given once")
    if not 0 < amount <= case.limit_amount:
        most = int(case.limit_amount)
        raise bad("延期 time", f"最多 {most}", f"at most {most}")
    step = move(
        session, case, "ask_time", who=who, at=at, words=words, seen=seen, data={"amount": amount}
    )
    case.asked_amount = amount
    telling.centre(session, case, step, at=at)
    return step


def grant_time(
    session: Session, case: Case, *, who: Who, at: datetime, seen: int | None = None
) -> CaseStep:
    step = move(
        session, case, "grant_time", who=who, at=at, seen=seen, data={"amount": case.asked_amount}
    )
    case.extra_amount, case.asked_amount = case.asked_amount or 0, None
    clocks.reckon(session, case, at=at)
    telling.unit(session, case, step, at=at)
    return step


def refuse_time(
    session: Session, case: Case, *, who: Who, at: datetime, words: str, seen: int | None = None
) -> CaseStep:
    step = move(session, case, "refuse_time", who=who, at=at, words=words, seen=seen)
    case.asked_amount = None
    telling.unit(session, case, step, at=at)
    return step


def defer(
    session: Session, case: Case, *, who: Who, at: datetime, words: str, seen: int | None = None
) -> CaseStep:
    came_from = case.state
    step = move(session, case, "defer", who=who, at=at, words=words, seen=seen, public=True)
    case.came_from = came_from
    clocks.pause(session, case, "deferred", because=words, at=at)
    clocks.reckon(session, case, at=at)
    return step


def resume(
    session: Session, case: Case, *, who: Who, at: datetime, seen: int | None = None
) -> CaseStep:
    step = move(session, case, "resume", who=who, at=at, seen=seen)
    case.came_from = None
    clocks.go_on(session, case, "deferred", at=at)
    clocks.reckon(session, case, at=at)
    return step


def ask(
    session: Session, case: Case, *, who: Who, at: datetime, words: str, seen: int | None = None
) -> CaseStep:
    """A question to the reporter; the time until the answer is citizen time."""
    step = move(session, case, "ask", who=who, at=at, words=words, seen=seen, public=True)
    case.contacted_at = case.contacted_at or at
    clocks.pause(session, case, "waiting", because="等待反映人答复", at=at)
    clocks.reckon(session, case, at=at)
    return step


def answered(session: Session, case: Case, *, who: Who, at: datetime) -> CaseStep:
    step = move(session, case, "answer", who=who, at=at)
    clocks.go_on(session, case, "waiting", at=at)
    clocks.reckon(session, case, at=at)
    telling.unit(session, case, step, at=at)
    return step


def split(
    session: Session,
    case: Case,
    *,
    who: Who,
    category: str,
    words: str,
    at: datetime,
    photo_ids: tuple[uuid.UUID, ...] = (),
    seen: int | None = None,
) -> Case:
    """A part of the matter becomes a case of its own below this one, and goes its way at once."""
    if category not in categories.known():
        raise bad("类别 category", "请选择", "choose one")
    count = session.scalar(
        select(func.count())
        .select_from(Case)
        .where(Case.subdistrict_id == case.subdistrict_id, Case.parent_id == case.id)
    )
    if case.parent_id or (count or 0) >= MOST_CHILDREN:
        raise TooManyChildren(most=MOST_CHILDREN)
    point = case.place
    spot = Spot(
        lon=point.x if point else None,
        lat=point.y if point else None,
        address=case.address,
        accuracy_m=case.accuracy_m,
        storefront_id=case.storefront_id,
        tenancy_id=case.tenancy_id,
        segment_id=case.segment_id,
        grid_id=case.grid_id,
    )
    child = report(
        session, category=category, words=words, spot=spot, source="staff", by=who.person, at=at
    )
    child.parent_id = case.id
    mine = select(CasePhoto.photo_id).where(
        CasePhoto.subdistrict_id == case.subdistrict_id,
        CasePhoto.case_id == case.id,
        CasePhoto.photo_id.in_(photo_ids),
    )
    add_photos(session, child, tuple(session.scalars(mine)), part=who.part, at=at)
    move(
        session, case, "split", who=who, at=at, words=words, seen=seen, data={"child": child.number}
    )
    session.flush()
    opening.open_case(session, child, who=SYSTEM, at=at)
    return child


def whistle(
    session: Session,
    case: Case,
    *,
    who: Who,
    to: list[uuid.UUID],
    at: datetime,
    words: str,
    seen: int | None = None,
) -> CaseStep:
    """吹哨: units are called to the place together. They see the case from now on."""
    called = [opening.running_unit(session, unit_id) for unit_id in dict.fromkeys(to)]
    if not called:
        raise bad("单位 unit", "请选择", "choose one or more")
    step = move(
        session,
        case,
        "whistle",
        who=who,
        at=at,
        words=words,
        seen=seen,
        data={"units": [unit.name for unit in called]},
    )
    known = opening.helpers_of(session, case)
    for unit in called:
        if unit.id not in known and unit.id != case.unit_id:
            session.add(
                CaseHelper(
                    subdistrict_id=case.subdistrict_id,
                    id=new_id(),
                    case_id=case.id,
                    unit_id=unit.id,
                    called_at=at,
                )
            )
    telling.unit(session, case, step, at=at)
    return step


def remind(session: Session, case: Case, *, who: Who, at: datetime) -> CaseStep:
    if found := _said_just_now(session, case, "remind", who=who, at=at):
        return found
    step = move(session, case, "remind", who=who, at=at)
    if case.state == "notified_merchant":
        telling.merchant(session, case, step, at=at)
    else:
        telling.unit(session, case, step, at=at)
    return step


def recategorise(
    session: Session,
    case: Case,
    *,
    who: Who,
    category: str,
    at: datetime,
    words: str,
    seen: int | None = None,
) -> CaseStep:
    """A new limit from the time of receipt; used time and pauses count on.

    Routing runs again only while nobody has accepted it.
    """
    if category not in categories.known() or category == case.category:
        raise bad("类别 category", "请选择另一类别", "choose another one")
    kind = categories.find(category)
    step = move(
        session,
        case,
        "recategorise",
        who=who,
        at=at,
        words=words,
        seen=seen,
        data={"from": case.category, "to": category},
    )
    case.category = category
    case.danger = kind.danger or bool(categories.danger_words(case.words))
    case.limit_amount, case.limit_clock = kind.limit.amount, kind.limit.clock
    case.limit_version, case.extra_amount = categories.version(), 0
    clocks.reckon(session, case, at=at)
    route_again(session, case, who=who, at=at)
    return step


def route_again(session: Session, case: Case, *, who: Who, at: datetime) -> None:
    """Class or place changed: the rules choose the unit anew, while nobody has accepted it."""
    if case.state == "assigned" and case.holder_id is None:
        route = opening.route_of(session, case)
        if route.unit and route.unit.id != case.unit_id:
            transfer(session, case, who=who, to=route.unit.id, at=at, words=route.zh)
            case.routed_by = route.rule


def contact(session: Session, case: Case, *, who: Who, at: datetime, words: str) -> CaseStep:
    """A person's words to the reporter; on the receipt page where there is no contact."""
    if found := _said_just_now(session, case, "contact", who=who, at=at, words=words):
        return found
    step = move(session, case, "contact", who=who, at=at, words=words, public=True)
    case.contacted_at = case.contacted_at or at
    return step


def note(session: Session, case: Case, *, who: Who, at: datetime, words: str) -> CaseStep:
    """Kept inside. Also from an old page: it puts nothing back."""
    if found := _said_just_now(session, case, "note", who=who, at=at, words=words):
        return found
    return move(session, case, "note", who=who, at=at, words=words)


def _said_just_now(
    session: Session,
    case: Case,
    verb: str,
    *,
    who: Who,
    at: datetime,
    words: str | None = None,
) -> CaseStep | None:
    """The same by the same person as the last step: one form that was sent twice."""
    same = select(CaseStep).where(
        CaseStep.subdistrict_id == case.subdistrict_id,
        CaseStep.case_id == case.id,
        CaseStep.seq == case.steps,
        CaseStep.verb == verb,
        CaseStep.by == who.person,
        CaseStep.words.is_not_distinct_from(words),
        CaseStep.at > at - AT_ONCE,
    )
    return session.scalar(same)


def reject(
    session: Session, case: Case, *, who: Who, at: datetime, words: str, seen: int | None = None
) -> CaseStep:
    step = move(session, case, "reject", who=who, at=at, words=words, public=True, seen=seen)
    case.contacted_at = case.contacted_at or at
    clocks.pause(session, case, "ended", because="不予受理", at=at)
    clocks.reckon(session, case, at=at)
    return step


def give_back_unanswered(session: Session, case_id: uuid.UUID, *, at: datetime) -> bool:
    """The question stayed without an answer: the unit goes on with what there is."""
    case = locked(session, case_id)
    if not facts_of(session, case).waiting or case.state in moves.ENDED:
        return False
    answered(session, case, who=SYSTEM, at=at)
    return True
