"""Who may see which cases. One rule for list, page, map, export, statistics and merging.

Some see everything here. The others see what their unit has or helps with, what lies on the
streets that they answer for, and, who patrols, what lies on the beat of today and of the last
weeks and what they raised themselves. Everything else is not there for them.
"""

import uuid
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, TextClause, false, literal, or_, select, text
from sqlalchemy.orm import Session

from roadchief.accounts.access import CHIEFS, Actor
from roadchief.accounts.models import Post
from roadchief.db import tenant_of
from roadchief.issues import cases, workflow
from roadchief.issues.models import Case
from roadchief.issues.refusals import NoSuchCase
from roadchief.streets.charge import REACHED

# Chiefs of everything; the others answer for their own streets, and nothing else is there for them.
OVERALL = frozenset({"chief_general", "chief_l1"})
SEES_ALL = OVERALL | {"admin", "operator", "auditor"}
OF_STREETS = (CHIEFS | {"segment_chief"}) - OVERALL
LATELY = timedelta(days=30)  # [D] so long after a beat was given up its cases are still there
AHEAD = timedelta(days=1)  # the beat of a shift that is about to begin
OWN_STREETS = text(
    REACHED
    + "SELECT DISTINCT segment_id FROM reached WHERE person_id = :person AND role = ANY(:of)"
)
# Segments that a person's post as a patroller had at any time since.
BEATS = text(
    """
SELECT DISTINCT g.id FROM post p
JOIN assignment a ON a.subdistrict_id = p.subdistrict_id AND a.post_id = p.id
JOIN road_segment g ON g.subdistrict_id = p.subdistrict_id
  AND (g.id = a.segment_id OR g.road_id = a.road_id OR g.block_id = a.block_id)
WHERE p.subdistrict_id = :here AND p.person_id = :person AND p.role = 'patroller'
  AND p.starts_at <= :at AND (p.ends_at IS NULL OR p.ends_at > :since)
  AND a.starts_at <= :at AND (a.ends_at IS NULL OR a.ends_at > :since)
"""
)
UNITS = "{c}.unit_id = ANY(CAST(:units AS uuid[]))"
HELPED = """{c}.id IN (SELECT h.case_id FROM case_helper h WHERE h.subdistrict_id = :here
  AND h.unit_id = ANY(CAST(:units AS uuid[])))"""
STREETS = "{c}.segment_id = ANY(CAST(:streets AS uuid[]))"
RAISED = """{c}.id IN (SELECT t.case_id FROM case_step t WHERE t.subdistrict_id = :here
  AND t.by = :raiser AND t.verb IN ('report', 'seen_again'))"""

# (session, person, since, until) → segments that were in this person's shifts, wired by the app.
walked: list[Callable[[Session, uuid.UUID, datetime, datetime], Collection[uuid.UUID]]] = []


@dataclass(frozen=True)
class Scope:
    """What a person may see: everything here, or what own units have and own streets hold."""

    person_id: uuid.UUID
    all: bool
    units: frozenset[uuid.UUID] = frozenset()
    streets: frozenset[uuid.UUID] = frozenset()  # answered for
    beats: frozenset[uuid.UUID] = frozenset()  # patrolled, now or lately
    raised: bool = False  # and what this person raised


@dataclass(frozen=True)
class Condition:
    """A scope as SQL about `c`, with its values. `here` is a value of whoever asks."""

    sql: str
    values: dict[str, Any] = field(default_factory=dict)


EVERYTHING = Condition("true")


def scope_of(session: Session, actor: Actor, *, at: datetime) -> Scope:
    """The units of a person's running posts, the streets answered for now, the beats walked."""
    everything = bool(actor.roles & SEES_ALL)
    patrols = "patroller" in actor.roles and not everything
    return Scope(
        actor.person_id,
        everything,
        _units(session, actor, at) if "officer" in actor.roles else frozenset(),
        _streets(session, actor, at) if actor.roles & OF_STREETS else frozenset(),
        _beats(session, actor.person_id, at) if patrols else frozenset(),
        patrols,
    )


def condition(scope: Scope, c: str) -> Condition:
    """The same for queries written as text; only what this person has is asked about."""
    if scope.all:
        return EVERYTHING
    parts: list[str] = []
    values: dict[str, Any] = {}
    if scope.units:
        parts += [UNITS, HELPED]
        values["units"] = sorted(scope.units)
    if scope.streets or scope.beats:
        parts.append(STREETS)
        values["streets"] = sorted(scope.streets | scope.beats)
    if scope.raised:
        parts.append(RAISED)
        values["raiser"] = scope.person_id
    if not parts:
        return Condition("false")
    return Condition("(" + " OR ".join(part.format(c=c) for part in parts) + ")", values)


def visible(session: Session, scope: Scope) -> ColumnElement[bool] | TextClause:
    """Out of reach is not there."""
    if scope.all:
        return literal(True)
    asked = condition(scope, "case_file")
    if asked.sql == "false":
        return or_(false(), literal(False))
    here = {"here": tenant_of(session)} if ":here" in asked.sql else {}
    return text(asked.sql).bindparams(**asked.values, **here)


def in_reach(session: Session, case_id: uuid.UUID, scope: Scope) -> bool:
    return case_id in among(session, [case_id], scope)


def among(session: Session, case_ids: Iterable[uuid.UUID], scope: Scope) -> set[uuid.UUID]:
    """Those of some cases that this person may see."""
    found = select(Case.id).where(
        Case.subdistrict_id == tenant_of(session),
        Case.id.in_(list(case_ids)),
        visible(session, scope),
    )
    return set(session.scalars(found))


def case_of(session: Session, case_id: uuid.UUID, scope: Scope) -> Case:
    """The case, or nothing at all."""
    if not in_reach(session, case_id, scope):
        raise NoSuchCase
    return cases.find(session, case_id)


def parts_in(case: Case, actor: Actor, scope: Scope, helpers: set[uuid.UUID]) -> frozenset[str]:
    """The parts that this person plays in this case. Walking a street gives no chief's power."""
    inside = case.unit_id in scope.units or bool(helpers & scope.units)
    own = case.segment_id in scope.streets
    roles = actor.roles if own else actor.roles - OF_STREETS
    return workflow.parts_of(roles, in_unit=inside, chief_roles=CHIEFS)


def _units(session: Session, actor: Actor, at: datetime) -> frozenset[uuid.UUID]:
    rows = session.scalars(
        select(Post.organisation_id)
        .where(Post.subdistrict_id == tenant_of(session), Post.person_id == actor.person_id)
        .where(Post.starts_at <= at, or_(Post.ends_at.is_(None), Post.ends_at > at))
        .where(Post.organisation_id.is_not(None))
    )
    return frozenset(row for row in rows if row)


def _streets(session: Session, actor: Actor, at: datetime) -> frozenset[uuid.UUID]:
    values = {"here": tenant_of(session), "at": at, "segments": None}
    asked = values | {"person": actor.person_id, "of": sorted(OF_STREETS)}
    return frozenset(session.scalars(OWN_STREETS, asked))


def _beats(session: Session, person_id: uuid.UUID, at: datetime) -> frozenset[uuid.UUID]:
    since = at - LATELY
    values = {"here": tenant_of(session), "person": person_id, "at": at, "since": since}
    found = set(session.scalars(BEATS, values))
    for ask in walked:
        found |= set(ask(session, person_id, since, at + AHEAD))
    return frozenset(found)
