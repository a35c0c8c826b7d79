"""Cases of other systems taken in: several civic CSVs and Open311 JSON. Repeating changes nothing.

Old cases keep their own times; none of their past deadlines rings.
"""

import itertools
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from roadchief import holidays
from roadchief.db import Database, new_id, tenant_of
from roadchief.issues import cases, categories, clocks, deadlines
from roadchief.issues.figures import tallies
from roadchief.issues.models import Case, CaseStep
from roadchief.issues.sources.foreign import Foreign, degrees, instant, read
from roadchief.issues.spots import BOX_DEG, STREET_M, Spot
from roadchief.issues.triage import suggesting
from roadchief.lib import clock, coords
from roadchief.lib.text import clean, pieces

BATCH = 500
SURE_ENOUGH = 0.3  # below this an imported case is of category "other"


@dataclass
class Taken:
    """What an import did."""

    rows: int = 0
    new: int = 0
    known: int = 0
    outside: int = 0  # taken, but their place is not within the sub-district's border
    nowhere: int = 0  # taken without a place
    refused: list[tuple[int, str]] = field(default_factory=list)
    categories: Counter[str] = field(default_factory=Counter)
    interrupted: bool = False  # the batch under way was taken back


@dataclass(frozen=True)
class Way:
    """How a file is to be understood. `datum` is that of its longitudes and latitudes."""

    source: str = ""
    zone: str = "Asia/Shanghai"
    datum: coords.Datum = coords.Datum.WGS84
    encoding: str | None = None


PLAIN = Way()


def take(
    database: Database,
    path: Path,
    *,
    subdistrict: int,
    at: datetime,
    way: Way = PLAIN,
    tell: Callable[[int], None] = lambda _done: None,
) -> Taken:
    """One transaction a batch: an import that was interrupted goes on where it stopped."""
    ZoneInfo(way.zone)  # an unknown zone is told before the first row
    name, rows = read(path, encoding=way.encoding)
    report = Taken()
    origin = f"import:{way.source or name}"
    try:
        for batch in _batches(rows):
            with database.transaction(subdistrict) as session:
                _take(session, batch, report, origin, way, at)
            tell(report.rows)
    except KeyboardInterrupt:
        report.interrupted = True
    return report


def _take(
    session: Session,
    batch: list[Foreign],
    report: Taken,
    origin: str,
    way: Way,
    at: datetime,
) -> None:
    known = set(
        session.scalars(
            select(Case.source_ref).where(
                Case.subdistrict_id == tenant_of(session),
                Case.source == origin,
                Case.source_ref.in_([row.ref[:200] for row in batch]),
            )
        )
    )
    made: dict[str, Case] = {}
    for row in batch:
        report.rows += 1
        ref = row.ref[:200]
        if ref in known or ref in made:
            report.known += 1
            continue
        try:
            made[ref] = _case(session, row, origin, way)
        except ValueError as fault:
            report.refused.append((report.rows, str(fault)))
    _number(session, list(made.values()))
    _write(session, list(made.values()), {row.ref[:200]: row for row in batch}, at)
    report.new += len(made)
    report.nowhere += sum(case.place is None for case in made.values())
    report.outside += _place(session, [case.id for case in made.values()])
    report.categories.update(case.category for case in made.values())


def _case(session: Session, row: Foreign, origin: str, way: Way) -> Case:
    reported = instant(row.at, ZoneInfo(way.zone))
    if not row.ref.strip() or reported is None:
        raise ValueError(f"no id or time: {row.ref[:40]!r} {row.at[:40]!r}")
    ended = instant(row.ended, ZoneInfo(way.zone))
    words = row.words.replace("\x00", "").strip()[: cases.MOST_WORDS]
    spot = Spot(*_position(row, way.datum), clean(row.address)[:200])
    code = row.code if row.code in categories.known() else _guess(words)
    case = cases.drawn(
        code,
        words,
        spot,
        at=reported,
        id=None,
        source=origin,
        source_ref=row.ref[:200],
        held=False,
    )
    case.subdistrict_id = tenant_of(session)
    case.repeat, case.steps, case.provisional = False, 1, True
    plan = deadlines.plan(reported, clocks.limit_of(case), [], reported, holidays.calendar(session))
    case.due_at, case.yellow_at, case.black_at = plan.due, plan.yellow, plan.black
    case.provisional = plan.provisional
    case.told_light = "black"
    case.updated_at = ended or reported
    if ended and ended >= reported:
        case.state, case.ended_at, case.closings = "closed", ended, 1
        case.closing_kind = "fixed_by_unit"
        case.on_time, case.version = ended <= plan.due, 2
        case.contacted_at = ended
    return case


