"""The address of a photo: who holds it sees it, for a while, and can do nothing else with it."""

import hashlib
import io
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.datastructures import ImmutableMultiDict

from roadchief import blobs
from roadchief.accounts.signin import public
from roadchief.blobs import Blob
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.errors import BadInput
from roadchief.lib import clock, signing
from roadchief.lib.photos import Box, Developed
from roadchief.web import blobs as web_blobs
from tests import makers, pictures
from tests.conftest import WEIFANG, YANGJING


@pytest.fixture
def photo(database: Database, settings: Settings) -> Blob:
    with database.transaction(WEIFANG) as session:
        return blobs.store(
            session, pictures.jpeg(1200, 900), by=None, at=makers.NOON, settings=settings
        )


def where(photo: Blob, settings: Settings, size: str = "thumb") -> str:
    return blobs.address(photo, size=size, settings=settings)


@pytest.mark.parametrize(("size", "width"), [("full", 1200), ("screen", 960), ("thumb", 320)])
def test_a_photo_is_shown(
    client: FlaskClient, photo: Blob, settings: Settings, size: str, width: int
) -> None:
    answer = client.get(where(photo, settings, size))
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert pictures.opened(answer.data).width == width


def test_what_the_answer_forbids(client: FlaskClient, photo: Blob, settings: Settings) -> None:
    headers = client.get(where(photo, settings)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox")
    assert re.fullmatch(
        r'inline; filename="photo-[0-9a-f]{8}\.jpg"', headers["Content-Disposition"]
    )
    found = re.fullmatch(r"private, max-age=(\d+), immutable", headers["Cache-Control"])
    assert found
    assert 0 < int(found[1]) <= 2 * settings.photo_link_s
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Last-Modified" not in headers
    assert "Set-Cookie" not in headers


def test_head_etag_and_range(client: FlaskClient, photo: Blob, settings: Settings) -> None:
    address = where(photo, settings, "full")
    whole = client.get(address)
    head = client.head(address)
    assert (head.data, head.content_length) == (b"", len(whole.data))
    again = client.get(address, headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert "immutable" in again.headers["Cache-Control"]
    part = client.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, whole.data[10:20])
    assert client.get(address, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert client.post(address).status_code == 405


def test_an_address_is_over_after_its_time(
    client: FlaskClient, photo: Blob, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, now = where(photo, settings), clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(seconds=settings.photo_link_s - 1))
    assert client.get(address).status_code == 200
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(seconds=2 * settings.photo_link_s))
    assert client.get(address).status_code == 404


def test_pages_of_the_same_minutes_name_the_same_address(photo: Blob, settings: Settings) -> None:
    at = makers.NOON + timedelta(seconds=1)
    one = blobs.address(photo, size="thumb", settings=settings, at=at)
    two = blobs.address(photo, size="thumb", settings=settings, at=at + timedelta(seconds=200))
    late = blobs.address(photo, size="thumb", settings=settings, at=at + timedelta(seconds=400))
    assert one == two != late


def test_addresses_cannot_be_made_or_changed(
    client: FlaskClient, photo: Blob, settings: Settings
) -> None:
    good = where(photo, settings)
    token = good.removeprefix("/photo/")
    for place in range(0, len(token), 5):
        other = "A" if token[place] != "A" else "B"
        changed = token[:place] + other + token[place + 1 :]
        assert client.get(f"/photo/{changed}").status_code == 404, place
    for odd in ("x", "..%2f..%2fetc%2fpasswd", "%00", "a" * 5000, photo.sha256, "照片"):
        assert client.get(f"/photo/{odd}").status_code == 404, odd
    purpose = signing.derive(settings.secret_key, "webhook")
    assert (
        client.get(f"/photo/{signing.sign(purpose, b'x' * 21, expires=2**31)}").status_code == 404
    )


def test_an_address_opens_one_photo_of_one_sub_district(
    client: FlaskClient, photo: Blob, settings: Settings
) -> None:
    for place, photo_id in ((YANGJING, photo.id), (WEIFANG, uuid.uuid4())):
        address = blobs.link(place, photo_id, size="thumb", settings=settings)
        assert client.get(address).status_code == 404


def test_a_photo_that_was_given_up_is_not_shown(
    client: FlaskClient, photo: Blob, settings: Settings, database: Database
) -> None:
    address = where(photo, settings)
    with database.transaction(WEIFANG) as session:
        row = blobs.get(session, photo.id)
        blobs.erase(session, row, by=None, at=makers.NOON, because="期满")
    assert client.get(address).status_code == 404


def test_a_lost_file_is_not_found(client: FlaskClient, photo: Blob, settings: Settings) -> None:
    blobs.path(photo, "thumb", settings).unlink()
    assert client.get(where(photo, settings)).status_code == 404


@pytest.fixture
def form(app: Flask) -> FlaskClient:
    """A page that takes two photos, as real pages do, with the check against forged forms."""
    app.config["WTF_CSRF_ENABLED"] = True

    @public("a test")
    @web_blobs.takes_photos(most=2)
    def send() -> dict[str, object]:
        made = web_blobs.photos_from(request.files, "photos", most=2)
        return {"widths": [one.width_px for one in made], "note": request.form.get("note")}

    app.add_url_rule("/test/send", view_func=send, methods=["POST"])
    return app.test_client()


def send(form: FlaskClient, *photos: bytes, note: str = "") -> tuple[int, dict[str, object]]:
    page = form.get("/sign-in").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    data = {
        "csrf_token": token[1],
        "note": note,
        "photos": [(io.BytesIO(one), f"{number}.jpg") for number, one in enumerate(photos)],
    }
    answer = form.post("/test/send", data=data, headers={"Accept": "application/json"})
    return answer.status_code, answer.get_json()


def test_a_form_sends_photos(form: FlaskClient) -> None:
    status, body = send(form, pictures.jpeg(), pictures.jpeg(300, 200), note="门口")
    assert (status, body) == (200, {"widths": [640, 300], "note": "门口"})
    assert send(form)[1]["widths"] == []


def test_photos_may_be_larger_than_other_requests(form: FlaskClient, settings: Settings) -> None:
    heavy = pictures.jpeg() + b"\0" * (3 * 1024 * 1024)
    assert len(heavy) > settings.request_limit_bytes
    assert send(form, heavy, heavy)[0] == 200


def test_a_form_refuses_what_is_too_much(form: FlaskClient, settings: Settings) -> None:
    small = pictures.jpeg(64, 64)
    status, body = send(form, small, small, small)
    assert (status, body["error"]) == (422, "BadInput")
    too_heavy = small + b"\0" * settings.photo_limit_bytes
    assert send(form, too_heavy)[0] == 413
    assert send(form, too_heavy, too_heavy, too_heavy)[0] == 413
    status, body = send(form, b"<svg/>")
    assert (status, body["error"]) == (422, "BadPhoto")


def fields(**columns: str) -> ImmutableMultiDict[str, str]:
    return ImmutableMultiDict(list(columns.items()))


def test_boxes_come_in_percent() -> None:
    many = ImmutableMultiDict(
        [(name, value) for value in ("10", "20") for name in web_blobs.BOX_FIELDS]
    )
    assert web_blobs.boxes_from(many) == [Box(0.1, 0.1, 0.1, 0.1), Box(0.2, 0.2, 0.2, 0.2)]
    empty_row = ImmutableMultiDict(
        [*many.items(multi=True), *((f, "") for f in web_blobs.BOX_FIELDS)]
    )
    assert len(web_blobs.boxes_from(empty_row)) == 2


@pytest.mark.parametrize("value", ["", "x", "nan", "inf", "-5", "101", "1e999", "\0", "9" * 5000])
def test_odd_boxes_are_refused(value: str, app: Flask) -> None:
    with app.test_request_context(), pytest.raises(BadInput):
        web_blobs.boxes_from(fields(left="10", top="10", width=value, height="10"))


def test_no_connection_is_held_while_a_photo_is_opened(
    app: Flask, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts open transactions at the moment of opening; who waits must not hold one."""
    held: list[int] = []
    open_now, real_transaction, real_develop = [0], database.transaction, blobs.develop

    @contextmanager
    def counted(subdistrict_id: int | None) -> Iterator[Session]:
        open_now[0] += 1
        try:
            with real_transaction(subdistrict_id) as session:
                yield session
        finally:
            open_now[0] -= 1

    def develop(data: bytes, *, settings: Settings) -> Developed:
        held.append(open_now[0])
        return real_develop(data, settings=settings)

    monkeypatch.setattr(database, "transaction", counted)
    monkeypatch.setattr(blobs, "develop", develop)
    data = pictures.jpeg(seed=9)
    address = hashlib.sha256(data).hexdigest()
    with app.test_request_context():
        first = web_blobs.receive(WEIFANG, address, data, by=uuid.uuid4(), at=makers.NOON)
        again = web_blobs.receive(WEIFANG, address, data, by=uuid.uuid4(), at=makers.NOON)
        with pytest.raises(blobs.HashMismatch):
            web_blobs.receive(WEIFANG, address, data[:-9], by=uuid.uuid4(), at=makers.NOON)
    assert held == [0]
    assert (first.fresh, again.fresh) == (True, False)
    assert first.blob.id == again.blob.id
