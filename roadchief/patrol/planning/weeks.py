"""The week as it is planned: laid from the rules, changed by hand, gaps and overlaps shown."""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.accounts.access import CHIEFS, Actor
from roadchief.db import in_turn, new_id, savepoint, tenant_of
from roadchief.errors import BadInput, Conflict
from roadchief.lib import clock
from roadchief.lib.workdays import Workdays
from roadchief.patrol import rules
from roadchief.patrol.plan_models import Absence, Shift
from roadchief.patrol.planning import roster, shifts
from roadchief.streets.charge import REACHED
from roadchief.streets.models import RoadSegment

SEES_ALL = frozenset({"admin", "auditor", "operator", "chief_general"})
PLANNING = "patrol.week"

events.declare(
    {
        "patrol.week_laid": "a week of shifts was planned from the rules",
        "patrol.absence_noted": "somebody will be away, with or without a stand-in",
    }
)

WALKERS = text(
    REACHED + "SELECT DISTINCT person_id, role, segment_id FROM reached ORDER BY 1, 2, 3"
)
OWN = text(REACHED + "SELECT DISTINCT segment_id FROM reached WHERE person_id = :person")
SHIFTS = text(
    """
SELECT s.id, s.person_id, s.stands_in_for_id, s.title, s.starts_at, s.ends_at, s.state,
       s.started_at, s.closed_at, s.approved_at, n.name AS person, o.name AS instead_of,
       array(SELECT b.segment_id FROM shift_beat b WHERE b.subdistrict_id = :here
             AND b.shift_id = s.id ORDER BY b.seq) AS segments
FROM shift s
JOIN person n ON n.subdistrict_id = :here AND n.id = s.person_id
LEFT JOIN person o ON o.subdistrict_id = :here AND o.id = s.stands_in_for_id
WHERE s.subdistrict_id = :here AND s.starts_at >= :since AND s.starts_at < :until
ORDER BY s.starts_at, n.name, s.id
"""
)


class AlreadyPlanned(Conflict):
    zh = "此人在这个时刻已有班次"
    en = "this person begins a shift at that moment already"


class AlreadyAway(Conflict):
    zh = "此人从这天起已有请假"
    en = "an absence from that day is noted already"


@dataclass(frozen=True)
class Planned:
    """A week as the page shows it."""

    monday: date
    days: list[tuple[date, list[Any]]]
    gaps: list[tuple[date, str, str]]
    overlaps: list[tuple[date, str, str, str]]
    absences: list[Any]
    names: dict[uuid.UUID, str]


def own_segments(session: Session, actor: Actor, *, at: datetime) -> list[uuid.UUID] | None:
    """What this person answers for now; None for those who see all."""
    if actor.roles & SEES_ALL:
        return None
    values = {"here": tenant_of(session), "at": at, "segments": None, "person": actor.person_id}
    return list(session.scalars(OWN, values))


def lay(
    session: Session,
    monday: date,
    mine: list[uuid.UUID] | None,
    *,
    by: uuid.UUID | None,
    at: datetime,
    days: Workdays,
) -> int:
    """Plan a week from the rules, of walks that pass these segments (None: all). What is planned
    already stays; run again it adds nothing."""
    in_turn(session, PLANNING)
    week = _propose(session, monday, at=at, days=days)
    since, until = bounds(monday)
    values = {"here": tenant_of(session), "since": since, "until": until}
    known = {
        (row.person_id, row.starts_at)
        for row in session.execute(SHIFTS, values)
        if row.state != "cancelled"
    }
    rows = {row.id: row for row in _segments(session)}
    laid = 0
    for walk in week.walks:
        starts_at = instant(walk.on, walk.begins)
        if (walk.person_id, starts_at) in known or starts_at < at:
            continue
        if mine is not None and not set(walk.segments) & set(mine):
            continue
        shifts.plan(
            session,
            person_id=uuid.UUID(str(walk.person_id)),
            segments=[rows[uuid.UUID(str(one))] for one in walk.segments],
            starts_at=starts_at,
            ends_at=instant(walk.on, walk.ends),
            by=by,
            at=at,
            stands_in_for_id=_id(walk.stands_in_for_id),
        )
        laid += 1
    return laid


def add(
    session: Session,
    *,
    person_id: uuid.UUID,
    segments: list[RoadSegment],
    starts_at: datetime,
    ends_at: datetime,
    by: uuid.UUID,
    at: datetime,
) -> Shift:
    """One shift by hand; nobody begins two at the same moment."""
    in_turn(session, PLANNING)
    row = shifts.plan(
        session,
        person_id=person_id,
        segments=segments,
        starts_at=starts_at,
        ends_at=ends_at,
        by=by,
        at=at,
    )
    same = select(Shift.id).where(
        Shift.subdistrict_id == tenant_of(session),
        Shift.person_id == person_id,
        Shift.starts_at == starts_at,
        Shift.state != "cancelled",
        Shift.id != row.id,
    )
    if session.scalar(same.limit(1)):
        raise AlreadyPlanned
    return row


