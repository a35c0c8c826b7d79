"""The office mints plates and has them printed."""

import uuid
from datetime import datetime

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.signin import allows, current
from roadchief.codes import batches, inscriptions, packing, sealing, shelf, tokens
from roadchief.codes.admin_views import pages
from roadchief.codes.artwork import layouts
from roadchief.codes.jobs import file_name
from roadchief.codes.plates import Target
from roadchief.db import new_id
from roadchief.errors import BadInput, NotFound
from roadchief.lib import clock
from roadchief.streets import catalog
from roadchief.web import settings, tenant_transaction
from roadchief.web.forms import id_field, optional_id, whole_number
from roadchief.web.limits import limiter

SHEETS = ("", "a4", "a3", "sra3", "svg", "png")
MOST_BLANKS = 2000


@pages.get("/admin/codes/mint")
@allows("codes.mint")
def mint_page() -> str:
    site = tokens.site(settings().public_url)  # says clearly when the host does not fit
    with tenant_transaction(current().subdistrict_id) as session:
        return render_template(
            "codes/mint.html",
            roads=shelf.roads(session),
            segments=catalog.segments(session),
            layouts=layouts(),
            site=site,
            form_id=new_id(),
        )


@pages.post("/admin/codes/mint")
@allows("codes.mint")
@limiter.limit("30 per hour")
def mint() -> AnyResponse:
    actor, at = current(), clock.now()
    layout, sheet = request.form.get("layout", "plate"), request.form.get("sheet", "")
    if layout not in layouts() or sheet not in SHEETS:
        raise BadInput(field="版式 layout", reason_zh="请选择", reason_en="choose one")
    form_id = optional_id(request.form, "id", label="id") or new_id()
    with tenant_transaction(actor.subdistrict_id) as session:
        if batches.sent_before(session, form_id):
            return redirect(url_for("plates.batch", batch_id=form_id))
        targets, title = _wanted(session, layout, at)
        batch, _minted = batches.order(
            session,
            targets,
            title=title,
            layout=layout,
            sheet=sheet or None,
            where=tokens.site(settings().public_url),
            settings=settings(),
            by=actor.person_id,
            at=at,
            id=form_id,
        )
    flash(gettext("已生成，正在制作印刷文件。"), "ok")
    return redirect(url_for("plates.batch", batch_id=batch.id))


def _wanted(session: Session, layout: str, at: datetime) -> tuple[list[Target], str]:
    """What the form asks for: the shops of a road, signs of its segments, or blank plates."""
    what = request.form.get("what", "road")
    if what == "blank":
        count = whole_number(
            request.form, "count", label=gettext("数量"), low=1, high=MOST_BLANKS, default=20
        )
        return [Target() for _ in range(count)], gettext("空白码牌 %(n)s 块", n=count)
    road_id = id_field(request.form, "road", label=gettext("道路"))
    segments = [one for one in catalog.segments(session) if one[0].road_id == road_id]
    if not segments:
        raise NotFound
    road = segments[0][1]
    name = road if isinstance(road, str) else road.name
    if layouts()[layout].kind == "sign":
        phone = settings().office_phone
        said = inscriptions.on_signs(session, [row[0].id for row in segments], phone=phone, at=at)
        signs = [Target(segment_id=key, printed=printed) for key, printed in said.items()]
        return signs, gettext("%(road)s 公示牌", road=name)
    choice = batches.storefronts_without(session, road_id=road_id)
    if choice.passed_over:
        flash(gettext("%(n)s 家已有码牌，跳过。", n=choice.passed_over), "info")
    return choice.targets, name


@pages.get("/admin/codes/batches/<uuid:batch_id>")
@allows("codes.mint")
def batch(batch_id: uuid.UUID) -> AnyResponse:
    with tenant_transaction(current().subdistrict_id) as session:
        row = batches.find(session, batch_id)
        listed = packing.list_rows(session, row)
    answer = Response(
        render_template("codes/batch.html", batch=row, rows=listed[:200], count=len(listed))
    )
    if row.state in {"waiting", "running"}:
        answer.headers["Refresh"] = "2"
    return answer


@pages.get("/admin/codes/batches/<uuid:batch_id>/plates")
@allows("codes.mint")
def download(batch_id: uuid.UUID) -> AnyResponse:
    """The print file: a PDF, or a ZIP of pictures."""
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = batches.find(session, batch_id)
    path = sealing.folder(settings(), actor.subdistrict_id, row.id) / file_name(row.sheet)
    if row.state != "ready" or not path.is_file():
        raise sealing.NoLongerSealed
    name = f"plates-{row.made_at:%Y%m%d}-{str(row.id)[-6:]}{path.suffix}"
    return send_file(path, as_attachment=True, download_name=name)


@pages.get("/admin/codes/batches/<uuid:batch_id>/list.csv")
@allows("codes.mint")
def download_list(batch_id: uuid.UUID) -> AnyResponse:
    with tenant_transaction(current().subdistrict_id) as session:
        row = batches.find(session, batch_id)
        body = packing.list_csv(session, row)
    headers = {"Content-Disposition": f'attachment; filename="list-{str(row.id)[-6:]}.csv"'}
    return Response(body, mimetype="text/csv", headers=headers)


@pages.post("/admin/codes/batches/<uuid:batch_id>/delivered")
@allows("codes.mint")
def deliver(batch_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = batches.find(session, batch_id)
        batches.delivered(session, row, by=actor.person_id, at=clock.now())
    sealing.destroy(settings(), actor.subdistrict_id, batch_id)
    flash(gettext("已交付。印刷文件和码已销毁，数据库中只有摘要。"), "ok")
    return redirect(url_for("plates.batch", batch_id=batch_id))


@pages.post("/admin/codes/batches/<uuid:batch_id>/again")
@allows("codes.mint")
def again(batch_id: uuid.UUID) -> AnyResponse:
    """A stopped print run is taken up again: whole parts are kept."""
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        batches.again(session, batches.find(session, batch_id))
    return redirect(url_for("plates.batch", batch_id=batch_id))
