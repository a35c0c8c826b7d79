"""The desk of departments, operation centre and chiefs: queue, case page, acts."""

import uuid
from typing import Any

import shapely
from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief import blobs
from roadchief.accounts.access import Actor
from roadchief.accounts.signin import allows, current
from roadchief.db import in_turn, new_id, tenant_of
from roadchief.errors import Refusal, status_of
from roadchief.issues import (
    acting,
    board,
    cases,
    categories,
    forms,
    merging,
    moves,
    opening,
    publishing,
    reach,
    routing,
    story,
    workflow,
)
from roadchief.issues.acting import Act
from roadchief.issues.mail import told
from roadchief.issues.models import Case, SavedView
from roadchief.issues.office import replies
from roadchief.issues.reach import Scope
from roadchief.issues.refusals import NoSuchCase
from roadchief.issues.sheets.words import SOURCES
from roadchief.issues.sources import promises
from roadchief.issues.triage import suggesting
from roadchief.lib import clock
from roadchief.streets import standards
from roadchief.streets.models import Subdistrict
from roadchief.web import settings, tenant_transaction
from roadchief.web.blobs import photos_from, takes_photos
from roadchief.web.pages import Page, language, page_number

pages = Blueprint("desk", __name__, url_prefix="/desk")
SIZE = 50


@pages.get("/")
@allows("issues.desk")
def start() -> str:
    actor, at, number = current(), clock.now(), page_number()
    given = board.read_filter(request.args.to_dict())
    with tenant_transaction(actor.subdistrict_id) as session:
        scope = reach.scope_of(session, actor, at=at)
        rows, total = board.page(session, given, scope, at=at, number=number, size=SIZE)
        return render_template(
            "issues/desk.html",
            page=Page(rows, number, total, SIZE),
            given=given,
            counts=board.counts(session, scope, at=at),
            views=board.views_of(session, actor.person_id),
            units=opening.units(session),
            in_bulk=acting.in_bulk(actor.roles),
            known=categories.known(),
            states=moves.STATES,
            tabs=tab_words(),
            counted=board.COUNTED,
        )


def tab_words() -> dict[str, str]:
    return {
        "mine": gettext("我的"),
        "new": gettext("待受理"),
        "overdue": gettext("逾期"),
        "today": gettext("今天到期"),
        "check": gettext("待核查"),
        "no_unit": gettext("无责任单位"),
        "paused": gettext("已暂停"),
        "open": gettext("全部在办"),
        "closed": gettext("已结束"),
    }


@pages.get("/cases/<uuid:case_id>")
@allows("issues.desk")
def case(case_id: uuid.UUID) -> str:
    return _case_page(case_id)


def _case_page(case_id: uuid.UUID, *, trouble: str | None = None, words: str = "") -> str:
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        scope = reach.scope_of(session, actor, at=at)
        row, parts = reached(session, case_id, actor, scope)
        facts = cases.facts_of(session, row, actor.person_id)
        allowed = workflow.moves_for(parts, facts)
        units = opening.units(session)
        names = {unit.id: unit.name for unit in units}
        unit = names.get(row.unit_id) if row.unit_id else None
        kind = categories.find(row.category)
        ready = replies.for_case(session, row, at=at, phone=settings().office_phone, unit=unit)
        used = next((one for one in ready if str(one.id) == request.args.get("reply")), None)
        return render_template(
            "issues/case.html",
            case=row,
            kind=kind,
            known=categories.known(),
            light=board.light(row, at),
            lines=story.for_desk(session, row, language()),
            photos=story.photos_of(session, row),
            ratings=story.ratings_of(session, row),
            readers=told.readers_of(session, row),
            mails=told.mails_of(session, row),
            beside=_seen(session, story.beside(session, row), scope),
            alike=_seen(session, _alike(session, row, at), scope),
            allowed=[move for move in allowed if move.verb in acting.DOING],
            needs={move.verb: workflow.needs(move.verb, facts) for move in allowed},
            units=units,
            unit=unit,
            replies=ready,
            used=used,
            used_for=request.args.get("for", ""),
            states=moves.STATES,
            closings=moves.CLOSINGS,
            trouble=trouble,
            words=words,
            preview=publishing.preview(row.words),
            coming=promises.waiting_for(session, row.id),
            suggested=suggesting.suggest(row.words)
            if row.state in ("reported", "verifying")
            else [],
            danger_words=categories.danger_words(row.words),
            source_words=lambda source: _say(SOURCES.get(source, (source, source))),
            clock_words=lambda unit: _say(standards.CLOCKS[unit]),
            routed_words=lambda routed: routing.say(routed, language()),
            middle=_middle(session, row),
        )


def _say(pair: tuple[str, str]) -> str:
    return pair[0 if language() == "zh" else 1]


def _middle(session: Session, row: Case) -> shapely.Point:
    """Where the map begins for somebody who sets the place."""
    if row.place is not None:
        return shapely.Point(row.place.x, row.place.y)
    here = session.get_one(Subdistrict, tenant_of(session))
    return here.area.centroid if here.area is not None else shapely.Point(121.5195, 31.2271)


