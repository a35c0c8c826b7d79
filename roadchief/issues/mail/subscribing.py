"""Mail to citizens: an address is proven, used while it is wanted, and let go.

Anybody may type anybody's address into a report. So the first mail says number and class alone, is
sent a few times an hour at most, and nothing follows it until its reader has confirmed by a POST.
"""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.accounts import mail_addresses, mailing, notices
from roadchief.accounts.envelopes import Envelope
from roadchief.accounts.mail_addresses import Limit
from roadchief.accounts.notice_models import Notice
from roadchief.config import Settings
from roadchief.db import new_id, tenant_of
from roadchief.issues import categories
from roadchief.issues.mail import links
from roadchief.issues.mail.links import BadLink, Link
from roadchief.issues.models import Case
from roadchief.issues.voices import Receipt

PROOF, NEWS = "issues.proof", "issues.citizen"
KINDS = (PROOF, NEWS)
# Why a mail was not sent.
GONE, OFF, STOPPED, OVERTAKEN = "address gone", "address off", "stopped", "overtaken"
# After a longer outage only the newest is sent: it says where the case stands now. [D]
STALE = timedelta(hours=6)
# Proof mails that one network may have sent; many people share one mobile address. [D]
FROM_NETWORK = Limit(hour=30, day=200)
STOP = {
    "zh": "此邮件由系统自动发送，请勿回复。不想再收到此案件的邮件：",
    "en": "This mail was sent by a machine; please do not answer it. No more mail about this case:",
}

events.declare(
    {
        "issues.mail_confirmed": "a citizen confirmed the address left with a report",
        "issues.mail_stopped": "a citizen wants no more mail about a case, or none at all",
    }
)


def is_mail(contact: str | None) -> bool:
    return bool(contact) and mailing.ADDRESS.fullmatch(contact or "") is not None


def ask_proof(
    session: Session,
    case: Case,
    receipt: Receipt,
    *,
    at: datetime,
    settings: Settings,
    network: str | None = None,
    fresh: bool = False,
) -> bool:
    """Send the mail that asks for a confirmation. False: no mail address, over the limit, off.

    Callers do not show which: a stranger would learn of an address that it bounces. A `fresh`
    receipt was never asked before.
    """
    contact = receipt.contact
    if contact is None or not is_mail(contact) or not settings.smtp_host:
        return False
    if receipt.contact_proven_at is not None or receipt.mail_stopped_at is not None:
        return False
    from_there = f"network {network}"
    if network and not mail_addresses.count(
        session, from_there, FROM_NETWORK, at=at, settings=settings
    ):
        return False
    limit = Limit(settings.mail_proofs_per_hour, settings.mail_proofs_per_day)
    if not mail_addresses.count(session, contact, limit, at=at, settings=settings):
        return False
    kind = categories.find(case.category)
    notices.tell(
        session,
        to=None,
        address=contact,
        kind=PROOF,
        subject_id=case.id,
        words={
            "language": receipt.language,
            "receipt": str(receipt.id),
            "number": case.number,
            "category": kind.zh,
            "category_en": kind.en,
        },
        at=at,
        once=receipt.id if fresh or not _asked_before(session, receipt) else new_id(),
    )
    return True


def _asked_before(session: Session, receipt: Receipt) -> bool:
    asked = select(Notice.id).where(
        Notice.subdistrict_id == receipt.subdistrict_id,
        Notice.kind == PROOF,
        Notice.once == receipt.id,
    )
    return session.scalar(asked.limit(1)) is not None


def receipt_of(session: Session, link: Link, settings: Settings) -> Receipt:
    """The receipt that a mailed link is of, while its address is still the same."""
    row = session.get(Receipt, (link.subdistrict_id, link.receipt_id))
    if row is None or row.hidden_at or row.masked_at:
        raise BadLink
    if not links.fits(link, row, settings):
        raise BadLink
    return row


def confirm(session: Session, case: Case, receipt: Receipt, *, at: datetime) -> bool:
    """The reader of the address says so. Of two at once, one is the first; both are right."""
    done = session.scalar(
        update(Receipt)
        .where(Receipt.subdistrict_id == receipt.subdistrict_id, Receipt.id == receipt.id)
        .where(Receipt.contact == receipt.contact, Receipt.contact_proven_at.is_(None))
        .values(contact_proven_at=at, mail_stopped_at=None)
        .returning(Receipt.id)
    )
    if done is None:
        return False
    events.record(session, "issues.mail_confirmed", subject=case, by=None, at=at)
    return True


