"""People are told once, of what happened to them, and read it on their own page."""

import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from roadchief.accounts import notices
from roadchief.accounts.notice_models import Notice
from roadchief.accounts.wording import parse
from roadchief.db import Database
from roadchief.errors import NotFound
from tests import makers
from tests.accounts.test_wording import SOURCE
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG, make_settings
from tests.makers import NOON

CASE = uuid.UUID("01900000-0000-7000-8000-0000000000aa")
WORDS = {"number": "WF-1", "place": "崂山路527号", "what": "垃圾", "path": "/admin/streets"}


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "KINDS", parse(SOURCE))


def tell(session: Session, to: uuid.UUID | None, **given: Any) -> Notice | None:
    values: dict[str, Any] = {"address": None, "kind": "test.case", "subject_id": CASE}
    return notices.tell(session, to=to, **(values | {"words": WORDS, "at": NOON} | given))


def jobs_of(session: Session) -> list[dict[str, Any]]:
    sql = "SELECT args FROM procrastinate_jobs WHERE task_name = 'notices.deliver' ORDER BY id"
    return list(session.scalars(text(sql)))


def test_a_person_is_told_and_a_job_carries_it_on(session: Session) -> None:
    person = makers.make_person(session)
    row = tell(session, person.id)
    assert row is not None
    assert notices.unread(session, person.id) == 1
    assert jobs_of(session) == [{"subdistrict_id": WEIFANG, "notice_ids": [str(row.id)]}]


def test_told_again_nothing_happens(session: Session) -> None:
    person, step = makers.make_person(session), uuid.uuid4()
    assert tell(session, person.id) is not None
    assert tell(session, person.id, at=NOON + timedelta(hours=1)) is None
    assert tell(session, person.id, once=step) is not None
    assert tell(session, person.id, once=step) is None
    assert len(jobs_of(session)) == 2


def test_many_are_told_in_one_statement(session: Session, queries: Any) -> None:
    people = [makers.make_person(session).id for _ in range(45)]
    tell(session, people[0])
    with queries() as seen:
        count = notices.tell_many(
            session,
            [*people, people[3]],
            kind="test.case",
            subject_id=CASE,
            words=WORDS,
            at=NOON,
        )
    assert count == 44
    assert len(seen) <= 4  # one insert, and a job for each 20
    told = [one for job in jobs_of(session) for one in job["notice_ids"]]
    assert len(told) == len(set(told)) == 45
    assert notices.tell_many(session, [], kind="test.case", subject_id=CASE, words={}, at=NOON) == 0


def test_what_is_rolled_back_was_never_told(database: Database) -> None:
    with database.transaction(WEIFANG) as session:
        person = makers.make_person(session)
    with pytest.raises(RuntimeError), database.transaction(WEIFANG) as session:
        tell(session, person.id)
        raise RuntimeError
    with database.transaction(WEIFANG) as session:
        assert notices.unread(session, person.id) == 0
        assert jobs_of(session) == []


def test_a_notice_is_for_one_recipient(session: Session) -> None:
    person = makers.make_person(session)
    for to, address in ((None, None), (person.id, "13800000000"), (None, "")):
        with pytest.raises(ValueError, match="for a person or for an address"):
            tell(session, to, address=address)
    with pytest.raises(LookupError):
        tell(session, person.id, kind="test.unknown")


def test_a_citizens_address_is_forgotten(session: Session) -> None:
    assert tell(session, None, address="13812345678") is not None
    assert tell(session, None, address="13812345678") is None
    notices.forget(session, "13812345678", at=NOON)
    row = session.scalars(select(Notice).execution_options(populate_existing=True)).one()
    assert row.address is None
    assert "138" not in row.recipient
    notices.forget(session, "13812345678", at=NOON)


def test_only_ones_own_are_read(session: Session) -> None:
    one, other = makers.make_person(session), makers.make_person(session)
    row = tell(session, one.id)
    assert row is not None
    with pytest.raises(NotFound):
        notices.read(session, row.id, other.id, at=NOON)
    notices.read(session, row.id, one.id, at=NOON)
    notices.read(session, row.id, one.id, at=NOON + timedelta(hours=1))
    assert row.read_at == NOON
    assert notices.unread(session, one.id) == 0


def test_all_are_read_but_not_what_comes_meanwhile(session: Session) -> None:
    person = makers.make_person(session)
    tell(session, person.id)
    tell(session, person.id, once=uuid.uuid4(), at=NOON + timedelta(minutes=1))
    notices.read_all(session, person.id, at=NOON)
    assert notices.unread(session, person.id) == 1


def test_a_kind_nobody_declares_any_more_still_reads(session: Session) -> None:
    row = tell(session, makers.make_person(session).id)
    assert row is not None
    notices.KINDS.clear()
    assert notices.said(row, "zh").title == "test.case"


@pytest.fixture
def reader(app: Flask, cast: Cast, database: Database) -> FlaskClient:
    client = app.test_client()
    sign_in(client, cast["patroller"])
    with database.transaction(WEIFANG) as session:
        words = WORDS | {"what": "<script>alert(1)</script>"}
        tell(session, cast["patroller"].person.id, words=words)
        tell(session, cast["steward"].person.id)
    return client


def test_the_page_shows_ones_own_and_how_many_are_new(reader: FlaskClient) -> None:
    page = reader.get("/notices").text
    assert page.count("新案件 WF-1") == 2  # the title, and the button's name
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "1 条未读" in page
    english = reader.get("/notices?lang=en").text
    assert "New case WF-1" in english
    assert "1 unread" in english
    assert "1 unread" in reader.get("/account").text


def test_opening_a_notice_leads_to_what_it_is_about(
    reader: FlaskClient, database: Database, cast: Cast
) -> None:
    with database.transaction(WEIFANG) as session:
        mine, other = (
            session.scalars(select(Notice.id).where(Notice.to == cast[role].person.id)).one()
            for role in ("patroller", "steward")
        )
    answer = reader.post(f"/notices/{mine}/open")
    assert (answer.status_code, answer.location) == (302, "/admin/streets")
    assert "条未读" not in reader.get("/notices").text
    assert reader.post(f"/notices/{other}/open").status_code == 404
    assert reader.post(f"/notices/{uuid.uuid4()}/open").status_code == 404


def test_all_are_marked_at_once(reader: FlaskClient) -> None:
    assert reader.post("/notices/read").status_code == 302
    assert "条未读" not in reader.get("/notices").text


def test_an_empty_page_says_so(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    sign_in(client, cast["officer"])
    assert "还没有通知" in client.get("/notices").text
    assert client.get("/notices?page=99999999999").status_code == 200


@pytest.fixture
def real(fresh_url: str, tmp_path: Path) -> Iterator[Database]:
    database = Database(make_settings(fresh_url, tmp_path))
    yield database
    database.engine.dispose()


def test_told_by_two_at_once_is_told_once(real: Database) -> None:
    with real.transaction(WEIFANG) as session:
        people = [makers.make_person(session).id for _ in range(6)]
    start, counts = threading.Barrier(4), list[int]()

    def act(order: list[uuid.UUID]) -> None:
        with real.transaction(WEIFANG) as session:
            start.wait()
            counts.append(
                notices.tell_many(
                    session, order, kind="test.case", subject_id=CASE, words=WORDS, at=NOON
                )
            )

    orders = [people, people[::-1], people[3:] + people[:3], people]
    threads = [threading.Thread(target=act, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 6
    with real.transaction(WEIFANG) as session:
        assert session.scalar(select(func.count()).select_from(Notice)) == 6
        told = [one for job in jobs_of(session) for one in job["notice_ids"]]
        assert len(told) == 6
