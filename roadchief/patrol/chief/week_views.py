"""Planning a week: laid from the rules, changed by hand, gaps and overlaps in sight."""

import uuid
from datetime import date, datetime, time, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief import holidays
from roadchief.accounts import roster as people
from roadchief.accounts.signin import allows, current
from roadchief.errors import BadInput
from roadchief.lib import clock
from roadchief.patrol.chief import board
from roadchief.patrol.planning import roster, shifts, weeks
from roadchief.streets import register
from roadchief.streets.models import RoadSegment
from roadchief.web import tenant_transaction
from roadchief.web.forms import date_field, id_field, text_field

pages = Blueprint("weeks", __name__, url_prefix="/chief/week")
WALK = ("patroller", "segment_chief", "chief_l3", "chief_l2", "chief_l1", "deputy_chief")
FIRST, LAST = date(2020, 1, 1), date(2100, 1, 1)


@pages.get("")
@allows("patrol.plan")
def show() -> str:
    at = clock.now()
    monday = roster.monday_of(_asked_day(request.args.get("on")) or clock.local_date(at))
    with tenant_transaction(current().subdistrict_id) as session:
        mine = weeks.own_segments(session, current(), at=at)
        week = weeks.look(session, monday, mine, days=holidays.calendar(session))
        walkers = shifts.people(session, WALK, at=at)
    return render_template(
        "patrol/week.html",
        week=week,
        walkers=walkers,
        names={person.id: person.name for person in walkers},
        before=monday - timedelta(days=7),
        after=monday + timedelta(days=7),
        at=at,
    )


@pages.post("/lay")
@allows("patrol.plan")
def lay() -> AnyResponse:
    """The walks that pass one's own streets."""
    actor, monday, at = current(), _monday(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        mine = weeks.own_segments(session, actor, at=at)
        days = holidays.calendar(session)
        made = weeks.lay(session, monday, mine, by=actor.person_id, at=at, days=days)
    flash(gettext("已排 %(n)s 个班次。", n=made), "ok")
    return redirect(url_for("weeks.show", on=monday))


@pages.post("/shifts")
@allows("patrol.plan")
def add() -> AnyResponse:
    """One shift by hand: somebody, some segments, a day, from–to."""
    actor, at, form = current(), clock.now(), request.form
    on = date_field(form, "on", label=gettext("日期"))
    begins, ends = _time("from", gettext("开始")), _time("to", gettext("结束"))
    with tenant_transaction(actor.subdistrict_id) as session:
        mine = weeks.own_segments(session, actor, at=at)
        person = people.find(session, id_field(form, "person", label=gettext("人员")))
        weeks.add(
            session,
            person_id=person.id,
            segments=[_own(session, one, mine) for one in form.getlist("segment")],
            starts_at=weeks.instant(on, begins),
            ends_at=weeks.instant(on, ends),
            by=actor.person_id,
            at=at,
        )
    flash(gettext("班次已加入。"), "ok")
    return redirect(url_for("weeks.show", on=roster.monday_of(on)))


@pages.post("/shifts/<uuid:shift_id>/cancel")
@allows("patrol.plan")
def cancel(shift_id: uuid.UUID) -> AnyResponse:
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        board.check_shift(session, shift_id, weeks.own_segments(session, actor, at=at))
        row = shifts.find(session, shift_id)
        because = text_field(request.form, "because", label=gettext("原因"))
        shifts.cancel(session, row, by=actor.person_id, at=at, because=because)
    flash(gettext("班次已取消。"), "ok")
    return redirect(url_for("weeks.show", on=roster.monday_of(clock.local_date(row.starts_at))))


@pages.post("/absences")
@allows("patrol.plan")
def absent() -> AnyResponse:
    actor, form = current(), request.form
    with tenant_transaction(actor.subdistrict_id) as session:
        person = people.find(session, id_field(form, "person", label=gettext("人员")))
        other = form.get("stand_in")
        stand_in = (
            people.find(session, id_field(form, "stand_in", label=gettext("代班"))).id
            if other
            else None
        )
        row = weeks.note_absence(
            session,
            person_id=person.id,
            from_on=date_field(form, "from", label=gettext("开始")),
            to_on=date_field(form, "to", label=gettext("结束")),
            because=text_field(form, "because", label=gettext("原因")),
            stand_in_id=stand_in,
            by=actor.person_id,
            at=clock.now(),
        )
    flash(gettext("请假已登记。"), "ok")
    return redirect(url_for("weeks.show", on=roster.monday_of(row.from_on)))


def _own(session: Session, said: str, mine: list[uuid.UUID] | None) -> RoadSegment:
    row = register.find_segment(
        session, id_field({"segment": said}, "segment", label=gettext("路段"))
    )
    if mine is not None and row.id not in mine:
        raise BadInput(
            field=gettext("路段"), reason_zh="不在您负责的范围", reason_en="not among yours"
        )
    return row


def _monday() -> date:
    found = _asked_day(request.form.get("on"))
    if found is None:
        raise BadInput(
            field=gettext("日期"), reason_zh="应为日期，如 2026-11-24", reason_en="a date, please"
        )
    return roster.monday_of(found)


def _asked_day(said: str | None) -> date | None:
    try:
        found = date.fromisoformat(said or "")
    except ValueError:
        return None
    return found if FIRST <= found <= LAST else None


def _time(name: str, label: str) -> time:
    try:
        return datetime.strptime(request.form.get(name, ""), "%H:%M").time()  # noqa: DTZ007
    except ValueError as error:
        raise BadInput(
            field=label, reason_zh="应为时间，如 09:30", reason_en="such as 09:30"
        ) from error
