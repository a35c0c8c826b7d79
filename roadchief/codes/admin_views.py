"""The office's pages of plates: mint, print, deliver, watch, replace."""

import uuid

from flask import (
    Blueprint,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief import blobs
from roadchief.accounts.access import may
from roadchief.accounts.signin import allows, current, current_or_none, public
from roadchief.codes import (
    batches,
    faces,
    lifecycle,
    manifest,
    mounting,
    plates,
    scans,
    shelf,
    tokens,
)
from roadchief.errors import BadInput
from roadchief.lib import clock
from roadchief.web import settings, tenant_transaction
from roadchief.web.blobs import boxes_from
from roadchief.web.forms import optional_text, text_field
from roadchief.web.pages import Page, language, page_number

pages = Blueprint("plates", __name__)


@pages.get("/admin/codes")
@allows("codes.history")
def start() -> str:
    with tenant_transaction(current().subdistrict_id) as session:
        return render_template(
            "codes/start.html",
            counts=shelf.counts(session),
            roads=shelf.roads(session),
            batches=batches.page(session),
            alarms=shelf.alarms(session),
            unconfirmed=shelf.unconfirmed(session),
            closed=shelf.at_closed_doors(session),
            old_signs=shelf.signs_out_of_date(
                session, phone=settings().office_phone, at=clock.now()
            ),
            kinds=shelf.ALARMS,
        )


@pages.get("/admin/codes/plates")
@allows("codes.history")
def listing() -> str:
    number = page_number()
    with tenant_transaction(current().subdistrict_id) as session:
        rows, total = shelf.listing(
            session,
            state=request.args.get("state"),
            wanted=request.args.get("q"),
            number=number,
        )
    return render_template(
        "codes/listing.html",
        page=Page(rows, number, total, shelf.PAGE),
        states=lifecycle.STATES,
        chosen=request.args.get("state", ""),
        wanted=request.args.get("q", "")[:40],
    )


@pages.get("/admin/codes/plates/<uuid:plate_id>")
@allows("codes.history")
def plate(plate_id: uuid.UUID) -> str:
    with tenant_transaction(current().subdistrict_id) as session:
        row = plates.find(session, plate_id)
        return render_template(
            "codes/plate.html",
            blob=blobs.get(session, row.photo_id) if row.photo_id else None,
            plate=row,
            seen=scans.see(session, plate_id),
            life=faces.life(session, plate_id),
            months=shelf.months(session, plate_id),
            acts=[
                (name, lifecycle.ACTS[name])
                for name in lifecycle.acts_from(row.state)
                if name not in {"bind", "print", "deliver", "replace"}
            ],
        )


@pages.post("/admin/codes/plates/<uuid:plate_id>/act")
@allows("codes.settle")
def act(plate_id: uuid.UUID) -> AnyResponse:
    actor = current()
    name = request.form.get("act", "")
    if name not in lifecycle.ACTS or name in {"bind", "print", "deliver", "replace"}:
        raise BadInput(field="操作 act", reason_zh="请选择", reason_en="choose one")
    with tenant_transaction(actor.subdistrict_id) as session:
        plates.move(
            session,
            plates.find(session, plate_id),
            name,
            by=actor.person_id,
            at=clock.now(),
            because=optional_text(request.form, "because", label=gettext("原因")),
        )
    flash(gettext("已记录。"), "ok")
    return redirect(url_for("plates.plate", plate_id=plate_id))


@pages.post("/admin/codes/plates/<uuid:plate_id>/photo")
@allows("codes.settle")
def photo(plate_id: uuid.UUID) -> AnyResponse:
    """Release the photo to the public face; boxes given with it are made unreadable first."""
    actor, at = current(), clock.now()
    boxes = boxes_from(request.form)
    with tenant_transaction(actor.subdistrict_id) as session:
        row = plates.find(session, plate_id)
        if boxes:
            mounting.blur_photo(session, row, boxes, by=actor.person_id, at=at, settings=settings())
        mounting.release_photo(session, row, by=actor.person_id, at=at)
    flash(gettext("照片已公开。"), "ok")
    return redirect(url_for("plates.plate", plate_id=plate_id))


@pages.post("/admin/codes/plates/<uuid:plate_id>/replace")
@allows("codes.mint")
def replace(plate_id: uuid.UUID) -> AnyResponse:
    """A new plate for the same place; the old one is replaced when the new one is mounted."""
    actor, at = current(), clock.now()
    because = text_field(request.form, "because", label=gettext("原因"))
    with tenant_transaction(actor.subdistrict_id) as session:
        row, _minted = batches.order_replacement(
            session,
            plates.find(session, plate_id),
            because=because,
            where=tokens.site(settings().public_url),
            settings=settings(),
            by=actor.person_id,
            at=at,
        )
    return redirect(url_for("plates.batch", batch_id=row.id))


@pages.post("/admin/codes/alarms/<uuid:alarm_id>/settle")
@allows("codes.settle")
def settle(alarm_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        scans.settle(
            session,
            alarm_id,
            by=actor.person_id,
            at=clock.now(),
            because=text_field(request.form, "because", label=gettext("原因")),
        )
    flash(gettext("已处理。"), "ok")
    return redirect(url_for("plates.start"))


@pages.get("/api/v1/manifest-keys")
@public("public keys, by which phones check the signed list of a shift's plates")
def manifest_keys() -> AnyResponse:
    answer = jsonify(manifest.public_keys(settings(), at=clock.now()))
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


def act_word(name: str) -> str:
    """An act of a plate's life in the page's language."""
    if name == "mint":
        return gettext("生成")
    return lifecycle.ACTS[name].label[0 if language() == "zh" else 1]


def state_word(name: str) -> str:
    return lifecycle.STATES[name][0 if language() == "zh" else 1]


def batch_word(name: str) -> str:
    return batches.STATES[name][0 if language() == "zh" else 1]


def may_do(action: str) -> bool:
    """For buttons: the same table as the views ask."""
    actor = current_or_none()
    return actor is not None and may(actor, action).allowed
