"""What other systems send through Open311: cases, and what they add to those. By key."""

import uuid
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from roadchief import blobs
from roadchief.accounts.signin import public
from roadchief.db import in_turn
from roadchief.issues import cases, categories, forms
from roadchief.issues.citizens import feedback, reporting
from roadchief.issues.models import Case
from roadchief.issues.open311 import georeport, keys, reading, updates, views
from roadchief.issues.open311.georeport import BadRequest
from roadchief.issues.open311.views import place, speaks
from roadchief.lib import clock
from roadchief.web import settings, tenant_transaction
from roadchief.web.blobs import photos_from, takes_photos
from roadchief.web.limits import limiter, within

pages = views.pages  # the same addresses, by another method
NAMESPACE = uuid.UUID("6f0c6b7e-0311-4e11-9311-000000000311")
WHY = "other systems file with an api_key of their own"
LONGEST_ID = 100


@pages.post("/requests.<kind>")
@public(WHY)
@limiter.limit("6000 per minute")
@takes_photos(5)
@speaks
def file_request() -> tuple[str, Any]:
    """The same body from the same system is the same case: an answer may be lost on the way."""
    here, at, form = place(), clock.now(), _form()
    sender = _sender(here, form, "file")
    _check(form)
    developed = photos_from(request.files, "media", most=5)
    same = "&".join(f"{k}={v}" for k, v in sorted(form.items()) if k != "api_key")
    wanted = uuid.uuid5(NAMESPACE, f"{sender} {clock.local_date(at).isoformat()} {same}")
    with tenant_transaction(here) as session:
        before = _sent_before(session, wanted)
        if before is None:
            kept = [
                blobs.keep(session, one, by=None, at=at, settings=settings()) for one in developed
            ]
            before = _filed(session, form, wanted, sender, tuple(blob.id for blob in kept))
        told = {"service_request_id": before.number, "service_notice": None, "account_id": None}
    return "service_requests", [told]


def _sent_before(session: Session, wanted: uuid.UUID) -> Case | None:
    """Two at once: the second waits here for the first, and finds its case."""
    in_turn(session, f"open311 {wanted}")
    return feedback.sent_before(session, wanted)


def _filed(
    session: Session,
    form: dict[str, str],
    wanted: uuid.UUID,
    sender: str,
    photo_ids: tuple[uuid.UUID, ...],
) -> Case:
    at = clock.now()
    said = forms.long_text(form, "address_string", label="address_string", most=200)
    wish = reading.wish_of(
        form,
        id=wanted,
        said=said,
        photo_ids=photo_ids,
        shop=reading.door_of(session, form.get("address_id", "")),
    )
    case = cases.report(
        session,
        category=wish.category,
        words=forms.long_text(form, "description", label="description"),
        spot=reporting.spot_of(session, wish, at=at),
        source="open311",
        source_ref=f"{sender}:{wanted}",
        by=None,
        at=at,
        id=wanted,
        photo_ids=wish.photo_ids,
    )
    if "yes" in (form.get("attribute[DANGER]"), form.get("attribute[DANGER][]")):
        case.danger = True
    return case


@pages.post("/servicerequestupdates.<kind>")
@public(WHY)
@limiter.limit("6000 per minute")
@takes_photos(5)
@speaks
def add_update() -> tuple[str, Any]:
    """An addition to a case that this system filed; the same `update_id` is taken once."""
    here, at, form = place(), clock.now(), _form()
    sender = _sender(here, form, "update")
    for name in ("service_request_id", "update_id", "updated_datetime"):
        if not form.get(name):
            raise BadRequest(f"{name} was not provided")
    if len(form["update_id"]) > LONGEST_ID:
        raise BadRequest(f"update_id: at most {LONGEST_ID} characters")
    happened_at = georeport.instant(form["updated_datetime"])
    words = forms.long_text(form, "description", label="description")
    developed = photos_from(request.files, "media", most=5)
    if not (words or developed or form.get("status")):
        raise BadRequest("description, media or status must be provided")

    def keep(session: Session) -> tuple[uuid.UUID, ...]:
        rows = [blobs.keep(session, one, by=None, at=at, settings=settings()) for one in developed]
        return tuple(row.id for row in rows)

    with tenant_transaction(here) as session:
        update_id = updates.take(
            session,
            sender=sender,
            number=form["service_request_id"],
            update_id=form["update_id"],
            status=form.get("status", "").upper(),
            happened_at=happened_at or at,
            words=words,
            keep=keep,
            at=at,
        )
    return "service_request_updates", [{"update_id": update_id}]


def _form() -> dict[str, str]:
    """Fields with something in them: an empty one counts as not given."""
    return {name: text for name, text in request.form.to_dict().items() if text.strip()}


def _sender(here: int, form: dict[str, str], scope: str) -> str:
    """The name of the system whose key this is, within what the key may do in a minute."""
    with tenant_transaction(here) as session:
        held = keys.holder(session, form.get("api_key", ""), scope, at=clock.now())
        if held is None:
            raise BadRequest("api_key is missing or not known", 403)
        if not within("open311", str(held.id), a_minute=held.limit_a_minute):
            raise BadRequest(f"this key may ask {held.limit_a_minute} times a minute", 429)
        return held.name


def _check(form: dict[str, str]) -> None:
    kind = categories.known().get(form.get("service_code", ""))
    if kind is None or not kind.reportable or not kind.public:
        raise BadRequest("service_code was not provided or is not known")
    for name in ("lat", "long"):
        try:
            float(form.get(name) or 0)
        except ValueError as error:
            raise BadRequest(f"{name}: a number") from error
    point = form.get("lat") and form.get("long")
    if not (point or form.get("address_string") or form.get("address_id")):
        raise BadRequest("lat and long, address_string or address_id must be provided")
    if form.get("media_url"):
        raise BadRequest("media_url is not fetched here: send the photo as media")
