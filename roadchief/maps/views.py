"""Map pages and their search. Public: the allow-list and no more."""

import uuid
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.access import Actor, may
from roadchief.accounts.signin import current_or_none, public
from roadchief.errors import NotFound
from roadchief.lib import clock
from roadchief.maps import backgrounds, frontages, sights, wording
from roadchief.maps.duty_layers import cases_in_reach
from roadchief.maps.folium_pages import Pieces, street_map
from roadchief.maps.frontages import Sight
from roadchief.patrol import rules
from roadchief.patrol.planning import weeks
from roadchief.streets import catalog, storefronts
from roadchief.streets.models import Subdistrict
from roadchief.web import security, settings, tenant_transaction
from roadchief.web.pages import Page, language, page_number, wants_json

pages = Blueprint("maps", __name__)
ALLOWED = (
    "roads, segments, signs, addresses, chiefs' names and office phones are public (§2.5, §4.4)"
)
LISTED = 60  # segments beside the map; the rest by page


@pages.get("/map/")
@public(ALLOWED)
def district() -> str:
    here, number = subdistrict(), page_number()
    with tenant_transaction(here.id) as session:
        at = clock.now()
        rows = catalog.segments(session, number=number, size=LISTED)
        states = catalog.segment_states(session, at=at)
        charge = catalog.charge(session, at=at, among=[segment.id for segment, *_ in rows])
        bounds = catalog.extent(session)
    if bounds is None and here.area is not None:
        bounds = here.area.bounds
    return render_template(
        "maps/district.html",
        here=here,
        page=Page(rows, number, len(states), LISTED),
        states=states,
        gaps=sum(1 for state in states.values() if state == "gap"),
        chiefs=_by_segment(sights.in_public(charge)),
        drawing=_draw(here, bounds=bounds),
        places=_places(),
    )


@pages.get("/map/segments/<uuid:segment_id>")
@public(ALLOWED)
def segment(segment_id: uuid.UUID) -> str:
    here, actor = subdistrict(), current_or_none()
    with tenant_transaction(here.id) as session:
        row, road = catalog.segment(session, segment_id)
        at = clock.now()
        sides = catalog.walk(session, segment_id)
        charge = catalog.charge(session, at=at, segment_id=segment_id)
        state = catalog.segment_states(session, at=at).get(segment_id, "closed")
        history = catalog.history(session, segment_id)
        permits = [
            wording.permit_sight(one, at) for one in sights.permits_beside(session, row, at=at)
        ]
        shops = [shop.id for side in sides.values() for shop in side]
        sight = sight_of(session, actor, segment_id, at=at)
        fronts = (
            frontages.look(session, segment_id, shops, sight, at=at, language=language())
            if sight
            else None
        )
    zones = actor is not None and may(actor, "streets.read").allowed
    west, south, east, north = row.line.bounds
    drawing = _draw(
        here,
        bounds=(west - 3e-4, south - 3e-4, east + 3e-4, north + 3e-4),
        duty=["duty_zones"] * zones,
        seen=visit_days() if fronts and fronts.visits else None,
    )
    return render_template(
        "maps/segment.html",
        here=here,
        segment=row,
        road=road,
        sides=sides,
        state=state,
        chiefs=sights.in_public(charge),
        history=history,
        permits=permits,
        fronts=fronts,
        zones=zones,
        side_numbers=frontages.side_numbers,
        width_of=frontages.width_of,
        drawing=drawing,
    )


def sight_of(
    session: Session, actor: Actor | None, segment_id: uuid.UUID, *, at: datetime
) -> Sight | None:
    """What this person may know beyond what everybody sees; None where that is nothing."""
    if actor is None:
        return None
    visits = may(actor, "patrol.chief").allowed
    if visits:
        mine = weeks.own_segments(session, actor, at=at)
        visits = mine is None or segment_id in mine
    reach = cases_in_reach(actor) if may(actor, "issues.desk").allowed else None
    return Sight(visits, reach) if visits or reach is not None else None


