"""Access keys: what a person's own programs may read, as which post, and when that ends."""

import base64
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from roadchief.accounts import access_keys, people
from roadchief.accounts.models import AccessKey, Person, Post
from roadchief.app import create_app
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.events import Event
from roadchief.lib import clock
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG, YANGJING, make_settings
from tests.issues import ground
from tests.maps.test_duty_layers import visit
from tests.maps.test_ogc import street
from tests.test_access import address, routes

CLOSED = "/ogc/collections/duty_zones/items"


def basic(key: str, user: str = "anybody") -> dict[str, str]:
    sent = base64.b64encode(f"{user}:{key}".encode()).decode()
    return {"Authorization": f"Basic {sent}"}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def made(
    database: Database, settings: Settings, person: Person, *, role: str = "", **given: Any
) -> str:
    """A key of somebody's first post (of this role)."""
    with database.transaction(person.subdistrict_id) as session:
        posts = session.scalars(
            select(Post).where(Post.person_id == person.id).order_by(Post.starts_at, Post.id)
        )
        post = next(one for one in posts if not role or one.role == role)
        values = {"second_factor": True, "at": clock.now(), "settings": settings, **given}
        return access_keys.make(session, person.id, post.id, "QGIS", **values)


@pytest.fixture
def key(database: Database, settings: Settings, cast: Cast) -> str:
    street(database)
    return made(database, settings, cast["chief_l2"].person)


def refused(answer: TestResponse, name: str, status: int = 401) -> None:
    assert answer.status_code == status, answer.get_data(as_text=True)
    told = answer.get_json()
    assert name in (told.get("code"), told.get("error")), told
    challenges = answer.headers.getlist("WWW-Authenticate")
    assert [one.split()[0] for one in challenges] == ["Basic", "Bearer"]
    assert all('realm="RoadChief"' in one for one in challenges)


def test_a_program_reads_by_key_what_its_post_sees(client: FlaskClient, key: str) -> None:
    refused(client.get(CLOSED), "KeyNeeded")
    for shown in (basic(key), basic(key, ""), bearer(key)):
        assert len(client.get(CLOSED, headers=shown).get_json()["features"]) == 11
        listed = client.get("/ogc/collections", headers=shown).get_json()["collections"]
        assert {"duty_zones", "check_ins"} <= {one["id"] for one in listed}
        assert len(client.get("/api/v1/duty_zones", headers=shown).get_json()["items"]) == 11
        assert client.head(CLOSED, headers=shown).status_code == 200
    assert client.get("/ogc/collections/persons/items", headers=basic(key)).status_code == 404
    assert client.get("/ogc/collections/segments/items").status_code == 200


def test_what_is_wrong_is_told(
    client: FlaskClient, database: Database, settings: Settings, cast: Cast, key: str
) -> None:
    other = key.replace(str(WEIFANG), str(YANGJING))
    for wrong in ("", "x", "\x00", "键", key[:-1], key + "x", key[:-1] + "é", other):
        refused(client.get(CLOSED, headers=basic(wrong)), "KeyRefused")
        with database.transaction(None) as session:
            session.execute(text("DELETE FROM sign_in_attempt"))
    refused(client.get(f"{CLOSED}?s={YANGJING}", headers=basic(key)), "KeyElsewhere")
    assert client.get(f"{CLOSED}?s={WEIFANG}", headers=basic(key)).status_code == 200
    long_ago = clock.now() - timedelta(days=settings.access_key_days, seconds=1)
    with database.transaction(WEIFANG) as session:
        session.execute(text("UPDATE post SET starts_at = '2026-01-01'"))
    old = made(database, settings, cast["officer"].person, at=long_ago)
    refused(client.get("/ogc/", headers=bearer(old)), "KeyExpired")
    person = cast["chief_l2"].person
    with database.transaction(WEIFANG) as session:
        row = session.scalars(select(AccessKey).where(AccessKey.person_id == person.id)).one()
        access_keys.end(session, row.id, person.id, at=clock.now())
    refused(client.get(CLOSED, headers=bearer(key)), "KeyEnded")
    refused(client.get("/api/v1/duty_zones", headers=bearer(key)), "KeyEnded")


