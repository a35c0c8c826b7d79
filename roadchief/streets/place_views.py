"""Pages of blocks, grids, organisations, stations and permit areas: listed, entered, changed,
closed. Five kinds, one way."""

import uuid
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.signin import allows, current
from roadchief.errors import BadInput
from roadchief.lib import clock
from roadchief.lib.coords import Datum
from roadchief.streets import (
    catalog,
    charge,
    directory,
    permits,
    place_catalog,
    place_forms,
    place_register,
)
from roadchief.streets.models import Grid, Organisation, PermitArea, Station, StreetBlock
from roadchief.streets.views import because, pages
from roadchief.web import tenant_transaction
from roadchief.web.forms import date_field, optional_id, optional_text
from roadchief.web.pages import PAGE_SIZE, Page, page_number


@dataclass(frozen=True)
class Kind:
    """`one` and `many` name endpoints and addresses."""

    one: str
    many: str
    table: Any


KINDS = (
    Kind("block", "blocks", StreetBlock),
    Kind("grid", "grids", Grid),
    Kind("organisation", "organisations", Organisation),
    Kind("station", "stations", Station),
    Kind("permit", "permits", PermitArea),
)


def listing(kind: Kind) -> str:
    closed, number = request.args.get("state") == "closed", page_number()
    wanted = optional_text(request.args, "q", label=gettext("名称"), limit=60) or ""
    at = clock.now()
    with tenant_transaction(current().subdistrict_id) as session:
        rows, total = place_catalog.page(
            session, kind.table, asked=wanted, closed=closed, number=number, size=PAGE_SIZE
        )
        names = place_catalog.names_of(session, kind.table, rows)
    return render_template(
        "streets/places.html",
        kind=kind,
        page=Page(rows, number, total),
        names=names,
        wanted=wanted,
        closed=closed,
        verdicts=_verdicts(rows, at) if kind.table is PermitArea else {},
    )


def new(kind: Kind) -> str:
    with tenant_transaction(current().subdistrict_id) as session:
        shown = _surroundings(session, kind, None)
    return render_template("streets/place_new.html", kind=kind, row=None, **shown)


def enter(kind: Kind) -> AnyResponse:
    actor = current()
    values = place_forms.READERS[kind.one](request.form, None)
    with tenant_transaction(actor.subdistrict_id) as session:
        values |= _links(session, kind, None)
        row = place_register.enter(
            session, kind.table, by=actor.person_id, at=clock.now(), **values
        )
    flash(gettext("已登记。"), "ok")
    return redirect(url_for(f"streets.{kind.one}", place_id=row.id))


def show(kind: Kind, place_id: uuid.UUID) -> str:
    at = clock.now()
    with tenant_transaction(current().subdistrict_id) as session:
        row = place_register.find(session, kind.table, place_id)
        shown = _surroundings(session, kind, row)
        if kind.table is StreetBlock:
            shown["charge"] = charge.of_block(session, place_id, at=at)
            shown["posts"] = charge.posts_that_may_answer(session, at=at)
        if kind.table in (StreetBlock, Grid):
            shown["segments"] = directory.segments_within(session, f"{kind.one}_id", place_id)
        if kind.table is Organisation:
            shown["below"] = place_catalog.below(session, place_id)
        shown["names"] = place_catalog.names_of(session, kind.table, [row])
    shown["verdicts"] = _verdicts([row], at) if kind.table is PermitArea else {}
    return render_template("streets/place.html", kind=kind, row=row, **shown)


