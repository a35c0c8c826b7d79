"""When did it happen? A phone's clock, corrected by what it knows of ours. *Pure.*

Never refused: an odd clock is bounded by what cannot be otherwise (not after it was received,
not before its shift) and marked.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from roadchief.lib.text import clean

EARLY = timedelta(hours=3)  # a shift may be begun this long before its time
OLDEST = timedelta(days=400)
MOST_MS = 4_000_000_000_000  # a phone that believes in 1900
CLOCK_OFF_S = 120


@dataclass(frozen=True)
class Stamp:
    """What the phone said of time. `offset_ms` is server minus phone."""

    wall: datetime | None
    mono_ms: int | None
    session: str | None
    offset_ms: int | None
    uncertainty_ms: int | None


@dataclass(frozen=True)
class Moment:
    """When it happened, how sure that is (None: unknown), and what was odd."""

    at: datetime
    uncertainty_s: float | None
    flags: tuple[str, ...] = ()


def read_stamp(said: Any) -> Stamp:
    row = said if isinstance(said, dict) else {}
    session = row.get("session")
    return Stamp(
        wall=read_instant(row.get("wall")),
        mono_ms=whole(row.get("mono_ms")),
        session=(clean(session[:200])[:64] or None) if isinstance(session, str) else None,
        offset_ms=whole(row.get("offset_ms")),
        uncertainty_ms=whole(row.get("uncertainty_ms")),
    )


def read_instant(said: Any) -> datetime | None:
    """ISO-8601 or milliseconds since 1970, aware; None where it is neither."""
    try:
        if isinstance(said, str):
            found = datetime.fromisoformat(said[:40])
            found = found if found.tzinfo else found.replace(tzinfo=UTC)
            return found.astimezone(UTC)
        if isinstance(said, int | float) and not isinstance(said, bool):
            return datetime.fromtimestamp(said / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def whole(said: Any) -> int | None:
    """A whole number of milliseconds within reason."""
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    try:
        value = int(said)
    except (ValueError, OverflowError):
        return None
    return value if abs(value) <= MOST_MS else None


def moment(stamp: Stamp, *, received_at: datetime, shift_starts_at: datetime | None) -> Moment:
    """The corrected instant of an act, bounded, with flags for review."""
    if stamp.wall is None:
        return Moment(received_at, None, ("clock_unreadable",))
    flags = []
    offset = timedelta(milliseconds=stamp.offset_ms or 0)
    sure = None if stamp.offset_ms is None else abs(stamp.uncertainty_ms or 0) / 1000
    if abs(offset.total_seconds()) > CLOCK_OFF_S:
        flags.append("clock_off")
    try:
        at = stamp.wall + offset
    except OverflowError:
        return Moment(received_at, None, ("clock_unreliable",))
    if at > received_at:
        if (at - received_at).total_seconds() > CLOCK_OFF_S:
            flags.append("clock_ahead")
            sure = None
        at = received_at
    earliest = shift_starts_at - EARLY if shift_starts_at else received_at - OLDEST
    if at < earliest:
        flags.append("clock_unreliable")
        at, sure = (min(shift_starts_at, received_at) if shift_starts_at else received_at), None
    return Moment(at, sure, tuple(flags))


def jumped(one: Stamp, other: Stamp) -> bool:
    """The wall clock was set between two acts of one page: its monotonic clock says so."""
    if one.session is None or one.session != other.session:
        return False
    if None in (one.wall, other.wall, one.mono_ms, other.mono_ms):
        return False
    walls = (other.wall - one.wall).total_seconds()  # type: ignore[operator]
    monos = ((other.mono_ms or 0) - (one.mono_ms or 0)) / 1000
    return abs(walls - monos) > CLOCK_OFF_S