def test_too_many_wrong_keys_rest_but_a_right_one_opens(
    client: FlaskClient, settings: Settings, key: str
) -> None:
    for number in range(settings.sign_in_attempts):
        wrong = f"rck_{WEIFANG}_{number:043d}"
        refused(client.get("/ogc/", headers=basic(wrong)), "KeyRefused")
    answer = client.get("/ogc/", headers=basic("x"))
    refused(answer, "TooManyWrongKeys", 429)
    assert 0 < int(answer.headers["Retry-After"]) <= settings.sign_in_window_s
    assert client.get(CLOSED, headers=basic(key)).status_code == 200
    assert client.get("/ogc/").status_code == 200


@pytest.mark.parametrize("how", ["post", "person", "factor"])
def test_a_key_ends_with_its_post_its_person_and_the_second_factor(
    client: FlaskClient, database: Database, cast: Cast, key: str, how: str
) -> None:
    person, at = cast["chief_l2"].person, clock.now()
    with database.transaction(WEIFANG) as session:
        mine = session.get_one(Person, (WEIFANG, person.id))
        if how == "post":
            post = session.scalars(select(Post).where(Post.person_id == person.id)).one()
            people.end_post(session, post, by=cast["admin"].person.id, at=at, because="换岗")
            people.appoint(session, mine, role="chief_l1", capacity="cadre", by=None, at=at)
        elif how == "person":
            people.retire(session, mine, by=None, at=at, because="离职")
        else:
            people.reset_second_factor(session, mine, by=None, at=at)
    name = "KeyEnded" if how == "factor" else "KeyWithoutPost"
    refused(client.get(CLOSED, headers=basic(key)), name)


def test_a_key_opens_no_page_and_changes_nothing(
    app: Flask, database: Database, settings: Settings, cast: Cast
) -> None:
    """Whatever the header says: every guarded view answers as to a stranger."""
    admin = made(database, settings, cast["admin"].person)
    for rule, method, said in routes(app):
        keyed = [
            one.rule
            for one in app.url_map.iter_rules()
            if getattr(app.view_functions[one.endpoint], "by_key", False)
        ]
        if rule in keyed:
            assert method == "GET"
            assert rule.startswith(("/ogc/", "/api/v1/")), rule
        if said.startswith("public: "):
            continue
        for shown in (basic(admin), bearer(admin)):
            answer = app.test_client().open(address(rule), method=method, headers=shown)
            wanted = (302,) if method == "GET" and not rule.startswith("/api/") else (401,)
            assert answer.status_code in wanted, f"{method} {rule}: {answer.status_code}"
    stranger = app.test_client()
    assert stranger.get("/map/data/duty_zones.gpkg", headers=basic(admin)).status_code == 404
    assert stranger.get("/api/v1/me", headers=basic(admin)).get_json()["person"] is None


def test_a_key_is_one_post_and_not_all_that_its_person_holds(
    client: FlaskClient, database: Database, settings: Settings, cast: Cast
) -> None:
    """Two units and a street of one person: each key sees its own."""
    at = clock.now()
    with database.transaction(WEIFANG) as session:
        world = ground.build(session)
        first = ground.opened(session, world)
        person = session.get_one(Person, (WEIFANG, world.officer))
        post = session.scalars(select(Post).where(Post.person_id == person.id)).one()
        other = people.appoint(
            session,
            person,
            role="officer",
            capacity="cadre",
            organisation_id=world.green.id,
            by=None,
            at=at,
            title="绿化",
        )
        chief = people.appoint(session, person, role="chief_l2", capacity="cadre", by=None, at=at)
        makers.make_assignment(session, chief, world.segment, starts_at=at)
        elsewhere = makers.make_segment(session)
        visit(session, world.shop, at)
        far = people.appoint(
            session, person, role="chief_l2", capacity="cadre", by=None, at=at, title="另一段"
        )
        makers.make_assignment(session, far, elsewhere, starts_at=at)
        session.execute(
            text("UPDATE case_file SET unit_id = :unit WHERE id = :id"),
            {"unit": world.squad.id, "id": first.id},
        )
        make = {"second_factor": True, "at": clock.now(), "settings": settings}
        keys = {
            one.title: access_keys.make(session, person.id, one.id, "QGIS", **make)
            for one in (post, other, chief, far)
        }

    def seen(title: str, layer: str = "cases") -> int:
        path = f"/ogc/collections/{layer}/items"
        return len(client.get(path, headers=basic(keys[title])).get_json()["features"])

    assert [seen(title, "check_ins") for title in (chief.title, "另一段")] == [1, 0]
    assert {title: seen(title) for title in keys} == {
        post.title: 1,
        "绿化": 0,
        chief.title: 1,
        "另一段": 0,
    }


