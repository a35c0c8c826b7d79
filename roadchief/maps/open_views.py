"""Sheets that everybody may open: service stations; and street map and segment as one file."""

import uuid
from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.orm import Session

from roadchief.accounts.signin import current_or_none, public
from roadchief.lib import clock
from roadchief.maps import street_sheets
from roadchief.maps.sheet_views import file_of, page_of, saved
from roadchief.maps.sheets import Sheet
from roadchief.maps.views import ALLOWED, sight_of, subdistrict, subdistrict_code
from roadchief.web import tenant_transaction
from roadchief.web.limits import limiter
from roadchief.web.pages import language

pages = Blueprint("saved", __name__, url_prefix="/map")
FILES = "20 per minute"  # a file holds all streets of a sub-district


@pages.get("/stations")
@public(ALLOWED)
@limiter.limit(FILES, exempt_when=lambda: request.args.get("save") != "html")
def stations() -> str:
    code = subdistrict_code()
    return page_of(
        lambda session: (street_sheets.stations(session, at=clock.now(), code=code), {}),
        blueprint="saved",
        s=code,
    )


@pages.get("/stations.json")
@public(ALLOWED)
def stations_data() -> Response:
    code = subdistrict_code()
    with tenant_transaction(code) as session:
        return jsonify(street_sheets.stations(session, at=clock.now(), code=code).told())


@pages.get("/save/district")
@public(ALLOWED)
@limiter.limit(FILES)
def district() -> Response:
    return _saved(lambda session, at: street_sheets.district(session, at=at))


@pages.get("/save/segments/<uuid:segment_id>")
@public(ALLOWED + "; more for those who answer for the segment")
@limiter.limit(FILES)
def segment(segment_id: uuid.UUID) -> Response:
    def make(session: Session, at: datetime) -> Sheet:
        sight = sight_of(session, current_or_none(), segment_id, at=at)
        return street_sheets.segment(session, segment_id, at=at, sight=sight, language=language())

    return _saved(make)


def _saved(make: Callable[[Session, datetime], Sheet]) -> Response:
    here, at = subdistrict(), clock.now()
    with tenant_transaction(here.id) as session:
        sheet = make(session, at)
        return file_of(saved(session, sheet, here, at=at), sheet)
