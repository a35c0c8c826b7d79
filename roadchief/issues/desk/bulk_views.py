"""Several cases at once: what would happen is shown first; one that is refused spoils no other."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from flask import render_template, request
from sqlalchemy.orm import Session

from roadchief.accounts.access import Actor
from roadchief.accounts.signin import allows, current
from roadchief.db import savepoint, tenant_of
from roadchief.errors import Refusal
from roadchief.issues import acting, cases, categories, forms, moves, reach
from roadchief.issues.acting import Act
from roadchief.issues.desk import views
from roadchief.issues.desk.views import reached
from roadchief.issues.models import Case
from roadchief.issues.reach import Scope
from roadchief.issues.refusals import NoSuchCase, bad
from roadchief.lib import clock
from roadchief.web import tenant_transaction
from roadchief.web.pages import language

pages = views.pages  # the same desk
MOST_AT_ONCE = 200


class _OnlyLooking(Exception):
    """No error: what was tried is taken back."""


@dataclass(frozen=True)
class Line:
    """One case: where it stands and where it would go."""

    id: uuid.UUID
    number: str
    category: str
    address: str
    version: int
    before: str
    after: str


@dataclass
class Outcome:
    """What was done, or would be, and what was refused and why."""

    done: list[Line] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


@pages.post("/bulk")
@allows("issues.desk")
def bulk() -> str:
    """Without `sure` everything is tried and taken back, and the page asks."""
    actor, at = current(), clock.now()
    verb, sure = request.form.get("verb", ""), request.form.get("sure") == "1"
    ids = sorted(forms.ids_of(request.form.getlist("case"), most=MOST_AT_ONCE))
    if verb not in acting.IN_BULK or not ids:
        raise bad("批量 bulk", "请选择案件和操作", "choose cases and what to do")
    outcome = Outcome()
    with tenant_transaction(actor.subdistrict_id) as session:
        scope = reach.scope_of(session, actor, at=at)
        try:
            with savepoint(session):
                for case_id in ids:
                    _one(session, case_id, actor, scope, verb, outcome, at)
                if not sure:
                    raise _OnlyLooking
        except _OnlyLooking:
            pass
        # What was handed away is named, but no link leads there any more.
        still = reach.among(session, [line.id for line in outcome.done], scope)
    return render_template(
        "issues/bulk.html",
        outcome=outcome,
        sure=sure,
        still=still,
        verb=moves.BY_VERB[verb],
        given=request.form,
        states=moves.STATES,
        known=categories.known(),
    )


def _one(
    session: Session,
    case_id: uuid.UUID,
    actor: Actor,
    scope: Scope,
    verb: str,
    outcome: Outcome,
    at: datetime,
) -> None:
    """In a savepoint of its own. What the page showed is what is done: a case that moved on
    since is refused, with what happened."""
    form = request.form.to_dict() | {"version": request.form.get(f"seen-{case_id}", "")}
    units = tuple(forms.ids_of(request.form.getlist("unit")))
    try:
        with savepoint(session):
            _row, parts = reached(session, case_id, actor, scope)
            who = acting.who_for(verb, parts, actor.person_id)
            row = cases.locked(session, case_id)
            before, version = row.state, row.version
            acting.act(session, row, verb, Act(who, at, form, units, scope=scope))
            session.flush()
            line = Line(row.id, row.number, row.category, row.address, version, before, row.state)
        outcome.done.append(line)
    except NoSuchCase as nothing:
        outcome.refused.append(("—", nothing.say(language())))
    except Refusal as refusal:
        outcome.refused.append((_number(session, case_id), refusal.say(language())))


def _number(session: Session, case_id: uuid.UUID) -> str:
    row = session.get(Case, (tenant_of(session), case_id))
    return row.number if row else "—"
