"""Notices on their way: claimed by one worker, sent outside any transaction, settled, tried again.

A delivery is claimed and that is committed before anything is sent, so two workers never send the
same. A worker that dies while sending leaves it claimed: a hook is then called again with the same
id, which its receiver knows; a mail is not, for nobody could tell it from the first.
"""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from roadchief import jobs
from roadchief.accounts import envelopes, hooks, mail_addresses, mailing, notices
from roadchief.accounts.envelopes import Envelope
from roadchief.accounts.models import Person
from roadchief.accounts.notice_models import Delivery, Notice
from roadchief.accounts.outcomes import Later, Never, Outcome, Sent, Unsure, wait_after
from roadchief.config import Settings
from roadchief.db import Database, new_id, tenant_of
from roadchief.lib import clock

MOST_DUE = 500  # a round
HELD = timedelta(minutes=5)  # longer than any try may take


def deliver(
    database: Database, subdistrict_id: int, notice_id: uuid.UUID, settings: Settings
) -> None:
    """Take a notice to wherever its recipient is reached, as far as that is due."""
    with database.transaction(subdistrict_id) as session:
        channels = _open(session, notice_id, settings, at=clock.now())
    for channel in channels:
        with database.transaction(subdistrict_id) as session:
            sending = _claim(session, notice_id, channel, settings, at=clock.now())
        if sending is None:
            continue
        outcome = _send(sending, settings)
        with database.transaction(subdistrict_id) as session:
            if isinstance(outcome, Never) and outcome.bounced and sending.person is None:
                mail_addresses.switch_off(
                    session,
                    sending.mail_address,
                    because=mail_addresses.BOUNCED,
                    at=clock.now(),
                    settings=settings,
                )
            _settle(session, sending.delivery_id, outcome, at=clock.now())


def due(session: Session, *, at: datetime) -> list[uuid.UUID]:
    """Notices whose delivery is due, or was left claimed by a worker that died."""
    rows = session.scalars(
        select(Delivery.notice_id)
        .where(
            Delivery.subdistrict_id == tenant_of(session),
            Delivery.state.in_(("waiting", "sending")),
            Delivery.next_at <= at,
        )
        .distinct()
        .limit(MOST_DUE)
    )
    return list(rows)


class _Sending:
    """Everything a try needs, read before the transaction ended."""

    def __init__(
        self,
        delivery: Delivery,
        notice: Notice,
        person: Person | None,
        envelope: Envelope | None,
        settings: Settings,
    ) -> None:
        self.delivery_id = delivery.id
        self.channel = delivery.channel
        language = notice.words.get("language") or (person.locale if person else None)
        self.language = (language or settings.language)[:2]
        self.told = notices.said(notice, self.language)
        self.notice = notice
        self.person = person
        self.envelope = envelope

    @property
    def mail_address(self) -> str:
        return (self.person.email if self.person else self.notice.address) or ""

    @property
    def known_as(self) -> dict[str, str]:
        if self.person is None:
            address = self.notice.address or ""
            return {"email" if "@" in address else "phone": address}
        found = {
            "person_id": str(self.person.id),
            "name": self.person.name,
            "phone": self.person.phone,
            "email": self.person.email,
        }
        return {name: value for name, value in found.items() if value}


def _open(session: Session, notice_id: uuid.UUID, settings: Settings, *, at: datetime) -> list[str]:
    """The channels of a notice, each with its row; made at the first try."""
    notice = session.get(Notice, (tenant_of(session), notice_id))
    if notice is None:
        return []
    channels = _channels(notice, _person(session, notice), settings)
    if channels:
        session.execute(
            insert(Delivery)
            .values(
                [
                    {
                        "subdistrict_id": tenant_of(session),
                        "id": new_id(),
                        "notice_id": notice_id,
                        "channel": channel,
                        "state": "waiting",
                        "tries": 0,
                        "next_at": at,
                    }
                    for channel in channels
                ]
            )
            .on_conflict_do_nothing(index_elements=["subdistrict_id", "notice_id", "channel"])
        )
    return channels


