"""The receipt: opened by PIN or link, and what its holder says. Citizens sign in nowhere."""

import re
from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as browser
from flask_babel import gettext
from flask_limiter.util import get_remote_address
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts import sessions
from roadchief.accounts.signin import public
from roadchief.errors import NotFound, Refusal, status_of
from roadchief.issues import cases, categories, forms, publishing, story
from roadchief.issues.citizens import feedback
from roadchief.issues.mail import subscribing
from roadchief.issues.refusals import WrongPin, bad
from roadchief.lib import clock
from roadchief.lib.text import clean
from roadchief.web import settings, tenant_transaction
from roadchief.web.limits import limiter
from roadchief.web.pages import language

pages = Blueprint("issues", __name__)
WHY = "citizens report without signing in"
HELD, HANDED = "receipts", "handed"
MOST_HELD = 20
CASE_NUMBER = re.compile(r"#?\d{4}-\d{4,}")
NETWORK_TRIES = 30


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
        _open(code, clean(request.form.get("pin", "")[:24]).replace(" ", ""))
    except Refusal as refusal:
        trouble = refusal.say(language())
        if CASE_NUMBER.fullmatch(clean(request.form.get("code", "")[:24])):
            trouble = gettext("这是案件号。请填回执号：提交后显示的 10 位字母和数字。")
        page = render_template("issues/ask_receipt.html", code=code[:10], trouble=trouble)
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
            photos=story.photos_for_reporter(session, case),
            category=categories.find(case.category),
            waiting=cases.facts_of(session, case).waiting,
            rated=story.rated(session, case, held),
            hinted=subscribing.hinted(held.contact or ""),
            by_mail=subscribing.is_mail(held.contact),
            preview=publishing.preview(case.words),
            around=story.around(session, case),
            late=case.state == "closed" and feedback.too_late(case, clock.now()),
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
    if act in ("answer", "more") and not words:
        raise bad(gettext("说明"), "请填写", "is required")
    said = gettext("已收到，谢谢。")
    with tenant_transaction(place_of(code)) as session:
        held = feedback.by_code(session, code)
        case = cases.locked(session, held.case_id)
        if act == "rate":
            solved = forms.yes_no(request.form, "solved", label=gettext("是否解决"))
            stars = forms.number_field(request.form, "stars")
            whole = int(stars) if stars and 1 <= stars <= 5 else None
            feedback.rate(session, case, held, solved=solved, stars=whole, words=words, at=at)
            said = heard(solved)
        elif act == "answer":
            feedback.answer(session, case, held, words, at=at)
        elif act == "more":
            feedback.add(session, case, held, words, at=at)
        elif act == "withdraw" and held.kind == "reporter":
            feedback.withdraw(session, case, at=at)
        elif act == "hide":
            feedback.hide(session, held, case, at=at)
        else:
            raise NotFound
    flash(said, "ok")
    return redirect(url_for("issues.receipt", code=code), 303)


def heard(solved: bool) -> str:
    """What follows from the answer, told to whoever gave it."""
    return gettext("已收到，谢谢。") if solved else gettext("案件已重新打开，会继续处理。")


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
    remember(code)


def holds(code: str) -> bool:
    """Did this browser open the receipt, by PIN, link or by sending the report?"""
    return code in browser.get(HELD, [])


def place_of(code: str) -> int:
    with tenant_transaction(None) as session:
        place = feedback.place_of(session, code)
    if place is None:
        raise WrongPin
    return place


def remember(code: str, *, pin: str | None = None, link: str | None = None) -> None:
    """This browser may look at the receipt; the PIN is shown in it, and nowhere else again."""
    browser[HELD] = [*[one for one in browser.get(HELD, []) if one != code], code][-MOST_HELD:]
    if pin:
        browser[HANDED] = {code: {"pin": pin, "link": link}}
