"""What somebody drew or typed: GeoJSON, WKT, or a pair of numbers in some datum. *Pure.*"""

import json
import re
from typing import Any, TypeVar

import shapely
from shapely.geometry.base import BaseGeometry

from roadchief.errors import BadInput
from roadchief.lib import geo
from roadchief.lib.coords import Datum, to_wgs84

LONGEST_TEXT = 100_000
MOST_POINTS = 2_000  # nobody draws more by hand
NUMBER = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{1,15})?")
# What json and shapely raise on odd texts: numbers of 400 digits and 50,000 brackets among them.
UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
    shapely.errors.ShapelyError,
)
WORDS: dict[type[BaseGeometry], tuple[str, str]] = {
    shapely.Polygon: ("应为一个面（GeoJSON 或 WKT 多边形）", "one area: a GeoJSON or WKT polygon"),
    shapely.LineString: ("应为一条线（GeoJSON 或 WKT）", "one line in GeoJSON or WKT"),
    shapely.Point: ("应为一个点（GeoJSON 或 WKT）", "one point in GeoJSON or WKT"),
}
REASONS = {
    "empty": ("是空的", "it is empty"),
    "not_finite": ("含有非数字的坐标", "a coordinate is no number"),
    "out_of_range": ("坐标超出经纬度范围", "a coordinate is no longitude or latitude"),
    "too_many_vertices": ("顶点过多", "it has too many points"),
}
Shape = TypeVar("Shape", shapely.Polygon, shapely.LineString, shapely.Point)


def read(text: str, wanted: type[Shape], *, label: str) -> Shape:
    """One shape of the wanted kind, flat, in degrees of WGS-84, valid."""
    zh, en = WORDS[wanted]
    try:
        shape = _parse(text.strip())
    except UNREADABLE as error:
        raise BadInput(field=label, reason_zh=zh, reason_en=en) from error
    if not isinstance(shape, wanted):
        raise BadInput(field=label, reason_zh=zh, reason_en=en)
    if shapely.get_num_coordinates(shape) > MOST_POINTS:
        raise BadInput(field=label, reason_zh="顶点过多", reason_en="it has too many points")
    # Not mended: who drew it shall see that it crosses itself.
    if isinstance(shape, shapely.Polygon) and not shape.is_valid and not shape.is_empty:
        raise BadInput(field=label, reason_zh="边线自相交", reason_en="it crosses itself")
    mended = geo.repair(shape)
    if not isinstance(mended.shape, wanted):
        zh, en = REASONS.get(mended.notes[-1] if mended.notes else "", (zh, en))
        raise BadInput(field=label, reason_zh=zh, reason_en=en)
    _check_in_china(mended.shape, label)
    return mended.shape


def spot(lon: str, lat: str, datum: str, *, label: str) -> tuple[shapely.Point, Datum]:
    """A typed longitude and latitude, converted once, with the datum it came in."""
    if datum not in [one.value for one in Datum]:
        raise BadInput(
            field="坐标系 datum", reason_zh="应为 wgs84、gcj02 或 bd09", reason_en="choose one"
        )
    numbers = [text.strip() for text in (lon, lat)]
    if not all(NUMBER.fullmatch(number) for number in numbers):
        raise BadInput(
            field=label,
            reason_zh="应为十进制度数，如 121.519500 和 31.227100",
            reason_en="decimal degrees such as 121.519500 and 31.227100",
        )
    given = shapely.Point(*map(float, numbers))
    _check_in_china(given, label)
    east, north = to_wgs84([given.x], [given.y], Datum(datum))
    return shapely.Point(float(east[0]), float(north[0])), Datum(datum)


def _parse(text: str) -> Any:
    if len(text) > LONGEST_TEXT:
        raise ValueError("too long")
    if not text.startswith("{"):
        return shapely.force_2d(shapely.from_wkt(text))
    given = json.loads(text)
    if "features" in given:
        (given,) = given["features"]
    given = given.get("geometry", given)
    return shapely.force_2d(shapely.geometry.shape(given))


def _check_in_china(shape: BaseGeometry, label: str) -> None:
    west, south, east, north = shape.bounds
    (low_lon, high_lon), (low_lat, high_lat) = geo.CHINA_LON, geo.CHINA_LAT
    if not (low_lon <= west <= east <= high_lon and low_lat <= south <= north <= high_lat):
        raise BadInput(
            field=label,
            reason_zh="不在中国范围内，经度在前、纬度在后",
            reason_en="outside China: longitude first, then latitude",
        )
