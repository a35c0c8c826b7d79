"""Symbols read from any PDF: what a file says, not what somebody meant it to say.

`check_print` takes any file, also one that came back from a sign maker, and compares what it finds
with what was ordered. Our own print is judged more strictly by `proofing`, which knows every place.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pypdfium2
import zxingcpp
from numpy.typing import NDArray
from pypdfium2 import raw

from roadchief.errors import BadInput, Refusal

MM = 25.4
COARSE, FINE = 150, 300  # dots an inch for files of others
AFRESH = 400  # pages after which the file is opened again: a reader keeps every font it met
MOST_PIXELS = 60_000_000
Image = NDArray[np.uint8]
pdfium = Lock()  # the library is not made for threads


class NotReadable(BadInput):
    zh = "“{name}”不是可以打开的 PDF：{reason}"
    en = "{name} is not a PDF that can be opened: {reason}"


class WrongSymbol(Refusal):
    """A symbol of our own print does not say what it should: nothing may be handed out."""

    zh = "印刷回读不符：第 {page} 页，牌号 {number}：{reason_zh}。本批已停止，未生成文件"
    en = "read-back failed: page {page}, plate {number}: {reason_en}. The batch was stopped"


REASONS = {
    "missing": ("读不出二维码", "no symbol can be read"),
    "wrong": ("内容不是此牌的", "it says something else"),
    "swapped": ("印成了另一块牌的码", "it is another plate's symbol"),
    "misplaced": ("位置偏离", "it is not at its place"),
    "smudged": ("码内或静区有杂物", "something lies on it or in its quiet zone"),
    "extra": ("多出一个码", "there is a symbol too many"),
    "repeated": ("同一个码印了不止一次", "the same symbol is printed more than once"),
    "unreadable": ("有码但读不出", "a symbol is there but cannot be read"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A symbol that was read: page from 1, its middle from the top left corner, words near it."""

    page: int
    x_mm: float
    y_mm: float
    text: str
    words: str = ""

    def stands_beside(self, number: str) -> bool:
        """True when this plate number is printed near the symbol."""
        return re.search(rf"(?<![\w-]){re.escape(number)}(?![\w-])", self.words) is not None


@dataclass(frozen=True, slots=True)
class Fault:
    page: int  # 0: nowhere in the file
    place: int  # which symbol of the file, in reading order from 1; 0: not one that was read
    kind: str
    expected: str
    found: str

    def sentence(self, language: str = "zh") -> str:
        zh, en = REASONS[self.kind]
        if not self.page:
            return f"全文件：{zh}" if language.startswith("zh") else f"in the whole file: {en}"
        if language.startswith("zh"):
            return f"第 {self.page} 页{f'，第 {self.place} 个码' if self.place else ''}：{zh}"
        return f"page {self.page}{f', symbol {self.place}' if self.place else ''}: {en}"


@dataclass(frozen=True, slots=True)
class CheckReport:
    pages: int
    found: tuple[Found, ...]
    faults: tuple[Fault, ...] = field(default=())

    @property
    def good(self) -> bool:
        return bool(self.found) and not self.faults

    def sentence(self, language: str = "zh") -> str:
        if language.startswith("zh"):
            verdict = "全部相符" if self.good else f"有 {len(self.faults)} 处不符"
            return f"{self.pages} 页，读出 {len(self.found)} 个码，{verdict}"
        verdict = "all as expected" if self.good else f"{len(self.faults)} faults"
        return f"{self.pages} pages, {len(self.found)} symbols read, {verdict}"


def read_image(image: Image, *, thorough: bool = True) -> list[Any]:
    """QR symbols in a grey picture; `thorough` also looks for turned, small and inverted ones."""
    return list(
        zxingcpp.read_barcodes(
            image,
            formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode),
            try_rotate=thorough,
            try_downscale=thorough,
            try_invert=thorough,
            text_mode=zxingcpp.TextMode.Plain,
            return_errors=thorough,
        )
    )


def middle(one: Any, dots: float) -> tuple[float, float]:
    corners = one.position
    ends = (corners.top_left, corners.bottom_right, corners.top_right, corners.bottom_left)
    x = sum(corner.x for corner in ends) / 4
    y = sum(corner.y for corner in ends) / 4
    return x / dots * MM, y / dots * MM


