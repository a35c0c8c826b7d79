"""Tiles: what is in them, for whom, how long they are kept, and one computation for many."""

import gzip
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from roadchief import jobs
from roadchief.accounts.access import Actor
from roadchief.app import create_app
from roadchief.db import Database
from roadchief.lib import clock
from roadchief.maps import jobs as map_jobs
from roadchief.maps import layers, shelf, tile_views
from roadchief.maps.layers import Layer
from roadchief.maps.tiles import Square
from roadchief.streets import chiefs
from roadchief.streets.models import RoadSegment
from roadchief.web import limits
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import make_settings

CODE = 310115004
HERE = (16, 54889, 26778)  # over 崂山路
FAR = (16, 54930, 26778)
ZIPPED = {"Accept-Encoding": "gzip, br"}


def address(layer: str = "streets", z: int = 16, *, code: int = CODE) -> str:
    """The tile that holds the door of makers.make_storefront."""
    x = int((121.5187 + 180) / 360 * 2**z)
    y = int((1 - math.asinh(math.tan(math.radians(31.2291))) / math.pi) / 2 * 2**z)
    return f"/tiles/{layer}/{z}/{x}/{y}.mvt?s={code}"


@pytest.fixture
def street(database: Database) -> str:
    with database.transaction(CODE) as session:
        makers.make_subdistrict(session, CODE)
        segment = makers.make_segment(session)
        makers.make_storefront(
            session, segment, duty_zone=shapely.box(121.5186, 31.229, 121.5188, 31.2292)
        )
    return str(segment.id)


def test_a_tile_comes_as_it_is_asked_for(client: FlaskClient, street: str) -> None:
    plain = client.get(address())
    assert plain.status_code == 200
    assert plain.mimetype == "application/vnd.mapbox-vector-tile"
    assert "Content-Encoding" not in plain.headers
    assert street.encode() in plain.data
    zipped = client.get(address(), headers=ZIPPED)
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == plain.data
    assert zipped.headers["ETag"] != plain.headers["ETag"]
    for answer in (plain, zipped):
        assert {"Accept-Encoding", "Cookie"} <= set(answer.headers["Vary"].split(", "))
    never = client.get(address(), headers={"Accept-Encoding": "gzip;q=0"})
    assert never.data == plain.data