def test_made_named_seen_and_ended_on_the_own_page(
    client: FlaskClient, database: Database, cast: Cast, settings: Settings
) -> None:
    street(database)
    sign_in(client, cast["chief_l2"])
    page = client.get("/account").get_data(as_text=True)
    post = re.findall(r'name="post" value="([0-9a-f-]{36})"', page)[0]
    answer = client.post("/account/keys", data={"name": "办公室 QGIS", "post": post})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    key = re.findall(r'<code class="key">(rck_[^<]+)</code>', answer.get_data(as_text=True))[0]
    page = client.get("/account").get_data(as_text=True)
    assert "办公室 QGIS" in page
    assert key not in page
    program = client.application.test_client()
    assert program.get(CLOSED, headers=basic(key)).status_code == 200
    with database.transaction(WEIFANG) as session:
        row = session.scalars(select(AccessKey)).one()
        assert key.encode() not in row.token_hash
        assert row.used_at is not None
        assert row.expires_at - row.made_at == timedelta(days=settings.access_key_days)
    which = re.findall(r'name="key" value="([0-9a-f-]{36})"', page)[0]
    others = client.application.test_client()
    sign_in(others, cast["officer"])
    assert others.post("/account/keys/end", data={"key": which}).status_code == 404
    assert others.post("/account/keys", data={"name": "x", "post": post}).status_code == 404
    assert program.get(CLOSED, headers=basic(key)).status_code == 200
    assert client.post("/account/keys/end", data={"key": which}).status_code == 303
    assert client.post("/account/keys/end", data={"key": which}).status_code == 303
    refused(program.get(CLOSED, headers=basic(key)), "KeyEnded")
    with database.transaction(WEIFANG) as session:
        told = session.scalars(select(Event).where(Event.subject_id == row.id).order_by(Event.at))
        assert [one.name for one in told] == ["accounts.key_made", "accounts.key_ended"]
    data = client.get("/map/data").get_data(as_text=True)
    assert "/account#keys" in data


def test_no_key_for_those_without_use_or_beyond_the_number(
    client: FlaskClient, database: Database, settings: Settings, cast: Cast
) -> None:
    sign_in(client, cast["merchant"])
    assert "访问密钥" not in client.get("/account").get_data(as_text=True)
    assert client.post("/account/keys", data={"name": "x"}).status_code == 403
    person = cast["patroller"].person
    for _ in range(access_keys.MOST_KEYS):
        made(database, settings, person)
    with pytest.raises(access_keys.TooManyKeys):
        made(database, settings, person)


def test_keys_that_open_stand_before_many_that_are_over(
    database: Database, settings: Settings, cast: Cast
) -> None:
    """Else they could be neither seen nor ended, nor counted for the number allowed."""
    person, at = cast["patroller"].person, clock.now()
    made(database, settings, person, at=at - timedelta(days=1))
    with database.transaction(WEIFANG) as session:
        running = access_keys.listing(session, person.id, at=at)[0].key.id
    for _ in range(access_keys.MOST_LISTED):
        made(database, settings, person)
        with database.transaction(WEIFANG) as session:
            newest = next(
                one.key.id
                for one in access_keys.listing(session, person.id, at=at)
                if one.state != "ended" and one.key.id != running
            )
            access_keys.end(session, newest, person.id, at=at)
    with database.transaction(WEIFANG) as session:
        listed = access_keys.listing(session, person.id, at=at)
    assert (listed[0].key.id, listed[0].state) == (running, "running")
    assert {one.state for one in listed[1:]} == {"ended"}