def check_print(
    path: Path,
    expected: Iterable[str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> CheckReport:
    """Read any file's symbols and compare them with the expected texts.

    A list says the order, page by page and row by row; a set only what must be there; a mapping
    also which number must stand beside which text. Without any of them, pages without a symbol,
    unreadable symbols and repeated ones are the faults.
    """
    found: list[Found] = []
    faults: list[Fault] = []
    with pdfium, opened(path) as document:
        pages = len(document)
    for start in range(0, pages, AFRESH):
        with pdfium, opened(path) as document:
            for number in range(start, min(start + AFRESH, pages)):
                page = document[number]
                here, unreadable = _read_page(page, number + 1)
                page.close()
                found += here
                if unreadable or not here:
                    kind = "unreadable" if unreadable else "missing"
                    faults.append(Fault(number + 1, 0, kind, "", ""))
                if progress:
                    progress(number + 1)
    if expected is None:
        faults += _repeated(found, Counter())
    elif isinstance(expected, Mapping):
        faults += [*_differences(found, expected), *_beside_another_number(found, expected)]
    elif isinstance(expected, set | frozenset):
        faults += _differences(found, expected)
    else:
        faults += _differences_in_order(found, list(expected))
    return CheckReport(pages, tuple(found), tuple(faults))


def _read_page(page: Any, number: int) -> tuple[list[Found], bool]:
    """The page's symbols in reading order, and whether one is there that cannot be read."""
    for dots in (COARSE, FINE):
        read = read_image(rendered(page, dots))
        broken = any(not one.valid for one in read)
        if read and not broken:
            break
    words = PageWords(page)
    found = []
    for one in read:
        if one.valid:
            x, y = middle(one, dots)
            side = abs(one.position.top_right.x - one.position.top_left.x) / dots * MM
            found.append(Found(number, x, y, one.text, words.near(x, y, side)))
    tall = 40.0  # symbols whose middles lie within this band, in mm, stand in one row
    rows: list[list[Found]] = []
    for one in sorted(found, key=lambda each: each.y_mm):
        if rows and one.y_mm - rows[-1][0].y_mm < tall:
            rows[-1].append(one)
        else:
            rows.append([one])
    return [one for row in rows for one in sorted(row, key=lambda each: each.x_mm)], broken


class PageWords:
    """The words of a page, by where they stand around a symbol's dark part."""

    def __init__(self, page: Any) -> None:
        self.height = page.get_height()
        self.words = page.get_textpage()

    def near(self, x: float, y: float, side: float) -> str:
        """What is printed around and below a symbol with this middle and side."""
        said = []
        for at in range(self.words.count_chars()):
            letter = self._letter(at)
            if letter.isspace() or self._is_near(at, x, y, side):
                said.append(letter)
        return " ".join("".join(said).split())

    def number_near(self, number: str, x: float, y: float, side: float) -> bool:
        """True when this number is printed there, and not only as a part of a longer one."""
        search = self.words.search(number, match_case=True)
        while found := search.get_next():
            at, length = found
            around = self._letter(at - 1) + self._letter(at + length)
            if not any(one.isalnum() or one == "-" for one in around) and self._is_near(
                at, x, y, side
            ):
                return True
        return False

    def _letter(self, at: int) -> str:
        within = 0 <= at < self.words.count_chars()
        code = raw.FPDFText_GetUnicode(self.words, at) if within else 0
        return chr(code) if code else " "

    def _is_near(self, at: int, x: float, y: float, side: float) -> bool:
        left, bottom, right, top = (edge / 72 * MM for edge in self.words.get_charbox(at))
        across = (left + right) / 2 - x
        down = self.height / 72 * MM - (bottom + top) / 2 - y
        return abs(across) < 1.05 * side and -side < down < 1.75 * side


def _differences_in_order(found: list[Found], expected: list[str]) -> Iterator[Fault]:
    if len(found) != len(expected):
        yield from _differences(found, expected)
        return
    printed = {one.text for one in found}
    for number, (one, text) in enumerate(zip(found, expected, strict=True), 1):
        if one.text != text:
            kind = "swapped" if one.text in expected and text in printed else "wrong"
            yield Fault(one.page, number, kind, text, one.text)


def _differences(found: list[Found], expected: Iterable[str]) -> Iterator[Fault]:
    wanted = Counter(iter(expected))
    printed = {one.text for one in found}
    for number, one in enumerate(found, 1):
        if one.text not in wanted:
            yield Fault(one.page, number, "extra", "", one.text)
    for text in wanted:
        if text not in printed:
            yield Fault(0, 0, "missing", text, "")
    yield from _repeated(found, wanted)


def _beside_another_number(found: list[Found], numbers: Mapping[str, str]) -> Iterator[Fault]:
    for place, one in enumerate(found, 1):
        number = numbers.get(one.text)
        if number is not None and not one.stands_beside(number):
            yield Fault(one.page, place, "swapped", "", one.text)


def _repeated(found: list[Found], allowed: Counter[str]) -> Iterator[Fault]:
    seen: Counter[str] = Counter()
    for number, one in enumerate(found, 1):
        seen[one.text] += 1
        if seen[one.text] > max(allowed[one.text], 1):
            yield Fault(one.page, number, "repeated", "", one.text)


def opened(path: Path) -> Any:
    try:
        return pypdfium2.PdfDocument(path)
    except (pypdfium2.PdfiumError, OSError) as fault:
        raise NotReadable(name=path.name, reason=str(fault)[:120]) from None


def rendered(page: Any, dots: float) -> Image:
    """The page as a grey picture of so many dots an inch."""
    width, height = page.get_size()
    scale = dots / 72
    if width * height * scale * scale > MOST_PIXELS:
        raise NotReadable(name="PDF", reason=f"{width:.0f} × {height:.0f} pt")
    image: Image = page.render(scale=scale, grayscale=True).to_numpy()
    return image.reshape(image.shape[0], -1)
