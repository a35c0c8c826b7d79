"""Who sees which cases: the same in list, page, map, export, statistics, merging and bulk acts."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
import shapely
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from roadchief.accounts.access import Actor
from roadchief.accounts.models import Post
from roadchief.db import Database, new_id
from roadchief.issues import board, cases, reach
from roadchief.issues.figures import periods
from roadchief.issues.models import Case, CaseHelper, CaseStep
from roadchief.issues.sources import patrolled
from roadchief.lib import clock
from roadchief.maps.duty_layers import IN_REACH, cases_in_reach
from roadchief.patrol.plan_models import Shift, ShiftBeat
from roadchief.streets.models import Assignment, RoadSegment
from tests import makers
from tests.cast import Cast, sign_in
from tests.issues import ground
from tests.issues.ground import World

HERE = 310115004
FAR = shapely.LineString([(121.5300, 31.2300), (121.5320, 31.2300)])
PARTS = ("patroller", "chief_l2", "chief_l3", "segment_chief", "deputy_chief", "officer")


@pytest.fixture
def world(database: Database, cast: Cast) -> World:
    with database.transaction(HERE) as session:
        world = ground.build(session)
        post = post_of(session, cast, "officer")
        post.organisation_id = world.squad.id
    return world


def post_of(session: Session, cast: Cast, role: str) -> Post:
    return session.scalars(select(Post).where(Post.person_id == cast[role].person.id)).one()


def assign(database: Database, cast: Cast, world: World, role: str, **given: Any) -> Assignment:
    with database.transaction(HERE) as session:
        return makers.make_assignment(session, post_of(session, cast, role), world.segment, **given)


def far_segment(session: Session) -> RoadSegment:
    return makers.make_segment(session, name="浦电路", line=FAR, code=f"PD{uuid.uuid4().hex[:4]}")


def made(database: Database, world: World, *, away: bool = False, **given: Any) -> Case:
    """A case on the world's street, or away on another one."""
    with database.transaction(HERE) as session:
        case = ground.opened(session, world, at=clock.now(), **{"category": "ZX08"} | given)
        if away:
            case.segment_id = far_segment(session).id
        return case


def see(database: Database, cast: Cast, role: str) -> set[uuid.UUID]:
    """The cases that list, map and the text condition tell this person: they must agree."""
    at = clock.now()
    actor = Actor(cast[role].person.id, "", HERE, frozenset({role}), True)
    with database.transaction(HERE) as session:
        scope = reach.scope_of(session, actor, at=at)
        rows, total = board.page(session, board.Filter(), scope, at=at, number=1, size=100)
        listed = {row.case.id for row in rows}
        asked = f"SELECT c.id FROM case_file c WHERE c.subdistrict_id = :here AND {IN_REACH}"
        values = {"here": HERE, "at": at, **cases_in_reach(actor)}
        assert set(session.scalars(text(asked), values)) == listed
        since, until = periods.period({}, at=at)
        assert periods.report(session, since, until, at=at, scope=scope).total.cases == len(listed)
        assert total == len(listed)
        assert reach.among(session, listed | {uuid.uuid4()}, scope) == listed
    return listed


def test_a_patroller_has_the_beat_and_what_was_raised(
    database: Database, cast: Cast, world: World
) -> None:
    here, away = made(database, world), made(database, world, away=True)
    assert see(database, cast, "patroller") == set()
    assign(database, cast, world, "patroller")
    assert see(database, cast, "patroller") == {here.id}
    person = cast["patroller"].person.id
    with database.transaction(HERE) as session:
        patrolled.raise_from_patrol(
            session,
            storefront_id=world.shop.id,
            item="WS01",
            by=person,
            at=clock.now(),
            source_id=new_id(),
        )
        own = session.scalars(select(Case).where(Case.category == "WS01")).one()
        own.segment_id = far_segment(session).id
    assert see(database, cast, "patroller") == {here.id, own.id}
    assert see(database, cast, "operator") == {here.id, away.id, own.id}


@pytest.mark.parametrize(("days", "there"), [(1, True), (29, True), (31, False)])
def test_a_beat_that_was_given_up_stays_for_some_days(
    database: Database, cast: Cast, world: World, days: int, there: bool
) -> None:
    case, at = made(database, world), clock.now()
    begun = at - timedelta(days=90)
    row = assign(database, cast, world, "patroller", starts_at=begun)
    with database.transaction(HERE) as session:
        post_of(session, cast, "patroller").starts_at = begun
        session.get_one(Assignment, (HERE, row.id)).ends_at = at - timedelta(days=days)
    assert see(database, cast, "patroller") == ({case.id} if there else set())


@pytest.mark.parametrize(
    ("begins", "state", "there"),
    [(-1, "closed", True), (6, "planned", True), (-1, "cancelled", False), (-800, "closed", False)],
)
def test_who_stands_in_has_the_beat_of_the_shift(
    database: Database, cast: Cast, world: World, begins: int, state: str, there: bool
) -> None:
    case, at = made(database, world), clock.now() + timedelta(hours=begins)
    with database.transaction(HERE) as session:
        shift = Shift(
            subdistrict_id=HERE,
            id=new_id(),
            person_id=cast["patroller"].person.id,
            title="代班",
            starts_at=at,
            ends_at=at + timedelta(hours=4),
            state=state,
            nonce="x",
        )
        session.add(shift)
        session.flush()
        beat = ShiftBeat(
            subdistrict_id=HERE,
            id=new_id(),
            shift_id=shift.id,
            segment_id=world.segment.id,
            seq=1,
        )
        session.add(beat)
    assert see(database, cast, "patroller") == ({case.id} if there else set())


