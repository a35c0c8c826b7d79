"""Administration of the ground: segments and who answers for them, storefronts, tenancies."""

import json
import uuid

import shapely
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts import roster
from roadchief.accounts.signin import allows, current
from roadchief.errors import BadInput
from roadchief.lib import clock
from roadchief.streets import catalog, chiefs, duty_zones, register, storefronts, tenancies
from roadchief.web import tenant_transaction
from roadchief.web.forms import date_field, id_field, optional_text, text_field, whole_number

# What json and shapely raise on odd texts: numbers of 400 digits and 50,000 brackets among them.
UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
    shapely.errors.ShapelyError,
)

pages = Blueprint("streets", __name__, url_prefix="/admin")


@pages.get("/")
@allows("streets.read")
def start() -> str:
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        states = catalog.segment_states(session, at=at)
        people = roster.page(session, text=None, number=1, size=1)[1]
    return render_template("streets/start.html", states=states, people=people)


@pages.get("/streets")
@allows("streets.read")
def listing() -> str:
    at = clock.now()
    with tenant_transaction(current().subdistrict_id) as session:
        rows = catalog.segments(session)
        states = catalog.segment_states(session, at=at)
        organisations = catalog.organisations(session)
    return render_template(
        "streets/listing.html", rows=rows, states=states, organisations=organisations
    )


@pages.get("/streets/segments/<uuid:segment_id>")
@allows("streets.read")
def segment(segment_id: uuid.UUID) -> str:
    at = clock.now()
    with tenant_transaction(current().subdistrict_id) as session:
        row, road = catalog.segment(session, segment_id)
        return render_template(
            "streets/segment.html",
            segment=row,
            road=road,
            sides=catalog.walk(session, segment_id),
            charge=catalog.charge(session, at=at, segment_id=segment_id),
            history=catalog.history(session, segment_id),
            neighbours=[one for one in catalog.segments(session) if one[0].road_id == road.id],
            posts=catalog.posts_that_may_answer(session, at=at),
        )


