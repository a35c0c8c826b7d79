"""The desk's queue: who sees what, filtered, counted and paged. One function a page."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, text
from sqlalchemy.orm import Session, aliased

from roadchief.accounts.access import CHIEFS, Actor
from roadchief.accounts.models import Person, Post
from roadchief.db import tenant_of
from roadchief.issues import categories, deadlines, moves, workflow
from roadchief.issues.models import Case, CaseHelper, SavedView
from roadchief.lib import clock
from roadchief.lib.text import clean, pieces
from roadchief.streets.charge import REACHED
from roadchief.streets.models import Organisation, Storefront

# Chiefs of everything; the others answer for their own streets, and nothing else is there for them.
OVERALL = frozenset({"chief_general", "chief_l1"})
SEES_ALL = OVERALL | {"admin", "operator", "auditor", "patroller"}
OF_STREETS = (CHIEFS | {"segment_chief"}) - OVERALL
OWN_STREETS = text(
    REACHED
    + "SELECT DISTINCT segment_id FROM reached WHERE person_id = :person AND role = ANY(:of)"
)
# Lists are counted up to here: nobody reads "12,431", and counting them all takes a second.
COUNTED = 1000
MOST_FOUND = 500
TABS = ("mine", "new", "overdue", "today", "check", "no_unit", "paused", "open", "closed")


@dataclass(frozen=True)
class Scope:
    """What a person may see: everything here, or what own units have and own streets hold."""

    person_id: uuid.UUID
    all: bool
    units: frozenset[uuid.UUID]
    streets: frozenset[uuid.UUID] = frozenset()


@dataclass(frozen=True)
class Filter:
    """One filter gives the same cases in list, map and export."""

    tab: str = "open"
    unit: uuid.UUID | None = None
    category: str | None = None
    state: str | None = None
    segment: uuid.UUID | None = None
    asked: str = ""

    def as_json(self) -> dict[str, str]:
        return {name: str(value) for name, value in vars(self).items() if value}

    def as_address(self) -> dict[str, Any]:
        """The same, as the parameters of an address."""
        return dict(self.as_json())


@dataclass(frozen=True)
class Row:
    """One line of the queue."""

    case: Case
    unit: str | None
    holder: str | None
    shop: str | None
    light: str


def scope_of(session: Session, actor: Actor, *, at: datetime) -> Scope:
    """The units of a person's running posts and the streets that a chief answers for now."""
    units: frozenset[uuid.UUID] = frozenset()
    if "officer" in actor.roles:
        rows = session.scalars(
            select(Post.organisation_id)
            .where(Post.subdistrict_id == tenant_of(session), Post.person_id == actor.person_id)
            .where(Post.starts_at <= at, or_(Post.ends_at.is_(None), Post.ends_at > at))
            .where(Post.organisation_id.is_not(None))
        )
        units = frozenset(row for row in rows if row)
    streets: frozenset[uuid.UUID] = frozenset()
    if actor.roles & OF_STREETS:
        values = {"here": tenant_of(session), "at": at, "segments": None}
        asked = values | {"person": actor.person_id, "of": sorted(OF_STREETS)}
        streets = frozenset(session.scalars(OWN_STREETS, asked))
    return Scope(actor.person_id, bool(actor.roles & SEES_ALL), units, streets)


def parts_in(case: Case, actor: Actor, scope: Scope, helpers: set[uuid.UUID]) -> frozenset[str]:
    """The parts that this person plays in this case."""
    inside = case.unit_id in scope.units or bool(helpers & scope.units)
    own = case.segment_id in scope.streets
    roles = actor.roles if own else actor.roles - OF_STREETS
    return workflow.parts_of(roles, in_unit=inside, chief_roles=CHIEFS)


def visible(scope: Scope) -> ColumnElement[bool]:
    """Out of reach is not there."""
    if scope.all:
        return literal(True)
    helped = select(CaseHelper.case_id).where(
        CaseHelper.subdistrict_id == Case.subdistrict_id, CaseHelper.unit_id.in_(scope.units)
    )
    mine = [Case.unit_id.in_(scope.units), Case.id.in_(helped)] if scope.units else []
    if scope.streets:
        mine.append(Case.segment_id.in_(scope.streets))
    return or_(literal(False), *mine)


def in_reach(session: Session, case_id: uuid.UUID, scope: Scope) -> bool:
    found = session.scalar(
        select(Case.id).where(
            Case.subdistrict_id == tenant_of(session), Case.id == case_id, visible(scope)
        )
    )
    return found is not None


def wanted(session: Session, given: Filter, scope: Scope, *, at: datetime) -> Select[Any]:
    """The cases of a filter, unordered."""
    query = select(Case).where(Case.subdistrict_id == tenant_of(session), visible(scope))
    if not given.asked:  # whoever looks for something looks on all shelves
        query = query.where(tab(given.tab, scope, at))
    for column, value in (
        (Case.unit_id, given.unit),
        (Case.category, given.category),
        (Case.state, given.state),
        (Case.segment_id, given.segment),
    ):
        if value is not None:
            query = query.where(column == value)
    if given.asked:
        query = query.where(Case.id.in_(_search(session, given.asked)))
    return query


