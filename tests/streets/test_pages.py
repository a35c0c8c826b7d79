"""The pages of the ground: every act by its form, odd input by field, few questions."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from roadchief.accounts.models import Post
from roadchief.db import Database
from roadchief.streets.models import (
    Assignment,
    Grid,
    Organisation,
    PermitArea,
    Road,
    RoadSegment,
    Station,
    Storefront,
    StreetBlock,
)
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG

S = "/admin/streets"
BOX = "POLYGON((121.5186 31.2291,121.5188 31.2291,121.5188 31.2292,121.5186 31.2291))"
LINE = json.dumps({"type": "LineString", "coordinates": [[121.516, 31.229], [121.5215, 31.2292]]})
PLACES: dict[str, dict[str, Any]] = {
    "blocks": {"name": "崂山路街区", "theme": "red", "area": BOX},
    "grids": {"code": "G77", "name": "第七网格", "area": BOX},
    "organisations": {"name": "崂山路党支部", "kind": "road_party_branch", "phone": "021-58881234"},
    "stations": {
        "name": "骑手驿站",
        "kind": "rider_post",
        "lon": "121.5187",
        "lat": "31.2291",
        "datum": "gcj02",
        "hours": "9:00–17:00",
        "functions": "充电、饮水，休息",
    },
    "permits": {
        "name": "外摆位",
        "kind": "outdoor_seating",
        "area": BOX,
        "days-0": ["1", "5"],
        "from-0": "17:00",
        "to-0": "22:00",
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
    },
}
TABLES = {
    "blocks": StreetBlock,
    "grids": Grid,
    "organisations": Organisation,
    "stations": Station,
    "permits": PermitArea,
}


@pytest.fixture
def client_of(app: Flask, cast: Cast) -> Callable[[str], FlaskClient]:
    def client(role: str) -> FlaskClient:
        one = app.test_client()
        assert sign_in(one, cast[role]).status_code == 302
        return one

    return client


@pytest.fixture
def admin(client_of: Callable[[str], FlaskClient]) -> FlaskClient:
    return client_of("admin")


@pytest.fixture
def ground(database: Database, cast: Cast) -> dict[str, uuid.UUID]:
    """A road with one segment, two shops side by side, and a chief's post."""
    with database.transaction(WEIFANG) as session:
        road = makers.make_road(session)
        segment = makers.make_segment(session, road)
        one = makers.make_storefront(session, segment, measure_m=120.0)
        two = makers.make_storefront(session, segment, measure_m=128.0, house_number="529号")
        post = makers.make_post(session, makers.make_person(session))
        return {
            "road": road.id,
            "segment": segment.id,
            "shop": one.id,
            "other": two.id,
            "post": post.id,
            "person": post.person_id,
        }


def one(database: Database, question: Any) -> Any:
    with database.transaction(WEIFANG) as session:
        return session.scalars(question).one()


def path_of(ground: dict[str, uuid.UUID], page: str) -> str:
    joint = "/" if page and not page.startswith("?") else ""
    return S + joint + page.format(**ground)


PAGES = [
    "",
    "?state=closed",
    "?q=崂",
    "roads/{road}",
    "segments/{segment}",
    "storefronts",
    "storefronts?state=vacant",
    "storefronts?state=unplaced",
    "storefronts?state=closed",
    "storefronts?q=崂山路",
    "storefronts/{shop}",
    "chiefs",
    "chiefs?state=acting",
    "chiefs/{person}",
    "near.json?bbox=121.517,31.228,121.52,31.23",
    *PLACES,
    *(f"{many}?state=closed&q=x" for many in PLACES),
]
FORMS = [
    "roads/new",
    "roads/{road}/carry-on",
    "segments/{segment}/split?measure=100",
    "segments/{segment}/close",
    "storefronts/new",
    "storefronts/new?segment={segment}&number=531号",
    "storefronts/new?segment={segment}&number=底层",
    *(f"{many}/new" for many in PLACES),
]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_open_for_readers_and_forms_for_registrars(
    client_of: Callable[[str], FlaskClient], ground: dict[str, uuid.UUID], language: str
) -> None:
    chief, operator = client_of("chief_l2"), client_of("operator")
    for page in PAGES:
        path = path_of(ground, page)
        for client in (chief, operator):
            answer = client.get(path, headers={"Accept-Language": language})
            assert answer.status_code == 200, (path, answer.status_code)
        if not page.startswith("near"):
            assert 'method="post"' not in chief.get(path).text, path
    for page in FORMS:
        assert operator.get(path_of(ground, page)).status_code == 200, page
        assert chief.get(path_of(ground, page)).status_code == 403, page


