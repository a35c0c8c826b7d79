"""What is worth a look, with reasons; and the door for sensors."""

import uuid
from datetime import datetime
from typing import Any

from flask import Blueprint, Flask, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.access import may
from roadchief.accounts.signin import allows, current, public
from roadchief.errors import NotSignedIn
from roadchief.insight import board_views, hints, morning_views, risk, sensors
from roadchief.insight.models import Hint
from roadchief.insight.rules import KINDS
from roadchief.issues import categories
from roadchief.issues.open311 import keys
from roadchief.lib import clock
from roadchief.patrol.planning import weeks
from roadchief.web import tenant_transaction
from roadchief.web.forms import json_in, text_field
from roadchief.web.limits import limiter
from roadchief.web.pages import Page, language, page_number
from roadchief.web.security import csrf

pages = Blueprint("insight", __name__)
SCOPE = "signals"


def _mine(session: Session) -> list[uuid.UUID] | None:
    return weeks.own_segments(session, current(), at=clock.now())


@pages.get("/chief/insight")
@allows("insight.read")
def start() -> str:
    kind, number = request.args.get("kind"), page_number()
    with tenant_transaction(current().subdistrict_id) as session:
        mine = _mine(session)
        rows, total = hints.page(session, kind=kind, among=mine, number=number)
        return render_template(
            "insight/start.html",
            page=Page(rows, number, total, hints.PAGE),
            counts=hints.counts(session, among=mine),
            risks=hints.risks(session, among=mine),
            visits=hints.next_visits(session, among=mine),
            hot=hints.hot_spots(session, among=mine),
            kinds=KINDS,
            chosen=kind if kind in KINDS else None,
        )


@pages.post("/chief/insight/<uuid:hint_id>/dismiss")
@allows("insight.settle")
def dismiss(hint_id: uuid.UUID) -> AnyResponse:
    actor = current()
    because = text_field(request.form, "because", label=gettext("原因"))
    with tenant_transaction(actor.subdistrict_id) as session:
        mine = _mine(session)
        hints.dismiss(
            session, hint_id, by=actor.person_id, at=clock.now(), because=because, among=mine
        )
    flash(gettext("已记录，不再提示。"), "ok")
    return redirect(url_for("insight.start"))


@pages.post("/api/v1/signals")
@public("sensors and cameras sign in by a key of their own")
@csrf.exempt
@limiter.limit("600 per minute")
def signal() -> AnyResponse | tuple[AnyResponse, int]:
    """`X-Api-Key` with the scope `signals`; `?s=` names the sub-district."""
    at, place = clock.now(), request.args.get("s", "")
    key = request.headers.get("X-Api-Key", "")[:200]
    if not (len(place) == 9 and place.isascii() and place.isdigit() and key):
        raise NotSignedIn
    body = json_in(request.get_data())
    with tenant_transaction(int(place)) as session:
        sender = keys.holder(session, key, SCOPE, at=at)
        if sender is None:
            raise NotSignedIn
        row, fresh = sensors.take(session, sensors.read(body, at=at), source=sender.name, at=at)
        told = {
            "id": row.source_ref,
            "outcome": row.outcome,
            "case_id": str(row.case_id) if row.case_id else None,
            "fresh": fresh,
        }
    return jsonify(told), 201 if fresh else 200


def install(app: Flask) -> None:
    app.register_blueprint(pages)
    app.register_blueprint(board_views.pages)
    app.register_blueprint(morning_views.pages)
    app.jinja_env.globals.update(
        hint_facts=facts_in_words, hint_door=door_of, risk_words=risk_in_words
    )


def door_of(hint: Hint) -> str:
    """The page where something can be done about it."""
    if hint.reasons.get("told_at"):
        return url_for("other_shops.look", storefront_id=hint.subject_id)
    if hint.subject_kind == "plate":
        return url_for("plates.plate", plate_id=hint.subject_id)
    if hint.subject_kind == "segment":
        if may(current(), "issues.desk").allowed:
            return url_for("desk.start", tab="overdue", segment=hint.subject_id)
        return url_for("maps.segment", segment_id=hint.subject_id)
    return url_for("streets.storefront", storefront_id=hint.subject_id)


def risk_in_words(reasons: list[dict[str, Any]]) -> list[tuple[str, float]]:
    """(the fact in words, its points), the heaviest first."""
    return [(risk.Part(**one).say(language()), one["points"]) for one in reasons]


def facts_in_words(kind: str, facts: dict[str, Any]) -> str:
    """Why a hint was given: the measured facts in one line."""
    if kind == "overdue":
        if not facts["black"]:
            return gettext("%(n)s 件超期", n=facts["cases"])
        return gettext(
            "%(n)s 件超期，其中 %(black)s 件超过两倍时限", n=facts["cases"], black=facts["black"]
        )
    if kind == "silence":
        days = int(facts["days"])
        if facts.get("last_at"):
            return gettext("%(n)s 天没有核验到访", n=days)
        return gettext("登记 %(n)s 天以来没有到过", n=days)
    if kind == "repeat":
        side = 0 if language() == "zh" else 1
        known = categories.known()
        words = [
            f"{(known[code].zh, known[code].en)[side] if code in known else code} ×{n}"
            for code, n in sorted(facts["classes"].items(), key=lambda one: -one[1])
        ]
        return gettext("30 天内：%(what)s", what="、".join(words))
    if kind == "turnover":
        return _turnover(facts)
    times = sum(facts["alarms"].values())
    return gettext("码牌异常扫码 %(n)s 次", n=times)


def _told(facts: dict[str, Any]) -> str:
    """When a patroller read what at the door."""
    day = f"{clock.local_date(datetime.fromisoformat(facts['told_at'])):%m-%d}"
    read = [
        words
        for given, words in (
            (facts.get("sign"), gettext("店招“%(name)s”", name=facts.get("sign"))),
            (facts.get("uscc"), gettext("执照 %(code)s", code=facts.get("uscc"))),
        )
        if given
    ]
    what = ("，" if language() == "zh" else ", ").join(read)
    if facts.get("vacant"):
        return gettext("%(day)s 巡查看到%(what)s，登记为空置", day=day, what=what)
    return gettext("%(day)s 巡查看到%(what)s，和登记的不同", day=day, what=what)


def _turnover(facts: dict[str, Any]) -> str:
    said = []
    if facts.get("told_at"):
        said.append(_told(facts))
    if facts.get("visits"):
        said.append(gettext("%(n)s 次到访都关着门或已拆，登记仍在经营", n=facts["visits"]))
    if facts.get("called"):
        said.append(gettext("现在的店名是“%(name)s”，和登记的不同", name=facts["called"]))
    elif "called" in facts:
        said.append(gettext("铺位已空，登记仍在经营"))
    if facts.get("licence"):
        said.append(gettext("%(n)s 次查到没有亮照或证照不符", n=facts["licence"]))
    return ("；" if language() == "zh" else "; ").join(said)
