"""What a scan shows: one address, five faces, in plain HTML that needs no script."""

import math
from typing import Any

import shapely
from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.signin import current_or_none, public
from roadchief.codes import faces, lifecycle, mounting, scans, tokens
from roadchief.codes.plates import Position
from roadchief.codes.scans import Seen, Where
from roadchief.errors import BadInput, NotFound, status_of
from roadchief.lib import clock
from roadchief.lib.coords import Datum, to_wgs84
from roadchief.web import settings, tenant_transaction
from roadchief.web.forms import id_field
from roadchief.web.limits import limiter
from roadchief.web.pages import language

pages = Blueprint("codes", __name__)
MOST_VAGUE_M = 1_000_000.0
OVER_STATUS = 410  # replaced and retired plates say so for ever
TROUBLES: dict[str, str] = {
    "damaged": "坏了、看不清",
    "covered": "被贴纸遮住或替换",
    "swapped": "挂错了店",
    "lost": "牌子不见了",
}


class UnknownCode(NotFound):
    """The same for a malformed, an unknown and a foreign token."""

    zh = "没有找到这个码。请核对码牌上的编号，或拨打服务电话。"
    en = "This code is not known. Check the number on the plate, or call the office."


def missed(response: AnyResponse) -> bool:
    """Only vain tries use up a guesser's allowance."""
    return response.status_code == status_of(NotFound())


guesses = limiter.shared_limit(
    "30 per minute", scope="plate-guesses", deduct_when=missed, override_defaults=False
)


@pages.get("/C/<token>")
@pages.get("/c/<token>", endpoint="scan_lower")
@public("a plate is on the wall for everybody; what is shown is the allow-list of its face")
@guesses
def scan(token: str) -> AnyResponse:
    at, where = clock.now(), where_is(token)
    actor = current_or_none()
    with tenant_transaction(where.subdistrict_id) as session:
        audience = "citizen"
        if actor is not None:
            audience = faces.audience(session, scans.see(session, where.plate_id), actor)
        seen, scan_id = scans.remember(session, where.plate_id, audience=audience, at=at)
        facts: dict[str, Any] = {
            "chiefs": faces.chiefs(session, seen, at=at),
            "parts": [],
            "successors": faces.successors(session, seen) if seen.closed_at else [],
        }
        if seen.answers:
            facts["parts"] = faces.parts(session, seen, audience, actor, at=at)
        if audience == "chief":
            facts["life"] = faces.life(session, seen.plate_id)
            facts["tenancies"] = faces.tenancies(session, seen)
    page = render_template(
        "codes/face.html",
        seen=seen,
        token=tokens.normalise(token),
        scan_id=scan_id,
        audience=audience,
        state=_state_words(seen),
        acts=_acts(tokens.normalise(token) or "", audience),
        where=where,
        **facts,
    )
    response = make_response(page, OVER_STATUS if seen.state in lifecycle.OVER else 200)
    # A citizen's page may be shown again when going back, but asks first: plates get replaced.
    private = audience != "citizen"
    response.headers["Cache-Control"] = "no-store" if private else "private, no-cache"
    response.headers["Vary"] = "Cookie, Accept-Language"
    response.headers["Permissions-Policy"] = "geolocation=(self)"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def where_is(token: str) -> Where:
    with tenant_transaction(None) as session:
        where = scans.look_up(session, token)
    if where is None:
        raise UnknownCode
    return where


def _state_words(seen: Seen) -> str:
    return lifecycle.STATES[seen.state][0 if language() == "zh" else 1]


def _acts(token: str, audience: str) -> list[tuple[str, str, str]]:
    """(address, label, icon) of the buttons whose pages exist."""
    wanted: list[tuple[str, dict[str, Any], str, str]] = [
        ("issues.report", {"plate": token}, gettext("这里有问题，我来反映"), "message-report"),
    ]
    if audience == "citizen":
        wanted.append(
            ("issues.report", {"plate": token, "kind": "praise"}, gettext("夸一夸"), "thumb-up")
        )
        wanted.append(
            ("issues.report", {"plate": token, "kind": "idea"}, gettext("问路长"), "help-circle")
        )
    known = current_app.view_functions
    return [
        (url_for(endpoint, **values), label, icon)
        for endpoint, values, label, icon in wanted
        if endpoint in known
    ]


