"""Pieces drawn on PDF pages: vector modules, embedded letters, marks for the knife."""

import hashlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import groupby
from typing import BinaryIO

import numpy as np
from fontTools.pens.recordingPen import RecordingPen
from fontTools.pens.transformPen import TransformPen
from fontTools.svgLib.path import parse_path
from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from roadchief.codes import fonts, layouts, symbols
from roadchief.codes.artwork import Composed, Piece, fixed
from roadchief.codes.imposing import Imposition
from roadchief.codes.layouts import Element, Layout
from roadchief.codes.lettering import everyday_face

rl_config.useA85 = 0  # streams as bytes: a quarter smaller than the text form

MM = 72 / 25.4
ICON = 24  # icons are drawn on a field of this size, with strokes of two
# The three corners are alike in every symbol and stand alone: they are drawn with what is fixed.
FINDERS = np.zeros((symbols.SIZE, symbols.SIZE), bool)
FINDERS[:7, :7] = FINDERS[:7, -7:] = FINDERS[-7:, :7] = True
SLUG = 5.5  # points: the line outside the cut that tells pieces apart


class Paper:
    """One PDF file in the making. All its pieces share a layout and an imposition."""

    def __init__(
        self, target: BinaryIO, layout: Layout, imposition: Imposition, words: Sequence[Composed]
    ) -> None:
        self.layout = layout
        self.imposition = imposition
        self.size = (round(imposition.width * MM, 2), round(imposition.height * MM, 2))
        self.canvas = Canvas(target, pagesize=self.size, pageCompression=1, invariant=1)
        self.letters = _Letters(words, layout)
        # What all pieces of this file happen to say (office, host, phone) is drawn once as well.
        self.common = frozenset(words[0].pieces).intersection(*(one.pieces for one in words))
        self.filled = 0
        _tell_of_cut(self.canvas, imposition)
        self.canvas.setTitle(layout.en)
        self.canvas.beginForm("piece", *self._bleed_box())
        self._draw_fixed()
        self.canvas.endForm()
        self.canvas.beginForm("cuts", 0, 0, *self.size)
        self._draw_cuts()
        self.canvas.endForm()

    def add(self, words: Composed, symbol: symbols.Modules, label: str) -> tuple[int, float, float]:
        """Draw one piece in the next free place; its page (from 0) and place in millimetres."""
        slots = self.imposition.slots
        if self.filled and self.filled % len(slots) == 0:
            self._turn_over()
        x, y = slots[self.filled % len(slots)]
        page = self.filled // len(slots)
        self.filled += 1
        canvas = self.canvas
        canvas.saveState()
        canvas.translate(round(x * MM, 3), round(self.size[1] - y * MM, 3))
        canvas.doForm("piece")
        canvas.addLiteral(modules_drawn(symbol & ~FINDERS, self.layout.symbol))
        self._write([piece for piece in words.pieces if piece not in self.common])
        canvas.restoreState()
        if len(slots) == 1:
            self._label(label)
        return page, x, y

    def finish(self) -> None:
        if self.filled:
            self._turn_over()
        self.canvas.save()

    def _turn_over(self) -> None:
        self.canvas.doForm("cuts")
        self.canvas.showPage()

    def _draw_cuts(self) -> None:
        self.canvas.setStrokeColorRGB(0, 0, 0)
        self.canvas.setLineWidth(0.25)
        height = self.imposition.height
        self.canvas.lines(
            [
                (x1 * MM, (height - y1) * MM, x2 * MM, (height - y2) * MM)
                for x1, y1, x2, y2 in self.imposition.cuts()
            ]
        )

    def _bleed_box(self) -> tuple[float, float, float, float]:
        bleed = self.imposition.bleed
        wide, tall = self.layout.width + bleed, self.layout.height + bleed
        return (-bleed * MM, -tall * MM, wide * MM, bleed * MM)

    def _draw_fixed(self) -> None:
        for element in self.layout.elements:
            if element.what == "box":
                draw_box(self.canvas, element)
            elif element.what == "line":
                self.canvas.setStrokeColor(HexColor(layouts.colour(element.stroke)))
                self.canvas.setLineWidth(element.thick * MM)
                y = -element.y * MM
                self.canvas.line(element.x * MM, y, (element.x + element.w) * MM, y)
            elif element.what == "icon":
                draw_icon(self.canvas, element)
        finders = np.zeros((symbols.SIZE, symbols.SIZE), bool)
        finders[FINDERS] = symbols.modules("0")[FINDERS]
        self.canvas.addLiteral(modules_drawn(finders, self.layout.symbol))
        self._write([*fixed(self.layout), *sorted(self.common, key=lambda one: one.y)])

    def _write(self, pieces: Sequence[Piece]) -> None:
        text = self.canvas.beginText()
        fill, gap = "", 0.0
        for piece in pieces:
            if piece.fill != fill:
                fill = piece.fill
                text.setFillColor(HexColor(layouts.colour(fill)))
            if piece.spacing * piece.size != gap:
                gap = piece.spacing * piece.size
                text.setCharSpace(gap)
            text.setTextOrigin(round(piece.x * MM, 2), round(-piece.y * MM, 2))
            for name, run in self.letters.runs(piece):
                text.setFont(name, piece.size)
                text.textOut(run)
        self.canvas.drawText(text)

    def _label(self, label: str) -> None:
        """Outside the cut, so that a pile of pieces can be told apart before it is cut."""
        plain = "".join(one for one in label if one in fonts.everyday())[:80]
        self.canvas.setFillColorRGB(0.4, 0.4, 0.4)
        self.canvas.setFont(self.letters.everyday["regular"], SLUG)
        x, _ = self.imposition.slots[0]
        self.canvas.drawString(round((x + 4) * MM, 1), round(2 * MM, 1), plain)


