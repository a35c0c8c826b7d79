"""The page where the office keeps its texts for replies."""

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.signin import allows, current
from roadchief.errors import Refusal, status_of
from roadchief.issues import categories, forms, moves
from roadchief.issues.office import replies
from roadchief.issues.office.replies import Draft
from roadchief.lib import clock
from roadchief.web import tenant_transaction
from roadchief.web.pages import language

pages = Blueprint("replies", __name__, url_prefix="/admin/replies")


@pages.get("")
@allows("issues.replies")
def listing() -> str:
    return _listed()


@pages.post("")
@allows("issues.replies")
def make() -> AnyResponse | tuple[str, int]:
    return _kept(None)


@pages.post("/<uuid:reply_id>")
@allows("issues.replies")
def change(reply_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    return _kept(reply_id)


@pages.post("/<uuid:reply_id>/end")
@allows("issues.replies")
def end(reply_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        replies.end(session, reply_id, by=actor.person_id, at=clock.now())
    return redirect(url_for("replies.listing"), 303)


@pages.post("/standard")
@allows("issues.replies")
def begin_with() -> AnyResponse:
    """Our own list, to begin with."""
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        made = replies.begin_with(session, by=actor.person_id, at=clock.now())
    flash(gettext("已载入 %(n)s 条常用模板。", n=made), "ok")
    return redirect(url_for("replies.listing"), 303)


def _kept(instead_of: uuid.UUID | None) -> AnyResponse | tuple[str, int]:
    """A refusal shows the page with what was written."""
    actor = current()
    try:
        draft = _draft()
        with tenant_transaction(actor.subdistrict_id) as session:
            replies.keep(session, draft, by=actor.person_id, at=clock.now(), instead_of=instead_of)
    except Refusal as refusal:
        return _listed(trouble=refusal.say(language()), tried=instead_of), status_of(refusal)
    flash(gettext("已保存。"), "ok")
    return redirect(url_for("replies.listing"), 303)


def _draft() -> Draft:
    given = {
        name: forms.long_text(request.form, name, label=name, most=1000)
        for name in ("name", "text", "language", "verb", "category")
    }
    given["name"] = " ".join(given["name"].split())
    return replies.drafted(given)


def _listed(*, trouble: str | None = None, tried: uuid.UUID | None = None) -> str:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        rows = replies.listing(session)
    # Somebody else changed it meanwhile: what was written here is kept as a new one.
    tried = tried if tried in {row.id for row in rows} else None
    samples = {one: replies.sample(one) for one in replies.LANGUAGES}
    return render_template(
        "issues/replies.html",
        rows=rows,
        shown={row.id: replies.fill(row.text, samples[row.language]) for row in rows},
        verbs={verb: moves.BY_VERB[verb] for verb in replies.VERBS},
        known=categories.known(),
        places=replies.WORDS,
        most=replies.MOST_TEXT,
        trouble=trouble,
        tried=tried,
        written=request.form if trouble else {},
    )
