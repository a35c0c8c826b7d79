"""OGC API Features: what the classes we claim demand, asked by GDAL's own client and by hand."""

import json
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from pyproj import Transformer
from sqlalchemy import text
from werkzeug.serving import make_server

from roadchief.app import create_app
from roadchief.db import Database
from roadchief.errors import BadInput
from roadchief.lib import geo
from roadchief.maps import features
from roadchief.maps.features import CRS84, EPSG
from roadchief.streets.models import RoadSegment
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG, YANGJING, make_settings

Items = dict[str, Any]


def street(database: Database, *, shops: int = 12) -> RoadSegment:
    with database.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
        segment = makers.make_segment(session)
        for number in range(shops):
            makers.make_storefront(
                session,
                segment,
                duty_zone=geo.point(lon=121.5187, lat=31.2291).buffer(1e-4),
                house_number=f"{number + 1}号",
                door=geo.point(lon=121.5187 + number * 1e-4, lat=31.2291),
                measure_m=float(number),
                closed_at=makers.NOON if number == 0 else None,
            )
    return segment


@pytest.fixture
def corner(database: Database) -> RoadSegment:
    return street(database)


def items(client: FlaskClient, name: str, **asked: Any) -> Items:
    answer = client.get(f"/ogc/collections/{name}/items", query_string=asked)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: Items = answer.get_json()
    return found


def test_landing_leads_to_everything(client: FlaskClient, corner: RoadSegment) -> None:
    links = client.get("/ogc/").get_json()["links"]
    assert {one["rel"] for one in links} == {"self", "service-desc", "conformance", "data"}
    for one in links:
        assert client.get(one["href"]).status_code == 200
    listed = client.get("/ogc/collections").get_json()["collections"]
    assert {"segments", "storefronts", "blocks"} <= {one["id"] for one in listed}
    for one in listed:
        for link in one["links"]:
            assert client.get(link["href"]).status_code == 200
    assert CRS84 in listed[0]["crs"]
    described = client.get("/ogc/api").get_json()
    assert "/collections/storefronts/items" in described["paths"]


def test_pages_follow_one_another_without_gap_or_double(
    client: FlaskClient, corner: RoadSegment
) -> None:
    seen: list[str] = []
    address = "/ogc/collections/storefronts/items?limit=4"
    while address:
        found = client.get(address).get_json()
        seen += [one["id"] for one in found["features"]]
        assert found["numberReturned"] == len(found["features"])
        address = next((one["href"] for one in found["links"] if one["rel"] == "next"), "")
    assert len(seen) == len(set(seen)) == 11  # the closed one exists no more


def test_box_time_and_property_narrow_the_answer(client: FlaskClient, corner: RoadSegment) -> None:
    few = items(client, "storefronts", bbox="121.51945,31.22,121.6,31.24")
    assert len(few["features"]) == 4
    assert len(items(client, "storefronts", house_number="3号")["features"]) == 1
    assert len(items(client, "storefronts", measure_m="3")["features"]) == 1
    before = "../2026-11-01"
    assert items(client, "storefronts", datetime=before)["features"] == []
    since = items(client, "storefronts", datetime="2026-11-02T04:00:01Z/..", limit=50)
    assert len(since["features"]) == 11
    moment = items(client, "storefronts", datetime="2026-11-02T04:00:00Z", limit=50)
    assert len(moment["features"]) == 11
    quoted = items(client, "storefronts", address="' OR 1=1 --")
    assert quoted["features"] == []


