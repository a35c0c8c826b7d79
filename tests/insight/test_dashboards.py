"""Dashboards: shares from rows that are there, honest holes, one's own place alone."""

import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief import config
from roadchief.codes.models import Plate, PlateEvent
from roadchief.config import BadSetting
from roadchief.db import Database, new_id, tenant_of
from roadchief.insight import board_views, dashboards, nightly
from roadchief.insight.goals import NOTHING, Measure
from roadchief.insight.models import SegmentRisk
from roadchief.issues import cases as case_verbs
from roadchief.issues import spots
from roadchief.issues.citizens import feedback
from roadchief.issues.models import Case
from roadchief.issues.voices import Rating
from roadchief.lib import clock
from roadchief.patrol.models import CheckIn, Finding, PatrolItem
from roadchief.streets.models import Merchant, Storefront, StreetBlock, Tenancy
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG, YANGJING

NOW = datetime(2026, 11, 19, 4, 0, tzinfo=clock.SHANGHAI)  # a Thursday
LONG_AGO = NOW - timedelta(days=300)


class World:
    """A block with twelve shops, and a segment in no block."""

    def __init__(self, session: Session, shops: int = 12) -> None:
        self.session, self.here = session, tenant_of(session)
        makers.make_subdistrict(session, self.here)
        self.person = makers.make_person(session)
        self.block = self.add(StreetBlock, name=f"崂山路街区{shops}", theme="honest", area=None)
        road = makers.make_road(session)
        given = {"opened_at": LONG_AGO, "code": uuid.uuid4().hex[:8]}
        self.segment = makers.make_segment(session, road, block_id=self.block.id, **given)
        line = shapely.LineString([(121.53, 31.24), (121.53, 31.245)])
        given = {"opened_at": LONG_AGO, "code": uuid.uuid4().hex[:8], "line": line}
        self.beyond = makers.make_segment(session, road, name="外段", seq=2, **given)
        self.shops = [
            makers.make_storefront(session, self.segment, house_number=f"{n}号", opened_at=LONG_AGO)
            for n in range(shops)
        ]

    def add(self, model: type, /, **given: Any) -> Any:
        row = model(**{"subdistrict_id": self.here, "id": new_id()} | given)
        self.session.add(row)
        self.session.flush()
        return row

    def visit(self, shop: Storefront, days: float, **given: Any) -> CheckIn:
        at = NOW - timedelta(days=days)
        who = {"person_id": self.person.id, "device_id": self.person.id, "received_at": at}
        item = self.add(
            PatrolItem, kind="check_in", body_sha256=b"x", seq=1, answer={}, body=None, **who
        )
        values: dict[str, Any] = {
            "purpose": "patrol",
            "storefront_id": shop.id,
            "segment_id": shop.segment_id,
            "how": "scan",
            "occurred_at": at,
            "radius_m": 30,
            "outcome": "verified",
            "reason": "within",
            "rule": "reach-1",
            "photos": 0,
            "grade": "good",
        }
        row: CheckIn = self.add(CheckIn, **values | who | {"id": item.id} | given)
        return row

    def case(self, days: float, **given: Any) -> Case:
        at = NOW - timedelta(days=days)
        case = case_verbs.report(
            self.session,
            category="WS01",
            words="地上有垃圾",
            spot=spots.of_storefront(self.session, self.shops[0].id, at=at),
            source="citizen",
            by=None,
            at=at,
        )
        closed = {"state": "closed", "ended_at": at + timedelta(hours=3), "on_time": True}
        closed |= {"closing_kind": "fixed_by_merchant", "repeat": False}
        for name, value in (closed | given).items():
            setattr(case, name, value)
        self.session.flush()
        return case


def look(session: Session, asked: str | None = None) -> dashboards.Board:
    return dashboards.board(session, dashboards.span(asked, at=NOW))


def test_eight_weeks_end_today_and_odd_days_are_today() -> None:
    over = dashboards.span(None, at=NOW)
    assert (over.mondays[0], over.mondays[-1]) == (date(2026, 9, 28), date(2026, 11, 16))
    assert over.ends[-1] == NOW
    for odd in ("", "2026-13-40", "morgen", "9999-12-31", "2027-01-01", "\x00", "NaN", "0"):
        assert dashboards.span(odd, at=NOW) == over, odd
    assert dashboards.span("0001-01-01", at=NOW).mondays[0] >= date(2000, 1, 3)
    then = dashboards.span("2026-10-07", at=NOW)
    assert then.mondays[-1] == date(2026, 10, 5)
    assert clock.local(then.ends[-1]) == datetime(2026, 10, 12, tzinfo=clock.SHANGHAI)


def test_a_place_without_rows_has_no_data_and_no_zero(session: Session) -> None:
    makers.make_subdistrict(session)
    found = look(session)
    assert all(measure == NOTHING for measure in found.total.measures.values())
    assert found.blocks == []
    assert all(one.share is None for weeks in found.weekly.values() for one in weeks)


