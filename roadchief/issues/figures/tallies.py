"""Days of cases, counted once at night and kept; what changed since is counted afresh.

A kept day is used only while no case of that day changed after it was counted, so a sum of kept
and fresh days is what counting every case would give. "Late" depends on the clock: never kept.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import in_turn, tenant_of
from roadchief.issues.reach import EVERYTHING, Condition
from roadchief.lib import clock

COUNTS = (
    "cases",
    "contacted",
    "running",
    "closed",
    "on_time",
    "solved",
    "by_merchant",
    "reopened",
    "repeated",
)
# A transaction that began before the mark may commit after it; none lasts so long.
MARGIN = timedelta(hours=1)
AT_ONCE = 60  # days counted in one statement at night
STEPS = 25  # steps of time lived to one e-fold: a step is 4 % wide
SHORTEST_S = 60

DAY = "CAST(reported_at AT TIME ZONE 'Asia/Shanghai' AS date)"
COUNTED = """count(*) AS cases,
  count(*) FILTER (WHERE contacted_at <= response_due_at) AS contacted,
  count(*) FILTER (WHERE ended_at IS NULL) AS running,
  count(closing_kind) AS closed,
  count(*) FILTER (WHERE on_time AND closing_kind IS NOT NULL) AS on_time,
  count(*) FILTER (WHERE closing_kind IN ('fixed_by_merchant', 'fixed_by_unit')) AS solved,
  count(*) FILTER (WHERE closing_kind = 'fixed_by_merchant') AS by_merchant,
  count(*) FILTER (WHERE reopened > 0) AS reopened,
  count(*) FILTER (WHERE repeat) AS repeated"""
SUMS = ", ".join(f"CAST(sum({name}) AS int) AS {name}" for name in COUNTS)
NAMED = """CASE WHEN grouping(unit) = 0 THEN 'unit' WHEN grouping(category) = 0 THEN 'category'
    WHEN grouping(segment) = 0 THEN 'segment' {more} ELSE 'all' END AS cut,
  coalesce(CASE WHEN grouping(unit) = 0 THEN unit WHEN grouping(category) = 0 THEN category
    WHEN grouping(segment) = 0 THEN segment {key} END, '') AS key"""
BY_WEEK = "WHEN grouping(week) = 0 THEN"
LIVED = (
    f"CAST(floor(ln(greatest(extract(epoch FROM ended_at - reported_at), {SHORTEST_S})) "
    f"* {STEPS}) AS int)"
)
FINE = f"""SELECT CAST(unit_id AS text) AS unit, category, CAST(segment_id AS text) AS segment,
  {DAY} AS day, {COUNTED} FROM case_file c
WHERE subdistrict_id = :here AND reported_at >= :since AND reported_at < :until
  AND {{mine}} GROUP BY 1, 2, 3, 4"""
FRESH = f"""WITH fine AS MATERIALIZED ({FINE}), weeks AS (
  SELECT *, CAST(CAST(date_trunc('week', day) AS date) AS text) AS week FROM fine)
SELECT {NAMED.format(more=f"{BY_WEEK} 'week'", key=f"{BY_WEEK} week")},
  {SUMS} FROM weeks GROUP BY GROUPING SETS ((unit), (category), (segment), (week), ())"""
KEEP = text(
    f"""INSERT INTO case_day (subdistrict_id, day, cut, key, {", ".join(COUNTS)})
WITH fine AS MATERIALIZED ({FINE.format(mine="true")})
SELECT :here, day, {NAMED.format(more="", key="")}, {SUMS}
FROM fine GROUP BY GROUPING SETS ((day, unit), (day, category), (day, segment), (day))"""
)
KEEP_LIVED = text(
    f"""INSERT INTO case_day (subdistrict_id, day, cut, key, {", ".join(COUNTS)})
SELECT :here, {DAY}, 'lived', CAST({LIVED} AS text), count(*), 0, 0, 0, 0, 0, 0, 0, 0
FROM case_file c WHERE subdistrict_id = :here AND reported_at >= :since AND reported_at < :until
  AND ended_at IS NOT NULL GROUP BY 2, 4"""
)
FRESH_LIVED = text(
    f"""SELECT {LIVED} AS step, count(*) AS cases FROM case_file c WHERE subdistrict_id = :here
  AND reported_at >= :since AND reported_at < :until AND ended_at IS NOT NULL GROUP BY 1"""
)
KEPT = text(
    f"""SELECT 'week' AS cut, CAST(CAST(date_trunc('week', day) AS date) AS text) AS key, {SUMS}
