"""The presence radius of a segment: who sets it, from when, and which visits it judges."""

import uuid
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from roadchief.accounts.models import Post
from roadchief.db import Database
from roadchief.errors import BadInput, NotFound
from roadchief.events import Event
from roadchief.lib import clock
from roadchief.patrol.phone import download
from roadchief.patrol.plan_models import RadiusChange
from roadchief.patrol.planning import weeks
from roadchief.patrol.presence import radius
from roadchief.streets import register
from tests import makers
from tests.cast import Cast, sign_in
from tests.patrol.conftest import Beat
from tests.patrol.phone import Phone
from tests.races import at_once

HERE = 310115004
HOUR = timedelta(hours=1)


def put(
    session: Session, segment_id: uuid.UUID, to: float | None, at: datetime, **more: Any
) -> Any:
    given = {"from_at": None, "by": None, "because": "高楼遮挡"} | more
    return radius.set_radius(session, segment_id, to=to, at=at, **given)


def test_the_last_word_that_counts_is_in_force(beat: Beat) -> None:
    session, segment, at = beat.session, beat.segment.id, beat.at
    assert (
        radius.look(session, segment, at=at).radius_m,
        radius.look(session, segment, at=at).own,
    ) == (30, False)
    put(session, segment, 50, at)
    put(session, segment, 20, at + HOUR, from_at=at + 5 * HOUR)
    held = radius.look(session, segment, at=at + 2 * HOUR)
    assert (held.radius_m, held.pending and held.pending.radius_m) == (50, 20)
    assert radius.look(session, segment, at=at + 6 * HOUR).radius_m == 20
    # A later word replaces the one that was to come.
    put(session, segment, 60, at + 3 * HOUR)
    held = radius.look(session, segment, at=at + 9 * HOUR)
    assert (held.radius_m, held.pending, len(held.history)) == (60, None, 3)
    put(session, segment, None, at + 10 * HOUR)
    assert radius.of_segments(session, [segment], at=at + 11 * HOUR) == {segment: None}
    assert radius.look(session, segment, at=at + 11 * HOUR).radius_m == 30
    told = session.scalars(select(Event).where(Event.name == "patrol.radius_set")).all()
    assert [one.data["radius_m"] for one in sorted(told, key=lambda one: one.at)] == [
        50,
        20,
        60,
        None,
    ]


def test_a_visit_is_judged_by_the_radius_of_its_own_moment(beat: Beat) -> None:
    shop = beat.shops[0].id
    put(beat.session, beat.segment.id, 60, beat.at - 3 * HOUR)
    put(beat.session, beat.segment.id, 10, beat.at - HOUR)
    early = Phone(beat.person_id, beat.at - 2 * HOUR).check_in(shop, metres=65)
    (answer,) = beat.send(early)  # arrives two hours late
    assert (answer["outcome"]["verdict"], answer["outcome"]["radius_m"]) == ("verified", 60)
    (answer,) = beat.send(beat.phone.check_in(shop, metres=20))
    assert (answer["outcome"]["verdict"], answer["outcome"]["limit_m"]) == ("verified", 22)
    before = Phone(beat.person_id, beat.at - 4 * HOUR).check_in(shop, metres=20)
    assert beat.send(before)[0]["outcome"]["radius_m"] == 30


def test_the_phone_takes_along_what_counts_when_the_walk_begins(beat: Beat) -> None:
    ahead = beat.shift.starts_at
    put(beat.session, beat.segment.id, 45, ahead - 3 * HOUR, from_at=ahead - HOUR)
    found = download.shift(beat.session, beat.shift.id, beat.person_id, at=ahead - 2 * HOUR)
    assert found["segments"][0]["radius_m"] == 45
    assert {stop["radius_m"] for stop in found["stops"]} == {45}


@pytest.mark.parametrize("to", [9.9, 100.1, float("nan"), float("inf"), -1])
def test_limits(beat: Beat, to: float) -> None:
    with pytest.raises(BadInput):
        put(beat.session, beat.segment.id, to, beat.at)


def test_neither_past_nor_far_off_nor_nothing(beat: Beat) -> None:
    for from_at in (beat.at - HOUR, beat.at + timedelta(days=91)):
        with pytest.raises(BadInput):
            put(beat.session, beat.segment.id, 50, beat.at, from_at=from_at)
    with pytest.raises(radius.NoChange):
        put(beat.session, beat.segment.id, None, beat.at)
    with pytest.raises(NotFound):
        put(beat.session, uuid.uuid4(), 50, beat.at)
    assert not beat.session.scalars(select(RadiusChange)).all()


def test_history_cannot_be_edited(beat: Beat) -> None:
    put(beat.session, beat.segment.id, 50, beat.at)
    for act in ("UPDATE radius_change SET radius_m = 99", "DELETE FROM radius_change"):
        with pytest.raises(ProgrammingError, match="denied"), beat.session.begin_nested():
            beat.session.execute(text(act))


def test_of_two_at_once_one_is_told(real: Database) -> None:
    at = makers.NOON
    with real.transaction(HERE) as session:
        makers.make_subdistrict(session)
        segment = makers.make_segment(session)

    def act(to: float) -> Any:
        return lambda session: put(session, segment.id, to, at, seen=None, looked=True)

    assert at_once(real, act(40), act(50)) == ["ChangedMeanwhile", "done"]


