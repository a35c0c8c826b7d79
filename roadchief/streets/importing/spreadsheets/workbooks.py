"""The inside of an .xlsx: a zip of XML. Its sheets as rows of texts, one by one.

Memory does not grow with the rows; the shared texts are kept, within a bound.
"""

import posixpath
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from roadchief.streets.importing import contents
from roadchief.streets.importing.contents import unreadable
from roadchief.streets.importing.spreadsheets import cells
from roadchief.streets.importing.spreadsheets.sheet_rows import WIDEST, Row, Rows, Texts, whole
from roadchief.streets.importing.spreadsheets.xml_pieces import (
    Foreign,
    Listener,
    TooMuch,
    Unfit,
    listen,
)

MOST_STYLES = 70_000
MOST_SHEETS = 1_000
LIMITS = {"sheet": MOST_SHEETS, "Relationship": 10_000, "xf": MOST_STYLES, "numFmt": MOST_STYLES}


@dataclass(frozen=True)
class Sheet:
    name: str
    member: str
    hidden: bool


@dataclass
class Book:
    """An opened workbook: its visible sheets first, the texts that cells share, the formats."""

    path: Path
    sheets: list[Sheet]
    texts: list[str]
    styles: cells.Styles

    def rows(self, sheet: Sheet, width: int = WIDEST) -> Iterator[Row]:
        """Rows that are not empty, with as many cells as `width` allows."""
        with _told(self.path), zipfile.ZipFile(self.path) as archive:
            taker = Rows(self.texts, self.styles, width)
            with archive.open(sheet.member) as stream:
                for _piece in listen(stream, taker):
                    yield from taker.taken
                    taker.taken.clear()


def open_book(path: Path) -> Book:
    """Raises UnreadableFile with the reason."""
    with _told(path):
        names = _members(path)
        with zipfile.ZipFile(path) as archive:
            return _book(path, archive, names)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What breaks while a workbook is read, in words for a person."""
    try:
        yield
    except TooMuch as error:
        raise unreadable(
            path,
            "表格过大，请删去多余的空行空列和文字，或分成几个文件",
            "the spreadsheet is too large: delete empty rows and columns, or split it",
        ) from error
    except Foreign as error:
        raise unreadable(
            path,
            f"工作簿里有表格软件不会写的内容（{error}），请用 Excel 或 WPS 另存一份",
            f"the workbook holds what no spreadsheet program writes ({error}): "
            "save a copy in Excel or WPS",
        ) from error
    except (Unfit, *contents.BROKEN) as error:
        raise unreadable(
            path,
            "工作簿已损坏或不完整，请用 Excel 或 WPS 打开后重新保存为 .xlsx",
            "the workbook is broken or cut short: open it in Excel or WPS and save it again",
        ) from error


def _members(path: Path) -> dict[str, str]:
    """The parts of a workbook by their plain names; some programs write \\ and capitals."""
    contents.check_workbook(path)
    members = contents.members_of(path)
    names = {one.filename.replace("\\", "/").lstrip("/").lower(): one.filename for one in members}
    if any(name.endswith("vbaproject.bin") for name in names):
        raise contents.has_macros(path)
    if "[content_types].xml" not in names:
        raise contents.no_workbook(path)
    return names


def _book(path: Path, archive: zipfile.ZipFile, names: dict[str, str]) -> Book:
    main = next(
        (to for kind, to in _links(archive, names, "").values() if kind == "officeDocument"), None
    )
    if main is None:
        raise contents.no_workbook(path)
    links = _links(archive, names, main)
    found = _Facts({"sheet", "workbookPr"})
    _hear(archive, names[main], found)
    since_1904 = any(one.get("date1904") in ("1", "true") for one in found.of("workbookPr"))
    styles, texts = cells.Styles(since_1904=since_1904), Texts()
    for kind, to in links.values():
        if kind == "styles":
            _hear(archive, names[to], _Formats(styles))
        elif kind == "sharedStrings" and not texts.taken:
            _hear(archive, names[to], texts)
    sheets = []
    for one in found.of("sheet"):
        link = next((value for key, value in one.items() if key.endswith(":id")), "")
        kind, to = links.get(link, ("", ""))
        if kind == "worksheet":
            sheets.append(Sheet(one.get("name", ""), names[to], "state" in one and _hidden(one)))
    return Book(path, sorted(sheets, key=lambda sheet: sheet.hidden), texts.taken, styles)


def _hidden(sheet: dict[str, str]) -> bool:
    return sheet["state"] in ("hidden", "veryHidden")


def _links(
    archive: zipfile.ZipFile, names: dict[str, str], base: str
) -> dict[str, tuple[str, str]]:
    """What a part leads to, by id: the kind and the name of the other part, if it is inside."""
    folder, name = posixpath.split(base)
    own = posixpath.join(folder, "_rels", name + ".rels")
    if own not in names:
        return {}
    found = _Facts({"Relationship"})
    _hear(archive, names[own], found)
    links = {}
    for one in found.of("Relationship"):
        to = posixpath.normpath(posixpath.join("/" + folder, one.get("Target", "")))
        to = to.lstrip("/").lower()
        if to in names and one.get("TargetMode") != "External":
            links[one.get("Id", "")] = (one.get("Type", "").rpartition("/")[2], to)
    return links


def _hear(archive: zipfile.ZipFile, member: str, listener: Listener) -> None:
    with archive.open(member) as stream:
        for _piece in listen(stream, listener):
            pass


@dataclass
class _Facts:
    """The attributes of some elements, in order."""

    wanted: set[str]
    done: bool = False
    found: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def start(self, name: str, facts: dict[str, str]) -> None:
        if name in self.wanted:
            self.found.append((name, {key: value[:300] for key, value in facts.items()}))
            if len(self.found) > LIMITS.get(name, MOST_STYLES):
                raise TooMuch(name)

    def of(self, name: str) -> list[dict[str, str]]:
        return [facts for one, facts in self.found if one == name]

    def end(self, name: str) -> None: ...
    def text(self, said: str) -> None: ...


@dataclass
class _Formats:
    """Number formats of the styles of cells."""

    styles: cells.Styles
    done: bool = False
    inside: bool = False

    def start(self, name: str, facts: dict[str, str]) -> None:
        if name == "cellXfs":
            self.inside = True
        elif name == "xf" and self.inside:
            self.styles.formats.append(whole(facts.get("numFmtId", "0")))
        elif name == "numFmt":
            number = whole(facts.get("numFmtId", "0"))
            self.styles.spelt[number] = facts.get("formatCode", "")[:300]
        if max(len(self.styles.formats), len(self.styles.spelt)) > MOST_STYLES:
            raise TooMuch(name)

    def end(self, name: str) -> None:
        self.done = name == "cellXfs"

    def text(self, said: str) -> None: ...
