"""Was somebody there: the rule in its order, what may never happen, and how fair it is."""

import math
import random
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from roadchief.lib.coords import Datum, from_wgs84
from roadchief.lib.geo import SPHEROID, Plane
from roadchief.patrol import rules
from roadchief.patrol.presence import reach

RULE = rules.reach()
RANK = {"verified": 2, "weak": 1, "contradicted": 0}
PLANE = Plane(lon=121.5187, lat=31.2291)
FRONT = PLANE.round(shapely.LineString([(-4, 0), (4, 0)]))
METRES = st.floats(0, 5000, allow_nan=False)
ACCURACY = st.floats(0.1, 5000, allow_nan=False)


def outcome(d: float | None, a: float | None, r: float = 30.0) -> str:
    return reach.verdict(d, a, r, RULE).outcome


@pytest.mark.parametrize(
    ("d", "a", "wanted", "reason"),
    [
        (None, None, "weak", "no_fix"),
        (5, None, "weak", "no_accuracy"),
        (5, math.nan, "weak", "no_accuracy"),
        (5, math.inf, "weak", "no_accuracy"),
        (5, 0, "weak", "no_accuracy"),
        (5, -3, "weak", "no_accuracy"),
        (5, 200.1, "weak", "blind"),
        (5000, 201, "weak", "blind"),
        (5, 200, "weak", "coarse"),
        (430, 200, "weak", "coarse"),
        (430.1, 200, "contradicted", "beyond"),
        (40, 10, "verified", "within"),
        (40.1, 10, "weak", "between"),
        (50, 10, "weak", "between"),
        (50.1, 10, "contradicted", "beyond"),
        (65, 35, "verified", "within"),
        (65.1, 35, "weak", "between"),
        (65, 50, "verified", "within"),
        (65.1, 50, "weak", "between"),
        (5, 50.1, "weak", "coarse"),
        (0, 0.1, "verified", "within"),
        (30.3, 0.1, "contradicted", "beyond"),
    ],
)
def test_the_rule_line_by_line(d: Any, a: Any, wanted: str, reason: str) -> None:
    found = reach.verdict(d, a, 30.0, RULE)
    assert (found.outcome, found.reason) == (wanted, reason)
    assert found.rule == "reach-1"
    for language in ("zh", "en"):
        assert "{" not in found.say(language)


@given(METRES, METRES, st.one_of(st.none(), ACCURACY, st.just(math.nan), st.just(-1.0)))
def test_farther_is_never_better(d: float, more: float, a: float | None) -> None:
    assert RANK[outcome(d + more, a)] <= RANK[outcome(d, a)]


@given(st.floats(65.001, 10_000), st.one_of(st.none(), ACCURACY))
def test_beyond_the_widest_limit_nothing_verifies(d: float, a: float | None) -> None:
    assert outcome(d, a) != "verified"


@given(METRES, st.floats(35, 5000), st.floats(0, 5000))
def test_a_claimed_poor_accuracy_opens_nothing(d: float, a: float, worse: float) -> None:
    if outcome(d, a) != "verified":
        assert outcome(d, a + worse) != "verified"


@given(METRES, st.sampled_from([None, math.nan, math.inf, -math.inf, 0.0, -5.0]))
def test_no_usable_accuracy_is_weak(d: float, a: float | None) -> None:
    assert outcome(d, a) == "weak"


@given(METRES, ACCURACY, st.floats(10, 100))
def test_the_same_inputs_give_the_same_verdict(d: float, a: float, r: float) -> None:
    one = reach.verdict(d, a, r, RULE)
    assert reach.verdict(one.distance_m, one.accuracy_m, one.radius_m, RULE) == one


@pytest.mark.parametrize(("a", "least"), [(10, 0.999), (20, 0.99), (35, 0.96), (50, 0.82)])
def test_an_honest_worker_passes(a: float, least: float) -> None:
    """Six metres off the frontage, with errors as large as the accuracy says."""
    dice = random.Random(7)
    sigma = a / 1.5
    ends = [
        outcome(math.hypot(dice.gauss(0, sigma), 6 + dice.gauss(0, sigma)), a) for _ in range(8000)
    ]
    assert ends.count("verified") / len(ends) >= least
    assert ends.count("contradicted") / len(ends) <= 0.002