def _alike(session: Session, row: Case, at: Any) -> list[Any]:
    if row.state not in moves.BY_VERB["duplicate"].frm:
        return []
    return merging.alike(
        session,
        category=row.category,
        place=row.place,
        storefront_id=row.storefront_id,
        words=row.words,
        at=at,
        public=False,
        not_this=row.id,
    )


@pages.post("/cases/<uuid:case_id>/do/<verb>")
@allows("issues.desk")
@takes_photos(5)
def do(case_id: uuid.UUID, verb: str) -> AnyResponse | tuple[str, int]:
    """One move. A refusal shows the page as it is now, and the words that were written."""
    actor, at = current(), clock.now()
    try:
        developed = photos_from(request.files, "photos", most=5)
        with tenant_transaction(actor.subdistrict_id) as session:
            scope = reach.scope_of(session, actor, at=at)
            _row, parts = reached(session, case_id, actor, scope)
            row = cases.locked(session, case_id)
            who = acting.who_for(verb, parts, actor.person_id)
            kept = [
                blobs.keep(session, one, by=actor.person_id, at=at, settings=settings())
                for one in developed
            ]
            given = Act(
                who=who,
                at=at,
                form=request.form,
                scope=scope,
                units=tuple(forms.ids_of(request.form.getlist("unit"))),
                photo_ids=tuple(blob.id for blob in kept),
            )
            acting.act(session, row, verb, given)
    except NoSuchCase:
        raise
    except Refusal as refusal:
        words = forms.long_text(request.form, "words", label="words", most=100_000)[:4000]
        page = _case_page(case_id, trouble=refusal.say(language()), words=words)
        return page, status_of(refusal)
    flash(gettext("已完成：") + moves.BY_VERB[verb].say(language()), "ok")
    with tenant_transaction(actor.subdistrict_id) as session:
        scope = reach.scope_of(session, actor, at=at)
        still = reach.in_reach(session, case_id, scope)
    return redirect(url_for("desk.case", case_id=case_id) if still else url_for("desk.start"), 303)


@pages.get("/cases/<uuid:case_id>/print")
@allows("issues.desk")
def print_case(case_id: uuid.UUID) -> str:
    """A sheet for the file, or "save as PDF" in the browser."""
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        row, _parts = reached(session, case_id, actor)
        return render_template(
            "issues/print.html",
            case=row,
            kind=categories.find(row.category),
            lines=story.for_desk(session, row, language()),
            photos=story.photos_of(session, row),
            light=board.light(row, at),
            states=moves.STATES,
            at=at,
        )


@pages.post("/views")
@allows("issues.desk")
def save_view() -> AnyResponse:
    actor = current()
    name = forms.needed_text(request.form, "name", label=gettext("名称"), most=40)
    given = board.read_filter(request.form.to_dict())
    with tenant_transaction(actor.subdistrict_id) as session:
        in_turn(session, f"views of {actor.person_id}")  # pressed twice, it is one view
        known = {view.name: view for view in board.views_of(session, actor.person_id)}
        if name in known:
            known[name].filter = given.as_json()
        else:
            session.add(
                SavedView(
                    subdistrict_id=tenant_of(session),
                    id=new_id(),
                    person_id=actor.person_id,
                    name=name,
                    filter=given.as_json(),
                )
            )
    return redirect(url_for("desk.start", **given.as_address()), 303)


@pages.get("/cases.geojson")
@allows("issues.desk")
def layer() -> AnyResponse:
    """The queue's filter as a layer for maps and QGIS; up to 2,000 cases."""
    actor, at = current(), clock.now()
    given = board.read_filter(request.args.to_dict())
    with tenant_transaction(actor.subdistrict_id) as session:
        scope = reach.scope_of(session, actor, at=at)
        rows, _total = board.page(session, given, scope, at=at, number=1, size=2000)
    features = [
        {
            "type": "Feature",
            "geometry": shapely.geometry.mapping(row.case.place),
            "properties": {
                "id": str(row.case.id),
                "number": row.case.number,
                "category": row.case.category,
                "name": categories.find(row.case.category).say(language()),
                "state": row.case.state,
                "light": row.light,
                "due": row.case.due_at.isoformat() if row.case.due_at else None,
            },
        }
        for row in rows
        if row.case.place is not None
    ]
    return jsonify(type="FeatureCollection", features=features)


def reached(
    session: Session, case_id: uuid.UUID, actor: Actor, scope: Scope | None = None
) -> tuple[Case, frozenset[str]]:
    """The case with the parts that this person plays in it; out of reach is not there."""
    scope = scope or reach.scope_of(session, actor, at=clock.now())
    row = reach.case_of(session, case_id, scope)
    return row, reach.parts_in(row, actor, scope, opening.helpers_of(session, row))


def _seen(session: Session, rows: list[Any], scope: Scope) -> list[Any]:
    """Those of other cases that this person may open."""
    if not rows:
        return rows
    known = reach.among(session, [row.id for row in rows], scope)
    return [row for row in rows if row.id in known]
