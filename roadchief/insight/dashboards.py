"""Reads of the dashboards: shares a week and a block, in a fixed number of questions.

Every question answers rows of (week, block_id, `<indicator>_part`, `<indicator>_whole` …).
"""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from roadchief.codes.lifecycle import ANSWERS
from roadchief.db import tenant_of
from roadchief.insight.goals import NOTHING, Measure, goals, indicators, themes
from roadchief.lib import clock
from roadchief.patrol import rules
from roadchief.patrol.standing import COUNTS, REVIEW
from roadchief.streets import charge
from roadchief.streets.models import StreetBlock, Subdistrict

WEEKS = 8
WEEK = timedelta(weeks=1)
EARLIEST = date(2000, 1, 3)
# Which week a moment lies in. Shanghai has no summer time, so weeks are equally long.
NUMBER = "floor(extract(epoch FROM {at} - CAST(:since AS timestamptz)) / 604800)::int"
# The last moment of each week, or now.
ENDS = (
    "w AS (SELECT (o - 1)::int AS week, u AS until FROM "
    "unnest(CAST(:ends AS timestamptz[])) WITH ORDINALITY AS e(u, o))"
)
# The storefronts that there were at the end of each week.
SHOPS = (
    "shops AS MATERIALIZED (SELECT f.id, f.opened_at, f.closed_at, s.block_id FROM storefront f "
    "JOIN road_segment s ON s.subdistrict_id = :here AND s.id = f.segment_id "
    "WHERE f.subdistrict_id = :here AND f.opened_at < :until "
    "AND (f.closed_at IS NULL OR f.closed_at > :since))"
)
OPEN = "f.opened_at < w.until AND (f.closed_at IS NULL OR f.closed_at >= w.until)"

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
# Storefronts whose last :days before the end of the week hold a visit that counts. The weeks of a
# storefront are kept as bits, so that every join is of storefronts by their id, once.
VISITS = f"""
WITH {ENDS}, {SHOPS}, seen AS MATERIALIZED (
  SELECT v.storefront_id, bit_or(v.weeks) AS weeks FROM (
    SELECT c.storefront_id, (SELECT bit_or(1 << w.week) FROM w WHERE c.occurred_at < w.until
      AND c.occurred_at >= w.until - make_interval(days => :days)) AS weeks
    FROM check_in c {REVIEW} WHERE c.subdistrict_id = :here
      AND c.occurred_at >= :first AND c.occurred_at < :until AND {COUNTS}) v GROUP BY 1
)
SELECT w.week, f.block_id, count(*)::int AS visits_whole,
  count(*) FILTER (WHERE (seen.weeks >> w.week) & 1 = 1)::int AS visits_part
FROM shops f LEFT JOIN seen ON seen.storefront_id = f.id JOIN w ON {OPEN}
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
# Shops by their tenancies, plates by the steps of their lives: both as they stood each week.
STOCK = f"""
WITH {ENDS}, {SHOPS}, let AS MATERIALIZED (
  SELECT t.storefront_id, bit_or(1 << w.week) AS weeks FROM w JOIN tenancy t
    ON t.subdistrict_id = :here AND t.starts_on <= (w.until AT TIME ZONE 'Asia/Shanghai')::date
    AND (t.ends_on IS NULL OR t.ends_on >= (w.until AT TIME ZONE 'Asia/Shanghai')::date)
  GROUP BY 1
), hung AS MATERIALIZED (
  SELECT storefront_id, bit_or(1 << week) AS weeks FROM (
    SELECT w.week, p.storefront_id FROM w
    JOIN plate_event e ON e.subdistrict_id = :here AND e.at < w.until
    JOIN plate p ON p.subdistrict_id = :here AND p.id = e.plate_id
    WHERE p.kind = 'shop' AND p.storefront_id IS NOT NULL GROUP BY 1, 2
    HAVING sum((e.to_state = ANY(:live))::int - (coalesce(e.from_state, '') = ANY(:live))::int) > 0
  ) x GROUP BY 1
)
SELECT w.week, f.block_id,
  count(*) FILTER (WHERE (let.weeks >> w.week) & 1 = 1)::int AS occupied_part,
  CASE WHEN EXISTS (SELECT FROM let) THEN count(*)::int ELSE 0 END AS occupied_whole,
  count(*) FILTER (WHERE (hung.weeks >> w.week) & 1 = 1)::int AS plates_part,
  CASE WHEN EXISTS (SELECT FROM hung) THEN count(*)::int ELSE 0 END AS plates_whole
FROM shops f LEFT JOIN let ON let.storefront_id = f.id
LEFT JOIN hung ON hung.storefront_id = f.id JOIN w ON {OPEN}
GROUP BY 1, 2
"""
CHIEFS = f"""
WITH {charge.RUNNING}, {charge.IN_CHARGE}
SELECT CAST(:week AS int) AS week, s.block_id, count(*)::int AS chiefs_whole,
  count(*) FILTER (WHERE {charge.STATE} <> 'gap')::int AS chiefs_part
