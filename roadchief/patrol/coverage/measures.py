"""How much of the ground was seen, how long ago, how evenly, at what effort. *Pure.*

By length, never by nodes: a street is covered where somebody walked, not where points lie.
Excused and provisional visits are bands of their own and never folded into 100 %.
"""

import math
import statistics
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from roadchief.lib.geo import Plane

Key = TypeVar("Key", bound=Hashable)
STEP_M = 10.0  # a piece of track is looked at in steps of at most this
LEAST_M = 1.0
ALONG = 0.5  # of a step's length must run along the line: crossing it does not count


@dataclass(frozen=True)
class Point:
    """One fix of a track; `at_s` are seconds since 1970, corrected."""

    at_s: float
    lon: float
    lat: float
    accuracy_m: float


@dataclass(frozen=True)
class TrackRule:
    good_accuracy_m: float
    gap_s: float
    walking_mps: float
    snap_m: float


@dataclass(frozen=True)
class Bands:
    """Storefronts of a cycle, each counted once: visited, provisional, excused, or not seen."""

    due: int
    verified: int
    provisional: int
    excused: int

    @property
    def unseen(self) -> int:
        return self.due - self.verified - self.provisional - self.excused

    @property
    def share(self) -> float | None:
        """Of what was due; None where nothing was."""
        return self.verified / self.due if self.due else None


@dataclass(frozen=True)
class Freshness:
    """Days since the last verified visit; `never` counts those without one."""

    median_days: float | None
    p90_days: float | None
    oldest_days: float | None
    never: int


def regularity(visits: Iterable[datetime]) -> float | None:
    """Spread of the gaps between visits, in days; None with fewer than three visits."""
    gaps = [(b - a).total_seconds() / 86400 for a, b in pairwise(sorted(visits))]
    return statistics.pstdev(gaps) if len(gaps) > 1 else None


def effort(verified: int, walked_m: float, hours: float) -> tuple[float, float] | None:
    """Verified visits and kilometres an hour of staff time."""
    return (verified / hours, walked_m / 1000 / hours) if hours > 0 else None


def union(stretches: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Overlapping ranges of measure as few disjoint ones."""
    merged: list[tuple[float, float]] = []
    for low, high in sorted((min(pair), max(pair)) for pair in stretches):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def covered_share(stretches: Iterable[tuple[float, float]], length_m: float) -> float:
    """Length of the union, within the segment, over its length."""
    if length_m <= 0:
        return 0.0
    inside = ((max(0.0, low), min(length_m, high)) for low, high in stretches)
    return min(1.0, sum(high - low for low, high in union(inside) if high > low) / length_m)


def pieces(track: Sequence[Point], rule: TrackRule) -> list[tuple[Point, Point]]:
    """Neighbouring good fixes of somebody on foot: near in time, not too fast."""
    good = sorted(
        (one for one in track if 0 < one.accuracy_m <= rule.good_accuracy_m),
        key=lambda one: one.at_s,
    )
    found = []
    for one, other in pairwise(good):
        gap_s = other.at_s - one.at_s
        if 0 < gap_s <= rule.gap_s and _metres(one, other) <= rule.walking_mps * gap_s:
            found.append((one, other))
    return found


def walked_m(track: Sequence[Point], rule: TrackRule) -> float:
    return sum(_metres(one, other) for one, other in pieces(track, rule))


def stretches(
    track: Sequence[Point], lines: Mapping[Key, shapely.LineString], rule: TrackRule
) -> list[tuple[Key, float, float]]:
    """What a walk covered of the planned segments: (segment, from, to) in metres of its line."""
    walked = pieces(track, rule)
    if not walked or not lines:
        return []
    plane = Plane.around(shapely.GeometryCollection(list(lines.values())))
    starts, ends = _steps(walked, plane)
    found: list[tuple[Key, float, float]] = []
    for key, line in lines.items():
        flat = plane.flat(line)
        for low, high in union(_along(starts, ends, flat, rule.snap_m)):
            if high - low >= LEAST_M:
                found.append((key, low, high))
    return found


def _steps(
    walked: list[tuple[Point, Point]], plane: Plane
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pieces cut into steps of at most STEP_M, in metres of the plane."""
    ends = np.array([[(a.lon, a.lat), (b.lon, b.lat)] for a, b in walked])
    flat = shapely.get_coordinates(plane.flat(shapely.points(ends.reshape(-1, 2))))
    starts: list[Any] = []
    stops: list[Any] = []
    for one, other in flat.reshape(-1, 2, 2):
        count = max(1, math.ceil(math.dist(one, other) / STEP_M))
        way = np.linspace(one, other, count + 1)
        starts.extend(way[:-1])
        stops.extend(way[1:])
    return np.array(starts), np.array(stops)


def _along(
    starts: NDArray[np.float64],
    ends: NDArray[np.float64],
    line: shapely.LineString,
    snap_m: float,
) -> list[tuple[float, float]]:
    """Steps that run along a line, near it at both ends, as ranges of its measure."""
    one, other = shapely.points(starts), shapely.points(ends)
    near = (shapely.distance(one, line) <= snap_m) & (shapely.distance(other, line) <= snap_m)
    if not near.any():
        return []
    low = shapely.line_locate_point(line, one[near])
    high = shapely.line_locate_point(line, other[near])
    length = np.hypot(*(ends[near] - starts[near]).T)
    advance = np.abs(high - low)
    # Beyond its own length a step has jumped between two arms of a hairpin.
    real = (advance >= ALONG * length) & (advance <= 2 * length + 1) & (advance > 0)
    return [(float(a), float(b)) for a, b in zip(low[real], high[real], strict=True)]


def _metres(one: Point, other: Point) -> float:
    """Good to a part in a thousand at walking distances."""
    mean = math.radians((one.lat + other.lat) / 2)
    x = (other.lon - one.lon) * 111_320 * math.cos(mean)
    return math.hypot(x, (other.lat - one.lat) * 110_900)
