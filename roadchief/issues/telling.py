"""Who is told of a step. The message belongs to the step; sending it is a job of its own.

Packages below send: they are asked through `senders`, which wiring fills. Without a sender the
step is on the page of whoever it concerns, and nothing else happens.
"""

import uuid
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from roadchief.accounts.access import CHIEFS
from roadchief.accounts.models import Post
from roadchief.issues.models import Case, CaseStep
from roadchief.issues.voices import Receipt
from roadchief.streets import shopkeepers

# (session, kind, case, step, people, contacts): what is told to whom, in the same transaction.
Sender = Callable[[Session, str, Case, CaseStep, list[uuid.UUID], list[str], datetime], None]
senders: list[Sender] = []


def merchant(session: Session, case: Case, step: CaseStep, *, at: datetime) -> None:
    if case.storefront_id:
        people = shopkeepers.keepers_of(session, case.storefront_id)
        _send(session, "merchant", case, step, people, [], at)


def unit(session: Session, case: Case, step: CaseStep, *, at: datetime) -> None:
    """Everybody who holds a post in the unit that has the case."""
    if case.unit_id is None:
        centre(session, case, step, at=at)
        return
    rows = _holders(session, at).where(Post.organisation_id == case.unit_id)
    _send(session, "unit", case, step, [*session.scalars(rows)], [], at)


def centre(session: Session, case: Case, step: CaseStep, *, at: datetime) -> None:
    rows = _holders(session, at).where(Post.role == "operator")
    _send(session, "centre", case, step, [*session.scalars(rows)], [], at)


def checker(session: Session, case: Case, step: CaseStep, *, at: datetime) -> None:
    """Whoever may check: the centre; the chiefs see it on their page."""
    centre(session, case, step, at=at)


def chief_of_all(session: Session, case: Case, step: CaseStep, *, at: datetime) -> None:
    """Twice overdue: the highest chief there is."""
    rows = _holders(session, at).where(Post.role.in_(CHIEFS)).order_by(Post.level)
    people = list(session.scalars(rows))
    _send(session, "chief", case, step, people[:1], [], at)


def citizens(session: Session, case: Case, step: CaseStep, *, at: datetime) -> None:
    """Reporter and followers whose contact is proven: one message each."""
    rows = session.scalars(
        select(Receipt.contact)
        .where(Receipt.subdistrict_id == case.subdistrict_id, Receipt.case_id == case.id)
        .where(Receipt.contact.is_not(None), Receipt.contact_proven_at.is_not(None))
        .where(Receipt.masked_at.is_(None), Receipt.hidden_at.is_(None))
        .distinct()
    )
    _send(session, "citizen", case, step, [], [row for row in rows if row], at)


def _holders(session: Session, at: datetime) -> Select[uuid.UUID]:
    return (
        select(Post.person_id)
        .where(Post.subdistrict_id == session.info["subdistrict_id"], Post.starts_at <= at)
        .where((Post.ends_at.is_(None)) | (Post.ends_at > at))
    )


def _send(
    session: Session,
    kind: str,
    case: Case,
    step: CaseStep,
    people: list[uuid.UUID],
    contacts: list[str],
    at: datetime,
) -> None:
    for sender in senders:
        sender(session, kind, case, step, list(dict.fromkeys(people)), contacts, at)
