"""The app on the phone: its page, its worker, its manifest, who is signed in, what time it is."""

import json

from flask import Blueprint, Response, jsonify, make_response, render_template
from flask_babel import gettext

from roadchief.accounts.access import may
from roadchief.accounts.signin import current_or_none, public
from roadchief.lib import clock
from roadchief.pwa import shell
from roadchief.pwa.origin import dated
from roadchief.web import settings
from roadchief.web.pages import language

pages = Blueprint("pwa", __name__)
EMPTY = "an empty shell: what it shows comes from the phone itself or from guarded addresses"
# The page is kept for offline use, so it can hold no nonce of the day: own files alone instead.
# 'wasm-unsafe-eval' lets the scanner's WebAssembly start; JavaScript's eval stays forbidden.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
PERMISSIONS = (
    "camera=(self), geolocation=(self), microphone=(), payment=(), usb=(), browsing-topics=()"
)
ICONS = (
    *("camera", "qrcode", "bulb", "photo", "wifi-off", "cloud-upload", "cloud-check", "zoom-in"),
    *("keyboard", "flag", "notes", "refresh", "send", "lock", "current-location", "chevron-left"),
    *("map-pin", "check", "x", "alert-triangle", "clock", "plus", "logout", "language", "download"),
    *("list", "map", "info-circle", "trash", "user", "text-size"),
)


@pages.get("/patrol/")
@public(EMPTY)
def start() -> Response:
    response = make_response(
        render_template("pwa/shell.html", edition=shell.edition(), icons=ICONS)
    )
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Permissions-Policy"] = PERMISSIONS
    response.headers["Cache-Control"] = "no-cache"
    return response


@pages.get("/worker.js")
@public("a script without data")
def worker() -> Response:
    """At the root, so that it may look after /patrol/ and after plates scanned without signal."""
    text = (shell.STATIC / "patrol" / "worker.js").read_text(encoding="utf-8")
    head = (
        f"const EDITION = {json.dumps(shell.edition())};\n"
        f"const SHELL = {json.dumps(shell.addresses())};\n"
    )
    response = Response(head + text, mimetype="text/javascript")
    response.headers["Service-Worker-Allowed"] = "/"
    response.headers["Cache-Control"] = "no-cache"
    return response


@pages.get("/manifest.webmanifest")
@public("a name and two pictures")
def manifest() -> Response:
    facts = {
        "name": gettext("路长制巡查"),
        "short_name": gettext("巡查"),
        "description": gettext("沿街巡查：扫码打卡、检查、拍照，没有信号也能用"),
        "lang": "zh-CN" if language() == "zh" else "en",
        "id": shell.PAGE,
        "start_url": shell.PAGE,
        "scope": "/",
        "display": "standalone",
        "orientation": "portrait",
        "background_color": "#F3F5F4",
        "theme_color": "#0B5CAD",
        "icons": [
            {"src": f"/static/img/app-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"}
            for size in (192, 512)
        ]
        + [
            {
                "src": "/static/img/app-maskable-512.png",
                "sizes": "512x512",
                "type": "image/png",
                "purpose": "maskable",
            }
        ],
    }
    response = Response(json.dumps(facts, ensure_ascii=False), mimetype="application/manifest+json")
    response.headers["Cache-Control"] = "no-cache"
    return response


@pages.get("/api/v1/time")
@public("the time of day")
def time() -> Response:
    """Phones measure their clock against this; half the way there and back is the uncertainty."""
    return dated(jsonify(server_time=clock.now().isoformat(timespec="milliseconds")))


@pages.get("/api/v1/me")
@public("tells each who they are, and strangers nothing")
def me() -> Response:
    """Whose phone this is now; `person` is null when nobody is signed in."""
    actor, at = current_or_none(), clock.now()
    person = None
    if actor is not None:
        verdict = may(actor, "patrol.walk")
        person = {
            "id": str(actor.person_id),
            "name": actor.name,
            "roles": sorted(actor.roles),
            "subdistrict": actor.subdistrict_id,
            "allowed": verdict.allowed,
            "reason": verdict.reason,
        }
    return dated(
        jsonify(
            person=person,
            server_time=at.isoformat(timespec="milliseconds"),
            edition=shell.edition(),
            office_phone=settings().office_phone,
            language=language(),
        )
    )
