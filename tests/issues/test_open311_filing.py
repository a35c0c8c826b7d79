"""Other systems that file: refusals in their format, repeats, updates both ways, keys."""

import json
import re
import threading
import uuid
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from roadchief.app import create_app
from roadchief.db import Database
from roadchief.issues import cases, handling, opening
from roadchief.issues.models import Case, CaseStep
from roadchief.issues.open311 import keys
from roadchief.issues.voices import ApiKey, Voice
from roadchief.lib import clock
from tests import makers, pictures
from tests.cast import Cast, sign_in
from tests.conftest import make_settings
from tests.issues import ground
from tests.issues.ground import CHIEF, World

HERE = 310115004
BASE = "/open311/v2"
PLACE = {"jurisdiction_id": str(HERE), "service_code": "ZX08", "lat": "31.2291", "long": "121.5187"}


@pytest.fixture
def world(database: Database) -> World:
    with database.transaction(HERE) as session:
        return ground.build(session)


def key_of(database: Database, name: str = "12345 热线", *scopes: str, **given: Any) -> str:
    with database.transaction(HERE) as session:
        return keys.make(session, name, scopes or ["file", "update"], at=clock.now(), **given)


def filed(client: FlaskClient, key: str, **more: Any) -> str:
    answer = client.post(f"{BASE}/requests.json", data=PLACE | {"api_key": key} | more)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return str(answer.get_json()[0]["service_request_id"])


def updated(client: FlaskClient, key: str, number: str, update: str, **more: Any) -> Any:
    form = {
        "api_key": key,
        "jurisdiction_id": str(HERE),
        "service_request_id": number,
        "update_id": update,
        "updated_datetime": clock.now().isoformat(),
        "status": "OPEN",
        "description": "反映人又来电",
    }
    return client.post(f"{BASE}/servicerequestupdates.json", data=form | more)


def told(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"{BASE}/servicerequestupdates.json?jurisdiction_id={HERE}&{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return list(json.loads(answer.data))


def closed(database: Database, world: World, number: str) -> None:
    with database.transaction(HERE) as session:
        row, at = cases.locked(session, cases.find_by_number(session, number).id), clock.now()
        case_id = row.id
        if row.state == "reported":
            opening.open_case(session, row, who=ground.CENTRE, at=at)
        rest = {"who": world.unit, "at": at}
        row = cases.locked(session, case_id)
        handling.accept(session, row, **rest)
        photo = ground.make_photo(session)
        handling.submit(session, row, words="已清理", photo_ids=(photo,), **rest)
        cases.move(session, row, "check", who=CHIEF, at=at)
        handling.close(
            session, row, who=CHIEF, at=at, kind="fixed_by_unit", words="好", photo_ids=()
        )


def state_of(database: Database, number: str) -> str:
    with database.transaction(HERE) as session:
        return cases.find_by_number(session, number).state


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/requests/%00", 404),
        ("POST", "/services", 405),
        ("DELETE", "/requests", 405),
        ("POST", "/requests", 413),
    ],
)
@pytest.mark.parametrize("kind", ["xml", "json"])
def test_every_refusal_speaks_the_format_of_the_suffix(
    client: FlaskClient, world: World, method: str, path: str, status: int, kind: str
) -> None:
    data = {"description": "x" * 90_000_000} if status == 413 else None
    answer = client.open(f"{BASE}{path}.{kind}", method=method, data=data)
    assert answer.status_code == status
    if kind == "json":
        assert answer.content_type == "application/json; charset=utf-8"
        assert answer.get_json()[0]["code"] == str(status)
        assert answer.get_json()[0]["description"]
    else:
        assert answer.content_type == "text/xml; charset=utf-8"
        assert ElementTree.fromstring(answer.data).findtext("error/code") == str(status)


def test_all_is_told_where_no_size_is_asked(
    client: FlaskClient, database: Database, world: World
) -> None:
    with database.transaction(HERE) as session:
        case = ground.opened(session, world, category="ZX08", at=clock.now())
        other = Case.__table__
        row = {c.name: getattr(case, c.name) for c in other.columns}
        session.flush()
        for n in range(120):
            session.execute(
                other.insert().values(
                    row
                    | {
                        "id": uuid.uuid4(),
                        "number": f"X{n}",
                        "source_ref": None,
                        "place": None,
                    }
                )
            )
    answer = client.get(f"{BASE}/requests.json?jurisdiction_id={HERE}")
    assert len(answer.get_json()) == 121


