"""One's own account: posts, devices, keys for own programs, password, second factor."""

import pyotp
from flask import Blueprint, flash, g, make_response, redirect, render_template, request, url_for
from flask import session as browser
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief import events
from roadchief.accounts import access_keys, devices, passwords, people, roster, sessions
from roadchief.accounts.access import TABLE, may
from roadchief.accounts.signin import allows, current, device, signed_in
from roadchief.errors import BadInput, NotAllowed, status_of
from roadchief.lib import clock
from roadchief.lib.symbols import qr_svg
from roadchief.web import settings, tenant_transaction
from roadchief.web.forms import id_field, text_field
from roadchief.web.limits import limiter
from roadchief.web.pages import language, wants_json

pages = Blueprint("account", __name__)
PENDING = "second-factor"  # in the signed browser session until it is confirmed


@pages.get("/account")
@allows("own.account")
def account() -> str:
    return _account()


def _account(*, fresh: str | None = None, fresh_name: str = "") -> str:
    """`fresh`: a key that was made just now, shown this once."""
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        posts = roster.running_posts(session, actor.person_id, at=at)
        return render_template(
            "accounts/account.html",
            person=roster.find(session, actor.person_id),
            posts=posts,
            sessions=sessions.running(session, actor.person_id, at=at, settings=settings()),
            this=g.sign_in_session,
            device_name=lambda said: devices.plain_name(said, language()),
            keys=access_keys.listing(session, actor.person_id, at=at),
            key_posts=[post for post in posts if post.role in TABLE["own.keys"]],
            may_make=may(actor, "own.keys").allowed,
            fresh=fresh,
            fresh_name=fresh_name,
        )


@pages.post("/account/keys")
@allows("own.keys")
@limiter.limit("10 per minute")
def make_key() -> AnyResponse:
    """The new key stands on the answer's page, and nowhere else."""
    actor, at = current(), clock.now()
    name = text_field(
        request.form, "name", label=gettext("密钥名称"), limit=access_keys.LONGEST_NAME
    )
    post_id = id_field(request.form, "post", label=gettext("岗位"))
    with tenant_transaction(actor.subdistrict_id) as session:
        key = access_keys.make(
            session,
            actor.person_id,
            post_id,
            name,
            second_factor=actor.second_factor,
            at=at,
            settings=settings(),
        )
    response = make_response(_account(fresh=key, fresh_name=name))
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.post("/account/keys/end")
@allows("own.account")
def end_key() -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        which = id_field(request.form, "key", label=gettext("访问密钥"))
        access_keys.end(session, which, actor.person_id, at=clock.now())
    flash(gettext("访问密钥已停用。"), "ok")
    return redirect(url_for("account.account", _anchor="keys"), 303)


@pages.post("/account/sessions/end")
@allows("own.account")
def end_session() -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        which = id_field(request.form, "session", label=gettext("设备"))
        sessions.end(session, which, actor.person_id, at=clock.now())
    return redirect(url_for("account.account"))


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
    return _second_factor_page()


def _second_factor_page(trouble: BadInput | None = None) -> str:
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
        uri=uri,
        trouble=trouble.say(language()) if trouble else None,
        has_one=person.totp_confirmed_at is not None,
    )


@pages.post("/account/second-factor")
@allows("own.account")
@limiter.limit("10 per minute")
def confirm_second_factor() -> AnyResponse | tuple[str, int]:
    """Proves that the phone knows the secret; this browser then counts as shown."""
    actor, at = current(), clock.now()
    secret = str(browser.get(PENDING, ""))
    step = sessions.matching_step(secret, request.form.get("code", ""), at=at) if secret else None
    if step is None:
        wrong = BadInput(
            field="验证码 code", reason_zh="不正确或已过期", reason_en="wrong or expired"
        )
        if wants_json():
            raise wrong
        return _second_factor_page(wrong), status_of(wrong)
    with tenant_transaction(actor.subdistrict_id) as session:
        person = roster.find(session, actor.person_id)
        first = person.totp_confirmed_at is None
        if not first and not actor.second_factor:
            raise NotAllowed
        people.confirm_second_factor(session, person, secret, at=at, settings=settings())
        person.totp_last_step = step
        people.end_sessions(session, person.id, at=at)
        cookie = sessions.begin(session, person, second_factor=True, device=device(), at=at)
    flash(gettext("动态验证码已启用，下次登录时会用到。"), "ok")
    # Whoever was asked for it at the first sign-in is on the way to work.
    return signed_in(cookie, url_for("home.own" if first else "account.account"))
