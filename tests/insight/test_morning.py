"""The chief's morning: cases past their time stand first, each within reach, in few questions."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.accounts.models import Post
from roadchief.db import Database
from roadchief.issues.models import Case
from roadchief.lib import clock
from tests import makers
from tests.cast import Cast, sign_in
from tests.issues import ground
from tests.issues.ground import World

HERE = 310115004


@pytest.fixture
def world(database: Database, cast: Cast) -> World:
    """A street that the level-2 chief answers for; the level-3 chief has nothing here."""
    with database.transaction(HERE) as session:
        world = ground.build(session)
        post = select(Post).where(Post.person_id == cast["chief_l2"].person.id)
        makers.make_assignment(session, session.scalars(post).one(), world.segment)
    return world


def late(session: Session, world: World, **ago: float) -> Case:
    case = ground.opened(session, world, at=clock.now(), category="ZX08")
    case.due_at = clock.now() - timedelta(**ago)
    case.yellow_at = case.due_at - timedelta(hours=1)
    case.black_at = case.due_at + timedelta(hours=30)
    return case


@pytest.mark.parametrize(
    ("ago", "light", "said"),
    [
        ({"days": 2, "hours": 1}, "严重逾期", "超 2 天"),
        ({"hours": 5, "minutes": 1}, "逾期", "超 5 小时"),
        ({"seconds": 20}, "逾期", "超 1 分钟"),
    ],
)
def test_an_overdue_case_of_the_own_street_is_the_first_thing_to_do(
    database: Database,
    client: FlaskClient,
    cast: Cast,
    world: World,
    ago: dict[str, float],
    light: str,
    said: str,
) -> None:
    with database.transaction(HERE) as session:
        case = late(session, world, **ago)
    sign_in(client, cast["chief_l2"])
    page = client.get("/chief/").text
    first = page[page.index("先做这些") :]
    first = first[first.index("<li>") : first.index("</li>")]
    assert case.number in first
    assert said in first
    assert light in first
    assert f"/desk/cases/{case.id}" in first
    assert "案件逾期 1" in page
    assert "1 件" in page
    assert client.get(f"/desk/cases/{case.id}").status_code == 200


def test_a_case_that_waits_for_a_look_is_said_with_its_state(
    database: Database, client: FlaskClient, cast: Cast, world: World
) -> None:
    with database.transaction(HERE) as session:
        case = ground.opened(session, world, at=clock.now(), category="ZX08")
        case.state = "submitted"
    sign_in(client, cast["chief_l2"])
    page = client.get("/chief/").text
    assert "案件待核查 1" in page
    assert "案件逾期 0" in page
    assert case.number in page[page.index("先做这些") :]


def test_a_case_that_is_late_and_waits_for_a_look_is_one(
    database: Database, client: FlaskClient, cast: Cast, world: World
) -> None:
    with database.transaction(HERE) as session:
        case = late(session, world, days=2)
        case.state = "submitted"
    sign_in(client, cast["chief_l2"])
    page = client.get("/chief/").text
    assert "案件逾期 1" in page
    assert "案件待核查 1" in page
    assert "</span> 1 件" in page
    assert page[page.index("先做这些") :].count(case.number) == 1


def test_who_may_not_review_is_not_told_that_reviews_wait(
    client: FlaskClient, cast: Cast, world: World
) -> None:
    sign_in(client, cast["segment_chief"])
    assert "到访待审核" not in client.get("/chief/").text
    sign_in(client, cast["chief_l2"])
    assert "到访待审核" in client.get("/chief/").text


def test_cases_of_other_streets_are_not_there(
    database: Database, client: FlaskClient, cast: Cast, world: World
) -> None:
    with database.transaction(HERE) as session:
        number = late(session, world, days=2).number
    sign_in(client, cast["chief_l3"])
    page = client.get("/chief/").text
    assert number not in page
    assert "案件逾期 0" in page


def test_who_has_no_desk_is_not_led_to_it(client: FlaskClient, cast: Cast, world: World) -> None:
    sign_in(client, cast["admin"])
    page = client.get("/chief/")
    assert page.status_code == 200
    assert "案件逾期" not in page.text


def test_many_overdue_cases_are_counted_in_as_many_questions(
    database: Database, client: FlaskClient, cast: Cast, world: World, queries: Any
) -> None:
    def asked() -> tuple[int, str]:
        with queries() as seen:
            page = client.get("/chief/").text
        return len(seen), page

    sign_in(client, cast["chief_l2"])
    with database.transaction(HERE) as session:
        late(session, world, days=2)
    asked()  # what is kept by the process is read once
    few, _ = asked()
    with database.transaction(HERE) as session:
        for hours in range(1, 9):
            late(session, world, hours=hours)
    many, page = asked()
    assert many == few
    assert "全部 9 件逾期案件" in page
    assert "Overdue cases: 9" in client.get("/chief/?lang=en").text
