"""Pages of merchants: found, looked at, corrected; who may act for them; a shop let to one."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts import people, roster
from roadchief.accounts.access import may
from roadchief.accounts.signin import allows, current
from roadchief.errors import RuleBroken
from roadchief.lib import clock
from roadchief.streets import catalog, merchants, naming, shopkeepers, storefronts, tenancies
from roadchief.streets.models import Merchant
from roadchief.streets.views import because, pages
from roadchief.web import tenant_transaction
from roadchief.web.forms import choice_field, id_field, optional_id, optional_text, text_field
from roadchief.web.pages import PAGE_SIZE, Page, language, page_number

MOST_CHOICES = 10


class NoMerchantPost(RuleBroken):
    zh = "{name}还没有商户岗位，请系统管理员先任命"
    en = "{name} holds no merchant's post yet: an administrator appoints it first"


@pages.get("/merchants")
@allows("merchants.read")
def merchant_list() -> str:
    """By name; found by a search; or those that one person may act for."""
    asked, number = request.args.get("q", ""), page_number()
    key = optional_id(request.args, "person", label=gettext("人员"))
    with tenant_transaction(current().subdistrict_id) as session:
        person = roster.find(session, key) if key else None
        rows, total, trading = (
            merchants.of_person(session, person.id)
            if person
            else merchants.page(session, asked=asked, number=number, size=PAGE_SIZE)
        )
    return render_template(
        "streets/merchants.html",
        page=Page(rows, number, total, max(PAGE_SIZE, len(rows))),
        person=person,
        trading=trading,
        wanted=asked,
        most=merchants.MOST_HITS,
    )


@pages.get("/merchants/<uuid:merchant_id>")
@allows("merchants.read")
def merchant(merchant_id: uuid.UUID) -> str:
    asked = request.args.get("who", "")
    with tenant_transaction(current().subdistrict_id) as session:
        row = merchants.find(session, merchant_id)
        return render_template(
            "streets/merchant.html",
            merchant=row,
            doubt=doubt(row.uscc),
            shops=merchants.shops(session, merchant_id),
            keepers=merchants.keepers(session, merchant_id),
            twins=merchants.same_code(session, row),
            who=asked,
            candidates=merchants.candidates(session, asked, at=clock.now()),
        )


@pages.post("/merchants/<uuid:merchant_id>/correct")
@allows("merchants.keep")
def correct_merchant(merchant_id: uuid.UUID) -> AnyResponse:
    actor, form = current(), request.form
    kind = choice_field(form, "kind", label=gettext("类型"), among=merchants.KINDS)
    with tenant_transaction(actor.subdistrict_id) as session:
        row = merchants.find(session, merchant_id)
        merchants.correct(
            session,
            row,
            name=text_field(form, "name", label=gettext("商户名称"), limit=100),
            uscc=optional_text(form, "uscc", label=gettext("统一社会信用代码"), limit=20),
            kind=kind or row.kind,
            phone=optional_text(form, "phone", label=gettext("电话"), limit=30),
            by=actor.person_id,
            at=clock.now(),
        )
        tell_doubts(session, row)
    flash(gettext("已保存。"), "ok")
    return redirect(url_for("streets.merchant", merchant_id=merchant_id))


@pages.post("/merchants/<uuid:merchant_id>/keepers")
@allows("merchants.keep")
def name_keeper(merchant_id: uuid.UUID) -> AnyResponse:
    """Somebody of the sub-district; the post of a merchant comes with it where it may."""
    actor, at = current(), clock.now()
    key = id_field(request.form, "person", label=gettext("人员"))
    with tenant_transaction(actor.subdistrict_id) as session:
        row, person = merchants.find(session, merchant_id), roster.find(session, key)
        shopkeepers.name(session, row, person_id=key, by=actor.person_id, at=at)
        posts = roster.running_posts(session, key, at=at)
        if not any(post.role == "merchant" for post in posts):
            if not may(actor, "people.appoint").allowed:
                raise NoMerchantPost(name=person.name)
            people.appoint(
                session, person, role="merchant", capacity="merchant", by=actor.person_id, at=at
            )
    flash(gettext("%(name)s 现在可以代表此商户。", name=person.name), "ok")
    return redirect(url_for("streets.merchant", merchant_id=merchant_id))


@pages.post("/merchants/<uuid:merchant_id>/keepers/invite")
@allows("people.invite")
def invite_keeper(merchant_id: uuid.UUID) -> str:
    """A new person who signs in as this merchant and nothing else."""
    actor, at, form = current(), clock.now(), request.form
    with tenant_transaction(actor.subdistrict_id) as session:
        row = merchants.find(session, merchant_id)
        invited = people.invite(
            session,
            name=text_field(form, "name", label=gettext("姓名"), limit=60),
            login=text_field(form, "login", label=gettext("登录名"), limit=64),
            phone=optional_text(form, "phone", label=gettext("电话"), limit=30),
            by=actor.person_id,
            at=at,
        )
        person = invited.person
        people.appoint(
            session, person, role="merchant", capacity="merchant", by=actor.person_id, at=at
        )
        shopkeepers.name(session, row, person_id=person.id, by=actor.person_id, at=at)
        link = url_for("signin.invitation", token=invited.token, _external=False)
        return render_template(
            "accounts/invited.html",
            person=person,
            link=link,
            onward=url_for("streets.merchant", merchant_id=merchant_id),
            onward_label=gettext("回到商户"),
        )


@pages.post("/keepers/<uuid:keeper_id>/dismiss")
@allows("merchants.keep")
def dismiss_keeper(keeper_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        keeper = shopkeepers.find(session, keeper_id)
        shopkeepers.dismiss(session, keeper, by=actor.person_id, at=clock.now(), because=because())
    flash(gettext("此人不再代表此商户，账号保留。"), "ok")
    return redirect(url_for("streets.merchant", merchant_id=keeper.merchant_id))


@pages.get("/streets/storefronts/<uuid:storefront_id>/tenancies/new")
@allows("streets.register")
def new_tenancy(storefront_id: uuid.UUID) -> str:
    """A merchant who is known is chosen, not typed again."""
    asked = request.args.get("q", "")
    with tenant_transaction(current().subdistrict_id) as session:
        shop = storefronts.find(session, storefront_id)
        key = optional_id(request.args, "merchant", label=gettext("商户"))
        rows, total, trading = (
            merchants.page(session, asked=asked, number=1, size=MOST_CHOICES)
            if asked.strip() and key is None
            else ([], 0, {})
        )
        return render_template(
            "streets/tenancy_new.html",
            shop=shop,
            running=tenancies.running(session, shop),
            chosen=merchants.find(session, key) if key else None,
            rows=rows,
            more=total - len(rows),
            trading=trading,
            wanted=asked,
            former=catalog.tenancies(session, storefront_id),
        )


def doubt(uscc: str | None) -> str:
    """What is odd about a credit code, in the reader's language; empty where nothing is."""
    verdict = naming.judge_uscc(uscc) if uscc else None
    if verdict is None or verdict.fine:
        return ""
    return verdict.why_zh if language() == "zh" else verdict.why_en


def tell_doubts(session: Session, row: Merchant) -> None:
    """Warned of, never refused: some real codes fail the check, and branches share one."""
    why = doubt(row.uscc)
    if why:
        flash(gettext("已登记。信用代码存疑：") + why, "warn")
    twins = merchants.same_code(session, row)
    if twins:
        names = ("、" if language() == "zh" else ", ").join(one.name for one in twins[:3])
        flash(gettext("同一信用代码已登记：%(names)s。请核对是否同一商户。", names=names), "warn")


def merchant_of_form(session: Session) -> Merchant | None:
    """The merchant who was chosen, if any."""
    key = optional_id(request.form, "merchant_id", label=gettext("商户"))
    return merchants.find(session, key) if key else None
