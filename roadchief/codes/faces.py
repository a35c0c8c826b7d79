"""Five faces of one address: who looks decides what a scan shows (domain.md §4.4).

The citizen's face is the allow-list of that section. Packages above add their lines to a face
with `contribute`; they are asked in the order in which they were wired.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.accounts.access import Actor, may
from roadchief.accounts.models import Person
from roadchief.codes.models import PlateEvent
from roadchief.codes.scans import Seen
from roadchief.db import tenant_of
from roadchief.streets import catalog, shopkeepers
from roadchief.streets.models import Storefront, StorefrontSuccession

AUDIENCES: dict[str, tuple[str, str]] = {
    "citizen": ("市民", "citizen"),
    "merchant": ("本店商户", "merchant of this shop"),
    "patroller": ("巡查", "patrol"),
    "chief": ("路长", "road chief"),
    "department": ("部门", "department"),
}


@dataclass(frozen=True)
class Line:
    """One line of a face; with an address it is a link."""

    text: str
    href: str | None = None
    note: str = ""
    state: str = ""  # ok, due, late, none: colour and shape


@dataclass(frozen=True)
class Part:
    """What a package above adds to a face."""

    title: str
    lines: list[Line] = field(default_factory=list)
    icon: str = "list-check"


Contributor = Callable[[Session, Seen, str, Actor | None, datetime], Part | None]
_contributors: list[Contributor] = []


def contribute(part: Contributor) -> Contributor:
    """Add a package's part to the faces; wiring calls this once. It may answer None."""
    if part not in _contributors:
        _contributors.append(part)
    return part


def parts(
    session: Session, seen: Seen, audience: str, actor: Actor | None, *, at: datetime
) -> list[Part]:
    found = (part(session, seen, audience, actor, at) for part in _contributors)
    return [one for one in found if one is not None]


def audience(session: Session, seen: Seen, actor: Actor | None) -> str:
    """Only rights held here and now count; everybody else is a citizen."""
    if actor is None or actor.subdistrict_id != tenant_of(session):
        return "citizen"
    for action, name in (
        ("codes.history", "chief"),
        ("codes.mount", "patroller"),
        ("codes.enforce", "department"),
    ):
        if may(actor, action).allowed:
            return name
    if seen.storefront_id and may(actor, "codes.own").allowed:
        own = shopkeepers.runs(session, person_id=actor.person_id, storefront_id=seen.storefront_id)
        return "merchant" if own else "citizen"
    return "citizen"


def chiefs(session: Session, seen: Seen, *, at: datetime) -> list[Any]:
    """Who answers here: names and office phones, official-duty data."""
    if seen.segment_id is None:
        return []
    return catalog.charge(session, at=at, segment_id=seen.segment_id)


def life(session: Session, plate_id: uuid.UUID) -> list[Any]:
    """A plate's steps with the names of who took them, newest first."""
    here = tenant_of(session)
    rows = session.execute(
        select(PlateEvent, Person.name)
        .outerjoin(Person, (Person.subdistrict_id == here) & (Person.id == PlateEvent.by))
        .where(PlateEvent.subdistrict_id == here, PlateEvent.plate_id == plate_id)
        .order_by(PlateEvent.at.desc(), PlateEvent.id.desc())
        .limit(200)
    )
    return list(rows)


def tenancies(session: Session, seen: Seen) -> list[Any]:
    """Who ran the shop, newest first: for the chief's face alone."""
    return catalog.tenancies(session, seen.storefront_id) if seen.storefront_id else []


def successors(session: Session, seen: Seen) -> list[Any]:
    """What took the place of a storefront that was split, merged or closed."""
    here = tenant_of(session)
    rows = session.execute(
        select(Storefront.id, Storefront.address)
        .join(
            StorefrontSuccession,
            (StorefrontSuccession.subdistrict_id == here)
            & (StorefrontSuccession.after_id == Storefront.id),
        )
        .where(Storefront.subdistrict_id == here)
        .where(StorefrontSuccession.before_id == seen.storefront_id)
        .order_by(Storefront.address)
    )
    return list(rows)
