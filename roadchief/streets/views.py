"""Pages of roads and segments: what there is, and each act with a look at what follows."""

import uuid
from typing import Any

import shapely
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts import roster
from roadchief.accounts.access import may
from roadchief.accounts.signin import allows, current, current_or_none
from roadchief.lib import clock
from roadchief.streets import (
    catalog,
    directory,
    kinds,
    outlook,
    place_catalog,
    place_register,
    register,
    segment_details,
)
from roadchief.streets.models import Grid, StreetBlock
from roadchief.web import tenant_transaction
from roadchief.web.forms import (
    decimal_field,
    id_field,
    optional_id,
    optional_text,
    text_field,
    whole_number,
)
from roadchief.web.pages import PAGE_SIZE, Page, language, page_number

pages = Blueprint("streets", __name__, url_prefix="/admin")


@pages.context_processor
def rights() -> dict[str, Any]:
    """What templates ask: which forms to show, and the words of kinds."""
    actor = current_or_none()
    return {
        "may_register": actor is not None and may(actor, "streets.register").allowed,
        "may_assign": actor is not None and may(actor, "streets.assign").allowed,
        "may_see_merchants": actor is not None and may(actor, "merchants.read").allowed,
        "may_keep_merchants": actor is not None and may(actor, "merchants.keep").allowed,
        "may_see_people": actor is not None and may(actor, "people.read").allowed,
        "may_import": actor is not None and may(actor, "streets.import").allowed,
        "may_invite": actor is not None and may(actor, "people.invite").allowed,
        "kinds_of": kinds.of,
        "kind_word": lambda what, key: kinds.word(what, key, language()),
        "worded": worded,
        "act_of": act_of,
        "today": clock.local_date(clock.now()),
    }


def worded(table: kinds.Words, also: str | None = None) -> list[tuple[str, str]]:
    """(key, word) for a choice; `also` is a sub-district's own key that a row has."""
    at = 0 if language() == "zh" else 1
    known = [(key, words[at]) for key, words in table.items()]
    return known if not also or also in table else [(also, also), *known]


def act_of(event: str) -> str:
    """An event of a storefront in plain words."""
    words = {
        "streets.storefront_opened": gettext("登记入册"),
        "streets.storefront_closed": gettext("停用"),
        "streets.storefront_split": gettext("拆分"),
        "streets.storefronts_merged": gettext("合并"),
        "streets.storefront_moved": gettext("移动店门"),
        "streets.storefront_refronted": gettext("修改门面"),
        "streets.storefront_corrected": gettext("更正门牌、地址、业态"),
        "streets.sign_changed": gettext("更换店招"),
        "streets.duty_zone_redrawn": gettext("绘制责任区"),
        "streets.duty_zone_reset": gettext("责任区恢复自动计算"),
    }
    return str(words.get(event, event))


def geojson(shape: shapely.Geometry | None) -> str:
    """As the drawing map and a text area show it: seven places are a centimetre."""
    return "" if shape is None else str(shapely.to_geojson(shapely.set_precision(shape, 1e-7)))


pages.add_app_template_filter(geojson)


def because() -> str:
    return text_field(request.form, "because", label=gettext("原因"))


@pages.get("/")
@allows("streets.read")
def start() -> str:
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        states = catalog.segment_states(session, at=at)
        people = roster.page(session, text=None, number=1, size=1)[1]
        storefronts = directory.storefront_count(session)
        places = place_catalog.counts(session)
    return render_template(
        "streets/start.html", states=states, people=people, storefronts=storefronts, places=places
    )


@pages.get("/streets")
@allows("streets.read")
def listing() -> str:
    """Roads by name; those closed on request."""
    asked, number = request.args.get("q", ""), page_number()
    closed = request.args.get("state") == "closed"
    at = clock.now()
    with tenant_transaction(current().subdistrict_id) as session:
        rows, total = directory.roads(
            session, asked=asked, closed=closed, number=number, size=PAGE_SIZE
        )
        gaps = directory.gaps_by_road(session, at=at)
    return render_template(
        "streets/listing.html",
        page=Page(rows, number, total),
        gaps=gaps,
        wanted=asked,
        closed=closed,
    )


@pages.get("/streets/segments/<uuid:segment_id>")
@allows("streets.read")
def segment(segment_id: uuid.UUID) -> str:
    at = clock.now()
    with tenant_transaction(current().subdistrict_id) as session:
        row, road = catalog.segment(session, segment_id)
        blocks, grids = place_catalog.choices(session)
        return render_template(
            "streets/segment.html",
            segment=row,
            road=road,
            sides=catalog.walk(session, segment_id),
            charge=catalog.charge(session, at=at, segment_id=segment_id),
            history=catalog.history(session, segment_id),
            neighbours=directory.segments_of(session, road.id),
            posts=catalog.posts_that_may_answer(session, at=at),
            permits=directory.permits_along(session, segment_id, clock.local(at)),
            stations=directory.stations_along(session, segment_id),
            blocks=blocks,
            grids=grids,
        )


