"""Which account of an identity provider is which person of ours. Verbs: the caller commits.

The first sign-in links the provider's subject to a person who is there already, found by a claim;
from then on the subject alone counts, so that an address given to somebody else later opens
nothing. A person has one subject at a provider; an administrator takes the link away.
"""

import uuid
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.accounts.models import Person, SignInLink
from roadchief.db import savepoint
from roadchief.errors import Conflict

events.declare(
    {
        "accounts.linked": "a person's first sign-in by the identity provider",
        "accounts.unlinked": "an administrator took the link to the identity provider away",
    }
)


class LinkedToAnother(Conflict):
    zh = "此人员已与另一个统一身份账号绑定，请联系管理员解除后再登录"
    en = "this person is linked to another account of the provider: an administrator unlinks it"


def find(session: Session, issuer: str, subject: str) -> tuple[int, uuid.UUID] | None:
    """Sub-district and person of a subject, before anybody is signed in."""
    row = session.get(SignInLink, (issuer, subject))
    return (row.subdistrict_id, row.person_id) if row else None


def link(session: Session, person: Person, *, issuer: str, subject: str, at: datetime) -> None:
    """Two subjects for one person at once: the unique key lets one through."""
    try:
        with savepoint(session):
            session.add(
                SignInLink(
                    issuer=issuer,
                    subject=subject,
                    subdistrict_id=person.subdistrict_id,
                    person_id=person.id,
                    linked_at=at,
                )
            )
            session.flush()
    except IntegrityError as error:
        raise LinkedToAnother from error
    events.record(session, "accounts.linked", subject=person, by=person.id, at=at, issuer=issuer)


def unlink(session: Session, person: Person, *, by: uuid.UUID | None, at: datetime) -> int:
    """The next sign-in by the provider links anew."""
    gone = session.execute(
        delete(SignInLink)
        .where(SignInLink.subdistrict_id == person.subdistrict_id)
        .where(SignInLink.person_id == person.id)
    )
    count = int(gone.rowcount)  # type: ignore[attr-defined]
    if count:
        events.record(session, "accounts.unlinked", subject=person, by=by, at=at)
    return count


def of_person(session: Session, person: Person) -> list[SignInLink]:
    return list(
        session.scalars(
            select(SignInLink)
            .where(SignInLink.subdistrict_id == person.subdistrict_id)
            .where(SignInLink.person_id == person.id)
            .order_by(SignInLink.linked_at)
        )
    )
