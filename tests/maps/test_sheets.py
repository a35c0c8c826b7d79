"""Map pages with one question each: right numbers, right signs, nobody sees more than they may."""

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from roadchief.db import Database, new_id, tenant_of
from roadchief.insight.models import HotSpot, SegmentRisk
from roadchief.lib import clock
from roadchief.maps import case_sheets, coverage_sheet, patrol_sheet, sheet_views
from roadchief.maps.case_sheets import Periods
from roadchief.maps.duty_layers import ALL_CASES
from roadchief.patrol.models import PatrolItem, Track
from roadchief.patrol.plan_models import ShiftBeat
from roadchief.patrol.planning import shifts
from roadchief.streets.models import Station
from tests import makers
from tests.cast import Cast, sign_in
from tests.issues import ground
from tests.maps.test_duty_layers import CODE, visit

ALL = {**ALL_CASES}
PAGES = ("coverage", "cases", "hot", "compare")
KB = 1000


@pytest.fixture
def web(app: Flask, cast: Cast) -> Callable[[str], FlaskClient]:
    inside: dict[str, FlaskClient] = {}  # a code is good once

    def enter(role: str) -> FlaskClient:
        if role not in inside:
            inside[role] = app.test_client()
            assert sign_in(inside[role], cast[role]).status_code == 302
        return inside[role]

    return enter


def street(session: Session) -> tuple[Any, Any]:
    """Two segments; in the first: seen 2 days ago, 40 days ago, never; in the second: none."""
    first, second = makers.make_segment(session), makers.make_segment(session)
    shops = [makers.make_storefront(session, first, name=name) for name in "甲乙丙"]
    now = clock.now()
    visit(session, shops[0], now - timedelta(days=2))
    visit(session, shops[1], now - timedelta(days=40))
    return first, second


def file_case(session: Session, world: Any, *, days_ago: float, ended: float | None = None) -> Any:
    at = clock.now() - timedelta(days=days_ago)
    case = ground.file_case(session, world, at=at)
    case.reported_at, case.place = at, shapely.Point(121.5187, 31.2291)
    case.segment_id, case.unit_id = world.segment.id, world.squad.id
    case.yellow_at, case.due_at = at + timedelta(days=2), at + timedelta(days=3)
    case.black_at, case.paused_at = at + timedelta(days=6), None
    if ended is not None:
        case.state, case.ended_at = "closed", clock.now() - timedelta(days=ended)
    session.flush()
    return case


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_street_teaches(web: Any, page: str) -> None:
    answer = web("operator").get(f"/map/{page}")
    assert answer.status_code == 200
    assert 'class="empty"' in answer.text
    told = web("operator").get(f"/map/{page}.json").json
    assert told["shapes"]["features"] == []
    assert told["empty"]


@pytest.mark.parametrize("page", PAGES)
def test_pages_speak_both_languages_and_stay_light(web: Any, page: str) -> None:
    client = web("operator")
    zh, en = client.get(f"/map/{page}?lang=zh"), client.get(f"/map/{page}?lang=en")
    assert len(zh.data) < 200 * KB
    assert "Legend" in en.text
    assert "图例" in zh.text
    assert "图例" not in en.text
    assert 'src="http' not in zh.text
    assert "RoadChiefSheets.attach" in zh.text


def test_the_oldest_shops_of_a_segment_are_two_clicks_away(web: Any, database: Database) -> None:
    with database.transaction(CODE) as session:
        first, _second = street(session)
        name = first.name
    client = web("operator")
    start = client.get("/chief/").text
    assert 'href="/map/coverage"' in start  # the first
    listed = client.get("/map/coverage").text
    link = f"/map/coverage?segment={first.id}"
    assert link in listed  # the second
    opened = client.get(link).text
    shops = opened[opened.index('id="opened"') : opened.index("data-rows")]
    assert name in shops
    assert shops.index("丙") < shops.index("乙") < shops.index("甲")  # never, 40 days, 2 days
    touched = client.get(f"/map/coverage/{first.id}.json").json
    assert [row["title"] for row in touched["rows"]] == ["丙", "乙", "甲"]
    assert [row["state"] for row in touched["rows"]] == ["none", "late", "ok"]


