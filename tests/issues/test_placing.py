"""Words lead to a shop, to a place near it, or nowhere; and an officer gives a case its place."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.accounts.notice_models import Notice
from roadchief.errors import BadInput
from roadchief.issues import clocks, handling, opening, placing, spots, story, telling
from roadchief.issues.mail import messages
from roadchief.issues.merchants import views
from roadchief.issues.refusals import NotNow
from roadchief.streets import shopkeepers
from tests import makers
from tests.issues import ground
from tests.issues.ground import CENTRE, CHIEF, TUESDAY, World

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


def told_of(session: Session) -> list[tuple[str, uuid.UUID | None]]:
    rows = session.execute(select(Notice.kind, Notice.to).order_by(Notice.at, Notice.id))
    return [(row.kind, row.to) for row in rows if row.kind.startswith("issues.merchant")]


def test_a_merchant_told_of_a_wrong_door_is_let_go_and_the_right_one_is_told(
    session: Session, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "senders", [messages.send])
    second = ground.build_second(session, world)
    (neighbour,) = shopkeepers.keepers_of(session, second.storefront_id)
    case = ground.opened(session, world, category="ZX02")
    first_due, later = case.merchant_due_at, TUESDAY + 30 * MINUTE
    placing.relocate(session, case, who=CENTRE, spot=second, at=later, words="看错了门牌")
    assert (case.state, case.storefront_id) == ("notified_merchant", second.storefront_id)
    assert case.merchant_due_at > first_due  # the whole time, from now
    assert told_of(session) == [
        ("issues.merchant", world.keeper),
        ("issues.merchant_let_go", world.keeper),
        ("issues.merchant", neighbour),  # within the hour, but another shop: it rings
    ]
    (gone,) = session.scalars(select(Notice).where(Notice.kind == "issues.merchant_let_go"))
    assert world.shop.address in str(gone.words)
    assert second.address not in str(gone.words)
    # The unit's clock stood all the while, in two spans that meet.
    spans = clocks.pauses_of(session, case)
    assert [(row.kind, row.begins_at, row.ends_at) for row in spans] == [
        ("merchant", TUESDAY, later),
        ("merchant", later, None),
    ]
    steps = [step.verb for step, _name in story.steps_of(session, case)]
    assert steps == ["report", "open", "notify", "relocate", "let_go", "notify"]
    assert [line.verb for line in story.for_merchant(session, case)] == ["notify"]
    assert views._cases(session, [world.tenancy.id]) == []
    assert views._cases(session, [case.tenancy_id]) == [case]


def test_the_same_shop_keeps_its_time_and_is_not_told_again(
    session: Session, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "senders", [messages.send])
    case = ground.opened(session, world, category="ZX02")
    due = case.merchant_due_at
    spot = replace(spots.of_storefront(session, world.shop.id, at=TUESDAY), lat=31.22911)
    placing.relocate(session, case, who=CENTRE, spot=spot, at=TUESDAY + 30 * MINUTE)
    assert (case.state, case.merchant_due_at, case.place.y) == ("notified_merchant", due, 31.22911)
    assert len(told_of(session)) == 1


def test_a_place_without_a_merchant_goes_to_the_unit(session: Session, world: World) -> None:
    case = ground.opened(session, world, category="ZX02")
    spot = spots.of_point(session, lon=121.5189, lat=31.2287, at=TUESDAY)
    assert spot.storefront_id is None
    placing.relocate(session, case, who=CHIEF, spot=spot, at=TUESDAY + MINUTE)
    assert (case.state, case.merchant_due_at) == ("assigned", None)
    assert case.unit_id is not None


def test_what_the_first_merchant_said_is_not_read_by_the_second(
    session: Session, world: World
) -> None:
    second = ground.build_second(session, world)
    case = ground.opened(session, world, category="ZX02")
    words = "不是我家的，是隔壁老王"
    handling.object_to(session, case, who=world.shopkeeper, at=TUESDAY + MINUTE, words=words)
    placing.relocate(session, case, who=CENTRE, spot=second, at=TUESDAY + 2 * MINUTE)
    assert views._cases(session, [second.tenancy_id]) == []  # nobody has told them yet
    opening.notify(session, case, who=CENTRE, at=TUESDAY + 3 * MINUTE)
    assert views._cases(session, [second.tenancy_id]) == [case]
    assert [line.words for line in story.for_merchant(session, case)] == [""]
    assert words in [line.words for line in story.for_desk(session, case)]


def test_who_has_it_in_hand_keeps_it_and_a_unit_moves_nothing_from_a_merchant(
    session: Session, world: World
) -> None:
    second = ground.build_second(session, world)
    case = ground.opened(session, world, category="ZX08")
    handling.accept(session, case, who=world.unit, at=TUESDAY + MINUTE)
    placing.relocate(session, case, who=world.unit, spot=second, at=TUESDAY + 2 * MINUTE)
    assert (case.state, case.holder_id) == ("in_progress", world.officer)
    assert case.storefront_id == second.storefront_id
    told = ground.opened(session, world, category="ZX02")
    with pytest.raises(NotNow):
        placing.relocate(session, told, who=world.unit, spot=second, at=TUESDAY + MINUTE)
    photo = ground.make_photo(session, 7)
    handling.fix(session, told, who=world.shopkeeper, at=TUESDAY + MINUTE, photo_ids=(photo,))
    with pytest.raises(NotNow):  # what was handed in is looked at where it was done
        placing.relocate(session, told, who=CENTRE, spot=second, at=TUESDAY + 2 * MINUTE)