FROM case_day WHERE subdistrict_id = :here AND cut = 'all' AND day = ANY(:days) GROUP BY 2
UNION ALL SELECT cut, key, {SUMS} FROM case_day WHERE subdistrict_id = :here
  AND cut IN ('all', 'unit', 'category', 'segment') AND day = ANY(:days) GROUP BY 1, 2"""
)
KEPT_LIVED = text(
    "SELECT CAST(key AS int) AS step, CAST(sum(cases) AS int) AS cases FROM case_day "
    "WHERE subdistrict_id = :here AND cut = 'lived' AND day = ANY(:days) GROUP BY 1"
)
CHANGED = f"""SELECT DISTINCT {DAY} AS day FROM case_file WHERE subdistrict_id = :here
  AND updated_at > (SELECT kept_until FROM case_day_mark WHERE subdistrict_id = :here)"""
STANDING = text(
    f"""WITH changed AS MATERIALIZED ({CHANGED})
SELECT day FROM case_day WHERE subdistrict_id = :here AND cut = 'all'
  AND day >= :first AND day <= :last AND day NOT IN (SELECT day FROM changed) ORDER BY day"""
)
TO_KEEP = text(
    f"""SELECT day FROM ({CHANGED} UNION SELECT DISTINCT {DAY} FROM case_file
  WHERE subdistrict_id = :here AND {DAY} NOT IN (
    SELECT day FROM case_day WHERE subdistrict_id = :here AND cut = 'all')) x ORDER BY day"""
)


@dataclass(frozen=True)
class Days:
    """A period in two parts: days that stand as kept, and spans to count afresh."""

    kept: list[date]
    fresh: list[tuple[date, date]]


def days_of(session: Session, first: date, last: date) -> Days:
    """Which days of a period, both ends included, stand as they were kept."""
    values = {"here": tenant_of(session), "first": first, "last": last}
    kept = list(session.scalars(STANDING, values))
    fences = [first - timedelta(days=1), *kept, last + timedelta(days=1)]
    one = timedelta(days=1)
    return Days(kept, [(a + one, b - one) for a, b in pairwise(fences) if b - a > one])


def rows_of(session: Session, days: Days, *, mine: Condition = EVERYTHING) -> list[Any]:
    """Counts by cut and key; the same key comes several times and is to be added up.

    Kept days count everything: for those who may see a part alone, all days must be fresh ones.
    """
    here = tenant_of(session)
    fresh = text(FRESH.format(mine=mine.sql))
    rows: list[Any] = []
    if days.kept:
        rows += session.execute(KEPT, {"here": here, "days": days.kept})
    for first, last in days.fresh:
        rows += session.execute(fresh, {"here": here, **_span(first, last), **mine.values})
    return rows


def lived_of(session: Session, days: Days) -> dict[int, int]:
    """How many closed cases lived how long, in steps of 4 %."""
    here = tenant_of(session)
    rows: list[Any] = []
    if days.kept:
        rows += session.execute(KEPT_LIVED, {"here": here, "days": days.kept})
    for first, last in days.fresh:
        rows += session.execute(FRESH_LIVED, {"here": here, **_span(first, last)})
    found: dict[int, int] = {}
    for row in rows:
        found[row.step] = found.get(row.step, 0) + row.cases
    return found


def hours_at(lived: dict[int, int], share: float) -> float | None:
    """The time within which this share of them was closed, to within two per cent."""
    wanted, seen = share * sum(lived.values()), 0
    for step in sorted(lived):
        seen += lived[step]
        if seen >= wanted:
            return math.exp((step + 0.5) / STEPS) / 3600
    return None


def keep(session: Session, *, at: datetime) -> int:
    """Count the days that changed and those not counted yet; how many. Run at night."""
    in_turn(session, "case days")
    here = tenant_of(session)
    session.execute(text("SET LOCAL jit = off"))
    days = list(session.scalars(TO_KEEP, {"here": here}))
    forget(session, days)
    for run in _runs(days):
        span = {"here": here, **_span(run[0], run[-1])}
        session.execute(KEEP, span)
        session.execute(KEEP_LIVED, span)
    mark = (
        "INSERT INTO case_day_mark (subdistrict_id, kept_until) VALUES (:here, :until) "
        "ON CONFLICT (subdistrict_id) DO UPDATE SET kept_until = :until"
    )
    session.execute(text(mark), {"here": here, "until": at - MARGIN})
    return len(days)


def forget(session: Session, days: Iterable[date]) -> None:
    """These days are counted afresh: whoever writes old cases says so."""
    session.execute(
        text("DELETE FROM case_day WHERE subdistrict_id = :here AND day = ANY(:days)"),
        {"here": tenant_of(session), "days": sorted(set(days))},
    )


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=clock.SHANGHAI)


def _span(first: date, last: date) -> dict[str, datetime]:
    return {"since": midnight(first), "until": midnight(last + timedelta(days=1))}


def _runs(days: list[date]) -> list[list[date]]:
    """Days without a gap between them, AT_ONCE at most: each run is one statement."""
    runs: list[list[date]] = []
    for day in days:
        joins = runs and day - runs[-1][-1] == timedelta(days=1) and len(runs[-1]) < AT_ONCE
        if joins:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs
