"""Telling people: one row and one job in the transaction of whatever happened.

A notice is told once to each recipient: (kind, once, recipient) is unique, so replays, retries
and two at once tell nobody twice. People read notices on their page; `deliveries` takes them to
mail and hook, after the commit.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from roadchief import jobs
from roadchief.accounts import wording
from roadchief.accounts.notice_models import Delivery, Notice
from roadchief.accounts.wording import Told, Wording
from roadchief.db import new_id, tenant_of
from roadchief.errors import NotFound

KINDS: dict[str, Wording] = {}
MOST_AT_ONCE = 20  # notices a job: a slow server must not hold up the others


def declare(path: Path) -> None:
    """Make a package's kinds known: once, beside its verbs."""
    KINDS.update(wording.load(path))


def tell(
    session: Session,
    *,
    to: uuid.UUID | None,
    address: str | None,
    kind: str,
    subject_id: uuid.UUID,
    words: dict[str, str],
    at: datetime,
    once: uuid.UUID | None = None,
) -> Notice | None:
    """Tell one person, or whoever has this address. None where that was done already."""
    if (to is None) == (not address):
        raise ValueError("a notice is for a person or for an address")
    recipient = str(to or address)
    made = _enter(
        session,
        [{"to": to, "address": address, "recipient": recipient}],
        kind=kind,
        subject_id=subject_id,
        words=words,
        at=at,
        once=once,
    )
    return session.get_one(Notice, (tenant_of(session), made[0])) if made else None


def tell_many(
    session: Session,
    people: Iterable[uuid.UUID],
    *,
    kind: str,
    subject_id: uuid.UUID,
    words: dict[str, str],
    at: datetime,
    once: uuid.UUID | None = None,
) -> int:
    """Tell several people in one statement; how many had not been told."""
    rows = [
        {"to": person, "address": None, "recipient": str(person)}
        for person in sorted(set(people))  # in one order, so that two at once do not lock
    ]
    told = _enter(session, rows, kind=kind, subject_id=subject_id, words=words, at=at, once=once)
    return len(told)


def _enter(
    session: Session,
    rows: list[dict[str, uuid.UUID | str | None]],
    *,
    kind: str,
    subject_id: uuid.UUID,
    words: dict[str, str],
    at: datetime,
    once: uuid.UUID | None,
) -> list[uuid.UUID]:
    if kind not in KINDS:
        raise LookupError(f"notice {kind} is not declared")
    if not rows:
        return []
    tenant = tenant_of(session)
    common = {
        "subdistrict_id": tenant,
        "kind": kind,
        "subject_id": subject_id,
        "once": once or subject_id,
        "words": wording.sound(words),
        "at": at,
    }
    made = list(
        session.scalars(
            insert(Notice)
            .values([common | row | {"id": new_id()} for row in rows])
            .on_conflict_do_nothing(index_elements=["subdistrict_id", "kind", "once", "recipient"])
            .returning(Notice.id)
        )
    )
    ids = [str(one) for one in made]
    for start in range(0, len(ids), MOST_AT_ONCE):
        batch = ids[start : start + MOST_AT_ONCE]
        jobs.later(session, "notices.deliver", subdistrict_id=tenant, notice_ids=batch)
    return made


def unread(session: Session, person_id: uuid.UUID) -> int:
    count = session.scalar(
        select(func.count())
        .select_from(Notice)
        .where(
            Notice.subdistrict_id == tenant_of(session),
            Notice.to == person_id,
            Notice.read_at.is_(None),
        )
    )
    return int(count or 0)


def page(
    session: Session, person_id: uuid.UUID, *, number: int, size: int
) -> tuple[list[Notice], int]:
    """A person's notices, newest first, and how many there are."""
    mine = (Notice.subdistrict_id == tenant_of(session)) & (Notice.to == person_id)
    rows = session.scalars(
        select(Notice)
        .where(mine)
        .order_by(Notice.at.desc(), Notice.id.desc())
        .limit(size)
        .offset((number - 1) * size)
    )
    total = session.scalar(select(func.count()).select_from(Notice).where(mine))
    return list(rows), int(total or 0)


def read(session: Session, notice_id: uuid.UUID, person_id: uuid.UUID, *, at: datetime) -> Notice:
    """The person opens a notice of their own; anybody else's is not found."""
    row = session.scalar(
        select(Notice).where(
            Notice.subdistrict_id == tenant_of(session),
            Notice.id == notice_id,
            Notice.to == person_id,
        )
    )
    if row is None:
        raise NotFound
    row.read_at = row.read_at or at
    return row


def read_all(session: Session, person_id: uuid.UUID, *, at: datetime) -> None:
    """All that there are at this moment; what comes meanwhile stays unread."""
    session.execute(
        update(Notice)
        .where(
            Notice.subdistrict_id == tenant_of(session),
            Notice.to == person_id,
            Notice.read_at.is_(None),
            Notice.at <= at,
        )
        .values(read_at=at)
    )


def forget(
    session: Session, address: str | None, *, at: datetime, subject_id: uuid.UUID | None = None
) -> None:
    """Erase an address from all that was told, or from what was told of one subject.

    Without an address: every citizen's of that subject. That it was told stays; what was still
    on its way is not sent.
    """
    if address is None and subject_id is None:
        raise ValueError("an address, a subject or both")
    mine = (Notice.subdistrict_id == tenant_of(session)) & Notice.address.is_not(None)
    if address is not None:
        mine &= Notice.address == address
    if subject_id is not None:
        mine &= (Notice.subject_id == subject_id) & Notice.to.is_(None)
    gone = session.scalars(
        update(Notice)
        .where(mine)
        .values(address=None, recipient=func.concat("forgotten:", Notice.id), read_at=at)
        .returning(Notice.id)
    ).all()
    if gone:
        session.execute(
            update(Delivery)
            .where(Delivery.subdistrict_id == tenant_of(session), Delivery.notice_id.in_(gone))
            .where(Delivery.state == "waiting")
            .values(state="given_up", trouble="forgotten")
        )


def said(notice: Notice, language: str) -> Told:
    """How it reads. A kind that no package declares any more still says what it was."""
    known = KINDS.get(notice.kind)
    if known is None:
        return Told(notice.kind, "", notice.words.get("path"))
    return wording.say(known, notice.words, language)
