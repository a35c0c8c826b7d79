"""The citizen's report: three taps, no sign-in, no script needed. The receipt is beside it."""

import uuid
from contextlib import suppress
from dataclasses import replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask import session as browser
from flask_babel import gettext
from flask_limiter.util import get_remote_address
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief import blobs
from roadchief.accounts.signin import public
from roadchief.codes import scans
from roadchief.db import new_id
from roadchief.errors import BadInput, NotFound, Refusal, status_of
from roadchief.issues import cases, categories, forms, publishing, story
from roadchief.issues.citizens import again, feedback, reporting
from roadchief.issues.citizens.receipt_views import MOST_HELD, holds, place_of, remember
from roadchief.issues.citizens.receipt_views import pages as pages  # one blueprint, two files
from roadchief.issues.citizens.reporting import Wish
from roadchief.issues.models import Case
from roadchief.lib import clock
from roadchief.streets.models import Subdistrict
from roadchief.web import settings, tenant_transaction
from roadchief.web.blobs import photos_from, takes_photos
from roadchief.web.limits import limiter
from roadchief.web.pages import language

WHY = "citizens report without signing in"
SENT = "sent-cases"
KINDS = {"praise": "YJ02", "idea": "YJ01"}  # what other pages ask for by name


@pages.after_request
def _allow_position(response: AnyResponse) -> AnyResponse:
    """Only the form may ask the phone where it is."""
    if request.path == "/report":
        response.headers["Permissions-Policy"] = "geolocation=(self)"
    return response


@pages.get("/report")
@public(WHY)
def report() -> str:
    """The form. `?plate=` knows the place, `?category=` the picture, `?s=` the sub-district.

    `?again=` is a receipt held in this browser, of a case that is reported again.
    """
    here, given = _here(), request.args.to_dict()
    with tenant_transaction(here.id) as session:
        seen = scans.resolve(session, request.args.get("plate", ""))
        old = _again(session, here.id)
        given |= again.prefilled(session, old) if old else {}
    given.setdefault("category", KINDS.get(given.get("kind", ""), ""))
    return _form(here, seen=seen, given=given, trouble=None)


@pages.post("/report")
@public(WHY)
@limiter.limit("30 per minute; 300 per hour")
@takes_photos(5)
def send() -> AnyResponse | str | tuple[str, int]:
    here, at = _here(), clock.now()
    try:
        wish = _wish()
        developed = photos_from(request.files, "photos", most=5)
        return _send(here, wish, developed, at)
    except NotFound:
        raise
    except Refusal as refusal:
        with tenant_transaction(here.id) as session:
            seen = scans.resolve(session, request.form.get("plate", ""))
        page = _form(here, seen=seen, given=request.form.to_dict(), trouble=refusal.say(language()))
        return page, status_of(refusal)


def _send(here: Subdistrict, wish: Wish, developed: list[Any], at: Any) -> AnyResponse | str:
    try:
        return _take(here, wish, developed, at)
    except IntegrityError:
        with tenant_transaction(here.id) as session:
            if feedback.sent_before(session, wish.id) is None:
                raise
        return _sent_before(wish.id)  # the same form twice at once: the other was first


def _take(here: Subdistrict, wish: Wish, developed: list[Any], at: Any) -> AnyResponse | str:
    with tenant_transaction(here.id) as session:
        if feedback.sent_before(session, wish.id):
            return _sent_before(wish.id)
        kept = [blobs.keep(session, one, by=None, at=at, settings=settings()) for one in developed]
        photo_ids = (*wish.photo_ids, *(blob.id for blob in kept))[:5]
        wish = replace(wish, photo_ids=photo_ids)
        browser["photos"] = [str(one) for one in photo_ids]
        spot = reporting.spot_of(session, wish, at=at)
        if request.form.get("confirmed") != "1":
            found = reporting.offered(session, wish, spot, at=at)
            if found:
                shown = publishing.public_photos(session, [one.id for one in found])
                return render_template(
                    "issues/alike.html",
                    here=here,
                    found=found,
                    shown=shown,
                    spot=spot,
                    given=request.form.to_dict(),
                    photo_ids=photo_ids,
                    wish=wish,
                    category=categories.find(wish.category),
                )
        old = _again(session, here.id)
        case, handed = reporting.send(session, wish, spot, at=at, settings=settings())
        if old:
            again.link(session, case, of=old, at=at)
    remember(handed.receipt.code, pin=handed.pin, link=handed.link)
    # The last ones alone: a cookie that outgrows 4 kB is dropped, and the receipts with it.
    sent = {**browser.get(SENT, {}), str(wish.id): handed.receipt.code}
    browser[SENT] = dict(list(sent.items())[-MOST_HELD:])
    return redirect(url_for("issues.receipt", code=handed.receipt.code), 303)


