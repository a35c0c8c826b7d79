"""Shares a week and a block, asked of the rows themselves: every table is read once.

Every question answers rows of (week, block_id, `<indicator>_part`, `<indicator>_whole` …).
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from roadchief.codes.lifecycle import ANSWERS
from roadchief.db import tenant_of
from roadchief.insight.goals import Measure
from roadchief.lib import clock
from roadchief.patrol import rules
from roadchief.patrol.standing import COUNTS, REVIEW

WEEK = timedelta(weeks=1)
# Which week a moment lies in. Shanghai has no summer time, so weeks are equally long.
NUMBER = "floor(extract(epoch FROM {at} - CAST(:since AS timestamptz)) / 604800)::int"
# The last moment of each week, or now.
ENDS = (
    "w AS (SELECT (o - 1)::int AS week, u AS until FROM "
    "unnest(CAST(:ends AS timestamptz[])) WITH ORDINALITY AS e(u, o))"
)

# Folded by segment from the index that holds all of it; open late ones count as not in time.
CASES = f"""
WITH fine AS MATERIALIZED (
  SELECT {NUMBER.format(at="reported_at")} AS week, segment_id, count(*) AS cases,
    count(*) FILTER (WHERE contacted_at <= response_due_at) AS contacted,
    count(closing_kind) + count(*) FILTER (WHERE ended_at IS NULL AND due_at < :at) AS ripe,
    count(*) FILTER (WHERE on_time AND closing_kind IS NOT NULL) AS on_time,
    count(*) FILTER (WHERE closing_kind IN ('fixed_by_merchant', 'fixed_by_unit')) AS solved,
    count(*) FILTER (WHERE closing_kind = 'fixed_by_merchant') AS by_merchant,
    count(closing_kind) AS closed,
    count(*) FILTER (WHERE reopened > 0) AS reopened, count(*) FILTER (WHERE repeat) AS repeated
  FROM case_file
  WHERE subdistrict_id = :here AND reported_at >= :since AND reported_at < :until
  GROUP BY 1, 2)
SELECT week, s.block_id, sum(on_time)::int AS on_time_part, sum(ripe)::int AS on_time_whole,
  sum(contacted)::int AS contacted_part, sum(cases)::int AS contacted_whole,
  sum(by_merchant)::int AS by_merchant_part, sum(solved)::int AS by_merchant_whole,
  sum(reopened)::int AS reopened_part, sum(closed)::int AS reopened_whole,
  sum(repeated)::int AS repeated_part, sum(cases)::int AS repeated_whole
FROM fine LEFT JOIN road_segment s ON s.subdistrict_id = :here AND s.id = fine.segment_id
GROUP BY 1, 2
"""
RATINGS = f"""
SELECT {NUMBER.format(at="r.at")} AS week, s.block_id,
  count(*) FILTER (WHERE r.solved)::int AS really_part, count(*)::int AS really_whole,
  count(*) FILTER (WHERE r.stars >= 4)::int AS satisfied_part,
  count(r.stars)::int AS satisfied_whole
FROM rating r JOIN case_file c ON c.subdistrict_id = :here AND c.id = r.case_id
LEFT JOIN road_segment s ON s.subdistrict_id = :here AND s.id = c.segment_id
WHERE r.subdistrict_id = :here AND r.at >= :since AND r.at < :until
GROUP BY 1, 2
"""
GRADES = f"""
WITH bad AS MATERIALIZED (
  SELECT DISTINCT source_id FROM finding WHERE subdistrict_id = :here
    AND occurred_at >= :since AND occurred_at < :until AND severity IN ('S', 'X')
), fine AS MATERIALIZED (
  SELECT {NUMBER.format(at="c.occurred_at")} AS week, c.segment_id,
    count(c.grade) AS graded, count(*) FILTER (WHERE c.grade IN ('best', 'good')) AS clean,
    count(*) AS visits, count(*) FILTER (WHERE bad.source_id IS NULL) AS safe
  FROM check_in c {REVIEW} LEFT JOIN bad ON bad.source_id = c.id
  WHERE c.subdistrict_id = :here AND c.occurred_at >= :since AND c.occurred_at < :until AND {COUNTS}
  GROUP BY 1, 2)
