"""The door: signing in and out, and the first password by invitation."""

import secrets
from datetime import datetime

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts import passwords, people, sessions
from roadchief.accounts.signin import (
    current_or_none,
    device,
    forget,
    public,
    safe_path,
    signed_in,
)
from roadchief.errors import BadInput, Refusal, status_of
from roadchief.lib import clock
from roadchief.lib.text import clean
from roadchief.web import settings, tenant_transaction
from roadchief.web.limits import limiter
from roadchief.web.pages import language, wants_json

pages = Blueprint("signin", __name__)


@pages.get("/sign-in")
@public("the door")
def sign_in() -> str | AnyResponse:
    if current_or_none():
        return redirect(safe_path(request.args.get("next")))
    return render_template("accounts/sign_in.html", trouble=None, login="")


@pages.post("/sign-in")
@public("the door")
@limiter.limit("60 per minute")
def enter() -> str | AnyResponse | tuple[str, int]:
    login = clean(request.form.get("login", ""))[:64].lower()
    at = clock.now()
    try:
        cookie = _try_sign_in(login, at)
    except Refusal as refusal:
        if wants_json():
            raise
        return refused(refusal, login=login)
    return signed_in(cookie, request.form.get("next"))


def _try_sign_in(login: str, at: datetime) -> str:
    with tenant_transaction(None) as session:
        keys = [f"login:{login}"]  # addresses are counted by the limit on this view
        sessions.count_attempt(session, keys, at=at, settings=settings())
        place = sessions.sub_district_of(session, login)
    with tenant_transaction(place[0] if place else None) as session:
        if place is None:
            passwords.is_right(request.form.get("password", ""), None, settings())
            raise sessions.WrongCredentials
        person, second = sessions.check(
            session,
            place[1],
            request.form.get("password", ""),
            request.form.get("code", ""),
            at=at,
            settings=settings(),
        )
        sessions.forget_attempts(session, login)
        return sessions.begin(session, person, second_factor=second, device=device(), at=at)


@pages.post("/sign-out")
@public("whoever holds a session may end it")
def sign_out() -> AnyResponse:
    actor = current_or_none()
    if actor:
        with tenant_transaction(actor.subdistrict_id) as session:
            sessions.end(session, g.sign_in_session, actor.person_id, at=clock.now())
    response = redirect("/")
    forget(response)
    return response


@pages.route("/invitation/<token>", methods=["GET", "POST"])
@public("whoever holds the unguessable link may set the password")
@limiter.limit("20 per minute")
def invitation(token: str) -> str | AnyResponse | tuple[str, int]:
    place, _, secret = token.partition(".")
    if not (place.isdigit() and place.isascii() and len(place) == 9 and secret):
        raise people.InvitationOver
    trouble = None
    if request.method == "POST":
        try:
            return _accept_invitation(int(place), secret)
        except BadInput as refusal:
            if wants_json():
                raise
            trouble = refusal
    with tenant_transaction(int(place)) as session:
        person = people.invited_person(session, secret, at=clock.now())
        said = trouble.say(language()) if trouble else None
        page = render_template("accounts/invitation.html", person=person, trouble=said)
    return page, status_of(trouble) if trouble else 200


def _accept_invitation(subdistrict_id: int, secret: str) -> AnyResponse:
    password = request.form.get("password", "")
    if not secrets.compare_digest(password.encode(), request.form.get("again", "").encode()):
        raise BadInput(field="密码 password", reason_zh="两次不一致", reason_en="not the same")
    with tenant_transaction(subdistrict_id) as session:
        people.accept_invitation(session, secret, password, at=clock.now(), settings=settings())
    flash(gettext("密码已设置，请登录。"), "ok")
    return redirect(url_for("signin.sign_in"))


def refused(refusal: Refusal, *, login: str = "") -> tuple[str, int]:
    """The door again, with the reason."""
    page = render_template("accounts/sign_in.html", trouble=refusal.say(language()), login=login)
    return page, status_of(refusal)
