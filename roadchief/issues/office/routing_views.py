"""The page of a sub-district's own rules of routing, with "which rule, and why"."""

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.signin import allows, current
from roadchief.db import tenant_of
from roadchief.errors import NotFound, Refusal, status_of
from roadchief.issues import categories, forms, opening
from roadchief.issues.office import own_rules
from roadchief.issues.office.own_rules import Draft
from roadchief.issues.refusals import bad
from roadchief.lib import clock
from roadchief.streets.models import Grid, RoadSegment
from roadchief.web import tenant_transaction
from roadchief.web.pages import language

pages = Blueprint("routing", __name__, url_prefix="/admin/routing")
LET = {"": None, "yes": True, "no": False}


@pages.get("")
@allows("issues.routing")
def listing() -> str | tuple[str, int]:
    """With `?try=` the answer for a case of that category and place."""
    try:
        return _listed()
    except Refusal as refusal:
        return _listed(trouble=refusal.say(language()), trying=False), status_of(refusal)


@pages.post("")
@allows("issues.routing")
def add() -> AnyResponse | tuple[str, int]:
    """A refusal shows the page with what was written."""
    actor = current()
    try:
        with tenant_transaction(actor.subdistrict_id) as session:
            own_rules.add(session, _draft(), by=actor.person_id, at=clock.now())
    except Refusal as refusal:
        return _listed(trouble=refusal.say(language()), trying=False), status_of(refusal)
    flash(gettext("规则已添加，只影响之后立案的案件。"), "ok")
    return redirect(url_for("routing.listing"), 303)


@pages.post("/<uuid:rule_id>/<act>")
@allows("issues.routing")
def change(rule_id: uuid.UUID, act: str) -> AnyResponse:
    """`up`, `down` or `remove`."""
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        if act in ("up", "down"):
            own_rules.move(session, rule_id, up=act == "up", by=actor.person_id, at=at)
        elif act == "remove":
            own_rules.remove(session, rule_id, by=actor.person_id, at=at)
        else:
            raise NotFound
    return redirect(url_for("routing.listing"), 303)


def _draft() -> Draft:
    form = request.form
    unit = forms.id_of(form.get("unit"))
    if unit is None:
        raise bad("单位 unit", "请选择", "choose one")
    what = form.get("what", "")
    return Draft(
        name=" ".join(forms.long_text(form, "name", label=gettext("名称"), most=200).split()),
        unit_id=unit,
        category=what.removeprefix("c:") if what.startswith("c:") else None,
        group=what.removeprefix("g:") if what.startswith("g:") else None,
        segment_id=_place(form.get("segment", ""), gettext("路段")),
        grid_id=_place(form.get("grid", ""), gettext("网格")),
        let=LET.get(form.get("let", "")),
    )


def _place(given: str, label: str) -> uuid.UUID | None:
    """Empty means any; what cannot be read is refused, not taken for any."""
    found = forms.id_of(given)
    if given and found is None:
        raise bad(label, "不存在", "is not there")
    return found


def _listed(*, trouble: str | None = None, trying: bool = True) -> str:
    actor, asked = current(), request.args
    with tenant_transaction(actor.subdistrict_id) as session:
        route = None
        if trying and asked.get("try"):
            route = own_rules.tried(
                session,
                asked["try"],
                segment_id=_place(asked.get("segment", ""), gettext("路段")),
                grid_id=_place(asked.get("grid", ""), gettext("网格")),
                let=asked.get("let") == "yes",
            )
        return render_template(
            "issues/routing.html",
            rows=own_rules.listing(session),
            units=[unit for unit in opening.units(session) if not unit.ended],
            known=categories.known(),
            groups=categories.groups(),
            segments=_named(session, RoadSegment),
            grids=_named(session, Grid),
            route=route,
            trouble=trouble,
            written=request.form if request.method == "POST" else {},
        )


def _named(session: Session, model: type[RoadSegment] | type[Grid]) -> list[tuple[str, str]]:
    rows = session.execute(
        select(model.id, model.name)
        .where(model.subdistrict_id == tenant_of(session), model.closed_at.is_(None))
        .order_by(model.name)
        .limit(3000)
    )
    return [(str(row.id), row.name) for row in rows]