def test_a_place_by_the_number_on_the_plate(
    client: FlaskClient, database: Database, world: World
) -> None:
    with database.transaction(HERE) as session:
        shop = session.get_one(type(world.shop), (HERE, world.shop.id))
        shop.human_number = "WF-LSL-0527-1"
    key = key_of(database)
    number = filed(client, key, lat="", long="", address_id="wf-lsl-0527-1", description="纸箱")
    found = client.get(f"{BASE}/requests/{number}.json").get_json()[0]
    assert found["address_id"] == "WF-LSL-0527-1"
    assert found["agency_responsible"] == "潍坊新村街道"
    refused = client.post(
        f"{BASE}/requests.json",
        data=PLACE | {"api_key": key, "lat": "", "long": "", "address_id": "nowhere"},
    )
    assert refused.status_code == 400
    assert "address_id" in refused.get_json()[0]["description"]


def test_updates_are_told_in_order_and_only_of_public_cases(
    client: FlaskClient, database: Database, world: World
) -> None:
    with database.transaction(HERE) as session:
        case = ground.opened(session, world, category="ZX08", at=clock.now())
        secret = ground.opened(session, world, category="ZX09", words="太吵", at=clock.now())
    closed(database, world, case.number)
    found = told(client)
    assert found[0]["status"] == "open"
    assert found[-1]["status"] == "fixed"
    assert [row["updated_datetime"] for row in found] == sorted(
        row["updated_datetime"] for row in found
    )
    assert len({row["update_id"] for row in found}) == len(found)
    assert {row["service_request_id"] for row in found} == {case.number}
    assert "已清理" in [row["description"] for row in found]
    assert told(client, f"service_request_id={secret.number}") == []
    later = (clock.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert told(client, f"start_date={later}") == []
    assert [row["update_id"] for row in told(client, "page=2&page_size=2")] == [
        row["update_id"] for row in found[2:4]
    ]
    xml = client.get(f"{BASE}/servicerequestupdates.xml?jurisdiction_id={HERE}")
    tree = ElementTree.fromstring(xml.data)
    assert (tree.tag, tree[0].tag, len(tree)) == (
        "service_request_updates",
        "request_update",
        len(found),
    )
    long = "start_date=2026-01-01T00:00:00Z&end_date=2026-04-02T00:00:00Z"
    assert client.get(f"{BASE}/servicerequestupdates.xml?{long}").status_code == 400


def test_an_update_is_taken_once_and_an_older_one_moves_nothing(
    client: FlaskClient, database: Database, world: World
) -> None:
    key = key_of(database)
    number = filed(client, key, description="单车倒地")
    for _ in range(2):
        answer = updated(client, key, number, "U1", media=(ground_photo(), "a.jpg"))
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert answer.get_json() == [{"update_id": "U1"}]
    with database.transaction(HERE) as session:
        assert session.scalar(select(func.count()).select_from(Voice)) == 1
    closed(database, world, number)
    old = (clock.now() - timedelta(hours=1)).isoformat()
    assert updated(client, key, number, "U2", updated_datetime=old).status_code == 200
    assert state_of(database, number) == "closed"
    assert updated(client, key, number, "U3", status="CLOSED").status_code == 200
    future = (clock.now() + timedelta(days=1)).isoformat()
    assert updated(client, key, number, "U4", updated_datetime=future).status_code == 200
    assert state_of(database, number) == "closed"
    for _ in range(2):
        assert updated(client, key, number, "U5").status_code == 200
    assert state_of(database, number) != "closed"
    with database.transaction(HERE) as session:
        reopenings = select(func.count()).select_from(CaseStep).where(CaseStep.verb == "reopen")
        assert session.scalar(reopenings) == 1


def ground_photo() -> BytesIO:
    return BytesIO(pictures.jpeg())


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"api_key": "rc_guess"}, 403),
        ({"service_request_id": "2611-9999"}, 404),
        ({"service_request_id": ""}, 400),
        ({"update_id": ""}, 400),
        ({"update_id": "x" * 500}, 400),
        ({"updated_datetime": "yesterday"}, 400),
        ({"updated_datetime": ""}, 400),
        ({"status": "DANCING"}, 400),
        ({"status": "", "description": ""}, 400),
        ({"description": "长" * 5000}, 400),
    ],
)
def test_odd_updates_are_refused(
    client: FlaskClient, database: Database, world: World, change: dict[str, str], status: int
) -> None:
    key = key_of(database)
    number = filed(client, key)
    answer = updated(client, key, number, "U1", **change)
    assert answer.status_code == status, answer.get_data(as_text=True)
    with database.transaction(HERE) as session:
        assert session.scalar(select(func.count()).select_from(Voice)) == 0


def test_another_systems_cases_are_not_there(
    client: FlaskClient, database: Database, world: World
) -> None:
    mine, other = key_of(database, "A"), key_of(database, "A:B")
    number = filed(client, mine)
    assert updated(client, other, number, "U1").status_code == 404
    only_file = key_of(database, "A", "file")
    assert updated(client, only_file, number, "U1").status_code == 403
    with database.transaction(HERE) as session:
        own = ground.opened(session, world, category="ZX08", at=clock.now())
    assert updated(client, mine, own.number, "U1").status_code == 404


