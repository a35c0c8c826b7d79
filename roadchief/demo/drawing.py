"""Invented fronts and buildings along drawn streets, the same every time. *Pure.*"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely

from roadchief.lib.geo import Plane

WIDTHS_M = (4.2, 4.5, 5.0, 5.5, 6.0, 7.0, 8.0, 9.0)
BUILDING_DEPTH_M = (11.0, 17.0)
END_M = 22.0  # no door this near to a junction, but for corner shops
SLAB_M = (58.0, 13.0)  # a residential slab, and the yards between
SLAB_STEP_M = (74.0, 36.0)
ROAD_ROOM_M = 38.0


@dataclass(frozen=True)
class Front:
    """One invented storefront front: door, front line, side (+1 left, -1 right), number."""

    door: shapely.Point
    line: shapely.LineString
    side: int
    number: int
    measure_m: float


@dataclass(frozen=True)
class Row:
    """Fronts wall to wall, and the building behind them."""

    fronts: tuple[Front, ...]
    building: shapely.Polygon


def rows_along(
    segment: shapely.LineString,
    *,
    front_m: float,
    share: float,
    first: dict[int, int],
    dice: random.Random,
) -> Iterator[Row]:
    """Rows of fronts on both sides of a segment. `first` holds the next number of each side.

    `front_m` is centre line to façade; `share` is how much of the length is shops.
    """
    plane = Plane.around(segment)
    street = plane.flat(segment)
    for side in (1, -1):
        at = END_M if street.length > 3 * END_M else street.length
        while at < street.length - END_M:
            count = dice.randint(3, 7)
            widths = [dice.choice(WIDTHS_M) for _ in range(count)]
            if at + sum(widths) > street.length - END_M:
                break
            if dice.random() < share:
                yield _row(plane, street, at, widths, side, front_m, first, dice)
            at += sum(widths) + dice.uniform(3, 9)
            first[side] += 2 * dice.randint(0, 1)


def slabs(
    area: shapely.Polygon,
    streets: list[shapely.LineString],
    taken: list[shapely.Polygon],
    dice: random.Random,
) -> list[shapely.Polygon]:
    """Residential slabs in the blocks between streets, facing south as houses here do."""
    plane = Plane.around(area)
    land = plane.flat(area)
    away = shapely.union_all(
        shapely.buffer(plane.flat(np.array(streets, dtype=object)), ROAD_ROOM_M)
    )
    full = shapely.buffer(shapely.union_all(plane.flat(np.array(taken, dtype=object))), 6)
    land = land.difference(away).difference(full)
    west, south, east, north = land.bounds
    found = []
    for y in np.arange(south, north, SLAB_STEP_M[1]):
        shift = dice.uniform(0, 18)
        for x in np.arange(west + shift, east, SLAB_STEP_M[0]):
            if dice.random() < 0.2:
                continue
            length = SLAB_M[0] * dice.uniform(0.75, 1.05)
            slab = shapely.box(x, y, x + length, y + SLAB_M[1])
            turned = shapely.affinity.rotate(slab, -14, origin="centroid")
            found.append(turned)
    shapes = np.array(found, dtype=object)
    shapely.prepare(land)
    return list(plane.round(shapes[shapely.contains(land, shapes)]))


def _row(
    plane: Plane,
    street: shapely.LineString,
    start_m: float,
    widths: list[float],
    side: int,
    front_m: float,
    first: dict[int, int],
    dice: random.Random,
) -> Row:
    fronts, at = [], start_m
    back: list[np.ndarray] = []
    depth = dice.uniform(*BUILDING_DEPTH_M)
    for width in widths:
        near, far = (_beside(street, at + step, side * front_m) for step in (0.15, width - 0.15))
        line = shapely.LineString([near, far])
        fronts.append(
            Front(
                door=plane.round(line.centroid),
                line=plane.round(line),
                side=side,
                number=first[side],
                measure_m=at + width / 2,
            )
        )
        first[side] += 2
        at += width
    face = [_beside(street, start_m, side * front_m), _beside(street, at, side * front_m)]
    back = [
        _beside(street, at, side * (front_m + depth)),
        _beside(street, start_m, side * (front_m + depth)),
    ]
    return Row(tuple(fronts), plane.round(shapely.Polygon([*face, *back]).buffer(0)))


def _beside(street: shapely.LineString, at: float, off_m: float) -> np.ndarray:
    """The point `off_m` to the left of the street at a measure."""
    tail = np.array(street.interpolate(max(at - 0.5, 0)).coords[0])
    head = np.array(street.interpolate(min(at + 0.5, street.length)).coords[0])
    way = (head - tail) / (np.hypot(*(head - tail)) or 1)
    here = np.array(street.interpolate(at).coords[0])
    return here + np.array([-way[1], way[0]]) * off_m
