"""What a phone takes along before it goes out: shifts, their stops, and the signed plates."""

import uuid
from typing import Any

from flask import Blueprint, Response, jsonify, request

from roadchief.accounts.signin import allows, current
from roadchief.codes import manifest, tokens
from roadchief.errors import BadInput
from roadchief.lib import clock
from roadchief.patrol.phone import download
from roadchief.patrol.planning import shifts
from roadchief.pwa.origin import dated, json_only, own_page_only
from roadchief.web import settings, tenant_transaction
from roadchief.web.forms import json_in
from roadchief.web.security import csrf

pages = Blueprint("downloads", __name__, url_prefix="/api/v1/patrol")
MOST_SEGMENTS = 50


@pages.get("/shifts")
@allows("patrol.walk")
def listing() -> Response:
    """The asker's own shifts of these days."""
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        found = download.shifts(session, actor.person_id, at=at)
    return dated(jsonify(shifts=found, server_time=at.isoformat(timespec="milliseconds")))


@pages.get("/shifts/<uuid:shift_id>")
@allows("patrol.walk")
def one(shift_id: uuid.UUID) -> Response:
    """Everything that the shift needs without signal, in one answer."""
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        answer: dict[str, Any] = download.shift(session, shift_id, actor.person_id, at=at)
        row = shifts.find(session, shift_id)
        plates = manifest.issue(
            session,
            [segment.id for segment in shifts.segments_of(session, shift_id)],
            shift_id=shift_id,
            until=row.ends_at + manifest.LONGEST,
            settings=settings(),
            at=at,
        )
    answer["plates"] = plates.as_json()
    answer["keys"] = manifest.public_keys(settings(), at=at)["keys"]
    answer["hosts"] = [tokens.site(settings().public_url).host]
    answer["server_time"] = at.isoformat(timespec="milliseconds")
    return dated(jsonify(answer))


@pages.get("/beats")
@allows("patrol.walk")
def beats() -> Response:
    """Streets that somebody may walk without a plan."""
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        found = download.beats(session, at=at)
    return dated(jsonify(beats=found))


@pages.post("/shifts")
@csrf.exempt
@allows("patrol.walk")
def open_own() -> tuple[Response, int]:
    """`{"segment_ids": […]}`: a shift of one's own, from now on."""
    own_page_only()
    json_only()
    actor, at = current(), clock.now()
    segment_ids = _segments(json_in(request.get_data()))
    with tenant_transaction(actor.subdistrict_id) as session:
        row = shifts.open_own(session, actor.person_id, segment_ids, by=actor.person_id, at=at)
        found = str(row.id)
    return dated(jsonify(id=found)), 201


def _segments(said: Any) -> list[uuid.UUID]:
    asked = said.get("segment_ids") if isinstance(said, dict) else None
    try:
        if not isinstance(asked, list) or not 0 < len(asked) <= MOST_SEGMENTS:
            raise ValueError
        return [uuid.UUID(one) for one in asked]
    except (ValueError, AttributeError, TypeError) as error:
        raise BadInput(
            field="segment_ids",
            reason_zh=f"应为 1 到 {MOST_SEGMENTS} 个路段",
            reason_en=f"1 to {MOST_SEGMENTS} segments",
        ) from error
