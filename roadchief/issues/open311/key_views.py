"""The administrator's page of keys for other systems."""

import uuid

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.signin import allows, current
from roadchief.issues import forms
from roadchief.issues.open311 import keys
from roadchief.issues.refusals import bad
from roadchief.lib import clock
from roadchief.web import tenant_transaction

pages = Blueprint("keys", __name__, url_prefix="/admin/keys")


@pages.get("")
@allows("issues.keys")
def listing() -> str:
    return _listed()


@pages.post("")
@allows("issues.keys")
def make() -> Response:
    """The new key stands on the answer's page, and nowhere else."""
    actor, form = current(), request.form
    name = forms.needed_text(form, "name", label=gettext("系统名称"), most=60)
    scopes = [one for one in form.getlist("scope") if one in keys.SCOPES]
    if not scopes:
        raise bad("权限 scope", "请至少选一项", "choose at least one")
    with tenant_transaction(actor.subdistrict_id) as session:
        key = keys.make(
            session,
            name,
            scopes,
            at=clock.now(),
            by=actor.person_id,
            a_minute=_a_minute(form.get("a_minute", "")),
        )
    return _told(key, name)


@pages.post("/<uuid:key_id>/rotate")
@allows("issues.keys")
def rotate(key_id: uuid.UUID) -> Response:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        key = keys.rotate(session, key_id, by=actor.person_id, at=clock.now())
    return _told(key, gettext("更换后的密钥"))


@pages.post("/<uuid:key_id>/end")
@allows("issues.keys")
def end(key_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        keys.end(session, key_id, by=actor.person_id, at=clock.now())
    return redirect(url_for("keys.listing"), 303)


def _told(key: str, name: str) -> Response:
    """Kept by no cache; going back or reloading does not show it again."""
    response = make_response(_listed(fresh=key, fresh_name=name))
    response.headers["Cache-Control"] = "no-store"
    return response


def _listed(fresh: str | None = None, fresh_name: str = "") -> str:
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        return render_template(
            "issues/keys.html",
            rows=keys.listing(session),
            scopes=keys.SCOPES,
            fresh=fresh,
            fresh_name=fresh_name,
            at=at,
            usual=keys.A_MINUTE,
            most=keys.MOST_A_MINUTE,
            place=actor.subdistrict_id,
            grace_days=keys.GRACE.days,
        )


def _a_minute(given: str) -> int:
    text = given.strip()
    if not text:
        return keys.A_MINUTE
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= keys.MOST_A_MINUTE:
        return int(text)
    raise bad(
        "每分钟次数 a_minute",
        f"请填 1 到 {keys.MOST_A_MINUTE} 的整数",
        f"a whole number from 1 to {keys.MOST_A_MINUTE}",
    )
