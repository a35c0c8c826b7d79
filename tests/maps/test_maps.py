"""Map pages, tiles and the allow-list."""

import gzip

import pytest
from flask.testing import FlaskClient

from roadchief.db import Database
from roadchief.maps.tiles import Square
from roadchief.streets import chiefs, tenancies
from tests import makers
from tests.cast import Cast, sign_in

CODE = 310115004
HERE = (16, 54889, 26778)  # over 崂山路


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


def test_the_sheet_shows_the_strip_escaped(client: FlaskClient, street: tuple[str, str]) -> None:
    page = client.get(f"/map/segments/{street[0]}").text
    assert "&lt;b&gt;桂香&lt;/b&gt;早点铺" in page
    assert "527" in page
    english = client.get(f"/map/segments/{street[0]}?lang=en").text
    assert "Who answers for it" in english


def test_search_answers_people_and_programs(client: FlaskClient, street: tuple[str, str]) -> None:
    assert "早点铺" in client.get("/map/search?q=桂香").text
    hits = client.get("/map/search?q=527", headers={"Accept": "application/json"}).json["hits"]
    assert hits[0]["id"] == street[1]
    for odd in ("", "%", "\x00", "'" * 500, "龘" * 1000, "🙂🙂"):
        assert client.get("/map/search", query_string={"q": odd}).status_code == 200


def test_a_tile_is_gzipped_tagged_and_of_one_subdistrict(
    client: FlaskClient, street: tuple[str, str]
) -> None:
    z, x, y = HERE
    answer = client.get(f"/tiles/streets/{z}/{x}/{y}.mvt?s={CODE}")
    assert answer.status_code == 200
    body = gzip.decompress(answer.data)
    assert b"segments" in body
    assert street[0].encode() in body
    again = client.get(
        f"/tiles/streets/{z}/{x}/{y}.mvt?s={CODE}",
        headers={"If-None-Match": answer.headers["ETag"]},
    )
    assert again.status_code == 304
    other = client.get(f"/tiles/streets/{z}/{x}/{y}.mvt?s=310115013")
    assert gzip.decompress(other.data) == b""


def test_a_signed_in_person_sees_the_own_subdistrict_alone(
    client: FlaskClient, cast: Cast, street: tuple[str, str]
) -> None:
    sign_in(client, cast.elsewhere["chief_l2"])
    z, x, y = HERE
    answer = client.get(f"/tiles/streets/{z}/{x}/{y}.mvt?s={CODE}")
    assert gzip.decompress(answer.data) == b""
    assert client.get(f"/map/segments/{street[0]}?s={CODE}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/tiles/streets/99/1/1.mvt",
        "/tiles/streets/16/-1/1.mvt",
        "/tiles/streets/16/65536/1.mvt",
        "/tiles/streets/-1/0/0.mvt",
        "/tiles/nothing/16/1/1.mvt",
        "/tiles/nothing.json",
        "/tiles/streets/16/99999999999999999999999/1.mvt",
        "/tiles/streets/a/b/c.mvt",
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


def test_a_square_knows_its_bounds() -> None:
    west, south, east, north = Square.at(16, 54887, 26766).bounds(0)
    assert west < 121.5068 < east
    assert south < north
    assert east - west == pytest.approx(360 / 2**16)


def test_low_zooms_count_instead_of_drawing(
    client: FlaskClient, street: tuple[str, str], database: Database
) -> None:
    with database.transaction(CODE) as session:
        segment = makers.make_segment(session)
        for _ in range(300):
            makers.make_storefront(session, segment)
    far = gzip.decompress(
        client.get(f"/tiles/streets/13/{54889 >> 3}/{26778 >> 3}.mvt?s={CODE}").data
    )
    assert b"clusters" in far
    assert b"storefronts" not in far
    assert len(far) < 1500
