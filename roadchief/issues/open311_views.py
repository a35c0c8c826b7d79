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
from roadchief.issues import (
    cases,
    categories,
    feedback,
    forms,
    open311,
    open311_reading,
    reporting,
)
from roadchief.issues.models import CasePhoto
from roadchief.issues.open311 import BadRequest
from roadchief.lib import clock
from roadchief.streets import catalog
from roadchief.web import settings, tenant_transaction
from roadchief.web.blobs import photos_from, takes_photos
from roadchief.web.limits import limiter
from roadchief.web.pages import language
from roadchief.web.security import csrf

pages = Blueprint("open311", __name__, url_prefix="/open311/v2")
csrf.exempt(pages)  # keys, not cookies, say who files
WHY = "Open311 reads are public by the standard; only public cases are told"
NAMESPACE = uuid.UUID("6f0c6b7e-0311-4e11-9311-000000000311")
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
            body, status = open311.render(name, rows, kind), 200
        except BadRequest as fault:
            body, status = open311.failed([str(fault)], fault.code, kind), fault.code
        except Refusal as refusal:
            status = 400 if status_of(refusal) == 422 else status_of(refusal)
            body = open311.failed([refusal.say(language())], status, kind)
        response = Response(
            body, status, content_type=open311.XML if kind == "xml" else open311.JSON
        )
        if request.method == "GET":
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    return answer


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
                "formats": [{"format": "text/xml"}, {"format": "application/json"}],
            }
        ],
    }


@pages.get("/services.<kind>")
@public(WHY)
@speaks
def services() -> tuple[str, Any]:
    _place()
    return "services", open311_reading.services(language())


@pages.get("/services/<code>.<kind>")
@public(WHY)
@speaks
def definition(code: str) -> tuple[str, Any]:
    _place()
    kind = categories.known().get(code)
    if kind is None or not kind.public or not kind.reportable:
        raise BadRequest("service_code was not found", 404)
    return "service_definition", open311_reading.definition(kind, language())


@pages.get("/requests.<kind>")
@public(WHY)
@speaks
def requests() -> tuple[str, Any]:
    place, at = _place(), clock.now()
    given = open311.question(request.args.to_dict(), now=at)
    with tenant_transaction(place) as session:
        rows = open311_reading.asked(session, given)
        told = open311_reading.told_cases(session, rows, given, language(), _photo(place))
    return "service_requests", told


@pages.get("/requests/<number>.<kind>")
@public(WHY)
@speaks
def one_request(number: str) -> tuple[str, Any]:
    place = _place()
    given = open311.Question(
        ids=open311.listed(number)[:1] or ("-",),
        extensions=request.args.get("extensions") == "true",
        size=1,
    )
    with tenant_transaction(place) as session:
        rows = open311_reading.asked(session, given)
        if not rows:
            raise BadRequest("service_request_id was not found", 404)
        told = open311_reading.told_cases(session, rows, given, language(), _photo(place))
    return "service_requests", told


@pages.get("/tokens/<token>.<kind>")
@public(WHY)
@speaks
def token(token: str) -> tuple[str, Any]:
    """We give ids at once; a token is the id, so that clients that ask are answered."""
    place = _place()
    with tenant_transaction(place) as session:
        rows = open311_reading.asked(
            session, open311.Question(ids=open311.listed(token)[:1] or ("-",), size=1)
        )
        if not rows:
            raise BadRequest("token was not found", 404)
        number = rows[0].number
    return "service_requests", [{"service_request_id": number, "token": token}]


@pages.post("/requests.<kind>")
@public("other systems file with an api_key of their own")
@limiter.limit("120 per minute")
@takes_photos(5)
@speaks
def file_request() -> tuple[str, Any]:
    """The same body from the same key is the same case: an answer may be lost on the way."""
    place, at, form = _place(), clock.now(), request.form.to_dict()
    with tenant_transaction(place) as session:
        held = open311_reading.holder(session, form.get("api_key", ""), "file", at=at)
        if held is None:
            raise BadRequest("api_key is missing or not known", 403)
        key_id, key_name = held.id, held.name
    _check(form)
    developed = photos_from(request.files, "media", most=5)
    same = "&".join(f"{k}={v}" for k, v in sorted(form.items()) if k != "api_key")
    day = clock.local_date(at).isoformat()
    wanted = uuid.uuid5(NAMESPACE, f"{key_id} {day} {same}")
    with tenant_transaction(place) as session:
        before = feedback.sent_before(session, wanted)
        if before:
            return "service_requests", _filed(before.number)
        kept = [blobs.keep(session, one, by=None, at=at, settings=settings()) for one in developed]
        wish = open311_reading.wish_of(
            form,
            id=wanted,
            said=forms.long_text(form, "address_string", label="address_string", most=200),
            photo_ids=tuple(blob.id for blob in kept),
        )
        spot = reporting.spot_of(session, wish, at=at)

        case = cases.report(
            session,
            category=wish.category,
            words=forms.long_text(form, "description", label="description"),
            spot=spot,
            source="open311",
            source_ref=f"{key_name}:{wanted}",
            by=None,
            at=at,
            id=wanted,
            photo_ids=wish.photo_ids,
        )
        if form.get("attribute[DANGER]") == "yes":
            case.danger = True
        return "service_requests", _filed(case.number)


def _filed(number: str) -> list[dict[str, Any]]:
    return [{"service_request_id": number, "service_notice": None, "account_id": None}]


def _check(form: dict[str, str]) -> None:
    kind = categories.known().get(form.get("service_code", ""))
    if kind is None or not kind.reportable or not kind.public:
        raise BadRequest("service_code was not provided or is not known")
    for name in ("lat", "long"):
        try:
            float(form.get(name) or 0)
        except ValueError as error:
            raise BadRequest(f"{name}: a number") from error
    placed = (form.get("lat") and form.get("long")) or form.get("address_string")
    if not placed:
        raise BadRequest("lat and long, or address_string, must be provided")
    if form.get("media_url"):
        raise BadRequest("media_url is not fetched here: send the photo as media")


def _place() -> int:
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


def _photo(place: int) -> Callable[[CasePhoto], str]:
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
