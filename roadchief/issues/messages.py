"""The messages of steps: words fixed when the step is written, one row a receiver."""

import uuid
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from roadchief.accounts import notices
from roadchief.issues import categories, telling
from roadchief.issues.models import Case, CaseStep
from roadchief.issues.moves import BY_VERB
from roadchief.issues.story import TOLD
from roadchief.lib import clock

notices.declare(Path(__file__).with_name("notices.toml"))
PATHS = {"merchant": "/merchant/", "citizen": "/follow/"}


def send(
    session: Session,
    kind: str,
    case: Case,
    step: CaseStep,
    people: list[uuid.UUID],
    contacts: list[str],
    at: datetime,
) -> None:
    """Each receiver once for each step; a held case rings nobody."""
    if case.held:
        return
    words = _words(kind, case, step)
    session.flush()
    if people:
        notices.tell_many(
            session,
            people,
            kind=f"issues.{kind}",
            subject_id=case.id,
            words=words,
            at=at,
            once=step.id,
        )
    for contact in contacts:
        notices.tell(
            session,
            to=None,
            address=contact,
            kind=f"issues.{kind}",
            subject_id=case.id,
            words=words,
            at=at,
            once=step.id,
        )


def _words(kind: str, case: Case, step: CaseStep) -> dict[str, str]:
    category = categories.find(case.category)
    move = BY_VERB.get(step.verb)
    zh, en = TOLD.get(step.verb, (move.zh, move.en) if move else ("有新进展", "news"))
    due = case.merchant_due_at if kind == "merchant" else case.due_at
    return {
        "number": case.number,
        # One text serves both languages, so both are said.
        "category": f"{category.zh} {category.en}",
        "place": case.address,
        "step": f"{zh} {en}",
        "due": f"{clock.local(due):%m-%d %H:%M}" if due else "—",
        "path": PATHS.get(kind, f"/desk/cases/{case.id}"),
    }


def wire() -> None:
    """Called by whoever starts: pages and the worker."""
    if send not in telling.senders:
        telling.senders.append(send)
