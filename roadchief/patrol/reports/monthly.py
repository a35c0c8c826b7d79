"""A month of patrol: coverage, quality and the assessment, read from the rows."""

import csv
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TextIO

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.errors import BadInput
from roadchief.lib import clock
from roadchief.patrol import rules
from roadchief.patrol.coverage import covering
from roadchief.patrol.doubts import review
from roadchief.patrol.reports import assessment
from roadchief.streets import standards

PLAN = text(
    """
SELECT count(*) AS planned, count(*) FILTER (WHERE s.started_at IS NOT NULL) AS walked
FROM shift s WHERE s.subdistrict_id = :here AND s.starts_at >= :since AND s.starts_at < :at
  AND s.state <> 'cancelled'
  AND (CAST(:segments AS uuid[]) IS NULL OR EXISTS (SELECT FROM shift_beat b
       WHERE b.subdistrict_id = :here AND b.shift_id = s.id AND b.segment_id = ANY(:segments)))
"""
)
RECORDS = text(
    """
SELECT count(*) AS visits,
  count(*) FILTER (WHERE c.how = 'scan' AND c.outcome <> 'contradicted' AND c.form IS NOT NULL
    AND (c.grade IN ('best', 'good') OR c.photos > 0)) AS good,
  count(*) FILTER (WHERE w.state = 'refused') AS false_ones
FROM check_in c
LEFT JOIN review w ON w.subdistrict_id = c.subdistrict_id AND w.id = c.id
WHERE c.subdistrict_id = :here AND c.occurred_at >= :since AND c.occurred_at < :at
  AND c.purpose <> 'self_check' AND coalesce(w.state, '') <> 'removed'
  AND (CAST(:segments AS uuid[]) IS NULL OR c.segment_id = ANY(:segments))
"""
)
FINDINGS = text(
    """
SELECT d.item, d.severity, count(*) AS found,
  count(*) FILTER (WHERE EXISTS (SELECT FROM finding e WHERE e.subdistrict_id = :here
    AND e.storefront_id = d.storefront_id AND e.item = d.item
    AND e.occurred_at > d.occurred_at + interval '1 day'
    AND e.occurred_at < d.occurred_at + interval '30 days')) AS back
FROM finding d
LEFT JOIN review w ON w.subdistrict_id = :here AND w.id = d.check_in_id
WHERE d.subdistrict_id = :here AND d.occurred_at >= :since AND d.occurred_at < :at
  AND coalesce(w.state, '') NOT IN ('refused', 'removed')
  AND (CAST(:segments AS uuid[]) IS NULL OR d.segment_id = ANY(:segments))
GROUP BY d.item, d.severity ORDER BY found DESC, d.item
"""
)
BASELINE = timedelta(days=91)
DAY = timedelta(days=1)
FIRST, LAST = 2020, 2100


@dataclass(frozen=True)
class Month:
    """All that the report says. `begun`: a day has passed or somebody was there; before, its
    shares say nothing."""

    first: date
    begun: bool
    covered: covering.Covered
    regularity_days: float | None
    planned: int
    walked: int
    visits: int
    findings: list[Any]
    rechecks: Any
    result: assessment.Result

    @property
    def name(self) -> str:
        return name_of(self.first)

    @property
    def share(self) -> float | None:
        """Of the storefronts, those that were seen."""
        return self.covered.bands.share if self.begun else None

    @property
    def length_share(self) -> float | None:
        return self.covered.length_share if self.begun else None


def name_of(first: date) -> str:
    return f"{first.year}-{first.month:02d}"


def first_of(said: str | None, *, at: datetime) -> date:
    """The month asked for as YYYY-MM; without one, that of yesterday: on the 1st, the one that
    has just ended, because the new one has nothing to tell yet."""
    if not said:
        return clock.local_date(at - DAY).replace(day=1)
    try:
        found = date.fromisoformat(f"{said}-01")
    except ValueError as error:
        raise BadInput(
            field="月份 month", reason_zh="应为 2026-11 这样的年月", reason_en="such as 2026-11"
        ) from error
    if not FIRST <= found.year <= LAST:
        raise BadInput(field="月份 month", reason_zh="超出范围", reason_en="out of range")
    return found


