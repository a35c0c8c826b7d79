"""GeoReport v2: both formats, every rule of the page, and what is never told."""

import json
from datetime import timedelta
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from roadchief.db import Database
from roadchief.issues import cases, publishing
from roadchief.issues.models import Case
from roadchief.issues.open311 import georeport, keys
from roadchief.lib import clock
from tests import makers, pictures
from tests.issues import ground
from tests.issues.ground import CENTRE, World

HERE = 310115004
BASE = "/open311/v2"


@pytest.fixture
def world(database: Database) -> World:
    with database.transaction(HERE) as session:
        return ground.build(session)


def made(database: Database, world: World, **given: Any) -> Case:
    with database.transaction(HERE) as session:
        return ground.opened(session, world, at=given.pop("at", clock.now()), **given)


def key_of(database: Database, name: str = "12345 热线", *scopes: str) -> str:
    with database.transaction(HERE) as session:
        return keys.make(session, name, scopes or ["file", "update"], at=clock.now())


def rows(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"{BASE}/requests.json?jurisdiction_id={HERE}&{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return list(json.loads(answer.data))


def test_discovery_and_services_in_both_formats(client: FlaskClient, world: World) -> None:
    xml = client.get(f"{BASE}/discovery.xml")
    assert xml.content_type == "text/xml; charset=utf-8"
    assert xml.data.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    endpoint = ElementTree.fromstring(xml.data).find("endpoints/endpoint")
    assert endpoint is not None
    assert [one.text for one in endpoint.findall("formats/format")] == [
        "text/xml",
        "application/json",
    ]
    found = client.get(f"{BASE}/discovery.json").get_json()["endpoints"][0]
    assert (found["type"], found["formats"]) == ("production", ["text/xml", "application/json"])
    listed = client.get(f"{BASE}/services.json").get_json()
    codes = {row["service_code"] for row in listed}
    assert "ZX02" in codes
    assert not codes & {"ZX09", "JY02", "QT01"}
    assert all(row["type"] == "realtime" and row["metadata"] is True for row in listed)
    tree = ElementTree.fromstring(client.get(f"{BASE}/services.xml").data)
    assert (tree.tag, tree[0].tag, len(tree)) == ("services", "service", len(listed))
    found = client.get(f"{BASE}/services/ZX02.json").get_json()
    assert found["attributes"][0]["variable"] is True
    assert client.get(f"{BASE}/services/JY02.xml").status_code == 404
    assert client.get(f"{BASE}/services/JY02.xml").data.startswith(b"<?xml")


def test_requests_tell_the_allow_list(
    client: FlaskClient, database: Database, world: World
) -> None:
    case = made(database, world, words="隔壁王阿姨 13800138000")
    with database.transaction(HERE) as session:
        row = cases.locked(session, case.id)
        publishing.release_words(session, row, "纸箱占道", who=CENTRE, at=clock.now())
    found = rows(client)[0]
    assert found["service_request_id"] == case.number
    assert found["description"] == "纸箱占道"
    assert found["status"] == "open"
    assert isinstance(found["lat"], float)
    assert found["requested_datetime"].endswith("+00:00")
    assert "王阿姨" not in json.dumps(found, ensure_ascii=False)
    assert set(found) >= {"agency_responsible", "service_notice", "zipcode", "media_url"}
    one = client.get(f"{BASE}/requests/{case.number}.xml?jurisdiction_id={HERE}&extensions=true")
    tree = ElementTree.fromstring(one.data)
    assert tree.findtext("request/detailed_status") == case.state
    assert one.headers["Access-Control-Allow-Origin"] == "*"
    token = client.get(f"{BASE}/tokens/{case.number}.json?jurisdiction_id={HERE}").get_json()
    assert token[0]["service_request_id"] == case.number


def test_a_private_case_is_nowhere(client: FlaskClient, database: Database, world: World) -> None:
    private = made(database, world, category="ZX09", words="太吵")
    public = made(database, world, category="ZX08")
    listed = ",".join([private.number, public.number, "2611-9999", str(private.id)])
    assert [row["service_request_id"] for row in rows(client)] == [public.number]
    found = rows(client, f"service_request_id={listed}")
    assert [row["service_request_id"] for row in found] == [public.number]
    for number in (private.number, "2611-9999", "%00", "x" * 500):
        assert client.get(f"{BASE}/requests/{number}.json").status_code == 404


def test_filters_paging_and_windows(client: FlaskClient, database: Database, world: World) -> None:
    now = clock.now()
    numbers = [
        made(database, world, at=now - timedelta(days=n), category="ZX08").number for n in range(5)
    ]
    made(database, world, at=now - timedelta(days=200), category="ZX08")
    assert [row["service_request_id"] for row in rows(client)] == numbers
    assert len(rows(client, "page=2&page_size=2")) == 2
    assert rows(client, "page=99") == []
    assert len(rows(client, "page=0&page_size=2")) == 2
    assert rows(client, "service_code=ZX02") == []
    assert len(rows(client, "service_code=ZX08,ZX02&status=open")) == 5
    assert rows(client, "status=closed") == []
    assert len(rows(client, "status=&service_code=")) == 5
    start = (now - timedelta(days=2, hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len(rows(client, f"start_date={start}")) == 3
    # A plus that arrived as a space.
    odd = (now - timedelta(days=2, hours=1)).strftime("%Y-%m-%dT%H:%M:%S 00:00")
    assert len(rows(client, f"start_date={odd}")) == 3


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("start_date=2026-01-01T00:00:00Z&end_date=2026-04-02T00:00:00Z", 400),
        ("start_date=yesterday", 400),
        ("start_date=9999-12-31T00:00:00Z", 400),
        ("end_date=0001-01-01T00:00:00Z", 400),
        ("start_date=2026-01-01T00:00:00", 400),
        ("end_date=9999-12-31T23:59:59-23:00", 400),
        ("status=dancing", 400),
        ("page=x", 400),
        ("page_size=-1", 400),
    ],
)
@pytest.mark.parametrize("kind", ["xml", "json"])
def test_bad_arguments(
    client: FlaskClient, world: World, query: str, status: int, kind: str
) -> None:
    answer = client.get(f"{BASE}/requests.{kind}?{query}")
    assert answer.status_code == status
    if kind == "json":
        assert answer.get_json()[0]["code"] == str(status)
    else:
        assert ElementTree.fromstring(answer.data).findtext("error/code") == str(status)


def test_jurisdictions(client: FlaskClient, database: Database, world: World) -> None:
    assert client.get(f"{BASE}/requests.json").status_code == 200
    assert client.get(f"{BASE}/requests.json?jurisdiction_id=nowhere").status_code == 404
    with database.transaction(310115013) as session:
        makers.make_subdistrict(session, 310115013)
    assert client.get(f"{BASE}/requests.json").status_code == 400
    assert client.get(f"{BASE}/requests.json?jurisdiction_id={HERE}").status_code == 200


def test_filing(client: FlaskClient, database: Database, world: World) -> None:
    key = key_of(database)
    form = {
        "api_key": key,
        "jurisdiction_id": str(HERE),
        "service_code": "ZX02",
        "lat": "31.2291",
        "long": "121.5187",
        "description": "<b>纸箱</b>",
        "attribute[DANGER]": "no",
    }
    first = client.post(f"{BASE}/requests.json", data=form)
    assert first.status_code == 200
    number = first.get_json()[0]["service_request_id"]
    assert (
        client.post(f"{BASE}/requests.json", data=form).get_json()[0]["service_request_id"]
        == number
    )
    with database.transaction(HERE) as session:
        case = session.scalars(select(Case)).one()
        assert (case.source, case.storefront_id) == ("open311", world.shop.id)
    other = client.post(f"{BASE}/requests.xml", data=form | {"description": "又一处"})
    assert ElementTree.fromstring(other.data).findtext("request/service_request_id") != number
    with_photo = form | {"description": "有图", "media": (BytesIO(pictures.jpeg()), "a.jpg")}
    assert client.post(f"{BASE}/requests.json", data=with_photo).status_code == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"api_key": ""}, 403),
        ({"api_key": "rc_guess"}, 403),
        ({"api_key": "a\x00b"}, 403),
        ({"service_code": "NOPE"}, 400),
        ({"service_code": "JY02"}, 400),
        ({"lat": "", "long": ""}, 400),
        ({"lat": "x"}, 400),
        ({"lat": "nan"}, 400),
        ({"lat": "1", "long": "1"}, 400),
        ({"description": "长" * 5000}, 400),
        ({"media_url": "http://127.0.0.1/secret"}, 400),
        ({"jurisdiction_id": "0"}, 404),
    ],
)
def test_filing_refused(
    client: FlaskClient, database: Database, world: World, change: dict[str, str], status: int
) -> None:
    form = {
        "api_key": key_of(database),
        "service_code": "ZX02",
        "lat": "31.2291",
        "long": "121.5187",
    }
    answer = client.post(f"{BASE}/requests.json", data=form | change)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.get_json()[0]["code"] == str(status)
    with database.transaction(HERE) as session:
        assert session.scalars(select(Case)).first() is None


