"""Notices by mail and hook, to real servers on loopback that fail, refuse, are slow or late."""

import base64
import hashlib
import hmac
import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from roadchief import jobs as queue
from roadchief.accounts import deliveries, jobs, mailing, notices
from roadchief.accounts.notice_models import Delivery, Notice
from roadchief.accounts.outcomes import WAITS
from roadchief.accounts.wording import parse
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.lib import clock, outbound
from tests import makers
from tests.accounts.receivers import Gateway, Mailbox, free_port, posting_to
from tests.accounts.test_notices import CASE, WORDS
from tests.accounts.test_wording import SOURCE
from tests.conftest import WEIFANG, make_settings
from tests.makers import NOON

SECRET = "a shared secret of good length"


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "KINDS", parse(SOURCE))


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway()
    made.open()
    yield made
    made.close()


@pytest.fixture
def by_mail(fresh_url: str, tmp_path: Path, mailbox: Mailbox) -> Settings:
    return posting_to(mailbox, make_settings(fresh_url, tmp_path))


@pytest.fixture
def by_hook(fresh_url: str, tmp_path: Path, gateway: Gateway) -> Settings:
    return replace(
        make_settings(fresh_url, tmp_path), webhook_url=gateway.url, webhook_secret=SECRET
    )


@pytest.fixture
def real(fresh_url: str, tmp_path: Path) -> Iterator[Database]:
    database = Database(make_settings(fresh_url, tmp_path))
    yield database
    database.engine.dispose()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """A clock that tests set: `now[0] += …`."""
    at = [clock.now()]
    monkeypatch.setattr(clock, "now", lambda: at[0])
    return at


def tell(database: Database, *, address: str | None = None, **person: Any) -> uuid.UUID:
    with database.transaction(WEIFANG) as session:
        to = None
        if address is None:
            values = {"email": "zhou@example.cn", "phone": "13800001234"} | person
            to = makers.make_person(session, **values).id
        row = notices.tell(
            session,
            to=to,
            address=address,
            kind="test.case",
            subject_id=CASE,
            words=WORDS,
            at=NOON,
        )
        assert row is not None
        return row.id


def deliver(database: Database, notice_id: uuid.UUID, settings: Settings) -> None:
    deliveries.deliver(database, WEIFANG, notice_id, settings)


def state(database: Database) -> tuple[str, int, str | None]:
    with database.transaction(WEIFANG) as session:
        row = session.scalars(select(Delivery)).one()
        return row.state, row.tries, row.trouble


def planned(database: Database) -> list[datetime]:
    with database.transaction(WEIFANG) as session:
        sql = "SELECT scheduled_at FROM procrastinate_jobs WHERE scheduled_at IS NOT NULL"
        return list(session.scalars(text(sql)))


def test_a_mail_arrives_in_chinese(real: Database, by_mail: Settings, mailbox: Mailbox) -> None:
    deliver(real, tell(real), by_mail)
    (letter,) = mailbox.letters
    assert letter["Subject"] == "新案件 WF-1"
    assert letter["X-To"] == letter["To"] == "zhou@example.cn"
    assert "lz@weifang.example.cn" in letter["From"]
    assert letter["Auto-Submitted"] == "auto-generated"
    body = letter.get_content()
    assert "崂山路527号：垃圾" in body
    assert "https://lz.example.cn/admin/streets" in body
    assert state(real) == ("sent", 1, None)


def test_a_mail_is_in_the_persons_language(
    real: Database, by_mail: Settings, mailbox: Mailbox
) -> None:
    deliver(real, tell(real, locale="en"), by_mail)
    assert mailbox.letters[0]["Subject"] == "New case WF-1"


def test_delivered_again_nothing_is_sent(
    real: Database, by_mail: Settings, mailbox: Mailbox
) -> None:
    notice_id = tell(real)
    for _ in range(3):
        deliver(real, notice_id, by_mail)
    assert len(mailbox.letters) == 1


def test_two_workers_send_one_mail(real: Database, by_mail: Settings, mailbox: Mailbox) -> None:
    notice_id, start = tell(real), threading.Barrier(4)

    def work() -> None:
        start.wait()
        deliver(real, notice_id, by_mail)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mailbox.letters) == 1
    assert state(real) == ("sent", 1, None)


@pytest.mark.parametrize("where", ["at_rcpt", "at_data"])
def test_a_server_that_is_busy_is_asked_again(
    real: Database, by_mail: Settings, mailbox: Mailbox, now: list[datetime], where: str
) -> None:
    getattr(mailbox, where).append("451 later")
    notice_id = tell(real)
    deliver(real, notice_id, by_mail)
    assert state(real) == ("waiting", 1, "SMTP 451")
    assert planned(real) == [now[0] + WAITS[0]]
    deliver(real, notice_id, by_mail)  # too early
    assert mailbox.letters == []
    now[0] += WAITS[0]
    deliver(real, notice_id, by_mail)
    assert len(mailbox.letters) == 1
    assert state(real) == ("sent", 2, None)


