"""One's own notices."""

import uuid

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts import notices
from roadchief.accounts.signin import allows, current
from roadchief.lib import clock
from roadchief.web import tenant_transaction
from roadchief.web.pages import PAGE_SIZE, Page, language, page_number

pages = Blueprint("notices", __name__, url_prefix="/notices")


@pages.get("")
@allows("own.notices")
def listing() -> str:
    actor, number = current(), page_number()
    with tenant_transaction(actor.subdistrict_id) as session:
        rows, total = notices.page(session, actor.person_id, number=number, size=PAGE_SIZE)
    told = [(row, notices.said(row, language())) for row in rows]
    return render_template("accounts/notices.html", page=Page(told, number, total))


@pages.post("/<uuid:notice_id>/open")
@allows("own.notices")
def open_notice(notice_id: uuid.UUID) -> AnyResponse:
    """Read, and on to what it is about."""
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = notices.read(session, notice_id, actor.person_id, at=clock.now())
    return redirect(notices.said(row, language()).path or url_for("notices.listing"))


@pages.post("/read")
@allows("own.notices")
def read_all() -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        notices.read_all(session, actor.person_id, at=clock.now())
    return redirect(url_for("notices.listing"))