def _position(row: Foreign, datum: coords.Datum) -> tuple[float | None, float | None]:
    lon, lat = degrees(row.lon, 180), degrees(row.lat, 90)
    if lon is None or lat is None:
        return None, None
    east, north = coords.to_wgs84(lon, lat, datum)
    return round(float(east), 7), round(float(north), 7)


# The nearest street within reach and the grid: one question for a whole batch.
PLACE = text(
    """
WITH told AS (
  UPDATE case_file c SET
    segment_id = (SELECT s.id FROM road_segment s
      WHERE s.subdistrict_id = :here AND s.closed_at IS NULL
        AND s.line && ST_Expand(c.place, :box)
        AND ST_DWithin(CAST(s.line AS geography), CAST(c.place AS geography), :reach)
      ORDER BY ST_Distance(CAST(s.line AS geography), CAST(c.place AS geography)) LIMIT 1),
    grid_id = (SELECT g.id FROM grid g WHERE g.subdistrict_id = :here AND g.closed_at IS NULL
      AND g.area && c.place AND ST_Covers(g.area, c.place) LIMIT 1)
  WHERE c.subdistrict_id = :here AND c.id = ANY(:ids) AND c.place IS NOT NULL
  RETURNING c.place)
SELECT count(*) FROM told JOIN subdistrict d ON d.id = :here
WHERE d.area IS NOT NULL AND NOT ST_Covers(d.area, told.place)
"""
)


def _place(session: Session, ids: list[uuid.UUID]) -> int:
    """Puts new cases on their street and grid; how many lie outside the border."""
    values = {"here": tenant_of(session), "ids": ids, "box": BOX_DEG, "reach": STREET_M}
    return int(session.scalar(PLACE, values) or 0) if ids else 0


def _number(session: Session, made: list[Case]) -> None:
    """Numbers by month, a block at a time."""
    months = Counter(clock.local(case.reported_at).strftime("%y%m") for case in made)
    last: dict[str, int] = {}
    for month, count in sorted(months.items()):
        last[month] = session.execute(
            text(
                "INSERT INTO case_counter (subdistrict_id, month, last) VALUES (:here, :month, :n) "
                "ON CONFLICT (subdistrict_id, month) DO UPDATE SET last = case_counter.last + :n "
                "RETURNING last - :n"
            ),
            {"here": tenant_of(session), "month": month, "n": count},
        ).scalar_one()
    for case in made:
        month = clock.local(case.reported_at).strftime("%y%m")
        last[month] += 1
        case.number = f"{month}-{last[month]:04d}"
        case.pieces = pieces(case.number, case.address, case.words)


def _write(session: Session, made: list[Case], rows: dict[str, Foreign], at: datetime) -> None:
    session.add_all(made)
    session.flush()
    steps = []
    for case in made:
        reply = rows[case.source_ref or ""].reply.replace("\x00", "")[: cases.MOST_WORDS]
        steps.append(
            {
                "subdistrict_id": case.subdistrict_id,
                "id": new_id(),
                "case_id": case.id,
                "seq": 1,
                "verb": "import",
                "before": None,
                "after": case.state,
                "part": "system",
                "by": None,
                "at": at,
                "words": reply or None,
                "public": False,
                "data": {"source": case.source},
            }
        )
    if steps:
        session.execute(insert(CaseStep), steps)
    tallies.forget(session, {clock.local_date(case.reported_at) for case in made})


def _guess(words: str) -> str:
    found = suggesting.suggest(words)
    return found[0].code if found and found[0].sure > SURE_ENOUGH else "QT01"


def _batches(rows: Iterable[Foreign]) -> Iterator[list[Foreign]]:
    every = iter(rows)
    while batch := list(itertools.islice(every, BATCH)):
        yield batch
