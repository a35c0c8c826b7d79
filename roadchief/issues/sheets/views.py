"""A case as a PDF, the sheet for the file; and several, the list for a round on foot."""

import uuid
from urllib.parse import urljoin

from flask import Blueprint, Response, request, url_for

from roadchief.accounts.signin import allows, current
from roadchief.issues import forms, reach
from roadchief.issues.refusals import NoSuchCase, bad
from roadchief.issues.sheets import paper, round_list, sheet
from roadchief.lib import clock
from roadchief.web import settings, tenant_transaction
from roadchief.web.pages import language

pages = Blueprint("case_sheet", __name__, url_prefix="/desk")


@pages.get("/cases/<uuid:case_id>.pdf")
@allows("issues.desk")
def show(case_id: uuid.UUID) -> Response:
    """For whoever may open the case's page, with what that page shows."""
    actor, at = current(), clock.now()
    address = urljoin(settings().public_url, url_for("desk.case", case_id=case_id))
    with tenant_transaction(actor.subdistrict_id) as session:
        row = reach.case_of(session, case_id, reach.scope_of(session, actor, at=at))
        said = sheet.gather(
            session,
            row,
            at=at,
            address=address,
            by=actor.name,
            lang=language(),
            known=settings(),
        )
    # Set in type after the database was let go.
    response = Response(paper.as_pdf(said), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="case-{said.number}.pdf"'
    return response


@pages.post("/round.pdf")
@allows("issues.desk")
def walk() -> Response:
    """Chosen cases in walking order; those that one may not see are not on it."""
    actor, at = current(), clock.now()
    ids = forms.ids_of(request.form.getlist("case"), most=round_list.MOST + 1)
    if not 1 <= len(ids) <= round_list.MOST:
        raise bad(
            "案件 case",
            f"请选择 1 到 {round_list.MOST} 件",
            f"choose 1 to {round_list.MOST} cases",
        )

    def address(case_id: uuid.UUID) -> str:
        return urljoin(settings().public_url, url_for("desk.case", case_id=case_id))

    with tenant_transaction(actor.subdistrict_id) as session:
        seen = reach.among(session, ids, reach.scope_of(session, actor, at=at))
        if not seen:
            raise NoSuchCase
        told = round_list.gather(
            session,
            sorted(seen),
            at=at,
            by=actor.name,
            lang=language(),
            address=address,
            attribution=settings().map_attribution,
        )
    response = Response(round_list.as_pdf(told), content_type="application/pdf")
    name = f"round-{clock.local(at):%Y%m%d-%H%M}.pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