FROM road_segment s
WHERE s.subdistrict_id = :here AND s.opened_at <= :at AND (s.closed_at IS NULL OR s.closed_at > :at)
GROUP BY 2
"""
QUESTIONS = tuple(text(asked) for asked in (CASES, RATINGS, VISITS, GRADES, STOCK))
CHIEFS_THEN = text(CHIEFS)


@dataclass(frozen=True)
class Span:
    """Eight calendar weeks; the last one may still run."""

    monday: date  # of the first week
    at: datetime

    @property
    def mondays(self) -> list[date]:
        return [self.monday + n * WEEK for n in range(WEEKS)]

    @property
    def since(self) -> datetime:
        return _midnight(self.monday)

    @property
    def ends(self) -> list[datetime]:
        """Never later than now."""
        return [min(_midnight(monday + WEEK), self.at) for monday in self.mondays]


@dataclass(frozen=True)
class Group:
    """A block, or the whole: each indicator over all weeks, or at the end where it is a state."""

    id: uuid.UUID | None
    name: str
    theme: str | None
    measures: dict[str, Measure]


@dataclass(frozen=True)
class Board:
    """What the page of a sub-district shows."""

    span: Span
    total: Group
    weekly: dict[str, list[Measure]]
    blocks: list[Group]


def span(asked: str | None, *, at: datetime) -> Span:
    """The weeks up to the day asked for; what is odd, or not yet, is up to today."""
    today = clock.local_date(at)
    try:
        last = date.fromisoformat((asked or "").strip()[:10])
    except ValueError:
        last = today
    last = min(max(last, EARLIEST + WEEKS * WEEK), today)
    return Span(last - timedelta(days=last.weekday()) - (WEEKS - 1) * WEEK, at)


def board(session: Session, over: Span) -> Board:
    """Everything of the page; the blocks by their names, what lies in none of them last."""
    cells = _cells(session, over)
    here = tenant_of(session)
    known = {
        row.id: row
        for row in session.scalars(
            select(StreetBlock).where(
                StreetBlock.subdistrict_id == here, StreetBlock.closed_at.is_(None)
            )
        )
    }
    grouped: dict[uuid.UUID | None, list[dict[str, Measure]]] = {
        key: [{} for _ in range(WEEKS)] for key in (*known, None)
    }
    whole: list[dict[str, Measure]] = [{} for _ in range(WEEKS)]
    for (week, block), found in cells.items():
        for name, measure in found.items():
            for home in (whole[week], grouped[block if block in known else None][week]):
                home[name] = home.get(name, NOTHING) + measure
    blocks = [
        Group(key, row.name, row.theme, _fold(grouped[key]))
        for key, row in sorted(known.items(), key=lambda one: (one[1].name, one[0]))
    ]
    beyond = _fold(grouped[None])
    if any(measure.whole for measure in beyond.values()):
        blocks.append(Group(None, "", None, beyond))
    weekly = {name: [week.get(name, NOTHING) for week in whole] for name in indicators()}
    return Board(over, Group(None, "", None, _fold(whole)), weekly, blocks)


def totals(session: Session, over: Span) -> Group:
    """One row of the roll-up: this sub-district's sums, nobody's name."""
    here = tenant_of(session)
    weeks: list[dict[str, Measure]] = [{} for _ in range(WEEKS)]
    for (week, _block), found in _cells(session, over).items():
        for name, measure in found.items():
            weeks[week][name] = weeks[week].get(name, NOTHING) + measure
    place = session.get(Subdistrict, here)
    return Group(None, place.name if place else str(here), None, _fold(weeks))


def shown() -> list[str]:
    """Every indicator that a goal or a theme names, in that order."""
    named = [name for _words, shows in goals().values() for name in shows]
    return list(dict.fromkeys([*named, *(name for shows in themes().values() for name in shows)]))


Cells = dict[tuple[int, uuid.UUID | None], dict[str, Measure]]


def _cells(session: Session, over: Span) -> Cells:
    days = int(rules.section("visits")["scan_every_days"])
    values: dict[str, Any] = {
        "here": tenant_of(session),
        "at": over.at,
        "since": over.since,
        "first": over.ends[0] - timedelta(days=days),
        "until": over.ends[-1],
        "ends": over.ends,
        "days": days,
        "live": sorted(ANSWERS),
    }
    session.execute(text("SET LOCAL jit = off"))  # compiling takes longer than counting
    found: Cells = defaultdict(dict)
    for question in QUESTIONS:
        named = set(question.compile().params)
        _take(found, session.execute(question, {k: v for k, v in values.items() if k in named}))
    for week, end in enumerate(over.ends):
        moment = {"here": values["here"], "week": week, "at": end}
        _take(found, session.execute(CHIEFS_THEN, moment))
    return found


def _take(found: Cells, rows: Any) -> None:
    for row in rows:
        if 0 <= row.week < WEEKS:
            held = row._mapping
            for key in held:
                if key.endswith("_whole"):
                    name = key.removesuffix("_whole")
                    found[row.week, row.block_id][name] = Measure(held[f"{name}_part"], held[key])


def _fold(weeks: list[dict[str, Measure]]) -> dict[str, Measure]:
    """What happened adds up; what is a state is as it stood last."""
    folded = {}
    for name, indicator in indicators().items():
        if indicator.stock:
            folded[name] = weeks[-1].get(name, NOTHING)
        else:
            folded[name] = sum((week.get(name, NOTHING) for week in weeks), NOTHING)
    return folded


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=clock.SHANGHAI).astimezone(UTC)
