"""A street with three shops, somebody to walk it, and a phone."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import shapely
from sqlalchemy.orm import Session

from roadchief.accounts.access import Actor
from roadchief.lib.geo import Plane
from roadchief.patrol.phone import intake
from roadchief.patrol.plan_models import Shift
from roadchief.patrol.planning import shifts
from roadchief.streets.models import RoadSegment, Storefront
from tests import makers
from tests.patrol.phone import DOOR, Phone, actor

AT = makers.NOON


def front(east_m: float) -> tuple[shapely.Point, shapely.LineString]:
    """Door and eight metres of frontage, so far east of the first door."""
    plane = Plane(lon=DOOR.x, lat=DOOR.y)
    line = shapely.LineString([(east_m - 4, 0), (east_m + 4, 0)])
    return plane.round(shapely.Point(east_m, 0)), plane.round(line)


@dataclass
class Beat:
    """Everything that a patroller of one street needs."""

    session: Session
    segment: RoadSegment
    shops: list[Storefront]
    person_id: uuid.UUID
    actor: Actor
    phone: Phone
    shift: Shift
    at: datetime = AT
    tasks: list[str] = field(default_factory=list)

    def send(self, *items: Any, by: Actor | None = None, at: datetime | None = None) -> list[Any]:
        with self.session.begin_nested():
            return intake.take(self.session, list(items), by=by or self.actor, at=at or self.at)

    def in_shift(self, **given: Any) -> dict[str, Any]:
        return {"shift_id": str(self.shift.id), "nonce": self.shift.nonce} | given


def make_beat(session: Session, *, at: datetime = AT, shops: int = 3) -> Beat:
    makers.make_subdistrict(session)
    segment = makers.make_segment(session)
    rows = []
    for number in range(shops):
        door, line = front(number * 10.0)
        rows.append(
            makers.make_storefront(
                session,
                segment,
                name=f"店{number}",
                door=door,
                frontage=line,
                measure_m=100.0 + 10 * number,
                house_number=f"{527 + 2 * number}号",
                human_number=f"WF-LSL-{527 + 2 * number:04d}-{uuid.uuid4().hex[:4].upper()}",
            )
        )
    person = makers.make_person(session, "陈晓雯")
    makers.make_post(session, person, role="patroller", title="巡查员")
    shift = shifts.plan(
        session,
        person_id=person.id,
        segments=[segment],
        starts_at=at - timedelta(hours=1),
        ends_at=at + timedelta(hours=2),
        by=None,
        at=at - timedelta(days=1),
    )
    return Beat(
        session, segment, rows, person.id, actor(person.id), Phone(person.id, at), shift, at
    )


@pytest.fixture
def beat(session: Session) -> Beat:
    return make_beat(session)


@pytest.fixture
def count(session: Session) -> Callable[[str], int]:
    """Rows of a table of this sub-district."""
    from sqlalchemy import text

    return lambda table: int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
