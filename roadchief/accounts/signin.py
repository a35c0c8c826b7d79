"""Who is signed in: the guard of every view, and the cookie that remembers a browser."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, redirect, request, url_for
from flask import session as browser
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts import access_keys, notices, sessions
from roadchief.accounts.access import ROLES, Actor, may
from roadchief.errors import NotAllowed, NotSignedIn, TooMany
from roadchief.lib import clock
from roadchief.web import settings, tenant_transaction
from roadchief.web.pages import language, wants_json
from roadchief.web.security import cookie_name

View = TypeVar("View", bound=Callable[..., Any])


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
                return redirect(url_for("account.second_factor"))
            if not verdict.allowed:
                raise NotAllowed
            return view(*arguments, **named)

        guarded.access = action  # type: ignore[attr-defined]
        return cast(View, guarded)

    return guard


def public(why: str, *, by_key: bool = False) -> Callable[[View], View]:
    """The view may be called by anybody; `why` says what makes that right.

    `by_key`: a program may show a person's access key there, to see what that post sees.
    """

    def mark(view: View) -> View:
        view.access = f"public: {why}"  # type: ignore[attr-defined]
        view.by_key = by_key  # type: ignore[attr-defined]
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
        # Kept once it is known: whom the database could not tell is not somebody signed out.
        g.actor, g.sign_in_session = _recognised()
    return cast(Actor | None, g.actor)


def _recognised() -> tuple[Actor | None, uuid.UUID | None]:
    key = _key_shown()
    if key is not None:
        return _whose_key(key), None
    place, _, token = request.cookies.get(_cookie(), "").partition(".")
    if not (place.isdigit() and len(place) == 9 and place.isascii() and token):
        return None, None
    with tenant_transaction(int(place)) as session:
        found = sessions.recognise(session, token, at=clock.now(), settings=settings())
        if found and request.method == "GET" and not wants_json():
            g.unread = notices.unread(session, found[0].person_id)
    return found or (None, None)


def opens_by_key() -> bool:
    """Does this request ask a view where access keys count? They only ever read."""
    view = current_app.view_functions.get(request.endpoint or "")
    return request.method in {"GET", "HEAD"} and getattr(view, "by_key", False)


def _key_shown() -> str | None:
    """As QGIS and GDAL show it (the password of HTTP Basic; the user's name is not looked at), or
    as a bearer token. Everywhere else the header is not read."""
    shown = request.authorization if opens_by_key() else None
    if shown is None or shown.type not in {"basic", "bearer"}:
        return None
    return (shown.password if shown.type == "basic" else shown.token) or ""


def _whose_key(key: str) -> Actor:
    """Wrong ones alone are counted: keys cannot be guessed, so a right one always opens."""
    at, place = clock.now(), access_keys.place_of(key)
    if place is not None:
        with tenant_transaction(place) as session:
            actor = access_keys.recognise(session, key, at=at)
        if actor is not None:
            if request.args.get("s", str(place)) != str(place):
                raise access_keys.KeyElsewhere
            return actor
    try:
        with tenant_transaction(None) as session:
            mark = [f"key:{request.remote_addr}"]
            sessions.count_attempt(session, mark, at=at, settings=settings())
    except TooMany as error:
        raise access_keys.TooManyWrongKeys(retry_s=error.facts["retry_s"]) from error
    raise access_keys.KeyRefused


def install(app: Flask) -> None:
    """What every page asks for."""
    app.jinja_env.filters["of_post"] = of_post
    app.context_processor(
        lambda: {
            "actor": _actor_for_page(),
            "role_name": role_name,
            "unread": g.get("unread", 0),
        }
    )


def device() -> str:
    """How a browser names itself, for the list of one's devices."""
    return request.user_agent.string or "?"


def signed_in(cookie: str, to: str | None) -> AnyResponse:
    """On to where the person wanted to go, with a new CSRF token for a new person."""
    response = redirect(safe_path(to))
    browser.clear()
    keep_signed_in(response, cookie)
    return response


def forget(response: AnyResponse) -> None:
    """This browser is signed out."""
    cast(Response, response).delete_cookie(
        _cookie(), secure=settings().secure, httponly=True, samesite="Lax"
    )
    browser.clear()


def role_name(role: str) -> str:
    return ROLES.get(role, (role, role))[0 if language() == "zh" else 1]


def of_post(title: str) -> str:
    """A post's title. Where nobody typed one it is its role's word, in the reader's language."""
    untyped = next((role for role, words in ROLES.items() if words[0] == title), None)
    return role_name(untyped) if untyped else title


def _actor_for_page() -> Actor | None:
    """Pages of refusals must not ask the database again: it may be what failed."""
    return cast(Actor | None, g.get("actor"))


def safe_path(address: str | None) -> str:
    """Only a path of this site, never another host; without one to where one's day begins."""
    path = address or url_for("home.own")
    parts = urlsplit(path)
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path
    return path if plain and not parts.netloc and path.isprintable() else url_for("home.own")


def keep_signed_in(response: AnyResponse, value: str) -> None:
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
