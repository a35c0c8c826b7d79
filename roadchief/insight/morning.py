"""The cases of a chief's morning: past their time, and done and waiting for somebody to look."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from roadchief.accounts.access import Actor, may
from roadchief.db import tenant_of
from roadchief.issues import board, reach
from roadchief.issues.board import Filter, Row
from roadchief.issues.models import Case
from roadchief.issues.reach import Scope

LATE, CHECKS = 5, 3  # lines on the page; the desk has them all


@dataclass(frozen=True)
class Cases:
    """The first lines of either shelf, how many stand on it, and on both together: a case that is
    late and waits for a look is one."""

    late: list[Row]
    checks: list[Row]
    overdue: int
    to_check: int
    waiting: int


def cases(session: Session, actor: Actor, *, at: datetime) -> Cases | None:
    """None for somebody who has no desk."""
    if not may(actor, "issues.desk").allowed:
        return None
    scope = reach.scope_of(session, actor, at=at)
    late, overdue = board.page(session, Filter("overdue"), scope, at=at, number=1, size=LATE)
    checks, to_check = board.page(session, Filter("check"), scope, at=at, number=1, size=CHECKS)
    late_ones = {row.case.id for row in late}  # said once, as what is worse
    rest = [row for row in checks if row.case.id not in late_ones]
    return Cases(late, rest, overdue, to_check, _waiting(session, scope, at))


def _waiting(session: Session, scope: Scope, at: datetime) -> int:
    shelves = or_(board.tab("overdue", scope, at), board.tab("check", scope, at))
    here = Case.subdistrict_id == tenant_of(session)
    some = select(Case.id).where(here, reach.visible(session, scope), shelves).limit(board.COUNTED)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0
