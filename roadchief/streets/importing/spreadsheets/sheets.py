"""Spreadsheets (.xlsx), the way most ledgers are kept, as tables are read: see ../tables.py.

The first sheet with rows is taken. A row keeps its number in the spreadsheet, hidden ones are rows
like others, formulas count by the result that was saved with them.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from roadchief.streets.importing import columns as text_columns
from roadchief.streets.importing.batches import BATCH, Batch, Source
from roadchief.streets.importing.contents import unreadable
from roadchief.streets.importing.spreadsheets.sheet_rows import Row
from roadchief.streets.importing.spreadsheets.workbooks import Book, Sheet, open_book
from roadchief.streets.importing.tables import MOST_TITLES, headings

MOST_TOGETHER = 8_000_000  # characters of a batch


def open_sheet(path: Path) -> Source:
    """Raises UnreadableFile with the reason."""
    book = open_book(path)
    sheet = next((one for one in book.sheets if _has_rows(book, one)), None)
    if sheet is None:
        raise unreadable(path, "工作簿里没有内容", "the workbook is empty")
    first = list(islice(book.rows(sheet), MOST_TITLES + 1))
    heading = next((row for row in first if _filled(row) > 1), first[0])
    columns = headings(heading.cells)
    if len(columns) < 2:
        raise unreadable(path, "第一行不是表头", "no header line, or one column")
    notes = ("title_skipped",) * (heading.line > 1)
    others = book.sheets[book.sheets.index(sheet) + 1 :]
    more = any(not one.hidden and _has_rows(book, one) for one in others)
    notes += ("more_sheets",) * more
    return Source(
        path, "XLSX", columns, None, False, notes,
        lambda: _batches(book, sheet, heading.line, columns),
    )  # fmt: skip


def _has_rows(book: Book, sheet: Sheet) -> bool:
    return next(book.rows(sheet), None) is not None


def _filled(row: Row) -> int:
    return sum(bool(cell.strip()) for cell in row.cells)


def _batches(book: Book, sheet: Sheet, heading: int, columns: list[str]) -> Iterator[Batch]:
    taken, length = list[Row](), 0
    for row in book.rows(sheet, len(columns)):
        if row.line > heading:
            taken.append(row)
            length += row.length
        if len(taken) == BATCH or length > MOST_TOGETHER:
            yield _batch(taken, columns)
            taken, length = [], 0
    if taken:
        yield _batch(taken, columns)


def _batch(rows: list[Row], columns: list[str]) -> Batch:
    width = len(columns)
    filled: Iterable[list[str]] = (row.cells + [""] * (width - len(row.cells)) for row in rows)
    values = {
        name: text_columns.of(cells)
        for name, cells in zip(columns, zip(*filled, strict=True), strict=True)
    }
    lines = np.array([row.line for row in rows], dtype=np.int64)
    unsaved = sum(row.unsaved for row in rows)
    nowhere = np.full(len(rows), None, dtype=object)
    notes = {"unsaved_formulas": unsaved} if unsaved else {}
    return Batch(rows[0].line, nowhere, values, lines, notes)