def test_what_a_radius_would_have_made_of_visits(beat: Beat) -> None:
    for metres in (6, 55, 300):
        beat.send(beat.phone.check_in(beat.shops[0].id, metres=metres))
    now = radius.reckon_again(beat.session, beat.segment.id, 30, at=beat.at)
    wide = radius.reckon_again(beat.session, beat.segment.id, 50, at=beat.at)
    assert now == {"verified": 1, "weak": 0, "contradicted": 2}
    assert wide == {"verified": 2, "weak": 0, "contradicted": 1}


# The page.


@pytest.fixture
def chief(client: FlaskClient, cast: Cast, database: Database) -> tuple[FlaskClient, uuid.UUID]:
    with database.transaction(HERE) as session:
        segment = makers.make_segment(session)
        post = select(Post).where(Post.person_id == cast["chief_l2"].person.id)
        makers.make_assignment(session, session.scalars(post).one(), segment)
    sign_in(client, cast["chief_l2"])
    return client, segment.id


def test_a_chief_sets_it_and_sees_who_and_why(
    chief: tuple[FlaskClient, uuid.UUID], database: Database
) -> None:
    client, segment = chief
    path = f"/chief/segments/{segment}/radius"
    assert f'href="{path}"' in client.get(f"/admin/streets/segments/{segment}").text
    page = client.get(f"{path}?radius=45").text
    assert "没有改过。" in page
    assert "45 m" in page
    given = {"way": "own", "radius": "45", "because": "高楼遮挡", "seen": ""}
    assert client.post(path, data=given).status_code == 303
    page = client.get(path).text
    assert "周建国" in page
    assert "高楼遮挡" in page
    # Pressed again from the page as it was before.
    assert client.post(path, data=given | {"radius": "60"}).status_code == 409
    with database.transaction(HERE) as session:
        (row,) = session.scalars(select(RadiusChange))
    day = clock.local_date(clock.now()) + timedelta(days=3)
    later = {"way": "rules", "from": day.isoformat(), "because": "楼拆了", "seen": str(row.id)}
    assert client.post(path, data=later).status_code == 303
    assert "起改为 通用规则" in client.get(path).text
    with database.transaction(HERE) as session:
        newest = session.scalars(select(RadiusChange).order_by(RadiusChange.set_at.desc())).first()
    assert newest
    assert newest.from_at == weeks.instant(day, time())


@pytest.mark.parametrize(
    "odd",
    [
        {"radius": ""},
        {"radius": "9"},
        {"radius": "1e9"},
        {"radius": "nan"},
        {"because": ""},
        {"from": "tomorrow"},
        {"from": "2020-01-01"},
        {"from": "9999-12-31"},
        {"from": date.max.isoformat()},
        {"seen": "x"},
    ],
)
def test_odd_input_changes_nothing(
    chief: tuple[FlaskClient, uuid.UUID], database: Database, odd: dict[str, str]
) -> None:
    client, segment = chief
    given = {"way": "own", "radius": "45", "because": "高楼遮挡", "seen": ""} | odd
    answer = client.post(f"/chief/segments/{segment}/radius", data=given)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    with database.transaction(HERE) as session:
        assert not session.scalars(select(RadiusChange)).all()


def test_others_segments_are_not_found_and_lookers_may_not_set(
    chief: tuple[FlaskClient, uuid.UUID], app: Any, cast: Cast, database: Database
) -> None:
    client, segment = chief
    with database.transaction(HERE) as session:
        far = makers.make_segment(session)
    assert client.get(f"/chief/segments/{far.id}/radius").status_code == 404
    assert client.post(f"/chief/segments/{far.id}/radius", data={}).status_code == 404
    auditor = app.test_client()
    sign_in(auditor, cast["auditor"])
    page = auditor.get(f"/chief/segments/{segment}/radius")
    assert page.status_code == 200
    assert "登记</button>" not in page.text
    assert auditor.post(f"/chief/segments/{segment}/radius", data={}).status_code == 403


def test_it_follows_a_segment_that_is_split_and_two_that_are_merged(beat: Beat, app: Any) -> None:
    session, at, by = beat.session, beat.at, beat.person_id
    put(session, beat.segment.id, 60, at - 3 * HOUR)
    put(session, beat.segment.id, 45, at - HOUR)
    halves = register.split_segment(
        session, beat.segment, at_measure_m=200, by=by, at=at, because="新路口"
    )
    for half in halves:
        held = radius.look(session, half.id, at=at)
        assert (held.radius_m, len(held.history)) == (45, 2)
    shop = beat.shops[0].id
    early = Phone(by, at - 2 * HOUR).check_in(shop, metres=65)
    assert beat.send(early, at=at + HOUR)[0]["outcome"]["radius_m"] == 60
    put(session, halves[1].id, 70, at + HOUR)
    merged = register.merge_segments(session, *halves, by=by, at=at + 2 * HOUR, because="路口封闭")
    assert radius.look(session, merged.id, at=at + 2 * HOUR).radius_m == 70
