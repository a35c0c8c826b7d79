"""Pages of storefronts: found, opened, looked at, altered, closed."""

import uuid
from typing import Any

import shapely
from flask import flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.signin import allows, current
from roadchief.errors import BadInput, RuleBroken
from roadchief.lib import clock
from roadchief.lib.coords import Datum
from roadchief.lib.geo import Plane
from roadchief.streets import (
    catalog,
    directory,
    new_doors,
    shifts,
    sketches,
    storefronts,
)
from roadchief.streets.importing.report import SOURCES
from roadchief.streets.models import Storefront, Subdistrict
from roadchief.streets.views import because, geojson, pages
from roadchief.web import tenant_transaction
from roadchief.web.forms import choice_field, decimal_field, optional_id, optional_text, text_field
from roadchief.web.pages import PAGE_SIZE, Page, language, page_number

STATES = ("open", "vacant", "unplaced", "closed")
BORDER_ROOM_M = 300.0  # a shop on the far side of the border road is still looked after by us
WIDEST_BOX_DEG = 0.05


class Elsewhere(RuleBroken):
    zh = "位置距本街镇边界 {away_m:.0f} 米，请核对坐标或坐标系"
    en = "the place is {away_m:.0f} m outside the border: check the coordinates and their datum"


@pages.get("/streets/storefronts")
@allows("streets.read")
def storefront_list() -> str:
    asked, number = request.args.get("q", ""), page_number()
    state = request.args.get("state", "open")
    state = state if state in STATES else "open"
    with tenant_transaction(current().subdistrict_id) as session:
        rows, total = directory.storefronts(
            session, asked=asked, state=state, number=number, size=PAGE_SIZE
        )
    return render_template(
        "streets/storefronts.html",
        page=Page(rows, number, total, max(PAGE_SIZE, len(rows))),
        wanted=asked,
        state=state,
        searched=bool(asked.strip()),
    )


@pages.get("/streets/storefronts/new")
@allows("streets.register")
def new_storefront() -> str:
    """By the map, by coordinates, or found by house number on a segment."""
    asked = request.args
    number = optional_text(asked, "number", label=gettext("门牌号"), limit=40)
    side = choice_field(asked, "side", label=gettext("侧"), among=("left", "right"))
    with tenant_transaction(current().subdistrict_id) as session:
        key = optional_id(asked, "segment", label=gettext("路段"))
        row, road = catalog.segment(session, key) if key else (None, None)
        guess = new_doors.guess(session, row, number, side=side) if row and number else None
        bounds = row.line.bounds if row else catalog.extent(session)
        return render_template(
            "streets/storefront_new.html",
            segment=row,
            road=road,
            number=number or "",
            side=side,
            guess=guess,
            bounds=guess.door.buffer(0.0004).bounds if guess else bounds,
            datums=list(Datum),
        )


@pages.post("/streets/storefronts/new")
@allows("streets.register")
def open_storefront() -> AnyResponse:
    actor, form = current(), request.form
    place, datum = read_spot()
    number = text_field(form, "number", label=gettext("门牌号"), limit=40)
    width = decimal_field(form, "width", label=gettext("门面宽（米）"), low=0.5, high=200)
    accuracy = decimal_field(form, "accuracy", label=gettext("精度（米）"), low=0, high=1000)
    with tenant_transaction(actor.subdistrict_id) as session:
        check_within(session, place)
        address = optional_text(form, "address", label=gettext("地址"), limit=100)
        door = storefronts.Door(
            place=place,
            house_number=number,
            address=address or _address(session, place, number),
            business_type=optional_text(form, "trade", label=gettext("业态"), limit=30),
            width_m=6.0 if width is None else width,
            datum=datum.value,
            accuracy_m=accuracy,
        )
        row = new_doors.open_one(session, door, by=actor.person_id, at=clock.now())
    if row.segment_id is None:
        flash(gettext("已登记，但附近没有路段：请核对位置。"), "warn")
    else:
        flash(gettext("铺位已登记，责任区已按门面和路缘计算。"), "ok")
    return redirect(url_for("streets.storefront", storefront_id=row.id))


