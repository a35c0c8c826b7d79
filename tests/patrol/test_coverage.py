"""Coverage by length, freshness, regularity: the sums and what they must never do."""

import itertools
import math
from datetime import timedelta

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from roadchief.lib.geo import Plane
from roadchief.patrol.coverage import measures
from roadchief.patrol.coverage.measures import Point
from roadchief.patrol.phone import tracks
from tests.makers import NOON

RULE = tracks.rule()
PLANE = Plane(lon=121.5187, lat=31.2291)
RANGES = st.lists(st.tuples(st.floats(-50, 600), st.floats(-50, 600)), max_size=30)


def line(*xy: tuple[float, float]) -> shapely.LineString:
    return PLANE.round(shapely.LineString(xy))


def walk(*xy: tuple[float, float], every_s: float = 10, a: float = 8, start: float = 1e9):
    """Points along a way in metres, one each ten seconds."""
    flat = [PLANE.round(shapely.Point(x, y)) for x, y in xy]
    return [Point(start + n * every_s, p.x, p.y, a) for n, p in enumerate(flat)]


def straight(low: float, high: float, y: float = 5, step: float = 12):
    count = math.ceil(abs(high - low) / step)
    return [(low + (high - low) * n / count, y) for n in range(count + 1)]


STREET = {"s": line((0, 0), (400, 0))}


@given(RANGES)
def test_union_is_disjoint_and_covers_all(ranges: list[tuple[float, float]]) -> None:
    merged = measures.union(ranges)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(merged))
    for low, high in ranges:
        low, high = min(low, high), max(low, high)
        assert any(a <= low and high <= b for a, b in merged)


@given(RANGES, RANGES)
def test_more_walks_never_cover_less(one: list, other: list) -> None:
    share = measures.covered_share(one, 500)
    assert 0 <= share <= measures.covered_share(one + other, 500) <= 1


def test_a_walk_along_the_street_covers_it_once() -> None:
    track = walk(*straight(0, 200), *straight(200, 100))
    ((key, low, high),) = measures.stretches(track, STREET, RULE)
    assert (key, round(low), round(high)) == ("s", 0, 200)
    assert measures.walked_m(track, RULE) == pytest.approx(300, rel=0.01)


@pytest.mark.parametrize(
    "track",
    [
        walk(*straight(0, 200), a=26),
        walk(*straight(0, 200), a=0),
        walk(*straight(0, 200), every_s=61),
        walk(*straight(0, 200), every_s=3),
        walk(*straight(0, 200, y=26)),
        walk(*[(100, y) for y in range(-120, 121, 12)]),
        [],
    ],
    ids=["inaccurate", "no accuracy", "gaps", "driving", "far off", "crossing", "nothing"],
)
def test_what_is_no_walk_along_covers_nothing(track: list[Point]) -> None:
    assert measures.stretches(track, STREET, RULE) == []


def test_a_corner_counts_for_both_streets() -> None:
    lines = {"east": line((0, 0), (100, 0)), "north": line((100, 0), (100, 100))}
    way = [(x, 0) for x in range(0, 101, 10)] + [(100, y) for y in range(10, 101, 10)]
    found = measures.stretches(walk(*way), lines, RULE)
    shares = {key: high - low for key, low, high in found}
    assert shares["east"] == pytest.approx(100, abs=1)
    assert shares["north"] == pytest.approx(100, abs=1)


def test_points_out_of_order_and_doubled_change_nothing() -> None:
    track = walk(*straight(0, 200))
    assert measures.stretches(track[::-1] + track, STREET, RULE) == measures.stretches(
        track, STREET, RULE
    )


def test_bands_stay_apart() -> None:
    found = measures.Bands(due=263, verified=240, provisional=5, excused=8)
    assert found.unseen == 10
    assert found.share == pytest.approx(0.9125, abs=0.0001)
    assert measures.Bands(0, 0, 0, 0).share is None


def test_regularity_is_the_spread_of_gaps() -> None:
    even = [NOON + timedelta(days=7 * n) for n in range(5)]
    assert measures.regularity(even) == 0
    assert measures.regularity([NOON, NOON, NOON + timedelta(days=14)]) == 7
    assert measures.regularity(even[:2]) is None


def test_effort_needs_hours() -> None:
    assert measures.effort(24, 6000, 3) == (8, 2)
    assert measures.effort(24, 6000, 0) is None
