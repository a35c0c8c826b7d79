"""Drawings on a case's sheet: the small map, the QR symbol, the photo with its line below."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import qrcode
import shapely
from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from roadchief.codes.writing import Hand
from roadchief.issues.sheets.surroundings import NORTH_M, Street, Surroundings

GROUND = {"building": "#E7E4DE", "green": "#DDEBD5", "water": "#D3E4F0"}
PAPER, ROAD, KERB = HexColor("#F6F5F2"), HexColor("#FFFFFF"), HexColor("#B9C1C6")
INK, SOFT, MARK = HexColor("#1F2A30"), HexColor("#5B6870"), HexColor("#B3261E")
ZONE = HexColor("#B07A00")
LABEL_PT, NUMBER_PT = 7.5, 5.5
SCALES_M = (50, 100, 200, 500, 1000, 2000)
LONGEST_SCALE = 110  # points
MOST_NUMBERS = 60
NEXT_TO = 12  # points: marks nearer than this would hide each other


class Map(Flowable):
    """Streets, houses and the place, north up. Lines and letters: sharp at every size."""

    def __init__(
        self,
        hand: Hand,
        seen: Surroundings,
        *,
        width: float,
        height: float,
        accuracy_m: float | None,
        attribution: str,
        north_m: float = NORTH_M,
        stops: Sequence[tuple[float, float]] | None = None,
    ) -> None:
        super().__init__()
        self.width, self.height = width, height
        self.hand, self.seen = hand, seen
        self.accuracy_m, self.attribution = accuracy_m, attribution
        self.stops = stops  # numbered, instead of the one place in the middle
        self.scale = height / (2 * north_m)  # points to the metre
        half = width / 2 / self.scale
        self.shown = shapely.box(-half, -north_m, half, north_m)

    def draw(self) -> None:
        canvas = self.canv
        canvas.saveState()
        edge = canvas.beginPath()
        edge.rect(0, 0, self.width, self.height)
        canvas.clipPath(edge, stroke=0, fill=0)
        canvas.setFillColor(PAPER)
        canvas.rect(0, 0, self.width, self.height, stroke=0, fill=1)
        canvas.translate(self.width / 2, self.height / 2)
        self._grounds(canvas)
        self._streets(canvas)
        self._zone(canvas)
        self._numbers(canvas)
        self._names(canvas)
        if self.stops is None:
            self._place(canvas)
        else:
            self._stops(canvas, self.stops)
        canvas.restoreState()
        self._edges(canvas)

    def _grounds(self, canvas: Canvas) -> None:
        for kind, shape in self.seen.grounds:
            canvas.setFillColor(HexColor(GROUND.get(kind, "#E7E4DE")))
            for part in polygons(shape.intersection(self.shown)):
                self._path(canvas, part.exterior.coords, fill=1, stroke=0)

    def _streets(self, canvas: Canvas) -> None:
        """All kerbs first, then all roadways, so that crossings are open."""
        canvas.setLineCap(1)
        canvas.setLineJoin(1)
        for colour, more in ((KERB, 0.9), (ROAD, 0.0)):
            canvas.setStrokeColor(colour)
            for street in self.seen.streets:
                canvas.setLineWidth(max(3.0, street.wide_m * self.scale) + more)
                self._path(canvas, street.line.coords, fill=0, stroke=1, closed=False)

    def _zone(self, canvas: Canvas) -> None:
        if self.seen.zone is None:
            return
        canvas.setStrokeColor(ZONE)
        canvas.setLineWidth(0.9)
        canvas.setDash(2.4, 1.6)
        for part in polygons(self.seen.zone):
            self._path(canvas, part.exterior.coords, fill=0, stroke=1)
        canvas.setDash()

    def _numbers(self, canvas: Canvas) -> None:
        """House numbers, nearest first, as long as they do not lie on each other."""
        near = sorted(self.seen.doors, key=lambda one: one[1].x ** 2 + one[1].y ** 2)
        taken = [shapely.box(-5, -5, 5, 9)]
        canvas.setFillColor(SOFT)
        for number, door in near[:MOST_NUMBERS]:
            words = number.removesuffix("号")[:8]
            half = len(words) * NUMBER_PT * 0.3 / self.scale
            box = shapely.box(door.x - half, door.y - 1.5, door.x + half, door.y + 1.5)
            if not any(box.intersects(other) for other in taken):
                taken.append(box)
                x, y = door.x * self.scale, door.y * self.scale - NUMBER_PT / 3
                self._write(canvas, words, x, y, NUMBER_PT)

    def _names(self, canvas: Canvas) -> None:
        """Each street's name once, along its longest piece in the frame, never upside down."""
        for name, piece in longest(self.seen.streets, self.shown).items():
            if piece.length * self.scale < len(name) * LABEL_PT * 1.2:
                continue
            middle = piece.length / 2
            a, b = (piece.interpolate(middle + step) for step in (-4.0, 4.0))
            turn = _degrees(a, b)
            at = piece.interpolate(middle)
            canvas.saveState()
            canvas.translate(at.x * self.scale, at.y * self.scale)
            canvas.rotate(turn)
            canvas.setFillColor(INK)
            self._write(canvas, name, 0, -LABEL_PT * 0.36, LABEL_PT)
            canvas.restoreState()

    def _place(self, canvas: Canvas) -> None:
        """Ring and dot; the circle of a doubtful position only where it can be seen."""
        reach = (self.accuracy_m or 0) * self.scale
        if 6 < reach < self.height:
            canvas.setStrokeColor(MARK)
            canvas.setLineWidth(0.6)
            canvas.setDash(1, 2)
            canvas.circle(0, 0, reach, stroke=1, fill=0)
            canvas.setDash()
        canvas.setFillColor(ROAD)
        canvas.setStrokeColor(MARK)
        canvas.setLineWidth(2)
        canvas.circle(0, 0, 5, stroke=1, fill=1)
        canvas.setFillColor(MARK)
        canvas.circle(0, 0, 2, stroke=0, fill=1)

    def _stops(self, canvas: Canvas, stops: Sequence[tuple[float, float]]) -> None:
        """Numbers in the order of the walk; those that would lie on each other share a mark."""
        for (x, y), numbers in shared([(x * self.scale, y * self.scale) for x, y in stops]):
            words = told(numbers)
            half = max(6.5, len(words) * LABEL_PT * 0.3 + 3)
            canvas.setFillColor(MARK)
            canvas.setStrokeColor(ROAD)
            canvas.setLineWidth(1)
            canvas.roundRect(x - half, y - 6.5, 2 * half, 13, 6.5, stroke=1, fill=1)
            canvas.setFillColor(ROAD)
            self._write(canvas, words, x, y - LABEL_PT * 0.36, LABEL_PT)

    def _edges(self, canvas: Canvas) -> None:
        canvas.setStrokeColor(KERB)
        canvas.setLineWidth(0.6)
        canvas.rect(0, 0, self.width, self.height, stroke=1, fill=0)
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(1)
        scale_m = max(
            (one for one in SCALES_M if one * self.scale <= LONGEST_SCALE), default=SCALES_M[0]
        )
        long = scale_m * self.scale
        canvas.line(8, 8, 8 + long, 8)
        canvas.line(8, 6, 8, 10)
        canvas.line(8 + long, 6, 8 + long, 10)
        canvas.setFillColor(INK)
        self._write(canvas, f"{scale_m} m", 8 + long / 2, 11, NUMBER_PT + 1)
        x, y = self.width - 12, self.height - 24
        arrow = canvas.beginPath()
        arrow.moveTo(x, y + 14)
        arrow.lineTo(x - 4, y + 4)
        arrow.lineTo(x + 4, y + 4)
        arrow.close()
        canvas.drawPath(arrow, stroke=0, fill=1)
        self._write(canvas, "N", x, y - 3, NUMBER_PT + 1)
        wide = len(self.attribution) * (NUMBER_PT - 0.5) * 0.4
        canvas.setFillColor(SOFT)
        self._write(canvas, self.attribution, self.width - 6 - wide, 3, NUMBER_PT - 0.5)

    def _write(self, canvas: Canvas, words: str, x: float, y: float, size: float) -> None:
        """Centred on x."""
        runs = list(self.hand.runs(words))
        wide = sum(canvas.stringWidth(run, font, size) for font, run in runs)
        text = canvas.beginText(min(x - wide / 2, self.width - wide - 4), y)
        for font, run in runs:
            text.setFont(font, size)
            text.textOut(run)
        canvas.drawText(text)

    def _path(
        self, canvas: Canvas, coords: Any, *, fill: int, stroke: int, closed: bool = True
    ) -> None:
        path = canvas.beginPath()
        for number, (x, y, *_) in enumerate(coords):
            (path.lineTo if number else path.moveTo)(x * self.scale, y * self.scale)
        if closed:
            path.close()
        canvas.drawPath(path, fill=fill, stroke=stroke)


