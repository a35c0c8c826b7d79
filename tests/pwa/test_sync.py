"""The door of the phones: who may knock, what is read, and what each item is answered."""

import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from roadchief.db import Database
from roadchief.lib import clock
from tests import makers, pictures
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG
from tests.patrol.phone import Phone, photo, sha

Send = Callable[..., TestResponse]


@pytest.fixture
def phone(client: FlaskClient, cast: Cast) -> Phone:
    sign_in(client, cast["patroller"])
    return Phone(cast["patroller"].person.id, clock.now())


@pytest.fixture
def shop_id(database: Database, cast: Cast) -> uuid.UUID:
    with database.transaction(WEIFANG) as session:
        return uuid.UUID(str(makers.make_storefront(session).id))


@pytest.fixture
def send(client: FlaskClient) -> Send:
    return lambda *items, **given: client.post("/api/v1/sync", json={"items": list(items)}, **given)


def statuses(answer: TestResponse) -> list[str]:
    return [one["status"] for one in answer.get_json()["answers"]]


def test_each_item_is_answered_by_id_and_hash(send: Send, phone: Phone, shop_id: uuid.UUID) -> None:
    items = [phone.check_in(shop_id), phone.item("nonsense", {}), phone.check_in(shop_id)]
    answer = send(*items)
    said = answer.get_json()["answers"]
    assert [one["id"] for one in said] == [one["id"] for one in items]
    assert statuses(answer) == ["stored", "refused", "stored"]
    assert [said[0]["body_sha256"], said[2]["body_sha256"]] == [sha(items[0]), sha(items[2])]
    assert answer.headers["X-RoadChief"] == "1"
    assert answer.headers["Cache-Control"] == "no-store"
    assert statuses(send(*items)) == ["already_stored", "refused", "already_stored"]
    assert statuses(send(items[0] | {"seq": 99})) == ["conflict"]


def test_strangers_and_foreign_pages_stay_outside(
    client: FlaskClient, send: Send, phone: Phone, shop_id: uuid.UUID
) -> None:
    item = phone.check_in(shop_id)
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ):
        assert send(item, headers=headers).status_code == 403, headers
    plain = json.dumps({"items": [item]})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = client.post("/api/v1/sync", data=plain, content_type=kind)
        assert answer.status_code in (400, 415, 422), kind
    assert statuses(send(item, headers={"Sec-Fetch-Site": "same-origin"})) == ["stored"]
    client.delete_cookie("roadchief-person-local")
    assert send(item).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"\xff\xfe", 400), (b"[" * 60_000, 400), (b"null", 422),
        (b"{}", 422), (b'{"items": {}}', 422), (b'{"items": "x"}', 422),
        (json.dumps({"items": [{}] * 51}).encode(), 413),
        (b'{"items": [' + b'"' + b"x" * 5_000_000 + b'"]}', 413),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_as_a_whole(
    client: FlaskClient, phone: Phone, body: bytes, status: int
) -> None:
    answer = client.post("/api/v1/sync", data=body, content_type="application/json")
    assert answer.status_code == status
    assert answer.get_json()["error"]


@pytest.mark.parametrize(
    ("body", "error"),
    [(b"[" * 60_000, "NotJson"), (b"{", "NotJson"), (b"null", "BadInput"), (b"{}", "BadInput")],
    ids=["deep", "broken", "nothing", "no streets"],
)
def test_a_shift_that_cannot_be_read_is_told_so(
    client: FlaskClient, phone: Phone, body: bytes, error: str
) -> None:
    answer = client.post("/api/v1/patrol/shifts", data=body, content_type="application/json")
    assert answer.get_json()["error"] == error


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}, {"id": 5}, {"id": "\x00"}, {"id": "\ud800"}])
def test_a_strange_item_spoils_nothing_beside_it(
    client: FlaskClient, phone: Phone, shop_id: uuid.UUID, odd: Any
) -> None:
    body = json.dumps({"items": [phone.check_in(shop_id), odd, phone.check_in(shop_id)]})
    answer = client.post("/api/v1/sync", data=body, content_type="application/json")
    assert answer.status_code == 200
    assert statuses(answer) == ["stored", "refused", "stored"]


def test_another_persons_items_are_not_taken(
    send: Send, phone: Phone, cast: Cast, shop_id: uuid.UUID
) -> None:
    theirs = Phone(cast["segment_chief"].person.id, clock.now()).check_in(shop_id)
    assert statuses(send(theirs, phone.check_in(shop_id))) == ["paused", "stored"]


