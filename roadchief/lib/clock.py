"""The only place that asks what time it is."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The current instant, aware, UTC."""
    return datetime.now(UTC)


def local(at: datetime) -> datetime:
    """The same instant on the wall clocks of our streets."""
    return at.astimezone(SHANGHAI)


def local_date(at: datetime) -> date:
    """The calendar day of an instant in Shanghai."""
    return local(at).date()