@pages.post("/report/<uuid:case_id>/follow")
@public(WHY)
@limiter.limit("30 per minute")
def join(case_id: uuid.UUID) -> AnyResponse:
    """It is the same matter: follow it, with words and photos of one's own."""
    here, at = _here(), clock.now()
    words = forms.long_text(request.form, "words", label=gettext("说明"))
    contact = forms.contact_field(request.form)
    with tenant_transaction(here.id) as session:
        if story.public_case(session, case_id) is None:
            raise NotFound
        case = cases.locked(session, case_id)
        handed = feedback.follow(
            session,
            case,
            at=at,
            settings=settings(),
            words=words,
            worse=request.form.get("worse") == "1",
            photo_ids=_own_photos(),
            contact=contact,
            language=language(),
            network=get_remote_address(),
        )
    remember(handed.receipt.code, pin=handed.pin, link=handed.link)
    return redirect(url_for("issues.receipt", code=handed.receipt.code), 303)


def _wish() -> Wish:
    form = request.form
    lon, lat = forms.number_field(form, "lon"), forms.number_field(form, "lat")
    accuracy = forms.number_field(form, "accuracy_m")
    return Wish(
        id=forms.id_of(form.get("id")) or new_id(),
        category=forms.category_field(form),
        words=forms.long_text(form, "words", label=gettext("说明")),
        plate=form.get("plate", "")[:200] or None,
        storefront_id=forms.id_of(form.get("storefront")),
        lon=lon,
        lat=lat,
        accuracy_m=accuracy if accuracy is not None and 0 <= accuracy < 1e6 else None,
        datum=form.get("datum", "wgs84")[:10] or "wgs84",
        said=forms.long_text(form, "said", label=gettext("地址"), most=200),
        contact=forms.contact_field(form),
        photo_ids=_own_photos(),
        language=language(),
        network=get_remote_address(),
    )


def _again(session: Session, here: int) -> Case | None:
    """The old case, by a receipt that this browser holds; another sub-district's is no link."""
    code = feedback.normal(request.values.get("again", ""))
    if not holds(code) or place_of(code) != here:
        return None
    held = feedback.by_code(session, code)
    return again.old_case(session, held, at=clock.now(), hold=request.method == "POST")


def _own_photos() -> tuple[uuid.UUID, ...]:
    """Photos of an earlier step, named by us in this browser's signed session."""
    mine = set(browser.get("photos", []))
    return tuple(one for one in forms.ids_of(request.form.getlist("photo")) if str(one) in mine)


def _form(here: Subdistrict, *, seen: Any, given: dict[str, str], trouble: str | None) -> str:
    chosen = given.get("category", "")
    return render_template(
        "issues/report.html",
        here=here,
        seen=seen,
        given=given,
        trouble=trouble,
        id=forms.id_of(given.get("id")) or new_id(),
        tiles=categories.tiles(),
        known=categories.known(),
        reportable=categories.reportable(),
        chosen=chosen,
        groups=categories.groups(),
    )


def _here() -> Subdistrict:
    values = request.values
    lon, lat = None, None
    if request.method == "POST":
        # An odd number is told by the form; here it only cannot say which sub-district.
        with suppress(BadInput):
            lon, lat = forms.number_field(values, "lon"), forms.number_field(values, "lat")
    with tenant_transaction(None) as session:
        found = reporting.subdistrict_of(
            session,
            plate=values.get("plate", "")[:200] or None,
            lon=lon,
            lat=lat,
            asked=values.get("s", ""),
        )
    if found is None:
        raise NotFound
    return found


def _sent_before(case_id: uuid.UUID) -> AnyResponse:
    code = browser.get(SENT, {}).get(str(case_id))
    if code:
        return redirect(url_for("issues.receipt", code=code), 303)
    flash(gettext("这条反映已经收到过，没有重复登记。"), "ok")
    return redirect(url_for("issues.follow"), 303)
