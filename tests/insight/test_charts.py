"""Charts are well-formed, safe, and never make a zero of what is not known."""

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as some

from roadchief.insight import charts, goals
from roadchief.insight.charts import Axis
from roadchief.insight.goals import Measure


def parts(svg: str, kind: str) -> list[ElementTree.Element]:
    """Shapes of a class, in order."""
    tree = ElementTree.fromstring(svg)
    return [one for one in tree.iter() if kind in one.get("class", "").split()]


@given(some.lists(some.none() | some.floats(), max_size=12), some.text(max_size=40))
def test_any_series_is_drawn_inside_its_box(values: list[float | None], title: str) -> None:
    said = "".join(char for char in title if char.isprintable())
    svg = charts.line(values, title=said)
    for dot in parts(svg, "dot"):
        assert 0 <= float(dot.get("cx", "")) <= charts.WIDE
        assert 0 <= float(dot.get("cy", "")) <= charts.HIGH
    assert "style=" not in svg.replace(str(charts.escape(said)), "")
    assert "nan" not in "".join(one.get("d", "") for one in parts(svg, "trend"))


def test_a_week_without_data_breaks_the_line() -> None:
    svg = charts.line([0.1, 0.2, None, 0.4, 0.5, None, math.nan, 0.9], title="x")
    assert len(parts(svg, "trend")) == 2
    assert len(parts(svg, "dot")) == 1  # the lonely last one
    assert parts(charts.line([None] * 8, title="x"), "trend") == []
    assert parts(charts.line([None] * 8, title="x"), "dot") == []


def test_zero_is_drawn_and_nothing_is_not() -> None:
    assert len(parts(charts.line([0.0, 0.0], title="x"), "trend")) == 1


def test_words_cannot_become_markup() -> None:
    svg = charts.line([0.5], title='"><script>alert(1)</script>')
    assert "<script" not in svg
    radar = charts.radar([Axis("<b>", "&", 0.5)] * 6, title="</svg>")
    assert "<b>" not in radar
    assert radar.count("</svg>") == 1


def test_a_full_picture_is_one_outline_and_a_hole_is_left_open() -> None:
    full = [Axis(str(n), "", 0.5) for n in range(6)]
    assert len([one for one in parts(charts.radar(full, title="x"), "shape") if one.get("d")]) == 1
    holed = [*full[:3], Axis("3", "暂无数据", None), *full[4:]]
    svg = charts.radar(holed, title="x")
    assert len([one for one in parts(svg, "shape") if one.get("d")]) == 4
    assert len([one for one in parts(svg, "shape") if one.get("cx")]) == 5
    assert len(parts(svg, "unknown")) == 1
    alone = charts.radar([Axis("0", "", None)] * 6, title="x")
    assert parts(alone, "shape") == []
    assert len(parts(alone, "unknown")) == 6
    assert charts.radar([], title="x").startswith("<svg")


def test_the_picture_of_a_block_is_told_apart_by_shape() -> None:
    axes = [Axis(str(n), "", 0.5) for n in range(6)]
    svg = charts.radar(axes, title="x", other=[0.2, None, 0.4, 0.5, 0.6, 0.7])
    assert len([one for one in parts(svg, "other") if one.get("width")]) == 5


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [(0, 0, None), (9, 9, None), (0, 10, 0.0), (5, 10, 0.5), (12, 10, 1)],
)
def test_little_is_no_share(part: int, whole: int, share: float | None) -> None:
    assert Measure(part, whole).share == share


def test_which_way_is_good() -> None:
    up = [Measure(2, 10), Measure(0, 3), Measure(8, 10)]
    assert goals.change("visits", up) == ("better", pytest.approx(0.6))
    assert goals.change("reopened", up) == ("worse", pytest.approx(0.6))
    assert goals.change("visits", [Measure(5, 10), Measure(5, 10)]) == ("same", 0.0)
    assert goals.change("visits", [Measure(5, 10), Measure(1, 2)]) is None
    assert goals.goodness("repeated", Measure(1, 10)) == pytest.approx(0.9)


def test_a_theme_is_the_mean_of_what_is_known() -> None:
    known = {"visits": Measure(8, 10), "clean": Measure(4, 10)}
    assert goals.score("beautiful", known) == pytest.approx(0.6)
    assert goals.score("beautiful", {"visits": Measure(8, 10)}) == pytest.approx(0.8)
    assert goals.score("beautiful", {}) is None
    assert goals.score("red", known) is None


def test_the_file_names_only_what_is_counted() -> None:
    for _words, shows in goals.goals().values():
        assert set(shows) <= set(goals.indicators())
    assert len(goals.themes()) == 6
    for shows in goals.themes().values():
        assert set(shows) <= set(goals.indicators())
