"""Doors on segments, fronts and duty zones."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from roadchief.streets import placing, zones
from roadchief.streets.placing import Streets
from tests.streets.ground import HERE, door, line, metres

EAST = line((0, 0), (500, 0))  # 潍坊路, running east
NORTH = line((0, 0), (0, 500))  # 崂山路, running north
STREETS = Streets([EAST, NORTH], ["潍坊路", "崂山路"])


def place(east_m: float, north_m: float, address: str | None = None) -> placing.Placements:
    return STREETS.place(np.array([door(east_m, north_m)]), [address])


@pytest.mark.parametrize(
    ("east_m", "north_m", "segment", "side", "measure_m"),
    [
        (300, 10, 0, "left", 300),
        (300, -10, 0, "right", 300),
        (10, 300, 1, "right", 300),
        (-10, 300, 1, "left", 300),
        (520, 5, 0, "left", 500),
    ],
)
def test_a_door_has_segment_side_and_measure(
    east_m: float, north_m: float, segment: int, side: str, measure_m: float
) -> None:
    found = place(east_m, north_m)
    assert found.segment[0] == segment
    assert placing.side_name(int(found.side[0])) == side
    assert found.measure_m[0] == pytest.approx(measure_m, abs=1)


def test_a_turned_segment_turns_its_sides() -> None:
    turned = Streets([shapely.reverse(EAST)], ["潍坊路"])
    assert turned.place(np.array([door(300, 10)]), [None]).side[0] == -1


def test_far_doors_are_on_no_street() -> None:
    found = place(300, 200)
    assert found.segment[0] == -1
    assert np.isnan(found.measure_m[0])


def test_the_road_of_the_address_wins_within_reach() -> None:
    assert place(60, 20).segment[0] == 0
    assert place(60, 20, "崂山路639号").segment[0] == 1
    assert place(200, 20, "崂山路639号").segment[0] == 0


def test_a_corner_shop_faces_two_streets() -> None:
    corner = place(12, 10)
    assert {int(corner.segment[0]), int(corner.second[0])} == {0, 1}
    assert place(100, 10).second[0] == -1


def test_the_second_street_is_another_street() -> None:
    halves = Streets([line((0, 0), (200, 0)), line((200, 0), (400, 0))], ["潍坊路", "潍坊路"])
    assert halves.place(np.array([door(200, 8)]), [None]).second[0] == -1


def test_without_streets_nothing_is_placed() -> None:
    assert Streets([], []).place(np.array([door(0, 0)]), [None]).segment.tolist() == [-1]
    assert STREETS.place(np.array([], dtype=object), []).segment.tolist() == []


@given(st.lists(st.tuples(st.floats(-300, 800), st.floats(-300, 800)), min_size=1, max_size=30))
def test_many_together_are_as_each_alone(places: list[tuple[float, float]]) -> None:
    together = STREETS.place(np.array([door(*at) for at in places]), [None] * len(places))
    for number, at in enumerate(places):
        alone = place(*at)
        assert together.segment[number] == alone.segment[0]
        assert together.side[number] == alone.side[0]
        assert together.second[number] == alone.second[0]


@given(st.floats(30, 470), st.floats(2, 60))
def test_the_measure_leads_back_to_the_door(east_m: float, north_m: float) -> None:
    found = place(east_m, north_m)
    segment = STREETS.lines[found.segment[0]]
    foot = segment.interpolate(found.measure_m[0])
    away = STREETS.plane.flat(door(east_m, north_m)).distance(foot)
    assert away == pytest.approx(found.away_m[0], abs=0.01)


def test_a_front_runs_along_the_street_through_the_door() -> None:
    front = metres(zones.frontage(door(300, 12), EAST, 8))
    assert front.length == pytest.approx(8, abs=0.05)
    assert front.centroid.distance(shapely.Point(300, 12)) < 0.05
    assert front.bounds[1] == pytest.approx(front.bounds[3], abs=0.05)


def test_a_building_fronts_with_its_wide_side_to_the_street() -> None:
    # A niche of a metre lies nearer to the street than the rest of the façade.
    walls = [(100, 10), (104, 10), (104, 9), (105, 9), (105, 10), (130, 10), (130, 30), (100, 30)]
    at, front = placing.front_of_building(HERE.round(shapely.Polygon(walls)), EAST)
    assert metres(front).length == pytest.approx(25, abs=0.1)
    assert metres(at).y == pytest.approx(10, abs=0.1)


def zone_of(
    front: shapely.LineString,
    street: shapely.LineString,
    kerb_m: float,
    before_m: float = zones.SIDE_ROOM_M,
    after_m: float = zones.SIDE_ROOM_M,
) -> shapely.Polygon | None:
    alone = np.array([front])
    found: shapely.Polygon | None = zones.duty_zones(
        alone, zones.Street(street), kerb_m, before_m, after_m
    )[0]
    return found


def test_a_duty_zone_reaches_the_kerb_and_five_metres_sideways() -> None:
    zone = zone_of(zones.frontage(door(300, 15), EAST, 10), EAST, 6)
    assert zone is not None
    assert metres(zone).bounds == pytest.approx((290, 6, 310, 15), abs=0.1)


def test_a_duty_zone_stops_at_the_neighbours() -> None:
    front = zones.frontage(door(300, -15), EAST, 10)
    zone = zone_of(front, EAST, 6, 0, 1.5)
    assert zone is not None
    assert metres(zone).bounds == pytest.approx((295, -15, 306.5, -6), abs=0.1)


def test_a_front_on_the_kerb_has_no_zone() -> None:
    assert zone_of(zones.frontage(door(300, 6), EAST, 10), EAST, 6) is None


@given(st.floats(-20, 520), st.floats(-60, 60), st.floats(3, 20), st.floats(2, 30))
def test_every_zone_is_a_valid_area(
    east_m: float, north_m: float, kerb_m: float, width_m: float
) -> None:
    front = zones.frontage(door(east_m, north_m), EAST, width_m)
    zone = zone_of(front, EAST, kerb_m)
    assert zone is None or (zone.is_valid and not zone.is_empty)
