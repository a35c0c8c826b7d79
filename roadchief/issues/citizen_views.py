"""The citizen's pages: report in three taps, follow by receipt. No sign-in, no script needed."""

import uuid
from contextlib import suppress
from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as browser
from flask_babel import gettext
from flask_limiter.util import get_remote_address
from werkzeug.wrappers import Response as AnyResponse

from roadchief import blobs
from roadchief.accounts import sessions
from roadchief.accounts.signin import public
from roadchief.codes import scans
from roadchief.db import new_id
from roadchief.errors import BadInput, NotFound, Refusal, status_of
from roadchief.issues import (
    cases,
    categories,
    feedback,
    forms,
    publishing,
    reporting,
    story,
    subscribing,
)
from roadchief.issues.refusals import WrongPin
from roadchief.issues.reporting import Wish
from roadchief.lib import clock
from roadchief.streets.models import Subdistrict
from roadchief.web import settings, tenant_transaction
from roadchief.web.blobs import photos_from, takes_photos
from roadchief.web.limits import limiter
from roadchief.web.pages import language

pages = Blueprint("issues", __name__)
WHY = "citizens report without signing in"
HELD, HANDED, SENT = "receipts", "handed", "sent-cases"
MOST_HELD = 20
KINDS = {"praise": "YJ02", "idea": "YJ01"}  # what other pages ask for by name
NETWORK_TRIES = 30


@pages.after_request
def _allow_position(response: AnyResponse) -> AnyResponse:
    """Only the form may ask the phone where it is."""
    if request.path == "/report":
        response.headers["Permissions-Policy"] = "geolocation=(self)"
    return response


@pages.get("/report")
@public(WHY)
def report() -> str:
    """The form. `?plate=` knows the place, `?category=` the picture, `?s=` the sub-district."""
    here = _here()
    with tenant_transaction(here.id) as session:
        seen = scans.resolve(session, request.args.get("plate", ""))
    given = request.args.to_dict()
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
        _case, handed = reporting.send(session, wish, spot, at=at, settings=settings())
    _remember(handed.receipt.code, pin=handed.pin, link=handed.link)
    browser[SENT] = {**browser.get(SENT, {}), str(wish.id): handed.receipt.code}
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
    _remember(handed.receipt.code, pin=handed.pin, link=handed.link)
    return redirect(url_for("issues.receipt", code=handed.receipt.code), 303)


@pages.get("/follow/")
@public(WHY)
def follow() -> str:
    return render_template("issues/ask_receipt.html", code="", trouble=None)


@pages.post("/follow/")
@public("whoever knows the PIN; wrong ones are counted by receipt and by network")
@limiter.limit("30 per minute")
def open_receipt() -> AnyResponse | tuple[str, int]:
    code = feedback.normal(request.form.get("code", ""))
    try:
        _open(code, request.form.get("pin", ""))
    except Refusal as refusal:
        page = render_template(
            "issues/ask_receipt.html", code=code[:10], trouble=refusal.say(language())
        )
        return page, status_of(refusal)
    return redirect(url_for("issues.receipt", code=code), 303)


@pages.get("/follow/<code>")
@public("whoever holds the receipt: PIN or link")
def receipt(code: str) -> AnyResponse | str:
    code, link = feedback.normal(code), request.args.get("k", "")
    if link:
        _open(code, link)
        return redirect(url_for("issues.receipt", code=code))
    if not holds(code):
        return render_template("issues/ask_receipt.html", code=code[:10], trouble=None)
    with tenant_transaction(place_of(code)) as session:
        held = feedback.by_code(session, code)
        case = cases.find(session, held.case_id)
        return render_template(
            "issues/receipt.html",
            case=case,
            held=held,
            spoken=feedback.spoken(code),
            handed=browser.get(HANDED, {}).get(code),
            lines=story.for_public(session, case),
            photos=story.photos_of(session, case),
            category=categories.find(case.category),
            waiting=cases.facts_of(session, case).waiting,
            rated=story.rated(session, case, held),
            hinted=subscribing.hinted(held.contact or ""),
            by_mail=subscribing.is_mail(held.contact),
            preview=publishing.preview(case.words),
        )


@pages.post("/follow/<code>/<act>")
@public("whoever opened the receipt in this browser")
@limiter.limit("30 per minute")
def speak(code: str, act: str) -> AnyResponse:
    """rate, answer, more, withdraw, hide: each by whoever holds the receipt."""
    code, at = feedback.normal(code), clock.now()
    if not holds(code):
        raise WrongPin
    words = forms.long_text(request.form, "words", label=gettext("说明"), most=1000)
    with tenant_transaction(place_of(code)) as session:
        held = feedback.by_code(session, code)
        case = cases.locked(session, held.case_id)
        if act == "rate":
            solved = request.form.get("solved") == "1"
            stars = forms.number_field(request.form, "stars")
            whole = int(stars) if stars and 1 <= stars <= 5 else None
            feedback.rate(session, case, held, solved=solved, stars=whole, words=words, at=at)
        elif act == "answer":
            feedback.answer(session, case, held, words, at=at)
        elif act == "more" and words:
            feedback.say(session, case, "more", words, receipt=held, at=at)
            cases.add_step(session, case, "more", case.state, feedback.CITIZEN, at=at)
        elif act == "withdraw" and held.kind == "reporter":
            feedback.withdraw(session, case, at=at)
        elif act == "hide":
            feedback.hide(session, held, case, at=at)
        else:
            raise NotFound
    flash(gettext("已收到，谢谢。"), "ok")
    return redirect(url_for("issues.receipt", code=code), 303)


def _open(code: str, secret: str) -> None:
    """Wrong tries are counted by receipt and by network, over all receipts, and committed."""
    at = clock.now()
    with tenant_transaction(None) as session:
        receipt_key, network_key = f"receipt:{code[:10]}", f"receipts-from:{get_remote_address()}"
        sessions.count_attempt(session, [f"login:{receipt_key}"], at=at, settings=settings())
        # Many people share one mobile address, so a network may try more often than a receipt.
        shared = replace(settings(), sign_in_attempts=NETWORK_TRIES)
        sessions.count_attempt(session, [network_key], at=at, settings=shared)
        place = feedback.place_of(session, code)
    held = None
    with tenant_transaction(place) as session:
        if place is not None:
            held = feedback.by_code(session, code)
        if not feedback.opened_by(held, secret, settings=settings()):
            raise WrongPin
    with tenant_transaction(None) as session:
        sessions.forget_attempts(session, receipt_key)
    _remember(code)


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


def holds(code: str) -> bool:
    """Did this browser open the receipt, by PIN, link or by sending the report?"""
    return code in browser.get(HELD, [])


def place_of(code: str) -> int:
    with tenant_transaction(None) as session:
        place = feedback.place_of(session, code)
    if place is None:
        raise WrongPin
    return place


def _remember(code: str, *, pin: str | None = None, link: str | None = None) -> None:
    """This browser may look at the receipt; the PIN is shown in it, and nowhere else again."""
    browser[HELD] = [*[one for one in browser.get(HELD, []) if one != code], code][-MOST_HELD:]
    if pin:
        browser[HANDED] = {code: {"pin": pin, "link": link}}


def _sent_before(case_id: uuid.UUID) -> AnyResponse:
    code = browser.get(SENT, {}).get(str(case_id))
    if code:
        return redirect(url_for("issues.receipt", code=code), 303)
    return redirect(url_for("issues.follow"), 303)
