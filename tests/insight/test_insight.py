"""Hints with their reasons, risks that can be reckoned by hand, hot spots, sensors."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from roadchief.db import Database, new_id
from roadchief.insight import hints, hotspots, nightly, risk, sensors
from roadchief.insight.models import Hint, HotSpot, SegmentRisk, Signal
from roadchief.insight.rules import KINDS, rules
from roadchief.insight.views import door_of, facts_in_words
from roadchief.issues import cases, spots
from roadchief.issues.models import Case
from roadchief.issues.open311 import keys
from roadchief.lib import clock, geo
from roadchief.patrol.models import Finding, OtherShop, PatrolItem
from roadchief.streets.models import Merchant, RoadSegment, Storefront, Tenancy
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG, YANGJING

AT = clock.now()
LONG_AGO = AT - timedelta(days=40)


class Street:
    """Two segments; the first is full of troubles."""

    def __init__(self, session: Session) -> None:
        makers.make_subdistrict(session)
        road = makers.make_road(session)
        self.segment = makers.make_segment(session, road, code="A", name="甲段")
        quiet = shapely.LineString([(121.53, 31.24), (121.53, 31.245)])
        self.quiet = makers.make_segment(session, road, code="B", name="乙段", line=quiet, seq=2)
        self.shop = makers.make_storefront(session, self.segment, opened_at=LONG_AGO)
        self.fresh = makers.make_storefront(
            session, self.quiet, house_number="9号", opened_at=AT, name="新店"
        )

    def case(self, session: Session, category: str = "WS01", days_ago: int = 1) -> Case:
        at = AT - timedelta(days=days_ago)
        spot = spots.of_storefront(session, self.shop.id, at=at)
        return cases.report(
            session,
            category=category,
            words="地上有垃圾",
            spot=spot,
            source="citizen",
            by=None,
            at=at,
        )


@pytest.fixture
def street(session: Session) -> Street:
    return Street(session)


def kinds(session: Session, state: str = "open") -> list[str]:
    wanted = select(Hint.kind).where(Hint.state == state).order_by(Hint.kind)
    return list(session.scalars(wanted))


def test_a_silent_storefront_is_told_with_its_days(session: Session, street: Street) -> None:
    report = nightly.run(session, at=AT)
    assert report.found["silence"] == report.fresh["silence"] == 1
    hint = session.scalars(select(Hint)).one()
    assert (hint.subject_id, hint.reasons["days"]) == (street.shop.id, 40)
    again = nightly.run(session, at=AT + timedelta(days=1))
    assert (again.found["silence"], again.fresh["silence"]) == (1, 0)
    session.refresh(hint)
    assert hint.reasons["days"] == 41


def test_a_hint_is_over_when_its_reason_is(session: Session, street: Street) -> None:
    nightly.run(session, at=AT)
    session.execute(
        text("UPDATE storefront SET closed_at = :at WHERE id = :id"),
        {"at": AT, "id": street.shop.id},
    )
    report = nightly.run(session, at=AT + timedelta(hours=1))
    assert report.over == 1
    assert kinds(session) == []
    assert kinds(session, "over") == ["silence"]


def test_what_was_put_aside_stays_aside(session: Session, street: Street) -> None:
    nightly.run(session, at=AT)
    hint = session.scalars(select(Hint)).one()
    by = makers.make_person(session).id
    hints.dismiss(session, hint.id, by=by, at=AT, because="装修三个月")
    nightly.run(session, at=AT + timedelta(days=1))
    assert kinds(session) == []
    nightly.run(session, at=AT + nightly.PUT_ASIDE + timedelta(days=1))
    assert "silence" in kinds(session)


def test_repeats_and_overdue_cases_are_told(session: Session, street: Street) -> None:
    for days_ago in (1, 9, 20):
        street.case(session, days_ago=days_ago)
    nightly.run(session, at=AT)
    found = {hint.kind: hint for hint in session.scalars(select(Hint))}
    assert found["repeat"].reasons["classes"] == {"WS01": 3}
    assert found["overdue"].subject_id == street.segment.id
    assert found["overdue"].reasons["cases"] >= 2


def test_two_repeats_are_none(session: Session, street: Street) -> None:
    for days_ago in (1, 40, 50):
        street.case(session, days_ago=days_ago)
    nightly.run(session, at=AT)
    assert "repeat" not in kinds(session)


def let(session: Session, shop: Storefront, sign: str) -> Tenancy:
    merchant = Merchant(subdistrict_id=WEIFANG, id=new_id(), name=sign, kind="sole_trader")
    session.add(merchant)
    session.flush()
    tenancy = Tenancy(
        subdistrict_id=WEIFANG,
        id=new_id(),
        storefront_id=shop.id,
        merchant_id=merchant.id,
        sign_name=sign,
        starts_on=LONG_AGO.date(),
    )
    session.add(tenancy)
    shop.name = sign
    session.flush()
    return tenancy


def no_licence(session: Session, shop: Storefront, item: str = "JY01") -> None:
    """A finding as patrol leaves it."""
    here = {"subdistrict_id": WEIFANG, "person_id": new_id()}
    source = PatrolItem(
        **here,
        id=new_id(),
        kind="finding",
        body_sha256=b"x",
        device_id=new_id(),
        seq=1,
        received_at=AT,
        answer={},
    )
    session.add(source)
    session.flush()
    session.add(
        Finding(
            **here,
            id=new_id(),
            source_id=source.id,
            storefront_id=shop.id,
            item=item,
            severity="M",
            occurred_at=AT - timedelta(days=2),
        )
    )
    session.flush()


def test_another_name_or_no_licence_makes_a_turnover_likely(
    session: Session, street: Street, app: Flask
) -> None:
    let(session, street.shop, "阿婆面馆")
    street.shop.name = "阿婆 面馆"  # the same but for a space
    let(session, street.fresh, "旧店")
    street.fresh.name = "新店"
    nightly.run(session, at=AT)
    hint = session.scalars(select(Hint).where(Hint.kind == "turnover")).one()
    assert (hint.subject_id, hint.title) == (street.fresh.id, "旧店")
    with app.test_request_context("/"):
        assert facts_in_words("turnover", hint.reasons) == "现在的店名是“新店”，和登记的不同"
    street.fresh.name = None
    no_licence(session, street.shop)
    nightly.run(session, at=AT + timedelta(hours=1))
    session.refresh(hint)
    with app.test_request_context("/"):
        assert facts_in_words("turnover", hint.reasons) == "铺位已空，登记仍在经营"
    assert kinds(session).count("turnover") == 1  # one finding is no pattern
    street.fresh.name = "旧店"
    no_licence(session, street.shop)
    no_licence(session, street.shop, "WS01")
    nightly.run(session, at=AT + timedelta(hours=2))
    wanted = select(Hint).where(Hint.kind == "turnover", Hint.state == "open")
    other = session.scalars(wanted).one()
    assert (other.subject_id, other.reasons["licence"]) == (street.shop.id, 2)
    with app.test_request_context("/?lang=en"):
        assert "no licence shown" in facts_in_words("turnover", other.reasons)


def told_of(session: Session, shop: Storefront, *, days_ago: float = 1, **read: Any) -> None:
    """A patroller reads another sign or licence at a storefront."""
    here = {"subdistrict_id": WEIFANG}
    when = AT - timedelta(days=days_ago)
    item = PatrolItem(
        **here,
        id=new_id(),
        kind="other_shop",
        body_sha256=b"1" * 32,
        person_id=new_id(),
        device_id=new_id(),
        seq=1,
        received_at=when,
        answer={},
    )
    session.add(item)
    session.flush()
    facts = {"storefront_id": shop.id, "person_id": item.person_id, "occurred_at": when}
    session.add(OtherShop(**here, id=item.id, **facts, **read))
    session.flush()


def suspected(session: Session, shop: Storefront) -> Hint | None:
    nightly.suspect(session, shop.id, at=AT)
    wanted = select(Hint).where(Hint.kind == "turnover", Hint.subject_id == shop.id)
    return session.scalars(wanted.where(Hint.state == "open")).one_or_none()


def test_what_a_patroller_read_makes_a_turnover_at_once(
    session: Session, street: Street, app: Flask
) -> None:
    running = let(session, street.shop, "阿婆面馆")
    told_of(session, street.shop, sign_name="阿婆 面馆")
    assert suspected(session, street.shop) is None  # the same but for a space
    told_of(session, street.shop, days_ago=0.5, sign_name="川味小馆", uscc="92310115MA1TE5T0X0")
    hint = suspected(session, street.shop)
    assert hint is not None
    assert hint.title == "阿婆面馆"
    with app.test_request_context("/"):
        words = facts_in_words("turnover", hint.reasons)
        assert "店招“川味小馆”，执照 92310115MA1TE5T0X0，和登记的不同" in words
        assert door_of(hint) == f"/chief/other-shops/{street.shop.id}"
    # Once the register has caught up the night takes the hint away.
    running.sign_name = "川味小馆"
    session.get_one(Merchant, (WEIFANG, running.merchant_id)).uscc = "92310115MA1TE5T0X0"
    street.shop.name = "川味小馆"
    session.flush()
    nightly.run(session, at=AT + timedelta(minutes=1))
    session.refresh(hint)
    assert hint.state == "over"


def test_a_shop_in_an_empty_unit_and_another_licence_under_the_same_sign(
    session: Session, street: Street, app: Flask
) -> None:
    told_of(session, street.fresh, sign_name="新开水果")
    empty = suspected(session, street.fresh)
    assert empty is not None
    assert empty.reasons["vacant"] is True
    with app.test_request_context("/"):
        assert "登记为空置" in facts_in_words("turnover", empty.reasons)
    let(session, street.shop, "阿婆面馆")
    told_of(session, street.shop, uscc="92310115MA1TE5T0X0")
    other = suspected(session, street.shop)
    assert other is not None
    assert "sign" not in other.reasons


def test_what_was_put_aside_comes_back_when_it_is_told_again(
    session: Session, street: Street
) -> None:
    let(session, street.shop, "阿婆面馆")
    told_of(session, street.shop, days_ago=3, sign_name="川味小馆")
    first = suspected(session, street.shop)
    assert first is not None
    by = makers.make_person(session).id
    hints.dismiss(session, first.id, by=by, at=AT - timedelta(days=2), because="是副招牌")
    assert suspected(session, street.shop) is None
    told_of(session, street.shop, days_ago=1, sign_name="川味小馆")
    assert suspected(session, street.shop) is not None


def test_risk_can_be_reckoned_by_hand() -> None:
    own = rules()["risk"]
    found = risk.reckon({"late_case": 2, "silent_share": 10.0, "no_chief": 1}, own)
    assert found.points == 2 * 8 + 10 * 0.4 + 12
    assert [part.name for part in found.parts] == ["late_case", "no_chief", "silent_share"]
    assert found.parts[0].say("zh") == "2 件超期"
    most = risk.reckon(dict.fromkeys(risk.WORDS, 1000000000.0), own)
    assert most.points == sum(own[name]["most"] for name in risk.WORDS)
    assert risk.reckon({}, own).points == 0


def test_segments_carry_risk_and_reasons(session: Session, street: Street) -> None:
    street.case(session, days_ago=20)
    nightly.run(session, at=AT)
    rows = {row.id: row for row in session.scalars(select(SegmentRisk))}
    assert rows[street.segment.id].points > rows[street.quiet.id].points
    names = {one["name"] for one in rows[street.segment.id].reasons}
    assert {"late_case", "open_case", "no_chief", "silent_share"} <= names


def test_risk_and_hint_count_the_same_cases_as_late(session: Session, street: Street) -> None:
    """A paused one waits for somebody else: late for neither."""
    for paused in (False, True):
        case = street.case(session, days_ago=20)
        case.due_at, case.paused_at = AT - timedelta(days=5), AT if paused else None
    session.flush()
    nightly.run(session, at=AT)
    row = session.get(SegmentRisk, (WEIFANG, street.segment.id))
    assert row
    late = {one["name"]: one["amount"] for one in row.reasons}["late_case"]
    hint = session.scalars(select(Hint).where(Hint.kind == "overdue")).one()
    assert late == hint.reasons["cases"] == 1


def test_a_hot_neighbourhood_stands_out_and_an_even_one_does_not() -> None:
    places = [(121.5 + 0.002 * (n % 6), 31.2 + 0.002 * (n // 6)) for n in range(36)]
    counts = np.ones(36)
    counts[[0, 1, 6, 7]] = 30
    heats = hotspots.heat(places, list(counts))
    assert heats[0] is not None
    assert heats[0].z > 2
    assert heats[0].p < 0.05
    assert heats[35] is not None
    assert heats[35].z < 0.5
    assert hotspots.heat(places, [3.0] * 36) == [None] * 36
    assert hotspots.heat(places[:5], [1.0, 2, 3, 4, 5]) == [None] * 5


def test_cases_close_together_make_a_cluster(session: Session, street: Street) -> None:
    for number in range(6):
        street.case(session, "WS02" if number % 2 else "WS01", days_ago=2)
    nightly.run(session, at=AT)
    spot = session.scalars(select(HotSpot)).one()
    assert spot.cases == 6
    assert spot.facts["classes"] == {"WS01": 3, "WS02": 3}


def test_a_month_without_data_is_no_trouble(session: Session) -> None:
    makers.make_subdistrict(session)
    report = nightly.run(session, at=AT)
    assert (report.segments, report.hot_spots) == (0, 0)
    assert set(report.found) == set(KINDS)


def test_the_page_shows_reasons_and_asks_a_constant_number_of_questions(
    client: FlaskClient, cast: Cast, database: Database, queries: Callable[[], Any]
) -> None:
    sign_in(client, cast["operator"])
    counts = []
    for round_ in range(2):
        with database.transaction(WEIFANG) as session:
            if round_ == 0:
                street = Street(session)
            else:
                for days_ago in (1, 2, 3, 4):
                    street.case(session, days_ago=days_ago)
            nightly.run(session, at=AT + timedelta(minutes=round_))
        with queries() as seen:
            page = client.get("/chief/insight")
        assert page.status_code == 200
        counts.append(len(seen))
    said = page.get_data(as_text=True)
    assert "登记 40 天以来没有到过" in said
    assert "门前地面有垃圾" in said
    assert counts[0] == counts[1]


def test_a_hint_is_put_aside_with_a_reason_once(
    client: FlaskClient, cast: Cast, database: Database, session: Session
) -> None:
    with database.transaction(WEIFANG) as inside:
        Street(inside)
        nightly.run(inside, at=AT)
    hint = session.scalars(select(Hint)).one()
    address = f"/chief/insight/{hint.id}/dismiss"
    sign_in(client, cast["operator"])
    assert client.post(address, data={"because": " "}).status_code == 422
    assert client.post(address, data={"because": "装修"}).status_code == 302
    assert client.post(address, data={"because": "装修"}).status_code == 409
    client.post("/sign-out")
    sign_in(client, cast["segment_chief"])
    assert client.post(address, data={"because": "x"}).status_code in {403, 404}


# Sensors.


@pytest.fixture
def corner(database: Database) -> tuple[Storefront, str]:
    with database.transaction(WEIFANG) as session:
        street = Street(session)
        key = keys.make(session, "招牌监测", ["signals"], at=AT)
    return street.shop, key


def alarm(shop: Storefront, **given: Any) -> dict[str, Any]:
    body = {"id": uuid.uuid4().hex, "device": "T-17", "kind": "tilt", "storefront_id": str(shop.id)}
    return body | given


def send(client: FlaskClient, key: str, body: Any, place: int = WEIFANG) -> Any:
    return client.post(f"/api/v1/signals?s={place}", json=body, headers={"X-Api-Key": key})


def test_an_alarm_becomes_one_case_however_often_it_is_sent(
    client: FlaskClient, corner: tuple[Storefront, str], session: Session
) -> None:
    shop, key = corner
    body = alarm(shop, note="倾角 7°")
    first = send(client, key, body)
    assert (first.status_code, first.json["outcome"]) == (201, "case")
    again = send(client, key, body)
    assert (again.status_code, again.json["fresh"]) == (200, False)
    other = send(client, key, body | {"note": "倾角 9°"})
    assert other.status_code == 409
    more = send(client, key, alarm(shop))
    assert (more.status_code, more.json["outcome"]) == (201, "counted")
    assert more.json["case_id"] == first.json["case_id"]
    case = session.scalars(select(Case)).one()
    assert (case.category, case.source, case.storefront_id) == ("ZP02", "sensor", shop.id)
    assert session.scalar(select(func.count()).select_from(Signal)) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "mood"},
        {"kind": ["tilt"]},
        {"id": ""},
        {"id": "x" * 500},
        {"device": 7},
        {"storefront_id": "x"},
        {"storefront_id": None},
        {"lon": float("nan"), "lat": 31.0},
        {"lon": 121.5},
        {"lon": True, "lat": 31.0},
        {"lon": 1e308, "lat": 31.0},
        {"lon": 10**400, "lat": 31.0},
        {"at": "yesterday"},
        {"at": "2026-01-01T00:00:00"},
        {"at": "2011-01-01T00:00:00Z"},
        {"note": "x" * 5000},
    ],
)
def test_an_odd_alarm_is_refused_and_keeps_nothing(
    client: FlaskClient,
    corner: tuple[Storefront, str],
    session: Session,
    change: dict[str, Any],
) -> None:
    shop, key = corner
    assert send(client, key, alarm(shop) | change).status_code == 422
    assert session.scalar(select(func.count()).select_from(Signal)) == 0


def test_an_alarm_that_cannot_be_read_is_told_so(
    client: FlaskClient, corner: tuple[Storefront, str]
) -> None:
    for body in (b"[" * 60_000, b"{", b"\xff", b""):
        answer = client.post(
            f"/api/v1/signals?s={WEIFANG}", data=body, headers={"X-Api-Key": corner[1]}
        )
        assert (answer.status_code, answer.get_json()["error"]) == (400, "NotJson"), body[:4]


def test_only_keys_of_this_sub_district_with_that_scope_may_send(
    client: FlaskClient, corner: tuple[Storefront, str], database: Database, session: Session
) -> None:
    shop, key = corner
    with database.transaction(WEIFANG) as inside:
        weak = keys.make(inside, "热线", ["open311"], at=AT)
    with database.transaction(YANGJING) as other:
        makers.make_subdistrict(other, YANGJING)
    for given, place in (
        ("", WEIFANG),
        ("rc_x", WEIFANG),
        (weak, WEIFANG),
        (key, YANGJING),
        (key, 7),
    ):
        assert send(client, given, alarm(shop), place).status_code == 401
    assert (
        client.post(
            f"/api/v1/signals?s={WEIFANG}", data=b"\xff{", headers={"X-Api-Key": key}
        ).status_code
        == 400
    )
    unknown = alarm(shop) | {"storefront_id": str(new_id())}
    assert send(client, key, unknown).status_code == 404
    assert session.scalar(select(func.count()).select_from(Signal)) == 0


def test_an_alarm_by_position_finds_its_street(
    client: FlaskClient, corner: tuple[Storefront, str], session: Session
) -> None:
    _shop, key = corner
    body = {"id": "1", "device": "L-3", "kind": "level", "lon": 121.5182, "lat": 31.2302}
    assert send(client, key, body).json["outcome"] == "case"
    case = session.scalars(select(Case)).one()
    near = session.scalars(select(RoadSegment).where(RoadSegment.code == "A")).one()
    assert case.segment_id == near.id
    assert session.scalars(select(Signal.place)).one() == geo.point(lon=121.5182, lat=31.2302)


def test_reading_needs_an_object() -> None:
    for odd in ([], "x", 3, None):
        with pytest.raises(sensors.BadInput):
            sensors.read(odd, at=AT)