def test_coverage_says_colour_shape_and_days(web: Any, database: Database) -> None:
    with database.transaction(CODE) as session:
        first, second = street(session)
    told = web("operator").get("/map/coverage.json").json
    by_key = {row["key"]: row for row in told["rows"]}
    assert (by_key[str(first.id)]["state"], by_key[str(first.id)]["sign"]) == ("late", "▲")
    assert "从未到过 1 间" in by_key[str(first.id)]["sub"]
    assert by_key[str(second.id)]["sign"] == "○"
    assert told["rows"][0]["key"] == str(first.id)
    # How many wait, at a glance: in the sentence, in the row and in the sign on the map.
    assert told["says"] == "2 段中 1 段、共 2 间铺位超过 14 天未到"
    assert "2 间超过 14 天未到" in by_key[str(first.id)]["sub"]
    drawn = {one["properties"]["key"]: one["properties"] for one in told["shapes"]["features"]}
    assert drawn[str(first.id)]["number"] == 2
    assert "number" not in drawn[str(second.id)]


def test_a_street_that_nobody_has_walked_yet_is_not_called_seen(
    web: Any, database: Database
) -> None:
    with database.transaction(CODE) as session:
        makers.make_subdistrict(session)
        segment = makers.make_segment(session)
    client = web("operator")
    assert client.get("/map/coverage.json").json["says"] == "1 段还没有铺位"
    with database.transaction(CODE) as session:
        makers.make_storefront(session, session.merge(segment), opened_at=clock.now())
    told = client.get("/map/coverage.json").json
    assert told["says"] == "没有逾期的路段；1 间铺位还没有到过"
    assert [(row["state"], row["value"]) for row in told["rows"]] == [("none", "")]


def test_who_sees_everywhere_is_told_the_same_as_of_each_street(session: Session) -> None:
    street(session)
    at = clock.now()
    values = {"here": CODE, "at": at, "since": at - timedelta(days=14)}
    of_all = session.execute(coverage_sheet.ALL_SEGMENTS, values).all()
    own = {"everywhere": True, "who": None, "post": None}
    assert of_all == session.execute(coverage_sheet.SEGMENTS, values | own).all()
    assert (of_all[0].shops, of_all[0].never, of_all[0].late) == (3, 1, 2)


def test_the_segment_with_most_waiting_comes_first(web: Any, database: Database) -> None:
    with database.transaction(CODE) as session:
        first, second = street(session)
        for number in range(4):
            makers.make_storefront(session, second, name=f"新{number}")
    keys = [row["key"] for row in web("operator").get("/map/coverage.json").json["rows"]]
    assert keys == [str(second.id), str(first.id)]


def test_stations_are_told_to_everybody(app: Flask, database: Database) -> None:
    with database.transaction(CODE) as session:
        makers.make_subdistrict(session)
        empty = app.test_client().get(f"/map/stations?s={CODE}").text
        assert "还没有登记服务站" in empty
        for name, hours in (("夜站", ""), ("常开站", "全天开放")):
            session.add(
                Station(
                    subdistrict_id=CODE,
                    id=new_id(),
                    name=name,
                    kind="rider",
                    place=shapely.Point(121.5187, 31.2291),
                    hours=hours,
                    functions=["饮水"],
                )
            )
    client = app.test_client()
    told = client.get(f"/map/stations.json?s={CODE}").json
    assert [(row["title"], row["sign"]) for row in told["rows"]] == [("常开站", "●"), ("夜站", "◇")]
    page = client.get(f"/map/stations?s={CODE}").text
    assert "2 个服务站，1 个现在开放" in page
    more = told["shapes"]["features"][0]["properties"]["more"]
    assert client.get(more).json["lines"]
    for path in ("stations?save=html&", "save/district?"):
        saved = client.get(f"/map/{path}s={CODE}")
        assert saved.status_code == 200
        assert "attachment" in saved.headers["Content-Disposition"]
    assert client.get("/map/stations?s=310115005").status_code == 404