def test_a_key_made_without_the_second_factor_reads_as_little_as_its_maker(
    client: FlaskClient, database: Database, settings: Settings, cast: Cast
) -> None:
    street(database)
    weak = made(database, settings, cast["chief_l2"].person, second_factor=False)
    assert client.get(CLOSED, headers=basic(weak)).status_code == 404


def test_ended_keys_are_forgotten_after_a_month(
    database: Database, settings: Settings, cast: Cast
) -> None:
    person, at = cast["patroller"].person, clock.now()
    with database.transaction(WEIFANG) as session:
        session.execute(text("UPDATE post SET starts_at = '2020-01-01'"))
    for days in (0, settings.access_key_days + 29, settings.access_key_days + 31):
        made(database, settings, person, at=at - timedelta(days=days))
    with database.transaction(WEIFANG) as session:
        assert access_keys.forget_ended(session, at=at) == 1
        states = [one.state for one in access_keys.listing(session, person.id, at=at)]
        assert states == ["running", "expired"]
        soon = at + timedelta(days=settings.access_key_days) - access_keys.SOON
        assert access_keys.listing(session, person.id, at=soon)[0].state == "soon"


def test_a_read_by_key_costs_two_questions_more(
    client: FlaskClient, key: str, queries: Callable[[], Any]
) -> None:
    client.get(CLOSED, headers=basic(key))  # writes down that it was used
    with queries() as seen:
        assert client.get(CLOSED, headers=basic(key)).status_code == 200
    assert len(seen) <= 3


@pytest.fixture
def served(fresh_url: str, tmp_path: Path) -> Iterator[tuple[str, Database, Settings]]:
    settings = replace(make_settings(fresh_url, tmp_path), testing=False)  # with limits
    database = Database(settings)
    web = make_server("127.0.0.1", 0, create_app(settings, database), threaded=True)
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{web.server_port}/ogc/", database, settings
    web.shutdown()
    thread.join()
    web.server_close()
    database.engine.dispose()


def test_ogrinfo_signs_in_with_a_key(served: tuple[str, Database, Settings]) -> None:
    """As GDAL's manual says: GDAL_HTTP_USERPWD, with GDAL_HTTP_AUTH or without."""
    ogrinfo = shutil.which("ogrinfo")
    if ogrinfo is None:
        pytest.skip("ogrinfo is absent: apt-get install gdal-bin")
    at, database, settings = served
    street(database, shops=60)
    with database.transaction(WEIFANG) as session:
        person = makers.make_person(session)
        makers.make_post(session, person, role="operator")
    key = made(database, settings, person)

    def ask(*layer: str, **given: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ogrinfo, "-so", "-ro", f"OAPIF:{at}", *layer],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, **given},
        )

    user = {"GDAL_HTTP_USERPWD": f"zhou:{key}"}
    listed = ask(**user)
    assert listed.returncode == 0, listed.stderr
    assert {"segments", "duty_zones", "cases"} <= set(re.findall(r"\d+: (\w+)", listed.stdout))
    for shown in (
        user | {"GDAL_HTTP_AUTH": "BASIC"},
        {"GDAL_HTTP_HEADERS": f"Authorization: Bearer {key}"},
    ):
        counted = ask("duty_zones", **shown)
        assert "Feature Count: 59" in counted.stdout, counted.stderr
    wrong = ask(GDAL_HTTP_USERPWD="zhou:wrong")
    assert wrong.returncode != 0
    assert "401" in wrong.stderr
    assert "duty_zones" not in ask().stdout
