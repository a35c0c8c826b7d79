"""What opens from a mail: confirm, the story, stop. GET shows, POST acts; nobody is signed in."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_limiter.util import get_remote_address
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts import mail_addresses
from roadchief.accounts.signin import public
from roadchief.errors import NotFound, Refusal, status_of
from roadchief.issues import cases, categories, forms, story
from roadchief.issues.citizens import feedback, receipt_views
from roadchief.issues.mail import links as mail_links
from roadchief.issues.mail import messages, subscribing
from roadchief.issues.mail.links import CONFIRM, SHOW, STOP, Link
from roadchief.issues.models import Case
from roadchief.issues.refusals import PageIsOld, WrongPin
from roadchief.issues.voices import Receipt
from roadchief.lib import clock
from roadchief.web import settings, tenant_transaction
from roadchief.web.limits import limiter
from roadchief.web.pages import language
from roadchief.web.security import csrf

pages = Blueprint("case_mail", __name__)
WHY = "whoever got the mail: the link is signed, for one purpose, one receipt and its address"


@pages.after_request
def _keep_quiet(response: AnyResponse) -> AnyResponse:
    """The address is the key: it goes to no other page and into no index."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _link(purpose: str, token: str) -> Link:
    return mail_links.read(purpose, token, at=clock.now(), settings=settings())


def _of(session: Session, link: Link) -> tuple[Receipt, Case]:
    receipt = subscribing.receipt_of(session, link, settings())
    return receipt, cases.find(session, receipt.case_id)


@pages.get("/mail/confirm/<token>")
@public(WHY)
def ask(token: str) -> str:
    """One button: programs that open links confirm nothing."""
    link, at = _link(CONFIRM, token), clock.now()
    with tenant_transaction(link.subdistrict_id) as session:
        receipt, case = _of(session, link)
        return render_template(
            "issues/mail_confirm.html",
            token=token,
            held=receipt,
            case=case,
            category=categories.find(case.category),
            hinted=subscribing.hinted(receipt.contact or ""),
            stop=mail_links.path(STOP, receipt, at=at, settings=settings()),
        )


@pages.post("/mail/confirm/<token>")
@public(WHY)
@limiter.limit("30 per minute")
def confirm(token: str) -> AnyResponse:
    link, at = _link(CONFIRM, token), clock.now()
    with tenant_transaction(link.subdistrict_id) as session:
        receipt, case = _of(session, link)
        if subscribing.confirm(session, case, receipt, at=at):
            messages.welcome(session, case, receipt, at=at)
    return redirect(url_for("case_mail.ask", token=token), 303)


@pages.get("/mail/case/<token>")
@public(WHY)
def show(token: str) -> str:
    return _story(token)


def _story(token: str, *, trouble: str | None = None, words: str = "") -> str:
    """What the public may know of this case, and the question whether it is solved."""
    link, at = _link(SHOW, token), clock.now()
    with tenant_transaction(link.subdistrict_id) as session:
        receipt, case = _of(session, link)
        master = story.public_case(session, case.master_id) if case.master_id else None
        return render_template(
            "issues/mail_case.html",
            token=token,
            held=receipt,
            case=case,
            master=master,
            spoken=feedback.spoken(receipt.code),
            category=categories.find(case.category),
            lines=story.for_public(session, case),
            more=story.for_public(session, master) if master else [],
            late=case.state == "closed" and feedback.too_late(case, at),
            around=story.around(session, case),
            rated=story.rated(session, case, receipt),
            stop=mail_links.path(STOP, receipt, at=at, settings=settings()),
            trouble=trouble,
            words=words,
        )


