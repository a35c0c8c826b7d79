"""Words on sheets that flow over pages: everyday letters, and rare ones set among them.

Plates are composed piece by piece (`paper`); reports and case sheets are paragraphs. Both draw
with the same letters, so that a rare name reads the same on the plate and in the file.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

from arabic_reshaper import reshape
from bidi import get_display
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph

from roadchief.codes import fonts, lettering

WEIGHTS = ("regular", "bold")
AT_ONCE = 2000  # characters of one paragraph: longer ones are slow to break and hard to read
CHINESE = "\u2e80"  # from here on lines may be broken between any two characters


class Hand:
    """The letters of one sheet. All its words are told first, so that rare ones are cut once."""

    def __init__(self, words: Iterable[str]) -> None:
        rare = set().union(*(letters_of(text) for text in words)) - fonts.everyday()
        self.everyday: dict[str, str] = {}
        self.rare: dict[str, str] = {}
        self.known = {one for one in rare if fonts.source_of(one, "regular")}
        for weight in WEIGHTS:
            face = lettering.everyday_face(weight)
            pdfmetrics.registerFont(face)
            self.everyday[weight] = self.rare[weight] = face.fontName
            if self.known:
                mark = hashlib.sha256("".join(sorted(self.known)).encode()).hexdigest()[:12]
                self.rare[weight] = f"RoadChief-{weight}-{mark}"
                made = fonts.cut(self.known, weight)
                pdfmetrics.registerFont(TTFont(self.rare[weight], BytesIO(made)))

    def style(self, size: float, *, weight: str = "regular", **more: Any) -> ParagraphStyle:
        """A style of these letters; lines stand half as far apart again as letters are high."""
        given = {"leading": size * 1.45} | more
        return ParagraphStyle("sheet", fontName=self.everyday[weight], fontSize=size, **given)

    def set(self, text: str, style: ParagraphStyle, *, width: float = 160) -> list[Paragraph]:
        """Paragraphs of a text, one or more for each of its lines; an empty line stays one.

        `width` in millimetres: lines written from the right are broken here, then turned.
        """
        flow = []
        for line in lines_of(text):
            for part in portions(line):
                if lettering.written_from_the_right(part):
                    flow += self._from_the_right(part, style, width)
                else:
                    flow.append(self._paragraph(part, style))
        return flow

    def one(self, text: str, style: ParagraphStyle) -> Paragraph:
        """A text that is one paragraph, such as a cell."""
        return self._paragraph(" ".join(lines_of(text)), style)

    def runs(self, text: str, weight: str = "regular") -> Iterator[tuple[str, str]]:
        """(font, letters) of a text that can be drawn, for drawing it on the canvas."""
        for rare, run in groupby(text, lambda one: one in self.known):
            yield (self.rare if rare else self.everyday)[weight], "".join(run)

    def _from_the_right(self, text: str, style: ParagraphStyle, width: float) -> list[Paragraph]:
        weight, size = self._weight(style), style.fontSize
        broken = lettering.fit(
            text, width, size=size, least=size, lines=AT_ONCE, weight=weight, spacing=0.0
        )
        return [self._marked(line, style) for line in broken.lines]

    def _paragraph(self, text: str, style: ParagraphStyle) -> Paragraph:
        weight = self._weight(style)
        plain, _lacking = lettering.drawable(text, weight)
        if lettering.written_from_the_right(plain):
            plain = str(get_display(lettering.joined(plain, weight)))
        return self._marked(plain, style)

    def _marked(self, plain: str, style: ParagraphStyle) -> Paragraph:
        weight = self._weight(style)
        shown = "".join(one if self._has(one) else lettering.MISSING for one in plain)
        marked = "".join(
            escape(run)
            if font == self.everyday[weight]
            else f'<font name="{font}">{escape(run)}</font>'
            for font, run in self.runs(shown, weight)
        )
        chinese = any(one >= CHINESE for one in shown)
        way = ParagraphStyle("line", parent=style, wordWrap="CJK" if chinese else None)
        return Paragraph(marked or "\u00a0", way)

    def _weight(self, style: ParagraphStyle) -> str:
        return "bold" if style.fontName == self.everyday["bold"] else "regular"

    def _has(self, character: str) -> bool:
        return character in self.known or character in fonts.everyday()


def letters_of(text: str) -> set[str]:
    """The characters that a text is drawn with: composed, and Arabic ones in joined shapes too."""
    plain = unicodedata.normalize("NFC", text)
    found = {one for one in plain if not one.isspace()}
    if lettering.written_from_the_right(plain):
        found |= set(reshape(plain))
    return found


def lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()] or [""]


def portions(line: str) -> list[str]:
    """A very long line in parts that a page can hold."""
    return [line[start : start + AT_ONCE] for start in range(0, len(line), AT_ONCE)] or [""]