def tab(name: str, scope: Scope, at: datetime) -> ColumnElement[bool]:
    """A shelf of the queue as a condition; all but `closed` are of running cases."""
    live = Case.ended_at.is_(None)
    evening = clock.local(at).replace(hour=23, minute=59, second=59, microsecond=0)
    shelves: dict[str, ColumnElement[bool]] = {
        "mine": and_(
            live,
            or_(
                Case.holder_id == scope.person_id,
                and_(Case.unit_id.in_(scope.units), Case.state.in_(("assigned", "reopened"))),
            ),
        ),
        "new": and_(live, Case.state.in_(("reported", "verifying"))),
        # As the lights of the list and the map say it: red or black, whoever has it.
        "overdue": and_(live, Case.due_at < at, Case.paused_at.is_(None)),
        "today": and_(live, Case.due_at >= at, Case.due_at <= evening, Case.paused_at.is_(None)),
        "check": and_(live, Case.state.in_(("submitted", "checking"))),
        "no_unit": and_(live, Case.state == "open", Case.unit_id.is_(None)),
        "paused": and_(live, Case.paused_at.is_not(None)),
        "closed": Case.ended_at.is_not(None),
    }
    return shelves.get(name, live)


def page(
    session: Session, given: Filter, scope: Scope, *, at: datetime, number: int, size: int
) -> tuple[list[Row], int]:
    """The rows of one page and how many there are in all (counted up to COUNTED)."""
    query = wanted(session, given, scope, at=at)
    total = session.scalar(
        select(func.count()).select_from(query.with_only_columns(Case.id).limit(COUNTED).subquery())
    )
    order = (Case.ended_at.desc(), Case.id) if given.tab == "closed" else (Case.due_at, Case.id)
    chosen = query.order_by(*order).limit(size).offset((number - 1) * size).subquery()
    one = aliased(Case, chosen)
    rows = session.execute(
        select(one, Organisation.name, Person.name, Storefront.name)
        .outerjoin(
            Organisation,
            and_(Organisation.subdistrict_id == one.subdistrict_id, Organisation.id == one.unit_id),
        )
        .outerjoin(
            Person, and_(Person.subdistrict_id == one.subdistrict_id, Person.id == one.holder_id)
        )
        .outerjoin(
            Storefront,
            and_(
                Storefront.subdistrict_id == one.subdistrict_id, Storefront.id == one.storefront_id
            ),
        )
        .order_by(one.ended_at.desc() if given.tab == "closed" else one.due_at, one.id)
    )
    return [Row(row[0], row[1], row[2], row[3], light(row[0], at)) for row in rows], total or 0


def counts(session: Session, scope: Scope, *, at: datetime) -> dict[str, int]:
    """How many stand on each shelf, in one query, each counted up to COUNTED."""
    here = tenant_of(session)
    no_compiling(session)
    columns = []
    for name in TABS[:-1]:
        some = (
            select(Case.id)
            .where(Case.subdistrict_id == here, visible(scope), tab(name, scope, at))
            .limit(COUNTED)
            .subquery()
        )
        columns.append(select(func.count()).select_from(some).scalar_subquery().label(name))
    row = session.execute(select(*columns)).one()
    return dict(row._mapping)


def no_compiling(session: Session) -> None:
    """These plans are short to run: compiling them first takes longer than the answer."""
    session.execute(text("SET LOCAL jit = off"))


def light(case: Case, at: datetime) -> str:
    """The light of a case as lists show it."""
    if case.ended_at is not None:
        return "done"
    if case.state == "notified_merchant" and case.merchant_due_at:
        return "red" if at > case.merchant_due_at else "paused"
    if case.paused_at is not None:
        return "paused"
    if case.due_at is None or case.yellow_at is None or case.black_at is None:
        return "none"
    return deadlines.lit(case.yellow_at, case.due_at, case.black_at, at)


def views_of(session: Session, person_id: uuid.UUID) -> list[SavedView]:
    return list(
        session.scalars(
            select(SavedView)
            .where(SavedView.subdistrict_id == tenant_of(session))
            .where(SavedView.person_id == person_id)
            .order_by(SavedView.name)
        )
    )


def read_filter(given: dict[str, str]) -> Filter:
    """From an address or a saved view; anything odd is left out."""
    asked_tab = given.get("tab", "")
    category, state = given.get("category", ""), given.get("state", "")
    return Filter(
        tab=asked_tab if asked_tab in TABS else "open",
        unit=_id(given.get("unit")),
        category=category if category in categories.known() else None,
        state=state if state in moves.STATES else None,
        segment=_id(given.get("segment")),
        asked=clean(given.get("q", given.get("asked", "")))[:60],
    )


def overdue(session: Session, *, at: datetime, most: int = 10_000) -> list[Case]:
    """Running cases past their time, the oldest first; paused ones are not among them."""
    rows = session.scalars(
        select(Case)
        .where(Case.subdistrict_id == tenant_of(session), Case.ended_at.is_(None))
        .where(Case.due_at < at, Case.paused_at.is_(None), Case.due_at > at - timedelta(days=3650))
        .order_by(Case.due_at)
        .limit(most)
    )
    return list(rows)


def _search(session: Session, asked: str) -> Select[Any]:
    escaped = asked.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    found = text("SELECT search_cases(:tenant, :wanted, :likeness, :most) AS id").bindparams(
        tenant=tenant_of(session),
        wanted=pieces(asked),
        likeness=f"%{escaped}%",
        most=MOST_FOUND,
    )
    return select(found.columns(Case.id).subquery().c.id)


def _id(given: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(given or "")
    except ValueError:
        return None
