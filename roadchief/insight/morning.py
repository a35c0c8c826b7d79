"""The cases of a chief's morning: past their time, and done and waiting for somebody to look."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from roadchief.accounts.access import Actor, may
from roadchief.issues import board, reach
from roadchief.issues.board import Filter, Row

LATE, CHECKS = 5, 3  # lines on the page; the desk has them all


@dataclass(frozen=True)
class Cases:
    """The first lines of either shelf, and how many stand on it."""

    late: list[Row]
    checks: list[Row]
    overdue: int
    to_check: int


def cases(session: Session, actor: Actor, *, at: datetime) -> Cases | None:
    """None for somebody who has no desk."""
    if not may(actor, "issues.desk").allowed:
        return None
    scope = reach.scope_of(session, actor, at=at)
    late, overdue = board.page(session, Filter("overdue"), scope, at=at, number=1, size=LATE)
    checks, to_check = board.page(session, Filter("check"), scope, at=at, number=1, size=CHECKS)
    late_ones = {row.case.id for row in late}  # said once, as what is worse
    return Cases(late, [row for row in checks if row.case.id not in late_ones], overdue, to_check)
