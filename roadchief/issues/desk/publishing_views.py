"""The desk decides what the public may see of a case: its words and its photos."""

import uuid

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief import blobs
from roadchief.accounts.signin import allows, current
from roadchief.errors import NotFound
from roadchief.issues import acting, cases, forms, publishing
from roadchief.issues.desk import views
from roadchief.issues.desk.views import reached
from roadchief.lib import clock
from roadchief.web import settings, tenant_transaction
from roadchief.web.blobs import boxes_from

pages = views.pages  # the same desk


@pages.post("/cases/<uuid:case_id>/words")
@allows("issues.desk")
def release_words(case_id: uuid.UUID) -> AnyResponse:
    """The officer's wording becomes public, with numbers masked."""
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        _row, parts = reached(session, case_id, actor)
        who = acting.who_for("contact", parts, actor.person_id)
        row = cases.locked(session, case_id)
        words = forms.long_text(request.form, "words", label=gettext("公开文字"))
        publishing.release_words(session, row, words, who=who, at=at)
    return redirect(url_for("desk.case", case_id=case_id), 303)


@pages.get("/cases/<uuid:case_id>/photos/<uuid:photo_id>")
@allows("issues.desk")
def photo(case_id: uuid.UUID, photo_id: uuid.UUID) -> str:
    """One photo, large, with the blur tool and the release."""
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row, _parts = reached(session, case_id, actor)
        taken = publishing.find_photo(session, row, photo_id)
        blob = blobs.get(session, taken.photo_id)
        return render_template("issues/photo.html", case=row, row=taken, blob=blob)


@pages.post("/cases/<uuid:case_id>/photos/<uuid:photo_id>/<act>")
@allows("issues.desk")
def release_photo(case_id: uuid.UUID, photo_id: uuid.UUID, act: str) -> AnyResponse:
    """`blur` and `release` make it public, `withdraw` takes it back."""
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        _row, parts = reached(session, case_id, actor)
        who = acting.who_for("contact", parts, actor.person_id)
        row = cases.locked(session, case_id)
        taken = publishing.find_photo(session, row, photo_id)
        if act == "withdraw":
            publishing.withdraw_photo(session, row, taken, who=who, at=at)
        elif act in ("release", "blur"):
            public_id = taken.photo_id
            if act == "blur":
                blob = blobs.get(session, taken.photo_id)
                boxes = boxes_from(request.form)
                public_id = blobs.blurred(
                    session, blob, boxes, by=actor.person_id, at=at, settings=settings()
                ).id
            publishing.release_photo(session, row, taken, public_photo_id=public_id, who=who, at=at)
        else:
            raise NotFound
    return redirect(url_for("desk.case", case_id=case_id), 303)
