"""Sign-in by an identity provider (OpenID Connect): code flow with PKCE, state and nonce.

Off until ROADCHIEF_OIDC_ISSUER is set. Nobody is made here: the provider's claim must name
somebody who is active already, and our rule of the second factor stays.
"""

import uuid
from datetime import datetime
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from flask import session as browser
from joserfc.errors import JoseError
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts import links, sessions
from roadchief.accounts.door_views import refused
from roadchief.accounts.models import Person
from roadchief.accounts.signin import device, public, safe_path, signed_in
from roadchief.errors import BadInput, NotAllowed, NotFound, NotSignedIn, Refusal, Unavailable
from roadchief.lib import clock
from roadchief.lib.text import clean
from roadchief.web import settings, tenant_transaction
from roadchief.web.limits import limiter
from roadchief.web.logs import log

pages = Blueprint("oidc", __name__, url_prefix="/sign-in/oidc")
EXTENSION = "roadchief.oidc"
NEXT, PENDING = "oidc-next", "oidc-pending"  # in the signed browser session
PENDING_LASTS_S = 300
TIMEOUT_S = 5
LEEWAY_S = 30  # clocks of two machines
# Signatures by the provider's own key. Neither `none` nor one made with a shared secret.
ALGORITHMS = frozenset(
    f"{family}{size}" for family in ("RS", "PS", "ES") for size in (256, 384, 512)
) | {"EdDSA", "Ed25519"}
# A claim that a provider lets people write themselves counts only with its mark.
VERIFIED_BY = {"email": "email_verified", "phone_number": "phone_number_verified"}


class ProviderSilent(Unavailable):
    zh = "统一身份服务暂时没有应答，请稍后再试或使用密码登录"
    en = "the identity provider does not answer: try later, or sign in with your password"


class NotProven(NotSignedIn):
    zh = "统一身份服务的应答无法确认（{why}），请重新登录"
    en = "the answer of the identity provider cannot be confirmed ({why}): sign in again"


class NobodyHere(NotAllowed):
    """The same for unknown, retired, invited and out of reach."""

    zh = "身份已确认，但本系统没有对应的在岗人员，请联系本街道管理员"
    en = "you are known there, but nobody in office here corresponds: ask your administrator"


@pages.get("")
@public("the door")
@limiter.limit("60 per minute")
def leave() -> AnyResponse | tuple[str, int]:
    """Off to the provider."""
    client = _client()
    browser[NEXT] = safe_path(request.args.get("next"))
    try:
        _metadata(client)
        answer: AnyResponse = client.authorize_redirect(_return_address())
    except Refusal as refusal:
        return refused(refusal)
    except (requests.RequestException, ValueError, KeyError) as error:
        log.error("oidc", reason=type(error).__name__)
        return refused(ProviderSilent())
    return answer


@pages.get("/back")
@public("the door")
@limiter.limit("60 per minute")
def back() -> AnyResponse | tuple[str, int]:
    """The provider's answer: checked, then matched with a person."""
    at, target = clock.now(), str(browser.get(NEXT, "/"))
    try:
        claims = _claims()
        place, person_id = _who(claims)
        with tenant_transaction(place) as session:
            person = _active(session.get(Person, (place, person_id)))
            issuer, subject = settings().oidc_issuer, str(claims["sub"])
            known = links.find(session, issuer, subject)
            if known is None:
                links.link(session, person, issuer=issuer, subject=subject, at=at)
            shown = _second_factor_shown(claims)
            if not shown and person.totp_confirmed_at:
                browser[PENDING] = [place, str(person.id), int(at.timestamp())]
                return redirect(url_for("oidc.code"))
            cookie = _begin(session, person, shown, at)
    except Refusal as refusal:
        return refused(refusal)
    return signed_in(cookie, target)


@pages.route("/code", methods=["GET", "POST"])
@public("the door: whoever comes from the provider shows our own second factor")
@limiter.limit("30 per minute")
def code() -> AnyResponse | str | tuple[str, int]:
    _client()
    at, target = clock.now(), str(browser.get(NEXT, "/"))
    place, person_id, began = browser.get(PENDING) or (0, "", 0)
    if not place or at.timestamp() - began > PENDING_LASTS_S:
        return redirect(url_for("signin.sign_in"))
    if request.method == "GET":
        return render_template("accounts/oidc_code.html", trouble=None)
    try:
        cookie = _with_code(place, uuid.UUID(person_id), at)
    except Refusal as refusal:
        return refused(refusal)
    return signed_in(cookie, target)