SELECT week, s.block_id, sum(clean)::int AS clean_part, sum(graded)::int AS clean_whole,
  sum(safe)::int AS safe_part, sum(visits)::int AS safe_whole
FROM fine LEFT JOIN road_segment s ON s.subdistrict_id = :here AND s.id = fine.segment_id
GROUP BY 1, 2
"""
# Storefronts as they stood at the end of each week: open, visited within :days, let, with a plate.
# What held in which week is a bit each, so that every table is read and every storefront joined
# once; bits are told apart only after storefronts alike are counted together.
STOOD = """
WITH {ends}, shops AS MATERIALIZED (
  SELECT f.id, s.block_id, {open} AS there FROM storefront f
  JOIN road_segment s ON s.subdistrict_id = :here AND s.id = f.segment_id
  WHERE f.subdistrict_id = :here AND f.opened_at < :until
    AND (f.closed_at IS NULL OR f.closed_at > :since)
), seen AS MATERIALIZED (
  SELECT c.storefront_id, bit_or({visited}) AS weeks FROM check_in c {review}
  WHERE c.subdistrict_id = :here AND c.occurred_at >= :first AND c.occurred_at < :until
    AND {counts} GROUP BY 1
), let AS MATERIALIZED (
  SELECT t.storefront_id, bit_or({let}) AS weeks FROM tenancy t
  WHERE t.subdistrict_id = :here AND t.starts_on <= :last_day GROUP BY 1
), hung AS MATERIALIZED (
  SELECT storefront_id, {hung} AS weeks FROM (
    SELECT p.storefront_id, e.at, (e.to_state = ANY(:live))::int
      - (coalesce(e.from_state, '') = ANY(:live))::int AS step
    FROM plate_event e JOIN plate p ON p.subdistrict_id = :here AND p.id = e.plate_id
    WHERE e.subdistrict_id = :here AND e.at < :until
      AND p.kind = 'shop' AND p.storefront_id IS NOT NULL) x
  WHERE step <> 0 GROUP BY 1
), alike AS MATERIALIZED (
  SELECT f.block_id, f.there, seen.weeks AS seen, let.weeks AS let, hung.weeks AS hung,
    count(*) AS shops
  FROM shops f LEFT JOIN seen ON seen.storefront_id = f.id
  LEFT JOIN let ON let.storefront_id = f.id LEFT JOIN hung ON hung.storefront_id = f.id
  GROUP BY 1, 2, 3, 4, 5)
SELECT w.week, a.block_id, sum(a.shops)::int AS visits_whole,
  coalesce(sum(a.shops) FILTER (WHERE (a.seen >> w.week) & 1 = 1), 0)::int AS visits_part,
  coalesce(sum(a.shops) FILTER (WHERE (a.let >> w.week) & 1 = 1), 0)::int AS occupied_part,
  CASE WHEN EXISTS (SELECT FROM let) THEN sum(a.shops)::int ELSE 0 END AS occupied_whole,
  coalesce(sum(a.shops) FILTER (WHERE (a.hung >> w.week) & 1 = 1), 0)::int AS plates_part,
  CASE WHEN EXISTS (SELECT FROM hung) THEN sum(a.shops)::int ELSE 0 END AS plates_whole
FROM alike a JOIN w ON (a.there >> w.week) & 1 = 1
GROUP BY 1, 2
"""
# Segments with somebody in charge at the end of each week; what makes one is in streets.charge.
CHIEFS = f"""
WITH {ENDS}, in_charge AS MATERIALIZED (
  SELECT w.week, a.segment_id, a.road_id, a.block_id FROM w
  JOIN assignment a ON a.subdistrict_id = :here AND a.starts_at <= w.until
    AND (a.ends_at IS NULL OR a.ends_at > w.until)
  JOIN post p ON p.subdistrict_id = :here AND p.id = a.post_id
    AND (p.ends_at IS NULL OR p.ends_at > w.until) AND p.role <> 'patroller')
