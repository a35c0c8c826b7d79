"""Our table of working days beside one that others keep: `chinesecalendar`, used here alone."""

from datetime import date, datetime, time, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadchief.lib import workdays

CALENDAR = workdays.Workdays()
KNOWN = sorted(year for year, row in workdays.shipped().items() if row.announced)
OPENING, CLOSING = datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2026-11-30")


@pytest.mark.parametrize("year", KNOWN)
def test_every_day_of_an_announced_year_agrees_with_a_calendar_kept_by_others(year):
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
    assert [
        day for day in days if CALENDAR.is_workday(day) != chinese_calendar.is_workday(day)
    ] == []


def test_a_year_that_was_not_announced_is_told_as_such():
    assert CALENDAR.knows(date(2025, 1, 1), date(2026, 12, 31))
    assert not CALENDAR.knows(date(2026, 12, 31), date(2027, 1, 1))
    assert not CALENDAR.knows(date(2031, 1, 1), date(2031, 1, 2))


@given(
    begins=st.datetimes(OPENING, CLOSING),
    minutes=st.integers(1, 40 * 60),
)
def test_time_added_is_the_time_between_and_leads_back(begins, minutes):
    amount = timedelta(minutes=minutes)
    due = CALENDAR.add(begins, amount)
    assert CALENDAR.between(begins, due) == amount
    assert CALENDAR.between(CALENDAR.back(due, amount), due) == amount
    assert CALENDAR.is_workday(due.date())
    assert time(9) < due.time() <= time(17, 30)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no year"),
        ("[2028", "not TOML"),
        ("[next]\noff=[]", "not a year"),
        ("[2028]\noff=[['2027-12-31','2028-01-02']]", "not in 2028"),
        ("[2028]\noff=[]\nwork=['2028-01-03']", "weekday"),
        ("[2028]\noff=[['2028-01-01','2028-01-02']]\nwork=['2028-01-01']", "both"),
        ("[2028]\noff=[['2028-01-05','2028-01-02']]", "no holiday"),
        ("[2028]\noff=[['2028-02-30','2028-03-02']]", "2028"),
    ],
)
def test_a_table_that_cannot_be_true_is_refused_with_the_reason(text, why):
    with pytest.raises(workdays.BadYear, match=why):
        workdays.years_in(text)
