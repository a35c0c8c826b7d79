"""Reported again: what was closed too long ago to go on begins as a new case that names the old."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from roadchief.errors import RuleBroken
from roadchief.issues import cases, categories, numbering
from roadchief.issues.citizens import feedback, reporting
from roadchief.issues.models import Case
from roadchief.issues.voices import Receipt


class ReopenInstead(RuleBroken):
    zh = "此案件还可以重新打开：请在回执页选择“没有解决”，由原案件继续办理"
    en = "this case can still be reopened: say “not solved” on the receipt, and it goes on"


def old_case(session: Session, receipt: Receipt, *, at: datetime, hold: bool) -> Case:
    """The closed case that the holder of this receipt may report again; held if it will be.

    A copy stands for its master. One that can still be reopened is to be reopened.
    """
    take = cases.locked if hold else cases.find
    case = take(session, receipt.case_id)
    if case.master_id:
        case = take(session, case.master_id)
    if case.state != "closed" or not feedback.too_late(case, at):
        raise ReopenInstead
    return case


def link(session: Session, case: Case, *, of: Case, at: datetime) -> None:
    """A new report of the old matter: both stories say so.

    It counts as a repeat as all others do: the same class, within 30 days of the closing.
    """
    case.again_of_id = of.id
    fresh = of.ended_at is not None and at - of.ended_at < timedelta(days=numbering.REPEAT_DAYS)
    case.repeat = case.repeat or (fresh and of.category == case.category)
    public = case.category in categories.public_codes()
    cases.add_step(session, of, "again", of.state, feedback.CITIZEN, at=at, public=public)
    of.updated_at = at


def prefilled(session: Session, case: Case) -> dict[str, str]:
    """Place and class of the old case, as the form takes them.

    The place as the public sees it: the holder may be a follower, and a phone's fix is nobody's.
    """
    kind = categories.find(case.category)
    given = {"said": case.address, "category": kind.code if kind.reportable else ""}
    if case.storefront_id:
        return given | {"storefront": str(case.storefront_id)}
    point = reporting.snapped(session, [case.id]).get(case.id)
    if point is None:
        return given
    return given | {"lon": f"{point.x:.6f}", "lat": f"{point.y:.6f}"}