def _channels(notice: Notice, person: Person | None, settings: Settings) -> list[str]:
    """Who left, or whose address was forgotten, is reached by nothing."""
    if (notice.to and (person is None or person.state == "retired")) or (
        notice.to is None and notice.address is None
    ):
        return []
    by_mail = person.email if person else "@" in (notice.address or "")
    by_hook = person is not None or not by_mail
    return [
        *(["mail"] if by_mail and settings.smtp_host else []),
        *(["hook"] if by_hook and settings.webhook_url else []),
    ]


def _claim(
    session: Session, notice_id: uuid.UUID, channel: str, settings: Settings, *, at: datetime
) -> _Sending | None:
    """One worker gets it: the conditional update decides.

    Whether the reader still wants it is asked first, and held until the commit: a stop comes
    before the claim, or after it.
    """
    notice = session.get(Notice, (tenant_of(session), notice_id))
    if notice is None:
        return None
    envelope, maker = None, envelopes.makers.get(notice.kind)
    if channel == "mail" and maker:
        made = maker(session, notice, settings, at)
        if isinstance(made, str):
            _give_up(session, notice_id, channel, made)
            return None
        envelope = made
    here = (
        (Delivery.subdistrict_id == tenant_of(session))
        & (Delivery.notice_id == notice_id)
        & (Delivery.channel == channel)
        & (Delivery.next_at <= at)
    )
    if channel == "mail":
        left = update(Delivery).where(here, Delivery.state == "sending")
        session.execute(left.values(state="unsure", trouble="worker died"))
        here &= Delivery.state == "waiting"
    else:
        here &= Delivery.state.in_(("waiting", "sending"))
    row = session.scalar(
        update(Delivery)
        .where(here)
        .values(state="sending", tries=Delivery.tries + 1, next_at=at + HELD)
        .returning(Delivery)
    )
    if row is None:
        return None
    return _Sending(row, notice, _person(session, notice), envelope, settings)


def _give_up(session: Session, notice_id: uuid.UUID, channel: str, trouble: str) -> None:
    session.execute(
        update(Delivery)
        .where(Delivery.subdistrict_id == tenant_of(session), Delivery.notice_id == notice_id)
        .where(Delivery.channel == channel, Delivery.state == "waiting")
        .values(state="given_up", trouble=trouble)
    )


def _send(sending: _Sending, settings: Settings) -> Outcome:
    at = clock.now()
    if sending.channel == "mail":
        letter = mailing.Letter(
            sending.delivery_id,
            sending.mail_address,
            sending.told,
            sending.notice.at,
            sending.envelope,
        )
        return mailing.send(letter, settings)
    call = hooks.Call(
        id=sending.delivery_id,
        kind=sending.notice.kind,
        subject_id=sending.notice.subject_id,
        to=sending.known_as,
        told=sending.told,
        language=sending.language,
        noticed_at=sending.notice.at,
    )
    return hooks.send(call, settings, at=at)


def _settle(session: Session, delivery_id: uuid.UUID, outcome: Outcome, *, at: datetime) -> None:
    row = session.get_one(Delivery, (tenant_of(session), delivery_id), with_for_update=True)
    row.trouble = None if isinstance(outcome, Sent) else outcome.trouble[:200]
    match outcome:
        case Sent():
            row.state, row.sent_at = "sent", at
        case Unsure():
            row.state = "unsure"
        case Never():
            row.state = "given_up"
        case Later():
            wait = wait_after(row.tries)
            row.state = "given_up" if wait is None else "waiting"
            if wait is not None:
                row.next_at = at + wait
                jobs.later_at(
                    session,
                    row.next_at,
                    "notices.deliver",
                    subdistrict_id=row.subdistrict_id,
                    notice_ids=[str(row.notice_id)],
                )


def _person(session: Session, notice: Notice) -> Person | None:
    return session.get(Person, (tenant_of(session), notice.to)) if notice.to else None
