"""Statistics: one scan of the index that holds all that is counted, cut four ways."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.lib import clock

# Under so many cases a rate says nothing: counts are shown instead.
FEWEST_FOR_A_RATE = 10
DEFAULT_WEEKS = 13
CUTS = ("unit", "category", "segment", "week")

# First folded to the finest group that any cut needs, in parallel; then cut four ways.
FIGURES = text(
    """
WITH fine AS MATERIALIZED (
  SELECT unit_id AS unit, category, segment_id AS segment,
    date_trunc('week', reported_at AT TIME ZONE 'Asia/Shanghai')::date AS week,
    count(*) AS cases,
    count(*) FILTER (WHERE contacted_at <= response_due_at) AS contacted,
    count(*) FILTER (WHERE ended_at IS NULL) AS running,
    count(closing_kind) AS closed,
    count(*) FILTER (WHERE on_time AND closing_kind IS NOT NULL) AS on_time,
    count(*) FILTER (WHERE ended_at IS NULL AND due_at < :at) AS late,
    count(*) FILTER (WHERE closing_kind IN ('fixed_by_merchant', 'fixed_by_unit')) AS solved,
    count(*) FILTER (WHERE closing_kind = 'fixed_by_merchant') AS by_merchant,
    count(*) FILTER (WHERE reopened > 0) AS reopened,
    count(*) FILTER (WHERE repeat) AS repeated
  FROM case_file
  WHERE subdistrict_id = :here AND reported_at >= :since AND reported_at < :until
  GROUP BY 1, 2, 3, 4)
SELECT grouping(unit) AS u, grouping(category) AS c, grouping(segment) AS s, grouping(week) AS w,
  unit, category, segment, week, sum(cases)::int AS cases, sum(contacted)::int AS contacted,
  sum(running)::int AS running, sum(closed)::int AS closed, sum(on_time)::int AS on_time,
  sum(late)::int AS late, sum(solved)::int AS solved, sum(by_merchant)::int AS by_merchant,
  sum(reopened)::int AS reopened, sum(repeated)::int AS repeated
FROM fine GROUP BY GROUPING SETS ((unit), (category), (segment), (week), ())
ORDER BY cases DESC
"""
)
# Medians of the time to closing, by what the citizen lived through.
TIMES = text(
    """
SELECT percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
  ORDER BY extract(epoch FROM ended_at - reported_at)) AS lived
FROM (SELECT ended_at, reported_at FROM case_file WHERE subdistrict_id = :here
  AND reported_at >= :since AND reported_at < :until AND ended_at IS NOT NULL LIMIT 200000) x
"""
)
SATISFACTION = text(
    """
SELECT count(*)::int AS rated, count(*) FILTER (WHERE r.solved)::int AS really,
  count(r.stars)::int AS starred, avg(r.stars)::float AS stars
FROM rating r WHERE r.subdistrict_id = :here AND r.at >= :since AND r.at < :until
"""
)
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


def report(session: Session, since: date, until: date, *, at: datetime) -> Report:
    """Five small queries, however many cases there are."""
    values = {
        "here": tenant_of(session),
        "since": _midnight(since),
        "until": _midnight(until + timedelta(days=1)),
        "at": at,
    }
    session.execute(text("SET LOCAL jit = off"))  # compiling takes longer than counting
    names = {row.id: row.name for row in session.execute(NAMES, {"here": values["here"]})}
    cuts: dict[str, list[Figure]] = {cut: [] for cut in CUTS}
    total = Figure("", "", *([0] * 10))
    for row in session.execute(FIGURES, values):
        cut = _cut(row)
        value = getattr(row, cut) if cut else None
        figure = _figure(row, value, names)
        if cut:
            cuts[cut].append(figure)
        else:
            total = figure
    cuts["week"].sort(key=lambda figure: figure.key)
    rated = session.execute(SATISFACTION, {k: values[k] for k in ("here", "since", "until")}).one()
    lived = session.execute(TIMES, {k: values[k] for k in ("here", "since", "until")}).scalar()
    return Report(
        since,
        until,
        total,
        cuts,
        rated.rated,
        rated.really,
        rated.stars,
        lived[0] / 3600 if lived else None,
        lived[1] / 3600 if lived else None,
    )


def _cut(row: Any) -> str | None:
    for letter, cut in zip("ucsw", CUTS, strict=True):
        if getattr(row, letter) == 0:
            return cut
    return None


def _figure(row: Any, value: Any, names: dict[uuid.UUID, str]) -> Figure:
    counted = (
        row.cases,
        row.contacted,
        row.running,
        row.closed,
        row.on_time,
        row.late,
        row.solved,
        row.by_merchant,
        row.reopened,
        row.repeated,
    )
    return Figure(str(value or ""), names.get(value, str(value or "—")), *(n or 0 for n in counted))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=clock.SHANGHAI)


def _day(given: str | None) -> date | None:
    try:
        return date.fromisoformat((given or "")[:10])
    except ValueError:
        return None
