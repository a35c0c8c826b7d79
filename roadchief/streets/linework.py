"""From ways to segments: merge by name, cut at borders, then at junctions. *Pure.*

Lines are WGS-84 degrees; lengths are metres. A road is cut first where sub-districts meet and
then where it meets other roads (domain.md §0.3).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from shapely.ops import linemerge, substring

from roadchief.lib.geo import Plane

SHORTEST_M = 40.0  # shorter pieces are crossings of dual carriageways, not places of duty
TOUCH_M = 1.0


@dataclass(frozen=True)
class Piece:
    """One segment to be: its line and the names of the streets at its ends."""

    line: shapely.LineString
    length_m: float
    from_name: str | None
    to_name: str | None


def merge(ways: Iterable[BaseGeometry]) -> list[shapely.LineString]:
    """Ways of one name as few long lines; the same stretch drawn twice counts once."""
    parts = [part for way in ways for part in shapely.get_parts(way) if part.length > 0]
    if not parts:
        return []
    joined = linemerge(shapely.union_all(parts)) if len(parts) > 1 else parts[0]
    return [part for part in shapely.get_parts(joined) if part.geom_type == "LineString"]


def inside(lines: Sequence[shapely.LineString], area: BaseGeometry) -> list[shapely.LineString]:
    """The parts of lines within a sub-district's border."""
    if not lines:
        return []
    kept = shapely.intersection(shapely.MultiLineString(list(lines)), area)
    return merge([part for part in shapely.get_parts(kept) if part.geom_type == "LineString"])


def cut(
    line: shapely.LineString,
    others: Sequence[tuple[str, BaseGeometry]],
    *,
    shortest_m: float = SHORTEST_M,
) -> list[Piece]:
    """A line cut where it meets `others` (name, line); pieces under `shortest_m` join a neighbour."""
    plane = Plane.around(line)
    flat = plane.flat(line)
    marks = _crossings(flat, [(name, plane.flat(other)) for name, other in others])
    cuts = _thinned(marks, flat.length, shortest_m)
    stops: list[tuple[float, str | None]] = [(0.0, _name_at(marks, 0.0, shortest_m)), *cuts]
    stops.append((flat.length, _name_at(marks, flat.length, shortest_m)))
    return [
        Piece(plane.round(substring(flat, start, end)), end - start, from_name, to_name)
        for (start, from_name), (end, to_name) in zip(stops, stops[1:], strict=False)
        if end - start > TOUCH_M
    ]


def split_at(
    line: shapely.LineString, measure_m: float
) -> tuple[shapely.LineString, shapely.LineString]:
    """Two lines; the measure is metres from the beginning."""
    plane = Plane.around(line)
    flat = plane.flat(line)
    return (
        plane.round(substring(flat, 0, measure_m)),
        plane.round(substring(flat, measure_m, flat.length)),
    )


def join(first: shapely.LineString, second: shapely.LineString) -> shapely.LineString | None:
    """One line out of two that touch, in the direction of the first; None when they do not."""
    plane = Plane.around(first)
    one, two = plane.flat(first), plane.flat(second)
    ends = np.array([one.coords[0], one.coords[-1]])
    best: tuple[float, shapely.LineString] | None = None
    for other in (two, shapely.reverse(two)):
        after = float(np.hypot(*(ends[1] - other.coords[0])))
        before = float(np.hypot(*(ends[0] - other.coords[-1])))
        for gap, coords in (
            (after, [*one.coords, *other.coords[1:]]),
            (before, [*other.coords[:-1], *one.coords]),
        ):
            if best is None or gap < best[0]:
                best = gap, shapely.LineString(coords)
    if best is None or best[0] > TOUCH_M * 20:
        return None
    return plane.round(best[1])


def in_house_number_order(line: shapely.LineString) -> shapely.LineString:
    """From the north, or from the west where a road runs east: how Shanghai counts its doors."""
    (x0, y0), (x1, y1) = line.coords[0], line.coords[-1]
    northward = abs(y1 - y0) > abs(x1 - x0)
    turned = y1 > y0 if northward else x1 < x0
    return shapely.reverse(line) if turned else line


def _crossings(
    line: shapely.LineString, others: Sequence[tuple[str, BaseGeometry]]
) -> list[tuple[float, str]]:
    """Measure and name of each meeting with another road, in order."""
    if not others:
        return []
    tree = shapely.STRtree([other for _, other in others])
    marks: list[tuple[float, str]] = []
    for place in tree.query(line, predicate="dwithin", distance=TOUCH_M):
        name, other = others[place]
        met = shapely.intersection(line, shapely.buffer(other, TOUCH_M))
        for part in shapely.get_parts(met):
            if not part.is_empty:
                marks.append((float(line.project(part.centroid)), name))
    return sorted(marks)


def _thinned(
    marks: list[tuple[float, str]], length: float, shortest_m: float
) -> list[tuple[float, str | None]]:
    """Crossings near each other, or near an end, are one junction."""
    kept: list[tuple[float, str | None]] = []
    last = 0.0
    for measure, name in marks:
        if measure - last >= shortest_m and length - measure >= shortest_m:
            kept.append((measure, name))
            last = measure
    return kept


def _name_at(marks: list[tuple[float, str]], measure: float, reach_m: float) -> str | None:
    near = [(abs(at - measure), name) for at, name in marks if abs(at - measure) < reach_m]
    return min(near)[1] if near else None
