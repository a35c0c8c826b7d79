"""Cases, last visits and coverage as tiles: right numbers, and nobody sees more than they may."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
import shapely
from flask import Flask
from sqlalchemy.orm import Session

from roadchief.accounts.access import Actor
from roadchief.db import Database, new_id, tenant_of
from roadchief.lib import clock
from roadchief.maps import duty_layers, layers, tiles
from roadchief.maps.tiles import Square
from roadchief.patrol.models import CheckIn, PatrolItem
from roadchief.streets.models import RoadSegment, Storefront
from tests import makers
from tests.cast import Cast, sign_in
from tests.issues import ground
from tests.maps.test_tiles import address, words

CODE = 310115004
NEAR = Square.at(16, 54889, 26778)


def visit(
    session: Session,
    shop: Storefront,
    at: datetime,
    outcome: str = "verified",
    shift_id: uuid.UUID | None = None,
    grade: str | None = None,
) -> None:
    """A check-in as intake leaves it."""
    here, id_, person = tenant_of(session), new_id(), uuid.uuid4()
    session.add(
        PatrolItem(
            subdistrict_id=here,
            id=id_,
            kind="check_in",
            body_sha256=b"x",
            person_id=person,
            device_id=uuid.uuid4(),
            seq=1,
            received_at=at,
            answer={},
        )
    )
    session.flush()
    session.add(
        CheckIn(
            subdistrict_id=here,
            id=id_,
            purpose="patrol",
            person_id=person,
            shift_id=shift_id,
            storefront_id=shop.id,
            segment_id=shop.segment_id,
            how="scan",
            occurred_at=at,
            received_at=at,
            device_id=uuid.uuid4(),
            radius_m=50,
            outcome=outcome,
            reason="near",
            rule="1",
            grade=grade,
            photos=0,
        )
    )
    session.flush()


def actor(*roles: str, person: uuid.UUID | None = None) -> Actor:
    return Actor(person or uuid.uuid4(), "x", CODE, frozenset(roles), True)


def drawn(session: Session, name: str, who: Actor, square: Square = NEAR) -> bytes:
    found = layers.named(name)
    return tiles.make(session, found, square, found[0].values(who), at=clock.now())


@pytest.fixture
def street(session: Session) -> tuple[RoadSegment, RoadSegment, list[Storefront]]:
    """Two segments: the first with three shops, seen 3 and 9 days ago and never."""
    makers.make_subdistrict(session)
    first, second = makers.make_segment(session), makers.make_segment(session)
    shops = [
        makers.make_storefront(session, first, door=shapely.Point(121.5187, 31.2290 + n * 1e-4))
        for n in range(3)
    ]
    now = clock.now()
    visit(session, shops[0], now - timedelta(days=3, hours=1))
    visit(session, shops[0], now - timedelta(hours=2), "contradicted")  # counts for nothing
    visit(session, shops[1], now - timedelta(days=9, hours=1))
    return first, second, shops


def test_the_last_visit_that_counts_is_drawn(session: Session, street: Any) -> None:
    body = drawn(session, "check_ins", actor("operator"))
    assert all(str(shop.id).encode() in body for shop in street[2])
    assert values_of(body) >= {3, 9}
    assert 0 not in values_of(body)
    assert 366 not in values_of(body)  # never seen is not seen long ago: it has no days


def test_coverage_counts_by_segment(session: Session, street: Any) -> None:
    body = drawn(session, "coverage", actor("operator"))
    assert str(street[0].id).encode() in body
    assert values_of(body) >= {3, 1}  # three shops, one never seen
    assert words(body) >= {"coverage", "shops", "never", "days"}


def values_of(body: bytes) -> set[int]:
    """Whole numbers among the values of a tile (field 4 of a layer, type int or sint)."""
    from tests.maps.test_tiles import fields

    found = set()
    for number, layer in fields(body):
        for key, value in fields(layer) if number == 3 else ():
            if key == 4 and value[0] in (0x20, 0x28, 0x30):
                found.add(value[1] >> 1 if value[0] == 0x30 else value[1])
    return found


def test_a_chief_sees_the_own_segments(session: Session, street: Any) -> None:
    first, second, shops = street
    for segment, sees in ((first, True), (second, False)):
        person = makers.make_person(session)
        makers.make_assignment(session, makers.make_post(session, person), segment)
        chief = actor("chief_l2", person=person.id)
        assert (str(shops[0].id).encode() in drawn(session, "check_ins", chief)) == sees
        assert (str(first.id).encode() in drawn(session, "coverage", chief)) == sees
        assert (str(second.id).encode() in drawn(session, "coverage", chief)) != sees
    stranger = actor("chief_l2")
    assert drawn(session, "check_ins", stranger) == b""


def test_a_department_sees_the_cases_of_its_units(session: Session) -> None:
    world = ground.build(session)
    at = clock.now() - timedelta(hours=1)
    case = ground.file_case(session, world, at=at)
    case.place, case.unit_id = shapely.Point(121.5187, 31.2291), world.squad.id
    case.due_at = clock.now() - timedelta(minutes=5)
    case.yellow_at, case.black_at = at, clock.now() + timedelta(days=2)
    session.flush()
    for who, sees in (
        (actor("operator"), True),
        (actor("officer", person=world.officer), True),
        (actor("officer"), False),
    ):
        body = drawn(session, "cases", who)
        assert (str(case.id).encode() in body) == sees
        assert (b"red" in body) == sees
        far = drawn(session, "cases", who, Square.at(12, 54889 >> 4, 26778 >> 4))
        assert (b"overdue" in far) == sees
        assert str(case.id).encode() not in far
    for secret in (b"\xe7\xba\xb8\xe7\xae\xb1", "纸箱".encode()):
        assert secret not in drawn(session, "cases", actor("operator"))
    case.state, case.ended_at = "closed", clock.now()
    session.flush()
    assert drawn(session, "cases", actor("operator")) == b""


def test_who_sees_everything_shares_tiles() -> None:
    one, other = (duty_layers.segments_in_reach(actor("operator")) for _ in range(2))
    assert one == other
    chief = duty_layers.segments_in_reach(actor("chief_l2"))
    assert chief != duty_layers.segments_in_reach(actor("chief_l2"))
    assert duty_layers.cases_in_reach(actor("chief_general")) == duty_layers.cases_in_reach(
        actor("operator")
    )
    assert duty_layers.cases_in_reach(actor("chief_l2")) != duty_layers.cases_in_reach(
        actor("operator")
    )


def test_over_the_web_they_ask_their_action(app: Flask, cast: Cast, database: Database) -> None:
    with database.transaction(CODE) as session:
        makers.make_storefront(session, makers.make_segment(session))
    operator, merchant, officer = app.test_client(), app.test_client(), app.test_client()
    sign_in(operator, cast["operator"])
    sign_in(merchant, cast["merchant"])
    sign_in(officer, cast["officer"])
    for layer in ("check_ins", "coverage", "cases"):
        assert app.test_client().get(address(layer)).status_code == 404
        assert merchant.get(address(layer)).status_code == 404
        assert operator.get(address(layer)).status_code in (200, 204)
        assert operator.get(f"/tiles/{layer}.json").status_code == 200
    assert officer.get(address("cases")).status_code == 204
    assert officer.get(address("coverage")).status_code == 404
    known = operator.get("/tiles/cases.json").json["vector_layers"]
    assert [one["id"] for one in known] == ["case_clusters", "cases"]
