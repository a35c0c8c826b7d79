"""Who is told of a step. The message belongs to the step; sending it is a job of its own.

Packages below send: they are asked through `senders`, which wiring fills. Without a sender the
step is on the page of whoever it concerns, and nothing else happens.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from roadchief.accounts.access import CHIEFS
from roadchief.accounts.models import Post
from roadchief.issues.models import Case, CaseStep
from roadchief.issues.voices import Receipt
from roadchief.streets import shopkeepers


@dataclass(frozen=True)
class Reader:
    """A citizen who is written to: the receipt that asked for it, and the case that it is of."""

    address: str
    language: str
    receipt_id: uuid.UUID
    case_id: uuid.UUID
    number: str
    asked: bool = True  # whether it is solved; who typed it for somebody else is not


# (session, kind, case, step, people, readers): what is told to whom, in the same transaction.
Sender = Callable[[Session, str, Case, CaseStep, list[uuid.UUID], list[Reader], datetime], None]
senders: list[Sender] = []
# The steps that citizens are written to about. Opening a case is told by what follows at once:
# the merchant is told, or a unit has it.
MAILED = frozenset(
    {
        "notify",
        "dispatch",
        "accept",
        "defer",
        "ask",
        "contact",
        "close",
        "reopen",
        "reject",
        "duplicate",
        "unmerge",
    }
)


def step_taken(session: Session, case: Case, step: CaseStep, *, at: datetime) -> None:
    """Called where steps are written, for each of them; so that no verb forgets the citizen."""
    if step.verb in MAILED:
        citizens(session, case, step, at=at)


def merchant(session: Session, case: Case, step: CaseStep, *, at: datetime) -> None:
    if case.storefront_id:
        people = shopkeepers.keepers_of(session, case.storefront_id)
        _send(session, "merchant", case, step, people, [], at)


def let_go(session: Session, case: Case, step: CaseStep, *, at: datetime) -> None:
    """The case goes on elsewhere: said while it still names the former place, and not where to."""
    if case.storefront_id:
        people = shopkeepers.keepers_of(session, case.storefront_id)
        _send(session, "merchant_let_go", case, step, people, [], at)


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
    """Reporter and followers whose contact is proven, also of copies: one message each."""
    rows = session.execute(
        select(
            Receipt.contact,
            Receipt.language,
            Receipt.id,
            Case.id,
            Case.number,
            Receipt.typist_id.is_(None),
        )
        .join(
            Case,
            (Case.subdistrict_id == Receipt.subdistrict_id) & (Case.id == Receipt.case_id),
        )
        .where(Case.subdistrict_id == case.subdistrict_id)
        .where(or_(Case.id == case.id, Case.master_id == case.id))
        .where(Receipt.contact_proven_at.is_not(None), Receipt.mail_stopped_at.is_(None))
        .where(Receipt.masked_at.is_(None), Receipt.hidden_at.is_(None))
        .order_by(Receipt.made_at, Receipt.id)
    )
    readers: dict[str, Reader] = {}
    for row in rows:
        contact, language, receipt_id, case_id, number, own = row
        if contact:
            asked = own and case_id == case.id
            reader = Reader(contact, language, receipt_id, case_id, number, asked)
            readers.setdefault(contact.lower(), reader)
    if readers:
        _send(session, "citizen", case, step, [], list(readers.values()), at)


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
    readers: list[Reader],
    at: datetime,
) -> None:
    for sender in senders:
        sender(session, kind, case, step, list(dict.fromkeys(people)), readers, at)