def look(
    session: Session, monday: date, mine: list[uuid.UUID] | None, *, days: Workdays
) -> Planned:
    """A week's shifts over these segments (None: all), with what is not covered and what meets."""
    since, until = bounds(monday)
    values = {"here": tenant_of(session), "since": since, "until": until}
    rows = [
        row
        for row in session.execute(SHIFTS, values)
        if mine is None or set(row.segments) & set(mine)
    ]
    segments = [one for one in _segments(session) if mine is None or one.id in set(mine)]
    names = {one.id: one.name for one in segments}
    walks = [_walk(row) for row in rows if row.state != "cancelled"]
    people = {row.person_id: row.person for row in rows}
    workdays = [day for n in range(7) if days.is_workday(day := monday + timedelta(days=n))]
    found = roster.gaps(workdays, [_plain(one) for one in segments], walks)
    by_day: dict[date, list[Any]] = defaultdict(list)
    for row in rows:
        by_day[clock.local_date(row.starts_at)].append(row)
    return Planned(
        monday=monday,
        days=[(day, by_day[day]) for n in range(7) for day in [monday + timedelta(days=n)]],
        gaps=[(gap.on, names[uuid.UUID(str(gap.segment_id))], gap.why) for gap in found],
        overlaps=[
            (one.one.on, people[one.one.person_id], people[one.other.person_id], one.why)
            for one in roster.overlaps(walks)
        ],
        absences=_absences_over(session, monday, mine, on_shift=set(people)),
        names=names,
    )


def note_absence(
    session: Session,
    *,
    person_id: uuid.UUID,
    from_on: date,
    to_on: date,
    because: str,
    stand_in_id: uuid.UUID | None,
    by: uuid.UUID,
    at: datetime,
) -> Absence:
    """Somebody will be away. Shifts planned already are left to be changed by hand."""
    if to_on < from_on or (to_on - from_on).days > 366:
        raise BadInput(
            field="日期 dates", reason_zh="结束应不早于开始", reason_en="end before start"
        )
    if stand_in_id == person_id:
        raise BadInput(field="代班 stand-in", reason_zh="不能是本人", reason_en="somebody else")
    row = Absence(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        person_id=person_id,
        stand_in_id=stand_in_id,
        from_on=from_on,
        to_on=to_on,
        because=because,
    )
    try:
        with savepoint(session):
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise AlreadyAway from error
    events.record(session, "patrol.absence_noted", subject=row, by=by, at=at, person=str(person_id))
    return row


def absences(session: Session, monday: date) -> list[Absence]:
    """Those that touch the week."""
    rows = session.scalars(
        select(Absence)
        .where(Absence.subdistrict_id == tenant_of(session))
        .where(Absence.from_on < monday + timedelta(days=7), Absence.to_on >= monday)
        .order_by(Absence.from_on)
    )
    return list(rows)


def _absences_over(
    session: Session, monday: date, mine: list[uuid.UUID] | None, *, on_shift: set[uuid.UUID]
) -> list[Absence]:
    """Of those who walk or answer for these segments (None: of all): no others' reasons."""
    rows = absences(session, monday)
    if mine is None or not rows:
        return rows
    values = {"here": tenant_of(session), "at": bounds(monday)[0], "segments": mine}
    known = on_shift | {row.person_id for row in session.execute(WALKERS, values)}
    return [row for row in rows if row.person_id in known]


def instant(on: date, at: time) -> datetime:
    """A wall-clock time of our streets as an instant."""
    return datetime.combine(on, at, clock.SHANGHAI).astimezone(UTC)


def bounds(monday: date) -> tuple[datetime, datetime]:
    return instant(monday, time()), instant(monday + timedelta(days=7), time())


def _propose(session: Session, monday: date, *, at: datetime, days: Workdays) -> roster.Week:
    since, _ = bounds(monday)
    values = {"here": tenant_of(session), "at": max(since, at), "segments": None}
    own: dict[tuple[Any, str], list[Any]] = defaultdict(list)
    for row in session.execute(WALKERS, values):
        own[row.person_id, row.role].append(row.segment_id)
    known = set(rules.frequencies())
    walkers = [
        roster.Walker(person, role, tuple(ids))
        for (person, role), ids in own.items()
        if role in known and (role in CHIEFS or role in roster.DAILY)
    ]
    away = [
        roster.Away(row.person_id, row.from_on, row.to_on, row.stand_in_id)
        for row in absences(session, monday)
    ]
    segments = [_plain(one) for one in _segments(session)]
    return roster.plan(
        monday, segments, walkers, away, rules.frequencies(), is_workday=days.is_workday
    )


def _segments(session: Session) -> list[RoadSegment]:
    rows = session.scalars(
        select(RoadSegment)
        .where(RoadSegment.subdistrict_id == tenant_of(session), RoadSegment.closed_at.is_(None))
        .order_by(RoadSegment.road_id, RoadSegment.seq)
    )
    return list(rows)


def _plain(row: RoadSegment) -> roster.Segment:
    return roster.Segment(row.id, row.road_id, row.seq, row.key_road, row.name)


def _walk(row: Any) -> roster.Walk:
    begins, ends = clock.local(row.starts_at), clock.local(row.ends_at)
    last = ends.time() if ends.date() == begins.date() else time(23, 59, 59)
    return roster.Walk(row.person_id, "", begins.date(), begins.time(), last, tuple(row.segments))


def _id(said: Any) -> uuid.UUID | None:
    return None if said is None else uuid.UUID(str(said))