def stop(session: Session, case: Case, receipt: Receipt, *, at: datetime) -> None:
    """No more mail about this matter to this address, whichever receipt it came from."""
    matter = [one for one in (case.id, case.master_id) if one]
    stopped = session.scalars(
        update(Receipt)
        .where(Receipt.subdistrict_id == case.subdistrict_id, Receipt.case_id.in_(matter))
        .where(func.lower(Receipt.contact) == (receipt.contact or "").lower())
        .where(Receipt.mail_stopped_at.is_(None))
        .values(mail_stopped_at=at)
        .returning(Receipt.id)
    ).all()
    if stopped:
        events.record(session, "issues.mail_stopped", subject=case, by=None, at=at)


def refuse(
    session: Session, case: Case, receipt: Receipt, *, at: datetime, settings: Settings
) -> None:
    """ "Never write to me again": from no report, in no sub-district."""
    stop(session, case, receipt, at=at)
    mail_addresses.switch_off(
        session,
        receipt.contact or "",
        because=mail_addresses.REFUSED,
        at=at,
        settings=settings,
    )


def go_on(session: Session, receipt: Receipt) -> None:
    """The holder of the receipt wants mail again."""
    receipt.mail_stopped_at = None
    session.flush()


def change_contact(
    session: Session,
    case: Case,
    receipt: Receipt,
    contact: str | None,
    *,
    at: datetime,
    settings: Settings,
) -> None:
    """Another contact, or none: it is not used before it is proven; a proven one is told."""
    old, was_proven = receipt.contact, receipt.contact_proven_at is not None
    if contact == old:
        return
    receipt.contact, receipt.contact_proven_at = contact, None
    receipt.mail_stopped_at = receipt.masked_at = None
    session.flush()
    if old and was_proven and is_mail(old):
        words = {
            "language": receipt.language,
            "number": case.number,
            "phone": settings.office_phone,
            "path": "/follow/",
        }
        notices.tell(
            session,
            to=None,
            address=old,
            kind="issues.contact_changed",
            subject_id=case.id,
            words=words,
            at=at,
            once=new_id(),
        )


def hinted(contact: str) -> str:
    """A contact that its owner knows again, and nobody else learns."""
    user, at_sign, domain = contact.partition("@")
    if at_sign:
        return f"{user[:1]}***@{domain}"
    return f"{contact[:3]}****{contact[-4:]}"


def envelope(session: Session, notice: Notice, settings: Settings, at: datetime) -> Envelope | str:
    """How a mail to a citizen goes, or why it is not sent any more.

    The receipt is held until the claim is committed, so a stop is before it or after it.
    """
    receipt = session.scalar(
        select(Receipt)
        .where(Receipt.subdistrict_id == tenant_of(session))
        .where(Receipt.id == uuid.UUID(notice.words["receipt"]))
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )
    if receipt is None or receipt.contact != notice.address or receipt.contact is None:
        return GONE
    if receipt.hidden_at or receipt.masked_at:
        return GONE
    if mail_addresses.why_off(session, receipt.contact, settings):
        return OFF
    proof, proven = notice.kind == PROOF, receipt.contact_proven_at is not None
    if proof == proven or (receipt.mail_stopped_at and not proof):
        return STOPPED
    if not proof and at - notice.at > STALE and _overtaken(session, notice):
        return OVERTAKEN
    purpose = links.CONFIRM if proof else links.SHOW
    language = notice.words.get("language", "zh")
    return Envelope(
        path=links.path(purpose, receipt, at=notice.at, settings=settings),
        stop_path=links.path(links.STOP, receipt, at=notice.at, settings=settings),
        stop_words=STOP.get(language, STOP["zh"]),
        thread=f"case.{receipt.id}",
        first=proof and notice.once == receipt.id,
    )


def _overtaken(session: Session, notice: Notice) -> bool:
    """Does newer news of the same case wait for the same reader?"""
    newer = select(Notice.id).where(
        Notice.subdistrict_id == notice.subdistrict_id,
        Notice.subject_id == notice.subject_id,
        Notice.to.is_(None),
        Notice.kind == NEWS,
        Notice.address == notice.address,
        tuple_(Notice.at, Notice.id) > (notice.at, notice.id),
    )
    return session.scalar(newer.limit(1)) is not None
