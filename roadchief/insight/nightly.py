"""The night's run: hints found, kept or over; risks, hot spots and weekly sums reckoned anew.

Safe to repeat.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Result, bindparam, delete, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from roadchief.db import Database, new_id, tenant_of
from roadchief.insight import dashboards, hotspots, risk, sums, watch
from roadchief.insight.models import HotSpot, SegmentRisk
from roadchief.insight.rules import rules
from roadchief.lib import geo
from roadchief.streets import charge

PORTION = 5_000
Tell = Callable[[], object]
PUT_ASIDE = timedelta(days=90)  # what somebody put aside is not shown again so soon


@dataclass
class Report:
    """What a run did in one sub-district."""

    found: Counter[str] = field(default_factory=Counter)
    fresh: Counter[str] = field(default_factory=Counter)
    over: int = 0
    segments: int = 0
    hot_spots: int = 0
    weeks: int = 0  # kept for the dashboards


# Found rows become open hints, or renew the open one; those put aside lately stay aside until
# somebody tells of them again.
KEEP = text(
    """
WITH found AS (
  SELECT * FROM jsonb_to_recordset(:rows) AS r(id uuid, subject_id uuid, segment_id uuid,
    title text, weight float, facts jsonb)
), aside AS (
  SELECT subject_id, max(dismissed_at) AS at FROM hint WHERE subdistrict_id = :here
    AND kind = :kind AND state = 'dismissed' AND dismissed_at > :aside_since GROUP BY 1
), kept AS (
  INSERT INTO hint (subdistrict_id, id, kind, subject_kind, subject_id, segment_id, title, weight,
    reasons, rule, found_at, seen_at, state)
  SELECT :here, f.id, :kind, :subject_kind, f.subject_id, f.segment_id, f.title, f.weight,
    f.facts, :rule, :at, :at, 'open'
  FROM found f LEFT JOIN aside a ON a.subject_id = f.subject_id
  WHERE a.at IS NULL OR a.at < CAST(f.facts ->> 'told_at' AS timestamptz)
  ON CONFLICT (subdistrict_id, kind, subject_id) WHERE state = 'open'
  DO UPDATE SET weight = excluded.weight, reasons = excluded.reasons, title = excluded.title,
    segment_id = excluded.segment_id, rule = excluded.rule, seen_at = excluded.seen_at
  RETURNING (xmax = 0) AS fresh
)
SELECT count(*) AS found, count(*) FILTER (WHERE fresh) AS fresh FROM kept
"""
).bindparams(bindparam("rows", type_=JSONB))
OVER = text(
    "UPDATE hint SET state = 'over' WHERE subdistrict_id = :here AND kind = :kind "
    "AND state = 'open' AND seen_at < :at"
)


STEPS = len(watch.QUESTIONS) + 3  # of a sub-district


def run(session: Session, *, at: datetime, tell: Tell = lambda: None) -> Report:
    """One sub-district, one transaction: either all of it is of this night or all of the last.

    `tell` is called after each of the STEPS.
    """
    report = Report()
    for kind, (question, subject) in watch.QUESTIONS.items():
        _look(session, kind, subject, question, at, report)
        tell()
    for reckon in (_reckon_risks, _find_clusters):
        reckon(session, at, report)
        tell()
    report.weeks = sums.keep(session, dashboards.span(None, at=at))
    tell()
    return report


def times(at: datetime) -> dict[str, Any]:
    """The moments and figures that the questions name."""
    own = rules()
    return {
        "at": at,
        "black": own["overdue"]["black_weight"],
        "silent_since": at - timedelta(days=own["silence"]["after_days"]),
        "repeat_since": at - timedelta(days=own["repeat"]["window_days"]),
        "times": own["repeat"]["times"],
        "turnover_since": at - timedelta(days=own["turnover"]["window_days"]),
        "told_since": at - timedelta(days=own["turnover"]["told_days"]),
        "only": None,
        "visits": own["turnover"]["closed_visits"],
        "licence_item": own["turnover"]["licence_item"],
        "licence_times": own["turnover"]["licence_findings"],
        "copied_since": at - timedelta(days=own["copied"]["window_days"]),
        "risk_since": at - timedelta(days=own["risk"]["window_days"]),
        "hot_since": at - timedelta(days=own["hot"]["window_days"]),
        "within_m": own["hot"]["within_m"],
        "least": own["hot"]["least"],
    }


def _asked(session: Session, question: Any, at: datetime, **more: Any) -> Result[Any]:
    """Rows come in portions: what a million storefronts answer would not fit a small machine."""
    values = {"here": tenant_of(session), **times(at), **more}
    named = set(question.compile().params)
    return session.execute(
        question,
        {key: one for key, one in values.items() if key in named},
        execution_options={"yield_per": PORTION},
    )


def suspect(session: Session, storefront_id: uuid.UUID, *, at: datetime) -> None:
    """The turnover question for one storefront, asked when a patroller tells of another shop."""
    question, subject = watch.QUESTIONS["turnover"]
    rows = _asked(session, question, at, only=storefront_id).all()
    _keep(session, "turnover", subject, rows, at)


def _look(
    session: Session, kind: str, subject: str, question: Any, at: datetime, report: Report
) -> None:
    values = {"here": tenant_of(session), "kind": kind, "at": at}
    report.found[kind] = report.fresh[kind] = 0
    for rows in _asked(session, question, at).partitions():
        counted = _keep(session, kind, subject, rows, at)
        report.found[kind] += counted.found
        report.fresh[kind] += counted.fresh
    report.over += session.execute(OVER, values).rowcount  # type: ignore[attr-defined]


def _keep(session: Session, kind: str, subject: str, rows: Sequence[Any], at: datetime) -> Any:
    values = {
        "here": tenant_of(session),
        "kind": kind,
        "at": at,
        "subject_kind": subject,
        "rule": rules()["version"],
        "aside_since": at - PUT_ASIDE,
        "rows": [_row(row) for row in rows],
    }
    return session.execute(KEEP, values).one()


def _row(row: Any) -> dict[str, Any]:
    return {
        "id": str(new_id()),
        "subject_id": str(row.subject_id),
        "segment_id": str(row.segment_id) if row.segment_id else None,
        "title": row.title,
        "weight": round(float(row.weight), 1),
        "facts": row.facts,
    }


def _reckon_risks(session: Session, at: datetime, report: Report) -> None:
    here = tenant_of(session)
    rows = _asked(session, watch.FACTS, at).all()
    states = charge.segment_states(session, at=at)
    heats = hotspots.heat([(row.lon, row.lat) for row in rows], [row.all_cases for row in rows])
    session.execute(delete(SegmentRisk).where(SegmentRisk.subdistrict_id == here))
    for row, heat in zip(rows, heats, strict=True):
        facts = {name: float(getattr(row, name)) for name in risk.WORDS if name != "no_chief"}
        facts["no_chief"] = 1.0 if states.get(row.id) == "gap" else 0.0
        reckoned = risk.reckon(facts, rules()["risk"])
        session.add(
            SegmentRisk(
                subdistrict_id=here,
                id=row.id,
                points=reckoned.points,
                reasons=[vars(part) for part in reckoned.parts],
                z=heat.z if heat else None,
                p=heat.p if heat else None,
                reckoned_at=at,
            )
        )
    report.segments = len(rows)


def _find_clusters(session: Session, at: datetime, report: Report) -> None:
    here = tenant_of(session)
    session.execute(delete(HotSpot).where(HotSpot.subdistrict_id == here))
    lat = session.scalar(
        text(
            "SELECT ST_Y(ST_Centroid(ST_Extent(line))) FROM road_segment "
            "WHERE subdistrict_id = :here AND closed_at IS NULL"
        ),
        {"here": here},
    )
    for row in _asked(session, watch.CLUSTERS, at, lat=lat or 31.0):
        session.add(
            HotSpot(
                subdistrict_id=here,
                place=geo.point(lon=row.lon, lat=row.lat),
                radius_m=round(row.radius_m or 0.0, 1),
                cases=row.cases,
                facts={"classes": row.classes},
                found_at=at,
            )
        )
        report.hot_spots += 1


def run_one(database: Database, place: int, *, at: datetime, tell: Tell = lambda: None) -> Report:
    with database.transaction(place) as session:
        # A big sub-district may take longer than a page may.
        session.execute(text("SET LOCAL statement_timeout = '10min'"))
        # Every row will be fetched: no plan that is only quick to begin.
        session.execute(text("SET LOCAL cursor_tuple_fraction = 1"))
        return run(session, at=at, tell=tell)


def run_all(database: Database, *, at: datetime) -> dict[int, Report]:
    """Every sub-district in turn; one that fails does not keep the others from theirs."""
    reports: dict[int, Report] = {}
    faults: list[Exception] = []
    for place in database.tenants():
        try:
            reports[place] = run_one(database, place, at=at)
        except Exception as fault:  # told at the end, all together
            fault.add_note(f"sub-district {place}")
            faults.append(fault)
    if faults:
        raise ExceptionGroup("insight failed", faults)
    return reports
