"""Mounting: staff scan a plate at the door, take a photo, and it is bound."""

import uuid

import shapely
from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.signin import allows, current
from roadchief.codes import mounting, plates, scans
from roadchief.codes.scans import Seen
from roadchief.codes.views import UnknownCode, guesses, pages, position_from, where_is
from roadchief.errors import BadInput
from roadchief.lib import clock
from roadchief.web import settings, tenant_transaction
from roadchief.web.blobs import photos_from, takes_photos
from roadchief.web.forms import optional_text


@pages.get("/C/<token>/mount")
@allows("codes.mount")
@guesses
def mount_page(token: str) -> AnyResponse:
    actor, where = current(), where_is(token)
    if where.subdistrict_id != actor.subdistrict_id:
        raise UnknownCode
    with tenant_transaction(where.subdistrict_id) as session:
        seen = scans.see(session, where.plate_id)
        near = mounting.nearest(session, position_from_query()) if _is_blank(seen) else []
    page = render_template("codes/mount.html", seen=seen, token=token, near=near)
    response = make_response(page)
    response.headers["Permissions-Policy"] = "geolocation=(self), camera=(self)"
    return response


def _is_blank(seen: Seen) -> bool:
    return seen.kind == "shop" and seen.storefront_id is None


def position_from_query() -> shapely.Point | None:
    try:
        lon, lat = float(request.args["lon"]), float(request.args["lat"])
    except (KeyError, ValueError):
        return None
    return shapely.Point(lon, lat) if abs(lon) <= 180 and abs(lat) <= 85 else None


@pages.post("/C/<token>/mount")
@allows("codes.mount")
@guesses
@takes_photos(most=1)
def mount(token: str) -> AnyResponse:
    actor, where = current(), where_is(token)
    if where.subdistrict_id != actor.subdistrict_id:
        raise UnknownCode
    photos = photos_from(request.files, "photo", most=1)
    because = optional_text(request.form, "because", label=gettext("原因"))
    chosen = request.form.get("storefront")
    with tenant_transaction(actor.subdistrict_id) as session:
        state = mounting.mount_scanned(
            session,
            plates.find(session, where.plate_id),
            storefront_id=_chosen(chosen),
            position=position_from(),
            photos=photos,
            because=because,
            by=actor.person_id,
            at=clock.now(),
            settings=settings(),
        )
    if state == "active":
        flash(gettext("已绑定并启用。"), "ok")
    else:
        flash(gettext("已绑定，等待办公室确认位置。"), "ok")
    return redirect(url_for("codes.scan", token=token))


def _chosen(text: str | None) -> uuid.UUID | None:
    if not text:
        return None
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise BadInput(field="铺位 storefront", reason_zh="请选择", reason_en="choose") from error