def change(kind: Kind, place_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = place_register.find(session, kind.table, place_id)
        values = place_forms.READERS[kind.one](request.form, getattr(row, "kind", None))
        values |= _links(session, kind, row)
        place_register.change(session, row, by=actor.person_id, at=clock.now(), **values)
    flash(gettext("已保存。"), "ok")
    return redirect(url_for(f"streets.{kind.one}", place_id=place_id))


def close(kind: Kind, place_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = place_register.find(session, kind.table, place_id)
        place_register.close(session, row, by=actor.person_id, at=clock.now(), because=because())
    flash(gettext("已停用，历史记录保留。"), "ok")
    return redirect(url_for(f"streets.{kind.many}"))


def gather(kind: Kind, place_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = place_register.find(session, kind.table, place_id)
        count = place_register.gather_segments(session, row, by=actor.person_id, at=clock.now())
    flash(gettext("范围内的 %(n)s 个路段已归入。", n=count), "ok")
    return redirect(url_for(f"streets.{kind.one}", place_id=place_id))


def _links(session: Session, kind: Kind, row: Any) -> dict[str, Any]:
    """Fields that name other rows, and dates."""
    form = request.form
    if kind.table is Organisation:
        return {
            "parent_id": _organisation(session, "parent", gettext("上级")),
            "guided_by_id": _organisation(session, "guided_by", gettext("指导单位")),
        }
    if kind.table is Station:
        return {"organisation_id": _organisation(session, "organisation", gettext("单位"))}
    if kind.table is PermitArea:
        return {
            "valid_from": date_field(form, "valid_from", label=gettext("有效期起")),
            "valid_to": date_field(form, "valid_to", label=gettext("有效期止")),
            "storefront_id": _storefront(session),
        }
    return {}


def _organisation(session: Session, name: str, label: str) -> uuid.UUID | None:
    key = optional_id(request.form, name, label=label)
    return place_register.locked(session, Organisation, key).id if key else None


def _storefront(session: Session) -> uuid.UUID | None:
    """By the number on its plate."""
    number = optional_text(request.form, "storefront", label=gettext("铺位编号"), limit=40)
    if number is None:
        return None
    key = directory.storefront_by_number(session, number)
    if key is None:
        raise BadInput(
            field=gettext("铺位编号"), reason_zh="没有此编号的铺位", reason_en="no such storefront"
        )
    return key


def _surroundings(session: Session, kind: Kind, row: Any) -> dict[str, Any]:
    """What the form of this kind offers beside its own values."""
    shape = getattr(row, "area", None) or getattr(row, "place", None)
    shown: dict[str, Any] = {"datums": list(Datum), "organisations": [], "charge": [], "posts": []}
    shown["bounds"] = shape.buffer(0.0004).bounds if shape is not None else catalog.extent(session)
    if kind.table in (Organisation, Station):
        shown["organisations"] = catalog.organisations(session)
    if kind.table is PermitArea and row is not None and row.storefront_id:
        shown["storefront_number"] = directory.number_of(session, row.storefront_id)
    return shown


def _verdicts(rows: list[PermitArea], at: Any) -> dict[uuid.UUID, permits.PermitVerdict]:
    now = clock.local(at)
    return {row.id: permits.judge(row.windows, row.valid_from, row.valid_to, now) for row in rows}


def _add(rule: str, endpoint: str, view: Any, action: str, method: str) -> None:
    view.__name__ = endpoint
    pages.add_url_rule(rule, endpoint, allows(action)(view), methods=[method])


def _add_pages(kind: Kind) -> None:
    """The same seven addresses for each kind."""
    read, write = "streets.read", "streets.register"
    root, one = f"/streets/{kind.many}", f"/streets/{kind.many}/<uuid:place_id>"
    for rule, endpoint, view, action, method in (
        (root, kind.many, listing, read, "GET"),
        (f"{root}/new", f"new_{kind.one}", new, write, "GET"),
        (f"{root}/new", f"enter_{kind.one}", enter, write, "POST"),
        (one, kind.one, show, read, "GET"),
        (one, f"change_{kind.one}", change, write, "POST"),
        (f"{one}/close", f"close_{kind.one}", close, write, "POST"),
    ):
        _add(rule, endpoint, partial(view, kind), action, method)
    if kind.table in (StreetBlock, Grid):
        _add(f"{one}/gather", f"gather_{kind.one}", partial(gather, kind), write, "POST")


for each in KINDS:
    _add_pages(each)
