"""What a touch on the map asks for, as JSON. Public: the allow-list and no more."""

import uuid
from typing import Any

from flask import Blueprint, Response, jsonify, url_for
from flask_babel import gettext

from roadchief.accounts.signin import current_or_none, of_post, public
from roadchief.lib import clock
from roadchief.maps import frontages, sights, wording
from roadchief.maps.frontages import NOTHING, Front
from roadchief.maps.views import ALLOWED, sight_of, subdistrict
from roadchief.maps.wording import Sight
from roadchief.streets import catalog, storefronts
from roadchief.streets.models import Subdistrict
from roadchief.web import tenant_transaction
from roadchief.web.pages import language, metres

pages = Blueprint("touch", __name__, url_prefix="/map")


@pages.get("/segments/<uuid:segment_id>.json")
@public(ALLOWED)
def segment(segment_id: uuid.UUID) -> Response:
    here = subdistrict()
    with tenant_transaction(here.id) as session:
        row, _road = catalog.segment(session, segment_id)
        chiefs = _chiefs(catalog.charge(session, at=clock.now(), segment_id=segment_id))
    lines = [f"{row.code} · {metres(row.length_m)}"]
    if row.closed_at is not None:
        lines.append(gettext("已停用"))
    return jsonify(
        title=row.name,
        lines=lines,
        chiefs=chiefs,
        gap=not chiefs and row.closed_at is None,
        sheet=_sheet(row.id, here),
    )


@pages.get("/storefronts/<uuid:storefront_id>.json")
@public(ALLOWED)
def storefront(storefront_id: uuid.UUID) -> Response:
    here, at = subdistrict(), clock.now()
    front = NOTHING
    with tenant_transaction(here.id) as session:
        row = storefronts.find(session, storefront_id)
        lines = [row.address] + ([row.business_type] if row.business_type else [])
        chiefs: list[dict[str, Any]] = []
        if row.segment_id:
            lines.append(catalog.segment(session, row.segment_id)[0].name)
            chiefs = _chiefs(catalog.charge(session, at=at, segment_id=row.segment_id))
            sight = sight_of(session, current_or_none(), row.segment_id, at=at)
            if sight:
                front = frontages.look(
                    session, row.segment_id, [row.id], sight, at=at, language=language()
                ).of(row.id)
        if row.second_segment_id:
            other = catalog.segment(session, row.second_segment_id)[0].name
            lines.append(gettext("转角铺位，另一面：") + other)
    sheet = _sheet(row.segment_id, here) if row.segment_id else None
    return jsonify(
        title=row.name,
        lines=lines,
        marks=_marks(front),
        chiefs=chiefs,
        gap=not chiefs,
        sheet=sheet,
    )


@pages.get("/stations/<uuid:station_id>.json")
@public(ALLOWED)
def station(station_id: uuid.UUID) -> Response:
    with tenant_transaction(subdistrict().id) as session:
        row = sights.station(session, station_id)
        return jsonify(_sight(wording.station_sight(row, clock.now())))


@pages.get("/permits/<uuid:permit_id>.json")
@public(ALLOWED)
def permit(permit_id: uuid.UUID) -> Response:
    with tenant_transaction(subdistrict().id) as session:
        row = sights.permit(session, permit_id)
        return jsonify(_sight(wording.permit_sight(row, clock.now())))


def _marks(front: Front) -> list[dict[str, str]]:
    """The last visit and the open cases, each with a sign of its own."""
    marks = []
    if front.sign:
        seen = " · ".join(part for part in (front.visited, front.grade) if part)
        marks.append({"state": front.state, "sign": front.sign, "word": seen})
    if front.cases:
        state, sign = ("late", "▲") if front.late else ("due", "◆")
        marks.append({"state": state, "sign": sign, "word": front.cases_told})
    return marks


def _sight(sight: Sight) -> dict[str, Any]:
    return {
        "title": sight.title,
        "lines": [sight.kind, *sight.lines],
        "chiefs": [],
        "gap": False,
        "mark": vars(sight.mark) if sight.mark else None,
        "phone": sight.phone,
        "sheet": None,
    }


def _chiefs(charge: list[Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": row.person,
            "title": of_post(row.title) + (f"（{gettext('代理')}）" if row.acting else ""),
            "phone": row.office_phone,
        }
        for row in sights.in_public(charge)
    ]


def _sheet(segment_id: uuid.UUID, here: Subdistrict) -> str:
    return url_for("maps.segment", segment_id=segment_id, s=here.id)