@pytest.mark.parametrize(
    ("crs", "first"),
    [(CRS84, 121.518), (EPSG + "4326", 31.2), (EPSG + "4490", 31.2), (EPSG + "3857", 13527e3)],
)
def test_reference_systems_and_their_axes(
    client: FlaskClient, corner: RoadSegment, crs: str, first: float
) -> None:
    asked = client.get("/ogc/collections/storefronts/items", query_string={"crs": crs})
    assert asked.headers["Content-Crs"] == f"<{crs}>"
    x, y = asked.get_json()["features"][0]["geometry"]["coordinates"]
    assert x == pytest.approx(first, rel=1e-3)
    box = f"{x - 1e-4},{y - 1e-4},{x + 1e-4},{y + 1e-4}"
    if crs == EPSG + "3857":
        box = f"{x - 5},{y - 5},{x + 5},{y + 5}"
    narrowed = items(client, "storefronts", bbox=box, **{"bbox-crs": crs})
    assert 1 <= len(narrowed["features"]) <= 3


@pytest.mark.parametrize(
    "asked",
    [
        {"bbox": "1,2,3"},
        {"bbox": "nan,0,1,1"},
        {"bbox": "122,31,121,32"},
        {"bbox": "inf,0,inf,1"},
        {"bbox": "-1000,0,0,1"},
        {"bbox": "0,0,1,1", "bbox-crs": "http://example.org/moon"},
        {"datetime": "yesterday"},
        {"datetime": "2026-01-01/2025-01-01"},
        {"datetime": "a/b/c"},
        {"datetime": "9999999999999-01-01"},
        {"limit": "0"},
        {"limit": "-3"},
        {"limit": "٣"},
        {"limit": "many"},
        {"after": "x"},
        {"crs": "EPSG:4326"},
        {"colour": "red"},
        {"measure_m": "long"},
        {"measure_m": "nan"},
        {"address": "\x00"},
    ],
)
def test_a_bad_question_is_refused_by_name(
    client: FlaskClient, corner: RoadSegment, asked: dict[str, str]
) -> None:
    answer = client.get("/ogc/collections/storefronts/items", query_string=asked)
    assert answer.status_code == 400
    assert set(answer.get_json()) == {"code", "description"}


def test_the_whole_world_and_a_huge_limit_are_answered_within_bounds(
    client: FlaskClient, corner: RoadSegment
) -> None:
    for huge in ("999999999", "9" * 30, "9" * 5000, "00011"):
        found = items(client, "storefronts", bbox="-180,-90,180,90", limit=huge)
        assert len(found["features"]) == 11


@pytest.mark.parametrize("name", ["O'Reilly\";--", "空 & 置", "面馆"])
def test_a_filter_called_as_a_part_of_the_address_pages_on(
    client: FlaskClient, corner: RoadSegment, database: Database, name: str
) -> None:
    """`name` is a property, and was a value of the route too; so with `kind`."""
    with database.transaction(WEIFANG) as session:
        session.execute(text("UPDATE storefront SET name = :name"), {"name": name})
    for first in ("/ogc/collections/storefronts/items", "/api/v1/storefronts"):
        seen: list[str] = []
        address = f"{first}?{urlencode({'name': name, 's': WEIFANG, 'limit': 4})}"
        while address:
            answer = client.get(address)
            assert answer.status_code == 200, answer.get_data(as_text=True)
            told = answer.get_json()
            seen += [one["id"] for one in told.get("items") or told["features"]]
            links = {one["rel"]: one["href"] for one in told.get("links", [])}
            address = told.get("next") or links.get("next")
        assert len(seen) == len(set(seen)) == 11
    assert items(client, "stations", kind="rider")["features"] == []


def test_other_peoples_layers_are_not_found(
    client: FlaskClient, corner: RoadSegment, cast: Cast
) -> None:
    closed = "/ogc/collections/duty_zones/items"
    asked = client.get(closed)  # programs learn that they have to show a key
    assert asked.status_code == 401
    assert asked.headers["WWW-Authenticate"].startswith("Basic")
    assert client.get("/ogc/collections/persons/items").status_code == 404
    sign_in(client, cast.elsewhere["chief_l2"])
    theirs = client.get(closed, query_string={"s": WEIFANG})  # one's own, whatever is asked
    assert theirs.get_json()["features"] == []
    client.post("/sign-out")
    sign_in(client, cast["chief_l2"])
    assert len(client.get(closed).get_json()["features"]) == 11


