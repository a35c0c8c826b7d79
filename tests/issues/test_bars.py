"""The picture of cases a week: true to its numbers, no gap in time."""

import re
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from roadchief.issues.figures import bars
from roadchief.issues.figures.bars import Week

MONDAY = date(2026, 1, 5)
counts = st.integers(0, 5000)
weeks = st.lists(
    st.builds(
        Week,
        st.integers(0, 120).map(lambda n: MONDAY + timedelta(weeks=n)),
        counts,
        counts,
        counts,
        counts,
    ),
    max_size=30,
    unique_by=lambda week: week.monday,
)


@given(weeks)
def test_heights_are_the_numbers_and_no_week_is_left_out(given_: list[Week]) -> None:
    told = bars.without_gaps(given_)
    assert sum(week.whole for week in told) == sum(week.whole for week in given_)
    assert all(b.monday - a.monday == timedelta(weeks=1) for a, b in pairwise(told))
    drawn = str(bars.columns(given_, title="案件"))
    most = max((week.whole for week in told), default=0)
    room = bars.HIGH - bars.FOOT - bars.HEAD
    for part in bars.PARTS:
        heights = re.findall(rf'class="{part}"[^>]*height="([\d.]+)"', drawn)
        expected = [getattr(week, part) * room / most for week in told if getattr(week, part)]
        assert len(heights) == len(expected)
        assert all(abs(float(h) - e) < 0.06 for h, e in zip(heights, expected, strict=True))


def test_words_are_escaped() -> None:
    assert "<b>" not in bars.columns([Week(MONDAY, 1)], title="<b>")


def test_nothing_is_a_ground_line_alone() -> None:
    assert "<rect" not in bars.columns([], title="x")
