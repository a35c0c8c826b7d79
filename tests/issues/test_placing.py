"""Words lead to a shop, to a place near it, or nowhere; and an officer gives a case its place."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from roadchief.errors import BadInput
from roadchief.issues import placing, spots
from roadchief.issues.refusals import NotNow
from tests import makers
from tests.issues import ground
from tests.issues.ground import CENTRE, TUESDAY, World

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(session: Session) -> World:
    return ground.build(session)


@pytest.mark.parametrize(
    ("after", "shop"),
    [("", True), ("门口", True), ("门前", True), ("的店门口", True), ("对面", False)],
    ids=["plain", "door", "front", "its-door", "opposite"],
)  # fmt: skip
def test_words_lead_to_the_shop_or_to_its_spot_of_the_street(
    session: Session, world: World, after: str, shop: bool
) -> None:
    spot = placing.by_words(session, f" {world.shop.address}{after}", at=TUESDAY)
    assert spot.segment_id == world.segment.id
    assert spot.point == world.shop.door
    assert (spot.storefront_id == world.shop.id) is shop
    if not shop:
        assert spot.address.endswith(after)
        assert spot.tenancy_id is None


def test_another_number_is_another_place(session: Session, world: World) -> None:
    for said in (f"{world.shop.address}-7", f"{world.shop.address}甲", "没有的路1号", "路"):
        assert placing.by_words(session, said, at=TUESDAY).point is None, said
    longer = makers.make_storefront(
        session, world.segment, address=f"{world.shop.address}-7", house_number="7"
    )
    spot = placing.by_words(session, f"{world.shop.address}-7门口", at=TUESDAY)
    assert spot.storefront_id == longer.id
    world.shop.human_number = "WF-LSL-0527-1"
    session.flush()
    assert placing.by_words(session, "wf-lsl-0527-1", at=TUESDAY).storefront_id == world.shop.id


def test_a_case_told_in_words_is_given_its_place(session: Session, world: World) -> None:
    lost = spots.nowhere("菜场后门的垃圾桶")
    case = ground.file_case(session, world, category="BJ10", spot=lost)
    assert case.place is None
    with pytest.raises(BadInput):
        placing.relocate(session, case, who=CENTRE, spot=lost, at=TUESDAY + MINUTE)
    spot = placing.spot_of_form(
        session, lon=world.shop.door.x, lat=world.shop.door.y, said="", at=TUESDAY
    )
    step = placing.relocate(session, case, who=CENTRE, spot=spot, at=TUESDAY + MINUTE)
    assert (case.segment_id, case.storefront_id) == (world.segment.id, world.shop.id)
    assert step.data["from"] == "菜场后门的垃圾桶"
    assert case.address == step.data["to"]


def test_a_new_place_is_routed_anew_while_nobody_has_taken_it_up(
    session: Session, world: World
) -> None:
    case = ground.opened(session, world, category="ZX08")
    assert case.unit_id == world.squad.id
    case.unit_id = world.green.id
    spot = spots.of_storefront(session, world.shop.id, at=TUESDAY)
    placing.relocate(session, case, who=CENTRE, spot=spot, at=TUESDAY + MINUTE)
    assert case.unit_id == world.squad.id
    told = ground.opened(session, world, category="ZX02")
    assert told.state == "notified_merchant"
    with pytest.raises(NotNow):
        placing.relocate(session, told, who=CENTRE, spot=spot, at=TUESDAY + MINUTE)