def test_visits_count_within_the_cycle_before_each_week_ends(session: Session) -> None:
    world = World(session)
    for shop in world.shops[:6]:
        world.visit(shop, 20)
    for shop in world.shops[:3]:
        world.visit(shop, 1)
        world.visit(shop, 2)
    world.visit(world.shops[7], 1, outcome="weak")
    world.visit(world.shops[8], 1, purpose="self_check")
    found = look(session)
    assert found.weekly["visits"][-1] == found.total.measures["visits"] == Measure(3, 12)
    assert found.weekly["visits"][-3] == Measure(6, 12)  # 30 Oct lies in the week to 1 Nov
    assert found.weekly["visits"][0] == Measure(0, 12)


def test_grades_and_serious_findings_are_of_visits_that_count(session: Session) -> None:
    world = World(session)
    visits = [
        world.visit(shop, 1, grade="poor" if n < 4 else "best")
        for n, shop in enumerate(world.shops)
    ]
    for visit, severity in zip(visits, "SXLM", strict=False):
        world.add(
            Finding,
            source_id=visit.id,
            check_in_id=visit.id,
            storefront_id=visit.storefront_id,
            segment_id=visit.segment_id,
            item="WS01",
            severity=severity,
            person_id=world.person.id,
            occurred_at=visit.occurred_at,
        )
    measures = look(session).total.measures
    assert measures["clean"] == Measure(8, 12)
    assert measures["safe"] == Measure(10, 12)
    nightly.run(session, at=NOW)
    risk = session.get_one(SegmentRisk, (world.here, world.segment.id))
    assert any(one["name"] == "severe_finding" and one["amount"] == 2 for one in risk.reasons)


def test_cases_and_ratings(session: Session) -> None:
    world = World(session)
    for n in range(10):
        world.case(n + 1, repeat=n < 2, reopened=1 if n < 3 else 0)
    world.case(5, state="assigned", ended_at=None, on_time=None, closing_kind=None)
    world.case(400)
    case = world.case(6, on_time=False, closing_kind="fixed_by_unit")
    for stars, solved in ((5, True), (2, False), (None, True)):
        handed = feedback.hand_receipt(
            session, case, kind="report", at=NOW, settings=config.load({}), contact=None
        )
        at = NOW - timedelta(days=1)
        world.add(
            Rating,
            case_id=case.id,
            receipt_id=handed.receipt.id,
            closing=1,
            solved=solved,
            stars=stars,
            at=at,
        )
    measures = look(session).total.measures
    assert measures["on_time"] == Measure(10, 12)  # one late and closed, one late and open
    assert measures["by_merchant"] == Measure(10, 11)
    assert measures["repeated"] == Measure(2, 12)
    assert measures["reopened"] == Measure(3, 11)
    assert measures["really"] == Measure(2, 3)
    assert measures["satisfied"] == Measure(1, 2)
    assert measures["really"].share is None  # three say little


def test_stock_is_as_it_stood_each_week(session: Session) -> None:
    world = World(session)
    merchant = world.add(Merchant, name="桂香", uscc=None, kind="sole_trader", phone=None)
    day = NOW.date()
    for n, shop in enumerate(world.shops[:10]):
        ends = day - timedelta(days=20) if n < 4 else None
        world.add(
            Tenancy,
            storefront_id=shop.id,
            merchant_id=merchant.id,
            sign_name="桂香",
            starts_on=day - timedelta(days=200),
            ends_on=ends,
        )
    for n, shop in enumerate(world.shops[:5]):
        plate = world.add(
            Plate,
            kind="shop",
            storefront_id=shop.id,
            token_hash=uuid.uuid4().bytes,
            number=f"T{n}{uuid.uuid4().hex[:6]}",
            state="active",
            state_at=LONG_AGO,
            made_at=LONG_AGO,
        )
        steps = [(100, "mount", "delivered", "bound"), (90, "activate", "bound", "active")]
        steps += [(10, "retire", "active", "retired")] if n < 2 else []
        for days, act, before, after in steps:
            at = NOW - timedelta(days=days)
            world.add(
                PlateEvent, plate_id=plate.id, act=act, from_state=before, to_state=after, at=at
            )
    post = makers.make_post(session, starts_at=LONG_AGO)
    start = NOW - timedelta(days=25)
    makers.make_assignment(session, post, world.segment, starts_at=start)
    found = look(session)
    assert found.total.measures["occupied"] == Measure(6, 12)
    assert found.weekly["occupied"][0] == Measure(10, 12)
    assert found.total.measures["plates"] == Measure(3, 12)
    assert found.weekly["plates"][0] == Measure(5, 12)
    assert found.total.measures["chiefs"] == Measure(1, 2)
    assert found.weekly["chiefs"][0] == Measure(0, 2)


