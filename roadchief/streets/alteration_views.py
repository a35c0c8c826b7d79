"""Forms on a storefront's page: split, merged, moved, refronted, corrected, let, zone drawn."""

import uuid

import shapely
from flask import flash, redirect, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.signin import allows, current
from roadchief.errors import BadInput
from roadchief.lib import clock
from roadchief.lib.text import clean
from roadchief.streets import (
    alterations,
    duty_zones,
    new_doors,
    sketches,
    storefronts,
    tenancies,
)
from roadchief.streets.merchant_views import merchant_of_form, tell_doubts
from roadchief.streets.models import Storefront, Tenancy
from roadchief.streets.storefront_views import check_within, read_spot
from roadchief.streets.views import because, pages
from roadchief.web import tenant_transaction
from roadchief.web.forms import (
    choice_field,
    date_field,
    decimal_field,
    id_field,
    optional_text,
    text_field,
)

MOST_PARTS = 8


@pages.post("/streets/storefronts/<uuid:storefront_id>/split")
@allows("streets.register")
def split_storefront(storefront_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = storefronts.find(session, storefront_id)
        doors = new_doors.parts(row, storefronts.ground(session), _numbers())
        rows = alterations.split_storefront(
            session, row, doors, by=actor.person_id, at=clock.now(), because=because()
        )
    flash(gettext("已拆分为 %(n)s 间，原铺位停用。", n=len(rows)), "ok")
    return redirect(url_for("streets.storefront", storefront_id=rows[0].id))


@pages.post("/streets/storefronts/<uuid:storefront_id>/merge")
@allows("streets.register")
def merge_storefronts(storefront_id: uuid.UUID) -> AnyResponse:
    actor = current()
    keys = [
        id_field({"with": key}, "with", label=gettext("相邻铺位"))
        for key in dict.fromkeys(request.form.getlist("with")[:MOST_PARTS])
    ]
    with tenant_transaction(actor.subdistrict_id) as session:
        rows = [storefronts.find(session, key) for key in (storefront_id, *keys)]
        number = text_field(request.form, "number", label=gettext("合并后的门牌号"), limit=40)
        door = new_doors.whole(rows, storefronts.ground(session), number)
        merged = alterations.merge_storefronts(
            session, rows, door, by=actor.person_id, at=clock.now(), because=because()
        )
    flash(gettext("已合并，原铺位停用。"), "ok")
    return redirect(url_for("streets.storefront", storefront_id=merged.id))


@pages.post("/streets/storefronts/<uuid:storefront_id>/move")
@allows("streets.register")
def move_door(storefront_id: uuid.UUID) -> AnyResponse:
    actor = current()
    place, datum = read_spot()
    with tenant_transaction(actor.subdistrict_id) as session:
        check_within(session, place)
        alterations.move_door(
            session,
            storefronts.find(session, storefront_id),
            place,
            datum=datum.value,
            by=actor.person_id,
            at=clock.now(),
            because=because(),
        )
    flash(gettext("店门已移动，路段、门面和责任区随之更新。"), "ok")
    return redirect(url_for("streets.storefront", storefront_id=storefront_id))


@pages.post("/streets/storefronts/<uuid:storefront_id>/front")
@allows("streets.register")
def refront(storefront_id: uuid.UUID) -> AnyResponse:
    actor, form = current(), request.form
    drawn = form.get("front", "").strip()
    front = sketches.read(drawn, shapely.LineString, label=gettext("门面线")) if drawn else None
    with tenant_transaction(actor.subdistrict_id) as session:
        alterations.refront(
            session,
            storefronts.find(session, storefront_id),
            front=front,
            width_m=decimal_field(form, "width", label=gettext("门面宽（米）"), low=0.5, high=200),
            side=choice_field(form, "side", label=gettext("侧"), among=("left", "right")),
            by=actor.person_id,
            at=clock.now(),
            because=because(),
        )
    flash(gettext("门面已更新，责任区随之计算。"), "ok")
    return redirect(url_for("streets.storefront", storefront_id=storefront_id))


@pages.post("/streets/storefronts/<uuid:storefront_id>/correct")
@allows("streets.register")
def correct(storefront_id: uuid.UUID) -> AnyResponse:
    actor, form = current(), request.form
    with tenant_transaction(actor.subdistrict_id) as session:
        alterations.correct(
            session,
            storefronts.find(session, storefront_id),
            house_number=text_field(form, "number", label=gettext("门牌号"), limit=40),
            address=text_field(form, "address", label=gettext("地址"), limit=100),
            business_type=optional_text(form, "trade", label=gettext("业态"), limit=30),
            by=actor.person_id,
            at=clock.now(),
        )
    flash(gettext("已更正；码牌编号不变。"), "ok")
    return redirect(url_for("streets.storefront", storefront_id=storefront_id))


@pages.post("/streets/storefronts/<uuid:storefront_id>/tenancies")
@allows("streets.register")
def start_tenancy(storefront_id: uuid.UUID) -> AnyResponse:
    """A merchant chosen or new; a doubtful credit code is told and kept."""
    actor, form = current(), request.form
    sign = text_field(form, "sign", label=gettext("店招名称"), limit=60)
    with tenant_transaction(actor.subdistrict_id) as session:
        row = storefronts.locked(session, storefront_id)
        chosen = merchant_of_form(session)
        merchant = chosen or tenancies.open_merchant(
            session,
            name=optional_text(form, "merchant", label=gettext("商户名称"), limit=100) or sign,
            uscc=optional_text(form, "uscc", label=gettext("统一社会信用代码"), limit=20),
        )
        tenancies.start(
            session,
            row,
            merchant,
            sign_name=sign,
            on=date_field(form, "on", label=gettext("开始日期")),
            by=actor.person_id,
            at=clock.now(),
            business_type=optional_text(form, "trade", label=gettext("业态"), limit=30),
        )
        if chosen is None:
            tell_doubts(session, merchant)
    flash(gettext("经营期已开始。"), "ok")
    return redirect(url_for("streets.storefront", storefront_id=storefront_id))


@pages.post("/streets/storefronts/<uuid:storefront_id>/tenancies/end")
@allows("streets.register")
def end_tenancy(storefront_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row, running = _let(session, storefront_id)
        tenancies.end(
            session,
            running,
            row,
            on=date_field(request.form, "on", label=gettext("结束日期")),
            by=actor.person_id,
            at=clock.now(),
            because=because(),
        )
    flash(gettext("经营期已结束，铺位空置。"), "ok")
    return redirect(_with_next_shop(storefront_id))


@pages.post("/streets/storefronts/<uuid:storefront_id>/sign")
@allows("streets.register")
def change_sign(storefront_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row, running = _let(session, storefront_id)
        tenancies.change_sign(
            session,
            running,
            row,
            sign_name=text_field(request.form, "sign", label=gettext("店招名称"), limit=60),
            by=actor.person_id,
            at=clock.now(),
            because=because(),
        )
    flash(gettext("店招已更换，经营期和记录不变。"), "ok")
    return redirect(url_for("streets.storefront", storefront_id=storefront_id))


def _let(session: Session, storefront_id: uuid.UUID) -> tuple[Storefront, Tenancy]:
    """A storefront, locked, with who trades there now; refused where nobody does."""
    row = storefronts.locked(session, storefront_id)
    running = tenancies.running(session, row)
    if running is None:
        raise BadInput(
            field=gettext("经营期"), reason_zh="没有在营商户", reason_en="nobody runs it"
        )
    return row, running


def _with_next_shop(storefront_id: uuid.UUID) -> str:
    """Back to the storefront, with the shop that a patroller read there still in the form."""
    sign, uscc = request.args.get("sign"), request.args.get("uscc")
    where = "tenancy" if sign or uscc else None
    return url_for(
        "streets.storefront", storefront_id=storefront_id, sign=sign, uscc=uscc, _anchor=where
    )


@pages.post("/streets/storefronts/<uuid:storefront_id>/duty-zone")
@allows("streets.register")
def redraw(storefront_id: uuid.UUID) -> AnyResponse:
    actor = current()
    zone = sketches.read(request.form.get("zone", ""), shapely.Polygon, label=gettext("责任区"))
    with tenant_transaction(actor.subdistrict_id) as session:
        row = storefronts.locked(session, storefront_id)
        duty_zones.redraw(session, row, zone, by=actor.person_id, at=clock.now())
    flash(gettext("责任区已保存，不再自动计算。"), "ok")
    return redirect(url_for("streets.storefront", storefront_id=storefront_id))


@pages.post("/streets/storefronts/<uuid:storefront_id>/duty-zone/reset")
@allows("streets.register")
def reset_zone(storefront_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        (row,) = storefronts.hold_with_segment(session, [storefront_id])
        duty_zones.reset(session, row, by=actor.person_id, at=clock.now())
    flash(gettext("责任区已恢复为按门面和路缘计算。"), "ok")
    return redirect(url_for("streets.storefront", storefront_id=storefront_id))


def _numbers() -> list[str]:
    """House numbers of the parts, those left empty aside."""
    label = gettext("拆分后的门牌号")
    given = [clean(one) for one in request.form.getlist("number") if clean(one)]
    if not 2 <= len(given) <= MOST_PARTS or len(set(given)) < len(given):
        raise BadInput(
            field=label,
            reason_zh=f"应有 2–{MOST_PARTS} 个不同的门牌号",
            reason_en=f"2 to {MOST_PARTS} different house numbers",
        )
    return [text_field({"number": one}, "number", label=label, limit=40) for one in given]
