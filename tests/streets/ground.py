"""Plain streets drawn in metres around 崂山路, and real ones from a file."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import shapely

from roadchief.lib.geo import Plane

HERE = Plane(lon=121.52, lat=31.23)


def line(*places_m: Sequence[float]) -> shapely.LineString:
    """A line through places in metres east and north of HERE."""
    street: shapely.LineString = HERE.round(shapely.LineString(places_m))
    return street


def door(east_m: float, north_m: float) -> shapely.Point:
    place: shapely.Point = HERE.round(shapely.Point(east_m, north_m))
    return place


def metres(shape: shapely.Geometry) -> shapely.Geometry:
    return HERE.flat(shape)


def named_ways(path: Path) -> dict[str, list[shapely.LineString]]:
    """The ways of a GeoJSON file of roads, by name."""
    ways: dict[str, list[shapely.LineString]] = defaultdict(list)
    for row in json.loads(path.read_text(encoding="utf-8"))["features"]:
        if row["properties"]["name"]:
            shape = shapely.from_geojson(json.dumps(row["geometry"]))
            ways[row["properties"]["name"]].append(shape)
    return ways
