"""Taking a list in: people invited, posts given, streets put in charge. Verbs never commit."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from roadchief.accounts import people
from roadchief.accounts.models import Person, Post
from roadchief.streets import chiefs
from roadchief.streets.appointments.lines import Line, level_of
from roadchief.streets.appointments.planning import Plan, plan


@dataclass(frozen=True)
class Taken:
    """What became of a line; `token` opens the invitation of whom it invited."""

    plan: Plan
    token: str | None = None


def take(
    session: Session, lines: Sequence[Line], *, by: uuid.UUID | None, at: datetime
) -> list[Taken]:
    """Weighs the lines again and does what they come to; refused ones change nothing. Taken
    twice, the second time finds everything there."""
    made: dict[str, Person] = {}
    given: dict[object, Post] = {}
    taken = []
    for one in plan(session, lines, at=at):
        token = None
        if one.trouble is None:
            if one.invites:
                invited = people.invite(
                    session,
                    name=one.line.name,
                    login=one.login,
                    email=one.line.email or None,
                    phone=one.line.phone or None,
                    by=by,
                    at=at,
                )
                made[one.key], token = invited.person, invited.token
            person = one.person or made[one.key]
            if one.appoints:
                given[one.post_key] = _appoint(session, one, person, by=by, at=at)
            post = one.post or given[one.post_key]
            for place in one.to_charge:
                chiefs.appoint_chief(session, post, to=place, by=by, at=at)
        taken.append(Taken(one, token))
    return taken


def _appoint(
    session: Session, one: Plan, person: Person, *, by: uuid.UUID | None, at: datetime
) -> Post:
    return people.appoint(
        session,
        person,
        role=one.role,
        capacity=one.capacity,
        title=one.title,
        level=level_of(one.role),
        organisation_id=one.organisation.id if one.organisation else None,
        by=by,
        at=at,
    )
