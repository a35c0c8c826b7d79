"""Map pages, what a touch shows, and the allow-list."""

import uuid
from datetime import datetime, timedelta

import pytest
import shapely
from flask.testing import FlaskClient

from roadchief.db import Database
from roadchief.lib import clock
from roadchief.maps import hours
from roadchief.streets import catalog, chiefs, places, tenancies
from tests import makers
from tests.cast import Cast, sign_in
from tests.makers import LAOSHAN

CODE = 310115004


@pytest.fixture
def street(database: Database) -> tuple[str, str]:
    with database.transaction(CODE) as session:
        makers.make_subdistrict(session, CODE)
        segment = makers.make_segment(session)
        shop = makers.make_storefront(session, segment, name="<b>桂香</b>早点铺")
        tenancies.make_findable(shop)
        post = makers.make_post(session, makers.make_person(session, "周建国", phone="13800138000"))
        chiefs.appoint_chief(session, post, to=segment, by=None, at=makers.NOON)
    return str(segment.id), str(shop.id)


def test_the_map_names_no_other_host_and_carries_no_data(
    client: FlaskClient, street: tuple[str, str]
) -> None:
    page = client.get("/map/")
    assert page.status_code == 200
    assert "崂山路" in page.text
    assert "周建国" in page.text
    assert "https://" not in page.text
    assert "桂香" not in page.text
    assert page.text.count("<script") == page.text.count('<script nonce="')
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_the_page_does_not_grow_with_the_shops(
    client: FlaskClient, street: tuple[str, str], database: Database
) -> None:
    before = len(client.get("/map/").data)
    with database.transaction(CODE) as session:
        segment = makers.make_segment(session)
        for _ in range(200):
            makers.make_storefront(session, segment)
    assert len(client.get("/map/").data) - before < 3000


def test_the_map_asks_few_questions(client: FlaskClient, street: tuple[str, str], queries) -> None:  # type: ignore[no-untyped-def]
    with queries() as seen:
        client.get("/map/")
    assert len(seen) <= 8, seen.statements


def test_a_touch_shows_public_facts_and_no_private_ones(
    client: FlaskClient, street: tuple[str, str]
) -> None:
    segment, shop = street
    facts = client.get(f"/map/storefronts/{shop}.json").json
    assert facts["title"] == "<b>桂香</b>早点铺"  # text, never HTML
    assert facts["chiefs"][0]["name"] == "周建国"
    for path in (f"/map/storefronts/{shop}.json", f"/map/segments/{segment}.json", "/map/"):
        assert "13800138000" not in client.get(path).text


def test_who_walks_a_street_as_work_is_not_public(
    client: FlaskClient, street: tuple[str, str], database: Database
) -> None:
    with database.transaction(CODE) as session:
        walker = makers.make_post(session, makers.make_person(session, "陈晓雯"), role="patroller")
        segment = catalog.segment(session, uuid.UUID(street[0]))[0]
        makers.make_assignment(session, walker, segment)
    segment_path, shop_path = f"/map/segments/{street[0]}", f"/map/storefronts/{street[1]}"
    for path in ("/map/", segment_path, f"{segment_path}.json", f"{shop_path}.json"):
        answer = client.get(path).text
        assert "周建国" in answer, path
        assert "陈晓雯" not in answer, path


def test_the_sheet_shows_the_strip_escaped(client: FlaskClient, street: tuple[str, str]) -> None:
    page = client.get(f"/map/segments/{street[0]}").text
    assert "&lt;b&gt;桂香&lt;/b&gt;早点铺" in page
    assert "527" in page
    english = client.get(f"/map/segments/{street[0]}?lang=en").text
    assert "Who answers for it" in english
    assert "Chief, level 2" in english  # nobody typed a title: it is the word of the role


def test_search_answers_people_and_programs(client: FlaskClient, street: tuple[str, str]) -> None:
    assert "早点铺" in client.get("/map/search?q=桂香").text
    hits = client.get("/map/search?q=527", headers={"Accept": "application/json"}).json["hits"]
    assert hits[0]["id"] == street[1]
    for odd in ("", "%", "\x00", "'" * 500, "龘" * 1000, "🙂🙂"):
        assert client.get("/map/search", query_string={"q": odd}).status_code == 200


def test_search_leads_on_without_script(client: FlaskClient, street: tuple[str, str]) -> None:
    page = client.get("/map/search?q=桂香").text
    assert f"/map/storefronts/{street[1]}?s={CODE}" in page
    sheet = client.get(f"/map/storefronts/{street[1]}?s={CODE}")
    assert sheet.status_code == 302
    assert sheet.headers["Location"] == f"/map/segments/{street[0]}?s={CODE}#shop-{street[1]}"
    assert f'id="shop-{street[1]}"' in client.get(sheet.headers["Location"]).text


@pytest.fixture
def sights(database: Database, street: tuple[str, str]) -> dict[str, str]:
    """A station and permit areas beside 崂山路, and one far away."""
    local = clock.local(clock.now())
    today = local.date()
    with database.transaction(CODE) as session:
        station = places.open_station(
            session,
            name="<i>崂山路</i>党群服务站",
            kind="party_service",
            place=shapely.Point(121.5188, 31.2292),
            hours="周一至周日 0:00–24:00",
            functions=["饮水充电"],
            phone="021-58000000",
            by=None,
            at=makers.NOON,
        )
        spot = LAOSHAN.interpolate(0.5, normalized=True)
        found = {"station": str(station.id)}
        for name, away, days, until in (
            ("open", 0.00010, [1, 2, 3, 4, 5, 6, 7], today + timedelta(days=9)),
            ("shut", 0.00012, [local.isoweekday() % 7 + 1], today + timedelta(days=9)),
            ("over", 0.00012, [1], today - timedelta(days=1)),
            ("far", 0.00300, [1], today + timedelta(days=9)),
        ):
            row = places.open_permit_area(
                session,
                name=f"{name}外摆位",
                kind="outdoor_seating",
                area=shapely.Point(spot.x + away, spot.y).buffer(0.00001),
                windows=[{"days": days, "from": "00:00", "to": "23:59"}],
                valid_from=today - timedelta(days=30),
                valid_to=until,
                trade="餐饮",
                by=None,
                at=makers.NOON,
            )
            found[name] = str(row.id)
    return found


