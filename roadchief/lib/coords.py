"""Datums. *Pure.* WGS-84 is ours; GCJ-02 and BD-09 come from outside and are converted once.

The public approximation of GCJ-02 (domain.md §7.1): in Pudong it lies about 415 m east and 232 m
south of the truth. The way back is found by iteration, to better than 1e-9 degrees.
"""

from enum import StrEnum
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

Degrees: TypeAlias = NDArray[np.float64]

# Krasovsky 1940, as the public formula has it.
AXIS_M = 6378245.0
ECCENTRICITY_2 = 0.00669342162296594323
BAIDU_TURN = np.pi * 3000.0 / 180.0
BAIDU_LON, BAIDU_LAT = 0.0065, 0.006
# Outside this box GCJ-02 equals WGS-84.
CHINA = (72.004, 0.8293, 137.8347, 55.8271)
ROUNDS = 12


class Datum(StrEnum):
    """The datums an outside file may be in."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


def to_wgs84(lon: ArrayLike, lat: ArrayLike, datum: Datum) -> tuple[Degrees, Degrees]:
    """Degrees in `datum` as WGS-84 degrees; arrays of any length, shapes kept."""
    east, north = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    if datum is Datum.BD09:
        east, north = _bd09_to_gcj02(east, north)
    if datum is not Datum.WGS84:
        east, north = _gcj02_to_wgs84(east, north)
    return east, north


def from_wgs84(lon: ArrayLike, lat: ArrayLike, datum: Datum) -> tuple[Degrees, Degrees]:
    """WGS-84 degrees as degrees in `datum`."""
    east, north = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    if datum is not Datum.WGS84:
        shift_lon, shift_lat = _gcj02_shift(east, north)
        east, north = east + shift_lon, north + shift_lat
    if datum is Datum.BD09:
        east, north = _gcj02_to_bd09(east, north)
    return east, north


def shape_to_wgs84(shape: BaseGeometry, datum: Datum) -> BaseGeometry:
    """A shape, or an array of shapes, moved from `datum`."""
    if datum is Datum.WGS84:
        return shape

    def move(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datum))

    return shapely.transform(shape, move)


def _gcj02_shift(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    common = (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    d_lat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    d_lat += (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    d_lat += (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3
    d_lon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    d_lon += (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    d_lon += (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    angle = np.radians(lat)
    magic = 1 - ECCENTRICITY_2 * np.sin(angle) ** 2
    meridian = AXIS_M * (1 - ECCENTRICITY_2) / (magic * np.sqrt(magic))
    parallel = AXIS_M / np.sqrt(magic) * np.cos(angle)
    west, south, east, north = CHINA
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return (
        np.where(inside, np.degrees(d_lon / parallel), 0.0),
        np.where(inside, np.degrees(d_lat / meridian), 0.0),
    )


def _gcj02_to_wgs84(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    east, north = lon.copy(), lat.copy()
    for _ in range(ROUNDS):
        shift_lon, shift_lat = _gcj02_shift(east, north)
        off_lon, off_lat = lon - (east + shift_lon), lat - (north + shift_lat)
        east, north = east + off_lon, north + off_lat
        if max(np.abs(off_lon).max(initial=0), np.abs(off_lat).max(initial=0)) < 1e-10:
            break
    return east, north


def _gcj02_to_bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * BAIDU_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * BAIDU_TURN)
    return radius * np.cos(angle) + BAIDU_LON, radius * np.sin(angle) + BAIDU_LAT


def _bd09_to_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """Baidu's own way back errs by a metre; the iteration does not."""
    east, north = lon - BAIDU_LON, lat - BAIDU_LAT
    for _ in range(ROUNDS):
        back_lon, back_lat = _gcj02_to_bd09(east, north)
        east, north = east + lon - back_lon, north + lat - back_lat
    return east, north
