"""Words fitted into their place: shrunk, wrapped, and honest about what no font can draw."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from io import BytesIO
from typing import TypedDict

from arabic_reshaper import reshape
from bidi import get_display
from reportlab.pdfbase.ttfonts import TTFont

from roadchief.codes import fonts

MISSING = "〓"  # printers' old sign for a sort that the case lacks: seen, and never a blank box
POINT_MM = 25.4 / 72
NOT_FIRST = set("，。、；：？！）》」』】〉”’…·%,.;:?!)]}")
NOT_LAST = set("（《「『【〈“‘([{")
STEP = 0.94
SELECTORS = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0100-\U000e01ef]")
WORD = re.compile(r"[A-Za-z0-9@#&+'’._/-]+ ?|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Lines as they are drawn from left to right, and their size in points."""

    lines: tuple[str, ...]
    size: float
    shortened: bool
    undrawn: str  # the characters that became 〓


class _Way(TypedDict):
    weight: str
    spacing: float


@lru_cache(maxsize=4)
def everyday_face(weight: str) -> TTFont:
    return TTFont(f"RoadChief-{weight}", BytesIO(fonts.kept(weight)))


@lru_cache(maxsize=4)
def _everyday_widths(weight: str) -> dict[int, float]:
    widths: dict[int, float] = everyday_face(weight).face.charWidths
    return widths


@lru_cache(maxsize=16384)
def _advance(character: str, weight: str) -> float:
    known = _everyday_widths(weight).get(ord(character))
    return fonts.advance(character, weight) if known is None else known


def width_of(text: str, size: float, weight: str, spacing: float = 0) -> float:
    """In millimetres; `spacing` is a share of the size added after each character."""
    units = sum(_advance(character, weight) for character in text)
    return (units / fonts.EM + spacing * max(len(text) - 1, 0)) * size * POINT_MM


def drawable(text: str, weight: str) -> tuple[str, str]:
    """The text as it can be drawn, and the characters that no font has.

    Marks without a look of their own (joiners, variation and skin tone selectors) go; white space
    becomes one space.
    """
    kept: list[str] = []
    lacking: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        if character.isspace():
            kept.append("\u3000" if character == "\u3000" else " ")
        elif category == "Cf" or SELECTORS.match(character):
            continue
        elif category not in ("Cc", "Cs", "Co") and fonts.source_of(character, weight):
            kept.append(character)
        else:
            kept.append(MISSING)
            lacking.append(character)
    return re.sub(" +", " ", "".join(kept)).strip(), "".join(dict.fromkeys(lacking))


def written_from_the_right(text: str) -> bool:
    return any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)


def joined(text: str, weight: str) -> str:
    """Arabic letters in their joined shapes, where the font has them."""
    shaped = reshape(text)
    return shaped if all(fonts.source_of(one, weight) for one in shaped) else text


@lru_cache(maxsize=8192)
def fit(
    text: str, width: float, *, size: float, least: float, lines: int, weight: str, spacing: float
) -> Fitted:
    """The largest setting, from `size` down to `least` points, that holds the text.

    What does not even fit then ends with an ellipsis and says so.
    """
    plain, lacking = drawable(text, weight)
    turned = written_from_the_right(plain)
    if turned:
        plain = joined(plain, weight)
    present = max(size, least)
    way: _Way = {"weight": weight, "spacing": spacing}
    while True:
        holds = partial(_fits, width=width, size=present, **way)
        broken = _wrapped(plain, holds)
        if len(broken) <= lines or present <= least:
            break
        present = max(present * STEP, least)
    shortened = len(broken) > lines
    if shortened:
        last = broken[lines - 1]
        while last and not holds(last + "…"):
            last = last[:-1]
        broken = [*broken[: lines - 1], last + "…"]
    elif len(broken) > 1:
        broken = _balanced(plain, width, broken, partial(_fits, size=present, **way))
    if turned:
        broken = [str(get_display(line)) for line in broken]
    return Fitted(tuple(broken), round(present, 2), shortened, lacking)


def _fits(line: str, width: float, size: float, weight: str, spacing: float) -> bool:
    return width_of(line, size, weight, spacing) <= width + 0.01


def _balanced(text: str, width: float, broken: list[str], fits: Callable[..., bool]) -> list[str]:
    """As many lines, but of like length: no last line of one character."""
    low, high = width / len(broken) * 0.9, width
    for _ in range(7):
        middle = (low + high) / 2
        tried = _wrapped(text, partial(fits, width=middle))
        if len(tried) > len(broken):
            low = middle
        else:
            high, broken = middle, tried
    return broken


def _wrapped(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Lines broken between Chinese characters or Latin words, by the rules for punctuation."""
    lines: list[str] = []
    line = ""
    for piece in WORD.findall(text):
        if not line or fits((line + piece).rstrip()):
            line += piece
            continue
        carried = ""
        if piece in NOT_FIRST and len(line) > 1:
            carried, line = line[-1], line[:-1]
        while line and line[-1] in NOT_LAST:
            carried, line = line[-1] + carried, line[:-1]
        lines.append(line)
        line = carried + piece.lstrip()
    lines.append(line)
    return [part for whole in lines for part in _hewn(whole.strip(), fits)]


def _hewn(line: str, fits: Callable[[str], bool]) -> list[str]:
    """A single word longer than the line is cut anywhere."""
    parts: list[str] = []
    while len(line) > 1 and not fits(line):
        end = len(line) - 1
        while end > 1 and not fits(line[:end]):
            end -= 1
        parts.append(line[:end])
        line = line[end:]
    return [*parts, line]
