"""The order in which to walk to some places. *Pure.*

Nearest first from the westernmost, then turned wherever that shortens the way (2-opt). As the
crow flies: within a few streets this is what somebody on foot would choose.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import dist

Place = tuple[float, float]


def ordered(places: Sequence[Place]) -> list[int]:
    """Positions of the places, in metres, in walking order."""
    if not places:
        return []
    left = set(range(len(places)))
    present = min(left, key=lambda one: (places[one], one))
    way = [present]
    left.remove(present)
    while left:
        here = places[present]
        present = min(left, key=lambda one: (dist(here, places[one]), one))
        way.append(present)
        left.remove(present)
    return _shortened(way, places)


def length(way: Sequence[int], places: Sequence[Place]) -> float:
    return sum(dist(places[a], places[b]) for a, b in pairwise(way))


def _shortened(way: list[int], places: Sequence[Place]) -> list[int]:
    """Turn stretches round as long as that helps; the start stays."""
    better = True
    while better:
        better = False
        for i in range(1, len(way) - 1):
            for j in range(i + 1, len(way)):
                before, first, last = places[way[i - 1]], places[way[i]], places[way[j]]
                now, turned = dist(before, first), dist(before, last)
                if j + 1 < len(way):
                    after = places[way[j + 1]]
                    now, turned = now + dist(last, after), turned + dist(first, after)
                if turned < now - 1e-9:
                    way[i : j + 1] = reversed(way[i : j + 1])
                    better = True
    return way
