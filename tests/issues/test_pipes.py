"""The page of what stands still: each matter seen, counted, and of this sub-district alone."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief import jobs
from roadchief.accounts.notice_models import Delivery, Notice
from roadchief.db import Database, new_id
from roadchief.issues.models import Case, RoutingRule
from roadchief.issues.office import pipes
from roadchief.issues.open311 import keys
from roadchief.issues.sources import promises
from roadchief.issues.voices import ApiKey
from roadchief.lib import clock
from tests import makers
from tests.cast import Cast, sign_in
from tests.issues import ground
from tests.issues.ground import World

HERE = 310115004


@pytest.fixture
def world(database: Database) -> World:
    with database.transaction(HERE) as session:
        return ground.build(session)


def counts(session: Session) -> dict[str, int]:
    return {one.key: one.count for one in pipes.look(session, at=clock.now()) if one.count}


def message(session: Session, case_id: uuid.UUID, state: str, *, ago: timedelta) -> None:
    at = clock.now() - ago
    notice = Notice(
        subdistrict_id=HERE,
        id=new_id(),
        kind="issues.unit",
        subject_id=case_id,
        once=uuid.uuid4(),
        recipient="x",
        words={},
        at=at,
    )
    session.add(notice)
    session.flush()
    session.add(
        Delivery(
            subdistrict_id=HERE,
            id=new_id(),
            notice_id=notice.id,
            channel="mail",
            state=state,
            next_at=at,
            trouble="550",
        )
    )
    session.flush()


def test_every_matter_is_seen(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    with database.transaction(HERE) as session:
        assert counts(session) == {}
        at = clock.now()
        case = ground.opened(session, world, category="ZX08", at=at, source="staff")
        session.flush()
        message(session, case.id, "given_up", ago=timedelta(hours=1))
        message(session, case.id, "given_up", ago=timedelta(days=8))
        message(session, case.id, "waiting", ago=timedelta(minutes=20))
        message(session, case.id, "waiting", ago=timedelta(minutes=5))
        message(session, case.id, "sent", ago=timedelta(hours=1))
        lost = ground.file_case(session, world, category="ZX08", at=at, source="staff")
        row = session.get_one(Case, (HERE, lost.id))
        row.state, row.unit_id, row.held, row.provisional = "open", None, True, True
        row.address = "<b>崂山路</b>"
        promises.expect(session, case.id, ["a" * 64], part="staff", at=at - timedelta(days=2))
        promises.expect(session, case.id, ["b" * 64], part="staff", at=at)
        world.green.closed_at = at - timedelta(days=1)
        session.merge(world.green)
        session.add(
            RoutingRule(
                subdistrict_id=HERE,
                id=new_id(),
                place_in_line=1,
                name="绿化",
                unit_id=world.green.id,
            )
        )
        keys.make(session, "热线", ["file"], at=at)
        key = session.query(ApiKey).one()
        key.ended_at, key.used_at = at + timedelta(days=1), at
        session.flush()
        assert counts(session) == {
            "undelivered": 1,
            "waiting": 1,
            "no_unit": 1,
            "held": 1,
            "provisional": 1,
            "photos": 1,
            "rules": 1,
            "keys": 1,
        }
    sign_in(client, cast["operator"])
    page = client.get("/admin/pipes").get_data(as_text=True)
    assert "没有送达的消息" in page
    assert f"#{case.number}" in page
    assert "&lt;b&gt;崂山路" in page
    assert page.index('id="m-undelivered"') < page.index('id="m-provisional"')
    english = client.get("/admin/pipes?lang=en").get_data(as_text=True)
    assert "Provisional dates" in english


def test_jobs_that_failed_or_wait(real: Database) -> None:
    with real.transaction(HERE) as session:
        ground.build(session)
        makers.make_subdistrict(session, 310115013)
        for place in (HERE, HERE, 310115013):
            jobs.later(session, "patrol.weigh", subdistrict_id=place, item_id=str(uuid.uuid4()))
    with real.transaction(HERE) as session:
        assert "jobs" not in counts(session)
        later = clock.now() + timedelta(minutes=20)
        found = {one.key: one for one in pipes.look(session, at=later)}
        assert found["jobs"].count == 2
        assert found["jobs"].examples[0].what == "patrol.weigh · todo"
        session.execute(text("UPDATE procrastinate_jobs SET status = 'failed'"))
        found = {one.key: one for one in pipes.look(session, at=clock.now())}
        assert found["jobs"].count == 2


def test_another_sub_districts_troubles_are_not_told(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    with database.transaction(HERE) as session:
        row = ground.file_case(session, world, category="ZX08", at=clock.now(), source="staff")
        row.held = True
    with database.transaction(310115013) as session:
        assert counts(session) == {}
    sign_in(client, cast.elsewhere["admin"])
    assert row.number not in client.get("/admin/pipes").get_data(as_text=True)


def test_one_question_a_matter(
    client: FlaskClient, cast: Cast, database: Database, world: World, queries: Callable[[], Any]
) -> None:
    sign_in(client, cast["admin"])
    with queries() as few:
        client.get("/admin/pipes")
    with database.transaction(HERE) as session:
        for _ in range(12):
            row = ground.file_case(session, world, category="ZX08", at=clock.now(), source="staff")
            row.held = True
    with queries() as many:
        page = client.get("/admin/pipes").get_data(as_text=True)
    assert len(many) == len(few)
    assert "还有 4 条" in page
