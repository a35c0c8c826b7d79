"""Cases of other systems taken in: several civic CSVs and Open311 JSON. Repeating changes nothing.

Old cases keep their own times; none of their past deadlines rings.
"""

import csv
import itertools
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from roadchief import holidays
from roadchief.db import Database, new_id, tenant_of
from roadchief.issues import cases, categories, clocks, deadlines, tallies, triage
from roadchief.issues.models import Case, CaseStep
from roadchief.issues.spots import Spot
from roadchief.lib import clock
from roadchief.lib.text import clean, pieces

BATCH = 500
csv.field_size_limit(10_000_000)


class Unknown(ValueError):
    """A file of no form that we know; the text says what was looked for."""


@dataclass(frozen=True)
class Foreign:
    """One case as another system tells it."""

    ref: str
    at: str
    words: str
    ended: str = ""
    address: str = ""
    lon: str = ""
    lat: str = ""
    code: str = ""
    reply: str = ""


@dataclass
class Taken:
    """What an import did."""

    rows: int = 0
    new: int = 0
    known: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    categories: Counter[str] = field(default_factory=Counter)


Row = dict[str, str]
# By a column that only this form has: how a row reads. First match wins.
FORMS: dict[str, tuple[str, Callable[[Row], Foreign]]] = {
    "case_enquiry_id": (
        "boston",
        lambda r: Foreign(
            ref=r["case_enquiry_id"],
            at=r["open_dt"],
            ended=r["closed_dt"],
            words=f"{r['case_title']}. {r['reason']}",
            address=r["location"],
            lon=r["longitude"],
            lat=r["latitude"],
            reply=r["closure_reason"],
        ),
    ),
    "Unique Key": (
        "nyc",
        lambda r: Foreign(
            ref=r["Unique Key"],
            at=r["Created Date"],
            ended=r["Closed Date"],
            words=f"{r['Complaint Type']}. {r['Descriptor']}",
            address=r["Incident Address"],
            lon=r["Longitude"],
            lat=r["Latitude"],
            reply=r["Resolution Description"],
        ),
    ),
    "first_seen_at_timestamp": (
        "stuttgart",
        lambda r: Foreign(
            ref=f"{r['first_seen_at_timestamp']} {r['lat']} {r['lon']} {r['category']}",
            at=r["first_seen_at_timestamp"],
            words=r["category"],
            address=r["location"],
            lon=r["lon"],
            lat=r["lat"],
        ),
    ),
    "留言编号": (
        "messages",
        lambda r: Foreign(
            ref=r["留言编号"],
            at=r["留言时间"],
            ended=r.get("答复时间", ""),
            words=f"{r['留言主题']}。{r['留言详情']}",
            reply=r.get("答复意见", ""),
        ),
    ),
    "reported_at": (
        "plain",
        lambda r: Foreign(
            ref=r["id"],
            at=r["reported_at"],
            ended=r.get("closed_at", ""),
            words=r.get("words", ""),
            address=r.get("address", ""),
            lon=r.get("lon", ""),
            lat=r.get("lat", ""),
            code=r.get("category", ""),
        ),
    ),
}
TIMES = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%m/%d/%Y %I:%M:%S %p", "%Y/%m/%d")


def read(path: Path) -> tuple[str, Iterator[Foreign]]:
    """The form's name and its rows; raises Unknown."""
    if path.suffix.lower() == ".json":
        return "open311", _from_json(path)
    file = path.open(encoding="utf-8-sig", newline="")
    rows = csv.DictReader(file)
    for column, (name, reader) in FORMS.items():
        if column in (rows.fieldnames or ()):
            return name, (reader({k: v or "" for k, v in row.items() if k}) for row in rows)
    file.close()
    raise Unknown(f"none of the columns {', '.join(FORMS)} is in {path.name}")


def take(
    database: Database,
    path: Path,
    *,
    subdistrict: int,
    at: datetime,
    source: str = "",
    zone: str = "Asia/Shanghai",
    tell: Callable[[int], None] = lambda _done: None,
) -> Taken:
    """One transaction a batch: an import that was interrupted goes on where it stopped."""
    name, rows = read(path)
    report = Taken()
    origin = f"import:{source or name}"
    for batch in _batches(rows):
        with database.transaction(subdistrict) as session:
            _take(session, batch, report, origin, ZoneInfo(zone), at)
        tell(report.rows)
    return report


def _take(
    session: Session,
    batch: list[Foreign],
    report: Taken,
    origin: str,
    zone: ZoneInfo,
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
            made[ref] = _case(session, row, origin, zone)
        except ValueError as fault:
            report.refused.append((report.rows, str(fault)))
    _number(session, list(made.values()))
    _write(session, list(made.values()), {row.ref[:200]: row for row in batch}, at)
    report.new += len(made)
    report.categories.update(case.category for case in made.values())


def _case(session: Session, row: Foreign, origin: str, zone: ZoneInfo) -> Case:
    reported = _instant(row.at, zone)
    if not row.ref.strip() or reported is None:
        raise ValueError(f"no id or time: {row.ref[:40]!r} {row.at[:40]!r}")
    ended = _instant(row.ended, zone)
    words = row.words.replace("\x00", "").strip()[: cases.MOST_WORDS]
    spot = Spot(_degrees(row.lon, 180), _degrees(row.lat, 90), clean(row.address)[:200])
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
    found = triage.suggest(words)
    return found[0].code if found and found[0].sure > 0.3 else "QT01"


def _instant(given: str, zone: ZoneInfo) -> datetime | None:
    plain = given.strip()[:40]
    if not plain:
        return None
    try:
        found = datetime.fromisoformat(plain.replace("Z", "+00:00"))
    except ValueError:
        found = _odd_time(plain)
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    if not 1970 <= found.year <= 2100:
        raise ValueError(f"no usable time: {plain!r}")
    return found.astimezone(UTC)


def _odd_time(plain: str) -> datetime:
    for form in TIMES:
        try:
            return datetime.strptime(plain, form)  # noqa: DTZ007 (the zone is put on by the caller)
        except ValueError:
            continue
    raise ValueError(f"no usable time: {plain!r}")


def _degrees(given: str, most: float) -> float | None:
    try:
        found = float(given)
    except ValueError:
        return None
    return found if math.isfinite(found) and abs(found) <= most and found != 0 else None


def _from_json(path: Path) -> Iterator[Foreign]:
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise Unknown(f"{path.name} is not JSON: {error}") from error
    rows = found.get("service_requests", found) if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unknown(f"{path.name} holds no list of service requests")
    return (_from_request(row) for row in rows)


def _from_request(row: dict[str, Any]) -> Foreign:
    def said(name: str) -> str:
        value = row.get(name)
        return "" if value is None else str(value)

    return Foreign(
        ref=said("service_request_id"),
        at=said("requested_datetime"),
        ended=said("updated_datetime") if row.get("status") == "closed" else "",
        words="。".join(part for part in (said("service_name"), said("description")) if part),
        address=said("address"),
        lon=said("long"),
        lat=said("lat"),
        code=said("service_code"),
        reply=said("status_notes"),
    )


def _batches(rows: Iterable[Foreign]) -> Iterator[list[Foreign]]:
    every = iter(rows)
    while batch := list(itertools.islice(every, BATCH)):
        yield batch
