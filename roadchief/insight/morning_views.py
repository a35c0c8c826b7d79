"""The chief's first page of the day: three numbers, one map, one list."""

from flask import Blueprint, render_template

from roadchief.accounts.access import may
from roadchief.accounts.signin import allows, current
from roadchief.insight import morning
from roadchief.issues import board as desk
from roadchief.issues import categories, moves
from roadchief.lib import clock
from roadchief.patrol.chief import board
from roadchief.patrol.planning import weeks
from roadchief.web import tenant_transaction

pages = Blueprint("morning", __name__, url_prefix="/chief")


@pages.get("/")
@allows("patrol.chief")
def start() -> str:
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        mine = weeks.own_segments(session, actor, at=at)
        found = board.morning(session, mine, at=at)
        cases = morning.cases(session, actor, at=at)
        return render_template(
            "insight/morning.html",
            found=found,
            cases=cases,
            counted=desk.COUNTED,
            known=categories.known(),
            states=moves.STATES,
            mine=mine,
            at=at,
            may_forms=may(actor, "patrol.forms").allowed,
            may_plan=may(actor, "patrol.plan").allowed,
            may_review=may(actor, "patrol.review").allowed,
        )
