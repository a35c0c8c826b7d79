"""Clicks, stops and workers at once, on real connections: the database decides."""

import threading
import uuid
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.accounts import deliveries, mail_addresses
from roadchief.accounts.mail_addresses import Limit
from roadchief.accounts.notice_models import Delivery, Notice
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.issues import adjusting, cases
from roadchief.issues.citizens import feedback
from roadchief.issues.mail import messages, subscribing
from roadchief.issues.voices import Receipt
from tests.accounts.receivers import Mailbox, posting_to
from tests.conftest import WEIFANG, make_settings
from tests.issues import ground
from tests.issues.ground import CENTRE, TUESDAY
from tests.races import at_once

LI = "li@example.cn"


@pytest.fixture
def posted(fresh_url: str, tmp_path: Path, mailbox: Mailbox) -> Settings:
    return posting_to(mailbox, make_settings(fresh_url, tmp_path))


def reported(real: Database, posted: Settings) -> tuple[uuid.UUID, uuid.UUID]:
    """A case and the receipt of its reporter, who is not proven yet."""
    messages.wire()
    with real.transaction(WEIFANG) as session:
        world = ground.build(session)
        case = ground.file_case(session, world)
        handed = feedback.hand_receipt(
            session, case, kind="reporter", at=TUESDAY, settings=posted, contact=LI
        )
        return case.id, handed.receipt.id


def test_two_clicks_confirm_once(real: Database, posted: Settings) -> None:
    case_id, receipt_id = reported(real, posted)
    firsts: list[bool] = []

    def click(session: Session) -> None:
        case = cases.find(session, case_id)
        receipt = session.get_one(Receipt, (WEIFANG, receipt_id))
        first = subscribing.confirm(session, case, receipt, at=TUESDAY)
        if first:
            messages.welcome(session, case, receipt, at=TUESDAY)
        firsts.append(first)

    assert at_once(real, *[click] * 4) == ["done"] * 4
    assert sorted(firsts) == [False, False, False, True]
    with real.transaction(WEIFANG) as session:
        welcomes = select(Notice.id).where(Notice.kind == "issues.citizen")
        assert len(session.scalars(welcomes).all()) == 1


def test_many_reports_at_once_do_not_pass_the_limit(real: Database, posted: Settings) -> None:
    counted: list[bool] = []

    def type_it(session: Session) -> None:
        counted.append(mail_addresses.count(session, LI, Limit(3, 6), at=TUESDAY, settings=posted))

    assert at_once(real, *[type_it] * 8) == ["done"] * 8
    assert sum(counted) == 3


@pytest.mark.parametrize("how", ["stop", "hide"])
def test_a_stop_and_a_send_at_once(
    real: Database, posted: Settings, mailbox: Mailbox, how: str
) -> None:
    """The mail was claimed before the stop, or it is not sent at all. Nobody waits for nobody."""
    case_id, receipt_id = reported(real, posted)
    with real.transaction(WEIFANG) as session:
        session.get_one(Receipt, (WEIFANG, receipt_id)).contact_proven_at = TUESDAY
    for number in range(6):
        with real.transaction(WEIFANG) as session:
            case = cases.locked(session, case_id)
            adjusting.contact(session, case, who=CENTRE, at=TUESDAY, words=f"第{number}次答复")
            session.flush()
            wanted = select(Notice.id).where(Notice.kind == "issues.citizen")
            notice_id = session.scalars(wanted.order_by(Notice.id.desc())).first()
        assert notice_id is not None
        _both(real, posted, how, case_id, receipt_id, notice_id)
        with real.transaction(WEIFANG) as session:
            rows = session.scalars(select(Delivery).where(Delivery.notice_id == notice_id)).all()
            states = {row.state for row in rows}
            receipt = session.get_one(Receipt, (WEIFANG, receipt_id))
            assert receipt.mail_stopped_at or receipt.hidden_at
            receipt.mail_stopped_at = receipt.hidden_at = None
            receipt.contact, receipt.contact_proven_at = LI, TUESDAY
        sent = [one for one in mailbox.letters if f"第{number}次" in one.get_content()]
        assert len(sent) == (1 if "sent" in states else 0)
        before = len(mailbox.letters)
        deliveries.deliver(real, WEIFANG, notice_id, posted)
        assert len(mailbox.letters) == before or not rows


def _both(
    real: Database,
    posted: Settings,
    how: str,
    case_id: uuid.UUID,
    receipt_id: uuid.UUID,
    notice_id: uuid.UUID,
) -> None:
    start, faults = threading.Barrier(2), []

    def stop() -> None:
        start.wait()
        with real.transaction(WEIFANG) as session:
            case = cases.locked(session, case_id)
            receipt = session.get_one(Receipt, (WEIFANG, receipt_id))
            if how == "stop":
                subscribing.stop(session, case, receipt, at=TUESDAY)
            else:
                feedback.hide(session, receipt, case, at=TUESDAY)

    def send() -> None:
        start.wait()
        deliveries.deliver(real, WEIFANG, notice_id, posted)

    def run(act) -> None:  # type: ignore[no-untyped-def]
        try:
            act()
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(act,)) for act in (stop, send)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
