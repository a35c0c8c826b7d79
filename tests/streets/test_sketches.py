"""What people draw and type: read, converted once, or refused by field."""

import json

import pytest
import shapely

from roadchief.errors import BadInput
from roadchief.lib.coords import Datum
from roadchief.streets import sketches

RING = [[121.5186, 31.2291], [121.5187, 31.2291], [121.5187, 31.2292], [121.5186, 31.2291]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(POLYGON),
        json.dumps({"type": "Feature", "geometry": POLYGON, "properties": {}}),
        json.dumps({"type": "FeatureCollection", "features": [{"geometry": POLYGON}]}),
        " POLYGON((121.5186 31.2291,121.5187 31.2291,121.5187 31.2292,121.5186 31.2291)) ",
        "POLYGON Z((121.5186 31.2291 4,121.5187 31.2291 4,121.5187 31.2292 4,121.5186 31.2291 4))",
        # latitude first, as some write it
        "POLYGON((31.2291 121.5186,31.2291 121.5187,31.2292 121.5187,31.2291 121.5186))",
    ],
)
def test_geojson_and_wkt_are_read(text: str) -> None:
    shape = sketches.read(text, shapely.Polygon, label="范围")
    assert shape.equals_exact(shapely.Polygon(RING), 1e-9)
    assert not shape.has_z


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00",
        "5",
        "null",
        "[]",
        "{}",
        '{"type":"FeatureCollection","features":[]}',
        '{"type":"Feature","geometry":null}',
        "POLYGON EMPTY",
        "POINT(121.5 31.2)",
        "LINESTRING(121.5 31.2,121.6 31.2)",
        "MULTIPOLYGON(((121.5 31.2,121.6 31.2,121.6 31.3,121.5 31.2)))",
        "POLYGON((121.5 31.2,121.6 31.2",
        "POLYGON((nan nan,1 1,2 2,nan nan))",
        "POLYGON((0 0,1 1,1 0,0 0))",  # not in China
        "POLYGON((121.5 31.2,121.6 31.3,121.6 31.2,121.5 31.3,121.5 31.2))",  # crosses itself
        "POLYGON((999 999,1000 999,1000 1000,999 999))",
        "x" * 200_000,
        "[" * 50_000,
        "{" * 50_000,
        json.dumps(
            {"type": "Polygon", "coordinates": [[[121.5, 31.2 + n / 1e5] for n in range(3000)]]}
        ),
    ],
)
def test_odd_texts_are_refused_with_the_field(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        sketches.read(text, shapely.Polygon, label="范围")
    assert caught.value.facts["field"] == "范围"


@pytest.mark.parametrize("datum", list(Datum))
def test_a_typed_place_is_converted_once(datum: Datum) -> None:
    place, kept = sketches.spot("121.519500", "31.227100", datum.value, label="位置")
    away = place.distance(shapely.Point(121.5195, 31.2271))
    assert kept is datum
    assert (away < 1e-9) == (datum is Datum.WGS84)
    assert away < 0.02


@pytest.mark.parametrize(
    ("lon", "lat", "datum"),
    [
        ("", "", "wgs84"),
        ("121.5", "", "wgs84"),
        ("121,5", "31,2", "wgs84"),
        ("nan", "nan", "wgs84"),
        ("inf", "31", "wgs84"),
        ("1e2", "31", "wgs84"),
        ("１２１.5", "31.2", "wgs84"),
        ("31.2", "121.5", "wgs84"),
        ("121.5", "31.2", "mars"),
        ("121.5", "31.2", ""),
        ("-121.5", "31.2", "wgs84"),
        ("121." + "5" * 400, "31.2", "wgs84"),
    ],
)
def test_odd_places_are_refused(lon: str, lat: str, datum: str) -> None:
    with pytest.raises(BadInput):
        sketches.spot(lon, lat, datum, label="位置")
