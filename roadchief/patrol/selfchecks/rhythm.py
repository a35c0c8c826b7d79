"""When a shop's next self-check is due, said kindly. *Pure.*

It is a rhythm, not a duty with a penalty: who is late is asked, never accused.
"""

from dataclasses import dataclass
from datetime import date, timedelta

OVERDUE, DUE, SOON, DONE = "overdue", "due", "soon", "done"
# State: Chinese and English word. The marks are those of `due`.
WORDS: dict[str, tuple[str, str]] = {
    OVERDUE: ("该补一次了", "overdue"),
    DUE: ("今天自查", "due today"),
    SOON: ("快到了", "due soon"),
    DONE: ("已自查", "done"),
}


@dataclass(frozen=True)
class Turn:
    """Where a shop stands: `left` days until the due day, below zero when it is past."""

    state: str
    due_on: date
    left: int
    first: bool

    def say(self, language: str) -> str:
        day = f"{self.due_on.month}月{self.due_on.day}日"
        if language != "zh":
            day = f"{self.due_on:%d %b}".lstrip("0")
        if self.state == OVERDUE:
            late = -self.left
            return (
                f"已过 {late} 天（{day}），补一次就好"
                if language == "zh"
                else f"{late} days past {day}: one check makes it good"
            )
        if self.state == DUE:
            return "今天该自查了，两分钟就好" if language == "zh" else "due today, two minutes"
        if language == "zh":
            return f"{'第一次' if self.first else '下次'}自查请在 {day} 前"
        return f"{'first' if self.first else 'next'} check by {day}"


def judge(
    last_on: date | None, *, since_on: date, today: date, every_days: int, soon_days: int
) -> Turn:
    """`since_on` counts where there was none yet: the day from which somebody could check."""
    due_on = (last_on or since_on) + timedelta(days=every_days)
    left = (due_on - today).days
    if left < 0:
        state = OVERDUE
    elif left == 0:
        state = DUE
    else:
        state = SOON if left <= soon_days else DONE
    return Turn(state, due_on, left, first=last_on is None)


def on_time(last_on: date | None, checked_on: date, *, every_days: int) -> bool:
    """Did this check come within the rhythm of the one before? The first one always does."""
    return last_on is None or (checked_on - last_on).days <= every_days
