"""The messages of steps: words fixed when the step is written, one row a receiver."""

import uuid
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.accounts import envelopes, notices
from roadchief.issues import categories, telling
from roadchief.issues.mail import subscribing
from roadchief.issues.models import Case, CaseStep
from roadchief.issues.moves import BY_VERB
from roadchief.issues.story import TOLD
from roadchief.issues.telling import Reader
from roadchief.issues.voices import Receipt
from roadchief.lib import clock

notices.declare(Path(__file__).with_name("notices.toml"))
# Steps that say where a case stands; what people said or asked for does not.
STANDS = frozenset(TOLD) - {"follow", "answer", "contact", "withdraw"}
PATHS = {"merchant": "/merchant/", "merchant_let_go": "/merchant/"}
# What a citizen is asked for by a step.
ASKS = {
    "close": (
        "问题真的解决了吗？请打开下面的链接告诉我们；没有解决，案件会继续办理。",
        "Is it really solved? Please open the link below and tell us; if not, work goes on.",
    ),
    "ask": (
        "请打开进度页，用回执号和密码回答。",
        "Please open the story and answer with your receipt number and PIN.",
    ),
}


def send(
    session: Session,
    kind: str,
    case: Case,
    step: CaseStep,
    people: list[uuid.UUID],
    readers: list[Reader],
    at: datetime,
) -> None:
    """Each receiver once for each step; a held case rings nobody."""
    if case.held:
        return
    session.flush()
    private = case.category not in categories.public_codes()
    for reader in readers:
        if private and reader.case_id != case.id:
            continue  # of a copy: the master is none of theirs
        tell_reader(session, reader, case, step, at=at, once=step.id)
    if people:
        notices.tell_many(
            session,
            people,
            kind=f"issues.{kind}",
            subject_id=case.id,
            words=_words(kind, case, step),
            at=at,
            once=step.id,
        )


def tell_reader(
    session: Session, reader: Reader, case: Case, step: CaseStep, *, at: datetime, once: uuid.UUID
) -> None:
    """What a citizen is written about a step, in the language of the report.

    Of the place only what the register says: words of a report never go out by mail.
    """
    category = categories.find(case.category)
    zh, en = TOLD.get(step.verb, ("有新进展", "news"))
    said = step.words if step.public and step.words else ""
    place = case.address if case.storefront_id else ""
    ask_zh, ask_en = ASKS.get(step.verb, ("", "")) if reader.asked else ("", "")
    notices.tell(
        session,
        to=None,
        address=reader.address,
        kind="issues.citizen",
        subject_id=reader.case_id,
        words={
            "language": reader.language,
            "receipt": str(reader.receipt_id),
            "number": reader.number,
            "what": " · ".join(part for part in (place, category.zh) if part),
            "what_en": " · ".join(part for part in (place, category.en) if part),
            "step": zh,
            "step_en": en,
            "said": f"\n\n工作人员：{said}" if said else "",
            "said_en": f"\n\nThe office writes: {said}" if said else "",
            "ask": f"\n\n{ask_zh}" if ask_zh else "",
            "ask_en": f"\n\n{ask_en}" if ask_en else "",
            "path": "/follow/",
        },
        at=at,
        once=once,
    )


def welcome(session: Session, case: Case, receipt: Receipt, *, at: datetime) -> None:
    """The first news after an address was confirmed: where the case stands now. Once a receipt."""
    latest = session.scalar(
        select(CaseStep)
        .where(CaseStep.subdistrict_id == case.subdistrict_id, CaseStep.case_id == case.id)
        .where(CaseStep.verb.in_(STANDS))
        .order_by(CaseStep.seq.desc())
        .limit(1)
    )
    if latest is None:
        return
    reader = Reader(
        receipt.contact or "",
        receipt.language,
        receipt.id,
        receipt.case_id,
        case.number,
        asked=receipt.typist_id is None,
    )
    tell_reader(session, reader, case, latest, at=at, once=receipt.id)


def _words(kind: str, case: Case, step: CaseStep) -> dict[str, str]:
    category = categories.find(case.category)
    move = BY_VERB.get(step.verb)
    zh, en = TOLD.get(step.verb, (move.zh, move.en) if move else ("有新进展", "news"))
    due = case.merchant_due_at if kind == "merchant" else case.due_at
    return {
        "number": case.number,
        "category": category.zh,
        "category_en": category.en,
        "place": case.address,
        "step": zh,
        "step_en": en,
        "due": f"{clock.local(due):%m-%d %H:%M}" if due else "—",
        "path": PATHS.get(kind, f"/desk/cases/{case.id}"),
    }


def wire() -> None:
    """Called by whoever starts: pages and the worker."""
    envelopes.makers.update(dict.fromkeys(subscribing.KINDS, subscribing.envelope))
    if send not in telling.senders:
        telling.senders.append(send)
