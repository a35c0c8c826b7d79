"""The clocks of a case, reckoned again whenever something stops, starts or moves them."""

from datetime import datetime, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from roadchief.db import new_id, tenant_of
from roadchief.holidays import calendar
from roadchief.issues import deadlines
from roadchief.issues.deadlines import Limit, Pause, Plan
from roadchief.issues.models import Case, CasePause


def pauses_of(session: Session, case: Case) -> list[CasePause]:
    return list(
        session.scalars(
            select(CasePause)
            .where(CasePause.subdistrict_id == tenant_of(session), CasePause.case_id == case.id)
            .order_by(CasePause.begins_at)
        )
    )


def pause(session: Session, case: Case, kind: str, *, because: str, at: datetime) -> None:
    """Stop the unit's clock. Several may stand at once: together they count once."""
    session.add(
        CasePause(
            subdistrict_id=case.subdistrict_id,
            id=new_id(),
            case_id=case.id,
            kind=kind,
            because=because,
            begins_at=at,
        )
    )
    session.flush()


def go_on(session: Session, case: Case, kind: str, *, at: datetime) -> None:
    session.execute(
        update(CasePause)
        .where(CasePause.subdistrict_id == case.subdistrict_id, CasePause.case_id == case.id)
        .where(CasePause.kind == kind, CasePause.ends_at.is_(None))
        .values(ends_at=at)
        .execution_options(synchronize_session=False)
    )


def limit_of(case: Case) -> Limit:
    return Limit(case.limit_amount + case.extra_amount, case.limit_clock)


def reckon(session: Session, case: Case, *, at: datetime, fresh: bool = False) -> Plan:
    """Write due, yellow and black of the case as they are now. `fresh`: it has no pauses yet."""
    rows = [] if fresh else pauses_of(session, case)
    plan = deadlines.plan(
        case.begun_at,
        limit_of(case),
        [Pause(row.begins_at, row.ends_at) for row in rows],
        at,
        calendar(session),
    )
    case.due_at, case.yellow_at, case.black_at = plan.due, plan.yellow, plan.black
    case.provisional = plan.provisional
    open_ones = [row.begins_at for row in rows if row.ends_at is None]
    case.paused_at = min(open_ones) if open_ones else None
    return plan


def after(session: Session, begun: datetime, limit: Limit, *, at: datetime) -> datetime:
    """When a limit begun at an instant is used up, without pauses."""
    return deadlines.plan(begun, limit, [], at, calendar(session)).due


def unit_time(session: Session, case: Case, *, until: datetime) -> timedelta:
    """Agency time: what the unit used of its own clock."""
    spans = [Pause(row.begins_at, row.ends_at) for row in pauses_of(session, case)]
    return deadlines.used(case.begun_at, until, spans, case.limit_clock, calendar(session))


def wait_briefly(session: Session) -> None:
    """A row that somebody holds is waited for two seconds, no longer."""
    session.execute(text("SET LOCAL lock_timeout = '2s'"))
