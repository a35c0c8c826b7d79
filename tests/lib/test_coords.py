"""Datums: known values, the way there and back, many points at once."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from roadchief.lib.coords import Datum, from_wgs84, shape_to_wgs84, to_wgs84

SHIFTED = [Datum.GCJ02, Datum.BD09]
inland = st.tuples(st.floats(75, 134), st.floats(19, 52))
abroad = st.one_of(
    st.tuples(st.floats(-179, 71), st.floats(-89, 89)),
    st.tuples(st.floats(139, 179), st.floats(-89, 89)),
)


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(121.51805, 31.23118), (121.4950, 31.2400), (121.6937, 31.1889), (121.802, 31.151)],
)
def test_pudong_moves_as_measured(lon: float, lat: float) -> None:
    moved_lon, moved_lat = from_wgs84(lon, lat, Datum.GCJ02)
    geod = Geod(ellps="WGS84")
    east = geod.inv(lon, lat, float(moved_lon), lat)[2]
    south = geod.inv(lon, lat, lon, float(moved_lat))[2]
    assert 390 < east < 440
    assert 210 < south < 250
    assert moved_lon > lon
    assert moved_lat < lat


@given(inland)
@pytest.mark.parametrize("datum", SHIFTED)
def test_there_and_back_is_the_same_place(datum: Datum, place: tuple[float, float]) -> None:
    lon, lat = to_wgs84(*from_wgs84(*place, datum), datum)
    assert abs(float(lon) - place[0]) < 1e-9
    assert abs(float(lat) - place[1]) < 1e-9


@given(abroad)
def test_abroad_gcj02_is_wgs84(place: tuple[float, float]) -> None:
    assert tuple(map(float, from_wgs84(*place, Datum.GCJ02))) == place
    assert tuple(map(float, to_wgs84(*place, Datum.GCJ02))) == place


@pytest.mark.parametrize("datum", list(Datum))
def test_arrays_and_single_numbers_agree(datum: Datum) -> None:
    lon, lat = np.linspace(121.3, 121.9, 50), np.linspace(31.0, 31.4, 50)
    together = to_wgs84(lon, lat, datum)
    alone = [to_wgs84(float(x), float(y), datum) for x, y in zip(lon, lat, strict=True)]
    assert np.allclose(together[0], [float(x) for x, _ in alone], atol=1e-11, rtol=0)
    assert np.allclose(together[1], [float(y) for _, y in alone], atol=1e-11, rtol=0)


@pytest.mark.parametrize("datum", list(Datum))
def test_nothing_and_nan_pass_through(datum: Datum) -> None:
    assert to_wgs84([], [], datum)[0].shape == (0,)
    assert np.isnan(to_wgs84([np.nan], [31.0], datum)[0]).all()


def test_baidu_lies_beyond_gcj02() -> None:
    lon, lat = from_wgs84(121.51805, 31.23118, Datum.BD09)
    further_lon, further_lat = from_wgs84(121.51805, 31.23118, Datum.GCJ02)
    assert float(lon - further_lon) == pytest.approx(0.0065, abs=0.0006)
    assert float(lat - further_lat) == pytest.approx(0.006, abs=0.0006)


def test_shapes_keep_their_kind() -> None:
    square = shapely.box(121.51, 31.22, 121.52, 31.23)
    moved = shapely.transform(
        square, lambda xy: np.column_stack(from_wgs84(xy[:, 0], xy[:, 1], Datum.GCJ02))
    )
    assert shape_to_wgs84(moved, Datum.GCJ02).equals_exact(square, 1e-9)
    assert shape_to_wgs84(square, Datum.WGS84) is square


def test_a_shifted_file_comes_back_to_its_roads(strangers: Callable[[str], Path]) -> None:
    true = lines_by_id(strangers("A_osm/lujiazui_roads.geojson"))
    shifted = lines_by_id(strangers("A_osm/lujiazui_roads_GCJ02.geojson"))
    assert len(shifted) == 150
    for key, line in shifted.items():
        assert shape_to_wgs84(line, Datum.GCJ02).hausdorff_distance(true[key]) < 2e-7


def lines_by_id(path: Path) -> dict[object, shapely.Geometry]:
    rows = json.loads(path.read_text(encoding="utf-8"))["features"]
    return {
        row["properties"]["osm_id"]: shapely.from_geojson(json.dumps(row["geometry"]))
        for row in rows
    }
