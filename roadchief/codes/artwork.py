"""What a plate or a sign says, and every word of it set in its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from roadchief.codes.layouts import Element, Layout, layouts
from roadchief.codes.lettering import POINT_MM, Fitted, fit, width_of

LEADING = 1.22  # distance of lines, in sizes
# From the middle of a Chinese character down to its baseline, in sizes.
MIDDLE = 0.38
__all__ = [
    "Composed",
    "Face",
    "Piece",
    "PlateFace",
    "SignFace",
    "Undrawn",
    "compose",
    "fixed",
    "layouts",
]
DATED = "{date} 印　·　版本 {version}　·　人员变动后以扫码页为准　·　{host}"


@dataclass(frozen=True, slots=True)
class PlateFace:
    """A storefront's plate, sticker or card. `text` is what the symbol says."""

    text: str
    number: str
    title: str
    road: str
    house_number: str
    human_number: str
    block: str | None
    host: str
    phone: str
    office: str = ""

    def words(self) -> dict[str, str]:
        block = (self.block or "").strip()
        return {
            "number": self.number,
            "title": self.title,
            "address": f"{self.road} {self.house_number}".strip(),
            "human_number": self.human_number,
            "codes": "　·　".join(part for part in (self.human_number, block) if part),
            "headline": f"{self.office} · 一店一码" if self.office else "路长制 · 一店一码",
            "subline": f"{block}　扫码看店、反映、评价" if block else "扫码看店、反映、评价",
            "host": self.host,
            "phone": self.phone,
        }

    def rows(self) -> tuple[tuple[str, str], ...]:
        return ()


@dataclass(frozen=True, slots=True)
class SignFace:
    """A segment's public sign. Phones are the office's, never a person's own."""

    text: str
    number: str
    road: str
    segment: str
    from_to: str
    length_m: int | None
    chiefs: tuple[tuple[str, str], ...]
    phone: str
    scope: str
    standard: str
    host: str
    date: str
    version: int = 1
    block: str | None = None
    office: str = ""

    def words(self) -> dict[str, str]:
        length = "" if self.length_m is None else f"{self.length_m} 米"
        inner = "，".join(part for part in (self.from_to, length) if part)
        stretch = " ".join(part for part in (self.road, self.segment) if part)
        return {
            "number": self.number,
            "office": self.office,
            "stretch": f"{stretch}（{inner}）" if inner else stretch,
            "imprint": DATED.format(date=self.date, version=self.version, host=self.host),
        }

    def rows(self) -> tuple[tuple[str, str], ...]:
        last = (
            ("办公电话", self.phone),
            ("管理范围", self.scope),
            ("管理标准", self.standard),
            ("所属街区", self.block or ""),
        )
        return tuple((label, value) for label, value in (*self.chiefs, *last) if value.strip())


Face = PlateFace | SignFace


@dataclass(frozen=True, slots=True)
class Piece:
    """One line of type: where its baseline begins, in millimetres from the top left."""

    text: str
    x: float
    y: float
    size: float
    weight: str
    fill: str
    spacing: float


@dataclass(frozen=True, slots=True)
class Undrawn:
    """What the reader of a print report must know about one plate's text."""

    number: str
    field: str
    characters: str  # no installed font has them; "" when the text was cut short
    shortened: bool = False


@dataclass(frozen=True, slots=True)
class Composed:
    pieces: tuple[Piece, ...]
    undrawn: tuple[Undrawn, ...]


@lru_cache(maxsize=64)
def fixed(layout: Layout) -> tuple[Piece, ...]:
    """The words that every piece of this layout has."""
    pieces: list[Piece] = []
    for element in layout.elements:
        if element.what == "text" and element.fixed:
            pieces += _set(element, element.text)[0]
    return tuple(pieces)


def compose(face: Face, layout: Layout) -> Composed:
    """The words of this face alone."""
    words = face.words()
    pieces: list[Piece] = []
    undrawn: list[Undrawn] = []
    for element in layout.elements:
        if element.fixed or not _wanted(element, words):
            continue
        if element.what == "text":
            parts = [(element, element.text.format_map(words), _field(element))]
        elif element.what == "rows":
            parts = _row_parts(element, face.rows())
        else:
            continue
        for part, text, field in parts:
            lines, fitted = _set(part, text)
            pieces += lines
            if fitted.undrawn or fitted.shortened:
                undrawn.append(Undrawn(face.number, field, fitted.undrawn, fitted.shortened))
    return Composed(tuple(pieces), tuple(undrawn))


def _wanted(element: Element, words: Mapping[str, str]) -> bool:
    if element.when and not words[element.when].strip():
        return False
    return not (element.unless and words[element.unless].strip())


def _field(element: Element) -> str:
    return element.text[element.text.find("{") + 1 : element.text.find("}")]


def _row_parts(
    element: Element, rows: tuple[tuple[str, str], ...]
) -> list[tuple[Element, str, str]]:
    parts: list[tuple[Element, str, str]] = []
    height = min(element.h / max(len(rows), 1), element.most)
    size = min(element.size, height / POINT_MM / LEADING / 1.05)
    for number, (label, value) in enumerate(rows):
        y = element.y + number * height
        facts = {"what": "text", "y": y, "h": height, "least": element.least * 0.6}
        left = Element(x=element.x, w=element.label - 3, size=size * 0.86, fill="sub", **facts)  # type: ignore[arg-type]
        right = Element(
            x=element.x + element.label,
            w=element.w - element.label,
            size=size,
            weight="bold",
            fill="ink",
            lines=2,
            **facts,  # type: ignore[arg-type]
        )
        parts += [(left, label, label), (right, value, label)]
    return parts


@lru_cache(maxsize=8192)
def _set(element: Element, text: str) -> tuple[tuple[Piece, ...], Fitted]:
    """One element's lines: as many as its height holds, centred in its height."""
    most = element.size
    while True:
        fitted = fit(
            text,
            element.w,
            size=most,
            least=element.least,
            lines=element.lines,
            weight=element.weight,
            spacing=element.spacing,
        )
        leading = fitted.size * LEADING * POINT_MM
        tall = len(fitted.lines) > 1 and leading * len(fitted.lines) > element.h * 1.06
        if not tall or fitted.size <= element.least:
            break
        most = fitted.size * 0.94
    middle = element.y + element.h / 2 + MIDDLE * fitted.size * POINT_MM
    first = middle - leading * (len(fitted.lines) - 1) / 2
    pieces = tuple(
        Piece(
            line,
            _left(element, line, fitted.size),
            first + number * leading,
            fitted.size,
            element.weight,
            element.fill,
            element.spacing,
        )
        for number, line in enumerate(fitted.lines)
        if line
    )
    return pieces, fitted


def _left(element: Element, line: str, size: float) -> float:
    slack = element.w - width_of(line, size, element.weight, element.spacing)
    return element.x + {"left": 0.0, "center": slack / 2, "right": slack}[element.align]
