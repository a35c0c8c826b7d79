"""From ways to segments: merge by name, cut at borders, then at junctions. *Pure.*

Lines are WGS-84 degrees; lengths are metres. A road is cut first where sub-districts meet and
then where it meets other roads (domain.md §0.3).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from shapely.ops import substring

from roadchief.lib.geo import Plane
from roadchief.streets.centrelines import centre, joined

SHORTEST_M = 40.0  # shorter pieces are crossings of dual carriageways, not places of duty
TOUCH_M = 1.0
# A side street ends at the near carriageway, this far or less from the middle line of a road.
SIDE_STREET_M = 25.0
ALONG = np.cos(np.radians(30))  # what comes in flatter than this is a slip road and no junction


@dataclass(frozen=True)
class Piece:
    """One segment to be: its line and the names of the streets at its ends."""

    line: shapely.LineString
    length_m: float
    from_name: str | None
    to_name: str | None


def merge(ways: Iterable[BaseGeometry]) -> list[shapely.LineString]:
    """Ways of one name as few long middle lines, in the order of a walk along the road."""
    parts = _lines(list(ways))
    if not parts:
        return []
    plane = Plane.around(shapely.MultiLineString(parts))
    return [plane.round(line) for line in _in_order(centre([plane.flat(part) for part in parts]))]


def inside(lines: Sequence[shapely.LineString], area: BaseGeometry) -> list[shapely.LineString]:
    """The parts of lines within a sub-district's border.

    A border drawn along a road weaves over it: stretches shorter than `SHORTEST_M` count with
    what lies before and after them.
    """
    if not lines:
        return []
    plane = Plane.around(shapely.MultiLineString(list(lines)))
    land = plane.flat(area)
    shapely.prepare(land)
    kept = [part for line in lines for part in _stretches(plane.flat(line), land)]
    return [plane.round(line) for line in _in_order(joined(kept))]


def cut(
    line: shapely.LineString,
    others: Sequence[tuple[str, BaseGeometry]],
    *,
    shortest_m: float = SHORTEST_M,
) -> list[Piece]:
    """A line cut where it meets `others` (name, line); shorter pieces join a neighbour."""
    plane = Plane.around(line)
    flat = plane.flat(line)
    shapes = plane.flat(np.array([other for _, other in others], dtype=object))
    names = [name for name, _ in others]
    near = _near(flat, list(zip(names, shapes, strict=True)), shortest_m)
    marks = _crossings(flat, near)
    shortest_m = max(shortest_m, 2 * TOUCH_M)
    cuts = _thinned(marks, flat.length, shortest_m)
    # A street that cuts the line near its end is not also the street it ends at.
    ends = [
        _name_at_end(flat, measure, marks, [row for row in near if row[0] != beside], shortest_m)
        for measure, beside in (
            (0.0, cuts[0][1] if cuts else None),
            (flat.length, cuts[-1][1] if cuts else None),
        )
    ]
    stops = [(0.0, ends[0]), *cuts, (flat.length, ends[1])]
    return [
        Piece(plane.round(substring(flat, start, end)), end - start, from_name, to_name)
        for (start, from_name), (end, to_name) in pairwise(stops)
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


def _lines(shapes: Sequence[BaseGeometry]) -> list[shapely.LineString]:
    parts = shapely.get_parts(shapely.get_parts(np.array(shapes, dtype=object)))
    return [part for part in parts if part.geom_type == "LineString" and part.length > 0]


def _stretches(line: shapely.LineString, land: BaseGeometry) -> list[shapely.LineString]:
    """The parts of one line on the land, small stretches on either side evened out."""
    met = shapely.get_parts(shapely.intersection(line, land.boundary))
    places = shapely.points(shapely.get_coordinates(met))
    stops = np.unique([0.0, *shapely.line_locate_point(line, places), line.length])
    middles = shapely.line_interpolate_point(line, (stops[:-1] + stops[1:]) / 2)
    # Within a metre: a border drawn exactly on the road leaves it to both sides.
    within = shapely.dwithin(land, middles, TOUCH_M)
    runs: list[list[float]] = []
    for start, end in zip(stops[:-1][within], stops[1:][within], strict=True):
        if runs and start - runs[-1][1] < SHORTEST_M:
            runs[-1][1] = end
        else:
            runs.append([start, end])
    least = min(SHORTEST_M, line.length)
    return [substring(line, start, end) for start, end in runs if end - start >= least]


def _in_order(lines: list[shapely.LineString]) -> list[shapely.LineString]:
    """From the north, or from the west where the road runs east: as the doors are counted."""
    if not lines:
        return []
    west, south, east, north = shapely.total_bounds(np.array(lines, dtype=object))
    if north - south > east - west:
        return sorted(lines, key=lambda line: -line.centroid.y)
    return sorted(lines, key=lambda line: line.centroid.x)


def _near(
    line: shapely.LineString, others: Sequence[tuple[str, BaseGeometry]], reach_m: float
) -> list[tuple[str, BaseGeometry]]:
    shapes = np.array([shape for _, shape in others], dtype=object)
    found = np.flatnonzero(shapely.dwithin(line, shapes, max(reach_m, SIDE_STREET_M)))
    return [others[int(at)] for at in found]


def _crossings(
    line: shapely.LineString, others: Sequence[tuple[str, BaseGeometry]]
) -> list[tuple[float, str]]:
    """Measure and name of each meeting with another road, in order."""
    marks: list[tuple[float, str]] = []
    for name, other in others:
        met = shapely.intersection(line, shapely.buffer(other, TOUCH_M))
        crossed = [
            float(line.project(part.centroid))
            for part in shapely.get_parts(met)
            if not part.is_empty
        ]
        marks += [(at, name) for at in crossed or _side_streets(line, other)]
    return _as_one_junction(sorted(marks))


def _side_streets(line: shapely.LineString, other: BaseGeometry) -> list[float]:
    """Where another road ends just short of this one's middle, coming from the side."""
    found = []
    for part in shapely.get_parts(other):
        for xy in (shapely.get_coordinates(part), shapely.get_coordinates(part)[::-1]):
            end = shapely.Point(xy[0])
            if line.distance(end) > SIDE_STREET_M:
                continue
            at = float(line.project(end))
            street = _direction(line, at)
            inner = part.interpolate(15.0 if part.project(end) < 1 else part.length - 15.0)
            way = np.array(inner.coords[0]) - xy[0]
            if abs(float(street @ way)) <= ALONG * float(np.hypot(*way)):
                found.append(at)
    return found


