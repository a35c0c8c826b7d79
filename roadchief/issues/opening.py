"""How a case gets into hands: opened, routed, the merchant told, a unit dispatched.

Each verb takes a locked case. What it sets off is written in the same transaction.
"""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.issues import categories, clocks, routing, telling
from roadchief.issues.cases import SYSTEM, Who, add_photos, facts_of, move
from roadchief.issues.models import Case, CaseHelper, CaseStep, RoutingRule
from roadchief.issues.refusals import NotNow, Permitted, bad
from roadchief.issues.routing import Route, Rule, Unit
from roadchief.issues.workflow import Verdict
from roadchief.streets.models import Organisation

# Reports about one shop within so long ring once.
ONE_RING = timedelta(hours=1)
UNIT_KINDS = {kind for kinds in routing.KINDS.values() for kind in kinds}


def open_case(
    session: Session,
    case: Case,
    *,
    who: Who,
    at: datetime,
    words: str | None = None,
    seen: int | None = None,
    despite_permit: bool = False,
    photo_ids: tuple[uuid.UUID, ...] = (),
) -> Route:
    """Take it up, and send it on: to the merchant first, to the unit, or to the unit-less queue."""
    if case.category in routing.OUTDOOR_TRADE and case.permit and not (despite_permit and words):
        raise Permitted(name=case.permit)
    move(session, case, "open", who=who, at=at, words=words, seen=seen)
    add_photos(session, case, photo_ids, part=who.part, at=at)
    route = route_of(session, case)
    forward(session, case, route, at=at)
    return route


def forward(session: Session, case: Case, route: Route, *, at: datetime) -> None:
    """What routing says, done by the machine and written as its own step."""
    case.routed_by = route.rule
    if route.merchant_first:
        notify(session, case, who=SYSTEM, at=at)
    elif route.unit:
        dispatch(session, case, who=SYSTEM, to=route.unit.id, at=at, words=route.zh)


def route_of(session: Session, case: Case) -> Route:
    """Whose it is, by the rules of today."""
    kind = categories.find(case.category)
    wanted = routing.Case(
        category=kind,
        segment=case.segment_id,
        grid=case.grid_id,
        let=case.tenancy_id is not None,
        keeper=facts_of(session, case).has_keeper,
        danger=case.danger,
    )
    return routing.route(wanted, units(session), rules(session))


def units(session: Session) -> list[Unit]:
    """Organisations that may be given cases; abolished ones are told as such."""
    rows = session.scalars(
        select(Organisation)
        .where(Organisation.subdistrict_id == tenant_of(session))
        .where(Organisation.kind.in_(UNIT_KINDS))
        .order_by(Organisation.name)
    )
    return [Unit(row.id, row.kind, row.name, row.closed_at is not None) for row in rows]


def rules(session: Session) -> list[Rule]:
    rows = session.scalars(
        select(RoutingRule)
        .where(RoutingRule.subdistrict_id == tenant_of(session))
        .order_by(RoutingRule.place_in_line)
    )
    return [
        Rule(
            unit_id=row.unit_id,
            name=row.name,
            category=row.category,
            group=row.category_group,
            segment=row.segment_id,
            grid=row.grid_id,
            let=row.let,
        )
        for row in rows
    ]


def notify(
    session: Session, case: Case, *, who: Who, at: datetime, seen: int | None = None
) -> CaseStep:
    """The merchant is told first and has the category's own limit; the unit's clock waits."""
    if case.danger:
        raise NotNow(
            Verdict(False, "danger", "紧急情况不等商户，请直接派遣", "danger waits for no merchant")
        )
    rings = not case.held and not _rang_lately(session, case, at)
    data = {"rings": rings, "shop": str(case.storefront_id)}
    step = move(session, case, "notify", who=who, at=at, seen=seen, data=data)
    kind = categories.find(case.category)
    case.merchant_due_at = clocks.after(session, at, kind.limit, at=at)
    clocks.pause(session, case, "merchant", because="商户先行整改", at=at)
    clocks.reckon(session, case, at=at)
    if rings:
        telling.merchant(session, case, step, at=at)
    return step


def dispatch(
    session: Session,
    case: Case,
    *,
    who: Who,
    to: uuid.UUID,
    at: datetime,
    words: str | None = None,
    seen: int | None = None,
) -> CaseStep:
    unit = running_unit(session, to)
    step = move(
        session, case, "dispatch", who=who, at=at, words=words, seen=seen, data={"unit": unit.name}
    )
    end_merchants_time(session, case, at=at)
    case.unit_id, case.holder_id = unit.id, None
    clocks.reckon(session, case, at=at)
    telling.unit(session, case, step, at=at)
    return step


def running_unit(session: Session, unit_id: uuid.UUID) -> Organisation:
    """A unit that still exists: an abolished one is given nothing."""
    unit = session.get(Organisation, (tenant_of(session), unit_id))
    if unit is None or unit.closed_at is not None or unit.kind not in UNIT_KINDS:
        raise bad("单位 unit", "不存在或已撤销", "is not there or was abolished")
    return unit


def helpers_of(session: Session, case: Case) -> set[uuid.UUID]:
    rows = session.scalars(
        select(CaseHelper.unit_id).where(
            CaseHelper.subdistrict_id == case.subdistrict_id, CaseHelper.case_id == case.id
        )
    )
    return set(rows)


def end_merchants_time(session: Session, case: Case, *, at: datetime) -> None:
    if case.merchant_due_at is not None:
        clocks.go_on(session, case, "merchant", at=at)
        case.merchant_due_at = None


def _rang_lately(session: Session, case: Case, at: datetime) -> bool:
    rung = select(CaseStep.id).where(
        CaseStep.subdistrict_id == case.subdistrict_id,
        CaseStep.verb == "notify",
        CaseStep.at > at - ONE_RING,
        CaseStep.data["rings"].as_boolean(),
        CaseStep.data["shop"].as_string() == str(case.storefront_id),
        CaseStep.case_id.in_(
            select(Case.id).where(
                Case.subdistrict_id == case.subdistrict_id,
                Case.storefront_id == case.storefront_id,
                Case.reported_at > at - timedelta(days=60),
            )
        ),
    )
    return session.scalar(rung.limit(1)) is not None