@pages.get("/streets/storefronts/<uuid:storefront_id>")
@allows("streets.read")
def storefront(storefront_id: uuid.UUID) -> str:
    at = clock.now()
    with tenant_transaction(current().subdistrict_id) as session:
        row = storefronts.find(session, storefront_id)
        second = row.second_segment_id
        return render_template(
            "streets/storefront.html",
            shop=row,
            source=SOURCES.get(row.source, (row.source,) * 2)[0 if language() == "zh" else 1],
            datum=shifts.NAMES.get(row.source_datum, row.source_datum),
            tenancies=catalog.tenancies(session, storefront_id),
            segment=catalog.segment(session, row.segment_id)[0] if row.segment_id else None,
            second=catalog.segment(session, second)[0] if second else None,
            neighbours=directory.neighbours(session, row),
            permits=directory.permits_at(session, storefront_id, clock.local(at)),
            history=directory.storefront_history(session, storefront_id),
            zone=geojson(row.duty_zone),
            bounds=_bounds(row),
            datums=list(Datum),
        )


@pages.post("/streets/storefronts/<uuid:storefront_id>/close")
@allows("streets.register")
def close(storefront_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = storefronts.find(session, storefront_id)
        storefronts.close_storefront(
            session, row, by=actor.person_id, at=clock.now(), because=because()
        )
    flash(gettext("铺位已停用，历史记录保留。"), "ok")
    return redirect(url_for("streets.storefront", storefront_id=storefront_id))


@pages.get("/streets/near.json")
@allows("streets.read")
def near() -> Any:
    """What lies in a box, as the background of a drawing."""
    parts = request.args.get("bbox", "").split(",")
    label = "bbox"
    given = dict(zip(("west", "south", "east", "north"), parts, strict=False))
    read = {
        key: decimal_field(given, key, label=label, low=-180, high=180)
        for key in ("west", "south", "east", "north")
    }
    west, south, east, north = (read[key] for key in ("west", "south", "east", "north"))
    if west is None or south is None or east is None or north is None or len(parts) != 4:
        raise BadInput(field=label, reason_zh="应为四个数", reason_en="four numbers")
    if not (west <= east <= west + WIDEST_BOX_DEG and south <= north <= south + WIDEST_BOX_DEG):
        raise BadInput(field=label, reason_zh="范围过大或次序有误", reason_en="too wide or turned")
    with tenant_transaction(current().subdistrict_id) as session:
        rows = directory.around(session, (west, south, east, north))
    features = [
        {
            "type": "Feature",
            "properties": {"kind": row.kind, "name": row.name},
            "geometry": row.shape,
        }
        for row in rows
    ]
    return jsonify(type="FeatureCollection", features=features)


def read_spot() -> tuple[shapely.Point, Datum]:
    """A place of the form: longitude, latitude and their datum."""
    form = request.form
    return sketches.spot(
        form.get("lon", ""),
        form.get("lat", ""),
        form.get("datum", "wgs84"),
        label=gettext("位置（经度、纬度）"),
    )


def check_within(session: Session, place: shapely.Point) -> None:
    """A place far outside the border is a wrong datum or a slip of the pen."""
    here = session.get(Subdistrict, current().subdistrict_id)
    if here is None or here.area is None:
        return
    plane = Plane.around(place)
    away = plane.flat(here.area).distance(plane.flat(place))
    if away > BORDER_ROOM_M:
        raise Elsewhere(away_m=away)


def _address(session: Session, place: shapely.Point, number: str) -> str:
    """The name of the nearest road before the number."""
    ground = storefronts.ground(session)
    placed = storefronts.place(ground, [storefronts.Door(place, number, "")])
    index = int(placed.segment[0])
    return f"{ground.roads[index]}{number}" if index >= 0 else number


def _bounds(shop: Storefront) -> tuple[float, float, float, float]:
    """A little around the door: what a drawing shows first."""
    west, south, east, north = shop.door.buffer(0.0004).bounds
    return west, south, east, north
