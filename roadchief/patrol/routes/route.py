"""In which order to walk. *Pure.*

On one street: by measure, up one side and down the other; it can be explained and is usually
best. A mixed list: nearest neighbour, 2-opt and Or-opt from several starts. Whole streets: every
piece once with as little walked twice as possible (the Chinese postman; the rural one where only
some pieces are asked for).
"""

import itertools
import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import networkx as nx

from roadchief.streets.placing import LEFT

Key = TypeVar("Key", bound=Hashable)
STARTS = 8
MANY = 150  # above it one start must do: better a good order now than the best one later


@dataclass(frozen=True)
class Stop:
    """A storefront on a street: which road, the segment's place along it, the side, the metres."""

    key: Hashable
    road: Hashable
    seq: int
    side: str
    measure_m: float


@dataclass(frozen=True)
class Tour:
    """A walk over pieces of street. `again_m` is walked without need for it."""

    nodes: list[Hashable]
    length_m: float
    again_m: float


def along(stops: Iterable[Stop], roads: Sequence[Hashable] = ()) -> list[Stop]:
    """Road after road as given; up the left side, down the right one."""
    order = {road: place for place, road in enumerate(roads)}
    found: list[Stop] = []
    ranked = sorted(stops, key=lambda one: (order.get(one.road, len(order)), str(one.road)))
    for _, group in itertools.groupby(ranked, key=lambda one: one.road):
        row = sorted(group, key=lambda one: (one.seq, one.measure_m))
        found += [one for one in row if one.side == LEFT]
        found += [one for one in reversed(row) if one.side != LEFT]
    return found


def shortest(places: Sequence[tuple[float, float]], *, starts: int = STARTS) -> list[int]:
    """The order of places (in metres) that a person walks least for; an open way, not a circle."""
    count = len(places)
    if count < 3:
        return list(range(count))
    away = [[math.dist(a, b) for b in places] for a in places]
    tries = 1 if count > MANY else min(starts, count)
    firsts = [round(place * count / tries) % count for place in range(tries)]
    ways = [_improve(_nearest_first(first, away), away) for first in dict.fromkeys(firsts)]
    return min(ways, key=lambda way: way_m(way, away))


def way_m(way: Sequence[int], away: Sequence[Sequence[float]]) -> float:
    return sum(away[a][b] for a, b in itertools.pairwise(way))


def postman(
    streets: Iterable[tuple[Key, Key, float]],
    wanted: Iterable[tuple[Key, Key, float]] | None = None,
) -> list[Tour]:
    """One closed walk for each connected part of the net that has something wanted.

    `wanted` are the pieces that must be walked, by default all; parts of it that do not touch
    are joined over the other streets.
    """
    net: Any = nx.MultiGraph()
    net.add_weighted_edges_from(streets, weight="m")
    asked: Any = nx.MultiGraph()
    asked.add_weighted_edges_from(net.edges(data="m") if wanted is None else wanted, weight="m")
    plain = nx.Graph()
    for a, b, m in itertools.chain(net.edges(data="m"), asked.edges(data="m")):
        if not plain.has_edge(a, b) or plain[a][b]["m"] > m:
            plain.add_edge(a, b, m=m)
    tours = []
    for part in nx.connected_components(plain):
        here = asked.subgraph([node for node in part if node in asked]).copy()
        if here.number_of_edges():
            tours.append(_tour(here, plain))
    return tours


def _tour(asked: Any, plain: Any) -> Tour:
    needed = sum(m for *_, m in asked.edges(data="m"))
    _join(asked, plain)
    _make_even(asked, plain)
    circuit = list(nx.eulerian_circuit(asked))
    length = sum(m for *_, m in asked.edges(data="m"))
    return Tour([circuit[0][0], *(b for _, b in circuit)], length, length - needed)


