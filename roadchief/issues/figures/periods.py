"""Statistics of a period: the days that are kept, what changed since, and what is late now."""

from collections import Counter, defaultdict
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.issues.figures import tallies
from roadchief.issues.figures.tallies import Days
from roadchief.issues.reach import EVERYTHING, Condition, Scope, condition
from roadchief.lib import clock

# Under so many cases a rate says nothing: counts are shown instead.
FEWEST_FOR_A_RATE = 10
DEFAULT_WEEKS = 13
YEARS = (1970, 2100)
CUTS = ("unit", "category", "segment", "week")
Counts = dict[tuple[str, str], Counter[str]]

# Up to so many closed cases the median is exact; above, to within two per cent.
EXACT_TO = 20_000
# Running cases past their time, by the index of running ones: it depends on the clock.
LATE = """
SELECT CAST(unit_id AS text) AS unit, category, CAST(segment_id AS text) AS segment,
  CAST(CAST(date_trunc('week', reported_at AT TIME ZONE 'Asia/Shanghai') AS date) AS text) AS week,
  count(*) AS late
FROM case_file c WHERE subdistrict_id = :here AND ended_at IS NULL AND due_at < :at
  AND reported_at >= :since AND reported_at < :until AND {mine} GROUP BY 1, 2, 3, 4
"""
# Median and 90th percentile of what the citizen lived through.
TIMES = """
SELECT percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
  ORDER BY extract(epoch FROM ended_at - reported_at)) AS lived
FROM case_file c WHERE subdistrict_id = :here
  AND reported_at >= :since AND reported_at < :until AND ended_at IS NOT NULL AND {mine}
"""
SATISFACTION = """
SELECT count(*)::int AS rated, count(*) FILTER (WHERE r.solved)::int AS really,
  count(r.stars)::int AS starred, avg(r.stars)::float AS stars
FROM rating r WHERE r.subdistrict_id = :here AND r.at >= :since AND r.at < :until
"""
OF_MINE = """AND r.case_id IN (
  SELECT c.id FROM case_file c WHERE c.subdistrict_id = :here AND {mine})"""
NAMES = text(
    """
SELECT id, name FROM organisation WHERE subdistrict_id = :here
UNION ALL SELECT id, name FROM road_segment WHERE subdistrict_id = :here
"""
)


@dataclass(frozen=True)
class Figure:
    """One line of a table: what it is about, the counts, and rates where they say something."""

    key: str
    name: str
    cases: int
    contacted: int
    running: int
    closed: int
    on_time: int
    late: int
    solved: int
    by_merchant: int
    reopened: int
    repeated: int

    def rate(self, part: str) -> float | None:
        """Share of `part`; open cases count in the denominator of what is late or solved."""
        whole = self.closed + self.late if part == "on_time" else self.cases
        if whole < FEWEST_FOR_A_RATE:
            return None
        return float(getattr(self, part)) / whole


@dataclass(frozen=True)
class Report:
    """The statistics of a period."""

    since: date
    until: date
    total: Figure
    cuts: dict[str, list[Figure]]
    rated: int
    really: int
    stars: float | None
    median_h: float | None
    ninety_h: float | None


def period(given: dict[str, str], *, at: datetime) -> tuple[date, date]:
    """`from` and `to` as days, or the last thirteen weeks; at most five years."""
    today = clock.local_date(at)
    until = _day(given.get("to")) or today
    since = _day(given.get("from")) or until - timedelta(weeks=DEFAULT_WEEKS)
    since = min(max(since, until - timedelta(days=5 * 366)), until)
    return since, until


def report(
    session: Session, since: date, until: date, *, at: datetime, scope: Scope | None = None
) -> Report:
    """A handful of queries, however many cases there are: kept days and what changed since.

    Whoever may see a part alone has that part counted afresh: kept days are of everything.
    """
    session.execute(text("SET LOCAL jit = off"))  # compiling takes longer than counting
    mine = EVERYTHING if scope is None else condition(scope, "c")
    period = {
        "here": tenant_of(session),
        "since": tallies.midnight(since),
        "until": tallies.midnight(until + timedelta(days=1)),
        **mine.values,
    }
    whole = mine == EVERYTHING
    days = tallies.days_of(session, since, until) if whole else Days([], [(since, until)])
    counts: Counts = defaultdict(Counter)
    for row in tallies.rows_of(session, days, mine=mine):
        counts[row.cut, row.key].update({name: getattr(row, name) or 0 for name in tallies.COUNTS})
    for row in session.execute(text(LATE.format(mine=mine.sql)), period | {"at": at}):
        for cut in CUTS:
            counts[cut, getattr(row, cut) or ""]["late"] += row.late
        counts["all", ""]["late"] += row.late
    names = {str(row.id): row.name for row in session.execute(NAMES, {"here": period["here"]})}
    cuts = {cut: _cut(counts, cut, names) for cut in CUTS}
    cuts["week"].sort(key=lambda figure: figure.key)
    total = _figure("", "", counts["all", ""])
    asked = SATISFACTION if whole else SATISFACTION + OF_MINE.format(mine=mine.sql)
    rated = session.execute(text(asked), period).one()
    exact = not whole or total.cases - total.running <= EXACT_TO
    median, ninety = _hours(session, days, period, mine if exact else None)
    return Report(since, until, total, cuts, rated.rated, rated.really, rated.stars, median, ninety)


def _hours(
    session: Session, days: Days, period: dict[str, Any], exact: Condition | None
) -> tuple[float | None, float | None]:
    if exact is None:
        lived = tallies.lived_of(session, days)
        return tallies.hours_at(lived, 0.5), tallies.hours_at(lived, 0.9)
    found = session.execute(text(TIMES.format(mine=exact.sql)), period).scalar()
    return (found[0] / 3600, found[1] / 3600) if found else (None, None)


def _cut(counts: Counts, cut: str, names: dict[str, str]) -> list[Figure]:
    lines = [
        _figure(key, names.get(key, key or "—"), found)
        for (one, key), found in counts.items()
        if one == cut
    ]
    return sorted(lines, key=lambda figure: (-figure.cases, figure.name))


def _figure(key: str, name: str, found: Counter[str]) -> Figure:
    parts = [field.name for field in fields(Figure)][2:]
    return Figure(key, name, *(found[part] for part in parts))


def _day(given: str | None) -> date | None:
    """A day on which there can be cases; the ends of the calendar leave no room to count from."""
    try:
        found = date.fromisoformat((given or "")[:10])
    except ValueError:
        return None
    return found if YEARS[0] <= found.year <= YEARS[1] else None
