"""A case as a PDF: the sheet for the file."""

import uuid
from urllib.parse import urljoin

from flask import Blueprint, Response, url_for

from roadchief.accounts.signin import allows, current
from roadchief.issues import reach, sheet, sheet_paper
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
    response = Response(sheet_paper.as_pdf(said), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="case-{said.number}.pdf"'
    return response