def test_a_road_is_drawn_looked_at_and_entered(
    admin: FlaskClient, database: Database, ground: dict[str, uuid.UUID]
) -> None:
    sent = {"name": "向城路", "kind": "tertiary", "kerb": "5.5", "line": LINE}
    seen = admin.post(f"{S}/roads/new", data=sent)
    assert seen.status_code == 200
    assert "崂山路" in seen.text  # the junction
    done = admin.post(f"{S}/roads/new", data=sent | {"sure": "1"})
    assert done.status_code == 302
    road = one(database, select(Road).where(Road.name == "向城路"))
    assert admin.get(f"{S}/roads/{road.id}").status_code == 200
    assert admin.post(f"{S}/roads/new", data=sent | {"sure": "1"}).status_code == 409
    renamed = {"name": "新向城路", "name_en": "New Xiangcheng Road"}
    assert admin.post(f"{S}/roads/{road.id}/rename", data=renamed).status_code == 302
    assert one(database, select(Road.name).where(Road.id == road.id)) == "新向城路"
    assert admin.post(f"{S}/roads/{road.id}/close", data={"because": "x"}).status_code == 302
    assert one(database, select(Road).where(Road.id == road.id)).closed_at


def test_a_split_is_foreseen_and_done(
    admin: FlaskClient, database: Database, ground: dict[str, uuid.UUID]
) -> None:
    path = path_of(ground, "segments/{segment}/split")
    seen = admin.get(path, query_string={"measure": "200", "between": "浦电路", "because": "长"})
    assert "浦电路" in seen.text
    assert admin.get(path, query_string={"measure": "1"}).status_code == 422
    sent = {"measure": "200", "between": "浦电路", "because": "长"}
    assert admin.post(path, data=sent).status_code == 302
    with database.transaction(WEIFANG) as session:
        halves = session.scalars(select(RoadSegment).where(RoadSegment.closed_at.is_(None))).all()
    first, second = (half.id for half in sorted(halves, key=lambda half: half.seq))
    merge = f"{S}/segments/{first}/merge"
    assert admin.get(merge, query_string={"other": str(second)}).status_code == 200
    assert admin.get(path).status_code in (409, 422)  # closed
    assert admin.post(merge, data={"other": str(second), "because": "短"}).status_code == 302


def test_a_segment_is_described_and_closed(
    admin: FlaskClient, database: Database, ground: dict[str, uuid.UUID]
) -> None:
    path = path_of(ground, "segments/{segment}")
    sent = {"kerb": "7.5", "key_road": "1", "from": "甲路", "to": "乙路", "block": "", "grid": ""}
    assert admin.post(f"{path}/details", data=sent).status_code == 302
    row = one(database, select(RoadSegment).where(RoadSegment.id == ground["segment"]))
    assert (row.kerb_m, row.key_road, row.name) == (7.5, True, "崂山路（甲路—乙路）")
    for odd in ({"kerb": "0"}, {"kerb": "abc"}, {"block": "x"}, {"from": "x" * 99}):
        assert admin.post(f"{path}/details", data=sent | odd).status_code == 422, odd
    for odd in ({"block": str(uuid.UUID(int=1))}, {"grid": str(uuid.UUID(int=1))}):
        assert admin.post(f"{path}/details", data=sent | odd).status_code == 404, odd
    assert admin.post(f"{path}/close", data={"because": "拆除"}).status_code == 302
    assert admin.get(f"{path}/close").status_code == 409


NEW = {"lon": "121.51885", "lat": "31.2294", "datum": "wgs84", "number": "639号", "width": "5"}


