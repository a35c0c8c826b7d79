"""Pages of self-checks: the merchant fills one in a few taps, chiefs see the last ones."""

import uuid
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief import blobs
from roadchief.accounts.access import Actor, may
from roadchief.accounts.signin import allows, current
from roadchief.codes.faces import Line, Part
from roadchief.codes.scans import Seen
from roadchief.db import new_id
from roadchief.errors import NotFound, Refusal, status_of
from roadchief.lib import clock
from roadchief.lib.photos import Developed
from roadchief.patrol.planning import due, weeks
from roadchief.patrol.selfchecks import checks as self_checks
from roadchief.patrol.selfchecks import forms, reading, rhythm
from roadchief.patrol.selfchecks.reading import Standing
from roadchief.streets import catalog, standards, storefronts
from roadchief.streets.shopkeepers import Shop
from roadchief.web import settings, tenant_transaction
from roadchief.web.blobs import photos_from, takes_photos
from roadchief.web.forms import id_field, optional_text
from roadchief.web.pages import language

pages = Blueprint("selfchecks", __name__)
MOST_PHOTOS = 8
STAFF = frozenset({"chief", "patroller"})


@pages.get("/merchant/self-checks/<uuid:storefront_id>")
@allows("issues.own")
def start(storefront_id: uuid.UUID) -> str:
    """Where the shop stands, the form, and what was found before."""
    return _start(storefront_id)


@pages.get("/merchant/self-checks/<uuid:storefront_id>/wrong")
@allows("issues.own")
def wrong(storefront_id: uuid.UUID) -> str | tuple[str, int]:
    """The second step: what about each thing that is not in order."""
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        shop = self_checks.own_shop(session, actor.person_id, storefront_id)
        form = forms.form_of(session, request.args.get("form"))
        items = forms.chosen(form, request.args.getlist("item"))
    if not items:
        flash(gettext("请先勾选有问题的项目。"), "warn")
        return _start(storefront_id)
    return _wrong_page(shop, form.version, items, sheet_id=request.args.get("id", ""))