@pages.route("/code", methods=["GET", "POST"])
@public("whoever cannot scan types what is printed on the plate")
@guesses
def typed() -> str | AnyResponse | tuple[str, int]:
    """The token in groups, a whole address, or the short number under the symbol."""
    if request.method == "GET":
        return render_template("codes/typed.html", trouble=None, given="")
    given = request.form.get("code", "")[: tokens.LONGEST_TYPED]
    hosts = [tokens.site(settings().public_url).host]
    token = tokens.token_in(given, hosts)
    if token:
        return redirect(url_for("codes.scan", token=token))
    with tenant_transaction(None) as session:
        where = scans.look_up_number(session, given)
    if where is None:
        page = render_template("codes/typed.html", trouble=UnknownCode(), given=given)
        return page, 404
    with tenant_transaction(where.subdistrict_id) as session:
        seen = scans.see(session, where.plate_id)
        chiefs = faces.chiefs(session, seen, at=clock.now())
    return render_template(
        "codes/face.html",
        seen=seen,
        token=None,
        scan_id=None,
        audience="citizen",
        state=_state_words(seen),
        acts=[],
        parts=[],
        successors=[],
        chiefs=chiefs,
        where=where,
    )


@pages.post("/C/<token>/here")
@public("a phone may say where it is: kept coarsely, asked for openly")
@limiter.limit("60 per minute")
@guesses
def here(token: str) -> AnyResponse:
    at, where = clock.now(), where_is(token)
    position = position_from(required=True)
    scan_id = id_field(request.form, "scan", label=gettext("扫码记录"))
    if position is None:
        raise BadInput(field="position", reason_zh="没有定位", reason_en="no position")
    with tenant_transaction(where.subdistrict_id) as session:
        seen = scans.see(session, where.plate_id)
        distance_m = scans.stand(
            session,
            seen,
            scan_id,
            place=position.place,
            accuracy_m=position.accuracy_m,
            at=at,
        )
    far = distance_m is not None and distance_m > scans.FAR_M + position.accuracy_m
    return Response(status=204, headers={"X-Far": "1" if far else "0"})


def position_from(*, required: bool = False) -> Position | None:
    """`lon`, `lat`, `accuracy_m` and `datum` of a form, or None where the phone gave none."""
    form = request.form
    if not form.get("lon") or not form.get("lat"):
        return None
    try:
        lon, lat = float(form["lon"]), float(form["lat"])
        accuracy_m = float(form.get("accuracy_m") or "nan")
    except ValueError as error:
        raise _bad_position() from error
    if not (abs(lon) <= 180 and abs(lat) <= 85):
        raise _bad_position()
    if not math.isfinite(accuracy_m) or accuracy_m < 0:
        if required:
            raise _bad_position()
        return None
    try:
        datum = Datum(form.get("datum") or "wgs84")
    except ValueError as error:
        raise _bad_position() from error
    plain_lon, plain_lat = to_wgs84(lon, lat, datum)
    place = shapely.Point(float(plain_lon), float(plain_lat))
    return Position(place, min(accuracy_m, MOST_VAGUE_M))


def _bad_position() -> BadInput:
    return BadInput(field="定位 position", reason_zh="坐标无效", reason_en="not a position")


@pages.route("/C/<token>/trouble", methods=["GET", "POST"])
@public("anybody may say that a plate is damaged, covered or swapped")
@limiter.limit("20 per minute", methods=["POST"])
@guesses
def trouble(token: str) -> str | AnyResponse:
    """Two taps: what is wrong, done. Staff move the plate's state; citizens raise an alarm."""
    at, where = clock.now(), where_is(token)
    actor = current_or_none()
    with tenant_transaction(where.subdistrict_id) as session:
        seen = scans.see(session, where.plate_id)
        if request.method == "GET":
            return render_template(
                "codes/trouble.html", seen=seen, token=token, troubles=_trouble_words()
            )
        what = request.form.get("what", "")
        if what not in TROUBLES:
            raise BadInput(field="问题 what", reason_zh="请选择", reason_en="choose one")
        staff = faces.audience(session, seen, actor) in {"patroller", "chief"}
        mounting.report(
            session,
            seen,
            what,
            words=TROUBLES[what],
            by=actor.person_id if actor and staff else None,
            at=at,
        )
    return render_template("codes/thanks.html", seen=seen)


def _trouble_words() -> list[tuple[str, str, str]]:
    return [
        ("damaged", gettext("坏了、看不清"), "photo-off"),
        ("covered", gettext("被贴纸遮住或替换"), "sticker"),
        ("swapped", gettext("挂错了店"), "arrows-exchange"),
        ("lost", gettext("牌子不见了"), "map-pin-off"),
    ]
