"""Is a file in the datum it declares?"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely

from roadchief.lib.coords import Datum, from_wgs84
from roadchief.streets import linework, shifts
from tests.streets.ground import named_ways


@pytest.fixture
def roads(strangers: Callable[[str], Path]) -> list[shapely.LineString]:
    ways = named_ways(strangers("A_osm/lujiazui_roads.geojson"))
    return [one for parts in ways.values() for one in linework.merge(parts)]


@pytest.fixture
def shops(strangers: Callable[[str], Path]) -> np.ndarray:
    path = strangers("A_osm/lujiazui_shops_2018.geojson")
    rows = json.loads(path.read_text(encoding="utf-8"))["features"]
    return np.array([row["geometry"]["coordinates"] for row in rows], dtype=float)


def test_shifted_roads_are_recognised(
    roads: list[shapely.LineString], strangers: Callable[[str], Path]
) -> None:
    ways = named_ways(strangers("A_osm/lujiazui_roads_GCJ02.geojson"))
    xy = shapely.get_coordinates([one for parts in ways.values() for one in parts])
    verdict = shifts.judge(xy[:, 0], xy[:, 1], Datum.WGS84, roads)
    assert verdict.likely is Datum.GCJ02
    assert verdict.doubtful
    assert "更像 GCJ-02" in verdict.say("zh")
    assert not shifts.judge(xy[:, 0], xy[:, 1], Datum.GCJ02, roads).doubtful


@pytest.mark.parametrize("datum", list(Datum))
def test_38_shops_are_enough(
    datum: Datum, roads: list[shapely.LineString], shops: np.ndarray
) -> None:
    lon, lat = from_wgs84(shops[:, 0], shops[:, 1], datum)
    verdict = shifts.judge(lon, lat, Datum.WGS84, roads)
    assert verdict.likely in {datum, None}
    assert not (datum is Datum.WGS84 and verdict.doubtful)


@pytest.mark.parametrize("datum", list(Datum))
def test_a_file_of_the_whole_city_is_judged_where_roads_are_known(
    datum: Datum, roads: list[shapely.LineString], strangers: Callable[[str], Path]
) -> None:
    """Most of its points lie in other sub-districts, far from every known road in any datum."""
    ways = named_ways(strangers("A_osm/lujiazui_roads.geojson"))
    here = shapely.box(121.505, 31.2285, 121.521, 31.2395)
    parts = [part for road in roads for part in shapely.get_parts(shapely.intersection(road, here))]
    known = [part for part in parts if part.geom_type == "LineString" and not part.is_empty]
    xy = shapely.get_coordinates([one for shapes in ways.values() for one in shapes])
    lon, lat = from_wgs84(xy[:, 0], xy[:, 1], datum)
    verdict = shifts.judge(lon, lat, Datum.WGS84, known)
    assert verdict.likely is datum
    assert verdict.doubtful is (datum is not Datum.WGS84)


@pytest.mark.parametrize("seed", range(20))
def test_points_without_order_prove_nothing(seed: int, roads: list[shapely.LineString]) -> None:
    dice = np.random.default_rng(seed)
    lon, lat = dice.uniform(121.51, 121.54, 60), dice.uniform(31.23, 31.24, 60)
    assert shifts.judge(lon, lat, Datum.WGS84, roads).likely is None


def test_few_points_prove_nothing(roads: list[shapely.LineString]) -> None:
    verdict = shifts.judge(np.full(3, 121.52), np.full(3, 31.235), Datum.WGS84, roads)
    assert verdict.likely is None
    assert "无法核对" in verdict.say("zh")
    assert "cannot" in verdict.say("en")


def test_without_roads_or_points_nothing_is_said() -> None:
    none = np.array([])
    assert shifts.judge(none, none, Datum.WGS84, []).likely is None
    far = np.full(50, np.nan)
    road = shapely.LineString([(121.5, 31.2), (121.6, 31.2)])
    assert shifts.judge(far, far, Datum.BD09, [road]).likely is None