@pages.post("/streets/segments/<uuid:segment_id>/split")
@allows("streets.register")
def split(segment_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = register.find_segment(session, segment_id)
        measure = whole_number(
            request.form, "measure", label=gettext("切分点（米）"), low=0, high=100_000, default=0
        )
        first, _second = register.split_segment(
            session,
            row,
            at_measure_m=measure,
            by=actor.person_id,
            at=clock.now(),
            because=text_field(request.form, "because", label=gettext("原因")),
            name_between=optional_text(request.form, "between", label=gettext("路口"), limit=40),
        )
    flash(gettext("已切分，路长和铺位随之转移。"), "ok")
    return redirect(url_for("streets.segment", segment_id=first.id))


@pages.post("/streets/segments/<uuid:segment_id>/merge")
@allows("streets.register")
def merge(segment_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        merged = register.merge_segments(
            session,
            register.find_segment(session, segment_id),
            register.find_segment(session, id_field(request.form, "other", label=gettext("路段"))),
            by=actor.person_id,
            at=clock.now(),
            because=text_field(request.form, "because", label=gettext("原因")),
        )
    flash(gettext("已合并。"), "ok")
    return redirect(url_for("streets.segment", segment_id=merged.id))


@pages.post("/streets/segments/<uuid:segment_id>/chiefs")
@allows("streets.assign")
def appoint(segment_id: uuid.UUID) -> AnyResponse:
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = register.locked(session, segment_id)
        post = roster.find_post(session, id_field(request.form, "post", label=gettext("岗位")))
        acting = request.form.get("acting_for")
        stand_in = (
            chiefs.find(session, id_field(request.form, "acting_for", label=gettext("代理")))
            if acting
            else None
        )
        chiefs.appoint_chief(session, post, to=row, by=actor.person_id, at=at, acting_for=stand_in)
    flash(gettext("已任命。"), "ok")
    return redirect(url_for("streets.segment", segment_id=segment_id))


@pages.post("/streets/assignments/<uuid:assignment_id>/relieve")
@allows("streets.assign")
def relieve(assignment_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = chiefs.find(session, assignment_id)
        because = text_field(request.form, "because", label=gettext("原因"))
        chiefs.relieve_chief(session, row, by=actor.person_id, at=clock.now(), because=because)
    flash(gettext("已免去。"), "ok")
    if row.segment_id:
        return redirect(url_for("streets.segment", segment_id=row.segment_id))
    return redirect(url_for("streets.listing"))


@pages.get("/streets/storefronts/<uuid:storefront_id>")
@allows("streets.read")
def storefront(storefront_id: uuid.UUID) -> str:
    with tenant_transaction(current().subdistrict_id) as session:
        row = storefronts.find(session, storefront_id)
        return render_template(
            "streets/storefront.html",
            shop=row,
            tenancies=catalog.tenancies(session, storefront_id),
            zone=shapely.to_geojson(row.duty_zone) if row.duty_zone else "",
            segment=catalog.segment(session, row.segment_id)[0] if row.segment_id else None,
            today=clock.local_date(clock.now()),
        )


@pages.post("/streets/storefronts/<uuid:storefront_id>/close")
@allows("streets.register")
def close(storefront_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = storefronts.find(session, storefront_id)
        because = text_field(request.form, "because", label=gettext("原因"))
        storefronts.close_storefront(
            session, row, by=actor.person_id, at=clock.now(), because=because
        )
    flash(gettext("铺位已停用，历史记录保留。"), "ok")
    return redirect(url_for("streets.storefront", storefront_id=storefront_id))


@pages.post("/streets/storefronts/<uuid:storefront_id>/tenancies")
@allows("streets.register")
def start_tenancy(storefront_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = storefronts.locked(session, storefront_id)
        sign = text_field(request.form, "sign", label=gettext("店招名称"), limit=60)
        merchant = tenancies.open_merchant(
            session,
            name=optional_text(request.form, "merchant", label=gettext("商户名称"), limit=100)
            or sign,
            uscc=optional_text(request.form, "uscc", label=gettext("统一社会信用代码"), limit=20),
        )
        tenancies.start(
            session,
            row,
            merchant,
            sign_name=sign,
            on=date_field(request.form, "on", label=gettext("开始日期")),
            by=actor.person_id,
            at=clock.now(),
            business_type=optional_text(request.form, "trade", label=gettext("业态"), limit=30),
        )
    if merchant.uscc_warning:
        flash(gettext("信用代码存疑：") + merchant.uscc_warning, "warn")
    return redirect(url_for("streets.storefront", storefront_id=storefront_id))


@pages.post("/streets/storefronts/<uuid:storefront_id>/tenancies/end")
@allows("streets.register")
def end_tenancy(storefront_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = storefronts.locked(session, storefront_id)
        running = tenancies.running(session, row)
        if running is None:
            raise BadInput(
                field=gettext("经营期"), reason_zh="没有在营商户", reason_en="nobody runs it"
            )
        tenancies.end(
            session,
            running,
            row,
            on=date_field(request.form, "on", label=gettext("结束日期")),
            by=actor.person_id,
            at=clock.now(),
            because=text_field(request.form, "because", label=gettext("原因")),
        )
    return redirect(url_for("streets.storefront", storefront_id=storefront_id))


@pages.post("/streets/storefronts/<uuid:storefront_id>/duty-zone")
@allows("streets.register")
def redraw(storefront_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = storefronts.locked(session, storefront_id)
        zone = _read_zone(request.form.get("zone", ""))
        duty_zones.redraw(session, row, zone, by=actor.person_id, at=clock.now())
    flash(gettext("责任区已保存，不再自动计算。"), "ok")
    return redirect(url_for("streets.storefront", storefront_id=storefront_id))


def _read_zone(text: str) -> shapely.Polygon:
    """A GeoJSON polygon as the form sends it."""
    try:
        shape = shapely.geometry.shape(json.loads(text[:50_000]))
    except UNREADABLE as error:
        raise BadInput(
            field=gettext("责任区"), reason_zh="应为 GeoJSON 多边形", reason_en="a GeoJSON polygon"
        ) from error
    if not isinstance(shape, shapely.Polygon):
        raise BadInput(
            field=gettext("责任区"), reason_zh="应为 GeoJSON 多边形", reason_en="a GeoJSON polygon"
        )
    return shape