def test_a_released_photo_has_one_address_and_is_gone_after_withdrawal(
    client: FlaskClient, database: Database, world: World
) -> None:
    case = made(database, world, category="ZX08")
    with database.transaction(HERE) as session:
        row = cases.locked(session, case.id)
        blob = ground.make_photo(session)
        cases.add_photos(session, row, (blob,), part="citizen", at=clock.now())
        session.flush()
        from roadchief.issues.models import CasePhoto

        taken = session.scalars(select(CasePhoto)).one()
        address = f"{BASE}/photos/{HERE}/{taken.id}.jpg"
    assert rows(client)[0]["media_url"] is None
    assert client.get(address).status_code == 404
    with database.transaction(HERE) as session:
        row = cases.locked(session, case.id)
        taken = publishing.find_photo(session, row, taken.id)
        publishing.release_photo(
            session, row, taken, public_photo_id=blob, who=CENTRE, at=clock.now()
        )
    assert rows(client)[0]["media_url"].endswith(address)
    with database.transaction(HERE) as session:
        row = cases.locked(session, case.id)
        taken = publishing.find_photo(session, row, taken.id)
        publishing.withdraw_photo(session, row, taken, who=CENTRE, at=clock.now())
    assert client.get(address).status_code == 410
    assert rows(client)[0]["media_url"] is None


def test_xml_never_holds_what_xml_forbids() -> None:
    body = georeport.render("services", [{"description": "a\x00\x0b\ud800b😀<&>"}], "xml")
    assert ElementTree.fromstring(body).findtext("service/description") == "ab😀<&>"


def test_reads_ask_a_constant_number_of_questions(
    client: FlaskClient, database: Database, world: World, queries: Any
) -> None:
    made(database, world, category="ZX08")
    with queries() as few:
        rows(client)
    for _ in range(8):
        made(database, world, category="ZX08")
    with queries() as many:
        rows(client)
    assert len(many) == len(few)
