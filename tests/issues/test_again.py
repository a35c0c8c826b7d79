"""Reported again: too late to reopen, so a new case names the old one and both stories say so."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.db import Database
from roadchief.issues import adjusting, cases, handling, opening, spots, story
from roadchief.issues.cases import Who
from roadchief.issues.citizens import again, feedback
from roadchief.issues.citizens.feedback import TooLateToReopen
from roadchief.issues.models import Case, CaseStep
from roadchief.lib import clock
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG
from tests.issues import ground
from tests.issues.ground import CENTRE, TUESDAY, World
from tests.issues.test_citizen_pages import code_of, form
from tests.races import at_once

DAY = timedelta(days=1)


@pytest.fixture
def world(database: Database) -> World:
    with database.transaction(WEIFANG) as session:
        return ground.build(session)


def closed(
    client: FlaskClient, database: Database, world: World, *, ago: int, **given: object
) -> str:
    """The code of a report whose case was closed so many days ago."""
    code = code_of(client.post("/report", data=form(world, **({"confirmed": "1"} | given))))
    at = clock.now() - ago * DAY
    with database.transaction(WEIFANG) as session:
        case = cases.locked(session, feedback.by_code(session, code).case_id)
        case.reported_at = case.begun_at = at - DAY
        opening.open_case(session, case, who=CENTRE, at=at - DAY)
        if case.state == "notified_merchant":
            opening.dispatch(session, case, who=CENTRE, to=world.squad.id, at=at - DAY)
        unit = Who("unit", world.officer)
        if case.state == "assigned":
            handling.accept(session, case, who=unit, at=at)
            photo = ground.make_photo(session, seed=ago)
            handling.submit(session, case, who=unit, at=at, words="好", photo_ids=(photo,))
        kind = "fixed_by_unit" if case.state == "submitted" else "no_action"
        handling.close(session, case, who=CENTRE, at=at, kind=kind, words="好")
    return code


def all_cases(database: Database) -> list[Case]:
    with database.transaction(WEIFANG) as session:
        return list(session.scalars(select(Case).order_by(Case.number)))


def test_the_receipt_offers_it_and_the_form_knows_place_and_class(
    client: FlaskClient, database: Database, world: World
) -> None:
    code = closed(client, database, world, ago=20)
    page = client.get(f"/follow/{code}").get_data(as_text=True)
    link = re.search(r'href="(/report\?again=[^"]+)"', page)
    assert link
    assert "没有解决" not in page
    sheet = client.get(link[1].replace("&amp;", "&")).get_data(as_text=True)
    assert f'name="again" value="{code}"' in sheet
    assert f'name="storefront" value="{world.shop.id}"' in sheet
    assert 'value="ZX02" checked' in sheet
    values = form(world, again=code, words="又堆满了")
    new = code_of(client.post("/report", data=values))
    assert code_of(client.post("/report", data=values)) == new  # sent twice, linked once
    old, made = all_cases(database)
    assert made.again_of_id == old.id
    assert made.repeat  # closed 20 days ago, the same class
    with database.transaction(WEIFANG) as session:
        steps = session.scalars(select(CaseStep.verb).where(CaseStep.case_id == old.id)).all()
        assert steps.count("again") == 1
    old_page = client.get(f"/follow/{code}").get_data(as_text=True)
    new_page = client.get(f"/follow/{new}").get_data(as_text=True)
    assert f"此后再次反映：案件 {made.number}" in old_page
    assert f"原案件 {old.number}" in new_page


@pytest.mark.parametrize(
    ("ago", "category", "repeated"),
    [(20, "BJ02", True), (40, "BJ02", False), (20, "LH01", False)],
)
def test_a_repeat_is_one_within_thirty_days_and_of_the_same_class(
    session: Session, ago: int, category: str, repeated: bool
) -> None:
    world, nowhere = ground.build(session), spots.nowhere("第三棵树下")
    old = ground.file_case(session, world, category="BJ02", spot=nowhere)
    opening.open_case(session, old, who=CENTRE, at=TUESDAY)
    if old.state == "assigned":
        handling.accept(session, old, who=world.unit, at=TUESDAY)
        adjusting.give_back(session, old, who=world.unit, at=TUESDAY, words="不属本单位")
    handling.close(session, old, who=CENTRE, at=TUESDAY, kind="no_action", words="好")
    later = TUESDAY + ago * DAY
    new = ground.file_case(session, world, category=category, spot=nowhere, at=later)
    again.link(session, new, of=old, at=later)
    session.flush()
    assert (new.again_of_id, new.repeat) == (old.id, repeated)


def test_one_that_can_be_reopened_is_to_be_reopened(
    client: FlaskClient, database: Database, world: World
) -> None:
    code = closed(client, database, world, ago=3)
    assert "/report?again=" not in client.get(f"/follow/{code}").get_data(as_text=True)
    assert client.get(f"/report?again={code}&s={WEIFANG}").status_code == 422
    answer = client.post("/report", data=form(world, again=code, confirmed="1"))
    assert answer.status_code == 422
    assert "没有解决" in answer.get_data(as_text=True)
    assert len(all_cases(database)) == 1


def test_who_does_not_hold_the_receipt_links_nothing(
    client: FlaskClient, database: Database, world: World
) -> None:
    code = closed(client, database, world, ago=20)
    stranger = client.application.test_client()
    for odd in (code, "0123456789", "'; --", "长" * 300):
        page = stranger.get("/report", query_string={"again": odd, "s": WEIFANG})
        assert page.status_code == 200
        answer = stranger.post("/report", data=form(world, again=odd, confirmed="1"))
        assert answer.status_code == 303
    assert [row.again_of_id for row in all_cases(database)] == [None] * 5


def test_a_private_case_is_not_told_to_the_public(
    client: FlaskClient, database: Database, world: World
) -> None:
    code = closed(client, database, world, ago=20)
    client.post("/report", data=form(world, again=code, category="YJ02", confirmed="1"))
    old, made = all_cases(database)
    with database.transaction(WEIFANG) as session:
        public = story.is_public(made)
        case = cases.find(session, old.id)
        assert bool(story.around(session, case)) == public
        assert any(line.verb == "again" for line in story.for_public(session, case)) == public
        assert any(line.verb == "again" for line in story.for_desk(session, case))


def test_the_desk_sees_both_ways_within_reach(
    client: FlaskClient, database: Database, world: World, cast: Cast
) -> None:
    code = closed(client, database, world, ago=20)
    client.post("/report", data=form(world, again=code, confirmed="1"))
    old, made = all_cases(database)
    sign_in(client, cast["operator"])
    assert "此后再次反映" in client.get(f"/desk/cases/{old.id}").get_data(as_text=True)
    assert "再次反映的原案件" in client.get(f"/desk/cases/{made.id}").get_data(as_text=True)


def test_two_at_once_are_both_linked(real: Database) -> None:
    at = clock.now()
    with real.transaction(WEIFANG) as session:
        world = ground.build(session)
        old = ground.file_case(session, world, at=at - 40 * DAY)
        adjusting.reject(session, old, who=CENTRE, at=at - 39 * DAY, words="不属实")
        handling.reopen(session, old, who=CENTRE, at=at - 38 * DAY, words="复查")
        handling.accept(session, old, who=world.unit, at=at - 37 * DAY)
        photo = ground.make_photo(session)
        handling.submit(
            session, old, who=world.unit, at=at - 37 * DAY, words="好", photo_ids=(photo,)
        )
        handling.close(session, old, who=CENTRE, at=at - 36 * DAY, kind="fixed_by_unit", words="好")
        old_id = old.id

    def report(session) -> None:  # type: ignore[no-untyped-def]
        case = cases.locked(session, old_id)
        new = ground.file_case(session, world, at=at)
        again.link(session, new, of=case, at=at)

    assert at_once(real, report, report) == ["done", "done"]
    with real.transaction(WEIFANG) as session:
        assert len(session.scalars(select(Case).where(Case.again_of_id == old_id)).all()) == 2
        assert TooLateToReopen(days=15).say("zh").endswith("关联原案件")
