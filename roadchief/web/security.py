"""What every answer carries: a strict content policy with nonces, and CSRF for every form."""

import secrets
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request
from flask_wtf import CSRFProtect

from roadchief.config import Settings

csrf = CSRFProtect()
View = TypeVar("View", bound=Callable[..., Any])

# No camera, microphone or position unless a page that needs one says so itself.
PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"
HSTS = "max-age=31536000; includeSubDomains"


def install(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME=cookie_name("roadchief", settings),
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_TIME_LIMIT=settings.session_absolute_s,
        WTF_CSRF_SSL_STRICT=settings.secure,
        MAX_CONTENT_LENGTH=settings.request_limit_bytes,
        MAX_FORM_MEMORY_SIZE=settings.request_limit_bytes,
        MAX_FORM_PARTS=500,
    )
    app.before_request(_allow_size)  # first: the check against forged forms reads the form
    csrf.init_app(app)
    app.before_request(_make_nonce)
    app.after_request(_add_headers)
    app.jinja_env.globals["csp_nonce"] = csp_nonce


def cookie_name(name: str, settings: Settings) -> str:
    """`__Host-` binds a cookie to this host and to https; plain http exists on loopback alone."""
    return f"__Host-{name}" if settings.secure else f"{name}-local"


def csp_nonce() -> str:
    """The nonce of this answer, for each `<script>` and `<style>` that we write."""
    return str(g.csp_nonce)


def takes(limit: Callable[[Settings], int]) -> Callable[[View], View]:
    """The view may be sent so many bytes, more than others. Stands below its guard."""

    def mark(view: View) -> View:
        view.takes = limit  # type: ignore[attr-defined]
        return view

    return mark


def _allow_size() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    limit = getattr(view, "takes", None)
    if limit:
        request.max_content_length = limit(current_app.extensions["roadchief.settings"])


def _make_nonce() -> None:
    g.csp_nonce = secrets.token_urlsafe(16)


def allow_pictures(hosts: Iterable[str]) -> None:
    """This one answer may show pictures of these hosts (`https://t0.example.cn`), too."""
    g.csp_pictures = " ".join(hosts)


def content_policy(nonce: str, pictures: str = "") -> str:
    """`pictures`: other hosts that pictures may come from."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}' 'strict-dynamic'",
            f"style-src 'self' 'nonce-{nonce}'",
            f"img-src 'self' data: blob: {pictures}".rstrip(),
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _add_headers(response: Response) -> Response:
    headers = response.headers
    policy = content_policy(g.get("csp_nonce", ""), g.get("csp_pictures", ""))
    headers.setdefault("Content-Security-Policy", policy)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", PERMISSIONS)
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", HSTS)
    # A page may hold personal data: nothing is kept by caches unless a view says so.
    headers.setdefault("Cache-Control", "no-store")
    return response
