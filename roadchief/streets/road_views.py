"""Pages of whole roads: drawn, looked at, entered; carried on, renamed, closed."""

import uuid
from typing import Any

import shapely
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.signin import allows, current
from roadchief.errors import BadInput
from roadchief.lib import clock
from roadchief.streets import catalog, charge, directory, kinds, outlook, roads, sketches
from roadchief.streets.views import because, pages
from roadchief.web import tenant_transaction
from roadchief.web.forms import choice_field, decimal_field, optional_text, text_field

USUAL_KERB_M = 6.0


@pages.get("/streets/roads/<uuid:road_id>")
@allows("streets.read")
def road(road_id: uuid.UUID) -> str:
    at = clock.now()
    with tenant_transaction(current().subdistrict_id) as session:
        row = roads.find(session, road_id)
        segments = directory.segments_of(session, road_id)
        return render_template(
            "streets/road.html",
            road=row,
            segments=segments,
            states=catalog.segment_states(session, at=at),
            charge=charge.of_road(session, road_id, at=at),
            by_segment=_by_segment(
                charge.charge(session, at=at, among=[s.id for s, _n in segments])
            ),
            posts=charge.posts_that_may_answer(session, at=at),
            shops=sum(count for _segment, count in segments),
        )


@pages.get("/streets/roads/new")
@allows("streets.register")
def new_road() -> str:
    with tenant_transaction(current().subdistrict_id) as session:
        bounds = catalog.extent(session)
    return render_template(
        "streets/road_new.html", road=None, bounds=bounds, given={}, outlook=None
    )


@pages.post("/streets/roads/new")
@allows("streets.register")
def enter_road() -> str | AnyResponse:
    """Looked at first; `sure` writes."""
    actor, form = current(), request.form
    name = text_field(form, "name", label=gettext("路名"), limit=40)
    kind = choice_field(form, "kind", label=gettext("等级"), among=kinds.of("roads"))
    name_en = optional_text(form, "name_en", label=gettext("英文名"), limit=80)
    kerb, line = _kerb(), _line()
    if kind is None:
        raise BadInput(field=gettext("等级"), reason_zh="请选择", reason_en="choose one")
    with tenant_transaction(actor.subdistrict_id) as session:
        if form.get("sure") != "1":
            found = outlook.of_line(session, line)
            return render_template(
                "streets/road_new.html", road=None, bounds=line.bounds, given=form, outlook=found
            )
        row = roads.enter(
            session,
            name=name,
            kind=kind,
            name_en=name_en,
            line=line,
            kerb_m=kerb,
            key_road=form.get("key_road") == "1",
            by=actor.person_id,
            at=clock.now(),
        )
    flash(gettext("道路已登记，已按路口切分。"), "ok")
    return redirect(url_for("streets.road", road_id=row.id))


@pages.get("/streets/roads/<uuid:road_id>/carry-on")
@allows("streets.register")
def new_stretch(road_id: uuid.UUID) -> str:
    with tenant_transaction(current().subdistrict_id) as session:
        row = roads.find(session, road_id)
        lines = [segment.line for segment, _shops in directory.segments_of(session, road_id)]
        bounds = shapely.union_all(lines).bounds if lines else catalog.extent(session)
    return render_template("streets/road_new.html", road=row, bounds=bounds, given={}, outlook=None)


@pages.post("/streets/roads/<uuid:road_id>/carry-on")
@allows("streets.register")
def carry_on(road_id: uuid.UUID) -> str | AnyResponse:
    actor, form = current(), request.form
    kerb, line = _kerb(), _line()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = roads.find(session, road_id)
        if form.get("sure") != "1":
            found = outlook.of_line(session, line, road=row)
            return render_template(
                "streets/road_new.html", road=row, bounds=line.bounds, given=form, outlook=found
            )
        roads.carry_on(session, row, line, kerb_m=kerb, by=actor.person_id, at=clock.now())
    flash(gettext("路段已添加。"), "ok")
    return redirect(url_for("streets.road", road_id=road_id))


@pages.post("/streets/roads/<uuid:road_id>/rename")
@allows("streets.register")
def rename_road(road_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        roads.rename(
            session,
            roads.find(session, road_id),
            to=text_field(request.form, "name", label=gettext("路名"), limit=40),
            name_en=optional_text(request.form, "name_en", label=gettext("英文名"), limit=80),
            by=actor.person_id,
            at=clock.now(),
        )
    flash(gettext("已改名，路段、路口和门牌地址随之更新；码牌编号不变。"), "ok")
    return redirect(url_for("streets.road", road_id=road_id))


@pages.post("/streets/roads/<uuid:road_id>/close")
@allows("streets.register")
def close_road(road_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = roads.find(session, road_id)
        roads.close(session, row, by=actor.person_id, at=clock.now(), because=because())
    flash(gettext("道路已停用，历史记录保留。"), "ok")
    return redirect(url_for("streets.road", road_id=road_id))


def _line() -> shapely.LineString:
    return sketches.read(request.form.get("line", ""), shapely.LineString, label=gettext("走向"))


def _kerb() -> float:
    label = gettext("路缘距中线（米）")
    kerb = decimal_field(request.form, "kerb", label=label, low=1, high=60)
    return USUAL_KERB_M if kerb is None else kerb


def _by_segment(rows: list[Any]) -> dict[uuid.UUID, list[Any]]:
    found: dict[uuid.UUID, list[Any]] = {}
    for row in rows:
        if row.scope == "segment":
            found.setdefault(row.segment_id, []).append(row)
    return found
