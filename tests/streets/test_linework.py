"""Merging, cutting, splitting and joining of roads."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from roadchief.lib.geo import length_m
from roadchief.streets import linework, naming
from tests.streets.ground import HERE, line, metres, named_ways


def lengths(lines: list[shapely.LineString]) -> list[int]:
    return [round(length_m(one)) for one in lines]


def ends(pieces: list[linework.Piece]) -> list[tuple[str | None, str | None, int]]:
    return [(one.from_name, one.to_name, round(one.length_m)) for one in pieces]


def test_ways_end_to_end_are_one_line() -> None:
    ways = [line((0, 0), (100, 0)), line((200, 0), (100, 0)), line((200, 0), (300, 0))]
    assert lengths(linework.merge(ways)) == [300]


def test_a_way_drawn_twice_counts_once() -> None:
    assert lengths(linework.merge([line((0, 0), (100, 0))] * 2)) == [100]


def test_two_carriageways_are_one_line_in_the_middle() -> None:
    east, west = line((0, 0), (300, 0), (600, 0)), line((600, 24), (0, 24))
    [middle] = linework.merge([east, west])
    assert metres(middle).hausdorff_distance(shapely.LineString([(0, 12), (600, 12)])) < 0.5


def test_carriageways_that_share_their_last_point_are_one_line() -> None:
    there_and_back = line((0, 0), (600, 0), (600, 20), (0, 20))
    assert lengths(linework.merge([there_and_back])) == [pytest.approx(600, abs=3)]
    hairpin = line((0, 0), (600, 0), (0, 20))
    assert len(linework.merge([hairpin])) == 1


def test_a_street_that_divides_half_way_stays_one_line() -> None:
    single = line((0, 0), (300, 0))
    pair = [line((300, 0), (320, 10), (700, 10)), line((700, -10), (320, -10), (300, 0))]
    [whole] = linework.merge([single, *pair])
    assert length_m(whole) == pytest.approx(700, abs=8)


def test_far_and_turning_parts_stay_apart() -> None:
    assert len(linework.merge([line((0, 0), (300, 0)), line((0, 200), (300, 200))])) == 2
    crossing = [line((0, 0), (300, 0)), line((150, -200), (150, 200))]
    assert sorted(lengths(linework.merge(crossing))) == [300, 400]


def test_many_streets_of_one_name_stay_apart() -> None:
    ways = [line((0, at * 200), (300, at * 200)) for at in range(400)]
    assert len(linework.merge(ways)) == 400


def test_a_tangle_of_one_name_is_taken_as_it_is() -> None:
    ways = [line((0, at), (300, at)) for at in range(200)]
    assert len(linework.merge(ways)) == 200


def test_nothing_merges_to_nothing() -> None:
    assert linework.merge([]) == []
    assert linework.merge([shapely.Point(121, 31), shapely.LineString()]) == []


def test_parts_come_in_the_order_of_a_walk() -> None:
    south, north = line((0, -900), (0, -100)), line((0, 100), (0, 400))
    first, second = linework.merge([south, north])
    assert first.centroid.y > second.centroid.y


def test_a_road_is_cut_at_junctions() -> None:
    road = line((0, 0), (500, 0))
    others = [
        ("张杨路", line((200, -100), (200, 100))),
        ("潍坊路", line((400, 0), (400, 100))),
        ("远路", line((200, 300), (400, 300))),
    ]
    assert ends(linework.cut(road, others)) == [
        (None, "张杨路", 200),
        ("张杨路", "潍坊路", 200),
        ("潍坊路", None, 100),
    ]


def test_a_side_street_may_end_at_the_near_carriageway() -> None:
    road, side = line((0, 0), (500, 0)), line((250, 15), (250, 200))
    assert ends(linework.cut(road, [("栖霞路", side)])) == [
        (None, "栖霞路", 250),
        ("栖霞路", None, 250),
    ]


def test_a_slip_road_is_no_junction() -> None:
    slip = line((250, 10), (500, 30))
    assert len(linework.cut(line((0, 0), (500, 0)), [("辅路", slip)])) == 1


def test_crossing_two_carriageways_is_one_junction() -> None:
    wide = [line((200, -100), (200, 100)), line((224, -100), (224, 100))]
    pieces = linework.cut(line((0, 0), (500, 0)), [("张杨路", one) for one in wide])
    assert ends(pieces) == [(None, "张杨路", 212), ("张杨路", None, 288)]


def test_no_slivers_at_ends_and_junctions() -> None:
    others = [(str(at), line((at, -50), (at, 50))) for at in (0, 12, 200, 225, 480)]
    pieces = linework.cut(line((0, 0), (500, 0)), others)
    assert ends(pieces) == [("0", "200", 200), ("200", "480", 300)]


@given(
    st.lists(st.floats(0, 1000), max_size=12),
    st.floats(0, 100),
)
def test_pieces_make_up_the_road(crossings: list[float], shortest_m: float) -> None:
    road = line((0, 0), (1000, 0))
    others = [(str(number), line((at, -50), (at, 50))) for number, at in enumerate(crossings)]
    pieces = linework.cut(road, others, shortest_m=shortest_m)
    assert sum(piece.length_m for piece in pieces) == pytest.approx(1000, abs=2)
    assert all(piece.length_m >= min(shortest_m, 1) for piece in pieces)
    for one, other in pairwise(pieces):
        assert one.to_name == other.from_name
        assert shapely.Point(one.line.coords[-1]).distance(shapely.Point(other.line.coords[0])) == 0


def test_a_border_cuts_a_road() -> None:
    land = HERE.round(shapely.box(100, -500, 900, 500))
    assert lengths(linework.inside([line((0, 0), (400, 0))], land)) == [300]
    assert linework.inside([line((0, 900), (400, 900))], land) == []
    assert linework.inside([], land) == []


def test_a_border_that_weaves_over_a_road_leaves_no_crumbs() -> None:
    weave = [(at, 3 if at // 20 % 2 else -3) for at in range(0, 1000, 20)]
    land = HERE.round(shapely.Polygon([*weave, (1000, -500), (0, -500)]))
    kept = linework.inside([line((0, 0), (980, 0))], land)
    assert len(kept) <= 1
    assert all(length >= linework.SHORTEST_M for length in lengths(kept))


def test_a_border_on_the_road_leaves_it_to_both() -> None:
    road = line((0, 0), (400, 0))
    for land in (shapely.box(0, 0, 400, 300), shapely.box(0, -300, 400, 0)):
        assert lengths(linework.inside([road], HERE.round(land))) == [400]


@given(st.floats(1, 499))
def test_split_and_join_give_the_line_back(at_m: float) -> None:
    road = line((0, 0), (200, 100), (480, 100))
    first, second = linework.split_at(road, at_m)
    assert metres(first).length == pytest.approx(at_m, abs=0.01)
    whole = linework.join(first, second)
    assert whole is not None
    assert metres(whole).hausdorff_distance(metres(road)) < 0.01
    turned = linework.join(first, shapely.reverse(second))
    assert turned is not None
    assert metres(turned).hausdorff_distance(metres(road)) < 0.01


def test_what_does_not_touch_is_not_joined() -> None:
    assert linework.join(line((0, 0), (100, 0)), line((200, 0), (300, 0))) is None


def test_roads_run_as_their_doors_are_counted() -> None:
    southward = line((0, 500), (40, 0))
    for road in (southward, shapely.reverse(southward)):
        assert linework.in_house_number_order(road).equals_exact(southward, 1e-12)
    eastward = line((0, 0), (500, 40))
    for road in (eastward, shapely.reverse(eastward)):
        assert linework.in_house_number_order(road).equals_exact(eastward, 1e-12)


def test_real_roads(strangers: Callable[[str], Path]) -> None:
    ways = named_ways(strangers("A_osm/lujiazui_roads.geojson"))
    assert len(ways) == 57
    merged = {name: linework.merge(parts) for name, parts in ways.items()}
    assert all(merged.values())
    # 32 ways on two carriageways, 2,082 m each.
    assert lengths(merged["张杨路"]) == [pytest.approx(2082, abs=10)]
    others = [
        (name, one)
        for name, lines in merged.items()
        if name != "崂山路" and naming.is_on_the_ground(name)
        for one in lines
    ]
    pieces = [
        piece
        for one in merged["崂山路"]
        for piece in linework.cut(linework.in_house_number_order(one), others)
    ]
    walk = [piece.to_name for piece in pieces]
    assert walk[:5] == ["南泉北路", "栖霞路", "乳山路", "商城路", "张杨路"]
    assert pieces[0].from_name == "浦东大道"
    junction = shapely.Point(pieces[4].line.coords[-1])
    assert metres(junction).distance(metres(shapely.Point(121.51805, 31.23118))) < 15
