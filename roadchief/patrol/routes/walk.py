"""Which walking order a beat gets, and why. *Pure.*

One street: up one side, down the other. A net of streets: each side of each segment once, by the
postman's tour. A loose list: whatever is shortest. The order that can be explained is preferred
as long as it is at most a tenth longer: ways between doors are only known as the crow flies.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from roadchief.patrol.routes import route
from roadchief.patrol.routes.route import Stop
from roadchief.streets.placing import LEFT

Spot = tuple[float, float]  # metres east and north of some point of the beat
STREET, NET, LOOSE = "street", "net", "loose"
WORTH = 1.1  # how much longer a way may be that can be explained
MOST_LOOSE = route.MANY  # improving a longer list takes longer than a person waits
MOST_PIECES = 200  # pairing the odd corners grows with the third power
SAME_CORNER_M = 2.0
CROSSING_M = 30.0  # what going over the street counts for: waiting, and the walk to a crossing
WORDS = {
    STREET: ("沿路走：一侧去，另一侧回", "Along the street: up one side, down the other"),
    NET: (
        "几条路连着走：每侧走一次，少走回头路",
        "Street after street: each side once, little twice",
    ),
    LOOSE: ("铺位分散：按最短路线排列", "Scattered storefronts: in the shortest order"),
}


@dataclass(frozen=True)
class Shop:
    """A storefront to be visited: its place along the street, its segment, its door."""

    stop: Stop
    segment: Hashable
    at: Spot


@dataclass(frozen=True)
class Piece:
    """A segment of the beat: where its measure begins and ends."""

    segment: Hashable
    begins: Spot
    ends: Spot
    length_m: float


@dataclass(frozen=True)
class Walk:
    """An order of storefronts, how it was found, and its length from door to door."""

    kind: str
    shops: list[Shop]
    length_m: float

    def say(self, language: str) -> str:
        zh, en = WORDS[self.kind]
        return zh if language == "zh" else en


def choose(shops: Sequence[Shop], pieces: Sequence[Piece], roads: Sequence[Hashable] = ()) -> Walk:
    """The walk over all shops, each once. `roads` is the order in which the beat names them."""
    if len({one.stop.road for one in shops}) < 2:
        return _walk(STREET, _named(shops, roads))
    found = [_streets(shops, roads)]
    if len(pieces) <= MOST_PIECES:
        found.append(_walk(NET, _net(shops, pieces)))
    if len(shops) <= MOST_LOOSE:
        order = route.shortest([one.at for one in shops], starts=2)
        found.append(_walk(LOOSE, [shops[place] for place in order]))
    least = min(_effort_m(one) for one in found)
    return next(one for one in found if _effort_m(one) <= least * WORTH)


def length_m(shops: Iterable[Shop]) -> float:
    return sum(math.dist(a.at, b.at) for a, b in itertools.pairwise(shops))


def _effort_m(way: Walk) -> float:
    """Metres, and what it costs to go to and fro between the two sides of a street."""
    crossed = sum(
        a.segment == b.segment and a.stop.side != b.stop.side
        for a, b in itertools.pairwise(way.shops)
    )
    return way.length_m + CROSSING_M * crossed


def _walk(kind: str, shops: list[Shop]) -> Walk:
    return Walk(kind, shops, length_m(shops))


def _named(shops: Sequence[Shop], roads: Sequence[Hashable]) -> list[Shop]:
    """Road after road as the beat names them, each from where its measure begins."""
    known = {one.stop.key: one for one in shops}
    return [known[stop.key] for stop in route.along([one.stop for one in shops], roads)]


def _streets(shops: Sequence[Shop], roads: Sequence[Hashable]) -> Walk:
    """Whole roads one after the other: as named, or nearest first, each from its nearer end."""
    legs = [
        list(leg) for _, leg in itertools.groupby(_named(shops, roads), lambda one: one.stop.road)
    ]
    order = route.shortest([leg[0].at for leg in legs])
    ways = [_named(shops, roads)]
    for row in (legs, [legs[place] for place in order], [legs[place] for place in order[::-1]]):
        way: list[Shop] = []
        for leg in row:
            way += _from_nearer_end(way[-1].at if way else leg[0].at, leg)
        ways.append(way)
    return min((_walk(STREET, way) for way in ways), key=lambda one: one.length_m)


def _from_nearer_end(here: Spot, leg: list[Shop]) -> list[Shop]:
    """A leg goes up the left side and down the right; begun at its far end it is the other way."""
    up = [one for one in leg if one.stop.side == LEFT]
    down = [one for one in leg if one.stop.side != LEFT]
    return min((up + down, down + up), key=lambda way: math.dist(here, way[0].at))


def _net(shops: Sequence[Shop], pieces: Sequence[Piece]) -> list[Shop]:
    """Each side of each segment that has shops is walked once, on a closed tour of the corners."""
    sides: dict[Hashable, dict[bool, list[Shop]]] = defaultdict(lambda: {True: [], False: []})
    for one in sorted(shops, key=lambda one: one.stop.measure_m):
        sides[one.segment][one.stop.side == LEFT].append(one)
    ends = {one.segment: (_corner(one.begins), _corner(one.ends)) for one in pieces}
    streets = [(*ends[one.segment], max(one.length_m, 0.1)) for one in pieces]
    wanted = [
        (*ends[one.segment], max(one.length_m, 0.1))
        for one in pieces
        for shops_there in sides[one.segment].values()
        if shops_there
    ]
    way: list[Shop] = []
    for tour in route.postman(streets, wanted):
        for a, b in itertools.pairwise(tour.nodes):
            way += _side_between(a, b, ends, sides)
    seen = {one.stop.key for one in way}
    return way + [one for one in shops if one.stop.key not in seen]


def _side_between(
    a: Hashable,
    b: Hashable,
    ends: dict[Hashable, tuple[Spot, Spot]],
    sides: dict[Hashable, dict[bool, list[Shop]]],
) -> list[Shop]:
    """The shops of one side of one segment between two corners that nobody has walked yet."""
    for segment, corners in ends.items():
        if set(corners) != {a, b}:
            continue
        forward = corners[0] == a
        for left in (forward, not forward):
            found = sides[segment][left]
            if found:
                sides[segment][left] = []
                return found if forward else found[::-1]
    return []


def _corner(spot: Spot) -> Spot:
    return round(spot[0] / SAME_CORNER_M), round(spot[1] / SAME_CORNER_M)
