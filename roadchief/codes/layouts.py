"""What is drawn where, read from layouts.toml. *Pure.*

Millimetres from the top left corner of the finished (cut) piece; type sizes in points. A `text`
may name fields of the face in braces; an element with `when` (`unless`) is drawn only if that
field is not empty (is empty). A layout may be `like` another, `scale` times as large.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import files
from typing import Any

from roadchief.errors import BadInput


class UnknownLayout(BadInput):
    zh = "没有名为“{name}”的版式，可用：{known}"
    en = "there is no layout or sheet {name!r}: use one of {known}"


@dataclass(frozen=True, slots=True)
class Element:
    what: str  # box, text, line, icon, symbol, rows
    x: float
    y: float
    w: float = 0
    h: float = 0
    fill: str = ""
    stroke: str = ""
    thick: float = 0
    radius: float = 0
    text: str = ""
    size: float = 0
    least: float = 0
    lines: int = 1
    weight: str = "regular"
    align: str = "left"
    spacing: float = 0
    icon: str = ""
    when: str = ""
    unless: str = ""
    label: float = 0  # rows: width of the label
    most: float = 0  # rows: greatest height of one row

    @property
    def fixed(self) -> bool:
        """Drawn alike on every piece."""
        return self.what in ("box", "line", "icon", "text") and not (
            self.when or self.unless or "{" in self.text
        )


@dataclass(frozen=True, slots=True)
class Layout:
    name: str
    zh: str
    en: str
    kind: str  # shop or sign
    width: float
    height: float
    bleed: float
    elements: tuple[Element, ...]

    @property
    def symbol(self) -> Element:
        return next(one for one in self.elements if one.what == "symbol")


@dataclass(frozen=True, slots=True)
class Sheet:
    """Paper that carries several pieces."""

    name: str
    width: float
    height: float
    bleed: float
    margin: float


def _source() -> bytes:
    return (files("roadchief.codes") / "layouts.toml").read_bytes()


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(_source().decode())


@cache
def fingerprint() -> str:
    """Changes when any layout does."""
    return hashlib.sha256(_source()).hexdigest()


@cache
def layouts() -> dict[str, Layout]:
    return {name: _layout(name) for name in _data()["layout"]}


def layout(name: str) -> Layout:
    if name not in layouts():
        raise UnknownLayout(name=name[:40], known="、".join(layouts()))
    return layouts()[name]


@cache
def sheets() -> dict[str, Sheet]:
    return {name: Sheet(name=name, **facts) for name, facts in _data()["sheet"].items()}


def sheet(name: str) -> Sheet:
    if name not in sheets():
        raise UnknownLayout(name=name[:40], known="、".join(sheets()))
    return sheets()[name]


def colour(name: str) -> str:
    """`#RRGGBB` of a colour's name."""
    return str(_data()["colours"][name])


def icon(name: str) -> tuple[str, ...]:
    """Strokes on a field of 24 by 24, as SVG path data."""
    return tuple(_data()["icons"][name])


def _layout(name: str) -> Layout:
    own: Mapping[str, Any] = _data()["layout"][name]
    if "like" in own:
        model = _layout(own["like"])
        return replace(_scaled(model, own["scale"]), name=name, zh=own["zh"], en=own["en"])
    facts = {key: own[key] for key in ("zh", "en", "kind", "width", "height", "bleed")}
    return Layout(name=name, elements=tuple(Element(**one) for one in own["draw"]), **facts)


LENGTHS = {"x", "y", "w", "h", "thick", "radius", "size", "least", "label", "most"}


def _scaled(model: Layout, scale: float) -> Layout:
    def grown(element: Element) -> Element:
        lengths = {one.name for one in fields(Element)} & LENGTHS
        return replace(element, **{name: getattr(element, name) * scale for name in lengths})

    return replace(
        model,
        width=round(model.width * scale),
        height=round(model.height * scale),
        elements=tuple(grown(element) for element in model.elements),
    )
