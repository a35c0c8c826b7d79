"""Charts as SVG text, made here: no script, no style attribute, colours by class. *Pure.*

A value that is not known (None, NaN) is a hole in the picture, never a zero.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDE, HIGH, EDGE = 240.0, 64.0, 6.0
SIDE, REACH = 360.0, 104.0
RINGS = (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Axis:
    """A corner of the picture: its word, the word beneath it, and 0 to 1 or nothing."""

    label: str
    told: str
    value: float | None


def line(values: Sequence[float | None], *, title: str) -> Markup:
    """Shares from 0 to 1 along equal steps; the scale runs from 0 to 1 in every chart alike."""
    known = [_known(value) for value in values]
    step = (WIDE - 2 * EDGE) / max(1, len(known) - 1)
    points = [
        None if value is None else (EDGE + n * step, _height(value))
        for n, value in enumerate(known)
    ]
    shapes = [f'<path class="base" d="M{EDGE:g} {_height(0):g}H{WIDE - EDGE:g}"/>']
    runs = _runs(points)
    shapes += [f'<path class="trend" d="{_path(run)}"/>' for run in runs if len(run) > 1]
    at = [point for point in points if point is not None]
    lonely = [run[0] for run in runs if len(run) == 1]
    for x, y in dict.fromkeys([*lonely, *at[-1:]]):
        shapes.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
    return _svg("spark", WIDE, HIGH, title, shapes)


def radar(axes: Sequence[Axis], *, title: str, other: Sequence[float | None] = ()) -> Markup:
    """Axes around a middle; an axis without a value is dashed and the outline leaves it out."""
    middle = SIDE / 2
    corners = [_corner(n, len(axes)) for n in range(len(axes))]
    shapes = [
        f'<path class="ring" d="{_path([_at(middle, c, ring) for c in corners])}Z"/>'
        for ring in RINGS
        if corners
    ]
    for axis, corner in zip(axes, corners, strict=True):
        x, y = _at(middle, corner, 1.0)
        kind = "axis" if _known(axis.value) is not None else "axis unknown"
        shapes.append(f'<path class="{kind}" d="M{middle:g} {middle:g}L{x:.1f} {y:.1f}"/>')
    shapes += _outline("shape", [axis.value for axis in axes], corners, middle)
    shapes += _outline("other", list(other)[: len(corners)], corners, middle)
    for axis, corner in zip(axes, corners, strict=True):
        shapes.append(_label(axis, _at(middle, corner, 1.26), corner[0]))
    return _svg("radar", SIDE, SIDE, title, shapes)


def _outline(
    kind: str,
    values: Sequence[float | None],
    corners: Sequence[tuple[float, float]],
    middle: float,
) -> list[str]:
    pairs = zip(values, corners, strict=False)
    points = [None if _known(v) is None else _at(middle, c, _known(v) or 0.0) for v, c in pairs]
    at = [point for point in points if point is not None]
    shapes = []
    if len(at) == len(corners) and at:
        shapes.append(f'<path class="{kind}" d="{_path(at)}Z"/>')
    else:  # only neighbours are joined: a line across a hole would claim what nobody knows
        for one, two in zip(points, points[1:] + points[:1], strict=True):
            if one and two:
                shapes.append(f'<path class="{kind}" d="{_path([one, two])}"/>')
    for x, y in at:
        if kind == "other":
            shapes.append(
                f'<rect class="{kind} dot" x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"/>'
            )
        else:
            shapes.append(f'<circle class="{kind} dot" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
    return shapes


def _label(axis: Axis, at: tuple[float, float], side: float) -> str:
    x, y = at
    anchor = "middle" if abs(side) < 0.1 else ("start" if side > 0 else "end")
    x = min(max(x, 8.0), SIDE - 8.0) if anchor == "middle" else x - math.copysign(14.0, side)
    return (
        f'<text x="{x:.1f}" y="{y - 4:.1f}" text-anchor="{anchor}">{escape(axis.label)}'
        f'<tspan class="told" x="{x:.1f}" dy="18">{escape(axis.told)}</tspan></text>'
    )


def _svg(kind: str, width: float, height: float, title: str, shapes: Sequence[str]) -> Markup:
    return Markup(  # noqa: S704 — every word in it was escaped, the rest is ours
        f'<svg class="chart {kind}" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>{"".join(shapes)}</svg>'
    )


def _known(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return min(max(float(value), 0.0), 1.0)


def _height(value: float) -> float:
    return HIGH - EDGE - value * (HIGH - 2 * EDGE)


def _corner(number: int, count: int) -> tuple[float, float]:
    turn = 2 * math.pi * number / count - math.pi / 2
    return math.cos(turn), math.sin(turn)


def _at(middle: float, corner: tuple[float, float], value: float) -> tuple[float, float]:
    return middle + corner[0] * REACH * value, middle + corner[1] * REACH * value


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _runs(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """Neighbouring known points together."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]
