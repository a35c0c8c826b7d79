"""Open311 GeoReport v2 at /open311/v2/: discovery, services, requests, tokens."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urljoin

from flask import Blueprint, Response, request, url_for

from roadchief import blobs
from roadchief.accounts.signin import public
from roadchief.errors import NotFound, Refusal, status_of
from roadchief.issues import categories
from roadchief.issues.models import CasePhoto
from roadchief.issues.open311 import georeport, reading
from roadchief.issues.open311 import updates as open311_updates
from roadchief.issues.open311.georeport import BadRequest
from roadchief.lib import clock
from roadchief.streets import catalog
from roadchief.web import settings, tenant_transaction
from roadchief.web.pages import language
from roadchief.web.security import csrf

pages = Blueprint("open311", __name__, url_prefix="/open311/v2")
csrf.exempt(pages)  # keys, not cookies, say who files
WHY = "Open311 reads are public by the standard; only public cases are told"
View = Callable[..., tuple[str, Any]]
Shown = Callable[..., Response]


def speaks(view: View) -> Shown:
    """Answers in the format of the address's suffix, errors too; reads are open to all origins."""

    @wraps(view)
    def answer(kind: str, **named: Any) -> Response:
        if kind not in ("xml", "json"):
            raise NotFound
        try:
            name, rows = view(**named)
            return said(georeport.render(name, rows, kind), 200, kind)
        except BadRequest as fault:
            return said(georeport.failed([str(fault)], fault.code, kind), fault.code, kind)
        except Refusal as refusal:
            return refused(refusal, status_of(refusal))

    return answer


def said(body: bytes, status: int, kind: str) -> Response:
    response = Response(
        body, status, content_type=georeport.XML if kind == "xml" else georeport.JSON
    )
    if request.method in ("GET", "HEAD"):
        response.headers["Access-Control-Allow-Origin"] = "*"
    if status == 429:
        response.headers["Retry-After"] = "60"
    return response


def refused(refusal: Refusal, status: int) -> Response:
    """Every refusal under this address, also of what never reached a view: 404, 405, 413, 429."""
    kind = "json" if request.path.endswith(".json") else "xml"  # XML is the required format
    status = 400 if status == 422 else status
    return said(georeport.failed([refusal.say(language())], status, kind), status, kind)


@pages.get("/discovery.<kind>")
@public(WHY)
@speaks
def discovery() -> tuple[str, Any]:
    base = urljoin(settings().public_url, "/open311/v2")
    return "discovery", {
        "changeset": "2026-11-24T00:00:00+08:00",
        "contact": settings().office_phone,
        "key_service": settings().office_phone,
        "endpoints": [
            {
                "specification": "http://wiki.open311.org/GeoReport_v2",
                "url": base,
                "changeset": "2026-11-24T00:00:00+08:00",
                "type": "production",
                "formats": ["text/xml", "application/json"],
            }
        ],
    }


@pages.get("/services.<kind>")
@public(WHY)
@speaks
def services() -> tuple[str, Any]:
    place()
    return "services", reading.services(language())


@pages.get("/services/<code>.<kind>")
@public(WHY)
@speaks
def definition(code: str) -> tuple[str, Any]:
    place()
    kind = categories.known().get(code)
    if kind is None or not kind.public or not kind.reportable:
        raise BadRequest("service_code was not found", 404)
    return "service_definition", reading.definition(kind, language())


@pages.get("/requests.<kind>")
@public(WHY)
@speaks
def requests() -> tuple[str, Any]:
    here, at = place(), clock.now()
    given = georeport.question(request.args.to_dict(), now=at)
    with tenant_transaction(here) as session:
        rows = reading.asked(session, given)
        told = reading.told_cases(session, rows, given, language(), photo_address(here))
    return "service_requests", told


@pages.get("/requests/<number>.<kind>")
@public(WHY)
@speaks
def one_request(number: str) -> tuple[str, Any]:
    here = place()
    given = georeport.Question(
        ids=georeport.listed(number)[:1] or ("-",),
        extensions=georeport.wants_extensions(request.args.to_dict()),
        size=1,
    )
    with tenant_transaction(here) as session:
        rows = reading.asked(session, given)
        if not rows:
            raise BadRequest("service_request_id was not found", 404)
        told = reading.told_cases(session, rows, given, language(), photo_address(here))
    return "service_requests", told


@pages.get("/tokens/<token>.<kind>")
@public(WHY)
@speaks
def token(token: str) -> tuple[str, Any]:
    """We give ids at once; a token is the id, so that clients that ask are answered."""
    here = place()
    with tenant_transaction(here) as session:
        rows = reading.asked(
            session, georeport.Question(ids=georeport.listed(token)[:1] or ("-",), size=1)
        )
        if not rows:
            raise BadRequest("token was not found", 404)
        number = rows[0].number
    return "service_requests", [{"service_request_id": number, "token": token}]


@pages.get("/servicerequestupdates.<kind>")
@public(WHY)
@speaks
def updates() -> tuple[str, Any]:
    """The extension of FixMyStreet: what happened, in order, the oldest first."""
    here, at = place(), clock.now()
    given = georeport.question(request.args.to_dict(), now=at)
    with tenant_transaction(here) as session:
        told = open311_updates.told(session, given, language=language())
    return "service_request_updates", told


def place() -> int:
    """`jurisdiction_id` is needed where several share a host."""
    asked = request.values.get("jurisdiction_id", "").strip()
    with tenant_transaction(None) as session:
        known = {str(row.id): row.id for row in catalog.subdistricts(session)}
    if not asked:
        if len(known) == 1:
            return next(iter(known.values()))
        raise BadRequest("jurisdiction_id was not provided")
    if asked not in known:
        raise BadRequest("jurisdiction_id was not found", 404)
    return known[asked]


def photo_address(place: int) -> Callable[[CasePhoto], str]:
    """A stable address of the released version; 410 after it is withdrawn."""

    def address(row: CasePhoto) -> str:
        path = url_for("open311.released", place=place, photo_id=row.id)
        return urljoin(settings().public_url, path)

    return address


@pages.get("/photos/<int:place>/<uuid:photo_id>.jpg")
@public("photos that a person released")
def released(place: int, photo_id: uuid.UUID) -> Response:
    if not 100_000_000 <= place <= 999_999_999:
        raise NotFound
    with tenant_transaction(place) as session:
        row = session.get(CasePhoto, (place, photo_id))
        if row is None or row.released_at is None or row.public_photo_id is None:
            raise NotFound
        if row.withdrawn_at is not None:
            return Response("gone\n", 410)
        blob = blobs.get(session, row.public_photo_id)
    file = blobs.path(blob, "screen", settings())
    if not file.is_file():
        raise NotFound
    response = Response(file.read_bytes(), content_type="image/jpeg")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
