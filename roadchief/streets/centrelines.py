"""One line for a street that was drawn as two carriageways. *Pure.* Plane metres throughout.

A road's ways are joined end to end, carriageways side by side become their middle line, and what
runs on straight across a junction becomes one line again.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

BESIDE_M = 50.0  # carriageways of one name lie nearer than this; two streets do not share a name
BESIDE_SHARE = 0.7  # so much of a line must lie beside a longer one to be its other carriageway
BEAD_M = 15.0  # spacing of the vertices that are moved to the middle
STEADY = 5  # beads over which a move is evened out, so that the line does not jump
GAP_M = 45.0  # a junction may leave a gap this wide in a street
ASKEW_M = 25.0  # middle lines may meet this much out of line
STRAIGHT_ON = np.cos(np.radians(60))
MOST_TOGETHER = 80  # every pair is compared; more lines of one name in one place are no street
TURN_M = 25.0  # a carriageway turns into the other one within twice this
HAIRPIN = np.cos(np.radians(120))


def centre(ways: Sequence[shapely.LineString]) -> list[shapely.LineString]:
    """Few long lines for the ways of one name, longest first."""
    lines = [part for line in joined(ways) for part in _without_hairpins(line)]
    middles: list[shapely.LineString] = []
    for group in _neighbourhoods(lines):
        middles += _middles(group) if len(group) <= MOST_TOGETHER else group
    return sorted(middles, key=lambda line: (-line.length, line.wkb))


def _neighbourhoods(lines: list[shapely.LineString]) -> list[list[shapely.LineString]]:
    """Lines that lie near one another: a file of a whole city has many streets of one name."""
    if len(lines) < 2:
        return [lines]
    quarters = shapely.get_parts(shapely.union_all(shapely.buffer(lines, BESIDE_M / 2)))
    where = shapely.STRtree(quarters).query(lines, "intersects")[1]
    return [[lines[at] for at in np.flatnonzero(where == n)] for n in range(len(quarters))]


def _middles(lines: list[shapely.LineString]) -> list[shapely.LineString]:
    longest_first = sorted(lines, key=lambda line: (-line.length, line.wkb))
    kept: list[shapely.LineString] = []
    beside: list[list[shapely.LineString]] = []
    for line in longest_first:
        at = _companion(line, kept)
        if at is None:
            kept.append(line)
            beside.append([])
        else:
            beside[at].append(line)
    return _run_on([_middle(line, other) for line, other in zip(kept, beside, strict=True)])


def joined(ways: Sequence[shapely.LineString]) -> list[shapely.LineString]:
    """Ways joined where just two meet; the same stretch drawn twice counts once."""
    parts = [way for way in ways if way.length > 0]
    if not parts:
        return []
    whole = shapely.line_merge(shapely.union_all(parts))
    return [part for part in shapely.get_parts(whole) if part.geom_type == "LineString"]


def _without_hairpins(line: shapely.LineString) -> list[shapely.LineString]:
    """Cut where a line turns back: two carriageways that share their last point are two lines."""
    xy = shapely.get_coordinates(line)
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    before, after = _tangents(line, at - TURN_M), _tangents(line, at + TURN_M)
    turns = np.flatnonzero((before * after).sum(axis=1) < HAIRPIN)
    ends = np.unique([0, *turns, len(xy) - 1])
    return [shapely.LineString(xy[a : b + 1]) for a, b in pairwise(ends)]


def _tangents(line: shapely.LineString, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors along the line at measures; beyond its ends, those of its ends."""
    reach = min(1.0, line.length / 2)
    at = np.clip(at, reach, line.length - reach)
    tail = shapely.get_coordinates(shapely.line_interpolate_point(line, at - reach))
    head = shapely.get_coordinates(shapely.line_interpolate_point(line, at + reach))
    size = np.hypot(*(head - tail).T)
    tangents: NDArray[np.float64] = (head - tail) / np.where(size > 0, size, 1)[:, None]
    return tangents


