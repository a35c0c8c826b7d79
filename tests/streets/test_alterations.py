"""Storefronts split, merged, moved and refronted: what follows, what stays, what is refused."""

import uuid
from datetime import timedelta

import pytest
import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.errors import BadInput, RuleBroken, WrongState
from roadchief.lib import geo
from roadchief.streets import alterations, duty_zones, new_doors, storefronts, tenancies
from roadchief.streets.models import RoadSegment, Storefront, StorefrontSuccession, Tenancy
from tests import makers
from tests.streets import ground

AT = makers.NOON + timedelta(hours=1)
STREET = ground.line((0, 0), (0, 200))
BY = uuid.UUID(int=7)


@pytest.fixture
def street(session: Session) -> RoadSegment:
    makers.make_subdistrict(session, area=None)
    return makers.make_segment(session, line=STREET, kerb_m=6.0)


def shop(session: Session, number: int, *, north_m: float, east_m: float = -12) -> Storefront:
    door = storefronts.Door(ground.door(east_m, north_m), f"{number}号", f"崂山路{number}号")
    on = storefronts.ground(session)
    return storefronts.open_storefronts(session, [door], on, by=None, at=AT)[0]


def zone_m2(row: Storefront) -> float:
    return float(ground.metres(row.duty_zone).area)


def overlap_m2(rows: list[Storefront]) -> float:
    zones = [ground.metres(row.duty_zone) for row in rows]
    return sum(
        one.intersection(other).area for at, one in enumerate(zones) for other in zones[at + 1 :]
    )


def names(session: Session, subject: uuid.UUID) -> set[str]:
    session.flush()
    wanted = select(events.Event.name).where(events.Event.subject_id == subject)
    return set(session.scalars(wanted))


def test_one_becomes_three_side_by_side(session: Session, street: RoadSegment) -> None:
    before = shop(session, 527, north_m=100)
    merchant = tenancies.open_merchant(session, name="甲")
    tenancies.start(session, before, merchant, sign_name="甲店", on=AT.date(), by=None, at=AT)
    on = storefronts.ground(session)
    doors = new_doors.parts(before, on, ["527号-1", "527号-2", "527号-3"])
    rows = alterations.split_storefront(session, before, doors, by=BY, at=AT, because="隔断")
    assert [row.address for row in rows] == [f"崂山路527号-{n}" for n in (1, 2, 3)]
    assert len({row.human_number for row in [before, *rows]}) == 4
    assert [round(geo.length_m(row.frontage)) for row in rows] == [2, 2, 2]
    assert overlap_m2(rows) < 0.1
    assert before.closed_at == AT
    assert session.scalars(select(Tenancy.ends_on)).all() == [AT.date()]
    after = session.scalars(select(StorefrontSuccession.after_id)).all()
    assert set(after) == {row.id for row in rows}
    assert "streets.storefront_split" in names(session, before.id)


def test_two_become_one_over_both_fronts(session: Session, street: RoadSegment) -> None:
    pair = [shop(session, 527, north_m=100), shop(session, 529, north_m=106)]
    door = new_doors.whole(pair, storefronts.ground(session), "527–529号")
    merged = alterations.merge_storefronts(session, pair, door, by=BY, at=AT, because="打通")
    assert geo.length_m(merged.frontage) == pytest.approx(12, abs=0.2)
    assert merged.measure_m == pytest.approx(103, abs=0.5)
    assert merged.human_number.startswith("WF-LSL-0527-")
    assert all(row.closed_at == AT for row in pair)


def test_what_is_not_side_by_side_is_not_merged(session: Session, street: RoadSegment) -> None:
    across = [shop(session, 527, north_m=100), shop(session, 528, north_m=100, east_m=12)]
    with pytest.raises(new_doors.NotSideBySide):
        new_doors.whole(across, storefronts.ground(session), "527号")
    session.refresh(street)
    far = [across[0], shop(session, 1, north_m=0.5)]
    far[1].frontage = ground.line((-12, -150), (-12, -144))
    with pytest.raises(new_doors.BadFront):
        new_doors.whole(far, storefronts.ground(session), "527号")


def test_a_closed_shop_is_not_split_again(session: Session, street: RoadSegment) -> None:
    before = shop(session, 527, north_m=100)
    doors = new_doors.parts(before, storefronts.ground(session), ["527号-1", "527号-2"])
    alterations.split_storefront(session, before, doors, by=BY, at=AT, because="隔断")
    with pytest.raises(WrongState):
        alterations.split_storefront(session, before, doors, by=BY, at=AT, because="隔断")
    with pytest.raises(BadInput):
        alterations.split_storefront(session, before, doors[:1], by=BY, at=AT, because="隔断")


def test_neighbours_take_the_room_of_one_that_closes(session: Session, street: RoadSegment) -> None:
    left, middle, right = (
        shop(session, n, north_m=north) for n, north in ((525, 94), (527, 100), (529, 106))
    )
    narrow = zone_m2(left)
    storefronts.close_storefront(session, middle, by=BY, at=AT, because="拆除")
    assert zone_m2(left) > narrow + 10
    assert overlap_m2([left, right]) < 0.1


