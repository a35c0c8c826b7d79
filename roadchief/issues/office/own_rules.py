"""A sub-district's own rules of routing: read in order, the first that fits wins."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import in_turn, new_id, tenant_of
from roadchief.errors import Conflict, NotFound
from roadchief.issues import categories, opening, routing
from roadchief.issues.models import RoutingRule
from roadchief.issues.refusals import bad
from roadchief.issues.routing import Route
from roadchief.streets.models import Grid, RoadSegment

MOST, MOST_NAME = 200, 40
WHY_BROKEN = {
    "unit": ("单位已撤销", "its unit is abolished"),
    "category": ("类别已取消", "its category is gone"),
    "hidden": ("前面的规则已全部覆盖，永远轮不到", "an earlier rule takes all of it"),
}

events.declare({"issues.routing_changed": "a rule of routing was added, moved or removed"})


class SameRule(Conflict):
    zh = "已有同样的规则“{name}”"
    en = "the rule {name} says the same already"


@dataclass(frozen=True)
class Draft:
    """A rule as somebody wrote it. Empty parts mean any."""

    name: str
    unit_id: uuid.UUID
    category: str | None
    group: str | None
    segment_id: uuid.UUID | None
    grid_id: uuid.UUID | None
    let: bool | None


@dataclass(frozen=True)
class Shown:
    """A rule with the names of what it speaks of, and why it can never help, if so."""

    id: uuid.UUID
    name: str
    unit: str
    category: str | None
    group: str | None
    place: str
    let: bool | None
    broken: tuple[str, str] | None


def listing(session: Session) -> list[Shown]:
    """In order, by a fixed number of questions."""
    here = tenant_of(session)
    rows = _rows(session)
    units = opening.units(session)
    rules = opening.rules(session)
    found = {id(rule): why for rule, why in routing.broken(rules, units, set(categories.known()))}
    names = {unit.id: unit.name for unit in units}
    places: dict[uuid.UUID, str] = {}
    for model in (RoadSegment, Grid):
        wanted = {row.segment_id for row in rows} | {row.grid_id for row in rows}
        told = session.execute(
            select(model.id, model.name).where(
                model.subdistrict_id == here, model.id.in_(wanted - {None})
            )
        )
        places |= {row.id: row.name for row in told}
    return [
        Shown(
            row.id,
            row.name,
            names.get(row.unit_id, "—"),
            row.category,
            row.category_group,
            " · ".join(places.get(one, "—") for one in (row.segment_id, row.grid_id) if one),
            row.let,
            WHY_BROKEN.get(found.get(id(rule), "")),
        )
        for row, rule in zip(rows, rules, strict=True)
    ]


def add(session: Session, draft: Draft, *, by: uuid.UUID, at: datetime) -> RoutingRule:
    """At the end of the line. What it names must be there; two that say the same are one."""
    here = tenant_of(session)
    in_turn(session, "routing rules")
    if not 1 <= len(draft.name) <= MOST_NAME:
        raise bad("名称 name", f"请填写，最多 {MOST_NAME} 个字", f"1 to {MOST_NAME} characters")
    opening.running_unit(session, draft.unit_id)
    if draft.category is not None and draft.category not in categories.known():
        raise bad("类别 category", "没有这个类别", "there is no such category")
    if draft.group is not None and draft.group not in categories.groups():
        raise bad("大类 group", "没有这个大类", "there is no such group")
    for model, one, zh, en in (
        (RoadSegment, draft.segment_id, "路段 segment", "segment"),
        (Grid, draft.grid_id, "网格 grid", "grid"),
    ):
        if one is not None and session.get(model, (here, one)) is None:
            raise bad(zh, "不存在", f"there is no such {en}")
    _not_said_yet(session, draft)
    last, number = session.execute(
        select(func.max(RoutingRule.place_in_line), func.count()).where(
            RoutingRule.subdistrict_id == here
        )
    ).one()
    if number >= MOST:
        raise bad("规则 rules", f"最多 {MOST} 条", f"at most {MOST}")
    row = RoutingRule(
        subdistrict_id=here,
        id=new_id(),
        place_in_line=(last or 0) + 1,
        name=draft.name,
        unit_id=draft.unit_id,
        category=draft.category,
        category_group=draft.group,
        segment_id=draft.segment_id,
        grid_id=draft.grid_id,
        let=draft.let,
    )
    session.add(row)
    session.flush()
    _tell(session, row, "added", by, at)
    return row


def _not_said_yet(session: Session, draft: Draft) -> None:
    """Adding takes turns, so that of one form sent twice the second finds the first."""
    same = select(RoutingRule.name).where(
        RoutingRule.subdistrict_id == tenant_of(session),
        RoutingRule.unit_id == draft.unit_id,
        RoutingRule.category.is_not_distinct_from(draft.category),
        RoutingRule.category_group.is_not_distinct_from(draft.group),
        RoutingRule.segment_id.is_not_distinct_from(draft.segment_id),
        RoutingRule.grid_id.is_not_distinct_from(draft.grid_id),
        RoutingRule.let.is_not_distinct_from(draft.let),
    )
    known = session.scalar(same.limit(1))
    if known is not None:
        raise SameRule(name=known)


def move(session: Session, rule_id: uuid.UUID, *, up: bool, by: uuid.UUID, at: datetime) -> None:
    """Change places with the neighbour; the first stays first."""
    in_turn(session, "routing rules")
    rows = _rows(session)
    place = next((n for n, row in enumerate(rows) if row.id == rule_id), None)
    if place is None:
        raise NotFound
    other = place - 1 if up else place + 1
    if not 0 <= other < len(rows):
        return
    one, two = rows[place], rows[other]
    here, there = one.place_in_line, two.place_in_line
    one.place_in_line = -1  # a place of its own while the two change
    session.flush()
    two.place_in_line = here
    session.flush()
    one.place_in_line = there
    session.flush()
    _tell(session, one, "up" if up else "down", by, at)


def remove(session: Session, rule_id: uuid.UUID, *, by: uuid.UUID, at: datetime) -> None:
    """Cases that it routed stay where they are."""
    in_turn(session, "routing rules")
    row = session.get(RoutingRule, (tenant_of(session), rule_id))
    if row is None:
        raise NotFound
    _tell(session, row, "removed", by, at)
    session.delete(row)
    session.flush()


def tried(
    session: Session,
    category: str,
    *,
    segment_id: uuid.UUID | None,
    grid_id: uuid.UUID | None,
    let: bool,
) -> Route:
    """Which rule a case of this kind would meet, and why; nothing is written."""
    kind = categories.known().get(category)
    if kind is None:
        raise bad("类别 category", "没有这个类别", "there is no such category")
    asked = routing.Case(kind, segment=segment_id, grid=grid_id, let=let, danger=kind.danger)
    return routing.route(asked, opening.units(session), opening.rules(session))


def _rows(session: Session) -> list[RoutingRule]:
    return list(
        session.scalars(
            select(RoutingRule)
            .where(RoutingRule.subdistrict_id == tenant_of(session))
            .order_by(RoutingRule.place_in_line)
        )
    )


def _tell(session: Session, row: RoutingRule, what: str, by: uuid.UUID, at: datetime) -> None:
    events.record(
        session,
        "issues.routing_changed",
        subject=row,
        by=by,
        at=at,
        what=what,
        name=row.name,
        unit=str(row.unit_id),
        category=row.category or row.category_group,
        place=row.place_in_line,
    )
