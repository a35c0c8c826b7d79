"""What citizens were told of a case, and how it arrived: for the desk, without any address."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.accounts.notice_models import Delivery, Notice
from roadchief.issues.mail.subscribing import GONE, NEWS, OFF, OVERTAKEN, PROOF, STOPPED
from roadchief.issues.models import Case
from roadchief.issues.voices import Receipt

MOST = 30
OTHER = {
    PROOF: ("请确认邮箱", "Please confirm the address"),
    "issues.contact_changed": ("联系方式已更改", "The contact was changed"),
}
# How a mail went: Chinese, English, and whether somebody should look.
STATES: dict[str | None, tuple[str, str, bool]] = {
    None: ("未经邮件", "not by mail", False),
    "waiting": ("待发送", "waiting", False),
    "sending": ("发送中", "being sent", False),
    "sent": ("已发出", "sent", False),
    "unsure": ("不确定是否送达", "perhaps arrived", True),
    "given_up": ("未送达", "not delivered", True),
}
TROUBLES = {
    STOPPED: ("未发：本人已停发", "not sent: stopped by its reader", False),
    GONE: ("未发：联系方式已更改或隐去", "not sent: contact changed or hidden", False),
    "forgotten": ("未发：已隐去", "not sent: hidden", False),
    OFF: ("未发：该邮箱已停用", "not sent: the address is off", False),
    OVERTAKEN: ("未发：已有更新的进展", "not sent: newer news went instead", False),
}


@dataclass(frozen=True)
class Mail:
    """One mail about a case. `amiss`: it did not arrive, and nobody had asked for that."""

    at: datetime
    zh: str
    en: str
    state_zh: str
    state_en: str
    trouble: str
    amiss: bool


@dataclass(frozen=True)
class Readers:
    """How many left a contact, and how many of them are written to."""

    left: int
    proven: int
    stopped: int


def readers_of(session: Session, case: Case) -> Readers:
    row = session.execute(
        select(
            func.count(Receipt.contact),
            func.count(Receipt.contact_proven_at),
            func.count(Receipt.mail_stopped_at).filter(Receipt.contact_proven_at.is_not(None)),
        ).where(Receipt.subdistrict_id == case.subdistrict_id, Receipt.case_id == case.id)
    ).one()
    return Readers(*row)


def mails_of(session: Session, case: Case) -> list[Mail]:
    """The newest mails about a case, each with how it went."""
    rows = session.execute(
        select(Notice.at, Notice.kind, Notice.words, Delivery.state, Delivery.trouble)
        .outerjoin(
            Delivery,
            (Delivery.subdistrict_id == Notice.subdistrict_id)
            & (Delivery.notice_id == Notice.id)
            & (Delivery.channel == "mail"),
        )
        .where(Notice.subdistrict_id == case.subdistrict_id, Notice.subject_id == case.id)
        .where(Notice.to.is_(None))
        .order_by(Notice.at.desc(), Notice.id.desc())
        .limit(MOST)
    )
    return [_mail(*row) for row in rows]


def _mail(
    at: datetime, kind: str, words: dict[str, str], state: str | None, trouble: str | None
) -> Mail:
    zh, en = OTHER.get(kind, (kind, kind))
    if kind == NEWS:
        zh, en = words.get("step", ""), words.get("step_en", "")
    known = TROUBLES.get(trouble or "")
    state_zh, state_en, amiss = known or STATES.get(state, STATES[None])
    return Mail(at, zh, en, state_zh, state_en, "" if known else trouble or "", amiss)
