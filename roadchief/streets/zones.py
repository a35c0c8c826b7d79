"""What lies before doors: fronts and duty zones, for many of one street at once. *Pure.*"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from roadchief.lib.geo import Plane

SIDE_ROOM_M = 5.0  # a duty zone goes this far sideways where no neighbour is (domain.md §3.1)
LEAST_DEPTH_M = 0.3  # a front nearer to the kerb than this stands on it
ABREAST_M = 0.5  # the street's heading is taken this far before and behind

Shapes = NDArray[np.object_]
Metres = NDArray[np.float64]


class Street:
    """A segment's line in metres, made once for all that lies along it."""

    def __init__(self, line: shapely.LineString) -> None:
        self.plane = Plane.around(line)
        self.flat = self.plane.flat(line)

    def along(self, xy: Metres) -> Metres:
        """Metres from the street's beginning to the place abreast of each point."""
        return np.asarray(shapely.line_locate_point(self.flat, shapely.points(xy)))

    def at(self, measures_m: Metres) -> Metres:
        return shapely.get_coordinates(shapely.line_interpolate_point(self.flat, measures_m))

    def headings(self, xy: Metres) -> Metres:
        """Unit vectors along the street, abreast of each point."""
        at = self.along(xy)
        ahead = np.minimum(at + ABREAST_M, self.flat.length)
        way = self.at(ahead) - self.at(np.maximum(at - ABREAST_M, 0))
        size = np.hypot(*way.T)
        return np.asarray(way / np.where(size > 0, size, 1.0)[:, None])


def frontages(doors: Shapes, street: Street, width_m: float = 6.0) -> Shapes:
    """A front of `width_m` through each door, parallel to the street."""
    xy = shapely.get_coordinates(street.plane.flat(doors))
    half = street.headings(xy) * (width_m / 2)
    return np.asarray(
        street.plane.round(shapely.linestrings(np.stack([xy - half, xy + half], axis=1)))
    )


def frontage(
    door: shapely.Point, segment: shapely.LineString, width_m: float = 6.0
) -> shapely.LineString:
    """The front of one door."""
    return frontages(np.array([door]), Street(segment), width_m)[0]


def side_by_side(
    fronts: Shapes,
    sides: Sequence[str | None],
    street: Street,
    kerb_m: float,
    wanted: NDArray[np.bool_] | None = None,
) -> Shapes:
    """Duty zones of fronts in walking order: to the neighbour's front, or 5 m.

    With `wanted` only those are laid, and the others count as neighbours; their places hold None.
    """
    low, high = _reaches(fronts, street)
    # Half the free metres between two fronts, along the street: one may stand farther back.
    free = np.maximum(np.maximum(low[1:] - high[:-1], low[:-1] - high[1:]), 0.0) / 2
    named = np.array([side or "" for side in sides])
    room = np.where(named[1:] == named[:-1], np.minimum(free, SIDE_ROOM_M), SIDE_ROOM_M)
    before, after = np.append(SIDE_ROOM_M, room), np.append(room, SIDE_ROOM_M)
    found: Shapes = np.full(len(fronts), None, dtype=object)
    there = np.full(len(fronts), True) if wanted is None else wanted
    found[there] = duty_zones(fronts[there], street, kerb_m, before[there], after[there])
    return found


def _reaches(fronts: Shapes, street: Street) -> tuple[Metres, Metres]:
    """From where to where along the street each front stands."""
    xy, owner = shapely.get_coordinates(street.plane.flat(fronts), return_index=True)
    begins = np.flatnonzero(np.diff(owner, prepend=-1))
    at = street.along(xy)
    return np.minimum.reduceat(at, begins), np.maximum.reduceat(at, begins)


def duty_zones(
    fronts: Shapes, street: Street, kerb_m: float, room_before_m: Any, room_after_m: Any
) -> Shapes:
    """From each façade out to the kerb; sideways as far as there is room (domain.md §3.1).

    `kerb_m` is centre line to kerb. The rooms are the free metres beside each front in the
    direction of the street. None where a front already stands on the kerb.
    """
    found: Shapes = np.full(len(fronts), None, dtype=object)
    if not len(fronts):
        return found
    flat = street.plane.flat(fronts)
    way = street.headings(shapely.get_coordinates(shapely.centroid(flat)))
    first, last = (shapely.get_coordinates(shapely.get_point(flat, end)) for end in (0, -1))
    turned = np.einsum("ij,ij->i", last - first, way)[:, None] < 0
    start = np.where(turned, last, first) - way * np.reshape(room_before_m, (-1, 1))
    stop = np.where(turned, first, last) + way * np.reshape(room_after_m, (-1, 1))
    outward, deep = [], np.full(len(fronts), True)
    for corner in (stop, start):
        away = street.at(street.along(corner)) - corner
        distance = np.hypot(*away.T)
        deep &= distance - kerb_m > LEAST_DEPTH_M
        share = (distance - kerb_m) / np.where(distance > 0, distance, 1.0)
        outward.append(corner + away * share[:, None])
    zones = shapely.polygons(np.stack([start, stop, *outward], axis=1)[deep])
    sound = shapely.is_valid(zones) & (shapely.area(zones) > 0)
    found[np.flatnonzero(deep)[sound]] = street.plane.round(zones[sound])
    return found