@pytest.mark.parametrize("role", [part for part in PARTS if "chief" in part])
def test_list_map_and_statistics_of_a_chief_agree(
    database: Database, cast: Cast, world: World, role: str
) -> None:
    case = made(database, world)
    made(database, world, away=True)
    assert see(database, cast, role) == set()
    assign(database, cast, world, role)
    assert see(database, cast, role) == {case.id}


def test_an_officer_has_what_the_unit_has_or_helps_with(
    database: Database, cast: Cast, world: World
) -> None:
    mine = made(database, world)
    helped, other = made(database, world, category="LH01"), made(database, world, category="LH01")
    with database.transaction(HERE) as session:
        session.add(
            CaseHelper(
                subdistrict_id=HERE,
                id=new_id(),
                case_id=helped.id,
                unit_id=world.squad.id,
                called_at=clock.now(),
            )
        )
    assert see(database, cast, "officer") == {mine.id, helped.id}
    assert other.id not in see(database, cast, "officer")


@pytest.mark.parametrize("role", ["patroller", "chief_l2"])
def test_other_streets_cases_are_not_found_anywhere(
    client: FlaskClient, cast: Cast, database: Database, world: World, role: str
) -> None:
    mine, other = made(database, world), made(database, world, away=True)
    assign(database, cast, world, role)
    sign_in(client, cast[role])
    for path in ("/desk/", "/desk/export.csv", "/desk/cases.geojson", f"/desk/?q={other.number}"):
        page = client.get(path).get_data(as_text=True)
        assert str(other.id) not in page, path
        assert f"#{other.number}" not in page, path
    assert mine.number in client.get("/desk/").get_data(as_text=True)
    for path in ("", ".pdf", "/print", f"/photos/{uuid.uuid4()}"):
        assert client.get(f"/desk/cases/{other.id}{path}").status_code == 404, path
    for path in ("/do/note", "/words", f"/photos/{uuid.uuid4()}/release"):
        answer = client.post(f"/desk/cases/{other.id}{path}", data={"words": "x"})
        assert answer.status_code == 404, path
    # Nor beside the own one: same storefront, same class.
    page = client.get(f"/desk/cases/{mine.id}").get_data(as_text=True)
    assert other.number not in page
    figures_page = client.get("/desk/figures").get_data(as_text=True)
    assert "浦电路" not in figures_page


def test_one_cannot_merge_into_what_one_does_not_see(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    mine, other = made(database, world), made(database, world, away=True)
    same = made(database, world)
    assign(database, cast, world, "chief_l2")
    sign_in(client, cast["chief_l2"])

    def merge(into: str) -> int:
        with database.transaction(HERE) as session:
            version = session.get_one(Case, (HERE, mine.id), populate_existing=True).version
        form = {"version": version, "target": into, "words": "同一件"}
        return client.post(f"/desk/cases/{mine.id}/do/duplicate", data=form).status_code

    assert merge(other.number) == 404
    assert merge("2611-9999") == 404
    with database.transaction(HERE) as session:
        assert session.get_one(Case, (HERE, mine.id)).master_id is None
        assert session.get_one(Case, (HERE, other.id)).followers == 0
    assert merge(same.number) in (303, 409)  # the table of moves decides, not reach


def test_bulk_acts_name_nothing_out_of_reach(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    mine, other = made(database, world), made(database, world, away=True)
    assign(database, cast, world, "chief_l2")
    sign_in(client, cast["chief_l2"])
    form = {"verb": "note", "words": "看过", "case": [str(mine.id), str(other.id)]}
    for sure in ({}, {"sure": "1"}):
        page = client.post("/desk/bulk", data=form | sure).get_data(as_text=True)
        assert mine.number in page
        assert other.number not in page
    with database.transaction(HERE) as session:
        noted = select(CaseStep.case_id).where(CaseStep.verb == "note")
        assert set(session.scalars(noted)) == {mine.id}


def test_a_patrollers_beat_gives_no_chiefs_power(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    case = made(database, world)
    assign(database, cast, world, "patroller")
    sign_in(client, cast["patroller"])
    assert client.get(f"/desk/cases/{case.id}").status_code == 200
    for verb in ("close", "dispatch", "reopen"):
        answer = client.post(f"/desk/cases/{case.id}/do/{verb}", data={"words": "x", "kind": "x"})
        assert answer.status_code == 409, verb


def test_statistics_by_part_add_up_as_if_counted_alone(
    database: Database, cast: Cast, world: World
) -> None:
    made(database, world)
    made(database, world, category="LH01")
    made(database, world, away=True)
    assign(database, cast, world, "chief_l2")
    at = clock.now()
    actor = Actor(cast["chief_l2"].person.id, "", HERE, frozenset({"chief_l2"}), True)
    with database.transaction(HERE) as session:
        scope = reach.scope_of(session, actor, at=at)
        since, until = periods.period({}, at=at)
        whole = periods.report(session, since, until, at=at)
        part = periods.report(session, since, until, at=at, scope=scope)
        assert (whole.total.cases, part.total.cases) == (3, 2)
        assert {row.name for row in part.cuts["segment"]} == {world.segment.name}
        assert sum(row.cases for row in part.cuts["category"]) == 2
        case = cases.find(session, session.scalars(select(Case.id).limit(1)).one())
        assert reach.parts_in(case, actor, scope, set()) is not None