@pytest.mark.parametrize(("a", "most"), [(10, 0.001), (20, 0.002), (35, 0.08)])
def test_the_next_block_does_not_pass(a: float, most: float) -> None:
    dice = random.Random(8)
    sigma = a / 1.5
    ends = [
        outcome(math.hypot(dice.gauss(0, sigma), 100 + dice.gauss(0, sigma)), a)
        for _ in range(8000)
    ]
    assert ends.count("verified") / len(ends) <= most


def at(x: float, y: float, a: float | None = 10) -> reach.Fix:
    there = PLANE.round(shapely.Point(x, y))
    return reach.Fix(there.x, there.y, a)


def test_distance_is_to_the_frontage_not_to_its_middle() -> None:
    assert reach.judge(at(4, 20), FRONT, None, RULE).distance_m == pytest.approx(20, abs=0.1)
    wide = PLANE.round(shapely.LineString([(-60, 0), (60, 0)]))
    assert reach.judge(at(58, 5), wide, None, RULE).distance_m == pytest.approx(5, abs=0.1)
    area = PLANE.round(shapely.box(-10, -10, 10, 10))
    assert reach.judge(at(0, 0), area, None, RULE).distance_m == 0
    door = PLANE.round(shapely.Point(0, 0))
    assert reach.judge(at(3, 4), door, None, RULE).distance_m == pytest.approx(5, abs=0.05)


@given(st.floats(-3000, 3000), st.floats(-3000, 3000))
def test_metres_are_those_of_the_spheroid(x: float, y: float) -> None:
    fix = at(x, y)
    door = PLANE.round(shapely.Point(0, 0))
    exact = SPHEROID.inv(fix.lon, fix.lat, door.x, door.y)[2]
    assert reach.judge(fix, door, None, RULE).distance_m == pytest.approx(exact, abs=0.01)


def test_from_the_other_end_of_the_world() -> None:
    found = reach.judge(reach.Fix(-74.0, 40.7, 10), FRONT, None, RULE)
    assert found.outcome == "contradicted"
    assert found.distance_m is not None
    assert found.distance_m > 11_000_000
    assert reach.judge(reach.Fix(0, 90, 10), FRONT, None, RULE).outcome == "contradicted"


@pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
@pytest.mark.parametrize("place", [(121.5187, 31.2291), (116.4, 39.9), (113.26, 23.13)])
def test_a_datum_is_told_before_anybody_is_accused(
    datum: Datum, place: tuple[float, float]
) -> None:
    door = shapely.Point(place)
    lon, lat = from_wgs84(*place, datum)
    found = reach.judge(reach.Fix(float(lon), float(lat), 10), door, None, RULE)
    assert (found.outcome, found.frame) == ("contradicted", datum.value)
    assert "坐标系" in found.say("zh")
    # Said in its datum, the same position is simply there.
    said = {"lon": float(lon), "lat": float(lat), "accuracy_m": 10, "datum": datum.value}
    assert reach.judge(reach.read_fix(said), door, None, RULE).outcome == "verified"


def test_far_away_elsewhere_is_no_datum() -> None:
    found = reach.judge(at(-415, 232), FRONT, None, RULE)
    assert (found.outcome, found.frame) == ("contradicted", "gcj02")  # the ground may be shifted
    assert reach.judge(at(475, 0), FRONT, None, RULE).frame is None
    assert reach.judge(at(300, -300), FRONT, None, RULE).reason == "beyond"


@pytest.mark.parametrize(
    "said",
    [
        None,
        5,
        "x",
        [],
        {},
        {"lat": 31},
        {"lat": "31", "lon": "121"},
        {"lat": math.nan, "lon": 121},
        {"lat": 10**400, "lon": 121},
        {"lat": True, "lon": True},
        {"lat": 91, "lon": 121},
        {"lat": 31, "lon": 181},
    ],
)
def test_what_is_no_position_is_none(said: Any) -> None:
    assert reach.read_fix(said) is None
    assert reach.judge(reach.read_fix(said), FRONT, None, RULE).reason == "no_fix"


@pytest.mark.parametrize("odd", ["12", True, None, math.nan, 10**400, [], {}])
def test_odd_accuracies_are_absent(odd: Any) -> None:
    fix = reach.read_fix({"lat": 31.2291, "lon": 121.5187, "accuracy_m": odd})
    assert fix is not None
    assert reach.judge(fix, FRONT, None, RULE).outcome == "weak"
