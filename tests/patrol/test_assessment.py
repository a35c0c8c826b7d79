"""The monthly assessment: open items count for nobody, hunting earns nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadchief.patrol import rules
from roadchief.patrol.reports import assessment

POINTS = rules.section("assessment")
SHARES = st.one_of(st.none(), st.floats(0, 5, allow_nan=False))


def figures(**given_: Any) -> assessment.Figures:
    values: dict[str, Any] = {
        "plan": 1.0,
        "coverage": 0.9,
        "findings_per_km": 3.0,
        "baseline_per_km": 3.0,
        "records": 1.0,
        "closure": 1.0,
        "recurrence": 1.0,
        "satisfaction": 1.0,
        "service": 1.0,
    }
    return assessment.Figures(**(values | given_))


def total(**given_: Any) -> float | None:
    return assessment.assess(figures(**given_), POINTS).of_100


def test_all_met_is_a_hundred() -> None:
    result = assessment.assess(figures(), POINTS)
    assert (result.possible, result.points, result.of_100) == (100, 100, 100)


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ({"plan": 0.8}, 95),
        ({"coverage": 0.45}, 95),
        ({"coverage": 1.0}, 100),
        ({"closure": 0.5}, 90),
        ({"false_check_ins": 3}, 94),
        ({"bonus": 9.0}, 105),
        ({"bonus": -9.0}, 100),
        ({"plan": 0, "false_check_ins": 90}, 0),
    ],
)
def test_points_follow_the_shares(given_: dict[str, Any], wanted: float) -> None:
    assert total(**given_) == wanted


def test_finding_more_earns_nothing_and_far_less_costs() -> None:
    assert total(findings_per_km=30.0) == total(findings_per_km=1.5) == 100
    assert total(findings_per_km=0.75) == 95
    assert total(baseline_per_km=0.0) == 100


def test_what_is_not_measured_counts_for_nobody() -> None:
    result = assessment.assess(figures(closure=None, satisfaction=None, service=None), POINTS)
    assert (result.possible, result.points, result.of_100) == (65, 65, 100)
    nothing = dict.fromkeys(
        ("plan", "coverage", "findings_per_km", "records", "closure", "recurrence"), None
    )
    assert total(**nothing, satisfaction=None, service=None) is None


@given(SHARES, SHARES, SHARES, st.integers(0, 99))
def test_never_below_nothing_nor_above_all(a: Any, b: Any, c: Any, wrong: int) -> None:
    found = total(plan=a, coverage=b, records=c, false_check_ins=wrong)
    assert found is None or 0 <= found <= 100