def test_a_touch_on_a_station_tells_hours_and_whether_it_is_open(
    client: FlaskClient, sights: dict[str, str]
) -> None:
    facts = client.get(f"/map/stations/{sights['station']}.json").json
    assert facts["title"] == "<i>崂山路</i>党群服务站"
    assert facts["lines"] == ["党群服务站", "开放时间：周一至周日 0:00–24:00", "饮水充电"]
    assert facts["mark"] == {"state": "ok", "sign": "●", "word": "开放中"}
    assert facts["phone"] == "021-58000000"
    english = client.get(f"/map/stations/{sights['station']}.json?lang=en").json
    assert english["mark"]["word"] == "open now"


def test_a_touch_on_a_permit_tells_windows_and_whether_trade_is_allowed(
    client: FlaskClient, sights: dict[str, str]
) -> None:
    facts = client.get(f"/map/permits/{sights['open']}.json").json
    assert facts["lines"][:2] == ["外摆位", "周一–周日 00:00–23:59"]
    assert facts["mark"]["word"] in ("现在允许经营", "今天此时不允许")  # 23:59 is its last minute
    assert client.get(f"/map/permits/{sights['shut']}.json").json["mark"]["word"] == "今天不允许"
    assert client.get(f"/map/permits/{sights['over']}.json").json["mark"]["state"] == "late"
    assert client.get(f"/map/permits/{sights['open']}.json?s=310115013").status_code == 404


def test_the_sheet_shows_permits_beside_it(
    client: FlaskClient, street: tuple[str, str], sights: dict[str, str]
) -> None:
    page = client.get(f"/map/segments/{street[0]}").text
    assert "open外摆位" in page
    assert "shut外摆位" in page
    assert "over外摆位" not in page
    assert "far外摆位" not in page


@pytest.mark.parametrize(
    ("written", "weekday", "hour", "expected"),
    [
        ("周一至周日 8:30–20:30", 3, "08:30", True),
        ("周一至周日 8:30–20:30", 3, "20:30", False),
        ("周一至周五 9:00-17:00；周六 9:00-12:00", 6, "13:00", False),
        ("周一至周五 9:00-17:00；周六 9:00-12:00", 6, "11:00", True),
        ("周一至周五 9:00-17:00；周六 9:00-12:00", 7, "11:00", False),
        ("周六、周日 10:00~16:00", 7, "10:00", True),
        ("周六至周一 10:00~16:00", 1, "10:00", True),
        ("周六至周一 10:00~16:00", 3, "10:00", False),
        ("工作日 9:00至17:00", 5, "16:59", True),
        ("工作日 9:00至17:00", 6, "16:59", False),
        ("每天 20:00–02:00", 2, "01:00", True),
        ("周五 20:00–02:00", 6, "01:00", True),
        ("周五 20:00–02:00", 5, "01:00", False),
        ("24小时", 1, "03:00", True),
        ("全天开放", 1, "03:00", True),
        ("8:00–24:00", 1, "23:59", True),
        ("9:00–11:30 13:30–17:00", 1, "12:00", False),
        ("请来电预约", 1, "12:00", None),
        ("", 1, "12:00", None),
        ("99:99–100:00", 1, "12:00", None),
    ],
)
def test_hours_as_people_write_them(
    written: str, weekday: int, hour: str, expected: bool | None
) -> None:
    local = datetime.fromisoformat(f"2026-11-0{weekday + 1}T{hour}:00+08:00")
    assert local.isoweekday() == weekday
    assert hours.open_at(written, local) is expected


def test_a_signed_in_person_sees_the_own_subdistrict_alone(
    client: FlaskClient, cast: Cast, street: tuple[str, str]
) -> None:
    sign_in(client, cast.elsewhere["chief_l2"])
    assert client.get(f"/map/segments/{street[0]}?s={CODE}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/map/stations/01900000-0000-7000-8000-000000000000.json",
        "/map/permits/01900000-0000-7000-8000-000000000000.json",
        "/map/storefronts/01900000-0000-7000-8000-000000000000",
        "/map/?s=1",
        "/map/?s=abc",
        "/map/?s=999999999",
        "/map/?s=３１０１１５００４",
        "/map/segments/01900000-0000-7000-8000-000000000000",
        "/map/segments/x",
        "/map/storefronts/01900000-0000-7000-8000-000000000000.json",
    ],
)
def test_addresses_out_of_range_are_not_found(
    client: FlaskClient, street: tuple[str, str], path: str
) -> None:
    assert client.get(path).status_code == 404


def test_a_patroller_fills_no_gap(client: FlaskClient, database: Database) -> None:
    with database.transaction(CODE) as session:
        makers.make_subdistrict(session, CODE)
        segment = makers.make_segment(session)
        makers.make_assignment(session, makers.make_post(session, role="patroller"), segment)
        id_ = segment.id
    assert "空缺" in client.get(f"/map/segments/{id_}").text
    assert "1 段空缺" in client.get("/map/").text
