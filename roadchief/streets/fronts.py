"""Fronts of shops: divided, joined, and a door's place found by its house number. *Pure.*"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import shapely
from shapely.ops import substring

from roadchief.lib.geo import Plane
from roadchief.lib.text import house_numbers
from roadchief.streets import placing

USUAL_WIDTH_M = 6.0
BEHIND_KERB_M = 4.0  # where no neighbour tells how deep the pavement is
STEP_M = 6.0  # from door to door beyond the last known number


@dataclass(frozen=True)
class Neighbour:
    """A door that is known: its house number, side, place along and away from the middle line."""

    house_number: str
    side: str
    measure_m: float
    away_m: float


@dataclass(frozen=True)
class Guess:
    """Where a door of some number should be; `within_m`: as far as it may be wrong."""

    door: shapely.Point
    side: str
    measure_m: float
    within_m: float


def divided(front: shapely.LineString, count: int) -> list[shapely.LineString]:
    """A front in equal parts, in its own direction."""
    plane = Plane.around(front)
    flat = plane.flat(front)
    step = flat.length / count
    return [
        plane.round(substring(flat, number * step, (number + 1) * step)) for number in range(count)
    ]


def joined(fronts: Sequence[shapely.LineString]) -> shapely.LineString:
    """One straight front between the ends farthest apart."""
    plane = Plane.around(shapely.GeometryCollection(list(fronts)))
    ends = np.vstack([plane.flat(front).coords for front in fronts])
    apart = np.hypot(*(ends[:, None, :] - ends[None, :, :]).transpose(2, 0, 1))
    one, other = np.unravel_index(int(np.argmax(apart)), apart.shape)
    return plane.round(shapely.LineString([ends[min(one, other)], ends[max(one, other)]]))


def guess_by_number(
    house_number: str,
    street: shapely.LineString,
    kerb_m: float,
    known: Sequence[Neighbour],
    *,
    side: str | None = None,
) -> Guess | None:
    """Between the next lower and the next higher number of its side; None where nothing helps.

    The side is where numbers of the same parity are, unless it is given.
    """
    wanted = house_numbers(house_number)
    if wanted is None:
        return None
    numbered = [(numbers[0], row) for row in known if (numbers := house_numbers(row.house_number))]
    side = side or _side_of(wanted[0], numbered)
    if side is None:
        return None
    plane = Plane.around(street)
    flat = plane.flat(street)
    beside = sorted((number, row.measure_m) for number, row in numbered if row.side == side)
    measure, within = _measure(wanted[0], beside, flat.length)
    depths = [row.away_m for row in known if row.side == side]
    away = median(depths) if depths else kerb_m + BEHIND_KERB_M
    return Guess(_beside(plane, flat, measure, side, away), side, measure, within)


def _side_of(number: int, numbered: Sequence[tuple[int, Neighbour]]) -> str | None:
    votes = {placing.LEFT: 0, placing.RIGHT: 0}
    for other, row in numbered:
        same = other % 2 == number % 2
        votes[row.side if same else _opposite(row.side)] += 1
    if votes[placing.LEFT] == votes[placing.RIGHT]:
        return None
    return max(votes, key=lambda side: votes[side])


def _opposite(side: str) -> str:
    return placing.RIGHT if side == placing.LEFT else placing.LEFT


def _measure(
    number: int, beside: Sequence[tuple[int, float]], length: float
) -> tuple[float, float]:
    """Measure and how far it may be off."""
    same = [measure for other, measure in beside if other == number]
    if same:
        return median(same), STEP_M
    lower = [row for row in beside if row[0] < number]
    higher = [row for row in beside if row[0] > number]
    if lower and higher:
        (low, start), (high, stop) = lower[-1], higher[0]
        share = (number - low) / (high - low)
        return start + share * (stop - start), max(STEP_M, abs(stop - start) / 2)
    if not beside:
        return length / 2, length / 2
    # Beyond the last known door, on in the direction in which numbers grow.
    grows = 1 if beside[-1][1] >= beside[0][1] else -1
    (last, measure), way = (lower[-1], grows) if lower else (higher[0], -grows)
    reach = STEP_M * max(1.0, abs(number - last) / 2)
    return min(max(measure + way * reach, 0.0), length), max(STEP_M, reach)


def _beside(
    plane: Plane, street: shapely.LineString, measure: float, side: str, away: float
) -> shapely.Point:
    tail = np.array(street.interpolate(max(measure - 0.5, 0)).coords[0])
    head = np.array(street.interpolate(min(measure + 0.5, street.length)).coords[0])
    way = (head - tail) / (float(np.hypot(*(head - tail))) or 1.0)
    left = np.array([-way[1], way[0]]) * (1 if side == placing.LEFT else -1)
    here = np.array(street.interpolate(measure).coords[0])
    door: shapely.Point = plane.round(shapely.Point(here + left * away))
    return door
