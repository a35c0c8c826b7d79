"""The citizen's side: receipt and PIN, following, answering, rating, reopening, withdrawing."""

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, make_transient_to_detached

from roadchief.accounts import notices
from roadchief.config import Settings
from roadchief.db import new_id, savepoint, tenant_of
from roadchief.errors import RuleBroken
from roadchief.issues import adjusting, cases, handling, moves
from roadchief.issues.cases import Who
from roadchief.issues.mail import subscribing
from roadchief.issues.models import Case
from roadchief.issues.refusals import AlreadyRated, WrongPin
from roadchief.issues.voices import Rating, Receipt, ReceiptDirectory, Voice

# Crockford: no I, L, O, U to mistake; 10 of them are 50 bits, nobody counts through them.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH, PIN_DIGITS = 10, 6
SENT_AGAIN = timedelta(minutes=10)
REOPEN_DAYS = 15  # [D] later, a new case is linked to the old one
CITIZEN = Who(moves.CITIZEN)


class TooLateToReopen(RuleBroken):
    zh = "结案已超过 {days} 天，请重新反映，我们会关联原案件"
    en = "closed more than {days} days ago: please report again, it will be linked"


@dataclass(frozen=True)
class Handed:
    """What a citizen takes home: told once, kept by us as hashes."""

    receipt: Receipt
    pin: str
    link: str


def hand_receipt(
    session: Session,
    case: Case,
    *,
    kind: str,
    at: datetime,
    settings: Settings,
    contact: str | None = None,
    typist: uuid.UUID | None = None,
    language: str = "zh",
    network: str | None = None,
) -> Handed:
    """A number, a PIN of six digits and a link of 128 bit, for a reporter or a follower.

    A mail address that was left is asked at once to prove itself; `network` is where it came from.
    """
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    pin = f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"
    link = secrets.token_urlsafe(16)
    receipt = Receipt(
        subdistrict_id=case.subdistrict_id,
        id=new_id(),
        case_id=case.id,
        code=code,
        kind=kind,
        pin_hash=_hash(settings, code, pin),
        link_hash=_hash(settings, code, link),
        contact=contact,
        contact_proven_at=None,
        language=language,
        mail_stopped_at=None,
        typist_id=typist,
        made_at=at,
        hidden_at=None,
        masked_at=None,
    )
    _write(session, receipt)
    if contact:
        subscribing.ask_proof(
            session, case, receipt, at=at, settings=settings, network=network, fresh=True
        )
    return Handed(receipt, pin, link)


def _write(session: Session, receipt: Receipt) -> None:
    """Receipt and directory in one statement: a citizen waits for each round trip."""
    values = {column.name: getattr(receipt, column.name) for column in Receipt.__table__.columns}
    listed = insert(ReceiptDirectory).values(
        code=receipt.code, subdistrict_id=receipt.subdistrict_id
    )
    session.flush()
    session.execute(insert(Receipt).values(values).add_cte(listed.cte("listed")))
    make_transient_to_detached(receipt)
    session.add(receipt)


def place_of(session: Session, code: str) -> int | None:
    """The sub-district of a receipt, or None. Asked in the same way for every text."""
    found = session.scalar(
        select(ReceiptDirectory.subdistrict_id).where(ReceiptDirectory.code == normal(code))
    )
    return int(found) if found else None