@pytest.mark.parametrize(
    ("odd", "status"),
    [
        ({}, 302),
        ({"datum": "bd09", "lon": "121.5297", "lat": "31.2334"}, 302),
        ({"address": "崂山路639号底层", "accuracy": "3", "trade": "早点"}, 302),
        ({"lon": ""}, 422),
        ({"lon": "x"}, 422),
        ({"lon": "NaN"}, 422),
        ({"lat": "121.5", "lon": "31.2"}, 422),
        ({"lon": "116.4", "lat": "39.9"}, 422),  # another city
        ({"datum": "mars"}, 422),
        ({"number": ""}, 422),
        ({"number": "9" * 60}, 422),
        ({"number": "\x00"}, 422),
        ({"width": "0"}, 422),
        ({"width": "1e3"}, 422),
        ({"accuracy": "-1"}, 422),
        ({"trade": "x" * 99}, 422),
        ({"address": "x" * 999}, 422),
    ],
)
def test_a_storefront_is_opened_by_coordinates(
    admin: FlaskClient,
    database: Database,
    ground: dict[str, uuid.UUID],
    odd: dict[str, str],
    status: int,
) -> None:
    answer = admin.post(f"{S}/storefronts/new", data=NEW | odd)
    assert answer.status_code == status
    if status == 302:
        row = one(database, select(Storefront).where(Storefront.house_number == "639号"))
        assert row.address.startswith("崂山路639号")
        assert row.segment_id == ground["segment"]
        assert row.source_datum == odd.get("datum", "wgs84")


@pytest.mark.parametrize(
    ("act", "sent", "status"),
    [
        ("split", {"number": ["527号-1", "527号-2"], "because": "隔断"}, 302),
        ("split", {"number": ["527号-1"], "because": "隔断"}, 422),
        ("split", {"number": ["a", "a"], "because": "隔断"}, 422),
        ("split", {"number": [str(n) for n in range(20)], "because": "隔断"}, 422),
        ("split", {"number": ["a", "b" * 99], "because": "隔断"}, 422),
        ("split", {"number": ["a", "b"]}, 422),
        ("merge", {"with": ["{other}"], "number": "527–529号", "because": "打通"}, 302),
        ("merge", {"with": [], "number": "527号", "because": "打通"}, 422),
        ("merge", {"with": ["x"], "number": "527号", "because": "打通"}, 422),
        ("merge", {"with": ["{shop}"], "number": "527号", "because": "打通"}, 422),
        ("merge", {"with": ["{post}"], "number": "527号", "because": "打通"}, 404),
        ("move", {"lon": "121.5189", "lat": "31.2290", "datum": "wgs84", "because": "错"}, 302),
        ("move", {"lon": "121.5389", "lat": "31.2290", "datum": "wgs84", "because": "错"}, 422),
        ("move", {"lon": "121.5189", "lat": "31.2290", "datum": "wgs84"}, 422),
        ("front", {"width": "8", "because": "错"}, 302),
        ("front", {"side": "right", "because": "错"}, 302),
        ("front", {"side": "top", "because": "错"}, 422),
        ("front", {"width": "900", "because": "错"}, 422),
        ("front", {"front": "LINESTRING(0 0,1 1)", "because": "错"}, 422),
        ("front", {"front": BOX, "because": "错"}, 422),
        ("correct", {"number": "1号", "address": "崂山路1号", "trade": ""}, 302),
        ("correct", {"number": "", "address": "崂山路1号"}, 422),
        ("correct", {"number": "1号", "address": "x" * 200}, 422),
        ("duty-zone", {"zone": BOX}, 302),
        ("duty-zone/reset", {}, 302),
        ("close", {"because": "拆除"}, 302),
        ("close", {}, 422),
        ("tenancies", {"sign": "甲", "on": "2026-01-01", "uscc": "91350203M0001QAY9B"}, 302),
        ("tenancies", {"sign": "", "on": "2026-01-01"}, 422),
        ("tenancies", {"sign": "甲", "on": "2026-02-30"}, 422),
        ("tenancies", {"sign": "甲", "on": "2026-01-01", "uscc": "x" * 30}, 422),
        ("tenancies/end", {"on": "2026-01-01", "because": "x"}, 422),
    ],
)
def test_acts_on_a_storefront(
    admin: FlaskClient,
    ground: dict[str, uuid.UUID],
    act: str,
    sent: dict[str, Any],
    status: int,
) -> None:
    filled = json.loads(json.dumps(sent), object_hook=None)
    if "with" in filled:
        filled["with"] = [part.format(**ground) for part in filled["with"]]
    path = path_of(ground, "storefronts/{shop}/") + act
    answer = admin.post(path, data=filled)
    assert answer.status_code == status, answer.text[-800:]
    if status == 302:
        assert admin.get(answer.headers["Location"]).status_code == 200


