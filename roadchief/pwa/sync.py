"""Acts and photos from phones: an answer for each item, and none before it is committed."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from roadchief import blobs
from roadchief.accounts.signin import allows, current, current_or_none
from roadchief.errors import BadInput, Malformed, NotFound, TooLarge
from roadchief.lib import clock
from roadchief.patrol.phone import intake
from roadchief.pwa.origin import dated, json_only, own_page_only
from roadchief.web import blobs as photos
from roadchief.web import settings, tenant_transaction
from roadchief.web.forms import json_in
from roadchief.web.limits import limiter
from roadchief.web.security import csrf, takes

pages = Blueprint("sync", __name__, url_prefix="/api/v1")
# Fifty items of the largest kind would be more; phones split by bytes as well as by number.
BATCH_LIMIT_BYTES = 4 * 1024 * 1024
# Counted by person, not by address: a whole office may stand behind one address.
RATE = "300 per minute"


def who() -> str:
    actor = current_or_none()
    return f"patrol:{actor.person_id}" if actor else f"patrol:{request.remote_addr}"


counted = limiter.limit(RATE, key_func=who, override_defaults=True)


@pages.post("/sync")
@csrf.exempt
@counted
@allows("patrol.sync")
@takes(lambda _given: BATCH_LIMIT_BYTES)
def take() -> Response:
    """At most 50 items; the answers stand in the order of the items."""
    own_page_only()
    json_only()
    actor, at = current(), clock.now()
    items = batch(request.get_data())
    with tenant_transaction(actor.subdistrict_id) as session:
        answers = intake.take(session, items, by=actor, at=at)
    return dated(jsonify(answers=answers, server_time=at.isoformat(timespec="milliseconds")))


@pages.put("/blobs/<sha256>")
@csrf.exempt
@counted
@allows("patrol.sync")
@takes(lambda given: given.photo_limit_bytes)
def put_blob(sha256: str) -> tuple[Response, int]:
    """A photo under the hash of its bytes: sent twice it is there once."""
    own_page_only()
    actor, at = current(), clock.now()
    data = request.get_data()
    if request.content_length is not None and len(data) < request.content_length:
        raise Malformed
    receipt = photos.receive(actor.subdistrict_id, sha256, data, by=actor.person_id, at=at)
    answer = {"sha256": sha256, "id": str(receipt.blob.id), "fresh": receipt.fresh}
    return dated(jsonify(answer)), 201 if receipt.fresh else 200


@pages.get("/blobs/<sha256>")
@allows("patrol.sync")
def has_blob(sha256: str) -> Response:
    """Has the server got it? Says so, and no more: a hash is no right to look at a photo."""
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        if blobs.known(session, sha256, settings=settings()) is None:
            raise NotFound
    return dated(jsonify(sha256=sha256))


def batch(raw: bytes) -> list[Any]:
    """The items of a request, unjudged. Raises where there is no list of at most 50."""
    sent = json_in(raw)
    items = sent.get("items") if isinstance(sent, dict) else sent
    if not isinstance(items, list):
        raise BadInput(field="items", reason_zh="应为列表", reason_en="must be a list")
    if len(items) > intake.MOST:
        raise TooLarge(limit=f"{intake.MOST} 条 items")
    return items
