"""Three clocks, pauses and lights, with the dates of real calendars."""

from datetime import UTC, date, datetime, timedelta

import pytest

from roadchief.issues import deadlines
from roadchief.issues.deadlines import HERE, Limit, Pause
from roadchief.lib import workdays
from roadchief.lib.workdays import BadYear, Workdays

CALENDAR = Workdays()
MIDNIGHT = datetime.fromisoformat("2026-01-01")  # on the wall


def at(text: str) -> datetime:
    """A wall-clock time in Shanghai, as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=HERE).astimezone(UTC)


def wall(instant: datetime) -> str:
    return instant.astimezone(HERE).strftime("%m-%d %H:%M")


@pytest.mark.parametrize(
    ("begun", "amount", "clock", "due"),
    [
        ("2026-11-27 17:29", 4, "wh", "11-30 14:59"),
        ("2026-11-23 10:00", 5, "wd", "11-30 17:30"),
        # Before 08:00 it is still the day before in UTC: the weekday is that of the street.
        ("2026-11-28 07:30", 1, "wd", "11-30 17:30"),
        ("2026-11-28 08:30", 1, "wd", "11-30 17:30"),
        ("2026-11-30 01:00", 1, "wd", "12-01 17:30"),
        # Used up exactly at a closing time: due then, not at the next opening.
        ("2026-11-24 09:00", 2.5, "wh", "11-24 11:30"),
        ("2026-11-24 13:30", 4, "wh", "11-24 17:30"),
        ("2026-11-24 11:30", 1, "wh", "11-24 14:30"),
        ("2026-11-24 12:00", 1, "wh", "11-24 14:30"),
        # Spring Festival 2026: off from 15 to 23 February, 14 and 28 are worked Saturdays.
        ("2026-02-13 17:00", 1, "wh", "02-14 09:30"),
        ("2026-02-14 17:00", 1, "wh", "02-24 09:30"),
        ("2026-02-13 10:00", 1, "wd", "02-14 17:30"),
        ("2026-02-13 10:00", 3, "wd", "02-25 17:30"),
        ("2026-02-26 10:00", 2, "wd", "02-28 17:30"),
        ("2026-02-18 10:00", 1, "wd", "02-24 17:30"),
        # National Day 2025 with a worked Sunday before and a worked Saturday after.
        ("2025-09-26 10:00", 1, "wd", "09-28 17:30"),
        ("2025-09-30 10:00", 3, "wd", "10-11 17:30"),
        ("2026-11-28 23:00", 2, "h", "11-29 01:00"),
    ],
)
def test_due(begun: str, amount: float, clock: str, due: str) -> None:
    found = deadlines.plan(at(begun), Limit(amount, clock), [], at(begun), CALENDAR)
    assert wall(found.due) == due
    assert not found.provisional


def test_lights_are_measured_on_the_cases_own_clock() -> None:
    begun = at("2026-11-27 17:29")
    found = deadlines.plan(begun, Limit(4, "wh"), [], begun, CALENDAR)
    assert (wall(found.yellow), wall(found.due), wall(found.black)) == (
        "11-30 13:59",
        "11-30 14:59",
        "12-01 10:29",
    )
    for now, light in (
        ("2026-11-28 12:00", "green"),
        ("2026-11-30 13:58", "green"),
        ("2026-11-30 13:59", "yellow"),
        ("2026-11-30 14:59", "yellow"),
        ("2026-11-30 15:00", "red"),
        ("2026-12-01 10:29", "red"),
        ("2026-12-01 10:30", "black"),
    ):
        assert deadlines.light(found, at(now)) == light, now
    assert deadlines.light(found, begun, closed=True) == "done"
    assert deadlines.light(None, begun) == "none"


def test_working_days_turn_black_after_as_many_again() -> None:
    begun = at("2026-11-23 10:00")
    found = deadlines.plan(begun, Limit(5, "wd"), [], begun, CALENDAR)
    assert wall(found.black) == "12-07 17:30"


def test_a_pause_is_added_in_working_time() -> None:
    begun = at("2026-11-23 10:00")
    pause = Pause(at("2026-11-27 16:00"), at("2026-11-30 10:00"))
    found = deadlines.plan(begun, Limit(5, "wd"), [pause], at("2026-11-30 12:00"), CALENDAR)
    assert wall(found.due) == "12-01 11:30"


@pytest.mark.parametrize(
    ("spans", "due"),
    [
        ([], "16:00"),
        ([("10:00", "10:30")], "16:30"),
        # Two begun in the same minute, one inside the other, one touching: all once.
        ([("10:00", "10:30"), ("10:00", "10:20")], "16:30"),
        ([("10:00", "10:30"), ("10:10", "10:20")], "16:30"),
        ([("10:00", "10:20"), ("10:10", "10:30")], "16:30"),
        ([("10:00", "10:10"), ("10:10", "10:30")], "16:30"),
        ([("10:00", "10:15"), ("11:00", "11:15")], "16:30"),
        # Outside the hours a pause costs nothing; across noon only its ends count.
        ([("11:30", "13:30")], "16:00"),
        ([("11:15", "13:45")], "16:30"),
        # Turned or empty: nothing.
        ([("10:30", "10:00")], "16:00"),
        # Begun after the time had run out: nothing comes back.
        ([("17:00", "17:20")], "16:00"),
    ],
)
def test_pauses(spans: list[tuple[str, str]], due: str) -> None:
    day = "2026-11-24 "
    pauses = [Pause(at(day + low), at(day + high)) for low, high in spans]
    found = deadlines.plan(at(day + "09:00"), Limit(5, "wh"), pauses, at(day + "17:25"), CALENDAR)
    assert wall(found.due) == "11-24 " + due


def test_a_pause_still_open_shows_the_time_left() -> None:
    begun, now = at("2026-11-24 09:00"), at("2026-11-24 11:00")
    pauses = [Pause(at("2026-11-24 10:00")), Pause(at("2026-11-24 10:00"))]
    found = deadlines.plan(begun, Limit(4, "wh"), pauses, now, CALENDAR)
    assert deadlines.light(found, now) == "paused"
    assert found.left == timedelta(hours=3)
    assert wall(found.due) == "11-24 16:00"


def test_plain_hours_run_at_night_and_pause_plainly() -> None:
    begun = at("2026-11-28 23:00")
    pause = Pause(at("2026-11-28 23:30"), at("2026-11-29 00:30"))
    found = deadlines.plan(begun, Limit(2, "h"), [pause], at("2026-11-29 01:00"), CALENDAR)
    assert wall(found.due) == "11-29 02:00"
    assert wall(found.black) == "11-29 04:00"


def test_agency_time_leaves_pauses_out_and_citizen_time_does_not() -> None:
    begun, ended = at("2026-11-27 16:30"), at("2026-11-30 10:00")
    pauses = [Pause(at("2026-11-27 17:00"), at("2026-11-30 09:30"))]
    assert deadlines.used(begun, ended, [], "wh", CALENDAR) == timedelta(hours=2)
    assert deadlines.used(begun, ended, pauses, "wh", CALENDAR) == timedelta(hours=1)
    assert deadlines.citizen_time(begun, ended) == timedelta(hours=65.5)


def test_a_year_that_is_not_announced_is_said_not_guessed() -> None:
    begun = at("2026-12-30 10:00")
    far = deadlines.plan(begun, Limit(5, "wd"), [], begun, CALENDAR)
    assert far.provisional
    plain = deadlines.plan(begun, Limit(100, "h"), [], begun, CALENDAR)
    assert not plain.provisional
    nowhere = deadlines.plan(at("2031-03-03 10:00"), Limit(1, "wd"), [], begun, CALENDAR)
    assert nowhere.provisional
    assert wall(nowhere.due) == "03-04 17:30"


def test_shipped_years_fit_together() -> None:
    years = workdays.shipped()
    assert {2025, 2026, 2027} <= set(years)
    assert years[2026].announced
    assert not years[2027].announced
    # Weekdays off, less the make-up days, are the public holidays that the law grants (13, less
    # those that fall on a weekend).
    for year in (2025, 2026):
        weekdays = [day for day in years[year].off if day.isoweekday() <= 5]
        assert 10 <= len(weekdays) - len(years[year].work) <= 14
    assert not CALENDAR.is_workday(date(2026, 2, 16))
    assert CALENDAR.is_workday(date(2026, 2, 28))
    assert not CALENDAR.is_workday(date(2026, 3, 1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "off = 3",
        "[x]\noff=[]",
        "[2028]\noff=[['2028-01-01']]",
        "[2028]\noff=[['2028-01-05','2028-01-01']]",
        "[2028]\noff=[['2027-12-31','2028-01-01']]",
        "[2028]\nwork=['2028-01-04']",
        "[2028]\noff=[['2028-01-01','2028-01-02']]\nwork=['2028-01-01']",
        "[2028]\nwork=['not a day']",
        "[2028]\nannounced='yes'",
        "[2028]\noff=[['2028-01-01','2028-03-30']]",
        "[99999999999]\noff=[]",
        "[2028",
    ],
)
def test_a_year_that_cannot_be_true_is_refused(text: str) -> None:
    with pytest.raises(BadYear):
        workdays.years_in(text)


def test_a_new_year_is_read() -> None:
    text = "[2028]\nsource='x'\noff=[['2028-01-01','2028-01-03']]\nwork=['2028-01-08']\n"
    years = workdays.years_in(text)
    calendar = Workdays({**workdays.shipped(), **years})
    assert calendar.knows(date(2028, 1, 1), date(2028, 12, 31))
    assert calendar.is_workday(date(2028, 1, 8))
    assert not calendar.is_workday(date(2028, 1, 3))


def test_no_limit_runs_for_ever() -> None:
    with pytest.raises(OverflowError):
        CALENDAR.add(MIDNIGHT, timedelta(days=10_000))
    with pytest.raises(OverflowError):
        CALENDAR.back(MIDNIGHT, timedelta(days=10_000))
    with pytest.raises(OverflowError):
        CALENDAR.nth_after(date(2026, 1, 1), 100_000)