def test_blocks_stand_side_by_side_and_the_rest_is_named_last(session: Session) -> None:
    world = World(session)
    empty = world.add(StreetBlock, name="A空街区", theme=None, area=None)
    world.visit(world.shops[0], 1)
    far = makers.make_storefront(session, world.beyond, house_number="99号", opened_at=LONG_AGO)
    world.visit(far, 1)
    blocks = look(session).blocks
    assert [block.id for block in blocks] == [empty.id, world.block.id, None]
    assert blocks[0].measures["visits"] == NOTHING
    assert blocks[1].measures["visits"] == Measure(1, 12)
    assert blocks[2].measures["visits"] == Measure(1, 1)


# Pages.


@pytest.fixture
def signed_in(client: FlaskClient, cast: Cast) -> FlaskClient:
    assert sign_in(client, cast["chief_general"]).status_code == 302
    return client


def test_the_page_asks_the_same_number_of_questions_whatever_there_is(
    signed_in: FlaskClient, database: Database, queries: Callable[[], Any]
) -> None:
    counts = []
    for shops in (0, 12, 30):
        if shops:
            with database.transaction(WEIFANG) as inside:
                world = World(inside, shops)
                for shop in world.shops:
                    world.visit(shop, 1)
        with queries() as seen:
            answer = signed_in.get("/chief/district")
        assert answer.status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] == counts[2]
    assert counts[0] < 30


def test_nothing_known_is_said_in_both_languages(signed_in: FlaskClient) -> None:
    zh = signed_in.get("/chief/district").get_data(as_text=True)
    assert "暂无数据" in zh
    assert "城市形象" in zh
    assert "红色街区" in zh
    assert ">0.0%<" not in zh
    en = signed_in.get("/chief/district?lang=en").get_data(as_text=True)
    assert "no data" in en
    assert "City image" in en


@pytest.mark.parametrize(
    "asked",
    [
        "to=2001-01-01",
        "to=x",
        "to=%00",
        "to=99999-99-99",
        "to=2026-02-30",
        "block=x",
        "block=%00%FF",
        "block=00000000-0000-0000-0000-000000000000",
        "to=NaN&block[]=1&lang=xx",
        "to=" + "9" * 3000,
    ],
)
def test_odd_addresses_show_the_page(signed_in: FlaskClient, asked: str) -> None:
    for path in ("/chief/district", "/chief/districts"):
        assert signed_in.get(f"{path}?{asked}").status_code == 200


def test_a_chosen_block_is_drawn_over_the_whole(signed_in: FlaskClient, database: Database) -> None:
    with database.transaction(WEIFANG) as inside:
        world = World(inside)
        for shop in world.shops:
            at = (clock.now() - NOW).total_seconds() / 86400
            world.visit(shop, 1 - at)
    said = signed_in.get(f"/chief/district?block={world.block.id}").get_data(as_text=True)
    assert 'class="other dot"' in said
    assert "崂山路街区" in said
    assert 'class="other dot"' not in signed_in.get("/chief/district").get_data(as_text=True)


def test_the_roll_up_shows_others_only_where_the_setting_lets(
    app: Flask, database: Database, cast: Cast
) -> None:
    for code, name in ((WEIFANG, "潍坊新村街道"), (YANGJING, "洋泾街道")):
        client = app.test_client()
        sign_in(client, cast["auditor"] if code == WEIFANG else cast.elsewhere["admin"])
        said = client.get("/chief/districts").get_data(as_text=True)
        other = "洋泾街道" if code == WEIFANG else "潍坊新村街道"
        table = said[said.index("<tbody>") : said.index("</tbody>")]
        assert name in table
        assert other not in table


def test_who_is_together() -> None:
    assert board_views.together(WEIFANG, "") == [WEIFANG]
    assert board_views.together(WEIFANG, f"{YANGJING} 310115999") == [WEIFANG]
    assert board_views.together(WEIFANG, f"{YANGJING} {WEIFANG} {WEIFANG}") == [YANGJING, WEIFANG]


def test_an_odd_code_in_the_setting_stops_the_start() -> None:
    with pytest.raises(BadSetting, match="ROLLUP"):
        config.load({"ROADCHIEF_ROLLUP_SUBDISTRICTS": "310115004, 310115013"})


def test_sums_never_cross_from_one_place_to_the_other(database: Database) -> None:
    with database.transaction(YANGJING) as inside:
        World(inside, 15)
    with database.transaction(WEIFANG) as inside:
        World(inside, 12)
        over = dashboards.span(None, at=NOW)
        row = dashboards.totals(inside, over)
        assert row.measures["visits"] == Measure(0, 12)
        assert inside.scalar(text("SELECT count(*) FROM storefront")) == 12
    with database.transaction(YANGJING) as inside:
        assert dashboards.totals(inside, over).measures["visits"] == Measure(0, 15)
