"""The merchant's page: what was found at the own shop, fixed with a photo, or objected to.

Nothing raw of a reporter is here: category, place and day, and what an officer released.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased
from werkzeug.wrappers import Response as AnyResponse

from roadchief import blobs
from roadchief.accounts.signin import allows, current
from roadchief.codes.faces import Part
from roadchief.db import tenant_of
from roadchief.errors import NotFound, Refusal, status_of
from roadchief.issues import acting, cases, categories, moves, publishing, story
from roadchief.issues.acting import Act
from roadchief.issues.cases import Who
from roadchief.issues.merchants.selfhelp import SOURCE
from roadchief.issues.models import Case, CaseStep
from roadchief.issues.refusals import NoSuchCase
from roadchief.lib import clock
from roadchief.streets import shopkeepers
from roadchief.streets.shopkeepers import Shop
from roadchief.web import settings, tenant_transaction
from roadchief.web.blobs import photos_from, takes_photos
from roadchief.web.pages import language

pages = Blueprint("merchant", __name__, url_prefix="/merchant")
MOST = 100
STORIES = 30

# Called for the page with the person's shops: packages beside this one add their parts.
Contributor = Callable[[Session, list[Shop], datetime], list[Part]]
_contributors: list[Contributor] = []


def contribute(part: Contributor) -> None:
    """Add parts to the merchant's page; wiring calls this once."""
    if part not in _contributors:
        _contributors.append(part)


@pages.get("/")
@allows("issues.own")
def start() -> str:
    return _page()


@pages.post("/cases/<uuid:case_id>/<verb>")
@allows("issues.own")
@takes_photos(5)
def do(case_id: uuid.UUID, verb: str) -> AnyResponse | tuple[str, int]:
    """fix or object, for a case of an own shop."""
    if verb not in ("fix", "object"):
        raise NotFound
    actor, at = current(), clock.now()
    try:
        developed = photos_from(request.files, "photos", most=5)
        with tenant_transaction(actor.subdistrict_id) as session:
            _own(session, case_id, actor.person_id)
            row = cases.locked(session, case_id)
            kept = [
                blobs.keep(session, one, by=actor.person_id, at=at, settings=settings())
                for one in developed
            ]
            who = Who(moves.MERCHANT, actor.person_id)
            given = Act(who, at, request.form, photo_ids=tuple(blob.id for blob in kept))
            acting.act(session, row, verb, given)
    except NotFound:
        raise
    except Refusal as refusal:
        written = {"case": case_id, "verb": verb, "words": request.form.get("words", "")[:1000]}
        return _page(trouble=refusal.say(language()), written=written), status_of(refusal)
    flash(gettext("已收到，谢谢。"), "ok")
    return redirect(url_for("merchant.start"), 303)


def _page(trouble: str | None = None, written: dict[str, Any] | None = None) -> str:
    """`written`: what a refused form said, so that nobody types it twice."""
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        shops = shopkeepers.shops_of(session, actor.person_id)
        rows = _cases(session, [shop.tenancy_id for shop in shops])
        photos = publishing.public_photos(session, [row.id for row in rows])
        stories = {
            row.id: story.for_merchant(session, row)
            for row in rows[:STORIES]
            if row.state != "notified_merchant"
        }
        parts = [one for make in _contributors for one in make(session, shops, at)]
    return render_template(
        "issues/merchant.html",
        shops=shops,
        parts=parts,
        waiting=[row for row in rows if row.state == "notified_merchant"],
        others=[row for row in rows if row.state != "notified_merchant"],
        stories=defaultdict(list, stories),
        ended=moves.ENDED,
        written=written or {},
        photos=photos,
        known=categories.known(),
        find=categories.find,
        states=moves.STATES,
        at=at,
        trouble=trouble,
    )


def _cases(session: Session, tenancies: list[uuid.UUID]) -> list[Case]:
    """Cases that this merchant was told of or asked for, in the own tenancies alone; not those
    that were told to another before they came here."""
    later = aliased(CaseStep)
    let_go = select(later.id).where(
        later.subdistrict_id == tenant_of(session),
        later.case_id == CaseStep.case_id,
        later.verb == "let_go",
        later.seq > CaseStep.seq,
    )
    told = select(CaseStep.case_id).where(
        CaseStep.subdistrict_id == tenant_of(session),
        CaseStep.case_id == Case.id,
        CaseStep.verb == "notify",
        ~let_go.exists(),
    )
    return list(
        session.scalars(
            select(Case)
            .where(Case.subdistrict_id == tenant_of(session))
            .where(Case.tenancy_id.in_(tenancies))
            .where(told.exists() | (Case.source == SOURCE))
            .order_by(Case.merchant_due_at.is_(None), Case.merchant_due_at, Case.id.desc())
            .limit(MOST)
        )
    )


def _own(session: Session, case_id: uuid.UUID, person_id: uuid.UUID) -> None:
    mine = [shop.tenancy_id for shop in shopkeepers.shops_of(session, person_id)]
    if case_id not in {row.id for row in _cases(session, mine)}:
        raise NoSuchCase
