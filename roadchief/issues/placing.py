"""Where words lead: the storefront that a text names; and a case that is given its place."""

import re
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.issues import clocks, opening, spots, telling
from roadchief.issues.adjusting import route_again
from roadchief.issues.cases import SYSTEM, Who, add_step, move
from roadchief.issues.models import Case, CaseStep
from roadchief.issues.refusals import bad
from roadchief.issues.spots import Spot
from roadchief.lib.text import clean, pieces
from roadchief.streets.models import Storefront

LONGEST = 60
# What may follow an address and still mean the shop itself; anything else is a place near it.
AT_THE_DOOR = re.compile(r"的?店?(门口|门前|门外|前面|前|里|内)?")
# The address goes on: another number than the one that was found.
GOES_ON = re.compile(r"[-－—之甲乙丙丁]|\d")


def by_words(session: Session, said: str, *, at: datetime) -> Spot:
    """The shop whose address or number the words begin with, a place near it, or words alone.

    "崂山路527号门口" is the shop; "崂山路527号对面" is that spot of the street, not the shop.
    """
    wanted = clean(said).replace(" ", "")
    parts = [wanted[:length] for length in range(2, min(len(wanted), LONGEST) + 1)]
    found = session.execute(
        select(Storefront.id, Storefront.address)
        .where(Storefront.subdistrict_id == tenant_of(session), Storefront.closed_at.is_(None))
        .where(Storefront.address.in_(parts) | (Storefront.human_number == wanted.upper()))
        .order_by(func.length(Storefront.address).desc(), Storefront.id)
        .limit(1)
    ).first()
    if found is None:
        return spots.nowhere(said)
    rest = wanted.removeprefix(found.address) if wanted.startswith(found.address) else ""
    if GOES_ON.match(rest):
        return spots.nowhere(said)
    shop = spots.of_storefront(session, found.id, at=at)
    if AT_THE_DOOR.fullmatch(rest):
        return shop
    return replace(
        shop, address=said.strip(), storefront_id=None, tenancy_id=None, sign_name=None, permits=()
    )


def relocate(
    session: Session,
    case: Case,
    *,
    who: Who,
    spot: Spot,
    at: datetime,
    words: str | None = None,
    seen: int | None = None,
) -> CaseStep:
    """Give the case the place where it is; routing runs again while nobody has accepted it.

    A merchant who was told of it and is not the one there is let go, and the case sent on anew.
    """
    if spot.point is None:
        raise bad("位置 place", "没有找到，请点地图或写门牌", "not found: touch the map")
    step = move(
        session,
        case,
        "relocate",
        who=who,
        at=at,
        words=words,
        seen=seen,
        data={"from": case.address, "to": spot.address},
    )
    waited = case.state == "notified_merchant"
    leaves = spot.tenancy_id != case.tenancy_id and _merchant_knows(session, case)
    if leaves:
        _let_go(session, case, at=at)
    case.place, case.accuracy_m, case.datum = spot.point, spot.accuracy_m, spot.datum
    case.address = (spot.address or case.address)[:200]
    case.storefront_id, case.tenancy_id = spot.storefront_id, spot.tenancy_id
    case.segment_id, case.grid_id = spot.segment_id, spot.grid_id
    case.permit = next((one.name for one in spot.permits if one.open), None)
    case.pieces = pieces(case.number, case.address, spot.sign_name, case.words)
    session.flush()
    if leaves and waited:
        opening.forward(session, case, opening.route_of(session, case), at=at)
        if case.state == "open":
            telling.centre(session, case, step, at=at)
    route_again(session, case, who=who, at=at)
    return step


def _merchant_knows(session: Session, case: Case) -> bool:
    """Was the merchant of the place where it is now told of it?"""
    told = (
        select(CaseStep.verb)
        .where(CaseStep.subdistrict_id == case.subdistrict_id, CaseStep.case_id == case.id)
        .where(CaseStep.verb.in_(("notify", "let_go")))
        .order_by(CaseStep.seq.desc())
        .limit(1)
    )
    return session.scalar(told) == "notify"


def _let_go(session: Session, case: Case, *, at: datetime) -> None:
    """Their time ends, and the case is no longer theirs to see; the desk keeps what was."""
    before = case.state
    if before == "notified_merchant":
        case.state = "open"
    step = add_step(session, case, "let_go", before, SYSTEM, at=at)
    opening.end_merchants_time(session, case, at=at)
    clocks.reckon(session, case, at=at)
    telling.let_go(session, case, step, at=at)


def spot_of_form(
    session: Session, *, lon: float | None, lat: float | None, said: str, at: datetime
) -> Spot:
    """What an officer touched on the map, else what was written."""
    if lon is not None and lat is not None:
        return spots.of_point(session, lon=lon, lat=lat, at=at)
    if not said:
        raise bad("位置 place", "请点地图或写门牌", "touch the map or write an address")
    return by_words(session, said, at=at)