def _companion(line: shapely.LineString, kept: list[shapely.LineString]) -> int | None:
    """Which of the longer lines this one runs beside."""
    if not kept:
        return None
    covered = [
        line.intersection(other.buffer(BESIDE_M)).length
        if shapely.dwithin(line, other, BESIDE_M)
        else 0.0
        for other in kept
    ]
    best = int(np.argmax(covered))
    return best if covered[best] >= BESIDE_SHARE * line.length else None


def _middle(line: shapely.LineString, beside: list[shapely.LineString]) -> shapely.LineString:
    """The line moved half-way to its other carriageway wherever there is one."""
    if not beside:
        return line
    beads = shapely.segmentize(line, BEAD_M)
    xy = shapely.get_coordinates(beads)
    here = shapely.points(xy)
    other = shapely.union_all(beside)
    links = shapely.get_coordinates(shapely.shortest_line(here, other)).reshape(-1, 2, 2)
    half = (links[:, 1] - links[:, 0]) / 2
    reach = np.hypot(half[:, 0], half[:, 1]) * 2
    half[(reach > BESIDE_M) | _slanting(xy, half)] = 0
    half = _evened(half)
    return shapely.LineString(xy + half).simplify(0.3)


def _slanting(xy: NDArray[np.float64], move: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Moves along the street and not across it: the other carriageway has ended here."""
    way = np.gradient(xy, axis=0)
    along = np.abs((way * move).sum(axis=1))
    size = np.hypot(way[:, 0], way[:, 1]) * np.hypot(move[:, 0], move[:, 1])
    slanting: NDArray[np.bool_] = along > 0.5 * size
    return slanting


def _evened(move: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(move) < STEADY:
        return move
    padded = np.pad(move, ((STEADY // 2, STEADY // 2), (0, 0)), mode="edge")
    window = np.ones(STEADY) / STEADY
    return np.column_stack([np.convolve(padded[:, axis], window, "valid") for axis in (0, 1)])


def _run_on(lines: list[shapely.LineString]) -> list[shapely.LineString]:
    """Lines that go straight on into each other across a junction become one, nearest first."""
    lines = list(lines)
    while len(lines) > 1:
        best = max(
            (
                (score, i, j, line)
                for i, j in combinations(range(len(lines)), 2)
                for score, line in _bridges(lines[i], lines[j])
            ),
            default=None,
            key=lambda found: found[0],
        )
        if best is None:
            break
        _, i, j, line = best
        lines = [other for at, other in enumerate(lines) if at not in (i, j)] + [line]
    return lines


def _bridges(
    one: shapely.LineString, two: shapely.LineString
) -> list[tuple[float, shapely.LineString]]:
    """The ways in which two lines run on into each other, with a score: straight and near."""
    found: list[tuple[float, shapely.LineString]] = []
    if one.distance(two) > GAP_M:
        return found
    for first in (one, shapely.reverse(one)):
        for second in (two, shapely.reverse(two)):
            a, b = shapely.get_coordinates(first), shapely.get_coordinates(second)
            gap = float(np.hypot(*(b[0] - a[-1])))
            leaving, arriving = _heading(first, at_end=True), _heading(second, at_end=False)
            straight = float(leaving @ arriving)
            ahead = gap < ASKEW_M or float((b[0] - a[-1]) @ leaving) / gap > STRAIGHT_ON
            if gap <= GAP_M and straight > STRAIGHT_ON and ahead:
                rest = b[1:] if gap < 1 else b
                found.append((straight - gap / GAP_M, shapely.LineString([*a, *rest])))
    return found


def _heading(line: shapely.LineString, *, at_end: bool) -> NDArray[np.float64]:
    """Unit vector over the last, or first, thirty metres: a single short edge may be askew."""
    reach = min(30.0, line.length)
    part = (
        substring(line, line.length - reach, line.length) if at_end else substring(line, 0, reach)
    )
    xy = shapely.get_coordinates(part)
    way = xy[-1] - xy[0]
    size = float(np.hypot(*way)) or 1.0
    heading: NDArray[np.float64] = way / size
    return heading
