"""The desk's queue: who sees what, filtered, counted and paged. One function a page."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from roadchief.accounts.models import Person
from roadchief.db import tenant_of
from roadchief.issues import categories, deadlines, moves
from roadchief.issues.models import Case, SavedView
from roadchief.issues.reach import Scope, visible
from roadchief.lib import clock
from roadchief.lib.text import clean, pieces
from roadchief.streets.models import Organisation, Storefront

# Lists are counted up to here: nobody reads "12,431", and counting them all takes a second.
COUNTED = 1000
MOST_FOUND = 500
TABS = ("mine", "new", "overdue", "today", "check", "no_unit", "paused", "open", "closed")


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


def wanted(session: Session, given: Filter, scope: Scope, *, at: datetime) -> Select[Any]:
    """The cases of a filter, unordered."""
    query = select(Case).where(Case.subdistrict_id == tenant_of(session), visible(session, scope))
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
            .where(Case.subdistrict_id == here, visible(session, scope), tab(name, scope, at))
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