def test_a_doubtful_credit_code_is_told_in_both_languages(
    admin: FlaskClient, ground: dict[str, uuid.UUID]
) -> None:
    path = path_of(ground, "storefronts/{shop}/tenancies")
    sent = {"sign": "甲", "on": "2026-01-01", "uscc": "91350203M0001QAY9B"}
    answer = admin.post(f"{path}?lang=en", data=sent)
    assert answer.status_code == 302
    assert "check character" in admin.get(answer.headers["Location"]).text


@pytest.mark.parametrize("scope", ["segments/{segment}", "roads/{road}"])
def test_appoint_and_relieve(
    admin: FlaskClient, database: Database, ground: dict[str, uuid.UUID], scope: str
) -> None:
    path = path_of(ground, scope)
    sent = {"post": str(ground["post"])}
    assert admin.post(f"{path}/chiefs", data=sent).status_code == 302
    assert admin.post(f"{path}/chiefs", data=sent).status_code == 409
    held = one(database, select(Assignment))
    with database.transaction(WEIFANG) as session:
        deputy = makers.make_post(session, role="deputy_chief").id
    stand_in = {"post": str(deputy), "acting_for": str(held.id)}
    assert admin.post(f"{path}/chiefs", data=stand_in).status_code == 422  # no last day
    for odd in ("x", "2026-13-01", "2001-01-01", "9999-12-31"):
        answer = admin.post(f"{path}/chiefs", data=stand_in | {"until": odd})
        assert answer.status_code == 422, odd
    until = {"until": "2026-12-24"}
    assert admin.post(f"{path}/chiefs", data=stand_in | until).status_code == 302
    assert "2026-12-25 00:00" in admin.get(path).text
    relieve = f"{S}/assignments/{held.id}/relieve"
    assert admin.post(relieve, data={}).status_code == 422
    assert admin.post(relieve, data={"because": "调离"}).status_code == 302
    assert admin.post(relieve, data={"because": "调离"}).status_code == 409
    assert "调离" in admin.get(path_of(ground, "chiefs/{person}")).text


def test_a_block_has_chiefs_and_gathers_segments(
    admin: FlaskClient, database: Database, ground: dict[str, uuid.UUID]
) -> None:
    wide = "POLYGON((121.51 31.22,121.53 31.22,121.53 31.24,121.51 31.24,121.51 31.22))"
    assert admin.post(f"{S}/blocks/new", data={"name": "街区", "area": wide}).status_code == 302
    block = one(database, select(StreetBlock))
    path = f"{S}/blocks/{block.id}"
    assert admin.post(f"{path}/gather").status_code == 302
    assert "崂山路" in admin.get(path).text
    assert admin.post(f"{path}/chiefs", data={"post": str(ground["post"])}).status_code == 302
    assert "免去" in admin.get(path).text
    assert admin.post(f"{path}/close", data={"because": "撤并"}).status_code == 302
    row = one(database, select(RoadSegment).where(RoadSegment.id == ground["segment"]))
    assert row.block_id is None


@pytest.mark.parametrize("many", PLACES)
def test_places_are_entered_changed_and_closed(
    admin: FlaskClient, database: Database, many: str
) -> None:
    assert admin.post(f"{S}/{many}/new", data=PLACES[many]).status_code == 302
    row = one(database, select(TABLES[many]))
    path = f"{S}/{many}/{row.id}"
    assert admin.get(path).status_code == 200
    assert admin.post(path, data=PLACES[many] | {"name": "别的名称"}).status_code == 302
    assert "别的名称" in admin.get(f"{S}/{many}").text
    assert admin.post(f"{path}/close", data={}).status_code == 422
    assert admin.post(f"{path}/close", data={"because": "撤并"}).status_code == 302
    assert admin.post(path, data=PLACES[many]).status_code == 409
    assert admin.get(path).status_code == 200
    assert "别的名称" in admin.get(f"{S}/{many}?state=closed").text