class Symbol(Flowable):
    """A QR symbol as one filled path, with the light border that cameras need."""

    def __init__(self, content: str, side: float = 26 * mm) -> None:
        super().__init__()
        self.width = self.height = side
        symbol = qrcode.QRCode(border=4, error_correction=qrcode.constants.ERROR_CORRECT_M)
        symbol.add_data(content)
        symbol.make(fit=True)
        self.rows = symbol.get_matrix()

    def draw(self) -> None:
        module = self.width / len(self.rows)
        path = self.canv.beginPath()
        for y, row in enumerate(self.rows):
            for x, dark in enumerate(row):
                if dark:
                    # A hair over the edge: no seams between modules.
                    path.rect(x * module, self.height - (y + 1) * module, module + 0.05, module)
        self.canv.setFillColorRGB(0, 0, 0)
        self.canv.drawPath(path, stroke=0, fill=1)


def shared(
    places: Sequence[tuple[float, float]],
) -> list[tuple[tuple[float, float], list[int]]]:
    """Places with their numbers from 1 on; one that is nearly at an earlier one joins it."""
    found: list[tuple[tuple[float, float], list[int]]] = []
    for number, place in enumerate(places, start=1):
        beside = next((one for one in found if math.dist(one[0], place) < NEXT_TO), None)
        if beside:
            beside[1].append(number)
        else:
            found.append((place, [number]))
    return found


def told(numbers: Sequence[int]) -> str:
    """1,2 or 7-10: as short as can be."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]}-{numbers[-1]}"
    return ",".join(map(str, numbers))


def longest(streets: list[Street], frame: Any) -> dict[str, Any]:
    """The longest visible piece of each named street."""
    found: dict[str, Any] = {}
    for street in streets:
        for piece in lines(street.line.intersection(frame)):
            if piece.length > getattr(found.get(street.name), "length", 0):
                found[street.name] = piece
    return found


def polygons(shape: Any) -> Iterator[Any]:
    return (
        part
        for part in shapely.get_parts(shape)
        if part.geom_type == "Polygon" and not part.is_empty
    )


def lines(shape: Any) -> Iterator[Any]:
    return (
        part
        for part in shapely.get_parts(shape)
        if part.geom_type == "LineString" and not part.is_empty
    )


def _degrees(a: Any, b: Any) -> float:
    """The direction from a to b, between -90 and 90: letters stand on their feet."""
    turn = math.degrees(math.atan2(b.y - a.y, b.x - a.x))
    return turn - 180 if turn > 90 else turn + 180 if turn < -90 else turn
