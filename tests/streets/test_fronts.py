"""Fronts divided and joined, and doors found by their house number."""

import pytest
import shapely

from roadchief.lib.geo import length_m
from roadchief.streets import fronts
from roadchief.streets.fronts import Neighbour
from tests.streets import ground

STREET = ground.line((0, 0), (0, 200))  # northwards: the left side lies west
WEST = [Neighbour(f"{n}号", "left", 20 + (n - 501) * 5, 12.0) for n in (501, 505, 513)]
EAST = [Neighbour(f"{n}号", "right", 20 + (n - 502) * 5, 9.0) for n in (502, 504, 510)]


def test_a_front_is_divided_in_equal_parts() -> None:
    front = ground.line((0, 0), (6, 0), (6, 6))
    pieces = fronts.divided(front, 3)
    assert [round(length_m(piece), 1) for piece in pieces] == [4.0, 4.0, 4.0]
    assert shapely.equals_exact(shapely.Point(pieces[0].coords[0]), shapely.Point(front.coords[0]))


def test_fronts_are_joined_from_end_to_end() -> None:
    whole = fronts.joined([ground.line((6, 0), (12, 0)), ground.line((0, 0.1), (5.5, 0.1))])
    assert length_m(whole) == pytest.approx(12, abs=0.1)


@pytest.mark.parametrize(
    ("number", "side", "measure", "within"),
    [
        ("503号", "left", 30, 10),  # between 501 and 505
        ("509号", "left", 60, 20),  # between 505 and 513
        ("505号甲", "left", 40, 6),  # beside the same number
        ("515号", "left", 86, 6),  # beyond the last one
        ("499号", "left", 14, 6),
        ("508号", "right", 50, 15),
        ("9999号", "left", 200, None),  # never beyond the segment
    ],
)
def test_a_door_lies_between_its_neighbours(
    number: str, side: str, measure: float, within: float | None
) -> None:
    found = fronts.guess_by_number(number, STREET, 6, WEST + EAST)
    assert found
    assert (found.side, found.measure_m) == (side, pytest.approx(measure, abs=0.5))
    if within is not None:
        assert found.within_m == pytest.approx(within, abs=0.5)
    east = ground.metres(found.door).x
    assert east == pytest.approx(-12 if side == "left" else 9, abs=0.1)


def test_numbers_that_fall_along_the_street() -> None:
    known = [Neighbour(f"{n}号", "left", 300 - n, 10.0) for n in (101, 151)]
    found = fronts.guess_by_number("153号", STREET, 6, known)
    assert found
    assert found.measure_m < 149


def test_what_cannot_be_guessed() -> None:
    assert fronts.guess_by_number("底层", STREET, 6, WEST) is None
    assert fronts.guess_by_number("5号", STREET, 6, []) is None
    alone = fronts.guess_by_number("5号", STREET, 6, [], side="right")
    assert alone
    assert (alone.measure_m, alone.within_m) == (pytest.approx(100), pytest.approx(100))