def test_a_photo_is_put_once_under_the_hash_of_its_bytes(
    client: FlaskClient, send: Send, phone: Phone, shop_id: uuid.UUID
) -> None:
    data = pictures.jpeg(seed=41)
    mark = hashlib.sha256(data).hexdigest()
    address = f"/api/v1/blobs/{mark}"
    item = phone.item(
        "missed",
        {"storefront_id": str(shop_id), "because": "closed", "note": ""},
        photos=[photo(data)],
    )
    assert send(item).get_json()["answers"][0]["missing_blobs"] == [mark]
    assert client.get(address).status_code == 404
    half = client.put(address, data=data[: len(data) // 2], content_type="image/jpeg")
    assert (half.status_code, half.get_json()["error"]) == (422, "HashMismatch")
    assert client.get(address).status_code == 404
    first = client.put(address, data=data, content_type="image/jpeg")
    assert (first.status_code, first.get_json()["sha256"]) == (201, mark)
    assert client.put(address, data=data, content_type="image/jpeg").status_code == 200
    assert client.get(address).status_code == 200
    assert send(item).get_json()["answers"][0]["missing_blobs"] == []


def test_what_is_no_photo_is_not_kept(client: FlaskClient, phone: Phone) -> None:
    for data in (b"", b"<svg/>", b"GIF89a", b"\xff\xd8\xff" + b"x" * 200):
        mark = hashlib.sha256(data).hexdigest()
        answer = client.put(f"/api/v1/blobs/{mark}", data=data, content_type="image/jpeg")
        assert answer.status_code in (400, 413, 422), data
    for name in ("x", "A" * 64, "..", "0" * 63):
        answer = client.put(f"/api/v1/blobs/{name}", data=b"x", content_type="image/jpeg")
        assert answer.status_code in (400, 404, 422), name
    foreign = client.put(
        f"/api/v1/blobs/{'0' * 64}", data=b"x", headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status_code == 403


def test_a_shift_of_ones_own_is_opened_and_taken_along(
    client: FlaskClient, phone: Phone, database: Database, cast: Cast
) -> None:
    with database.transaction(WEIFANG) as session:
        segment = makers.make_segment(session)
        makers.make_storefront(session, segment)
        segment_id = str(segment.id)
    beats = client.get("/api/v1/patrol/beats").get_json()["beats"]
    assert segment_id in [one["id"] for one in beats]
    made = client.post("/api/v1/patrol/shifts", json={"segment_ids": [segment_id]})
    assert made.status_code == 201
    shift_id = made.get_json()["id"]
    assert shift_id in [
        one["id"] for one in client.get("/api/v1/patrol/shifts").get_json()["shifts"]
    ]
    shift = client.get(f"/api/v1/patrol/shifts/{shift_id}").get_json()
    assert len(shift["stops"]) == 1
    assert {"payload", "key_id", "signature"} == set(shift["plates"])
    assert shift["plates"]["key_id"] in [one["key_id"] for one in shift["keys"]]
    sign_in(client, cast["segment_chief"])


@pytest.mark.parametrize(
    "said", [None, [], {}, {"segment_ids": []}, {"segment_ids": ["x"]}, {"segment_ids": [None]},
             {"segment_ids": "x"}, {"segment_ids": [str(uuid.uuid4())] * 51}]
)  # fmt: skip
def test_odd_wishes_for_a_shift_are_refused(client: FlaskClient, phone: Phone, said: Any) -> None:
    answer = client.post("/api/v1/patrol/shifts", json=said)
    assert answer.status_code in (400, 404, 422)


def test_a_shift_of_somebody_else_is_not_found(
    client: FlaskClient, phone: Phone, database: Database, cast: Cast
) -> None:
    with database.transaction(WEIFANG) as session:
        segment_id = str(makers.make_segment(session).id)
    shift_id = client.post("/api/v1/patrol/shifts", json={"segment_ids": [segment_id]}).get_json()[
        "id"
    ]
    client.post("/sign-out")
    sign_in(client, cast["segment_chief"])
    assert client.get(f"/api/v1/patrol/shifts/{shift_id}").status_code == 404


def test_a_merchant_takes_no_street_along(
    client: FlaskClient, cast: Cast, database: Database, send: Send
) -> None:
    """The list of a shift tells how every shop on it stands, and which are to be seen again."""
    with database.transaction(WEIFANG) as session:
        segment_id = str(makers.make_segment(session).id)
    sign_in(client, cast["merchant"])
    own = client.post("/api/v1/patrol/shifts", json={"segment_ids": [segment_id]})
    listed = [client.get(f"/api/v1/patrol/{path}") for path in ("beats", "shifts")]
    assert [answer.status_code for answer in (own, *listed)] == [403, 403, 403]
    assert client.get("/api/v1/me").get_json()["person"]["allowed"] is False
    assert 'href="/patrol/"' not in client.get("/merchant/").text
    # A self-check of the own shop may still be sent.
    phone = Phone(cast["merchant"].person.id, clock.now())
    assert send(phone.item("self_check", {})).status_code == 200