@pages.post("/merchant/self-checks/<uuid:storefront_id>")
@allows("issues.own")
@takes_photos(MOST_PHOTOS)
def file(storefront_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    """File it: once for each id, however often it is sent."""
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        shop = self_checks.own_shop(session, actor.person_id, storefront_id)
        form = forms.form_of(session, request.form.get("form"))
        items = forms.chosen(form, request.form.getlist("item"))
    try:
        developed = _photos(items)
        sheet = forms.read(
            form,
            request.form,
            items,
            {code: tuple(one.source_sha256 for one in some) for code, some in developed.items()},
            storefront_id=storefront_id,
            today=clock.local_date(at),
        )
        with tenant_transaction(actor.subdistrict_id) as session:
            _keep(session, [one for some in developed.values() for one in some], actor, at)
            self_checks.file(session, sheet, by=actor.person_id, at=at)
    except NotFound:
        raise
    except Refusal as refusal:
        said, status = refusal.say(language()), status_of(refusal)
        if not items or status == 409:
            return _start(storefront_id, trouble=said), status
        page = _wrong_page(
            shop, form.version, items, sheet_id=request.form.get("id", ""), trouble=said
        )
        return page, status
    if sheet.wrong:
        flash(gettext("已记下，谢谢。自己查出的问题不会记在您的账上。"), "ok")
    else:
        flash(gettext("自查完成，谢谢。"), "ok")
    return redirect(url_for("selfchecks.start", storefront_id=storefront_id), 303)


@pages.post("/merchant/self-findings/<uuid:finding_id>/fixed")
@allows("issues.own")
@takes_photos(3)
def fixed(finding_id: uuid.UUID) -> AnyResponse:
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        finding = self_checks.own_finding(session, finding_id, actor.person_id)
    developed = photos_from(request.files, "photos", most=3)
    note = optional_text(request.form, "note", label=gettext("说明"), limit=self_checks.MOST_NOTE)
    with tenant_transaction(actor.subdistrict_id) as session:
        _keep(session, developed, actor, at)
        self_checks.put_right(
            session,
            finding_id,
            by=actor.person_id,
            at=at,
            note=note,
            photos=tuple(one.source_sha256 for one in developed),
        )
    flash(gettext("记下了：已整改。"), "ok")
    return redirect(url_for("selfchecks.start", storefront_id=finding.storefront_id), 303)


@pages.post("/merchant/self-findings/<uuid:finding_id>/help")
@allows("issues.own")
def ask_help(finding_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        finding = self_checks.own_finding(session, finding_id, actor.person_id)
        helped = self_checks.ask_help(session, finding_id, by=actor.person_id, at=clock.now())
    if helped.case_number:
        said = gettext("已转街道处理，案件号 %(number)s。", number=helped.case_number)
    else:
        said = gettext("已记下您的求助。")
    flash(said, "ok")
    return redirect(url_for("selfchecks.start", storefront_id=finding.storefront_id), 303)


@pages.get("/chief/self-checks")
@allows("patrol.chief")
def of_segment() -> str:
    """The shops of one segment: when they last looked themselves, and what is open."""
    actor, at = current(), clock.now()
    segment_id = id_field(request.args, "segment", label=gettext("路段"))
    with tenant_transaction(actor.subdistrict_id) as session:
        _within(session, actor, segment_id, at=at)
        segment, _road = catalog.segment(session, segment_id)
        rows = reading.of_segment(session, segment_id, at=at)
    return render_template("patrol/self_segment.html", segment=segment, rows=rows)


@pages.get("/chief/self-checks/<uuid:storefront_id>")
@allows("patrol.chief")
def of_storefront(storefront_id: uuid.UUID) -> str:
    """The last self-checks of whoever runs the shop now. No evidence of a visit."""
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        shop = storefronts.find(session, storefront_id)
        _within(session, actor, shop.segment_id, at=at)
        found = reading.of_storefront(session, storefront_id, at=at)
        tenancy = found.row.tenancy_id if found else None
        checks = reading.lately(session, tenancy) if tenancy else []
        things = reading.found(session, tenancy) if tenancy else []
    return render_template(
        "patrol/self_storefront.html", shop=shop, found=found, checks=checks, things=things
    )


@pages.app_context_processor
def words() -> dict[str, Any]:
    at, actor = 0 if language() == "zh" else 1, g.get("actor")
    return {
        "sees_self_checks": lambda segment_id: (
            actor is not None and may(actor, "patrol.chief").allowed and _in_reach(segment_id)
        ),
        "self_item": lambda code: (
            standards.items()[code].say(language()) if code in standards.items() else code
        ),
        "self_word": lambda state: rhythm.WORDS[state][at],
        "self_mark": lambda state: due.MARKS[state],
    }


def _in_reach(segment_id: uuid.UUID) -> bool:
    """Whether the person asking answers for this segment; asked of the database once a request."""
    if "own_segments" not in g:
        with tenant_transaction(current().subdistrict_id) as session:
            g.own_segments = weeks.own_segments(session, current(), at=clock.now())
    return g.own_segments is None or segment_id in g.own_segments


def shop_parts(session: Session, shops: list[Shop], at: datetime) -> list[Part]:
    """For the merchant's own page: where each shop stands, with the way to the form."""
    rows = reading.of_tenancies(session, [shop.tenancy_id for shop in shops], at=at)
    lines = [
        Line(
            f"{one.row.sign_name}：{one.turn.say(language())}",
            href=url_for("selfchecks.start", storefront_id=one.row.storefront_id),
            note=gettext("还有 %(n)s 件在整改", n=one.row.open) if one.row.open else "",
            state=due.MARKS[one.turn.state],
        )
        for one in rows
    ]
    return [Part(gettext("每周自查"), lines, "checklist")] if lines else []


def face(
    session: Session, seen: Seen, audience: str, actor: Actor | None, at: datetime
) -> Part | None:
    """What a scan tells staff, and the merchant of the shop, of self-checks."""
    if seen.storefront_id is None or audience not in STAFF | {"merchant"}:
        return None
    found = reading.of_storefront(session, seen.storefront_id, at=at)
    if found is None or (found.row.since is None and found.row.last_id is None):
        return None
    own = url_for("selfchecks.start", storefront_id=seen.storefront_id)
    line = Line(
        _said(found),
        href=own if audience == "merchant" else None,
        note=gettext("商户自己说的，不能代替到访") if audience in STAFF else "",
        state=due.MARKS[found.turn.state] if audience == "merchant" else "",
    )
    return Part(gettext("商户自查"), [line], "checklist")


def _said(found: Standing) -> str:
    row = found.row
    if row.last_at is None:
        return gettext("还没有自查过")
    day = clock.local(row.last_at).strftime("%Y-%m-%d")
    if row.last_wrong:
        return gettext("%(day)s 自查，发现 %(n)s 项", day=day, n=row.last_wrong)
    return gettext("%(day)s 自查，全部正常", day=day)


def _start(storefront_id: uuid.UUID, trouble: str | None = None) -> str:
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        shop = self_checks.own_shop(session, actor.person_id, storefront_id)
        (found,) = reading.of_tenancies(session, [shop.tenancy_id], at=at)
        form = forms.form_of(session, None)
        checks = reading.lately(session, shop.tenancy_id)
        things = reading.found(session, shop.tenancy_id)
    groups: dict[str, list[standards.Item]] = {}
    for code in form.items:
        item = standards.items()[code]
        groups.setdefault(item.group, []).append(item)
    return render_template(
        "patrol/self_check.html",
        shop=shop,
        found=found,
        form=form,
        groups=groups,
        group_words=standards.groups(),
        checks=checks,
        things=things,
        sheet_id=new_id(),
        figures=self_checks.figures(),
        trouble=trouble,
    )


def _wrong_page(
    shop: Shop,
    version: str,
    items: list[standards.Item],
    *,
    sheet_id: str,
    trouble: str | None = None,
) -> str:
    today, given = clock.local_date(clock.now()), self_checks.figures()
    return render_template(
        "patrol/self_wrong.html",
        shop=shop,
        version=version,
        items=items,
        sheet_id=sheet_id or new_id(),
        today=today,
        promises={item.code: forms.promise_of(item, today) for item in items},
        photos=given["photos_an_item"],
        said=request.form,
        trouble=trouble,
    )


def _photos(items: list[standards.Item]) -> dict[str, list[Developed]]:
    """The photos of each item, made safe before any transaction."""
    most = self_checks.figures()["photos_an_item"]
    return {
        item.code: photos_from(request.files, f"photo-{item.code}", most=most) for item in items
    }


def _keep(session: Session, developed: list[Developed], actor: Actor, at: datetime) -> None:
    for one in developed:
        blobs.keep(session, one, by=actor.person_id, at=at, settings=settings())


def _within(session: Session, actor: Actor, segment_id: uuid.UUID | None, *, at: datetime) -> None:
    """Chiefs see their own segments; the others' are not found."""
    mine = weeks.own_segments(session, actor, at=at)
    if mine is not None and segment_id not in mine:
        raise NotFound
