"""The page of a segment's presence radius: what holds, what was, and another from a day on."""

import uuid
from datetime import datetime, time

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.access import Actor, may
from roadchief.accounts.signin import allows, current
from roadchief.errors import NotFound, Refusal, status_of
from roadchief.lib import clock
from roadchief.patrol import rules
from roadchief.patrol.planning import weeks
from roadchief.patrol.presence import radius
from roadchief.streets import catalog
from roadchief.web import tenant_transaction
from roadchief.web.forms import date_field, decimal_field, optional_id, text_field
from roadchief.web.pages import language

pages = Blueprint("radius", __name__, url_prefix="/chief/segments")


@pages.get("/<uuid:segment_id>/radius")
@allows("patrol.chief")
def show(segment_id: uuid.UUID) -> str:
    """With `?radius=` also what that radius would have made of the last visits."""
    wished = decimal_field(
        request.args, "radius", label=gettext("半径（米）"), low=radius.LEAST_M, high=radius.MOST_M
    )
    return _page(segment_id, wished)


@pages.post("/<uuid:segment_id>/radius")
@allows("patrol.radius")
def change(segment_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    actor, at, form = current(), clock.now(), request.form
    with tenant_transaction(actor.subdistrict_id) as session:
        _within(session, actor, segment_id, at=at)
    try:
        to = None
        if form.get("way") != "rules":
            label = gettext("半径（米）")
            text_field(form, "radius", label=label, limit=20)
            to = decimal_field(form, "radius", label=label, low=radius.LEAST_M, high=radius.MOST_M)
        with tenant_transaction(actor.subdistrict_id) as session:
            radius.set_radius(
                session,
                segment_id,
                to=to,
                from_at=_from(at),
                by=actor.person_id,
                at=at,
                because=text_field(form, "because", label=gettext("原因")),
                seen=optional_id(form, "seen", label="seen"),
                looked=True,
            )
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(segment_id, None, trouble=refusal.say(language())), status_of(refusal)
    flash(gettext("半径已登记，手机下次下载班次时更新。"), "ok")
    return redirect(url_for("radius.show", segment_id=segment_id), 303)


def _page(segment_id: uuid.UUID, wished: float | None, trouble: str | None = None) -> str:
    actor, at = current(), clock.now()
    rule = rules.reach()
    with tenant_transaction(actor.subdistrict_id) as session:
        _within(session, actor, segment_id, at=at)
        segment, _road = catalog.segment(session, segment_id)
        held = radius.look(session, segment_id, at=at)
        tried = sorted({held.radius_m, wished} - {None}) if wished else [held.radius_m]
        tries = [
            (one, radius.reckon_again(session, segment_id, one, at=at))
            for one in tried
            if one is not None
        ]
    return render_template(
        "patrol/radius.html",
        segment=segment,
        held=held,
        rule=rule,
        wished=wished,
        tries=tries,
        examples=radius.example(rule, wished or held.radius_m),
        low=radius.LEAST_M,
        high=radius.MOST_M,
        days=radius.FARTHEST.days,
        today=clock.local_date(at),
        outcomes=radius.OUTCOMES,
        may_set=may(actor, "patrol.radius").allowed and segment.closed_at is None,
        at=at,
        said=request.form,
        trouble=trouble,
    )


def _from(at: datetime) -> datetime | None:
    """From the beginning of a day to come; today or nothing: from now."""
    if not request.form.get("from", "").strip():
        return None
    day, today = date_field(request.form, "from", label=gettext("生效日期")), clock.local_date(at)
    if day == today:
        return None
    far = 2 * radius.FARTHEST  # any day out of bounds will do: the verb refuses it by name
    return weeks.instant(min(max(day, today - far), today + far), time())


def _within(session: Session, actor: Actor, segment_id: uuid.UUID, *, at: datetime) -> None:
    """Chiefs reach their own segments; the others' are not found."""
    mine = weeks.own_segments(session, actor, at=at)
    if mine is not None and segment_id not in mine:
        raise NotFound