@pages.get("/map/search")
@public(ALLOWED)
def search() -> str | Response:
    here = subdistrict()
    asked = request.args.get("q", "")
    with tenant_transaction(here.id) as session:
        hits = catalog.search(session, asked)
    if wants_json():
        return jsonify(hits=[{**vars(hit), "id": str(hit.id)} for hit in hits])
    return render_template("maps/search.html", here=here, hits=hits, asked=asked)


@pages.get("/map/storefronts/<uuid:storefront_id>")
@public(ALLOWED)
def storefront(storefront_id: uuid.UUID) -> AnyResponse:
    """Where a storefront is shown in words: its line on the sheet of its segment."""
    here = subdistrict()
    with tenant_transaction(here.id) as session:
        row = storefronts.find(session, storefront_id)
    if row.segment_id is None:
        return redirect(url_for("maps.district", s=here.id))
    sheet = url_for("maps.segment", segment_id=row.segment_id, s=here.id)
    return redirect(f"{sheet}#shop-{row.id}")


def subdistrict_code() -> int:
    """One's own when signed in, else `?s=`, else the first there is."""
    actor = current_or_none()
    if actor:
        return actor.subdistrict_id
    given = request.args.get("s", "")
    if given:
        if not (len(given) == 9 and given.isdigit() and given.isascii()):
            raise NotFound
        return int(given)
    with tenant_transaction(None) as session:
        known = catalog.subdistricts(session)
    if not known:
        raise NotFound
    return known[0].id


def subdistrict() -> Subdistrict:
    code = subdistrict_code()
    with tenant_transaction(None) as session:
        found = session.get(Subdistrict, code)
    if found is None:
        raise NotFound
    return found


def _places() -> list[Subdistrict]:
    """Others to look at; a signed-in person has their own."""
    if current_or_none():
        return []
    with tenant_transaction(None) as session:
        return catalog.subdistricts(session)


def _draw(
    here: Subdistrict,
    *,
    bounds: tuple[float, float, float, float] | None,
    duty: list[str] | None = None,
    seen: dict[str, int] | None = None,
) -> Pieces:
    """`duty`: further layers of those who work here; `seen`: storefronts by their last visit."""
    words = {
        "map": gettext("街道地图"),
        "empty": gettext("空置铺位"),
        "gap": gettext("暂无路长"),
        "sheet": gettext("看这一段"),
        "loading": gettext("正在读取…"),
        "closer": gettext("放大"),
        "trouble": gettext("暂时读不到，请稍后再试"),
        "nothing": gettext("没有找到"),
        "short": gettext("再输入一个字，就能找到店名和门牌"),
        "farther": gettext("缩小"),
    }
    known = settings()
    attribution = " · ".join(
        part for part in (known.map_attribution, known.map_review_number) if part
    )
    given = {
        "subdistrict": here.id,
        "language": language(),
        "words": words | ground_words(),
        "attribution": attribution,
        "backgrounds": grounds(),
        "duty": duty or [],
        "seen": seen,
    }
    return street_map(bounds=bounds, given=given)


def grounds() -> list[dict[str, Any]]:
    """Backgrounds from outside that the settings offer; this answer may then show their tiles."""
    found = backgrounds.offered(**settings_of_grounds())
    security.allow_pictures(backgrounds.hosts(found))
    return [one.told() for one in found]


def settings_of_grounds() -> dict[str, str]:
    known = settings()
    return {name: getattr(known, name) for name in backgrounds.SETTINGS}


def visit_days() -> dict[str, int]:
    """When a visit is due, for marks that a script draws."""
    figures = rules.section("visits")
    return {"every": figures["scan_every_days"], "soon": figures["soon_days"]}


def ground_words() -> dict[str, str]:
    return {
        "background": gettext("底图"),
        "own": gettext("自绘底图"),
        "lost": gettext("{name}暂时读不到，已换回自绘底图。"),
    }


def _by_segment(charge: list[Any]) -> dict[uuid.UUID, list[Any]]:
    found: dict[uuid.UUID, list[Any]] = {}
    for row in charge:
        found.setdefault(row.segment_id, []).append(row)
    return found