def test_one_feature_by_its_id(client: FlaskClient, corner: RoadSegment) -> None:
    first = items(client, "storefronts", limit=1)["features"][0]
    one = client.get(f"/ogc/collections/storefronts/items/{first['id']}").get_json()
    assert one["properties"] == first["properties"]
    missing = client.get(f"/ogc/collections/storefronts/items/{uuid.uuid4()}")
    assert missing.status_code == 404


def test_a_page_takes_the_same_few_queries(
    client: FlaskClient, corner: RoadSegment, queries: Callable[[], Any]
) -> None:
    counts = []
    for limit in (1, 10):
        with queries() as seen:
            items(client, "storefronts", limit=limit)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 3


def test_the_other_sub_district_has_its_own_features(
    client: FlaskClient, corner: RoadSegment, database: Database
) -> None:
    with database.transaction(YANGJING) as session:
        makers.make_subdistrict(session, YANGJING)
    assert items(client, "storefronts", s=YANGJING)["features"] == []


def test_times_stand_for_what_they_say() -> None:
    """Without a zone they are those of the streets."""
    begin, end = features.read_time("2026-02-28")
    assert begin == datetime(2026, 2, 27, 16, tzinfo=UTC)
    assert end == datetime(2026, 2, 28, 16, tzinfo=UTC) - timedelta(microseconds=1)
    noon = datetime(2026, 2, 28, 4, tzinfo=UTC)
    for said in ("2026-02-28T12:00:00", "2026-02-28T04:00:00Z", "2026-02-28T12:00:00+08:00"):
        assert features.read_time(said) == (noon, noon)
    assert features.read_time("2026-02-28/..") == (begin, None)
    assert features.read_time("../2026-02-28") == (None, end)
    assert features.read_time("../..") == (None, None)


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("9999-12-31", 11),
        ("0001-01-01", 0),
        ("0001-01-01/9999-12-31", 12),
        ("9999-12-31T23:59:59-12:00", 11),
        ("0001-01-01T00:00:00+14:00", 0),
    ],
)
def test_the_ends_of_time_are_times(
    client: FlaskClient, corner: RoadSegment, asked: str, count: int
) -> None:
    found = items(client, "storefronts", datetime=asked, limit=50)
    assert len(found["features"]) == count


@pytest.mark.parametrize("half", [20037508.342789244, 20037508.3427893, 20037508.35, 3e7, 1e300])
def test_the_whole_world_in_web_mercator(
    client: FlaskClient, corner: RoadSegment, half: float
) -> None:
    box = f"{-half},{-half},{half},{half}"
    found = items(client, "storefronts", bbox=box, **{"bbox-crs": EPSG + "3857"})
    assert len(found["features"]) == 11


def test_a_box_in_web_mercator_is_where_the_projection_says() -> None:
    turn = Transformer.from_crs(4326, 3857, always_xy=True)
    corners = [*turn.transform(121.5, 31.2), *turn.transform(121.6, 31.3)]
    read = features.read_box(",".join(str(one) for one in corners), EPSG + "3857")
    assert read == pytest.approx((121.5, 31.2, 121.6, 31.3), abs=1e-9)
    with pytest.raises(BadInput):
        features.read_box("3e7,0,4e7,1", EPSG + "3857")  # beside the world


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"measure_m": "3.00"}, 1),
        ({"measure_m": "3"}, 1),
        ({"measure_m": "3e0"}, 1),
        ({"measure_m": "+3"}, 1),
        ({"measure_m": "3.5"}, 0),
        ({"measure_m": "-0"}, 0),
        ({"measure_m": "1e308"}, 0),
        ({"opened_at": "2026-11-02T04:00:00Z"}, 11),
        ({"opened_at": "2026-11-02T12:00:00+08:00"}, 11),
        ({"opened_at": "2026-11-02"}, 11),
        ({"opened_at": "2026-11-03"}, 0),
        ({"opened_at": "9999-12-31"}, 0),
    ],
)
def test_filters_compare_what_things_are_and_not_how_they_are_written(
    client: FlaskClient, corner: RoadSegment, asked: dict[str, str], count: int
) -> None:
    assert len(items(client, "storefronts", limit=50, **asked)["features"]) == count


