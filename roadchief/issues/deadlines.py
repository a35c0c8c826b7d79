"""When a case is due: three clocks, pauses, lights. *Pure.* (domain.md §6.4)

Clocks: `wh` working hours, `wd` working days, `h` plain hours. Dates and weekdays are those of
the wall clock, never of the UTC instant. Holidays are given with the calendar.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from roadchief.lib.workdays import Workdays

HERE = ZoneInfo("Asia/Shanghai")
WORKING_HOURS, WORKING_DAYS, PLAIN_HOURS = "wh", "wd", "h"
# Yellow when no more than this share of the time is left.
YELLOW_SHARE = 0.25
LIGHTS = ("green", "yellow", "red", "black", "paused", "done", "none")


@dataclass(frozen=True)
class Limit:
    """So much time on one of the three clocks."""

    amount: float
    clock: str


@dataclass(frozen=True)
class Pause:
    """The clock stood still, from–to; still standing where `ends` is None."""

    begins: datetime
    ends: datetime | None = None


@dataclass(frozen=True)
class Plan:
    """The instants that follow from a limit. `left` is told while the clock stands still."""

    due: datetime
    yellow: datetime
    black: datetime
    provisional: bool
    paused: bool
    left: timedelta


def plan(
    begun: datetime,
    limit: Limit,
    pauses: Sequence[Pause],
    now: datetime,
    calendar: Workdays,
) -> Plan:
    """Due, yellow and black of a clock begun at an instant. Pauses count once, added at the end."""
    start = _wall(begun)
    due = _first_due(start, limit, calendar)
    whole = _span(start, due, limit.clock, calendar)
    for pause in merged(pauses, now):
        low, high = max(_wall(pause.begins), start), _wall(pause.ends or now)
        # A pause that begins after the time has run out brings none of it back.
        if low < due and high > low:
            due = _advance(due, _span(low, high, limit.clock, calendar), limit.clock, calendar)
    black = _black(due, limit, whole, calendar)
    yellow = _retreat(due, whole * YELLOW_SHARE, limit.clock, calendar)
    standing = any(pause.ends is None and pause.begins <= now for pause in pauses)
    left = _span(_wall(now), due, limit.clock, calendar) if _wall(now) < due else timedelta()
    certain = limit.clock == PLAIN_HOURS or calendar.knows(start.date(), black.date())
    return Plan(_instant(due), _instant(yellow), _instant(black), not certain, standing, left)


def light(plan_: Plan | None, now: datetime, *, closed: bool = False) -> str:
    """green, yellow, red (overdue) or black (twice overdue); paused, done, none (no clock)."""
    if closed:
        return "done"
    if plan_ is None:
        return "none"
    if plan_.paused:
        return "paused"
    return lit(plan_.yellow, plan_.due, plan_.black, now)


def lit(yellow: datetime, due: datetime, black: datetime, now: datetime) -> str:
    """The light of a running clock. Used up at the very minute is not yet overdue."""
    if now > black:
        return "black"
    if now > due:
        return "red"
    return "yellow" if now >= yellow else "green"


def merged(pauses: Sequence[Pause], now: datetime) -> list[Pause]:
    """In order and without overlap: several in one minute, or within each other, count once."""
    found: list[Pause] = []
    for pause in sorted(pauses, key=lambda one: one.begins):
        ends = min(pause.ends, now) if pause.ends else now
        if ends <= pause.begins:
            continue
        last = found[-1] if found else None
        if last and last.ends and pause.begins <= last.ends:
            found[-1] = Pause(last.begins, max(last.ends, ends))
        else:
            found.append(Pause(pause.begins, ends))
    return found


def used(
    begun: datetime, ended: datetime, pauses: Sequence[Pause], clock: str, calendar: Workdays
) -> timedelta:
    """Agency time: on the case's own clock, without pauses."""
    total = _span(_wall(begun), _wall(ended), clock, calendar)
    for pause in merged(pauses, ended):
        low, high = max(pause.begins, begun), min(pause.ends or ended, ended)
        if low < high:
            total -= _span(_wall(low), _wall(high), clock, calendar)
    return max(total, timedelta())


def citizen_time(reported: datetime, ended: datetime) -> timedelta:
    """What the citizen lived through: nothing stops it."""
    return ended - reported


def _first_due(start: datetime, limit: Limit, calendar: Workdays) -> datetime:
    if limit.clock == WORKING_DAYS:
        # The day of receipt is not counted.
        return calendar.closing(calendar.nth_after(start.date(), int(limit.amount)))
    return _advance(start, timedelta(hours=limit.amount), limit.clock, calendar)


def _black(due: datetime, limit: Limit, whole: timedelta, calendar: Workdays) -> datetime:
    if limit.clock == WORKING_DAYS:
        last = calendar.nth_after(due.date(), int(limit.amount))
        return datetime.combine(last, due.time())
    return _advance(due, timedelta(hours=limit.amount), limit.clock, calendar)


def _span(begins: datetime, ends: datetime, clock: str, calendar: Workdays) -> timedelta:
    return ends - begins if clock == PLAIN_HOURS else calendar.between(begins, ends)


def _advance(begins: datetime, amount: timedelta, clock: str, calendar: Workdays) -> datetime:
    return begins + amount if clock == PLAIN_HOURS else calendar.add(begins, amount)


def _retreat(ends: datetime, amount: timedelta, clock: str, calendar: Workdays) -> datetime:
    return ends - amount if clock == PLAIN_HOURS else calendar.back(ends, amount)


def _wall(at: datetime) -> datetime:
    return at.astimezone(HERE).replace(tzinfo=None)


def _instant(wall: datetime) -> datetime:
    return wall.replace(tzinfo=HERE).astimezone(UTC)
