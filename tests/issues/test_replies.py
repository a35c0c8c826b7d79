"""Texts for replies: kept, changed, filled from the case, offered where they fit."""

import re
import threading
import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from roadchief.db import Database
from roadchief.errors import Refusal
from roadchief.issues import cases
from roadchief.issues.models import Case, CaseStep, ReplyTemplate
from roadchief.issues.office import replies
from roadchief.lib import clock
from tests import makers
from tests.cast import Cast, sign_in
from tests.issues import ground
from tests.issues.ground import World

HERE = 310115004
GOOD = {
    "name": "已派",
    "language": "zh",
    "verb": "contact",
    "category": "",
    "text": "编号 {number}，{category}，{place}，{unit}，{due}，{phone}",
}


@pytest.fixture
def world(database: Database) -> World:
    with database.transaction(HERE) as session:
        return ground.build(session)


def kept(database: Database, **given: str) -> uuid.UUID:
    with database.transaction(HERE) as session:
        draft = replies.drafted(GOOD | given)
        return replies.keep(session, draft, by=None, at=clock.now()).id


def names(database: Database) -> list[str]:
    with database.transaction(HERE) as session:
        return [row.name for row in replies.listing(session)]


def test_the_office_keeps_its_texts(client: FlaskClient, cast: Cast, database: Database) -> None:
    sign_in(client, cast["operator"])
    page = client.get("/admin/replies").get_data(as_text=True)
    assert "还没有模板" in page
    assert client.post("/admin/replies/standard").status_code == 303
    number = len(names(database))
    assert number == len(replies.standard()) == 16
    assert client.post("/admin/replies/standard").status_code == 303
    assert len(names(database)) == number
    assert client.post("/admin/replies", data=GOOD).status_code == 303
    page = client.get("/admin/replies").get_data(as_text=True)
    # The preview is filled as it would be sent.
    assert (
        "编号 2611-0042，占道堆物，崂山路527号，综合行政执法队，2026-11-30 17:30，021-12345" in page
    )
    with database.transaction(HERE) as session:
        row = session.scalars(select(ReplyTemplate).where(ReplyTemplate.name == "已派")).one()
    address = f"/admin/replies/{row.id}"
    assert client.post(address, data=GOOD | {"text": "改过 {number}"}).status_code == 303
    again = client.post(address, data=GOOD | {"text": "又改 {number}"})
    assert again.status_code == 409
    assert "又改 {number}" in again.get_data(as_text=True)  # what was written is kept
    with database.transaction(HERE) as session:
        rows = session.scalars(select(ReplyTemplate).where(ReplyTemplate.name == "已派")).all()
        assert sorted(bool(one.ended_at) for one in rows) == [False, True]
        now = next(one.id for one in rows if one.ended_at is None)
    assert client.post(f"/admin/replies/{now}/end").status_code == 303
    assert "已派" not in names(database)
    assert client.post(f"/admin/replies/{now}/end").status_code == 409
    assert client.post(f"/admin/replies/{uuid.uuid4()}/end").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "长" * 41},
        {"text": ""},
        {"text": "长" * 701},
        {"text": "{who}"},
        {"text": "{}"},
        {"text": "{0.__class__}"},
        {"language": "fr"},
        {"verb": "dance"},
        {"category": "ZZ99"},
        {"name": "重名"},
    ],
)
def test_odd_texts_are_refused(
    client: FlaskClient, cast: Cast, database: Database, change: dict[str, str]
) -> None:
    sign_in(client, cast["admin"])
    kept(database, name="重名")
    answer = client.post("/admin/replies", data=GOOD | change)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert names(database) == ["重名"]


def test_they_are_offered_where_they_fit_and_filled(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    with database.transaction(HERE) as session:
        case = ground.opened(session, world, category="ZX08", at=clock.now())
        number = cases.find(session, case.id).number
    mine, other = kept(database), kept(database, name="别的操作", verb="close")
    kept(database, name="别的类别", category="LH01")
    english = kept(database, name="Given", language="en", text="{category} at {place}")
    sign_in(client, cast["operator"])
    page = client.get(f"/desk/cases/{case.id}").get_data(as_text=True)
    assert "别的类别" not in page
    part = page[page.index('id="do-contact"') :]
    part = part[: part.index("</form>")]
    assert "已派" in part
    assert "Given" in part
    assert "别的操作" not in part
    assert f"编号 {number}，无序设摊" in part
    # Without script the link brings the page with the field filled, ready to be changed.
    filled = client.get(f"/desk/cases/{case.id}?reply={mine}&for=contact").get_data(as_text=True)
    field = re.search(r'id="do-contact" open.*?<textarea[^>]*>(.*?)</textarea>', filled, re.S)
    assert field is not None
    assert field[1].startswith(f"编号 {number}，无序设摊 (店外游商)，崂山路527号，综合行政执法队")
    assert "021-12345" in field[1]
    assert "{" not in field[1]
    for odd in (f"reply={other}&for=contact", "reply=x&for=dance", f"reply={english}", "reply="):
        assert client.get(f"/desk/cases/{case.id}?{odd}").status_code == 200
    sent = client.post(f"/desk/cases/{case.id}/do/contact", data={"words": field[1]})
    assert sent.status_code == 303
    with database.transaction(HERE) as session:
        step = session.scalars(select(CaseStep).where(CaseStep.verb == "contact")).one()
        assert step.words == field[1]


def test_what_a_fact_says_is_not_read_again(database: Database, world: World) -> None:
    with database.transaction(HERE) as session:
        case = ground.opened(session, world, category="ZX08", at=clock.now())
        row = session.get_one(Case, (HERE, case.id))
        row.address = "{unit}<script>"
        facts = replies.facts_of(row, "zh", at=clock.now(), phone="1", unit="执法队")
        assert replies.fill("{place}", facts) == "{unit}<script>"


def test_texts_of_another_sub_district_are_not_there(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    with database.transaction(310115013) as session:
        makers.make_subdistrict(session, 310115013)
        draft = replies.drafted(GOOD | {"name": "外街道"})
        foreign = replies.keep(session, draft, by=None, at=clock.now()).id
    sign_in(client, cast["admin"])
    assert "外街道" not in client.get("/admin/replies").get_data(as_text=True)
    assert client.post(f"/admin/replies/{foreign}", data=GOOD).status_code == 404


def test_two_who_change_one_at_once(real: Database) -> None:
    with real.transaction(HERE) as session:
        ground.build(session)
    first, start = kept(real), threading.Barrier(2)
    outcomes: list[Any] = []

    def change(words: str) -> None:
        start.wait()
        try:
            with real.transaction(HERE) as session:
                draft = replies.drafted(GOOD | {"text": words})
                replies.keep(session, draft, by=None, at=clock.now(), instead_of=first)
            outcomes.append("done")
        except Refusal as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=change, args=(words,)) for words in ("甲", "乙")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["changed_meanwhile", "done"] or outcomes.count("done") == 1
    assert names(real) == ["已派"]