def test_what_has_not_changed_is_not_sent_again(client: FlaskClient, street: str) -> None:
    first = client.get(address(), headers=ZIPPED)
    again = client.get(address(), headers=ZIPPED | {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_an_empty_square_has_no_content(client: FlaskClient, street: str) -> None:
    z, x, y = FAR
    for headers in ({}, ZIPPED):
        answer = client.get(f"/tiles/streets/{z}/{x}/{y}.mvt?s={CODE}", headers=headers)
        assert (answer.status_code, answer.data) == (204, b"")
    assert client.get(address("fronts", 12)).status_code == 204  # below its zooms
    assert client.get(address(code=310115013)).status_code == 204


@pytest.mark.parametrize(
    ("layer", "z", "there", "not_there"),
    [
        ("storefronts", 13, ["clusters", "count"], ["storefronts", "name"]),
        ("storefronts", 15, ["storefronts", "empty"], ["clusters", "id", "name"]),
        ("storefronts", 16, ["storefronts", "empty", "id"], ["name", "number"]),
        ("storefronts", 17, ["storefronts", "id", "name", "number"], ["clusters"]),
        ("segments", 11, ["segments", "state"], ["id", "code"]),
        ("segments", 16, ["segments", "state", "id", "code"], []),
        ("roads", 11, ["roads", "kind"], ["name_en"]),
        ("roads", 16, ["roads", "name", "kind"], ["storefronts"]),
        ("streets", 17, ["segments", "storefronts"], ["duty_zones", "buildings"]),
        ("background", 16, ["roads"], ["segments"]),
    ],
)
def test_attributes_are_pruned_by_zoom(
    client: FlaskClient, street: str, layer: str, z: int, there: list[str], not_there: list[str]
) -> None:
    found = words(client.get(address(layer, z)).data)
    assert set(there) <= found, found
    assert not set(not_there) & found, found


def words(body: bytes) -> set[str]:
    """Names of layers and attributes in a tile: fields 1 and 3 of each layer."""
    found = set()
    for number, layer in fields(body):
        if number == 3:
            found |= {value.decode() for key, value in fields(layer) if key in (1, 3)}
    return found


def fields(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, value) of the length-delimited fields of a protobuf message."""

    def varint(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = raw[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at

    at = 0
    while at < len(raw):
        key, at = varint(at)
        length, at = varint(at)
        if key & 7 == 2:
            yield key >> 3, raw[at : at + length]
            at += length


def test_closed_segments_are_drawn_near_and_not_far(
    client: FlaskClient, street: str, database: Database
) -> None:
    with database.transaction(CODE) as session:
        makers.make_segment(session, closed_at=makers.NOON, line=makers.LAOSHAN)
    assert b"closed" in client.get(address("segments", 16)).data
    assert b"closed" not in client.get(address("segments", 14)).data


def test_counts_are_of_every_open_shop_and_of_each_once(
    client: FlaskClient, street: str, database: Database
) -> None:
    with database.transaction(CODE) as session:
        segment = makers.make_segment(session)
        for number in range(300):
            door = shapely.Point(121.50 + number % 20 * 0.002, 31.21 + number // 20 * 0.001)
            makers.make_storefront(session, segment, door=door)
        makers.make_storefront(session, segment, closed_at=makers.NOON)
        for z in (10, 11, 12, 13, 14):
            shift = 16 - z
            squares = {
                (x >> shift, y >> shift) for x in range(54870, 54910) for y in range(26750, 26810)
            }
            counts = [
                session.execute(
                    text("SELECT sum(count) FROM storefront_clusters(:h, :z, :x, :y)"),
                    {"h": CODE, "z": z, "x": x, "y": y},
                ).scalar()
                or 0
                for x, y in squares
            ]
            assert sum(counts) == 301, z
        inside = session.execute(
            text("SELECT px, py FROM storefront_clusters(:h, 13, :x, :y)"),
            {"h": CODE, "x": HERE[1] >> 3, "y": HERE[2] >> 3},
        ).all()
        assert inside
        assert all(320 <= v % 1024 <= 704 for row in inside for v in row)
        elsewhere = "SELECT count(*) FROM storefront_clusters(310115013, 10, 857, 418)"
        assert session.scalar(text(elsewhere)) == 0
    far = client.get(address("streets", 13)).data
    assert b"clusters" in far
    assert len(far) < 1500


def test_what_is_not_public_is_not_found_without_the_right(
    app: Flask, cast: Cast, street: str
) -> None:
    nobody, chief = app.test_client(), app.test_client()
    merchant, stranger = app.test_client(), app.test_client()
    sign_in(chief, cast["chief_l2"])
    sign_in(merchant, cast["merchant"])
    sign_in(stranger, cast.elsewhere["chief_l2"])
    assert nobody.get(address("duty_zones", 17)).status_code == 404
    assert nobody.get("/tiles/duty_zones.json").status_code == 404
    assert merchant.get(address("duty_zones", 17)).status_code == 404
    assert chief.get(address("duty_zones", 16)).status_code == 200
    assert chief.get("/tiles/duty_zones.json").status_code == 200
    for layer in ("duty_zones", "streets", "roads"):
        assert stranger.get(address(layer)).status_code == 404
    assert stranger.get(address("streets").partition("?")[0]).status_code == 204
    assert stranger.get(f"/tiles/streets.json?s={CODE}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/tiles/streets/99/1/1.mvt",
        "/tiles/streets/8/1/1.mvt",
        "/tiles/streets/16/-1/1.mvt",
        "/tiles/streets/16/1/-1.mvt",
        "/tiles/streets/16/65536/1.mvt",
        "/tiles/streets/16/1/65536.mvt",
        "/tiles/streets/-1/0/0.mvt",
        "/tiles/streets/16/99999999999999999999999/1.mvt",
        "/tiles/streets/9999999999999999999/1/1.mvt",
        "/tiles/streets/a/b/c.mvt",
        "/tiles/streets/16/1.5/1.mvt",
        "/tiles/nothing/16/1/1.mvt",
        "/tiles/storefront'--/16/1/1.mvt",
        "/tiles/%00/16/1/1.mvt",
        "/tiles/nothing.json",
        "/tiles/streets/16/1/1.mvt?s=1",
        "/tiles/streets/16/1/1.mvt?s=%00",
    ],
)
def test_addresses_out_of_range_are_not_found(client: FlaskClient, street: str, path: str) -> None:
    assert client.get(path).status_code == 404


def test_tile_json_describes_its_layers(client: FlaskClient, street: str) -> None:
    told = client.get(f"/tiles/streets.json?s={CODE}").json
    assert told["tilejson"] == "3.0.0"
    assert told["tiles"][0].endswith(f"/tiles/streets/{{z}}/{{x}}/{{y}}.mvt?s={CODE}")
    assert (told["minzoom"], told["maxzoom"]) == (9, 18)
    west, south, east, north = told["bounds"]
    assert west < 121.52 < east
    assert south < 31.23 < north
    known = {one["id"]: one for one in told["vector_layers"]}
    assert set(known) == {
        *("segments", "storefronts", "clusters", "fronts", "stations", "permits"),
    }
    assert known["segments"]["fields"] == {"id": "String", "code": "String", "state": "String"}
    assert known["storefronts"]["minzoom"] == 15
    assert known["clusters"]["maxzoom"] == 14


def test_a_square_knows_its_bounds() -> None:
    west, south, east, north = Square.at(16, 54887, 26766).bounds(0)
    assert west < 121.5068 < east
    assert south < north
    assert east - west == pytest.approx(360 / 2**16)


# Kept tiles: on real commits.


@pytest.fixture
def real(fresh_url: str, tmp_path: Path) -> Iterator[Database]:
    database = Database(make_settings(fresh_url, tmp_path))
    with database.transaction(CODE) as session:
        makers.make_subdistrict(session, CODE)
        segment = makers.make_segment(session)
        makers.make_storefront(session, segment)
    yield database
    database.engine.dispose()


@pytest.fixture
def site(real: Database, fresh_url: str, tmp_path: Path) -> Flask:
    return create_app(make_settings(fresh_url, tmp_path), real)


@pytest.fixture
def makings(real: Database) -> list[str]:
    """One statement for each tile that was computed."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        if "INSERT INTO tile_store" in sql:  # who computes one keeps it
            seen.append(sql)

    event.listen(real.engine, "before_cursor_execute", note)
    return seen


def add_shop(real: Database, *, door: shapely.Point) -> None:
    with real.transaction(CODE) as session:
        segment = session.scalars(select(RoadSegment)).first()
        makers.make_storefront(session, segment, door=door)


def test_a_tile_is_made_once_and_again_after_a_change_in_its_square(
    real: Database, site: Flask, makings: list[str]
) -> None:
    client = site.test_client()
    first = client.get(address("storefronts"))
    assert client.get(address("storefronts")).headers["ETag"] == first.headers["ETag"]
    assert len(makings) == 1
    add_shop(real, door=shapely.Point(121.60, 31.20))  # far away
    client.get(address("storefronts"))
    assert len(makings) == 1
    add_shop(real, door=shapely.Point(121.5189, 31.2290))
    second = client.get(address("storefronts"))
    assert second.headers["ETag"] != first.headers["ETag"]
    assert len(makings) == 2


def test_other_layers_are_not_touched_by_a_change(
    real: Database, site: Flask, makings: list[str]
) -> None:
    client = site.test_client()
    client.get(address("roads"))
    add_shop(real, door=shapely.Point(121.5189, 31.2290))
    client.get(address("roads"))
    assert len(makings) == 1


def test_a_chief_appointed_shows_on_every_kept_tile(real: Database, site: Flask) -> None:
    client = site.test_client()
    assert b"gap" in client.get(address("segments")).data
    with real.transaction(CODE) as session:
        post = makers.make_post(session)
        segment = session.scalars(select(RoadSegment)).one()
        chiefs.appoint_chief(session, post, to=segment, by=None, at=makers.NOON)
    assert b"covered" in client.get(address("segments")).data


def test_a_change_committed_after_the_tile_was_made_is_seen(real: Database, site: Flask) -> None:
    """It began before, under an older number: order of numbers is not order of commits."""
    client = site.test_client()
    with real.transaction(CODE) as session:
        segment = makers.make_segment(session)
        makers.make_storefront(session, segment, door=shapely.Point(121.5190, 31.2291))
        # Not committed yet: another makes and keeps the tile without it.
        before = client.get(address("storefronts"))
        assert client.get(address("storefronts")).headers["ETag"] == before.headers["ETag"]
    after = client.get(address("storefronts"))
    assert after.headers["ETag"] != before.headers["ETag"]


def test_what_depends_on_the_time_is_not_kept_long(real: Database, site: Flask) -> None:
    wanted = shelf.Wanted("segments", layers.named("segments"), Square.at(*HERE), {})
    now = clock.now()
    with real.transaction(CODE) as session:
        put(session, wanted, now)
    with real.transaction(CODE) as session:
        assert shelf.find(session, wanted, at=now + timedelta(seconds=30)).tile is not None
        assert shelf.find(session, wanted, at=now + timedelta(seconds=90)).tile is None


def test_a_tile_of_another_server_is_not_believed(real: Database) -> None:
    """Numbers of transactions begin anew where a backup is restored."""
    wanted = shelf.Wanted("roads", layers.named("roads"), Square.at(*HERE), {})
    now = clock.now()
    with real.transaction(CODE) as session:
        put(session, wanted, now)
        assert shelf.find(session, wanted, at=now).tile is not None
        session.execute(text("UPDATE tile_store SET since = since + 1000000000"))
        assert shelf.find(session, wanted, at=now).tile is None


def put(session: Session, wanted: shelf.Wanted, at: datetime) -> shelf.Tile:
    return shelf.make(
        session, wanted, shelf.find(session, wanted, at=at), at=at, most_bytes=1 << 20
    )


def test_fifty_at_once_cost_one_computation(site: Flask, makings: list[str]) -> None:
    start, answers = threading.Barrier(50), []

    def ask() -> None:
        client = site.test_client()
        start.wait()
        answer = client.get(address("streets", 12))
        answers.append((answer.status_code, answer.data))

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 50
    assert len(set(answers)) == 1
    assert answers[0][0] == 200
    assert len(makings) == 1


def test_two_processes_share_the_shelf(
    real: Database, site: Flask, makings: list[str], fresh_url: str, tmp_path: Path
) -> None:
    other = Database(make_settings(fresh_url, tmp_path))
    try:
        second = create_app(make_settings(fresh_url, tmp_path), other).test_client()
        first = site.test_client().get(address())
        assert second.get(address()).headers["ETag"] == first.headers["ETag"]
        assert len(makings) == 1
        with other.transaction(CODE) as session:
            assert session.scalar(text("SELECT count(*) FROM tile_store")) == 1
    finally:
        other.engine.dispose()


def test_the_shelf_stays_within_its_size(real: Database) -> None:
    now = clock.now()
    with real.transaction(CODE) as session:
        for number in range(40):
            square = Square.at(16, HERE[1] - 20 + number, HERE[2])
            wanted = shelf.Wanted("streets", layers.named("streets"), square, {})
            put(session, wanted, now + timedelta(seconds=number))
        session.execute(text("UPDATE tile_store SET body = decode(repeat('ab', 1000), 'hex')"))
        shelf.sweep(session, at=now, most_bytes=12_000)
        left = session.execute(text("SELECT x FROM tile_store ORDER BY x")).scalars().all()
        assert left == [HERE[1] + 10 + number for number in range(10)]  # the newest
        session.execute(text("UPDATE tile_store SET body = ''"))
        shelf.sweep(session, at=now, most_bytes=1_000)
        assert session.scalar(text("SELECT count(*) FROM tile_store")) == 5  # rows count too
        shelf.sweep(session, at=now + timedelta(days=3), most_bytes=10_000)
        assert session.scalar(text("SELECT count(*) FROM tile_store")) == 0
        assert session.scalar(text("SELECT count(*) FROM tile_change")) == 0


def test_kept_tiles_of_another_subdistrict_are_out_of_reach(real: Database, site: Flask) -> None:
    site.test_client().get(address())
    with real.transaction(310115013) as session:
        assert session.scalar(text("SELECT count(*) FROM tile_store")) == 0
        assert session.scalar(text("SELECT count(*) FROM tile_change")) == 0


@pytest.fixture
def own_shops() -> Iterator[Callable[[FlaskClient], bytes]]:
    """A layer of another package: the person's own name alone."""

    def draw(_zoom: int) -> str:
        return layers.features(
            "own",
            "CAST(:whose AS text) AS whose",
            "f.door",
            f"FROM storefront f WHERE f.subdistrict_id = :here AND f.door && {layers.BOX}",
        )

    def whose(actor: Actor | None) -> dict[str, Any]:
        return {"whose": actor.name if actor else ""}

    layers.register(
        Layer(
            "own",
            draw,
            {"whose": "String"},
            ("storefront",),
            public=False,
            action="streets.read",
            values=whose,
        )
    )
    yield lambda client: client.get(address("own")).data
    del layers.LAYERS["own"]


def test_a_layer_narrows_to_what_a_person_may_see(
    app: Flask, cast: Cast, street: str, own_shops: Callable[[FlaskClient], bytes]
) -> None:
    chief, patroller = app.test_client(), app.test_client()
    sign_in(chief, cast["chief_l2"])
    sign_in(patroller, cast["patroller"])
    for _ in range(2):
        assert "周建国".encode() in own_shops(chief)
        assert "陈晓雯".encode() in own_shops(patroller)
        assert "周建国".encode() not in own_shops(patroller)
    assert app.test_client().get(address("own")).status_code == 404


def test_a_layer_is_registered_once_and_says_who_may_see_it() -> None:
    with pytest.raises(ValueError, match="already"):
        layers.register(layers.LAYERS["roads"])
    with pytest.raises(ValueError, match="neither"):
        layers.register(replace(layers.LAYERS["roads"], name="odd", public=False))


def test_memory_forgets_by_size_and_time() -> None:
    memory = shelf.Memory(trust_s=60, most_bytes=100)
    for number in range(20):
        memory.keep((number,), shelf.Tile(b"x" * 10, str(number)))
        memory.keep((number,), shelf.Tile(b"x" * 10, str(number)))
    assert memory.find((9,)) is None
    assert memory.find((19,)) == shelf.Tile(b"x" * 10, "19")
    brief = shelf.Memory(trust_s=0, most_bytes=100)
    brief.keep((1,), shelf.Tile(b"", ""))
    assert brief.find((1,)) is None


def test_a_small_square_is_laid_on_the_shelf_when_it_is_asked_for_again(
    real: Database, fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with real.transaction(CODE) as session:
        makers.make_subdistrict(session)
        makers.make_storefront(session, makers.make_segment(session))
    settings = replace(make_settings(fresh_url, tmp_path), testing=False)
    client = create_app(settings, real).test_client()
    moment = 1000.0
    monkeypatch.setattr(shelf.time, "monotonic", lambda: moment)

    def kept() -> int:
        with real.transaction(CODE) as session:
            return session.scalar(text("SELECT count(*) FROM tile_store")) or 0

    assert client.get(address("streets", 17)).status_code == 200
    assert kept() == 0  # somebody passed over it once
    assert client.get(address("streets", 17)).status_code == 200  # from memory
    assert kept() == 0
    moment += 60
    assert client.get(address("streets", 17)).status_code == 200
    assert kept() == 1
    moment += 60
    first = client.get(address("streets", 17))
    assert (first.status_code, kept()) == (200, 1)
    assert client.get(address("streets", 15)).status_code == 200
    assert kept() == 2  # a costly square at once


def test_tiles_that_must_be_made_are_limited_and_kept_ones_are_not(
    real: Database, fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tile_views, "MAKING_LIMIT", "2 per minute")
    settings = replace(make_settings(fresh_url, tmp_path), testing=False, rate_limit="3 per minute")
    client = create_app(settings, real).test_client()
    assert [client.get(address("streets", z)).status_code for z in (15, 14, 13)] == [200, 200, 429]
    assert all(client.get(address("streets", 15)).status_code == 200 for _ in range(8))


def test_small_tiles_are_limited_without_asking_the_database(
    real: Database, fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tile_views, "SMALL_A_MINUTE", 2)
    monkeypatch.setattr(limits, "_HERE", FixedWindowRateLimiter(MemoryStorage()))
    settings = replace(make_settings(fresh_url, tmp_path), testing=False)
    client = create_app(settings, real).test_client()
    found = [client.get(address("streets", z)) for z in (16, 17, 18)]
    assert [one.status_code for one in found] == [200, 200, 429]
    assert found[2].headers["Retry-After"] == "60"
    with real.transaction(CODE) as session:
        assert session.scalar(text("SELECT count(*) FROM rate_count")) == 0


def test_the_worker_sweeps_every_subdistrict(real: Database, site: Flask) -> None:
    site.test_client().get(address())
    settings = replace(site.extensions["roadchief.settings"], tile_store_mb=0)
    jobs.provide(real, settings)
    with real.transaction(CODE) as session:
        session.execute(text("UPDATE tile_change SET at = at - interval '3 days'"))
    map_jobs.sweep(0)
    with real.transaction(CODE) as session:
        assert session.scalar(text("SELECT count(*) FROM tile_store")) == 0
        assert session.scalar(text("SELECT count(*) FROM tile_change")) == 0


# How the counts are made, as the app's role sees it.

CROWD = 310115004, 310115013, 310115005
MIXED = """
INSERT INTO storefront (subdistrict_id, id, door, house_number, address, human_number, pieces,
  initials, duty_zone_drawn, source, source_id, source_datum, opened_at)
SELECT (ARRAY[%s])[1 + n %% 3], gen_random_uuid(),
  ST_SetSRID(ST_MakePoint(121.5 + random() * 0.04, 31.2 + random() * 0.04), 4326), n || '号',
  '路' || n || '号', 'N-' || n, '{}', '', false, 'test', n::text, 'wgs84', now()
FROM generate_series(1, %s) n ORDER BY random()
"""


@pytest.mark.parametrize(("count", "counted"), [(9, False), (9, True), (30_000, True)])
def test_counts_come_from_the_index_alone_before_anything_is_vacuumed(
    fresh_url: str, tmp_path: Path, count: int, counted: bool
) -> None:
    """Rows of three sub-districts mixed, with and without statistics: as after a bulk load."""
    database = Database(make_settings(fresh_url, tmp_path))
    for code in CROWD:
        with database.transaction(code) as session:
            makers.make_subdistrict(session, code)
    database.engine.dispose()
    said: list[str] = []
    with psycopg.connect(fresh_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE storefront SET (autovacuum_enabled = false)")
        connection.execute((MIXED % (", ".join(map(str, CROWD)), count)).encode())
        if counted:
            connection.execute("ANALYZE storefront")
        connection.add_notice_handler(lambda one: said.append(str(one.message_primary)))
        for setting in (
            "LOAD 'auto_explain'",
            "SET auto_explain.log_min_duration = 0",
            "SET auto_explain.log_nested_statements = on",
            "SET client_min_messages = log",
            "SET ROLE roadchief_app",
            f"SET roadchief.subdistrict = '{CODE}'",
        ):
            connection.execute(setting.encode())
        z, x, y = 12, HERE[1] >> (HERE[0] - 12), HERE[2] >> (HERE[0] - 12)
        found = connection.execute(
            "SELECT sum(count) FROM storefront_clusters(%s, %s, %s, %s)", [CODE, z, x, y]
        ).fetchone()
    assert found
    assert found[0] > 0
    plans = [one for one in said if "FROM storefront f" in one]
    assert plans
    for plan in plans:
        assert "Index Only Scan using ix_storefront_square" in plan
        assert "Gather" not in plan
