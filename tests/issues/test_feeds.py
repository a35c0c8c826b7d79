"""Atom feeds: what they tell, what they never tell, and that unchanged ones cost one question."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from xml.etree import ElementTree

import pytest
import shapely
from flask.testing import FlaskClient

from roadchief.db import Database
from roadchief.issues import cases, publishing
from roadchief.issues.models import Case
from roadchief.lib import clock
from tests import makers
from tests.issues import ground
from tests.issues.ground import CENTRE, World

HERE = 310115004
NOBODY = "01900000-0000-7000-8000-000000000000"  # the same for every test process
ALL = f"/feeds/{HERE}/cases.atom"
NAMES = {"a": "http://www.w3.org/2005/Atom", "g": "http://www.georss.org/georss"}
FAR = shapely.LineString([(121.5300, 31.2300), (121.5320, 31.2300)])


@pytest.fixture
def world(database: Database) -> World:
    with database.transaction(HERE) as session:
        return ground.build(session)


def made(database: Database, world: World, **given: Any) -> Case:
    with database.transaction(HERE) as session:
        given = {"category": "ZX08", "at": clock.now()} | given
        return ground.opened(session, world, **given)


def read(client: FlaskClient, address: str = ALL) -> ElementTree.Element:
    answer = client.get(address)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.content_type == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(answer.data)


def texts(tree: ElementTree.Element, path: str) -> list[str]:
    return [one.text or "" for one in tree.findall(path, NAMES)]


def test_a_feed_has_what_the_standard_asks(
    client: FlaskClient, database: Database, world: World
) -> None:
    case = made(database, world, words="隔壁王阿姨 13800138000")
    with database.transaction(HERE) as session:
        row = cases.locked(session, case.id)
        publishing.release_words(session, row, "地摊<b>占道</b>\x0b😀", who=CENTRE, at=clock.now())
    tree = read(client)
    assert tree.tag == "{http://www.w3.org/2005/Atom}feed"
    for part in ("id", "title", "updated", "author/a:name", "entry"):
        assert len(tree.findall(f"a:{part}", NAMES)) == 1, part
    links = {one.get("rel"): one.get("href") for one in tree.findall("a:link", NAMES)}
    assert links["self"] == f"http://127.0.0.1:8000{ALL}"
    assert links["alternate"] == f"http://127.0.0.1:8000/map?s={HERE}" or links["alternate"]
    entry = tree.find("a:entry", NAMES)
    assert entry is not None
    for part in ("id", "title", "updated", "published", "content", "link"):
        assert len(entry.findall(f"a:{part}", NAMES)) == 1, part
    assert texts(entry, "a:id") == [f"tag:127.0.0.1,2026:{HERE}/cases/{case.id}"]
    for at in (*texts(entry, "a:updated"), *texts(tree, "a:updated")):
        assert datetime.fromisoformat(at).tzinfo is not None
    content = entry.find("a:content", NAMES)
    assert content is not None
    assert content.get("type") == "text"
    assert "地摊<b>占道</b>" in (content.text or "")
    assert re.fullmatch(r"31\.\d{6} 121\.\d{6}", texts(entry, "g:point")[0])
    body = client.get(ALL).get_data(as_text=True)
    for secret in ("王阿姨", "13800138000", "\x0b"):
        assert secret not in body
    address = entry.find("a:link", NAMES)
    assert address is not None
    path = (address.get("href") or "").removeprefix("http://127.0.0.1:8000")
    assert client.get(path).status_code == 200
    assert "Public cases" in texts(read(client, f"{ALL}?in=en"), "a:title")[0]


def test_what_is_not_public_is_not_told(
    client: FlaskClient, database: Database, world: World
) -> None:
    shown = made(database, world)
    made(database, world, category="ZX09", words="太吵")
    held, refused = made(database, world), made(database, world)
    with database.transaction(HERE) as session:
        session.get_one(Case, (HERE, held.id)).held = True
        row = session.get_one(Case, (HERE, refused.id))
        row.state, row.ended_at = "rejected", clock.now()
    assert [one[-36:] for one in texts(read(client), "a:entry/a:id")] == [str(shown.id)]


def test_a_road_a_segment_and_everything(
    client: FlaskClient, database: Database, world: World
) -> None:
    near, far = made(database, world), made(database, world)
    with database.transaction(HERE) as session:
        other = makers.make_segment(session, name="浦电路", line=FAR, code="PD1")
        session.get_one(Case, (HERE, far.id)).segment_id = other.id
        roads = world.segment.road_id, other.road_id
    ids = {str(near.id): world.segment.id, str(far.id): other.id}
    assert {one[-36:] for one in texts(read(client), "a:entry/a:id")} == set(ids)
    for (case_id, segment_id), road_id in zip(ids.items(), roads, strict=True):
        for address in (f"segments/{segment_id}", f"roads/{road_id}"):
            tree = read(client, f"/feeds/{HERE}/{address}.atom")
            assert [one[-36:] for one in texts(tree, "a:entry/a:id")] == [case_id], address
    page = client.get(f"/map/segments/{world.segment.id}?s={HERE}").get_data(as_text=True)
    assert f'type="application/atom+xml" title="公开案件 {world.segment.name}"' in page
    for path in ("/", f"/report?s={HERE}", f"/map?s={HERE}"):
        answer = client.get(path, follow_redirects=True).get_data(as_text=True)
        assert f'href="{ALL}"' in answer, path


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/1/cases.atom",
        "/feeds/310115999/cases.atom",
        f"/feeds/{HERE}/roads/{NOBODY}.atom",
        f"/feeds/{HERE}/segments/{NOBODY}.atom",
        f"/feeds/{HERE}/segments/x.atom",
    ],
)
def test_unknown_ones_are_not_found(client: FlaskClient, world: World, path: str) -> None:
    assert client.get(path).status_code == 404


def test_another_sub_districts_segment_is_not_found(
    client: FlaskClient, database: Database, world: World
) -> None:
    with database.transaction(310115013) as session:
        makers.make_subdistrict(session, 310115013)
    path = f"/feeds/310115013/segments/{world.segment.id}.atom"
    assert client.get(path).status_code == 404


def test_unchanged_feeds_are_answered_briefly(
    client: FlaskClient, database: Database, world: World, queries: Callable[[], Any]
) -> None:
    case = made(database, world)
    first = client.get(ALL)
    mark = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "public, no-cache"
    assert "Set-Cookie" not in first.headers
    with queries() as asked:
        again = client.get(ALL, headers={"If-None-Match": mark})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == mark
    with queries() as full:
        client.get(ALL)
    assert len(asked) < len(full)
    assert client.get(f"{ALL}?in=en", headers={"If-None-Match": mark}).status_code == 200
    now = format_datetime(clock.now() + timedelta(seconds=1), usegmt=False)
    assert client.get(ALL, headers={"If-Modified-Since": now}).status_code == 304
    with database.transaction(HERE) as session:
        row = cases.locked(session, case.id)
        publishing.release_words(session, row, "占道", who=CENTRE, at=clock.now())
    assert client.get(ALL, headers={"If-None-Match": mark}).status_code == 200
    mark = client.get(ALL).headers["ETag"]
    with database.transaction(HERE) as session:
        session.get_one(Case, (HERE, case.id)).category = "ZX09"  # private from now on
    answer = client.get(ALL, headers={"If-None-Match": mark})
    assert answer.status_code == 200
    assert b"<entry>" not in answer.data


def test_a_feed_asks_a_constant_number_of_questions(
    client: FlaskClient, database: Database, world: World, queries: Callable[[], Any]
) -> None:
    made(database, world)
    with queries() as few:
        read(client)
    for _ in range(60):
        made(database, world, source="staff")
    with queries() as many:
        tree = read(client)
    assert len(many) == len(few)
    assert len(texts(tree, "a:entry/a:id")) == 50
