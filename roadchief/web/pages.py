"""How a page is made: language, large type, time zones, paging, and the page of a refusal."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from flask import Flask, Response, g, make_response, render_template, request, url_for
from flask_babel import Babel, gettext
from markupsafe import Markup

from roadchief.config import ROOT, Settings
from roadchief.errors import Refusal
from roadchief.lib import clock
from roadchief.web import settings

LANGUAGES = ("zh", "en")
LANGUAGE_COOKIE, TYPE_COOKIE = "language", "type"
YEAR_S = 365 * 24 * 3600
PAGE_SIZE, LARGEST_PAGE = 50, 10_000
ICONS = ROOT / "static" / "vendor" / "icons"
ICON_NAME = re.compile(r"[a-z0-9-]+")

babel = Babel()


@dataclass(frozen=True)
class Entry:
    """A line of the menu. Shown when its page exists and the person may open it."""

    endpoint: str
    label: str
    action: str | None = None


@dataclass(frozen=True)
class Page:
    """One page of a longer list."""

    rows: Sequence[Any]
    number: int
    total: int
    size: int = PAGE_SIZE

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))


def install(app: Flask, given: Settings) -> None:
    app.config.update(
        BABEL_DEFAULT_LOCALE=given.language,
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "roadchief" / "translations"),
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    babel.init_app(app, locale_selector=language)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        icon=icon,
        language=language,
        settings=given,
        other_language=other_language,
        address_with=address_with,
        large_type=lambda: request.cookies.get(TYPE_COOKIE) == "large",
        asset=asset,
    )
    app.jinja_env.filters.update(when=when, day=day, metres=metres)
    app.after_request(_remember_choices)


def language() -> str:
    """`?lang=`, then the cookie, then what the browser asks for, then the setting."""
    if "language" not in g:
        asked = request.args.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
        best = request.accept_languages.best_match(["zh", "zh-CN", "en"])
        found = asked if asked in LANGUAGES else (best or settings().language)[:2]
        g.language = found if found in LANGUAGES else "zh"
    return str(g.language)


def other_language() -> str:
    return "en" if language() == "zh" else "zh"


def wants_json() -> bool:
    """Programs ask for JSON; so do addresses under /api/ and scripts of our pages."""
    if request.path.startswith(("/api/", "/tiles/", "/ogc/", "/open311/")):
        return True
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"]) == "application/json"


def page_number() -> int:
    """`?page=` within bounds; anything odd is the first page."""
    text = request.args.get("page", "1")
    return min(LARGEST_PAGE, int(text)) if re.fullmatch(r"[1-9]\d{0,5}", text) else 1


def render_refusal(refusal: Refusal, status: int) -> Response:
    """The page of a refusal. It needs no database, for that may be what is missing."""
    said = refusal.say(language())
    page = render_template(
        "errors/refusal.html",
        sentence=said[:1].upper() + said[1:],  # as a heading; on the command line it goes on
        code=refusal.code,
        status=status,
        bare=True,
    )
    return make_response(page)


@cache
def asset(path: str) -> str:
    """The address of a file of ours, changing with its content so that caches may keep it."""
    file = ROOT / "static" / path
    mark = f"{zlib.crc32(file.read_bytes()):08x}" if file.is_file() else "0"
    return f"/static/{path}?v={mark}"


@cache
def icon(name: str) -> Markup:
    """A line drawing from @tabler/icons, inlined; decoration, so hidden from readers."""
    file = ICONS / f"{name}.svg"
    if not ICON_NAME.fullmatch(name) or not file.is_file():
        return Markup("")
    drawing = re.sub(r"<!--.*?-->", "", file.read_text(encoding="utf-8"), flags=re.S).strip()
    drawing = re.sub(r'class="[^"]*"', 'class="icon"', drawing, count=1)
    return Markup(drawing.replace("<svg", '<svg aria-hidden="true"', 1))  # noqa: S704


def address_with(**changes: Any) -> str:
    """This page with other parameters: the next page, the other language."""
    values = {**request.args.to_dict(), **(request.view_args or {}), **changes}
    return url_for(request.endpoint or "home", **values) if request.endpoint else "/"


def when(at: datetime | None) -> str:
    return clock.local(at).strftime("%Y-%m-%d %H:%M") if at else "—"


def day(of: date | datetime | None) -> str:
    if isinstance(of, datetime):
        return clock.local(of).strftime("%Y-%m-%d")
    return of.isoformat() if of else "—"


def metres(length_m: float | None) -> str:
    if length_m is None:
        return "—"
    unit = gettext("米")
    return f"{length_m / 1000:.1f} km" if length_m >= 10_000 else f"{length_m:.0f} {unit}"


def _remember_choices(response: Response) -> Response:
    """The language and the size of type stay as chosen, with or without script."""
    keep = {"max_age": YEAR_S, "samesite": "Lax", "secure": settings().secure, "httponly": True}
    if request.args.get("lang") in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, request.args["lang"], **keep)  # type: ignore[arg-type]
    if request.args.get("type") in {"large", "normal"}:
        response.set_cookie(TYPE_COOKIE, request.args["type"], **keep)  # type: ignore[arg-type]
    return response
