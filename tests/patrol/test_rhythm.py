"""When the next self-check is due, day by day, and how it is said."""

from datetime import date, timedelta

import pytest

from roadchief.patrol.selfchecks import rhythm

MONDAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("days", "state"),
    [
        (0, "done"),
        (4, "done"),
        (5, "soon"),
        (6, "soon"),
        (7, "due"),
        (8, "overdue"),
        (90, "overdue"),
    ],
)
def test_a_week_of_days(days: int, state: str) -> None:
    turn = rhythm.judge(
        MONDAY,
        since_on=MONDAY - timedelta(days=100),
        today=MONDAY + timedelta(days=days),
        every_days=7,
        soon_days=2,
    )
    assert (turn.state, turn.due_on, turn.left) == (state, date(2026, 11, 9), 7 - days)


def test_who_never_checked_has_a_week_from_the_first_day() -> None:
    turn = rhythm.judge(None, since_on=MONDAY, today=MONDAY, every_days=7, soon_days=2)
    assert (turn.state, turn.first, turn.due_on) == ("done", True, date(2026, 11, 9))
    assert turn.say("zh") == "第一次自查请在 11月9日 前"
    assert turn.say("en") == "first check by 9 Nov"


def test_it_is_said_kindly() -> None:
    late = rhythm.judge(
        MONDAY, since_on=MONDAY, today=date(2026, 11, 12), every_days=7, soon_days=2
    )
    assert late.say("zh") == "已过 3 天（11月9日），补一次就好"
    assert late.say("en") == "3 days past 9 Nov: one check makes it good"
    due = rhythm.judge(MONDAY, since_on=MONDAY, today=date(2026, 11, 9), every_days=7, soon_days=2)
    assert due.say("zh") == "今天该自查了，两分钟就好"


@pytest.mark.parametrize(("days", "kept"), [(0, True), (7, True), (8, False)])
def test_on_time_follows_the_one_before(days: int, kept: bool) -> None:
    assert rhythm.on_time(MONDAY, MONDAY + timedelta(days=days), every_days=7) is kept
    assert rhythm.on_time(None, MONDAY, every_days=7)
