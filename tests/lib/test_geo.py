"""Metres on a plane, and shapes made fit."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import wkt

from roadchief.lib import geo
from roadchief.lib.geo import Plane

HERE = Plane(lon=121.52, lat=31.23)
offsets = st.tuples(st.floats(-0.09, 0.09), st.floats(-0.08, 0.08))


@given(offsets, offsets)
def test_plane_lengths_are_right_to_a_thousandth(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    line = shapely.LineString([(121.52 + x, 31.23 + y) for x, y in (one, other)])
    true = geo.length_m(line)
    assert abs(HERE.flat(line).length - true) <= 0.001 * true + 1e-6


@given(offsets)
def test_plane_and_back(one: tuple[float, float]) -> None:
    place = geo.point(lon=121.52 + one[0], lat=31.23 + one[1])
    assert HERE.round(HERE.flat(place)).distance(place) < 1e-11


def test_distance_is_metres() -> None:
    here, there = geo.point(lon=121.52, lat=31.23), geo.point(lon=121.53, lat=31.23)
    assert geo.distance_m(here, there) == pytest.approx(952.6, abs=0.5)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("POINT EMPTY", "empty"),
        ("LINESTRING (121 31, inf 31)", "not_finite"),
        ("POINT (nan 31)", "not_finite"),
        ("POINT (500000 3450000)", "out_of_range"),
        ("LINESTRING (121 31, 121 31)", "empty"),
        ("POLYGON ((121 31, 121.1 31.1, 121 31))", "empty"),
    ],
)
def test_what_cannot_be_used_says_why(text: str, reason: str) -> None:
    assert geo.repair(wkt.loads(text)) == geo.Repair(None, (reason,))


@pytest.mark.parametrize(
    ("text", "note", "result"),
    [
        ("POINT (31.2 121.5)", "axes_swapped", "POINT (121.5 31.2)"),
        ("LINESTRING Z (121 31 5, 122 31 6)", "height_dropped", "LINESTRING (121 31, 122 31)"),
        (
            "POLYGON ((120 30, 122 32, 122 30, 120 32, 120 30))",
            "self_crossing_mended",
            "MULTIPOLYGON (((121 31, 120 30, 120 32, 121 31)), ((121 31, 122 32, 122 30, 121 31)))",
        ),
    ],
)
def test_what_can_be_mended_is_mended_and_noted(text: str, note: str, result: str) -> None:
    mended = geo.repair(wkt.loads(text))
    assert mended.notes == (note,)
    assert mended.shape is not None
    assert mended.shape.normalize().equals_exact(wkt.loads(result).normalize(), 1e-9)


def test_a_spike_does_not_cost_the_area() -> None:
    crossed = wkt.loads("POLYGON ((120 30, 122 32, 122 30, 120 32, 120 30, 119 29, 120 30))")
    mended = geo.repair(crossed).shape
    assert mended is not None
    assert mended.area == pytest.approx(2)


def test_overlapping_parts_stay_land() -> None:
    twice = shapely.MultiPolygon([shapely.box(121, 31, 122, 32), shapely.box(121.5, 31, 122.5, 32)])
    mended = geo.repair(twice).shape
    assert mended is not None
    assert mended.area == pytest.approx(1.5)


def test_a_good_shape_is_left_alone() -> None:
    square = shapely.box(121, 31, 122, 32)
    assert geo.repair(square) == geo.Repair(square, ())


def test_a_hostile_shape_is_refused() -> None:
    angle = np.linspace(0, 2 * np.pi, geo.MOST_VERTICES + 10)
    round_ = shapely.Polygon(np.column_stack([121 + np.cos(angle) / 9, 31 + np.sin(angle) / 9]))
    assert geo.repair(round_).notes == ("too_many_vertices",)


@pytest.mark.parametrize(
    ("lon", "lat", "swapped"),
    [(121.5, 31.2, False), (31.2, 121.5, True), (24.9, 60.1, False), (-71.1, 42.3, False)],
)
def test_axes_are_turned_only_where_that_leads_to_china(
    lon: float, lat: float, swapped: bool
) -> None:
    assert geo.swapped_axes(np.array([[lon, lat]])) is swapped


def test_areas_inside_collections_are_found() -> None:
    square = shapely.box(121, 31, 122, 32)
    mixed = shapely.GeometryCollection([shapely.MultiPolygon([square]), shapely.Point(121, 31)])
    assert geo.as_multipolygon(mixed).equals(square)
    assert geo.as_multipolygon(shapely.LineString([(0, 0), (1, 1)])).is_empty


@given(st.binary(max_size=60))
def test_no_bytes_of_a_shape_bring_repair_down(raw: bytes) -> None:
    try:
        shape = shapely.from_wkb(raw)
    except shapely.errors.GEOSException:
        return
    geo.repair(shape)