def test_an_address_that_is_refused_is_given_up(
    real: Database, by_mail: Settings, mailbox: Mailbox
) -> None:
    mailbox.at_rcpt.append("550 no such person")
    deliver(real, tell(real), by_mail)
    assert state(real) == ("given_up", 1, "SMTP 550")
    assert planned(real) == []


def test_a_server_that_is_away_is_tried_for_a_day_and_given_up(
    real: Database, by_mail: Settings, now: list[datetime]
) -> None:
    away = replace(by_mail, smtp_port=free_port())
    notice_id = tell(real)
    for tries, wait in enumerate(WAITS, start=1):
        deliver(real, notice_id, away)
        assert state(real) == ("waiting", tries, "ConnectionRefusedError")
        now[0] += wait
    deliver(real, notice_id, away)
    assert state(real)[:2] == ("given_up", len(WAITS) + 1)


def test_a_mail_taken_without_an_answer_is_not_sent_twice(
    real: Database,
    by_mail: Settings,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    now: list[datetime],
) -> None:
    monkeypatch.setattr(mailing, "TIMEOUT_S", 0.4)
    mailbox.silent_after_data_s = 1.2
    notice_id = tell(real)
    deliver(real, notice_id, by_mail)
    assert state(real)[0] == "unsure"
    mailbox.silent_after_data_s = 0
    now[0] += timedelta(days=2)
    deliver(real, notice_id, by_mail)
    assert len(mailbox.letters) == 1


def test_a_rude_goodbye_changes_nothing(
    real: Database, by_mail: Settings, mailbox: Mailbox
) -> None:
    mailbox.rude_at_quit = True
    deliver(real, tell(real), by_mail)
    assert state(real) == ("sent", 1, None)


@pytest.mark.parametrize(
    "address",
    ["a@b.cn\r\nBcc: all@example.cn", "a@b.cn, c@d.cn", "<a@b.cn>", "a@", "a b@c.cn", "甲@b.cn"],
)
def test_an_odd_address_reaches_nobody(
    real: Database, by_mail: Settings, mailbox: Mailbox, address: str
) -> None:
    deliver(real, tell(real, address=address), by_mail)
    assert mailbox.tried == 0
    assert state(real) == ("given_up", 1, "address")


def test_lines_that_are_a_dot_do_not_end_a_mail(by_mail: Settings, mailbox: Mailbox) -> None:
    told = mailing.Told("t", "one\n.\n..two\nthree", None)
    letter = mailing.Letter(uuid.uuid4(), "a@b.cn", told, NOON)
    assert isinstance(mailing.send(letter, by_mail), mailing.Sent)
    assert mailbox.letters[0].get_content().splitlines()[:4] == ["one", ".", "..two", "three"]


def test_a_mail_left_by_a_dead_worker_is_not_sent_again(
    real: Database, by_mail: Settings, mailbox: Mailbox, now: list[datetime]
) -> None:
    notice_id = left_sending(real, "mail", by_mail, now)
    deliver(real, notice_id, by_mail)
    assert mailbox.letters == []
    now[0] += deliveries.HELD
    deliver(real, notice_id, by_mail)
    assert mailbox.letters == []
    assert state(real) == ("unsure", 1, "worker died")


def left_sending(
    database: Database, channel: str, settings: Settings, now: list[datetime]
) -> uuid.UUID:
    """A notice whose worker died between claim and answer."""
    notice_id = tell(database)
    with database.transaction(WEIFANG) as session:
        deliveries._open(session, notice_id, settings, at=now[0])
    with database.transaction(WEIFANG) as session:
        assert deliveries._claim(session, notice_id, channel, settings, at=now[0])
    return notice_id


def signed(headers: dict[str, str], body: bytes) -> bool:
    stamp, call_id = headers["webhook-timestamp"], headers["webhook-id"]
    mark = hmac.new(SECRET.encode(), f"{call_id}.{stamp}.".encode() + body, hashlib.sha256)
    return headers["webhook-signature"] == "v1," + base64.b64encode(mark.digest()).decode()


def test_a_gateway_is_told_and_can_check_who_tells(
    real: Database, by_hook: Settings, gateway: Gateway, now: list[datetime]
) -> None:
    deliver(real, tell(real), by_hook)
    ((headers, body),) = gateway.calls
    assert signed(headers, body)
    assert headers["webhook-timestamp"] == str(int(now[0].timestamp()))
    assert headers[":path"] == "/notify?app=1"
    assert headers["host"] == f"127.0.0.1:{gateway.port}"
    said = json.loads(body)
    assert said["title"] == "新案件 WF-1"
    assert said["to"]["phone"] == "13800001234"
    assert said["link"] == "http://127.0.0.1:8000/admin/streets"
    assert (said["id"], said["kind"]) == (headers["webhook-id"], "test.case")
    assert state(real) == ("sent", 1, None)


