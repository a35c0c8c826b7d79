"""Opening hours as people write them: 周一至周五 9:00–17:00；周六 9:00–12:00. *Pure.*"""

import re
from datetime import datetime, time

DAYS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "日": 7, "天": 7}
EVERY_DAY = frozenset(range(1, 8))
PARTS = re.compile(r"[;；\n]")
WEEK = r"(?:周|星期|礼拜)"
TO = r"\s*(?:至|到|[-–—~～])\s*"
DAY = r"([一二三四五六日天])"
SPAN = re.compile(f"{WEEK}{DAY}{TO}{WEEK}?{DAY}")
SINGLE = re.compile(f"{WEEK}{DAY}")
CLOCKS = re.compile(r"(\d{1,2})[:：](\d{2})" + TO + r"(\d{1,2})[:：](\d{2})")
ALWAYS = re.compile(r"24\s*小时|全天")
WORKDAYS = re.compile(r"工作日")


def open_at(written: str, local: datetime) -> bool | None:
    """Whether it is open at this local time; None where the text cannot be read.

    Public holidays are not considered: the text does not tell.
    """
    understood = False
    for part in PARTS.split(written):
        days = _days(part)
        spans = CLOCKS.findall(part)
        if ALWAYS.search(part):
            understood = True
            if local.isoweekday() in days:
                return True
        for span in spans:
            found = _times(*span)
            if found is None:
                continue
            understood = True
            if _inside(days, *found, local):
                return True
    return False if understood else None


def _days(part: str) -> frozenset[int]:
    days: set[int] = set()
    for first, last in SPAN.findall(part):
        low, high = DAYS[first], DAYS[last]
        days |= set(range(low, high + 1)) if low <= high else EVERY_DAY - set(range(high + 1, low))
    rest = SPAN.sub("", part)
    days |= {DAYS[word] for word in SINGLE.findall(rest)}
    if WORKDAYS.search(rest):
        days |= {1, 2, 3, 4, 5}
    return frozenset(days) or EVERY_DAY


def _times(*given: str) -> tuple[time, time] | None:
    begin_h, begin_m, end_h, end_m = (int(one) for one in given)
    if begin_h > 23 or end_h > 24 or begin_m > 59 or end_m > 59:
        return None
    return time(begin_h, begin_m), (time.max if end_h == 24 else time(end_h, end_m))


def _inside(days: frozenset[int], begins: time, ends: time, local: datetime) -> bool:
    """A span over midnight belongs to the day on which it began."""
    now, today = local.time(), local.isoweekday() in days
    yesterday = (local.isoweekday() - 2) % 7 + 1 in days
    if begins <= ends:
        return today and begins <= now < ends
    return (today and now >= begins) or (yesterday and now < ends)
