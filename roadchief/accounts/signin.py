"""The door: signing in and out, the guard of every view, and one's own account."""

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import pyotp
from flask import Blueprint, Flask, Response, flash, g, redirect, render_template, request, url_for
from flask import session as browser
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief import events
from roadchief.accounts import passwords, people, roster, sessions
from roadchief.accounts.access import ROLES, Actor, may
from roadchief.errors import BadInput, NotAllowed, NotSignedIn, Refusal, status_of
from roadchief.lib import clock
from roadchief.lib.symbols import qr_svg
from roadchief.lib.text import clean
from roadchief.web import settings, tenant_transaction
from roadchief.web.forms import id_field
from roadchief.web.limits import limiter
from roadchief.web.pages import language, wants_json
from roadchief.web.security import cookie_name

pages = Blueprint("signin", __name__)
View = TypeVar("View", bound=Callable[..., Any])
PENDING = "second-factor"  # in the signed browser session until it is confirmed


def allows(action: str) -> Callable[[View], View]:
    """The view may be called by whoever holds `action` in access.TABLE."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*arguments: Any, **named: Any) -> Any:
            actor = current_or_none()
            if actor is None:
                if wants_json() or request.method != "GET":
                    raise NotSignedIn
                return redirect(url_for("signin.sign_in", next=request.full_path.rstrip("?")))
            verdict = may(actor, action)
            if verdict.reason == "second_factor":
                if wants_json():
                    raise NotAllowed
                return redirect(url_for("signin.second_factor"))
            if not verdict.allowed:
                raise NotAllowed
            return view(*arguments, **named)

        guarded.access = action  # type: ignore[attr-defined]
        return cast(View, guarded)

    return guard


def public(why: str) -> Callable[[View], View]:
    """The view may be called by anybody; `why` says what makes that right."""

    def mark(view: View) -> View:
        view.access = f"public: {why}"  # type: ignore[attr-defined]
        return view

    return mark


def current() -> Actor:
    actor = current_or_none()
    if actor is None:
        raise NotSignedIn
    return actor


def current_or_none() -> Actor | None:
    """Who is signed in, looked up once a request."""
    if "actor" not in g:
        g.actor, g.sign_in_session = None, None
        place, _, token = request.cookies.get(_cookie(), "").partition(".")
        if place.isdigit() and len(place) == 9 and place.isascii() and token:
            with tenant_transaction(int(place)) as session:
                found = sessions.recognise(session, token, at=clock.now(), settings=settings())
            if found:
                g.actor, g.sign_in_session = found
    return cast(Actor | None, g.actor)


@pages.get("/sign-in")
@public("the door")
def sign_in() -> str | AnyResponse:
    if current_or_none():
        return redirect(_safe(request.args.get("next")))
    return render_template("accounts/sign_in.html", trouble=None, login="", bare=False)


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
        page = render_template(
            "accounts/sign_in.html", trouble=refusal.say(language()), login=login
        )
        return page, status_of(refusal)
    response = redirect(_safe(request.form.get("next")))
    browser.clear()  # a new CSRF token for a new person
    _set_cookie(response, cookie)
    return response


def _try_sign_in(login: str, at: Any) -> str:
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
        device = request.user_agent.string or "?"
        return sessions.begin(session, person, second_factor=second, device=device, at=at)


@pages.post("/sign-out")
@public("whoever holds a session may end it")
def sign_out() -> AnyResponse:
    actor = current_or_none()
    if actor:
        with tenant_transaction(actor.subdistrict_id) as session:
            sessions.end(session, g.sign_in_session, actor.person_id, at=clock.now())
    response = redirect("/")
    response.delete_cookie(_cookie(), secure=settings().secure, httponly=True, samesite="Lax")
    browser.clear()
    return response


@pages.get("/account")
@allows("own.account")
def account() -> str:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        return render_template(
            "accounts/account.html",
            person=roster.find(session, actor.person_id),
            posts=roster.running_posts(session, actor.person_id, at=clock.now()),
            sessions=sessions.running(session, actor.person_id),
            this=g.sign_in_session,
        )


@pages.post("/account/sessions/end")
@allows("own.account")
def end_session() -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        which = id_field(request.form, "session", label=gettext("设备"))
        sessions.end(session, which, actor.person_id, at=clock.now())
    return redirect(url_for("signin.account"))


@pages.post("/account/sign-out-everywhere")
@allows("own.account")
def sign_out_everywhere() -> AnyResponse:
    actor = current()
    at = clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        people.end_sessions(session, actor.person_id, at=at)
        person = roster.find(session, actor.person_id)
        name = "accounts.signed_out_everywhere"
        events.record(session, name, subject=person, by=actor.person_id, at=at)
    return redirect(url_for("signin.sign_in"))


@pages.post("/account/password")
@allows("own.account")
@limiter.limit("10 per minute")
def change_password() -> AnyResponse:
    actor = current()
    at = clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        person = roster.find(session, actor.person_id)
        old, new = request.form.get("old", ""), request.form.get("new", "")
        if not passwords.is_right(old, person.password_hash, settings()):
            raise BadInput(field="旧密码 old password", reason_zh="不正确", reason_en="not right")
        least = settings().password_min_length
        passwords.check_new(new, login=person.login, name=person.name, least=least)
        people.set_password(session, person, new, at=at, settings=settings())
    flash(gettext("密码已更改，请重新登录。"), "ok")
    return redirect(url_for("signin.sign_in"))


@pages.get("/account/second-factor")
@allows("own.account")
def second_factor() -> str:
    actor = current()
    secret = browser.get(PENDING) or people.new_second_factor()
    browser[PENDING] = secret
    uri = pyotp.TOTP(secret).provisioning_uri(name=actor.name, issuer_name="RoadChief")
    with tenant_transaction(actor.subdistrict_id) as session:
        person = roster.find(session, actor.person_id)
    return render_template(
        "accounts/second_factor.html",
        secret=secret,
        drawing=qr_svg(uri),
        has_one=person.totp_confirmed_at is not None,
    )


@pages.post("/account/second-factor")
@allows("own.account")
@limiter.limit("10 per minute")
def confirm_second_factor() -> AnyResponse:
    """Proves that the phone knows the secret; this browser then counts as shown."""
    actor, at = current(), clock.now()
    secret = str(browser.get(PENDING, ""))
    step = sessions.matching_step(secret, request.form.get("code", ""), at=at) if secret else None
    if step is None:
        raise BadInput(
            field="验证码 code", reason_zh="不正确或已过期", reason_en="wrong or expired"
        )
    with tenant_transaction(actor.subdistrict_id) as session:
        person = roster.find(session, actor.person_id)
        if person.totp_confirmed_at and not actor.second_factor:
            raise NotAllowed
        people.confirm_second_factor(session, person, secret, at=at)
        person.totp_last_step = step
        people.end_sessions(session, person.id, at=at)
        device = request.user_agent.string or "?"
        cookie = sessions.begin(session, person, second_factor=True, device=device, at=at)
    browser.clear()
    response = redirect(url_for("signin.account"))
    _set_cookie(response, cookie)
    return response


@pages.route("/invitation/<token>", methods=["GET", "POST"])
@public("whoever holds the unguessable link may set the password")
@limiter.limit("20 per minute")
def invitation(token: str) -> str | AnyResponse:
    place, _, secret = token.partition(".")
    if not (place.isdigit() and place.isascii() and len(place) == 9 and secret):
        raise people.InvitationOver
    with tenant_transaction(int(place)) as session:
        if request.method == "GET":
            person = people.invited_person(session, secret, at=clock.now())
            return render_template("accounts/invitation.html", person=person)
        password = request.form.get("password", "")
        if not secrets.compare_digest(password.encode(), request.form.get("again", "").encode()):
            raise BadInput(field="密码 password", reason_zh="两次不一致", reason_en="not the same")
        people.accept_invitation(session, secret, password, at=clock.now(), settings=settings())
    flash(gettext("密码已设置，请登录。"), "ok")
    return redirect(url_for("signin.sign_in"))


def install(app: Flask) -> None:
    app.register_blueprint(pages)
    app.context_processor(lambda: {"actor": _actor_for_page(), "role_name": role_name})


def role_name(role: str) -> str:
    return ROLES.get(role, (role, role))[0 if language() == "zh" else 1]


def _actor_for_page() -> Actor | None:
    """Pages of refusals must not ask the database again: it may be what failed."""
    return cast(Actor | None, g.get("actor"))


def _safe(address: str | None) -> str:
    """Only a path of this site, never another host."""
    path = address or "/"
    parts = urlsplit(path)
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path
    return path if plain and not parts.netloc and path.isprintable() else "/"


def _set_cookie(response: AnyResponse, value: str) -> None:
    cast(Response, response).set_cookie(
        _cookie(),
        value,
        max_age=settings().session_absolute_s,
        secure=settings().secure,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def _cookie() -> str:
    return cookie_name("roadchief-person", settings())
