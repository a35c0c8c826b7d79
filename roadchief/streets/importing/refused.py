"""All refused rows of an import as a table: the report tells the first ones, a file keeps all.

They are written as they are met and read as they are sent, so that a million costs no memory.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path

from roadchief.lib.text import harmless_cell
from roadchief.streets.importing.report import FIELDS, REASONS, Problem

KEPT = ".refused.jsonl.gz"  # beside the uploaded file, whose name never begins with a dot
HEADINGS = (("行", "字段", "值", "原因"), ("Line", "Field", "Value", "Reason"))
Keep = Callable[[Problem], object]


@contextmanager
def keeping(path: Path) -> Iterator[Keep]:
    """What is told is in the file once all is told; the file of a former run stays until then."""
    making = path.with_name(path.name + ".making")
    try:
        with gzip.open(making, "wt", compresslevel=4, encoding="utf-8") as file:
            yield lambda problem: file.write(json.dumps(astuple(problem)) + "\n")
        making.replace(path)
    finally:
        making.unlink(missing_ok=True)


def kept(path: Path) -> Iterator[Problem]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from (Problem(*json.loads(row)) for row in file)


@contextmanager
def as_sheet(path: Path, language: str) -> Iterator[Keep]:
    """What is told is a table at `path`."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(_headings(language))
        yield lambda problem: sheet.writerow(_cells(problem, language))


def lines(problems: Iterable[Problem], language: str) -> Iterator[str]:
    """A table for a spreadsheet, line by line. No cell begins a formula."""
    out = io.StringIO(newline="")
    sheet = csv.writer(out)
    out.write("\ufeff")
    sheet.writerow(_headings(language))
    for problem in problems:
        sheet.writerow(_cells(problem, language))
        if out.tell() > 1 << 16:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def _headings(language: str) -> tuple[str, ...]:
    return HEADINGS[0 if language == "zh" else 1]


def _cells(problem: Problem, language: str) -> list[object]:
    index = 0 if language == "zh" else 1
    named = FIELDS.get(problem.field, (problem.field,) * 2)[index]
    why = REASONS.get(problem.reason, (problem.reason,) * 2)[index]
    return [problem.line or "", *map(harmless_cell, (named, problem.value, why))]