def _join(asked: Any, plain: Any) -> None:
    """Add the shortest ways that connect the parts of what is wanted, like a spanning tree."""
    parts = [set(part) for part in nx.connected_components(asked)]
    while len(parts) > 1:
        first = parts.pop(0)
        reach, ways = nx.multi_source_dijkstra(plain, first, weight="m")
        nearest = min((node for part in parts for node in part), key=lambda node: reach[node])
        _add_way(asked, plain, ways[nearest])
        parts = [set(part) for part in nx.connected_components(asked)]


def _make_even(asked: Any, plain: Any) -> None:
    """Pair the odd corners so that the ways between the pairs are short in sum."""
    odd = [node for node, degree in asked.degree if degree % 2]
    if not odd:
        return
    pairs = nx.Graph()
    ways = {node: nx.single_source_dijkstra(plain, node, weight="m") for node in odd}
    for a, b in itertools.combinations(odd, 2):
        pairs.add_edge(a, b, weight=ways[a][0][b])
    for a, b in nx.min_weight_matching(pairs):
        _add_way(asked, plain, ways[a][1][b])


def _add_way(asked: Any, plain: Any, way: Sequence[Any]) -> None:
    for a, b in itertools.pairwise(way):
        asked.add_edge(a, b, m=plain[a][b]["m"])


def _nearest_first(first: int, away: list[list[float]]) -> list[int]:
    left = set(range(len(away))) - {first}
    way = [first]
    while left:
        row = away[way[-1]]
        following = min(left, key=lambda place: (row[place], place))
        way.append(following)
        left.remove(following)
    return way


def _improve(way: list[int], away: list[list[float]]) -> list[int]:
    """2-opt and Or-opt by turns until neither finds anything."""
    better = True
    while better:
        better = _uncross(way, away)
        better = _move_runs(way, away) or better
    return way


def _uncross(way: list[int], away: list[list[float]]) -> bool:
    """2-opt: turn a stretch round where that is shorter; the ends of the way are free."""
    found, count = False, len(way)
    for i in range(count - 1):
        for j in range(i + 1, count):
            before = away[way[i - 1]][way[i]] if i else 0.0
            after = away[way[j]][way[j + 1]] if j + 1 < count else 0.0
            turned = (away[way[i - 1]][way[j]] if i else 0.0) + (
                away[way[i]][way[j + 1]] if j + 1 < count else 0.0
            )
            if turned < before + after - 1e-9:
                way[i : j + 1] = way[i : j + 1][::-1]
                found = True
    return found


def _move_runs(way: list[int], away: list[list[float]]) -> bool:
    """Or-opt: one, two or three neighbours fit better elsewhere."""
    found = False
    for length in (1, 2, 3):
        place = 0
        while place + length <= len(way):
            run, rest = way[place : place + length], way[:place] + way[place + length :]
            if not rest:
                break
            now = _cost_in(way, place, length, away)
            best, spot = min(
                (_cost_of_putting(run, rest, where, away), where) for where in range(len(rest) + 1)
            )
            if best < now - 1e-9:
                way[:] = rest[:spot] + run + rest[spot:]
                found = True
            place += 1
    return found


def _cost_in(way: list[int], place: int, length: int, away: list[list[float]]) -> float:
    """What a run costs where it stands: its two links, less the link that would close the gap."""
    before = way[place - 1] if place else None
    after = way[place + length] if place + length < len(way) else None
    return _links(before, way[place], way[place + length - 1], after, away)


def _cost_of_putting(run: list[int], rest: list[int], spot: int, away: list[list[float]]) -> float:
    before = rest[spot - 1] if spot else None
    after = rest[spot] if spot < len(rest) else None
    return _links(before, run[0], run[-1], after, away)


def _links(
    before: int | None, head: int, tail: int, after: int | None, away: list[list[float]]
) -> float:
    cost = 0.0
    if before is not None:
        cost += away[before][head]
    if after is not None:
        cost += away[tail][after]
    if before is not None and after is not None:
        cost -= away[before][after]
    return cost
