"""Reports for chiefs: storefront by storefront, and the month as page, CSV and A4."""

import io
import tempfile
import uuid
from datetime import timedelta

from flask import Blueprint, Response, render_template, request, send_file
from flask_babel import gettext
from sqlalchemy.orm import Session

from roadchief.accounts.signin import allows, current
from roadchief.lib import clock
from roadchief.patrol import rules
from roadchief.patrol.coverage import covering
from roadchief.patrol.planning import due, weeks
from roadchief.patrol.reports import assessment, monthly, sheet
from roadchief.streets import standards
from roadchief.streets.models import Subdistrict
from roadchief.web import database, tenant_transaction
from roadchief.web.forms import whole_number
from roadchief.web.pages import language

pages = Blueprint("reports", __name__, url_prefix="/chief")
PAGE = 200


def _mine(session: Session) -> list[uuid.UUID] | None:
    return weeks.own_segments(session, current(), at=clock.now())


@pages.get("/coverage")
@allows("patrol.chief")
def coverage() -> str:
    at = clock.now()
    figures = rules.section("visits")
    days = whole_number(
        request.args,
        "days",
        label=gettext("天数"),
        low=1,
        high=366,
        default=figures["scan_every_days"],
    )
    number = whole_number(
        request.args, "page", label=gettext("页码"), low=1, high=10_000, default=1
    )
    with tenant_transaction(current().subdistrict_id) as session:
        found = covering.look(
            session,
            _mine(session),
            since=at - timedelta(days=days),
            at=at,
            size=PAGE + 1,
            skip=(number - 1) * PAGE,
        )
    shops = found.shops[:PAGE]
    every, soon = figures["scan_every_days"], figures["soon_days"]
    states = [due.judge(row.last_at, at=at, every_days=every, soon_days=soon) for row in shops]
    return render_template(
        "patrol/coverage.html",
        found=found,
        rows=list(zip(shops, states, strict=True)),
        days=days,
        every=every,
        number=number,
        more=len(found.shops) > PAGE,
    )


@pages.get("/report")
@allows("patrol.chief")
def month() -> str:
    found = _month(shops=0)
    return render_template(
        "patrol/month.html",
        month=found,
        names={key: pair[0 if language() == "zh" else 1] for key, pair in assessment.NAMES.items()},
        item_name=lambda code: (
            standards.items()[code].say(language()) if code in standards.items() else code
        ),
    )


@pages.get("/report.csv")
@allows("patrol.chief")
def month_csv() -> Response:
    """Written to a file of no name first: memory stays flat, a slow reader holds no transaction,
    and what cannot be read to its end is refused whole."""
    at = clock.now()
    first = monthly.first_of(request.args.get("month"), at=at)
    nameless = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the answer)
    table = io.TextIOWrapper(nameless, encoding="utf-8", newline="")
    with database().streaming(current().subdistrict_id) as session:
        monthly.write_csv(table, session, _mine(session), first, at=at)
    kept = table.detach()
    size = kept.tell()
    kept.seek(0)
    name = f"patrol-{monthly.name_of(first)}.csv"
    answer = send_file(kept, mimetype="text/csv", as_attachment=True, download_name=name)
    answer.content_length = size
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/report.pdf")
@allows("patrol.chief")
def month_pdf() -> Response:
    actor, found = current(), _month(shops=sheet.SHOWN)
    with tenant_transaction(actor.subdistrict_id) as session:
        place = session.get_one(Subdistrict, actor.subdistrict_id).name
    raw = sheet.as_pdf(found, place=place, who=actor.name, printed_at=clock.now())
    answer = Response(raw, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f"inline; filename=patrol-{found.name}.pdf"
    return answer


def _month(*, shops: int) -> monthly.Month:
    at = clock.now()
    first = monthly.first_of(request.args.get("month"), at=at)
    with tenant_transaction(current().subdistrict_id) as session:
        return monthly.look(session, _mine(session), first, at=at, shops=shops)