def look(
    session: Session,
    segments: Sequence[uuid.UUID] | None,
    first: date,
    *,
    at: datetime,
    shops: int | None = None,
) -> Month:
    """The month of these segments (None: all), a running one up to now; with the longest unseen
    storefronts, as many as `shops` says or all."""
    since, until = _window(first, at)
    values = {
        "here": tenant_of(session),
        "segments": None if segments is None else list(segments),
        "since": since,
        "at": until,
    }
    covered = covering.look(session, segments, since=since, at=until, size=shops)
    plan = session.execute(PLAN, values).one()
    records = session.execute(RECORDS, values).one()
    findings = list(session.execute(FINDINGS, values))
    before = session.execute(FINDINGS, values | {"since": since - BASELINE, "at": since}).all()
    begun = until - since >= DAY or records.visits > 0
    figures = _figures(covered, plan, records, findings, before, span=until - since)
    return Month(
        first=first,
        begun=begun,
        covered=covered,
        regularity_days=covering.regularity(session, segments, since=since, at=until),
        planned=plan.planned,
        walked=plan.walked,
        visits=records.visits,
        findings=findings,
        rechecks=review.disagreement(session, since=since, until=until),
        result=assessment.assess(
            figures if begun else assessment.nothing(records.false_ones),
            rules.section("assessment"),
        ),
    )


def _figures(
    covered: covering.Covered,
    plan: Any,
    records: Any,
    findings: list[Any],
    before: Sequence[Any],
    *,
    span: timedelta,
) -> assessment.Figures:
    """What is assessed, of so much time; what was usual before is told for as long."""
    found, came_back = sum(row.found for row in findings), sum(row.back for row in findings)
    km = sum(row.length_m for row in covered.segments) / 1000
    usual = sum(row.found for row in before) * (span / BASELINE)
    return assessment.Figures(
        plan=plan.walked / plan.planned if plan.planned else None,
        coverage=covered.bands.share,
        findings_per_km=found / km if km else None,
        baseline_per_km=usual / km if km and before else None,
        records=records.good / records.visits if records.visits else None,
        closure=None,
        recurrence=1 - came_back / found if found else None,
        satisfaction=None,
        service=None,
        false_check_ins=records.false_ones,
    )


def write_csv(
    out: TextIO,
    session: Session,
    segments: Sequence[uuid.UUID] | None,
    first: date,
    *,
    at: datetime,
) -> None:
    """One line a storefront, for the spreadsheet; cells never begin a formula."""
    since, until = _window(first, at)
    out.write("\ufeff")
    sheet = csv.writer(out)
    sheet.writerow(["月份", "路段", "铺位", "地址", "状态", "最近一次有效到访"])
    words = {"verified": "已核验", "provisional": "待佐证", "excused": "有理由", "": "未到"}
    for row, street in covering.each_shop(session, segments, since=since, at=until):
        last = clock.local(row.last_at).strftime("%Y-%m-%d %H:%M") if row.last_at else ""
        cells = [name_of(first), street, row.name or "", row.address]
        sheet.writerow([*(_cell(one) for one in cells), words[row.state], last])


def finding_name(code: str) -> str:
    item = standards.items().get(code)
    return item.zh if item else code


def _cell(said: str) -> str:
    return "'" + said if said[:1] in ("=", "+", "-", "@", "\t", "\r") else said


def _window(first: date, at: datetime) -> tuple[datetime, datetime]:
    """The month, a running one up to now."""
    since = _instant(first)
    return since, min(_instant((first + timedelta(days=32)).replace(day=1)), max(at, since))


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(), clock.SHANGHAI).astimezone(UTC)