def _direction(line: shapely.LineString, at: float) -> np.ndarray:
    """Unit vector of the line at a measure."""
    tail = np.array(line.interpolate(max(at - 1, 0)).coords[0])
    head = np.array(line.interpolate(min(at + 1, line.length)).coords[0])
    return (head - tail) / (float(np.hypot(*(head - tail))) or 1.0)


def _as_one_junction(marks: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Two crossings of one name close together are two carriageways: the middle is meant."""
    kept: list[tuple[float, str]] = []
    for at, name in marks:
        if kept and kept[-1][1] == name and at - kept[-1][0] < SHORTEST_M:
            kept[-1] = ((kept[-1][0] + at) / 2, name)
        else:
            kept.append((at, name))
    return kept


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


def _name_at_end(
    line: shapely.LineString,
    measure: float,
    marks: list[tuple[float, str]],
    others: Sequence[tuple[str, BaseGeometry]],
    reach_m: float,
) -> str | None:
    """The street that the line ends at; a line may stop short of a wide road's middle."""
    met = [(abs(at - measure), name) for at, name in marks if abs(at - measure) < reach_m]
    if met:
        return min(met)[1]
    end = line.interpolate(measure)
    near = [(other.distance(end), name) for name, other in others]
    return min(((away, name) for away, name in near if away < reach_m), default=(0, None))[1]
