"""Our own print read back before it is handed out.

Every place is known: the symbol there must be readable, say the plate's text, stand beside the
plate's number, and be clean module by module up to the edge of its quiet zone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from roadchief.codes import symbols
from roadchief.codes.reading import (
    MM,
    REASONS,
    Image,
    PageWords,
    WrongSymbol,
    middle,
    opened,
    pdfium,
    read_image,
    rendered,
)

OWN_PIXELS = 3  # a module
PLACE_MM = 1.5  # how far a symbol may lie from where it belongs


@dataclass(frozen=True, slots=True)
class Place:
    """Where one of our symbols must be: page from 0, its field in millimetres."""

    page: int
    x: float
    y: float
    width: float
    text: str
    number: str


def read_back(path: Path, places: Sequence[Place], pages: int | None = None) -> None:
    """Read every one of these places. Raises WrongSymbol, naming page and plate.

    `pages` is how many pages the file must have.
    """
    texts = {place.text for place in places}
    ours = dict(zip(texts, symbols.many(list(texts)), strict=True))
    by_page: dict[int, list[Place]] = {}
    for place in places:
        by_page.setdefault(place.page, []).append(place)
    with pdfium, opened(path) as document:
        if len(document) != (places[-1].page + 1 if pages is None else pages):
            raise _wrong(places[-1], "missing")
        for number, wanted in by_page.items():
            page = document[number]
            _judge_page(page, wanted, ours)
            page.close()


def _judge_page(page: Any, wanted: list[Place], ours: dict[str, symbols.Modules]) -> None:
    whole = symbols.SIZE + 2 * symbols.QUIET
    dots = OWN_PIXELS * MM * whole / min(place.width for place in wanted)
    image = rendered(page, dots)
    # Pictures have whole pixels: the true scale differs a little from the one asked for.
    wide, tall = page.get_size()
    grid = image.shape[1] / wide * 72 / MM, image.shape[0] / tall * 72 / MM
    found = _middles(read_image(image, thorough=False), dots)
    if len(found) != len(wanted):  # once more, at leisure, before anybody is stopped
        found = _middles(read_image(rendered(page, 2 * dots)), 2 * dots)
    words = PageWords(page)
    known = {place.text for place in wanted}
    for place in wanted:
        _judge(place, found, known)
        if not _clean(image, place, ours[place.text], grid):
            raise _wrong(place, "smudged")
        side = place.width * symbols.SIZE / whole
        x, y = place.x + place.width / 2, place.y + place.width / 2
        if not words.number_near(place.number, x, y, side):
            raise _wrong(place, "swapped")
    if len(found) != len(wanted):
        raise _wrong(wanted[-1], "extra")


def _judge(place: Place, found: list[tuple[float, float, str]], known: set[str]) -> None:
    x, y = place.x + place.width / 2, place.y + place.width / 2
    here = [one for one in found if abs(one[0] - x) < PLACE_MM and abs(one[1] - y) < PLACE_MM]
    if not here:
        elsewhere = any(text == place.text for _, _, text in found)
        raise _wrong(place, "misplaced" if elsewhere else "missing")
    if any(text != place.text for _, _, text in here):
        raise _wrong(place, "swapped" if here[0][2] in known else "wrong")


def _wrong(place: Place, kind: str) -> WrongSymbol:
    """Names the plate, never its secret."""
    zh, en = REASONS[kind]
    return WrongSymbol(
        page=place.page + 1, number=place.number, kind=kind, reason_zh=zh, reason_en=en
    )


def _clean(image: Image, place: Place, symbol: symbols.Modules, grid: tuple[float, float]) -> bool:
    """Every module and the quiet zone, sampled in their middles, have their colour.

    `grid`: pixels a millimetre, across and down.
    """
    wanted = np.pad(symbol, symbols.QUIET)
    middles = (np.arange(len(wanted)) + 0.5) * place.width / len(wanted)
    rows = ((place.y + middles) * grid[1]).astype(int)
    columns = ((place.x + middles) * grid[0]).astype(int)
    if rows[-1] >= image.shape[0] or columns[-1] >= image.shape[1]:
        return False
    dark = image[np.ix_(rows, columns)] < 128
    return bool((dark == wanted).all())


def _middles(read: Iterable[Any], dots: float) -> list[tuple[float, float, str]]:
    return [(*middle(one, dots), one.text) for one in read if one.valid]