@pages.get("/streets/segments/<uuid:segment_id>/split")
@allows("streets.register")
def foresee_split(segment_id: uuid.UUID) -> str:
    with tenant_transaction(current().subdistrict_id) as session:
        row, road = catalog.segment(session, segment_id)
        between = optional_text(request.args, "between", label=gettext("路口"), limit=40)
        after = outlook.of_split(session, row, road, _measure(request.args), between)
        return _foresee(session, "split", row, after)


@pages.post("/streets/segments/<uuid:segment_id>/split")
@allows("streets.register")
def split(segment_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = register.find_segment(session, segment_id)
        first, _second = register.split_segment(
            session,
            row,
            at_measure_m=_measure(request.form),
            by=actor.person_id,
            at=clock.now(),
            because=because(),
            name_between=optional_text(request.form, "between", label=gettext("路口"), limit=40),
        )
    flash(gettext("已切分，路长和铺位随之转移。"), "ok")
    return redirect(url_for("streets.segment", segment_id=first.id))


@pages.get("/streets/segments/<uuid:segment_id>/merge")
@allows("streets.register")
def foresee_merge(segment_id: uuid.UUID) -> str:
    with tenant_transaction(current().subdistrict_id) as session:
        row, road = catalog.segment(session, segment_id)
        key = id_field(request.args, "other", label=gettext("路段"))
        other, _road = catalog.segment(session, key)
        after = outlook.of_merge(session, row, other, road)
        return _foresee(session, "merge", row, after, other=other)


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
            because=because(),
        )
    flash(gettext("已合并。"), "ok")
    return redirect(url_for("streets.segment", segment_id=merged.id))


@pages.get("/streets/segments/<uuid:segment_id>/close")
@allows("streets.register")
def foresee_close(segment_id: uuid.UUID) -> str:
    with tenant_transaction(current().subdistrict_id) as session:
        row, _road = catalog.segment(session, segment_id)
        return _foresee(session, "close", row, [])


@pages.post("/streets/segments/<uuid:segment_id>/close")
@allows("streets.register")
def close_segment(segment_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = register.find_segment(session, segment_id)
        register.close_segment(session, row, by=actor.person_id, at=clock.now(), because=because())
    flash(gettext("路段已停用，历史记录保留。"), "ok")
    return redirect(url_for("streets.segment", segment_id=segment_id))


@pages.post("/streets/segments/<uuid:segment_id>/details")
@allows("streets.register")
def describe(segment_id: uuid.UUID) -> AnyResponse:
    actor, form = current(), request.form
    with tenant_transaction(actor.subdistrict_id) as session:
        block = optional_id(form, "block", label=gettext("街区"))
        grid = optional_id(form, "grid", label=gettext("网格"))
        kerb = decimal_field(form, "kerb", label=gettext("路缘距中线（米）"), low=1, high=60)
        row = register.find_segment(session, segment_id)
        segment_details.describe(
            session,
            row,
            block=place_register.locked(session, StreetBlock, block) if block else None,
            grid=place_register.locked(session, Grid, grid) if grid else None,
            kerb_m=row.kerb_m if kerb is None else kerb,
            key_road=form.get("key_road") == "1",
            from_name=optional_text(form, "from", label=gettext("起点路口"), limit=40),
            to_name=optional_text(form, "to", label=gettext("终点路口"), limit=40),
            by=actor.person_id,
            at=clock.now(),
        )
    flash(gettext("路段信息已保存。"), "ok")
    return redirect(url_for("streets.segment", segment_id=segment_id))


def _measure(given: Any) -> int:
    label = gettext("切分点（米）")
    return whole_number(given, "measure", label=label, low=0, high=100_000, default=0)


def _foresee(session: Any, act: str, row: Any, after: Any, *, other: Any = None) -> str:
    """What would follow, before anybody presses the button that does it."""
    at = clock.now()
    if row.closed_at is not None:
        raise register.SegmentClosed(code=row.code)
    before = [row] + ([other] if other else [])
    charge = [
        one
        for part in before
        for one in catalog.charge(session, at=at, segment_id=part.id)
        if one.scope == "segment"
    ]
    return render_template(
        "streets/foresee.html",
        act=act,
        segment=row,
        other=other,
        after=after,
        charge=list({one.post_id: one for one in charge}.values()),
        storefronts=outlook.storefronts_on(session, before),
        measure=request.args.get("measure", ""),
        between=request.args.get("between", ""),
        reason=request.args.get("because", ""),
    )