def test_a_chief_sees_the_own_segments_alone(
    app: Flask, cast: Cast, web: Any, database: Database
) -> None:
    with database.transaction(CODE) as session:
        first, second = street(session)
        post = makers.make_post(session, cast["chief_l2"].person)
        makers.make_assignment(session, post, first)
        here = tenant_of(session)
        for segment in (first, second):
            risk = {"name": "open_case", "amount": 2, "points": 40.0}
            session.add(
                SegmentRisk(
                    subdistrict_id=here,
                    id=segment.id,
                    points=40,
                    reasons=[risk],
                    z=None,
                    p=None,
                    reckoned_at=clock.now(),
                )
            )
        for lon in (121.5187, 121.54):
            session.add(
                HotSpot(
                    subdistrict_id=here,
                    id=new_id(),
                    place=shapely.Point(lon, 31.2291),
                    radius_m=30,
                    cases=5,
                    facts={},
                    found_at=clock.now(),
                )
            )
    chief = web("chief_l2")
    keys = {row["key"] for row in chief.get("/map/coverage.json").json["rows"]}
    assert keys == {str(first.id)}
    assert chief.get(f"/map/coverage/{first.id}.json").status_code == 200
    for path in (f"/map/coverage/{second.id}.json", f"/map/coverage?segment={second.id}"):
        assert chief.get(path).status_code == 404
    insight = chief.get("/chief/insight").text
    assert insight.count("半径") == 1
    assert web("operator").get("/chief/insight").text.count("半径") == 2
    hot = chief.get("/map/hot.json").json
    signs = [one["properties"]["sign"] for one in hot["shapes"]["features"]]
    assert sorted(signs) == sorted(["◎", "◆"])  # the near cluster, the own segment
    everything = web("operator").get("/map/hot.json").json
    assert len(everything["rows"]) == 4
    assert "2 件未结 +40" in str(everything["rows"])


def test_who_may_not_is_refused(app: Flask, web: Any, cast: Cast) -> None:
    merchant, officer = web("merchant"), web("officer")
    for page in PAGES:
        assert merchant.get(f"/map/{page}").status_code == 403
        assert app.test_client().get(f"/map/{page}").status_code == 302
    assert officer.get("/map/cases").status_code == 200
    assert officer.get("/map/coverage").status_code == 403


def test_each_day_has_its_cases_and_lights(session: Session) -> None:
    world = ground.build(session)
    running = file_case(session, world, days_ago=10)
    file_case(session, world, days_ago=40, ended=30)
    today = clock.local_date(clock.now())

    def on(days: int) -> Any:
        day = today - timedelta(days=days)
        return case_sheets.cases(session, ALL, on=day, at=clock.now(), language="zh")

    assert [row.sign for row in on(0).rows] == ["■"]
    assert [row.key for row in on(0).rows] == [str(running.id)]
    assert [row.sign for row in on(9).rows] == ["●"]
    assert on(20).rows == []  # neither was running
    assert [row.sign for row in on(35).rows] == ["▲"]  # 40 days ago, past its third day
    days = case_sheets.numbers(session, ALL, at=clock.now())
    assert len(days) == case_sheets.DAYS
    assert [(day.open, day.late) for day in (days[-1], days[-21], days[-36])] == [
        (1, 1),
        (0, 0),
        (1, 1),
    ]
    assert sum(day.filed for day in days) == 2
    assert sum(day.ended for day in days) == 1
    weeks = case_sheets.weeks(days)
    assert sum(week.filed for week in weeks) == 2
    assert weeks[0].on > weeks[-1].on


def test_older_cases_stand_in_the_first_day(session: Session) -> None:
    world = ground.build(session)
    file_case(session, world, days_ago=200)
    file_case(session, world, days_ago=200, ended=150)
    days = case_sheets.numbers(session, ALL, at=clock.now())
    assert (days[0].open, days[0].late, days[0].filed) == (1, 1, 0)
    assert (days[-1].open, days[-1].late) == (1, 1)


def test_a_former_post_opens_no_former_day(session: Session) -> None:
    world = ground.build(session)
    file_case(session, world, days_ago=10)
    nobody = {"all_cases": False, "officer": uuid.uuid4(), "patrols": False, "post": None}
    theirs = {"all_cases": False, "officer": world.officer, "patrols": False, "post": None}
    today, now = clock.local_date(clock.now()), clock.now()
    for reach, sees in ((nobody, 0), (theirs, 1)):
        found = case_sheets.cases(session, reach, on=today, at=now, language="zh")
        assert len(found.rows) == sees
        assert sum(day.open for day in case_sheets.numbers(session, reach, at=now)) == 11 * sees


