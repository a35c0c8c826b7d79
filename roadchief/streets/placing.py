"""Where a door stands: segment, side, measure; the front of a building. *Pure.*

Everything is for many doors at once: arrays in, arrays out, one tree of segments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from roadchief.lib.geo import Plane

REACH_M = 80.0  # farther from every segment a door is not on any of our streets
SAME_NAME_REACH_M = 120.0  # the road of the address may be this much farther than the nearest one
CORNER_M = 14.0  # so near behind the kerb of a second street a shop faces that one too
USUAL_KERB_M = 8.0  # where a street's width is not known
FRONT_DEPTH_M = 3.0
LEFT, RIGHT = "left", "right"
Addresses: TypeAlias = Sequence[str | None] | Any  # or a column of Arrow, for many at once


@dataclass(frozen=True)
class Placements:
    """For each door: index of the segment (-1: none), side (+1 left, -1 right), metres."""

    segment: NDArray[np.int64]
    side: NDArray[np.int8]
    measure_m: NDArray[np.float64]
    away_m: NDArray[np.float64]
    second: NDArray[np.int64]
    second_side: NDArray[np.int8]
    second_measure_m: NDArray[np.float64]


class Streets:
    """The segments of a sub-district, ready to be asked about many doors."""

    def __init__(
        self,
        lines: Sequence[shapely.LineString],
        roads: Sequence[str],
        kerbs_m: Sequence[float] | None = None,
    ) -> None:
        """`roads` are the road names, `kerbs_m` centre line to kerb, one for each line."""
        self.empty = len(lines) == 0
        everything = shapely.GeometryCollection(list(lines)) if lines else shapely.Point(0, 0)
        self.plane = Plane.around(everything)
        self.lines = np.array(self.plane.flat(np.array(lines, dtype=object)), dtype=object)
        self.names = np.array(roads, dtype=object)
        self.road = np.unique(self.names.astype(str), return_inverse=True)[1]
        kerbs = [USUAL_KERB_M] * len(lines) if kerbs_m is None else list(kerbs_m)
        self.kerbs_m = np.array(kerbs, dtype=float)
        self.tree = shapely.STRtree(self.lines)
        self.vertices, owner = shapely.get_coordinates(self.lines, return_index=True)
        self.gap_m = float(shapely.length(self.lines).max(initial=0.0)) + 10.0
        self.scale_m = _measures(self.vertices, owner) + owner * self.gap_m

    def place(self, doors: NDArray[Any], addresses: Addresses) -> Placements:
        """Place doors; `addresses` help where two roads are near.

        Doors are WGS-84 points, or an array of their longitudes and latitudes.
        """
        count = len(doors)
        if self.empty or count == 0:
            return _nowhere(count)
        xy = self.plane.flat_xy(shapely.get_coordinates(doors) if doors.dtype == object else doors)
        flat = shapely.points(xy)
        door, line = self.tree.query(flat, predicate="dwithin", distance=SAME_NAME_REACH_M)
        away = shapely.distance(flat[door], self.lines[line])
        score = away - self._bonus(door, line, addresses)
        fit = (away <= REACH_M) | (score < away)
        door, line, away, score = door[fit], line[fit], away[fit], score[fit]
        order = np.lexsort((score, door))
        door, line, away = door[order], line[order], away[order]
        first = np.unique(door, return_index=True)[1]
        segment = np.full(count, -1)
        segment[door[first]] = line[first]
        distance = np.full(count, np.nan)
        distance[door[first]] = away[first]
        second = self._corners(door, line, away, segment)
        side, measure = self._along(flat, xy, segment)
        second_side, second_measure = self._along(flat, xy, second)
        return Placements(segment, side, measure, distance, second, second_side, second_measure)

    def _bonus(
        self,
        door: NDArray[np.int64],
        line: NDArray[np.int64],
        addresses: Addresses,
    ) -> NDArray[np.float64]:
        """The road that the address names wins over a nearer one."""
        texts = addresses if isinstance(addresses, pa.Array) else pa.array(addresses, pa.string())
        named, road = np.zeros(len(door), dtype=bool), self.road[line]
        for one in np.unique(road):
            there = np.flatnonzero(road == one)
            name = str(self.names[line[there[0]]])
            found = pc.match_substring(texts.take(pa.array(door[there])), name)
            named[there] = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
        return np.where(named, SAME_NAME_REACH_M, 0.0)

    def _corners(
        self,
        door: NDArray[np.int64],
        line: NDArray[np.int64],
        away: NDArray[np.float64],
        segment: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Another road within reach of the door: the shop faces two streets."""
        second = np.full(len(segment), -1)
        other = (self.road[line] != self.road[segment[door]]) & (
            away <= self.kerbs_m[line] + CORNER_M
        )
        doors, place = np.unique(door[other], return_index=True)
        second[doors] = line[other][place]
        return second

    def _along(
        self, flat: NDArray[np.object_], xy: NDArray[np.float64], segment: NDArray[np.int64]
    ) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
        side = np.zeros(len(flat), dtype=np.int8)
        measure = np.full(len(flat), np.nan)
        there = segment >= 0
        if not there.any():
            return side, measure
        lines = self.lines[segment[there]]
        at = shapely.line_locate_point(lines, flat[there])
        measure[there] = at
        tail = self._point_at(segment[there], np.maximum(at - 0.5, 0))
        head = self._point_at(segment[there], np.minimum(at + 0.5, shapely.length(lines)))
        way, off = head - tail, xy[there] - tail
        cross = way[:, 0] * off[:, 1] - way[:, 1] * off[:, 0]
        side[there] = np.where(cross >= 0, 1, -1)
        return side, measure

    def _point_at(
        self, segment: NDArray[np.int64], measure_m: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Places along segments. All segments lie behind each other on one scale, with gaps."""
        at = segment * self.gap_m + measure_m
        x, y = (np.interp(at, self.scale_m, self.vertices[:, axis]) for axis in (0, 1))
        return np.column_stack([x, y])


def _measures(vertices: NDArray[np.float64], owner: NDArray[np.int64]) -> NDArray[np.float64]:
    """Metres from the beginning of its own line to each vertex."""
    steps = np.hypot(*np.diff(vertices, axis=0, prepend=vertices[:1]).T)
    whole = np.cumsum(steps)
    begins = np.flatnonzero(np.diff(owner, prepend=-1))
    counts = np.diff(np.append(begins, len(owner)))
    return np.asarray(whole - np.repeat(whole[begins], counts))


def side_name(side: int) -> str:
    return LEFT if side > 0 else RIGHT


def front_of_building(
    outline: shapely.Polygon, segment: shapely.LineString
) -> tuple[shapely.Point, shapely.LineString]:
    """The edge of a building that faces the street, and its middle as the door."""
    plane = Plane.around(outline)
    ring = shapely.get_coordinates(plane.flat(outline).exterior)
    street = plane.flat(segment)
    edges = shapely.linestrings(np.stack([ring[:-1], ring[1:]], axis=1))
    away = shapely.distance(street, shapely.centroid(edges))
    # Façades have niches and corners: among the edges in front, the widest is the front.
    front = away <= away.min() + FRONT_DEPTH_M
    facing = edges[front][int(np.argmax(shapely.length(edges[front])))]
    return plane.round(facing.centroid), plane.round(facing)


def _nowhere(count: int) -> Placements:
    nothing, unknown = np.full(count, -1), np.full(count, np.nan)
    side = np.zeros(count, dtype=np.int8)
    return Placements(nothing, side, unknown, unknown, nothing, side, unknown)
