"""The way of a case through the house: accepted, done, checked, closed, reopened.

Each verb takes a locked case. What it sets off is written in the same transaction.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.issues import categories, clocks, moves, publishing, telling
from roadchief.issues.cases import SYSTEM, Who, add_photos, add_step, facts_of, locked, move
from roadchief.issues.models import Case, CasePhoto, CaseStep
from roadchief.issues.opening import dispatch, end_merchants_time, route_of
from roadchief.issues.refusals import bad


def accept(
    session: Session, case: Case, *, who: Who, at: datetime, seen: int | None = None
) -> CaseStep:
    step = move(session, case, "accept", who=who, at=at, seen=seen)
    case.holder_id = who.person
    return step


def take_over(
    session: Session, case: Case, *, who: Who, at: datetime, seen: int | None = None
) -> CaseStep:
    """The person in hand changes; the step keeps from whom."""
    data = {"before": str(case.holder_id)} if case.holder_id else {}
    step = move(session, case, "take_over", who=who, at=at, seen=seen, data=data)
    case.holder_id = who.person
    return step


def submit(
    session: Session,
    case: Case,
    *,
    who: Who,
    at: datetime,
    words: str,
    photo_ids: tuple[uuid.UUID, ...],
    inspection_code: str | None = None,
    seen: int | None = None,
) -> CaseStep:
    """The unit says it is done, with a photo; the clock stands until somebody has looked."""
    kind = categories.find(case.category)
    if kind.needs_photo and not photo_ids:
        raise bad("照片 photo", "请拍摄处置后的现场", "a photo of the finished work is needed")
    if kind.needs_code and not inspection_code:
        raise bad("检查码 code", "此类只能凭检查码检查", "this class needs an inspection code")
    data: dict[str, Any] = {"inspection_code": inspection_code} if inspection_code else {}
    step = move(
        session, case, "submit", who=who, at=at, words=words, public=True, seen=seen, data=data
    )
    case.contacted_at = case.contacted_at or at
    _handed_in(session, case, photo_ids, part=who.part, at=at)
    telling.checker(session, case, step, at=at)
    return step


def fix(
    session: Session,
    case: Case,
    *,
    who: Who,
    at: datetime,
    photo_ids: tuple[uuid.UUID, ...],
    words: str | None = None,
    seen: int | None = None,
) -> CaseStep:
    """The merchant put it right, and shows it."""
    if not photo_ids:
        raise bad("照片 photo", "请拍一张整改后的照片", "send a photo of the place put right")
    in_time = case.merchant_due_at is None or at <= case.merchant_due_at
    step = move(
        session, case, "fix", who=who, at=at, words=words, seen=seen, data={"in_time": in_time}
    )
    clocks.go_on(session, case, "merchant", at=at)
    _handed_in(session, case, photo_ids, part=who.part, at=at)
    telling.checker(session, case, step, at=at)
    return step


def object_to(
    session: Session,
    case: Case,
    *,
    who: Who,
    at: datetime,
    words: str,
    seen: int | None = None,
) -> CaseStep:
    """The merchant says it is not so, or not theirs: a person of the centre decides."""
    step = move(session, case, "object", who=who, at=at, words=words, seen=seen)
    end_merchants_time(session, case, at=at)
    clocks.reckon(session, case, at=at)
    telling.centre(session, case, step, at=at)
    return step


def close(
    session: Session,
    case: Case,
    *,
    who: Who,
    at: datetime,
    kind: str,
    words: str,
    photo_ids: tuple[uuid.UUID, ...] = (),
    seen: int | None = None,
) -> CaseStep:
    """Closed with a kind and words. "Fixed" needs a photo of whoever fixed or checked it."""
    if kind not in moves.CLOSINGS or kind == "withdrawn":
        raise bad("结案方式 kind", "请选择", "choose one")
    add_photos(session, case, photo_ids, part=who.part, at=at)
    session.flush()
    category = categories.find(case.category)
    if kind in moves.SOLVED and category.needs_photo and not _has_proof(session, case):
        raise bad("照片 photo", "“已处置”需有现场照片", "“fixed” needs a photo of the place")
    step = move(
        session,
        case,
        "close",
        who=who,
        at=at,
        words=words,
        public=True,
        seen=seen,
        data={"kind": kind, "closing": case.closings + 1},
    )
    case.contacted_at = case.contacted_at or at
    _end(session, case, kind, at=at)
    close_parent(session, case, at=at)
    return step


def send_back(
    session: Session,
    case: Case,
    *,
    who: Who,
    at: datetime,
    words: str,
    photo_ids: tuple[uuid.UUID, ...] = (),
    seen: int | None = None,
) -> CaseStep:
    """Looked at on site, and not right: the clock goes on from where it stood."""
    step = move(session, case, "send_back", who=who, at=at, words=words, seen=seen)
    add_photos(session, case, photo_ids, part=who.part, at=at)
    clocks.go_on(session, case, "checking", at=at)
    clocks.reckon(session, case, at=at)
    _without_unit_on(session, case, at=at)
    telling.unit(session, case, step, at=at)
    return step


def reopen(
    session: Session,
    case: Case,
    *,
    who: Who,
    at: datetime,
    words: str,
    photo_ids: tuple[uuid.UUID, ...] = (),
    seen: int | None = None,
) -> CaseStep:
    """Open again, with the unit's clock where it stood; the citizen's never stopped."""
    step = move(session, case, "reopen", who=who, at=at, words=words, seen=seen)
    case.reopened += 1
    case.closing_kind = case.on_time = None
    add_photos(session, case, photo_ids, part=who.part, at=at)
    for kind in ("ended", "checking"):
        clocks.go_on(session, case, kind, at=at)
    clocks.reckon(session, case, at=at)
    events.record(session, "issues.reopened", subject=case, by=who.person, at=at)
    if case.parent_id:
        parent = locked(session, case.parent_id)
        if parent.state == "closed":
            reopen(session, parent, who=SYSTEM_CHIEF, at=at, words=f"子案件 {case.number} 重新打开")
    _without_unit_on(session, case, at=at)
    telling.unit(session, case, step, at=at)
    return step


# The machine closes and reopens parents with the power of whoever closed or reopened the child.
SYSTEM_CHIEF = Who(moves.CENTRE)


def close_parent(session: Session, case: Case, *, at: datetime) -> None:
    """A parent closes by itself when its last child has."""
    if case.parent_id is None:
        return
    session.flush()
    parent = locked(session, case.parent_id)
    if parent.state in moves.ENDED or facts_of(session, parent).open_children:
        return
    before, parent.state, parent.ended_at, parent.updated_at = parent.state, "closed", at, at
    parent.version += 1
    words = "全部子案件已结案"
    add_step(session, parent, "close", before, SYSTEM, at=at, words=words, public=True)
    _end(session, parent, case.closing_kind or "fixed_by_unit", at=at)


def withdraw(session: Session, case: Case, *, who: Who, at: datetime) -> CaseStep:
    step = move(session, case, "withdraw", who=who, at=at, data={"kind": "withdrawn"})
    _end(session, case, "withdrawn", at=at)
    return step


def _end(session: Session, case: Case, kind: str, *, at: datetime) -> None:
    plan = clocks.reckon(session, case, at=at)
    case.closings += 1
    case.closing_kind = kind
    # The clock stood since the work was handed in, so this asks about that moment.
    case.on_time = at <= plan.due
    case.merchant_due_at = None
    case.asked_amount = None
    for paused in ("merchant", "waiting"):
        clocks.go_on(session, case, paused, at=at)
    clocks.pause(session, case, "ended", because=moves.CLOSINGS[kind][0], at=at)
    clocks.reckon(session, case, at=at)
    events.record(session, "issues.closed", subject=case, by=None, at=at, kind=kind)


def _handed_in(
    session: Session, case: Case, photo_ids: tuple[uuid.UUID, ...], *, part: str, at: datetime
) -> None:
    add_photos(session, case, photo_ids, part=part, at=at)
    clocks.pause(session, case, "checking", because="待核查", at=at)
    clocks.reckon(session, case, at=at)


def _without_unit_on(session: Session, case: Case, *, at: datetime) -> None:
    """A case that no running unit holds is sent on anew; it does not wait unseen."""
    if case.unit_id is None:
        route = route_of(session, case)
        if route.unit:
            dispatch(session, case, who=SYSTEM, to=route.unit.id, at=at, words=route.zh)


def _has_proof(session: Session, case: Case) -> bool:
    wanted = select(CasePhoto.id).where(
        CasePhoto.subdistrict_id == case.subdistrict_id,
        CasePhoto.case_id == case.id,
        CasePhoto.part.in_(publishing.PROOF),
    )
    return session.scalar(wanted.limit(1)) is not None
