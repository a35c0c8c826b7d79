"""The order of a beat: explained where possible, about as short as any."""

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadchief.patrol.routes import walk
from roadchief.patrol.routes.route import Stop

# A block: four streets around it, 200 m each; measures run from the first corner to the second.
CORNERS = {
    "南路": ((0, 0), (200, 0)),
    "东路": ((200, 0), (200, 200)),
    "北路": ((200, 200), (0, 200)),
    "西路": ((0, 200), (0, 0)),
}


def pieces(*roads: str) -> list[walk.Piece]:
    return [walk.Piece(road, *CORNERS[road], 200.0) for road in roads or CORNERS]


def shop(road: str, side: str, measure_m: float) -> walk.Shop:
    (x, y), (to_x, to_y) = CORNERS[road]
    along = measure_m / 200
    off = 8 if side == "left" else -8
    dx, dy = (to_x - x) / 200, (to_y - y) / 200
    spot = (x + along * (to_x - x) - off * dy, y + along * (to_y - y) + off * dx)
    return walk.Shop(Stop((road, side, measure_m), road, 1, side, measure_m), road, spot)


SHOPS = st.lists(
    st.builds(
        shop,
        st.sampled_from(sorted(CORNERS)),
        st.sampled_from(["left", "right"]),
        st.integers(0, 200).map(float),
    ),
    max_size=40,
    unique_by=lambda one: one.stop.key,
)


def test_one_street_goes_up_one_side_and_down_the_other() -> None:
    shops = [shop("南路", side, m) for side in ("right", "left") for m in (150, 20, 90)]
    found = walk.choose(shops, pieces("南路"), ["南路"])
    assert found.kind == walk.STREET
    assert [(one.stop.side, one.stop.measure_m) for one in found.shops] == [
        ("left", 20), ("left", 90), ("left", 150), ("right", 150), ("right", 90), ("right", 20),
    ]  # fmt: skip


def test_the_inner_side_of_a_block_is_one_round_not_four_streets_up_and_down() -> None:
    shops = [shop(road, side, m) for road in CORNERS for side in ("left", "right")
             for m in range(20, 200, 20)]  # fmt: skip
    found = walk.choose(shops, pieces(), list(CORNERS))
    named = walk.length_m(walk._named(shops, list(CORNERS)))
    assert found.kind == walk.NET
    assert found.length_m < 0.9 * named
    # Shops of one side of one street follow each other.
    sides = [(one.segment, one.stop.side) for one in found.shops]
    assert len(list(itertools.groupby(sides))) == 8


def test_a_few_scattered_doors_go_by_the_shortest_way() -> None:
    doors = [("南路", 190), ("东路", 10), ("北路", 190), ("西路", 10), ("南路", 10), ("西路", 190)]
    shops = [shop(road, "left", m) for road, m in doors]
    found = walk.choose(shops, pieces(), ["南路", "北路", "东路", "西路"])
    best = min(
        sum(math.dist(a.at, b.at) for a, b in itertools.pairwise(way))
        for way in itertools.permutations(shops)
    )
    assert found.length_m <= best * walk.WORTH


@settings(max_examples=150, deadline=None)
@given(SHOPS)
def test_everybody_once_and_about_as_short_as_road_by_road(shops: list[walk.Shop]) -> None:
    found = walk.choose(shops, pieces(), list(CORNERS))
    assert sorted(map(str, (one.stop.key for one in found.shops))) == sorted(
        map(str, (one.stop.key for one in shops))
    )
    named = walk.length_m(walk._named(shops, list(CORNERS)))
    # An order with fewer crossings may be a little longer from door to door.
    assert found.length_m <= (named + walk.CROSSING_M * len(shops)) * walk.WORTH + 1e-6
    assert walk.choose(shops, pieces(), list(CORNERS)).shops == found.shops


def test_a_segment_that_the_beat_does_not_name_loses_no_shop() -> None:
    shops = [shop(road, "left", m) for road in CORNERS for m in (10, 100)]
    found = walk.choose(shops, pieces("南路"), ["南路"])
    assert len(found.shops) == len(shops)


def test_a_long_beat_is_ordered_without_comparing_all_pairs() -> None:
    dice = random.Random(7)
    shops = list({
        one.stop.key: one
        for one in (
            shop(dice.choice(sorted(CORNERS)), dice.choice(["left", "right"]), dice.uniform(0, 200))
            for _ in range(900)
        )
    }.values())  # fmt: skip
    found = walk.choose(shops, pieces(), list(CORNERS))
    assert found.kind in (walk.STREET, walk.NET)
    assert len(found.shops) == len(shops)


@pytest.mark.parametrize("kind", sorted(walk.WORDS))
def test_each_way_says_why_in_both_languages(kind: str) -> None:
    way = walk.Walk(kind, [], 0.0)
    assert way.say("zh") != way.say("en")
    assert way.say("en").isascii()