def test_a_neighbour_of_the_neighbour_still_counts(session: Session, street: RoadSegment) -> None:
    """58 m from the new door and 2 m beside a third one: its zone must not grow over that."""
    far, third = shop(session, 501, north_m=158), shop(session, 499, north_m=164)
    new = shop(session, 527, north_m=100)
    assert overlap_m2([far, third, new]) < 0.1


def test_a_moved_door_takes_its_zone_along_and_keeps_its_number(
    session: Session, street: RoadSegment
) -> None:
    row = shop(session, 527, north_m=100)
    number, zone = row.human_number, row.duty_zone
    alterations.move_door(
        session, row, ground.door(12, 60), datum="gcj02", by=BY, at=AT, because="量错"
    )
    assert (row.human_number, row.side, row.source_datum) == (number, "right", "gcj02")
    assert row.measure_m == pytest.approx(60, abs=0.5)
    assert not row.duty_zone.intersects(zone)
    assert ground.metres(row.frontage).centroid.x == pytest.approx(12, abs=0.1)
    assert "streets.storefront_moved" in names(session, row.id)


def test_a_door_does_not_move_to_the_next_quarter(session: Session, street: RoadSegment) -> None:
    row = shop(session, 527, north_m=10)
    with pytest.raises(alterations.TooFarAway):
        alterations.move_door(
            session, row, ground.door(-12, 400), datum="wgs84", by=BY, at=AT, because="量错"
        )


def refront(session: Session, row: Storefront, **given: object) -> Storefront:
    values = {"front": None, "width_m": None, "side": None} | given
    return alterations.refront(session, row, by=BY, at=AT, because="量错", **values)  # type: ignore[arg-type]


def test_a_wider_front_makes_a_wider_zone(session: Session, street: RoadSegment) -> None:
    row, beside = shop(session, 527, north_m=100), shop(session, 529, north_m=112)
    before = zone_m2(row)
    refront(session, row, width_m=9.0)
    assert geo.length_m(row.frontage) == pytest.approx(9, abs=0.1)
    assert zone_m2(row) > before
    assert overlap_m2([row, beside]) < 0.1


def test_a_zone_drawn_by_hand_stays_when_the_front_changes(
    session: Session, street: RoadSegment
) -> None:
    row = shop(session, 527, north_m=100)
    drawn = geo.Plane.around(row.door).round(shapely.box(-3, -3, 3, 3))
    duty_zones.redraw(session, row, drawn, by=BY, at=AT)
    refront(session, row, width_m=9.0)
    assert row.duty_zone.equals(drawn)
    computed = zone_m2(row)
    duty_zones.reset(session, row, by=BY, at=AT)
    assert not row.duty_zone_drawn
    assert zone_m2(row) != pytest.approx(computed)
    assert {"streets.duty_zone_redrawn", "streets.duty_zone_reset"} <= names(session, row.id)


@pytest.mark.parametrize(
    "given",
    [
        {"width_m": 0.1},
        {"width_m": 500.0},
        {"front": ground.line((-12, 500), (-12, 506))},
        {"front": ground.line((-12, 98), (-12, 102), (-13, 100), (-11, 100))},
    ],
)
def test_odd_fronts_are_refused(
    session: Session, street: RoadSegment, given: dict[str, object]
) -> None:
    row = shop(session, 527, north_m=100)
    with pytest.raises(RuleBroken):
        refront(session, row, **given)


def test_a_side_may_be_set_right(session: Session, street: RoadSegment) -> None:
    row = shop(session, 527, north_m=100)
    assert refront(session, row, side="right").side == "right"


def test_a_corrected_address_is_found_and_keeps_its_number(
    session: Session, street: RoadSegment
) -> None:
    row = shop(session, 527, north_m=100)
    number = row.human_number
    alterations.correct(
        session,
        row,
        house_number="572号",
        address="崂山路572号",
        business_type="早点",
        by=BY,
        at=AT,
    )
    assert row.human_number == number
    assert "57" in row.pieces
    assert "streets.storefront_corrected" in names(session, row.id)


@pytest.mark.parametrize(
    ("address", "follows"),
    [(None, "崂山路572号"), ("崂山路572号甲", "崂山路572号甲")],
)
def test_an_address_that_was_left_alone_goes_along_with_its_number(
    session: Session, street: RoadSegment, address: str | None, follows: str
) -> None:
    row = shop(session, 527, north_m=100)
    given = address or row.address
    alterations.correct(
        session, row, house_number="572号", address=given, business_type=None, by=BY, at=AT
    )
    assert row.address == follows


def test_human_numbers_are_counted_on_past_many(session: Session, street: RoadSegment) -> None:
    numbers = [shop(session, 527, north_m=100).human_number for _ in range(23)]
    assert numbers == [f"WF-LSL-0527-{copy}" for copy in range(1, 24)]
