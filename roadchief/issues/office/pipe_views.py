"""The page of what stands still."""

from flask import Blueprint, render_template

from roadchief.accounts.access import may
from roadchief.accounts.signin import allows, current
from roadchief.issues.office import pipes
from roadchief.lib import clock
from roadchief.web import tenant_transaction

pages = Blueprint("pipes", __name__, url_prefix="/admin/pipes")


@pages.get("")
@allows("issues.pipes")
def show() -> str:
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        matters = pipes.look(session, at=at)
    return render_template(
        "issues/pipes.html",
        matters=matters,
        at=at,
        most=pipes.MOST,
        opens_cases=may(actor, "issues.desk").allowed,
    )
