"""Administration: the people of a sub-district."""

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts import links, people, roster
from roadchief.accounts.access import CAPACITIES, ROLES
from roadchief.accounts.signin import allows, current
from roadchief.lib import clock
from roadchief.web import tenant_transaction
from roadchief.web.forms import optional_text, text_field, whole_number
from roadchief.web.pages import PAGE_SIZE, Page, page_number

pages = Blueprint("people", __name__, url_prefix="/admin")


@pages.get("/people")
@allows("people.read")
def listing() -> str:
    actor, number = current(), page_number()
    wanted = optional_text(request.args, "q", label=gettext("查找"), limit=60)
    with tenant_transaction(actor.subdistrict_id) as session:
        rows, total = roster.page(session, text=wanted, number=number, size=PAGE_SIZE)
        posts = roster.posts_of(session, rows, at=clock.now())
    return render_template(
        "accounts/people.html", page=Page(rows, number, total), posts=posts, wanted=wanted or ""
    )


@pages.post("/people")
@allows("people.invite")
def invite() -> AnyResponse | str:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        invited = people.invite(
            session,
            name=text_field(request.form, "name", label=gettext("姓名"), limit=60),
            login=text_field(request.form, "login", label=gettext("登录名"), limit=64),
            email=optional_text(request.form, "email", label=gettext("邮箱")),
            phone=optional_text(request.form, "phone", label=gettext("电话"), limit=30),
            by=actor.person_id,
            at=clock.now(),
        )
        link = url_for("signin.invitation", token=invited.token, _external=False)
        return render_template("accounts/invited.html", person=invited.person, link=link)


@pages.get("/people/<uuid:person_id>")
@allows("people.read")
def person(person_id: uuid.UUID) -> str:
    with tenant_transaction(current().subdistrict_id) as session:
        found = roster.find(session, person_id)
        return render_template(
            "accounts/person.html",
            person=found,
            posts=roster.running_posts(session, person_id, at=clock.now()),
            links=links.of_person(session, found),
            roles=ROLES,
            capacities=CAPACITIES,
        )


@pages.post("/people/<uuid:person_id>/posts")
@allows("people.appoint")
def appoint(person_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        people.appoint(
            session,
            roster.find(session, person_id),
            role=request.form.get("role", ""),
            capacity=request.form.get("capacity", ""),
            title=optional_text(request.form, "title", label=gettext("职务名称"), limit=40),
            level=whole_number(
                request.form, "level", label=gettext("级别"), low=0, high=9, default=0
            )
            or None,
            by=actor.person_id,
            at=clock.now(),
        )
    flash(gettext("已任命。"), "ok")
    return redirect(url_for("people.person", person_id=person_id))


@pages.post("/posts/<uuid:post_id>/end")
@allows("people.appoint")
def end_post(post_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        post = roster.find_post(session, post_id)
        because = text_field(request.form, "because", label=gettext("原因"))
        people.end_post(session, post, by=actor.person_id, at=clock.now(), because=because)
    flash(gettext("岗位已结束。"), "ok")
    return redirect(url_for("people.person", person_id=post.person_id))


@pages.post("/people/<uuid:person_id>/retire")
@allows("people.retire")
def retire(person_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        found = roster.find(session, person_id)
        because = text_field(request.form, "because", label=gettext("原因"))
        people.retire(session, found, by=actor.person_id, at=clock.now(), because=because)
    flash(gettext("已停用，历史记录保留。"), "ok")
    return redirect(url_for("people.listing"))


@pages.post("/people/<uuid:person_id>/invitation")
@allows("people.invite")
def invite_again(person_id: uuid.UUID) -> str:
    with tenant_transaction(current().subdistrict_id) as session:
        found = roster.find(session, person_id)
        token = people.make_invitation(session, found, at=clock.now())
        link = url_for("signin.invitation", token=token, _external=False)
        return render_template("accounts/invited.html", person=found, link=link)


@pages.post("/people/<uuid:person_id>/second-factor/reset")
@allows("people.retire")
def reset_second_factor(person_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        found = roster.find(session, person_id)
        people.reset_second_factor(session, found, by=actor.person_id, at=clock.now())
    flash(gettext("第二因素已清除，下次登录时重新设置。"), "ok")
    return redirect(url_for("people.person", person_id=person_id))


@pages.post("/people/<uuid:person_id>/unlink")
@allows("people.retire")
def unlink(person_id: uuid.UUID) -> AnyResponse:
    """The account of the identity provider no longer opens this person's door."""
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        found = roster.find(session, person_id)
        links.unlink(session, found, by=actor.person_id, at=clock.now())
    flash(gettext("已解除统一身份绑定，下次登录时重新绑定。"), "ok")
    return redirect(url_for("people.person", person_id=person_id))