@pytest.mark.parametrize(
    ("many", "odd"),
    [
        *((many, {"name": odd}) for many in PLACES for odd in ("", "\x00", "x" * 500)),
        ("blocks", {"theme": "golden"}),
        ("blocks", {"area": "POINT(1 1)"}),
        ("grids", {"code": ""}),
        ("grids", {"code": "x" * 50}),
        ("grids", {"area": ""}),
        ("organisations", {"kind": ""}),
        ("organisations", {"kind": "circus"}),
        ("organisations", {"phone": "call me"}),
        ("organisations", {"parent": "x"}),
        ("organisations", {"guided_by": "x"}),
        ("stations", {"kind": "x"}),
        ("stations", {"lon": "x"}),
        ("stations", {"lat": "NaN"}),
        ("stations", {"datum": "mars"}),
        ("stations", {"hours": ""}),
        ("stations", {"functions": "x" * 99}),
        ("stations", {"functions": ",".join(str(n) for n in range(50))}),
        ("stations", {"phone": "x"}),
        ("stations", {"organisation": "x"}),
        ("permits", {"kind": "x"}),
        ("permits", {"area": "["}),
        ("permits", {"days-0": ["9"]}),
        ("permits", {"days-0": []}),
        ("permits", {"from-0": "25:00"}),
        ("permits", {"to-0": ""}),
        ("permits", {"to-0": "17:00"}),
        ("permits", {"valid_from": "x"}),
        ("permits", {"valid_to": "2025-01-01"}),
        ("permits", {"trade": "x" * 99}),
        ("permits", {"storefront": "WF-XX-0000-1"}),
    ],
)
def test_odd_places_are_refused(
    admin: FlaskClient, database: Database, many: str, odd: dict[str, Any]
) -> None:
    assert admin.post(f"{S}/{many}/new", data=PLACES[many] | odd).status_code == 422
    with database.transaction(WEIFANG) as session:
        assert session.scalars(select(TABLES[many])).all() == []


def test_a_permit_shows_at_its_storefront_and_segment(
    admin: FlaskClient, database: Database, ground: dict[str, uuid.UUID]
) -> None:
    with database.transaction(WEIFANG) as session:
        session.get_one(Storefront, (WEIFANG, ground["other"])).human_number = "WF-LSL-0529-1"
    sent = PLACES["permits"] | {"name": "夜宵位", "storefront": "wf-lsl-0529-1"}
    assert admin.post(f"{S}/permits/new", data=sent).status_code == 302
    for page in ("storefronts/{other}", "segments/{segment}"):
        assert "夜宵位" in admin.get(path_of(ground, page)).text, page


@pytest.mark.parametrize(
    "bbox", ["", "1,2,3", "a,b,c,d", "1,1,0,0", "121,31,122,32", "nan,nan,nan,nan", "1,2,3,4,5"]
)
def test_odd_boxes_are_refused(admin: FlaskClient, bbox: str) -> None:
    assert admin.get(f"{S}/near.json", query_string={"bbox": bbox}).status_code == 422


@pytest.mark.parametrize(
    "line", ["", "x", BOX, "LINESTRING EMPTY", "LINESTRING(121.5 31.2,121.5 31.2)"]
)
def test_odd_roads_are_refused(admin: FlaskClient, database: Database, line: str) -> None:
    sent = {"name": "向城路", "kind": "tertiary", "line": line, "sure": "1"}
    assert admin.post(f"{S}/roads/new", data=sent).status_code == 422
    good = sent | {"line": LINE}
    for odd in ({"name": ""}, {"kind": "x"}, {"kind": ""}, {"kerb": "0"}, {"name_en": "x" * 99}):
        assert admin.post(f"{S}/roads/new", data=good | odd).status_code == 422, odd


def test_lists_ask_as_many_questions_for_forty_rows_as_for_one(
    admin: FlaskClient, database: Database, ground: dict[str, uuid.UUID], queries: Any
) -> None:
    def count() -> dict[str, int]:
        found = {}
        for page in PAGES:
            with queries() as seen:
                assert admin.get(path_of(ground, page)).status_code == 200
            found[page] = len(seen)
        return found

    def fill(number: int) -> None:
        with database.transaction(WEIFANG) as session:
            road = session.get_one(Road, (WEIFANG, ground["road"]))
            segment = makers.make_segment(session, road, seq=number + 2)
            makers.make_assignment(
                session, session.get_one(Post, (WEIFANG, ground["post"])), segment
            )
            makers.make_segment(session, makers.make_road(session, f"支路{number}"))
            home = session.get_one(RoadSegment, (WEIFANG, ground["segment"]))
            makers.make_storefront(session, home, measure_m=120.0 + number / 2)
            makers.make_storefront(session, home, name=None)
        for many, sent in PLACES.items():
            named = sent | {"name": f"{many}{number}", "code": f"C{number}"}
            assert admin.post(f"{S}/{many}/new", data=named).status_code == 302

    fill(0)
    before = count()
    for number in range(1, 40):
        fill(number)
    assert count() == before
    assert max(before.values()) <= 16, before