def _with_code(place: int, person_id: uuid.UUID, at: datetime) -> str:
    with tenant_transaction(None) as session:
        sessions.count_attempt(session, [f"oidc:{person_id}"], at=at, settings=settings())
    with tenant_transaction(place) as session:
        person = _active(session.get(Person, (place, person_id)))
        given = request.form.get("code", "")
        if not sessions.take_code(session, person, given, at=at, settings=settings()):
            raise BadInput(
                field="验证码 code", reason_zh="不正确或已过期", reason_en="wrong or expired"
            )
        return _begin(session, person, True, at)


def _begin(session: Any, person: Person, second: bool, at: datetime) -> str:
    return sessions.begin(
        session, person, second_factor=second, device=device(), at=at, by_way="oidc"
    )


def _claims() -> dict[str, Any]:
    """The claims of an ID token that is meant for us, now, and for this browser."""
    client = _client()
    given = request.args.get("iss")
    if given is not None and given != settings().oidc_issuer:
        raise NotProven(why="iss")
    try:
        _metadata(client)
        token = client.authorize_access_token(claims_options=_expected(), leeway=LEEWAY_S)
    except requests.RequestException as error:
        log.error("oidc", reason=type(error).__name__)
        raise ProviderSilent from error
    except (AuthlibBaseError, JoseError) as error:
        log.warning("oidc", reason=error.error)
        raise NotProven(why=error.error) from error
    except (ValueError, KeyError, TypeError) as error:
        log.warning("oidc", reason=type(error).__name__)
        raise NotProven(why="format") from error
    claims = dict(token.get("userinfo") or {})
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise NotProven(why="id_token")
    return claims


def _expected() -> dict[str, Any]:
    known = settings()
    return {
        "iss": {"essential": True, "value": known.oidc_issuer},
        "aud": {"essential": True, "value": known.oidc_client_id},
        "nonce": {"essential": True},
    }


def _who(claims: dict[str, Any]) -> tuple[int, uuid.UUID]:
    """Sub-district and person: by an earlier link, else by the configured claim."""
    known = settings()
    with tenant_transaction(None) as session:
        found = links.find(session, known.oidc_issuer, claims["sub"])
        if found is None:
            found = sessions.sub_district_of(session, _claimed_login(claims))
    reach = known.oidc_subdistricts.split()
    if found is None or (reach and str(found[0]) not in reach):
        raise NobodyHere
    return found


def _claimed_login(claims: dict[str, Any]) -> str:
    name = settings().oidc_claim
    value = claims.get(name)
    mark = VERIFIED_BY.get(name)
    if not isinstance(value, str) or not value or (mark and claims.get(mark) is not True):
        raise NobodyHere
    return clean(value)[:64].lower()


def _active(person: Person | None) -> Person:
    if person is None or person.state != "active":
        raise NobodyHere
    return person


def _second_factor_shown(claims: dict[str, Any]) -> bool:
    """Whether `acr` or `amr` says what this installation counts as a second factor."""
    methods = claims.get("amr")
    said = {str(one) for one in methods} if isinstance(methods, list) else set()
    return bool((said | {str(claims.get("acr"))}) & set(settings().oidc_second_factor.split()))


def _client() -> Any:
    client = current_app.extensions.get(EXTENSION)
    if client is None:
        raise NotFound
    return client


def _metadata(client: Any) -> None:
    """Discovery, read once a process; it must be the issuer's own."""
    found = client.load_server_metadata()
    if found.get("issuer") != settings().oidc_issuer:
        raise NotProven(why="issuer")
    offered = found.get("id_token_signing_alg_values_supported") or ["RS256"]
    found["id_token_signing_alg_values_supported"] = [
        name for name in offered if name in ALGORITHMS
    ]


def _return_address() -> str:
    return settings().public_url.rstrip("/") + url_for("oidc.back")


def install(app: Flask) -> None:
    app.register_blueprint(pages)
    known = app.extensions["roadchief.settings"]
    app.jinja_env.globals["oidc_label"] = known.oidc_label if known.oidc_issuer else ""
    if not known.oidc_issuer:
        return
    extra = {"email": "email", "phone_number": "phone"}.get(known.oidc_claim, "profile")
    app.extensions[EXTENSION] = OAuth(app).register(
        "provider",
        client_id=known.oidc_client_id,
        client_secret=known.oidc_client_secret or None,
        server_metadata_url=known.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration",
        client_kwargs={
            "scope": f"openid {extra}",
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_S,
            "token_endpoint_auth_method": (
                "client_secret_basic" if known.oidc_client_secret else "none"
            ),
        },
    )