@pytest.mark.parametrize("answer", [500, 503, 429, 408])
def test_a_gateway_that_fails_is_called_again_with_the_same_id(
    real: Database, by_hook: Settings, gateway: Gateway, now: list[datetime], answer: int
) -> None:
    gateway.answers.append(answer)
    notice_id = tell(real)
    deliver(real, notice_id, by_hook)
    assert state(real) == ("waiting", 1, f"HTTP {answer}")
    now[0] += WAITS[0]
    deliver(real, notice_id, by_hook)
    assert state(real) == ("sent", 2, None)
    first, second = gateway.calls
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert first[0]["webhook-timestamp"] != second[0]["webhook-timestamp"]
    assert signed(*second)


@pytest.mark.parametrize("answer", [400, 401, 404, 410, 301, 307])
def test_a_gateway_that_refuses_is_not_called_again(
    real: Database, by_hook: Settings, gateway: Gateway, answer: int
) -> None:
    gateway.answers.append(answer)
    deliver(real, tell(real), by_hook)
    assert state(real) == ("given_up", 1, f"HTTP {answer}")
    assert [headers[":path"] for headers, _body in gateway.calls] == ["/notify?app=1"]


def test_a_gateway_that_answers_too_late_is_called_again(
    real: Database,
    by_hook: Settings,
    gateway: Gateway,
    now: list[datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbound, "READ_S", 0.3)
    gateway.answers.append(-1.0)
    notice_id = tell(real)
    deliver(real, notice_id, by_hook)
    assert state(real) == ("waiting", 1, "ReadTimeoutError")
    now[0] += WAITS[0]
    deliver(real, notice_id, by_hook)
    assert state(real)[0] == "sent"
    assert len({headers["webhook-id"] for headers, _body in gateway.calls}) == 1


def test_a_call_left_by_a_dead_worker_is_made_again_with_the_same_id(
    real: Database, by_hook: Settings, gateway: Gateway, now: list[datetime]
) -> None:
    notice_id = left_sending(real, "hook", by_hook, now)
    deliver(real, notice_id, by_hook)
    assert gateway.calls == []  # it may still be under way
    now[0] += deliveries.HELD
    with real.transaction(WEIFANG) as session:
        assert deliveries.due(session, at=now[0]) == [notice_id]
    deliver(real, notice_id, by_hook)
    assert state(real) == ("sent", 2, None)


def test_a_gateway_inside_our_network_is_not_called(
    real: Database, by_hook: Settings, gateway: Gateway
) -> None:
    inside = replace(by_hook, webhook_url="https://169.254.169.254/latest")
    deliver(real, tell(real), inside)
    assert state(real)[0] == "waiting"
    assert "inside our own network" in str(state(real)[2])


def test_a_citizens_phone_is_reached_by_the_gateway_and_mail_by_mail(
    real: Database, by_hook: Settings, by_mail: Settings, gateway: Gateway, mailbox: Mailbox
) -> None:
    both = replace(by_mail, webhook_url=by_hook.webhook_url, webhook_secret=by_hook.webhook_secret)
    deliver(real, tell(real, address="13812345678"), both)
    deliver(real, tell(real, address="citizen@example.cn"), both)
    assert [json.loads(body)["to"] for _headers, body in gateway.calls] == [
        {"phone": "13812345678"}
    ]
    assert [letter["To"] for letter in mailbox.letters] == ["citizen@example.cn"]


def test_who_left_or_was_forgotten_is_not_told(
    real: Database, by_hook: Settings, gateway: Gateway
) -> None:
    deliver(real, tell(real, state="retired"), by_hook)
    notice_id = tell(real, address="13812345678")
    with real.transaction(WEIFANG) as session:
        notices.forget(session, "13812345678", at=NOON)
    deliver(real, notice_id, by_hook)
    deliver(real, uuid.uuid4(), by_hook)
    assert gateway.calls == []


def test_without_mail_and_gateway_a_notice_stays_on_the_page(
    real: Database, by_hook: Settings, gateway: Gateway
) -> None:
    deliver(real, tell(real), replace(by_hook, webhook_url=""))
    with real.transaction(WEIFANG) as session:
        assert session.scalars(select(Delivery)).all() == []
        assert len(session.scalars(select(Notice)).all()) == 1


def test_the_jobs_carry_notices_to_their_end(
    real: Database, by_hook: Settings, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_surroundings", [queue.Surroundings(real, by_hook)])
    with real.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
    first, second = tell(real), tell(real)
    jobs.deliver(subdistrict_id=WEIFANG, notice_ids=[str(first), str(second)])
    assert len(gateway.calls) == 2
    with real.transaction(WEIFANG) as session:
        session.execute(update(Delivery).values(state="sending", next_at=NOON))
    jobs.deliver_due(timestamp=0)
    assert len(gateway.calls) == 4
    assert len({headers["webhook-id"] for headers, _body in gateway.calls}) == 2
