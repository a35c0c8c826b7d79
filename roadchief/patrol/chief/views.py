"""The chief's pages of patrol: shifts, reviews, alerts."""

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief import blobs
from roadchief.accounts.signin import allows, current
from roadchief.lib import clock
from roadchief.patrol.chief import alerts, board
from roadchief.patrol.doubts import review, signals, twins, weighing
from roadchief.patrol.models import CheckIn
from roadchief.patrol.planning import due, shifts, weeks
from roadchief.patrol.presence import reach
from roadchief.streets import standards
from roadchief.web import settings, tenant_transaction
from roadchief.web.forms import optional_text, text_field, whole_number
from roadchief.web.pages import language

pages = Blueprint("chief", __name__, url_prefix="/chief")


def mine_of(session: Session) -> list[uuid.UUID] | None:
    """The segments that the person asking answers for; None: all."""
    return weeks.own_segments(session, current(), at=clock.now())


def word(pair: tuple[str, str]) -> str:
    return pair[0 if language() == "zh" else 1]


@pages.app_context_processor
def words() -> dict[str, Any]:
    return {
        "patrol_word": word,
        "say_signal": lambda row: signals.say(row, language()),
        "outcome_word": lambda outcome: word(reach.WORDS[outcome]),
        "grade_word": lambda grade: word(standards.GRADES[grade]) if grade else "",
        "due_marks": due.MARKS,
        "due_words": due.WORDS,
        "alert_words": alerts.WORDS,
        "decisions": review.DECISIONS,
    }


@pages.get("/shifts/<uuid:shift_id>")
@allows("patrol.chief")
def shift(shift_id: uuid.UUID) -> str:
    with tenant_transaction(current().subdistrict_id) as session:
        board.check_shift(session, shift_id, mine_of(session))
        row = shifts.find(session, shift_id)
        figures, misses, unpassed = board.summary(session, row)
        return render_template(
            "patrol/shift.html",
            shift=row,
            segments=shifts.segments_of(session, shift_id),
            figures=figures,
            misses=misses,
            unpassed=unpassed,
        )


@pages.post("/shifts/<uuid:shift_id>/approve")
@allows("patrol.review")
def approve(shift_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        board.check_shift(session, shift_id, mine_of(session))
        row = shifts.find(session, shift_id)
        shifts.approve(session, row, by=actor.person_id, at=clock.now())
    flash(gettext("班次已通过。"), "ok")
    return redirect(url_for("chief.shift", shift_id=shift_id))


@pages.post("/alerts/<uuid:alert_id>/close")
@allows("patrol.review")
def close_alert(alert_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        board.check_alert(session, alert_id, mine_of(session))
        because = text_field(request.form, "because", label=gettext("原因"))
        alerts.close(session, alert_id, by=actor.person_id, at=clock.now(), because=because)
    flash(gettext("提醒已关闭。"), "ok")
    return redirect(url_for("morning.start"))


@pages.get("/reviews")
@allows("patrol.review")
def reviews() -> str:
    number = whole_number(
        request.args, "page", label=gettext("页码"), low=1, high=10_000, default=1
    )
    state = request.args.get("state", "waiting")
    state = state if state in {"waiting", *review.DECISIONS} else "waiting"
    with tenant_transaction(current().subdistrict_id) as session:
        mine = mine_of(session)
        rows = review.queue(session, mine, state=state, number=number)
        waiting = review.waiting(session, mine)
    return render_template(
        "patrol/reviews.html",
        rows=rows,
        waiting=waiting,
        state=state,
        number=number,
        more=len(rows) == review.PAGE,
    )


@pages.get("/reviews/<uuid:visit_id>")
@allows("patrol.review")
def look(visit_id: uuid.UUID) -> str:
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        board.check_review(session, visit_id, mine_of(session))
        row, photos, kept = review.evidence(session, visit_id)
        visit = session.get_one(CheckIn, (actor.subdistrict_id, visit_id))
        verdict = weighing.verdict_of(visit)
        pairs = twins.pairs(session, kept.signals)
    links = {
        photo.sha256: blobs.link(
            actor.subdistrict_id, photo.blob_id, size="screen", settings=settings(), at=at
        )
        for photo in photos
        if photo.blob_id
    }
    return render_template(
        "patrol/review.html",
        row=row,
        photos=photos,
        links=links,
        review=kept,
        pairs=pairs,
        say=verdict.say(language()),
    )


@pages.post("/reviews/<uuid:visit_id>")
@allows("patrol.review")
def decide(visit_id: uuid.UUID) -> AnyResponse:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        mine = mine_of(session)
        board.check_review(session, visit_id, mine)
        review.decide(
            session,
            visit_id,
            request.form.get("decision", ""),
            by=actor.person_id,
            at=clock.now(),
            because=optional_text(request.form, "because", label=gettext("原因")),
        )
        following = review.queue(session, mine)
    flash(gettext("已记录。"), "ok")
    if following:
        return redirect(url_for("chief.look", visit_id=following[0].id))
    return redirect(url_for("chief.reviews"))
