"""Working days and working hours in China: holidays and make-up days are given. *Pure.*

The lists are in workdays.toml, one table a year, kept by whoever runs the installation: a year
that the State Council has announced later is entered by command. A year that is not announced
is reckoned by plain weekdays and the fixed public holidays, and says so (`knows`).
All times in and out are wall-clock times of one place; who keeps instants converts them first.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("workdays.toml")
FIRST_YEAR, LAST_YEAR = 2000, 2100
MOST_DAYS_ON = 4000  # a limit that runs longer than ten years is a mistake


@dataclass(frozen=True)
class Year:
    """One calendar year: `off` weekdays that are not worked, `work` weekend days that are."""

    year: int
    announced: bool
    source: str
    off: frozenset[date]
    work: frozenset[date]


@dataclass(frozen=True)
class Hours:
    """Opening hours of a working day, in order; 9:00–11:30 and 13:30–17:30 unless said."""

    spans: tuple[tuple[time, time], ...] = (
        (time(9), time(11, 30)),
        (time(13, 30), time(17, 30)),
    )

    @property
    def closing(self) -> time:
        return self.spans[-1][1]


class BadYear(ValueError):
    """A year's table that cannot be true; the text says why."""


def years_in(text: str) -> dict[int, Year]:
    """Years from a text in the form of workdays.toml; raises BadYear."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadYear(f"not TOML: {error}") from error
    if not raw:
        raise BadYear("no year in it")
    return {row.year: row for row in (_year(name, table) for name, table in raw.items())}


@cache
def shipped() -> dict[int, Year]:
    """The years that come with the software."""
    return years_in(FILE.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Workdays:
    """A calendar with opening hours. Answers for any date; `knows` tells how sure."""

    years: Mapping[int, Year] = field(default_factory=shipped)
    hours: Hours = Hours()

    def knows(self, first: date, last: date) -> bool:
        """True when every year from `first` to `last` has been announced."""
        wanted = range(first.year, last.year + 1)
        return all(year in self.years and self.years[year].announced for year in wanted)

    def is_workday(self, on: date) -> bool:
        year = self.years.get(on.year)
        if year and on in year.off:
            return False
        if year and on in year.work:
            return True
        return on.isoweekday() <= 5

    def nth_after(self, on: date, count: int) -> date:
        """The `count`-th working day after `on`; `on` itself is never counted."""
        found, left = on, count
        for _ in range(MOST_DAYS_ON):
            if left == 0:
                return found
            found += timedelta(days=1)
            left -= self.is_workday(found)
        raise OverflowError("more working days than any limit has")

    def closing(self, on: date) -> datetime:
        return datetime.combine(on, self.hours.closing)

    def between(self, begins: datetime, ends: datetime) -> timedelta:
        """Working time from one wall-clock time to another; nothing when they are turned."""
        total, on = timedelta(), begins.date()
        while on <= ends.date():
            if self.is_workday(on):
                for opens, closes in self.hours.spans:
                    low = max(begins, datetime.combine(on, opens))
                    high = min(ends, datetime.combine(on, closes))
                    total += max(high - low, timedelta())
            on += timedelta(days=1)
        return total

    def add(self, begins: datetime, amount: timedelta) -> datetime:
        """When `amount` of working time is used up. Used up at closing time: due then."""
        left, on = amount, begins.date()
        if left <= timedelta():
            return begins
        for _ in range(MOST_DAYS_ON):
            if self.is_workday(on):
                for opens, closes in self.hours.spans:
                    low = max(begins, datetime.combine(on, opens))
                    high = datetime.combine(on, closes)
                    if low < high and left <= high - low:
                        return low + left
                    left -= max(high - low, timedelta())
            on += timedelta(days=1)
        raise OverflowError("more working time than any limit has")

    def back(self, ends: datetime, amount: timedelta) -> datetime:
        """The latest time from which `amount` of working time is left until `ends`."""
        left, on = amount, ends.date()
        if left <= timedelta():
            return ends
        for _ in range(MOST_DAYS_ON):
            if self.is_workday(on):
                for opens, closes in reversed(self.hours.spans):
                    low = datetime.combine(on, opens)
                    high = min(ends, datetime.combine(on, closes))
                    if low < high and left <= high - low:
                        return high - left
                    left -= max(high - low, timedelta())
            on -= timedelta(days=1)
        raise OverflowError("more working time than any limit has")


def _year(name: str, table: Any) -> Year:
    if not (name.isascii() and name.isdigit() and FIRST_YEAR <= int(name[:5]) <= LAST_YEAR):
        raise BadYear(f"{name[:20]!r} is not a year")
    if not isinstance(table, dict) or not isinstance(table.get("announced", True), bool):
        raise BadYear(f"{name}: a table with off and work is wanted")
    year = int(name)
    try:
        spans = [(_day(first), _day(last)) for first, last in table.get("off", [])]
        off = frozenset(day for first, last in spans for day in _days(first, last))
        work = frozenset(_day(text) for text in table.get("work", []))
    except (TypeError, ValueError) as error:
        raise BadYear(f"{name}: {error}") from error
    _check(year, off, work)
    return Year(year, table.get("announced", True), str(table.get("source", ""))[:200], off, work)


def _check(year: int, off: frozenset[date], work: frozenset[date]) -> None:
    for day in (*off, *work):
        if day.year != year:
            raise BadYear(f"{day} is not in {year}")
    for day in work:
        if day.isoweekday() <= 5:
            raise BadYear(f"{day} is a weekday: only a Saturday or Sunday can be worked instead")
        if day in off:
            raise BadYear(f"{day} is both off and worked")
    if len(off) > 60:
        raise BadYear(f"{year} has {len(off)} days off: more than any year has")


def _day(given: Any) -> date:
    if isinstance(given, date):
        return given
    return date.fromisoformat(str(given))


def _days(first: date, last: date) -> Iterable[date]:
    if not timedelta() <= last - first <= timedelta(days=30):
        raise ValueError(f"{first} to {last} is no holiday")
    return (first + timedelta(days=step) for step in range((last - first).days + 1))