@pages.post("/mail/case/<token>")
@public(WHY)
@limiter.limit("30 per minute")
def rate(token: str) -> AnyResponse | tuple[str, int]:
    """Solved or not, for the closing that the page showed."""
    link, at, words = _link(SHOW, token), clock.now(), ""
    try:
        words = forms.long_text(request.form, "words", label=gettext("说明"), most=1000)
        solved = forms.yes_no(request.form, "solved", label=gettext("是否解决"))
        with tenant_transaction(link.subdistrict_id) as session:
            receipt, _case = _of(session, link)
            case = cases.locked(session, receipt.case_id)
            if request.form.get("closing") != str(case.closings):
                raise PageIsOld(newer=cases.newer_than(session, case, case.version - 1))
            feedback.rate(session, case, receipt, solved=solved, stars=None, words=words, at=at)
    except NotFound:
        raise
    except Refusal as refusal:
        return _story(token, trouble=refusal.say(language()), words=words), status_of(refusal)
    flash(receipt_views.heard(solved), "ok")
    return redirect(url_for("case_mail.show", token=token), 303)


@pages.get("/mail/stop/<token>")
@public(WHY)
def ask_stop(token: str) -> str:
    return _stop_page(token, _link(STOP, token))


@pages.post("/mail/stop/<token>")
@public(WHY)
@csrf.exempt  # mail programs post here by themselves (RFC 8058); the link is what cannot be forged
@limiter.limit("30 per minute")
def stop(token: str) -> AnyResponse | str:
    """No more mail about this case, or, with `all`, none at all. Twice is once."""
    link, at = _link(STOP, token), clock.now()
    with tenant_transaction(link.subdistrict_id) as session:
        receipt = session.get(Receipt, (link.subdistrict_id, link.receipt_id))
        # An address that was changed or taken away gets nothing anyhow.
        if receipt and mail_links.fits(link, receipt, settings()):
            case = cases.find(session, receipt.case_id)
            if request.form.get("all") == "1":
                subscribing.refuse(session, case, receipt, at=at, settings=settings())
            else:
                subscribing.stop(session, case, receipt, at=at)
    return _stop_page(token, link)


def _stop_page(token: str, link: Link) -> str:
    with tenant_transaction(link.subdistrict_id) as session:
        receipt = session.get(Receipt, (link.subdistrict_id, link.receipt_id))
        known = receipt is not None and mail_links.fits(link, receipt, settings())
        contact = receipt.contact or "" if receipt and known else ""
        case = cases.find(session, receipt.case_id) if receipt else None
        return render_template(
            "issues/mail_stop.html",
            token=token,
            case=case,
            hinted=subscribing.hinted(contact),
            stopped=not known or (receipt is not None and receipt.mail_stopped_at is not None),
            off=not known or mail_addresses.why_off(session, contact, settings()) is not None,
        )


@pages.post("/follow/<code>/mail/<act>")
@public("whoever opened the receipt in this browser")
@limiter.limit("30 per minute")
def settle(code: str, act: str) -> AnyResponse:
    """contact, prove, stop, on: each by whoever holds the receipt."""
    code, at = feedback.normal(code), clock.now()
    if not receipt_views.holds(code):
        raise WrongPin
    said = gettext("已收到，谢谢。")
    with tenant_transaction(receipt_views.place_of(code)) as session:
        held = feedback.by_code(session, code)
        case = cases.locked(session, held.case_id)
        if held.hidden_at or act not in {"contact", "prove", "stop", "on"}:
            raise NotFound
        if act == "contact":
            contact = forms.contact_field(request.form)
            held.language = language()
            subscribing.change_contact(session, case, held, contact, at=at, settings=settings())
        if act in {"contact", "prove"}:
            network = get_remote_address()
            subscribing.ask_proof(session, case, held, at=at, settings=settings(), network=network)
            # Not whether it went: a stranger would learn of an address that it is off.
            if subscribing.is_mail(held.contact):
                said = gettext(
                    "已登记。若该邮箱可以收信，几分钟内会收到确认邮件；一小时内最多发几封。"
                )
        elif act == "stop":
            subscribing.stop(session, case, held, at=at)
        else:
            subscribing.go_on(session, held)
    flash(said, "ok")
    return redirect(url_for("issues.receipt", code=code), 303)
