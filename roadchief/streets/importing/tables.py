"""Tables: CSV with comma, semicolon, tab or bar, in any of the usual encodings.

Read by Python, because the tables we meet differ in encoding, separator and column names, and a
broken row is to be found by its line.
"""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from roadchief.streets.importing import columns as text_columns
from roadchief.streets.importing.batches import BATCH, Batch, Source
from roadchief.streets.importing.contents import unreadable

SAMPLE_BYTES = 256 * 1024
LONGEST_FIELD = 1_000_000
LONGEST_HEADING = 100
MOST_TITLES = 4


def open_table(path: Path, encoding: str | None) -> Source:
    encoding = encoding or guess_encoding(path)
    try:
        with path.open(encoding=encoding, newline="") as file:
            sample = file.read(SAMPLE_BYTES)
    except (UnicodeError, LookupError) as error:
        raise unreadable(path, f"编码不是 {encoding}", f"it is not {encoding}") from error
    if "\x00" in sample or sample.lstrip().startswith(("PK\x03", "{", "SQLite")):
        raise unreadable(path, "不是文本表格", "it is not a text table")
    separator, above = _heading(sample)
    lines = csv.reader(io.StringIO(sample), delimiter=separator)
    header = next(islice(lines, above, None), [])
    columns = headings(header)
    if len(columns) < 2:
        raise unreadable(path, "第一行不是表头，或分隔符无法识别", "no header line, or one column")
    return Source(
        path,
        "CSV",
        columns,
        encoding,
        False,
        ("title_skipped",) * (above > 0),
        lambda: _table_batches(path, encoding or "utf-8", separator, above, columns),
    )


def _table_batches(
    path: Path, encoding: str, separator: str, above: int, columns: list[str]
) -> Iterator[Batch]:
    """Rows keep the line they begin on: that is what a person sees in an editor."""
    csv.field_size_limit(LONGEST_FIELD)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        next(islice(reader, above, None), None)
        lines, line = list[int](), reader.line_num
        rows: list[list[str]] = []
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise unreadable(path, f"第 {line} 行：{error}", f"line {line}: {error}") from error
            if row and any(cell.strip() for cell in row):
                rows.append(row + [""] * (len(columns) - len(row)))
                lines.append(line)
            if rows and (row is None or len(rows) == BATCH):
                values = {
                    name: text_columns.of(cells)
                    for name, cells in zip(columns, zip(*rows, strict=False), strict=False)
                }
                nowhere = np.full(len(rows), None, dtype=object)
                yield Batch(lines[0], nowhere, values, np.array(lines, dtype=np.int64))
                rows, lines = [], []
            if row is None:
                return


def headings(cells: list[str]) -> list[str]:
    """Names of the columns, each once; one without a name has its number, empty ends are none."""
    names = [cell.strip()[:LONGEST_HEADING] for cell in cells]
    while names and not names[-1]:
        names.pop()
    found: dict[str, None] = {}
    for at, name in enumerate(names, 1):
        while not name or name in found:
            name = f"{name} #{at}".strip()
        found[name] = None
    return list(found)


def guess_encoding(path: Path) -> str:
    """BOM first, then UTF-8, then GB18030, which reads GBK and GB 2312 too."""
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if head.startswith(mark):
            return name
    for name in ("utf-8", "gb18030"):
        try:
            head[: len(head) - 3 if len(head) == SAMPLE_BYTES else None].decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return "gb18030"


def _heading(sample: str) -> tuple[str, int]:
    """The separator, and how many lines of a title stand above the headings.

    A ledger often begins with its name, alone in its line, before the headings.
    """
    first = sample.splitlines()[: MOST_TITLES + 1] if sample.strip() else [""]
    for above, line in enumerate(first):
        separator = max((",", ";", "\t", "|"), key=line.count)
        cells = next(csv.reader([line], delimiter=separator), [])
        if line.count('"') % 2 or sum(bool(cell.strip()) for cell in cells) > 1:
            return separator, above
    return max((",", ";", "\t", "|"), key=first[0].count), 0
