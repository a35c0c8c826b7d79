"""Open311's `servicerequestupdates`: what happened to public cases, told and taken.

The extension is FixMyStreet's, which is what runs in the field: `service_request_updates` with
`request_update`, in order of time. What another system adds to a case that it filed is kept as a
voice (it may be a citizen's words), once for each `update_id`.
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.issues import cases, categories, handling, moves, story
from roadchief.issues.citizens import feedback
from roadchief.issues.models import Case, CaseStep
from roadchief.issues.open311 import georeport
from roadchief.issues.open311.georeport import BadRequest, Question
from roadchief.issues.refusals import NoSuchCase
from roadchief.issues.voices import Voice

SPACE = uuid.UUID("6f0c6b7e-0311-4e11-9311-000000000312")
# Our states in the words of the extension.
STATUS = {
    "reported": "open",
    "verifying": "investigating",
    "open": "open",
    "notified_merchant": "action_scheduled",
    "assigned": "action_scheduled",
    "in_progress": "in_progress",
    "submitted": "in_progress",
    "checking": "in_progress",
    "deferred": "action_scheduled",
    "reopened": "open",
    "rejected": "no_further_action",
    "duplicate": "duplicate",
    "closed": "closed",
}
CLOSED_AS = {
    "fixed_by_merchant": "fixed",
    "fixed_by_unit": "fixed",
    "not_found": "no_further_action",
    "no_action": "no_further_action",
    "not_ours": "not_councils_responsibility",
    "withdrawn": "closed",
}
AGAIN = {"OPEN", "REOPEN"}
TAKEN = frozenset(value.upper() for value in (*STATUS.values(), *CLOSED_AS.values())) | AGAIN


def told(session: Session, given: Question, *, language: str) -> list[dict[str, Any]]:
    """Steps that the public is told, the oldest first; only of public cases."""
    query = (
        select(CaseStep, Case.number)
        .join(
            Case,
            (Case.subdistrict_id == CaseStep.subdistrict_id) & (Case.id == CaseStep.case_id),
        )
        .where(CaseStep.subdistrict_id == tenant_of(session), CaseStep.verb.in_(story.TOLD))
        .where(Case.category.in_(categories.public_codes()), Case.state != "rejected")
        .where(Case.held.is_(False))
    )
    if given.ids:
        query = query.where(Case.number.in_(given.ids))
    if given.since:
        query = query.where(CaseStep.at >= given.since)
    if given.until:
        query = query.where(CaseStep.at <= given.until)
    rows = session.execute(
        query.order_by(CaseStep.at, CaseStep.case_id, CaseStep.seq)
        .limit(given.size)
        .offset((given.page - 1) * given.size)
    )
    return [_update(step, number, language) for step, number in rows]


def _update(step: CaseStep, number: str, language: str) -> dict[str, Any]:
    status = STATUS.get(step.after, "open")
    if step.verb in ("close", "withdraw"):
        status = CLOSED_AS.get(str(step.data.get("kind", "")), "closed")
    words = (step.words or "") if step.public else ""
    return {
        "update_id": str(step.id),
        "service_request_id": number,
        "status": status,
        "updated_datetime": georeport.told(step.at),
        "description": words or story.TOLD[step.verb][0 if language == "zh" else 1],
        "media_url": None,
    }


def take(
    session: Session,
    *,
    sender: str,
    number: str,
    update_id: str,
    status: str,
    happened_at: datetime,
    words: str,
    keep: Callable[[Session], tuple[uuid.UUID, ...]],
    at: datetime,
) -> str:
    """What the sender adds to a case that it filed. Told twice is taken once.

    "Open" said after the closing opens the case again; anything older moves nothing, and what
    the sender calls closed is for our people to see and check. Photos are kept by `keep`, after
    it is known that this is no repeat.
    """
    if status and status not in TAKEN:
        raise BadRequest(f"status: one of {', '.join(sorted(TAKEN))}")
    case = _own(session, sender, number)
    voice_id = uuid.uuid5(SPACE, f"{case.id} {sender} {update_id}")
    if session.get(Voice, (case.subdistrict_id, voice_id)):
        return update_id
    session.add(
        Voice(
            subdistrict_id=case.subdistrict_id,
            id=voice_id,
            case_id=case.id,
            receipt_id=None,
            person_id=None,
            kind="more",
            words=words,
            at=at,
        )
    )
    cases.add_photos(session, case, keep(session), part=moves.CITIZEN, at=at)
    case.updated_at = at
    ended = case.ended_at
    if case.state == "closed" and ended and status in AGAIN and ended < happened_at <= at:
        if at - ended > timedelta(days=feedback.REOPEN_DAYS):
            raise feedback.TooLateToReopen(days=feedback.REOPEN_DAYS)
        handling.reopen(
            session, case, who=feedback.CITIZEN, at=at, words=f"{sender}：反映人表示未解决"
        )
    return update_id


def _own(session: Session, sender: str, number: str) -> Case:
    """Locked. What others filed is not there for this sender."""
    case = session.scalar(
        select(Case).where(
            Case.subdistrict_id == tenant_of(session),
            Case.number == number[:20],
            Case.source == "open311",
        )
    )
    if case is None or case.source_ref != f"{sender}:{case.id}":
        raise NoSuchCase
    return cases.locked(session, case.id)
