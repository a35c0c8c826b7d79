"""What is due on a beat, and why. *Pure.*"""

from dataclasses import dataclass
from datetime import datetime

OVERDUE, DUE, SOON, DONE, UNKNOWN = "overdue", "due", "soon", "done", "unknown"
WORDS: dict[str, tuple[str, str]] = {
    OVERDUE: ("逾期", "overdue"),
    DUE: ("今天到期", "due today"),
    SOON: ("快到期", "due soon"),
    DONE: ("按时", "on time"),
    UNKNOWN: ("未到过", "never visited"),
}
# State, symbol, colour class: the same everywhere.
MARKS = {OVERDUE: "late", DUE: "due", SOON: "due", DONE: "ok", UNKNOWN: "none"}


@dataclass(frozen=True)
class Due:
    """A state, and whole days since the last verified visit (None: there was none)."""

    state: str
    days: int | None

    def say(self, language: str, *, every_days: int) -> str:
        zh = language == "zh"
        if self.days is None:
            return "还没有到过" if zh else "not visited yet"
        if zh:
            return f"{self.days} 天前到过，每 {every_days} 天一次"
        return f"visited {self.days} days ago, due every {every_days}"


def judge(last_at: datetime | None, *, at: datetime, every_days: int, soon_days: int) -> Due:
    """By the days since the last verified visit."""
    if last_at is None:
        return Due(UNKNOWN, None)
    days = max(0, (at - last_at).days)
    left = every_days - (at - last_at).total_seconds() / 86400
    if left < 0:
        return Due(OVERDUE, days)
    if left < 1:
        return Due(DUE, days)
    return Due(SOON if left <= soon_days else DONE, days)