@pytest.fixture
def two_clients(real: Database, fresh_url: str, tmp_path: Any) -> Flask:
    return create_app(make_settings(fresh_url, tmp_path), real)


def test_the_same_case_filed_twice_at_once_is_one(two_clients: Flask, real: Database) -> None:
    with real.transaction(HERE) as session:
        ground.build(session)
    key = key_of(real)
    numbers: list[str] = []
    start = threading.Barrier(4)

    def send() -> None:
        client = two_clients.test_client()
        start.wait()
        numbers.append(filed(client, key, description="同一件"))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 4
    assert len(set(numbers)) == 1


def test_keys_are_shown_once_kept_as_hashes_rotated_and_ended(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    sign_in(client, cast["admin"])
    made = client.post("/admin/keys", data={"name": "12345 热线", "scope": ["file", "update"]})
    assert made.headers["Cache-Control"] == "no-store"
    key = next(one for one in words(made) if one.startswith("rc_"))
    page = client.get("/admin/keys").get_data(as_text=True)
    assert key not in page
    assert key[-4:] in page
    with database.transaction(HERE) as session:
        row = session.scalars(select(ApiKey)).one()
        assert key.encode() not in row.key_hash
        key_id = row.id
    number = filed(client, key)
    assert "最近使用" in client.get("/admin/keys").get_data(as_text=True)
    with database.transaction(HERE) as session:
        assert session.get_one(ApiKey, (HERE, key_id)).used_at is not None
    anew = next(
        one for one in words(client.post(f"/admin/keys/{key_id}/rotate")) if one.startswith("rc_")
    )
    # Both work for a while; the new one answers for the old one's cases, repeats included.
    assert filed(client, anew) == number
    assert updated(client, anew, number, "U1").status_code == 200
    assert filed(client, key, description="旧密钥") != number
    assert client.post(f"/admin/keys/{key_id}/rotate").status_code == 422
    assert client.post(f"/admin/keys/{key_id}/end").status_code == 303
    refused = client.post(f"{BASE}/requests.json", data=PLACE | {"api_key": key})
    assert refused.status_code == 403
    assert filed(client, anew, description="新密钥")
    with database.transaction(HERE) as session:
        rows = keys.listing(session)
        assert [row.follows_id for row in rows] == [key_id, None]


def test_a_rotated_key_ends_after_its_days(database: Database, world: World, cast: Cast) -> None:
    key, at = key_of(database), clock.now()
    with database.transaction(HERE) as session:
        row = keys.listing(session)[0]
        keys.rotate(session, row.id, by=cast["admin"].person.id, at=at)
        assert keys.holder(session, key, "file", at=at + timedelta(days=6, hours=23))
        assert keys.holder(session, key, "file", at=at + timedelta(days=7)) is None


def words(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return re.findall(r"[\w-]+", answer.get_data(as_text=True))


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "scope": "file"},
        {"name": "x"},
        {"name": "x", "scope": "everything"},
        {"name": "x", "scope": "file", "a_minute": "0"},
        {"name": "x", "scope": "file", "a_minute": "many"},
        {"name": "长" * 200, "scope": "file"},
    ],
)
def test_odd_keys_are_refused(
    client: FlaskClient, cast: Cast, database: Database, form: dict[str, str]
) -> None:
    sign_in(client, cast["admin"])
    assert client.post("/admin/keys", data=form).status_code == 422
    with database.transaction(HERE) as session:
        assert keys.listing(session) == []


def test_keys_of_another_sub_district_are_not_found(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    key_of(database)
    with database.transaction(HERE) as session:
        key_id = keys.listing(session)[0].id
    sign_in(client, cast.elsewhere["admin"])
    for act in ("rotate", "end"):
        assert client.post(f"/admin/keys/{key_id}/{act}").status_code == 404


def test_each_key_has_a_limit_of_its_own(real: Database, fresh_url: str, tmp_path: Any) -> None:
    with real.transaction(HERE) as session:
        ground.build(session)
        makers.make_subdistrict(session)
    slow, other = key_of(real, "慢", a_minute=2), key_of(real, "快")
    app = create_app(replace(make_settings(fresh_url, tmp_path), testing=False), real)
    client = app.test_client()
    filed(client, slow, description="1")
    filed(client, slow, description="2")
    answer = client.post(f"{BASE}/requests.xml", data=PLACE | {"api_key": slow})
    assert answer.status_code == 429
    assert ElementTree.fromstring(answer.data).findtext("error/code") == "429"
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    filed(client, other, description="3")
