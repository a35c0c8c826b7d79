"""The rows of a sheet and the texts that its cells share, heard from their XML, within bounds."""

from dataclasses import dataclass

from roadchief.streets.importing.spreadsheets import cells
from roadchief.streets.importing.spreadsheets.xml_pieces import TooMuch, Unfit

MOST_ROWS, MOST_COLUMNS, LONGEST_TEXT = 1_048_576, 16_384, 32_767  # what Excel can hold
MOST_CELLS = 20_000_000  # of a sheet, empty ones counted
MOST_TEXTS, MOST_SHARED = 3_000_000, 48_000_000  # shared texts, and their characters
MOST_WRITTEN = 500_000_000  # characters of a sheet, shared ones as often as they stand there
WIDEST = 500  # columns that are looked at


@dataclass(frozen=True)
class Row:
    line: int
    cells: list[str]
    length: int  # characters in all
    unsaved: int  # formulas without a result


class _Spoken:
    """Text between tags, joined; a reading aid above Chinese characters is no part of it."""

    def __init__(self) -> None:
        self.done = False
        self._said: list[str] = []
        self._length = 0
        self._hearing = self._aside = False

    def text(self, said: str) -> None:
        if self._hearing and not self._aside:
            self._said.append(said)
            self._length += len(said)
            if self._length > LONGEST_TEXT:
                raise TooMuch("a text")

    def _spoken(self) -> str:
        whole = "".join(self._said)
        self._said.clear()
        self._length = 0
        return whole


class Texts(_Spoken):
    """The texts that cells share."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[str] = []
        self._all = 0

    def start(self, name: str, facts: dict[str, str]) -> None:
        self._hearing = name == "t"
        self._aside = self._aside or name == "rPh"

    def end(self, name: str) -> None:
        self._hearing = False
        if name == "rPh":
            self._aside = False
        elif name == "si":
            self.taken.append(cells.plain(self._spoken()))
            self._all += len(self.taken[-1])
            if len(self.taken) > MOST_TEXTS or self._all > MOST_SHARED:
                raise TooMuch("texts")


class Rows(_Spoken):
    """Rows of one sheet as they are heard."""

    def __init__(self, texts: list[str], styles: cells.Styles, width: int) -> None:
        super().__init__()
        self.taken: list[Row] = []
        self._texts, self._styles, self._width = texts, styles, width
        self._letters: dict[str, int] = {}
        self._line = self._count = self._cells = self._column = 0
        self._written = self._before = self._unsaved = 0
        self._row: list[str] = []
        self._facts: dict[str, str] = {}
        self._formula = False

    def start(self, name: str, facts: dict[str, str]) -> None:
        if name == "c":
            self._begin_cell(facts)
        elif name in ("v", "t"):
            self._hearing = True
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._aside = True
        elif name == "row":
            self._begin_row(facts.get("r", ""))

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._hearing = False
        elif name == "c":
            self._end_cell()
        elif name == "rPh":
            self._aside = False
        elif name == "row":
            if any(cell.strip() for cell in self._row) or self._unsaved:
                length = self._written - self._before
                self.taken.append(Row(self._line, self._row, length, self._unsaved))
        elif name == "sheetData":
            self.done = True

    def _begin_row(self, said: str) -> None:
        self._line, self._count = whole(said) if said else self._line + 1, self._count + 1
        if max(self._line, self._count) > MOST_ROWS:
            raise TooMuch("rows")
        self._row, self._column, self._unsaved = [], 0, 0
        self._before = self._written

    def _begin_cell(self, facts: dict[str, str]) -> None:
        self._facts, self._formula = facts, False
        self._cells += 1
        self._column = self._column_of(facts["r"]) if "r" in facts else self._column + 1
        if self._cells > MOST_CELLS or self._column > MOST_COLUMNS:
            raise TooMuch("cells")

    def _end_cell(self) -> None:
        raw, sort = self._spoken(), self._facts.get("t", "n")
        if self._formula and not raw and sort != "str":  # an empty text is a result
            self._unsaved += 1
        if not raw or self._column > self._width:
            return
        if sort == "s":
            at = whole(raw.strip())
            if at >= len(self._texts):
                raise Unfit("no such text")
            text = self._texts[at]
        else:
            text = cells.shown(raw, sort, self._facts.get("s", "0"), self._styles)
        row, at = self._row, self._column - 1
        if at >= len(row):
            row.extend([""] * (at + 1 - len(row)))
        row[at] = text
        self._written += len(text)
        if self._written > MOST_WRITTEN:
            raise TooMuch("characters")

    def _column_of(self, place: str) -> int:
        """AB12 stands in column 28."""
        letters = place.rstrip("0123456789")
        found = self._letters.get(letters)
        if found is None:
            if not (1 <= len(letters) <= 3 and letters.isascii() and letters.isupper()):
                raise Unfit("no such column")
            found = 0
            for letter in letters:
                found = found * 26 + ord(letter) - 64
            self._letters[letters] = found
        return found


def whole(said: str) -> int:
    if not (said.isascii() and said.isdigit() and len(said) < 10):
        raise Unfit("no number")
    return int(said)
