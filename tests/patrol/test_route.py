"""Walking orders: along the street, shortest for mixed lists, whole nets without much twice."""

import itertools
import math
import random
import time

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadchief.patrol.routes import route

PLACES = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), max_size=25)


def stop(key: str, side: str, measure: float, *, seq: int = 1, road: str = "崂山路") -> route.Stop:
    return route.Stop(key, road, seq, side, measure)


def test_up_one_side_and_down_the_other() -> None:
    stops = [
        stop("r10", "right", 10),
        stop("l90", "left", 90),
        stop("r90", "right", 90),
        stop("l10", "left", 10),
    ]
    assert [one.key for one in route.along(stops)] == ["l10", "l90", "r90", "r10"]


def test_over_several_segments_and_roads() -> None:
    stops = [
        stop("b-l", "left", 5, seq=2),
        stop("b-r", "right", 5, seq=2),
        stop("a-l", "left", 50),
        stop("a-r", "right", 50),
        stop("other", "left", 1, road="潍坊路"),
    ]
    walk = route.along(stops, ["潍坊路", "崂山路"])
    assert [one.key for one in walk] == ["other", "a-l", "b-l", "b-r", "a-r"]


@given(PLACES)
@settings(deadline=None, max_examples=60)
def test_every_place_once_and_never_longer_than_the_nearest_first(
    places: list[tuple[float, float]],
) -> None:
    way = route.shortest(places)
    assert sorted(way) == list(range(len(places)))
    if len(places) > 2:
        away = [[math.dist(a, b) for b in places] for a in places]
        plain = route._nearest_first(0, away)
        assert route.way_m(way, away) <= route.way_m(plain, away) + 1e-6


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=3, max_size=6))
@settings(deadline=None, max_examples=40)
def test_close_to_the_best_of_all_orders(places: list[tuple[float, float]]) -> None:
    away = [[math.dist(a, b) for b in places] for a in places]
    best = min(route.way_m(way, away) for way in itertools.permutations(range(len(places))))
    assert route.way_m(route.shortest(places), away) <= best * 1.35 + 1e-6


def test_a_mixed_list_of_120_is_ordered_while_one_waits() -> None:
    dice = random.Random(3)
    places = [(dice.uniform(0, 1000), dice.uniform(0, 1000)) for _ in range(120)]
    began = time.perf_counter()
    way = route.shortest(places)
    assert time.perf_counter() - began < 60  # about a second alone
    away = [[math.dist(a, b) for b in places] for a in places]
    # The expected best tour through n random places is about 0.7124 * sqrt(n * area).
    assert route.way_m(way, away) < 0.7124 * math.sqrt(120 * 1e6) * 1.12


def test_a_square_needs_nothing_twice() -> None:
    (tour,) = route.postman([("a", "b", 1), ("b", "c", 1), ("c", "d", 1), ("d", "a", 1)])
    assert (tour.length_m, tour.again_m) == (4, 0)
    assert tour.nodes[0] == tour.nodes[-1]


def test_a_dead_end_is_walked_back() -> None:
    (tour,) = route.postman([("a", "b", 5), ("b", "c", 7)])
    assert (tour.length_m, tour.again_m) == (24, 12)


def test_odd_corners_are_paired_by_metres_not_by_corners() -> None:
    streets = [("a", "b", 100), ("a", "x", 10), ("x", "b", 10), ("a", "c", 1), ("c", "b", 1)]
    (tour,) = route.postman(streets)
    assert tour.again_m == 2


def test_wanted_pieces_that_do_not_touch_are_joined() -> None:
    streets = [(n, n + 1, 10.0) for n in range(6)]
    (tour,) = route.postman(streets, [(0, 1, 10.0), (4, 5, 10.0)])
    assert (tour.length_m, tour.again_m) == (100, 80)
    assert route.postman(streets, []) == []


def test_parts_of_a_net_get_a_tour_each() -> None:
    assert len(route.postman([("a", "b", 1), ("c", "d", 1)])) == 2


@pytest.mark.parametrize("seed", range(5))
def test_every_street_of_a_net_is_walked(seed: int) -> None:
    net = nx.gnm_random_graph(40, 70, seed=seed)
    dice = random.Random(seed)
    streets = [(a, b, dice.uniform(20, 300)) for a, b in net.edges]
    tours = route.postman(streets)
    walked = {frozenset(pair) for tour in tours for pair in itertools.pairwise(tour.nodes)}
    assert {frozenset((a, b)) for a, b, _ in streets} <= walked
    for tour in tours:
        assert tour.nodes[0] == tour.nodes[-1]
        assert 0 <= tour.again_m < tour.length_m