def test_a_touched_case_tells_no_words_of_citizens(web: Any, database: Database) -> None:
    with database.transaction(CODE) as session:
        case = file_case(session, ground.build(session), days_ago=1)
    told = web("operator").get(f"/map/cases/{case.id}.json")
    assert case.number in told.text
    assert case.words
    assert case.words not in told.text
    assert web("operator").get(f"/map/cases/{uuid.uuid4()}.json").status_code == 404


@pytest.mark.parametrize(
    "day", ["2026-02-31", "x", "9999-12-31", "2020-01-01", "%00", "NaN", "1e9"]
)
def test_odd_days_are_brought_within_the_ninety(web: Any, day: str) -> None:
    for path in (f"/map/cases?day={day}", f"/map/cases.json?day={day}"):
        assert web("operator").get(path).status_code == 200


def test_two_periods_differ_by_arrow(session: Session) -> None:
    world = ground.build(session)
    for days in (1, 2, 3, 35):
        file_case(session, world, days_ago=days)
    today = clock.local_date(clock.now())
    wanted = Periods(today - timedelta(days=29), today, today - timedelta(days=59))
    found = case_sheets.compare(session, ALL, wanted, at=clock.now())
    assert [(row.sign, row.value, row.sub) for row in found.rows] == [("▲", "+2", "1 件 → 3 件")]
    turned = Periods(wanted.with_since, wanted.with_until, wanted.since)
    found = case_sheets.compare(session, ALL, turned, at=clock.now())
    assert [(row.sign, row.state, row.value) for row in found.rows] == [("▼", "ok", "-2")]
    alone = Periods(today - timedelta(days=5), today, date(2020, 1, 1))
    found = case_sheets.compare(session, ALL, alone, at=clock.now())
    assert "没有案件" in found.notice
    none = Periods(date(2020, 2, 1), date(2020, 2, 29), date(2020, 1, 1))
    assert case_sheets.compare(session, ALL, none, at=clock.now()).rows == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("from=2026-11-20&to=2026-11-01", "开始日期在结束日期之后"),
        ("from=2026-11-20", "请填写两个日期"),
        ("from=2026-02-30&to=2026-03-01", "请填写两个日期"),
        ("from=2020-01-01&to=2026-01-01", "最长 366 天"),
        ("from=2026-11-01&to=2026-11-20&with_from=<b>", "读不懂"),
        ("from=%00&to=%FF", "请填写两个日期"),
    ],
)
def test_periods_that_cannot_be_are_said(web: Any, asked: str, said: str) -> None:
    answer = web("operator").get(f"/map/compare?{asked}")
    assert answer.status_code == 422
    assert said in answer.text
    assert 'name="with_from"' in answer.text
    assert web("operator").get(f"/map/compare.json?{asked}").status_code == 200


def test_without_a_third_date_the_time_before_is_taken() -> None:
    given = {"from": "2026-11-11", "to": "2026-11-20"}
    wanted, trouble = sheet_views.periods(given, date(2026, 11, 25))
    assert (wanted.with_since, wanted.with_until, trouble) == (
        date(2026, 11, 1),
        date(2026, 11, 10),
        "",
    )


def plan_walk(session: Session, points: list[list[float]]) -> tuple[Any, Any]:
    """A shift over one segment, with a track and two visits, the later one too far away."""
    segment, now = makers.make_segment(session), clock.now()
    shops = [makers.make_storefront(session, segment, name=name) for name in "甲乙"]
    person = makers.make_person(session)
    shift = shifts.plan(
        session,
        person_id=person.id,
        segments=[segment],
        starts_at=now - timedelta(minutes=10),
        ends_at=now + timedelta(hours=3),
        by=None,
        at=now,
    )
    visit(session, shops[0], now, "contradicted", shift.id)
    visit(session, shops[1], now - timedelta(minutes=5), "verified", shift.id)
    id_ = new_id()
    session.add(
        PatrolItem(
            subdistrict_id=CODE,
            id=id_,
            kind="track",
            body_sha256=b"x",
            person_id=person.id,
            device_id=uuid.uuid4(),
            seq=1,
            received_at=now,
            answer={},
        )
    )
    session.flush()
    session.add(
        Track(
            subdistrict_id=CODE,
            id=id_,
            shift_id=shift.id,
            person_id=person.id,
            starts_at=now,
            ends_at=now,
            points=points,
            walked_m=100,
        )
    )
    session.flush()
    return segment, shift


