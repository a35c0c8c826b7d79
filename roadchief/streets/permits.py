"""Where and when outdoor trade is lawful: time windows of permit areas. *Pure.* (domain.md §0.8)"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

SOON_DAYS = 30
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class PermitVerdict:
    """`reason` is a key: `open`, `not_valid`, `not_today`, `not_at_this_hour`. `ends_soon` is
    within a month: time to renew it."""

    allowed: bool
    reason: str
    ends_soon: bool = False


def judge(
    windows: Sequence[dict[str, Any]], valid_from: date, valid_to: date, local: datetime
) -> PermitVerdict:
    """Is trade allowed at this local time? A window over midnight belongs to the day it began,
    so the last night of a permit ends on the day after its last."""
    day, hour = local.date(), local.time()
    before = day - timedelta(days=1)
    valid = valid_from <= day <= valid_to
    soon = valid and (valid_to - day).days <= SOON_DAYS
    reason = "not_today" if valid else "not_valid"
    for window in windows:
        begins, ends = (time.fromisoformat(window[key]) for key in ("from", "to"))
        today = valid and day.isoweekday() in window["days"]
        yesterday = valid_from <= before <= valid_to and before.isoweekday() in window["days"]
        if begins <= ends:
            inside = today and begins <= hour < ends
        else:
            inside = (today and hour >= begins) or (yesterday and hour < ends)
        if inside:
            return PermitVerdict(True, "open", soon)
        if today:
            reason = "not_at_this_hour"
    return PermitVerdict(False, reason, soon)


def problems(windows: Any) -> list[tuple[str, str]]:
    """What is wrong with windows that somebody entered; sentences in Chinese and English."""
    if not isinstance(windows, list) or not windows or len(windows) > 21:
        return [("应有 1–21 个时段", "1 to 21 windows are needed")]
    found = []
    for window in windows:
        known = isinstance(window, dict)
        days = window.get("days") if known else None
        if not isinstance(days, list) or not days or not set(map(str, days)) <= set("1234567"):
            found.append(("星期应为 1–7", "days are 1 to 7"))
        hours = [str(window.get(key, "")) if known else "" for key in ("from", "to")]
        if not all(CLOCK.fullmatch(hour) for hour in hours) or hours[0] == hours[1]:
            found.append(("时间应如 17:00", "hours such as 17:00, not equal"))
    return found