SELECT w.week, s.block_id, count(*)::int AS chiefs_whole, count(*) FILTER (WHERE
    (w.week, s.id) IN (SELECT week, segment_id FROM in_charge WHERE segment_id IS NOT NULL)
    OR (w.week, s.road_id) IN (SELECT week, road_id FROM in_charge WHERE road_id IS NOT NULL)
    OR (w.week, s.block_id) IN (SELECT week, block_id FROM in_charge WHERE block_id IS NOT NULL)
  )::int AS chiefs_part
FROM w JOIN road_segment s ON s.subdistrict_id = :here AND s.opened_at <= w.until
  AND (s.closed_at IS NULL OR s.closed_at > w.until)
GROUP BY 1, 2
"""
LIGHT = (text(CASES), text(RATINGS), text(CHIEFS))

Cells = dict[tuple[int, uuid.UUID | None], dict[str, Measure]]


@dataclass(frozen=True)
class Span:
    """Calendar weeks in a row; the last one may still run."""

    monday: date  # of the first week
    at: datetime
    weeks: int = 8

    @property
    def mondays(self) -> list[date]:
        return [self.monday + n * WEEK for n in range(self.weeks)]

    @property
    def since(self) -> datetime:
        return midnight(self.monday)

    @property
    def ends(self) -> list[datetime]:
        """Never later than now."""
        return [min(midnight(monday + WEEK), self.at) for monday in self.mondays]


def light(session: Session, over: Span) -> Cells:
    """What indexes answer at once, however many storefronts there are."""
    return _ask(session, LIGHT, over)


def heavy(session: Session, over: Span) -> Cells:
    """What reads every storefront and every visit: seconds in a very big sub-district."""
    # After an import statistics are stale, and loops within loops look cheap: at 20,000 storefronts
    # 13 s instead of 0.4.
    session.execute(text("SET LOCAL enable_nestloop = off"))
    found = _ask(session, heavy_questions(over.weeks), over)
    session.execute(text("SET LOCAL enable_nestloop = on"))
    return found


@cache
def heavy_questions(weeks: int) -> tuple[TextClause, ...]:
    stood = STOOD.format(
        ends=ENDS,
        open=_bits("f.opened_at < :e{n} AND (f.closed_at IS NULL OR f.closed_at >= :e{n})", weeks),
        visited=_bits("c.occurred_at < :e{n} AND c.occurred_at >= :f{n}", weeks),
        let=_bits("t.starts_on <= :d{n} AND (t.ends_on IS NULL OR t.ends_on >= :d{n})", weeks),
        hung=_bits("coalesce(sum(step) FILTER (WHERE at < :e{n}), 0) > 0", weeks),
        review=REVIEW,
        counts=COUNTS,
    )
    return text(stood), text(GRADES)


def _bits(holds: str, weeks: int) -> str:
    """One number whose bits say in which weeks something holds."""
    return "(" + " | ".join(f"(({holds.format(n=n)})::int << {n})" for n in range(weeks)) + ")"


def _ask(session: Session, questions: Iterable[TextClause], over: Span) -> Cells:
    days = int(rules.section("visits")["scan_every_days"])
    values: dict[str, Any] = {
        "here": tenant_of(session),
        "at": over.at,
        "since": over.since,
        "first": over.ends[0] - timedelta(days=days),
        "until": over.ends[-1],
        "ends": over.ends,
        "last_day": clock.local_date(over.ends[-1]),
        "live": sorted(ANSWERS),
    }
    for n, end in enumerate(over.ends):
        values |= {
            f"e{n}": end,
            f"f{n}": end - timedelta(days=days),
            f"d{n}": clock.local_date(end),
        }
    session.execute(text("SET LOCAL jit = off"))  # compiling takes longer than counting
    found: Cells = defaultdict(dict)
    for question in questions:
        named = set(question.compile().params)
        for row in session.execute(question, {k: v for k, v in values.items() if k in named}):
            if 0 <= row.week < over.weeks:
                found[row.week, row.block_id] |= _measures(row._mapping)
    return found


def _measures(held: Any) -> dict[str, Measure]:
    names = [key.removesuffix("_whole") for key in held if key.endswith("_whole")]
    return {name: Measure(held[f"{name}_part"], held[f"{name}_whole"]) for name in names}


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=clock.SHANGHAI).astimezone(UTC)