LEAP = [
    [0, 31.2300, 121.5186, 5],
    [10_000, 31.2299, 121.5186, 5],
    [20_000, 49.0, 100.0, 5],  # two thousand kilometres away
    [30_000, 31.2298, 121.5187, 5],
    [40_000, 31.2297, 121.5187, 5],
    [50_000, 31.2250, 121.5187, 5],  # half a kilometre in ten seconds
    [60_000, 31.2249, 121.5187, 5],
]


def test_a_leap_of_two_thousand_kilometres_is_not_drawn(app: Flask) -> None:
    lines, strayed = patrol_sheet.walked([LEAP], (121.5187, 31.2291))
    assert strayed == 1
    assert [len(line) for line in lines] == [4, 2]
    assert all(121 < lon < 122 for line in lines for lon, _lat in line)
    # A shift without streets has no middle: what most fixes lie around is one.
    for leaps in (LEAP, [*LEAP, [25_000, 49.0, 100.0001, 5]]):
        lines, strayed = patrol_sheet.walked([leaps], None)
        assert strayed == len(leaps) - 6
        assert [len(line) for line in lines] == [4, 2]
    assert patrol_sheet.walked([], None) == ([], 0)
    assert patrol_sheet.walked([LEAP[:1]], None) == ([], 0)


def test_a_patrol_day_has_its_visits_in_order(
    app: Flask, cast: Cast, web: Any, database: Database
) -> None:
    with database.transaction(CODE) as session:
        segment, shift = plan_walk(session, LEAP)
    path = f"/map/patrol/{shift.id}"
    page = web("operator").get(path).text
    assert "1 个定位点离本班路段太远" in page
    told = web("operator").get(path + ".json").json
    assert [(row["title"], row["sign"]) for row in told["rows"]] == [("1. 乙", "●"), ("2. 甲", "▲")]
    drawn = {one["properties"]["key"]: one for one in told["shapes"]["features"]}
    assert len(drawn["track"]["geometry"]["coordinates"]) == 2
    assert drawn[str(segment.id)]["properties"]["state"] == "beat"
    # Another sub-district, a chief of other segments, nobody's shift: not found.
    assert web("chief_l2").get(path).status_code == 404
    stranger = app.test_client()
    sign_in(stranger, cast.elsewhere["admin"])
    for one in (path, path + ".json", f"/map/patrol/{uuid.uuid4()}"):
        assert stranger.get(one).status_code == 404
    assert stranger.get("/map/patrol/x").status_code == 404


def test_a_patrol_day_without_streets_leaves_its_leap_out_and_says_so(
    web: Any, database: Database
) -> None:
    with database.transaction(CODE) as session:
        _segment, shift = plan_walk(session, LEAP)
        session.execute(delete(ShiftBeat).where(ShiftBeat.shift_id == shift.id))
    path = f"/map/patrol/{shift.id}"
    assert "1 个定位点离其余的太远，没有画" in web("operator").get(path).text
    drawn = web("operator").get(path + ".json").json["shapes"]["features"]
    track = next(one for one in drawn if one["properties"]["key"] == "track")
    assert all(121 < at[0] < 122 for line in track["geometry"]["coordinates"] for at in line)


def test_the_number_of_questions_is_fixed(web: Any, database: Database, queries: Any) -> None:
    def asked() -> list[int]:
        found = []
        for page in PAGES:
            with queries() as seen:
                assert web("operator").get(f"/map/{page}").status_code == 200
            found.append(len(seen))
        return found

    with database.transaction(CODE) as session:
        street(session)
        world = ground.build(session)
        file_case(session, world, days_ago=1)
    asked()
    few = asked()
    with database.transaction(CODE) as session:
        for days in range(1, 20):
            file_case(session, world, days_ago=days)
        for _ in range(5):
            street(session)
    assert asked() == few
    assert max(few) <= 15