class _Letters:
    """The everyday fonts, and one of each weight with the rare characters of this file."""

    def __init__(self, words: Sequence[Composed], layout: Layout) -> None:
        self.everyday: dict[str, str] = {}
        self.rare: dict[str, str] = {}
        pieces = [*fixed(layout), *(piece for one in words for piece in one.pieces)]
        for weight in fonts.SOURCES:
            face = everyday_face(weight)
            pdfmetrics.registerFont(face)
            self.everyday[weight] = face.fontName
            wanted = {one for piece in pieces if piece.weight == weight for one in piece.text}
            rare = wanted - fonts.everyday()
            if rare:
                mark = hashlib.sha256("".join(sorted(rare)).encode()).hexdigest()[:12]
                self.rare[weight] = f"RoadChief-{weight}-{mark}"
                made = fonts.cut(rare, weight)
                pdfmetrics.registerFont(TTFont(self.rare[weight], BytesIO(made)))

    def runs(self, piece: Piece) -> Iterator[tuple[str, str]]:
        everyday = fonts.everyday()
        for common, run in groupby(piece.text, lambda one: one in everyday):
            names = self.everyday if common else self.rare
            yield names[piece.weight], "".join(run)


def modules_drawn(symbol: symbols.Modules, field: Element) -> str:
    """PDF operators for the dark modules: one path, so that no seam shows between rows."""
    module = field.w / (symbols.SIZE + 2 * symbols.QUIET) * MM
    x, y = field.x * MM + symbols.QUIET * module, -field.y * MM - symbols.QUIET * module
    path = " ".join(f"{column} {row} {length} 1 re" for column, row, length in symbols.runs(symbol))
    return f"q {module:.4f} 0 0 {-module:.4f} {x:.3f} {y:.3f} cm 0 g {path} f Q"


def draw_box(canvas: Canvas, element: Element) -> None:
    if element.fill:
        canvas.setFillColor(HexColor(layouts.colour(element.fill)))
    if element.stroke:
        canvas.setStrokeColor(HexColor(layouts.colour(element.stroke)))
        canvas.setLineWidth(element.thick * MM)
    canvas.roundRect(
        element.x * MM,
        -(element.y + element.h) * MM,
        element.w * MM,
        element.h * MM,
        element.radius * MM,
        stroke=int(bool(element.stroke)),
        fill=int(bool(element.fill)),
    )


def draw_icon(canvas: Canvas, element: Element) -> None:
    scale = element.w * MM / ICON
    canvas.setStrokeColor(HexColor(layouts.colour(element.stroke)))
    canvas.setLineWidth(2 * scale)
    canvas.setLineCap(1)
    canvas.setLineJoin(1)
    path = canvas.beginPath()
    strokes = RecordingPen()
    placed = TransformPen(strokes, (scale, 0, 0, -scale, element.x * MM, -element.y * MM))
    for stroke in layouts.icon(element.icon):
        parse_path(stroke, placed)
    drawn = {"moveTo": path.moveTo, "lineTo": path.lineTo, "curveTo": path.curveTo}
    for act, points in strokes.value:
        if act == "closePath":
            path.close()
        elif act in drawn:
            drawn[act](*(number for point in points for number in point))
    canvas.drawPath(path, stroke=1, fill=0)


def _tell_of_cut(canvas: Canvas, imposition: Imposition) -> None:
    """Boxes that tell a sign maker's software where one piece a page ends."""
    if len(imposition.slots) > 1:
        return
    (x, y), bleed = imposition.slots[0], imposition.bleed
    left, bottom = x, imposition.height - y - imposition.piece_height
    right, top = x + imposition.piece_width, imposition.height - y
    canvas.setTrimBox(tuple(round(edge * MM, 2) for edge in (left, bottom, right, top)))
    edges = (left - bleed, bottom - bleed, right + bleed, top + bleed)
    canvas.setBleedBox(tuple(round(edge * MM, 2) for edge in edges))