def test_days_of_a_permit_are_days_of_the_streets(client: FlaskClient, database: Database) -> None:
    with database.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
        session.execute(
            text(
                "INSERT INTO permit_area (subdistrict_id, id, kind, name, area, windows, "
                "valid_from, valid_to) VALUES (:here, gen_random_uuid(), 'stall', '夜市', "
                "ST_MakeEnvelope(121.5, 31.2, 121.6, 31.3, 4326), '[]', '2026-11-02', "
                "'2026-11-05')"
            ),
            {"here": WEIFANG},
        )
    for asked, count in (
        ({"datetime": "2026-11-01T16:30:00Z"}, 1),  # half past midnight of the second
        ({"datetime": "2026-11-01"}, 0),
        ({"datetime": "2026-11-05"}, 1),
        ({"datetime": "2026-11-06"}, 0),
        ({"datetime": "2026-11-02", "valid_from": "2026-11-02"}, 1),
        ({"datetime": "2026-11-02", "valid_from": "2026-11-03"}, 0),
    ):
        assert len(items(client, "permit_areas", **asked)["features"]) == count, asked
    refused = client.get("/ogc/collections/permit_areas/items?valid_from=spring")
    assert refused.status_code == 400


@pytest.fixture
def served(fresh_url: str, tmp_path: Path) -> Iterator[str]:
    settings = make_settings(fresh_url, tmp_path)
    database = Database(settings)
    street(database, shops=2500)
    web = make_server("127.0.0.1", 0, create_app(settings, database), threaded=True)
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{web.server_port}/ogc/"
    web.shutdown()
    thread.join()
    web.server_close()
    database.engine.dispose()


# GDAL waits for the answer with Python's lock held, so it asks from a process of its own.
CLIENT = """
import json, sys, pyogrio, shapely
at = "OAPIF:" + sys.argv[1]
layers = [str(row[0]) for row in pyogrio.list_layers(at)]
meta, _ids, shapes, columns = pyogrio.raw.read(at, layer="storefronts")
_meta, _ids, some, _columns = pyogrio.raw.read(
    at, layer="storefronts", bbox=(121.5186, 31.2, 121.52, 31.3)
)
print(json.dumps({
    "layers": layers, "count": len(shapes), "fields": list(meta["fields"]), "some": len(some),
    "west": float(shapely.get_x(shapely.from_wkb(shapes)).min()), "columns": len(columns),
}))
"""


def test_gdal_lists_and_reads_the_layers(served: str) -> None:
    import pyogrio

    if "OAPIF" not in pyogrio.list_drivers():
        pytest.skip("this GDAL has no OGC API client")
    said = subprocess.run(
        [sys.executable, "-c", CLIENT, served],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout.splitlines()[-1])
    assert {"segments", "storefronts"} <= set(found["layers"])
    assert found["count"] == 2499  # several pages
    assert "house_number" in found["fields"]
    assert found["columns"] == len(found["fields"])
    assert found["west"] > 121
    assert 5 < found["some"] < 40


def test_ogrinfo_reads_a_layer(served: str) -> None:
    ogrinfo = shutil.which("ogrinfo")
    if ogrinfo is None:
        pytest.skip("ogrinfo is absent: apt-get install gdal-bin")
    said = subprocess.run(
        [ogrinfo, "-so", f"OAPIF:{served}", "segments"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert "Geometry: Line String" in said.stdout or "LineString" in said.stdout
    assert "length_m" in said.stdout
