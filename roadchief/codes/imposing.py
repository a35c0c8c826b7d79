"""Where pieces lie on their page, and where the knife goes. *Pure.*

Millimetres from the page's top left corner. Without a sheet there is one piece a page, with its
marks around it, as sign makers ask for.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from roadchief.codes.layouts import Layout, Sheet

ALONE_MARGIN = 10.0  # around one piece a page: bleed, marks and a line of text
MARK = 5.0  # greatest length of a crop mark
GAP = 0.6  # between bleed and mark


@dataclass(frozen=True, slots=True)
class Imposition:
    width: float
    height: float
    piece_width: float
    piece_height: float
    bleed: float
    slots: tuple[tuple[float, float], ...]  # top left corners of the cut pieces, row by row

    def cuts(self) -> Iterator[tuple[float, float, float, float]]:
        """Crop marks as lines (x, y, x, y), around the whole group of pieces."""
        columns = sorted({x for x, _ in self.slots})
        rows = sorted({y for _, y in self.slots})
        top, bottom = rows[0] - self.bleed, rows[-1] + self.piece_height + self.bleed
        left, right = columns[0] - self.bleed, columns[-1] + self.piece_width + self.bleed
        tall = min(MARK, top - GAP - 1)
        wide = min(MARK, left - GAP - 1)
        for x in (edge for column in columns for edge in (column, column + self.piece_width)):
            yield (x, top - GAP - tall, x, top - GAP)
            yield (x, bottom + GAP, x, bottom + GAP + tall)
        for y in (edge for row in rows for edge in (row, row + self.piece_height)):
            yield (left - GAP - wide, y, left - GAP, y)
            yield (right + GAP, y, right + GAP + wide, y)


def impose(layout: Layout, sheet: Sheet | None) -> Imposition:
    """As many pieces as the sheet carries, upright or lying; a piece too large lies alone."""
    best = _alone(layout)
    if sheet is None:
        return best
    most = 0
    for width, height in ((sheet.width, sheet.height), (sheet.height, sheet.width)):
        wide, tall = layout.width + 2 * sheet.bleed, layout.height + 2 * sheet.bleed
        columns = int((width - 2 * sheet.margin) // wide)
        rows = int((height - 2 * sheet.margin) // tall)
        if columns * rows <= most:
            continue
        most = columns * rows
        left = (width - columns * wide) / 2 + sheet.bleed
        top = (height - rows * tall) / 2 + sheet.bleed
        slots = tuple(
            (left + column * wide, top + row * tall)
            for row in range(rows)
            for column in range(columns)
        )
        best = Imposition(width, height, layout.width, layout.height, sheet.bleed, slots)
    return best


def _alone(layout: Layout) -> Imposition:
    return Imposition(
        layout.width + 2 * ALONE_MARGIN,
        layout.height + 2 * ALONE_MARGIN,
        layout.width,
        layout.height,
        layout.bleed,
        ((ALONE_MARGIN, ALONE_MARGIN),),
    )