def normal(code: str) -> str:
    """As people type it: any case, with dashes and spaces, O for 0 and I or L for 1."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())[:40]
    return plain.translate(str.maketrans("OIL", "011"))


def spoken(code: str) -> str:
    return f"{code[:5]}-{code[5:]}"


def by_code(session: Session, code: str) -> Receipt:
    row = session.scalar(
        select(Receipt).where(
            Receipt.subdistrict_id == tenant_of(session), Receipt.code == normal(code)
        )
    )
    if row is None:
        raise WrongPin
    return row


def opened_by(receipt: Receipt | None, secret: str, *, settings: Settings) -> bool:
    """Is this the PIN or the link of the receipt? Takes the same time where there is none."""
    code = receipt.code if receipt else "0" * CODE_LENGTH
    given = _hash(settings, code, secret.strip()[:64])
    nothing = b"\0" * len(given)
    pin = hmac.compare_digest(given, receipt.pin_hash if receipt else nothing)
    link = hmac.compare_digest(given, receipt.link_hash if receipt else nothing)
    return pin or link


def follow(
    session: Session,
    case: Case,
    *,
    at: datetime,
    settings: Settings,
    words: str = "",
    worse: bool = False,
    photo_ids: tuple[uuid.UUID, ...] = (),
    contact: str | None = None,
    language: str = "zh",
    network: str | None = None,
) -> Handed:
    """Joins a report that is there: a follower with an own receipt, not a copy."""
    handed = hand_receipt(
        session,
        case,
        kind="follower",
        at=at,
        settings=settings,
        contact=contact,
        language=language,
        network=network,
    )
    case.followers += 1
    case.updated_at = at
    cases.add_step(session, case, "follow", case.state, CITIZEN, at=at, data={"worse": worse})
    cases.add_photos(session, case, photo_ids, part=moves.CITIZEN, at=at)
    if words or worse:
        say(session, case, "worse" if worse else "more", words, receipt=handed.receipt, at=at)
    return handed


def say(
    session: Session,
    case: Case,
    kind: str,
    words: str,
    *,
    at: datetime,
    receipt: Receipt | None = None,
    person: uuid.UUID | None = None,
) -> Voice:
    """Words that can be masked later; steps only tell that something was said."""
    voice = Voice(
        subdistrict_id=case.subdistrict_id,
        id=new_id(),
        case_id=case.id,
        receipt_id=receipt.id if receipt else None,
        person_id=person,
        kind=kind,
        words=words[: cases.MOST_WORDS],
        at=at,
    )
    session.add(voice)
    return voice


def add(session: Session, case: Case, receipt: Receipt, words: str, *, at: datetime) -> None:
    """More of the same. A form sent twice says it once; the caller holds the case."""
    same = select(Voice.id).where(
        Voice.subdistrict_id == case.subdistrict_id,
        Voice.case_id == case.id,
        Voice.receipt_id == receipt.id,
        Voice.words == words[: cases.MOST_WORDS],
        Voice.at > at - SENT_AGAIN,
    )
    if session.scalar(same.limit(1)) is None:
        say(session, case, "more", words, receipt=receipt, at=at)
        cases.add_step(session, case, "more", case.state, CITIZEN, at=at)


def answer(session: Session, case: Case, receipt: Receipt, words: str, *, at: datetime) -> None:
    """The reporter answers a question; the clock goes on."""
    adjusting.answered(session, case, who=CITIZEN, at=at)
    say(session, case, "answer", words, receipt=receipt, at=at)


def rate(
    session: Session,
    case: Case,
    receipt: Receipt,
    *,
    solved: bool,
    stars: int | None,
    words: str,
    at: datetime,
) -> None:
    """Once for each closing; "not solved" opens the case again, once however many say so."""
    if receipt.typist_id is not None:
        raise WrongPin
    cases.move(session, case, "rate", who=CITIZEN, at=at, data={"solved": solved})
    row = Rating(
        subdistrict_id=case.subdistrict_id,
        id=new_id(),
        case_id=case.id,
        receipt_id=receipt.id,
        closing=case.closings,
        solved=solved,
        stars=stars,
        at=at,
    )
    try:
        with savepoint(session):
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise AlreadyRated from error
    if words:
        say(session, case, "rating", words, receipt=receipt, at=at)
    if not solved:
        reopen(session, case, receipt, words="", at=at)


def reopen(session: Session, case: Case, receipt: Receipt, *, words: str, at: datetime) -> None:
    """Not really solved: the same case goes on, as long as it is fresh."""
    if too_late(case, at):
        raise TooLateToReopen(days=REOPEN_DAYS)
    handling.reopen(session, case, who=CITIZEN, at=at, words="反映人表示未解决")
    if words:
        say(session, case, "reopen", words, receipt=receipt, at=at)


def too_late(case: Case, at: datetime) -> bool:
    """Is its closing too long ago for the same case to go on?"""
    return case.ended_at is not None and at - case.ended_at > timedelta(days=REOPEN_DAYS)


def withdraw(session: Session, case: Case, *, at: datetime) -> None:
    """The own report. Where others follow, the case stays for them."""
    if case.followers:
        cases.add_step(session, case, "follow", case.state, CITIZEN, at=at, data={"left": True})
        return
    handling.withdraw(session, case, who=CITIZEN, at=at)


def hide(session: Session, receipt: Receipt, case: Case, *, at: datetime) -> None:
    """ "Hide my details": works at once, also what was public of the words."""
    contact, receipt.contact = receipt.contact, None
    receipt.hidden_at, receipt.contact_proven_at = at, None
    if contact and not _held_by_another(session, receipt, contact):
        notices.forget(session, contact, subject_id=case.id, at=at)
    if receipt.kind == "reporter":
        case.public_words = None
        case.updated_at = at
    cases.add_step(session, case, "hide", case.state, CITIZEN, at=at)


def _held_by_another(session: Session, receipt: Receipt, contact: str) -> bool:
    """Does another receipt of this case go to the same address?"""
    same = select(Receipt.id).where(
        Receipt.subdistrict_id == receipt.subdistrict_id,
        Receipt.case_id == receipt.case_id,
        Receipt.id != receipt.id,
        Receipt.contact == contact,
    )
    return session.scalar(same.limit(1)) is not None


def sent_before(session: Session, case_id: uuid.UUID) -> Case | None:
    """A form that was sent twice has the same id: the first case is the answer."""
    return session.get(Case, (tenant_of(session), case_id))


def count_from(session: Session, *, place: str, since: datetime) -> int:
    """How many citizens' reports named this storefront or spot lately."""
    return int(
        session.scalar(
            select(func.count())
            .select_from(Case)
            .where(Case.subdistrict_id == tenant_of(session), Case.reported_at > since)
            .where(Case.source == "citizen", text("storefront_id = CAST(:p AS uuid)")),
            {"p": place},
        )
        or 0
    )


def _hash(settings: Settings, code: str, secret: str) -> bytes:
    """Keyed, because six digits are soon tried by whoever has the hashes but not the key."""
    key = hashlib.sha256(b"receipts " + settings.secret_key.encode()).digest()
    return hmac.digest(key, f"{code} {secret}".encode(), "sha256")
