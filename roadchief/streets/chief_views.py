"""Pages of who answers for what: appoint, relieve, gaps and overlaps, one person's streets."""

import uuid
from datetime import datetime, time, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts import roster
from roadchief.accounts.signin import allows, current
from roadchief.errors import BadInput
from roadchief.lib import clock
from roadchief.streets import charge, chiefs, directory, place_register, register, roads
from roadchief.streets.models import Assignment, Road, RoadSegment, StreetBlock
from roadchief.streets.views import because, pages
from roadchief.web import tenant_transaction
from roadchief.web.forms import date_field, id_field
from roadchief.web.pages import PAGE_SIZE, Page, page_number

FARTHEST = timedelta(days=366)


@pages.get("/streets/chiefs")
@allows("streets.read")
def gaps() -> str:
    """Where nobody answers, only a stand-in does, or two of one level do."""
    at, number = clock.now(), page_number()
    state = "acting" if request.args.get("state") == "acting" else "gap"
    with tenant_transaction(current().subdistrict_id) as session:
        states = charge.segment_states(session, at=at)
        keys = [key for key, one in states.items() if one == state]
        rows = directory.segments_by_name(session, keys, number=number, size=PAGE_SIZE)
        double = charge.overlaps(session, at=at)
        posts = charge.posts_that_may_answer(session, at=at)
    return render_template(
        "streets/gaps.html",
        page=Page(rows, number, len(keys)),
        state=state,
        gaps=sum(1 for one in states.values() if one == "gap"),
        acting=sum(1 for one in states.values() if one == "acting"),
        overlaps=double,
        posts=posts,
    )


@pages.get("/streets/chiefs/<uuid:person_id>")
@allows("streets.read")
def answers_for(person_id: uuid.UUID) -> str:
    at = clock.now()
    with tenant_transaction(current().subdistrict_id) as session:
        person = roster.find(session, person_id)
        rows = charge.of_person(session, person_id)
        posts = roster.running_posts(session, person_id, at=at)
    running = [row for row in rows if _runs(row, at)]
    return render_template(
        "streets/answers_for.html",
        person=person,
        posts=posts,
        running=running,
        over=[row for row in rows if row not in running],
    )


@pages.post("/streets/segments/<uuid:segment_id>/chiefs")
@allows("streets.assign")
def appoint(segment_id: uuid.UUID) -> AnyResponse:
    with tenant_transaction(current().subdistrict_id) as session:
        _appoint(session, register.find_segment(session, segment_id))
    flash(gettext("已任命。"), "ok")
    return _back(url_for("streets.segment", segment_id=segment_id))


@pages.post("/streets/roads/<uuid:road_id>/chiefs")
@allows("streets.assign")
def appoint_to_road(road_id: uuid.UUID) -> AnyResponse:
    with tenant_transaction(current().subdistrict_id) as session:
        _appoint(session, roads.find(session, road_id))
    flash(gettext("已任命，负责全路各段。"), "ok")
    return redirect(url_for("streets.road", road_id=road_id))


@pages.post("/streets/blocks/<uuid:place_id>/chiefs")
@allows("streets.assign")
def appoint_to_block(place_id: uuid.UUID) -> AnyResponse:
    with tenant_transaction(current().subdistrict_id) as session:
        _appoint(session, place_register.find(session, StreetBlock, place_id))
    flash(gettext("已任命，负责街区内各段。"), "ok")
    return redirect(url_for("streets.block", place_id=place_id))


@pages.post("/streets/assignments/<uuid:assignment_id>/relieve")
@allows("streets.assign")
def relieve(assignment_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = chiefs.find(session, assignment_id)
        chiefs.relieve_chief(session, row, by=actor.person_id, at=clock.now(), because=because())
    flash(gettext("已免去。"), "ok")
    return redirect(_page_of(row))


def _appoint(session: Session, to: Road | RoadSegment | StreetBlock) -> None:
    actor, at = current(), clock.now()
    post = roster.find_post(session, id_field(request.form, "post", label=gettext("岗位")))
    stand_in = None
    if request.form.get("acting_for"):
        key = id_field(request.form, "acting_for", label=gettext("代理谁"))
        stand_in = chiefs.find(session, key)
    until = _until(at)
    if stand_in is not None and until is None:
        raise BadInput(
            field=gettext("代理到哪一天"),
            reason_zh="代理须有截止日期",
            reason_en="a stand-in needs a last day",
        )
    chiefs.appoint_chief(
        session, post, to=to, by=actor.person_id, at=at, acting_for=stand_in, until=until
    )


def _until(at: datetime) -> datetime | None:
    """The end of the last day, on our wall clocks."""
    if not request.form.get("until", "").strip():
        return None
    last = date_field(request.form, "until", label=gettext("到哪一天"))
    today = clock.local_date(at)
    if not today <= last <= today + FARTHEST:
        raise BadInput(
            field=gettext("到哪一天"),
            reason_zh="应在今天之后、一年之内",
            reason_en="between today and a year from now",
        )
    return datetime.combine(last + timedelta(days=1), time(), tzinfo=clock.SHANGHAI)


def _page_of(row: Assignment) -> str:
    if row.segment_id:
        return url_for("streets.segment", segment_id=row.segment_id)
    if row.road_id:
        return url_for("streets.road", road_id=row.road_id)
    return url_for("streets.block", place_id=row.block_id)


def _back(usual: str) -> AnyResponse:
    """From the list of gaps back to it, so that one fills them in a row."""
    return redirect(url_for("streets.gaps") if request.form.get("back") == "gaps" else usual)


def _runs(row: object, at: datetime) -> bool:
    ends = [end for end in (row.ends_at, row.post_ends_at) if end]  # type: ignore[attr-defined]
    return all(end > at for end in ends)
