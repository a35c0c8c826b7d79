"""Ledgers as they lie in offices: .xlsx, read as the same table in CSV is read."""

import csv
import zipfile
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openpyxl import Workbook

from roadchief.db import Database
from roadchief.streets.importing import reading, run
from roadchief.streets.importing.contents import UnreadableFile
from roadchief.streets.importing.report import Report
from roadchief.streets.importing.spreadsheets import sheet_rows
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import STRANGERS, WEIFANG

SHOPS = STRANGERS / "A_osm/lujiazui_shops_2018_bom.csv"
HEADINGS = ["编号", "店名", "路名", "门牌号", "经度", "纬度"]
ROWS: list[list[Any]] = [
    ["S1", "桂香店", "崂山路", 501, 121.5181, 31.2310],
    ["S2", "甲店", "崂山路", "503号", "不知道", 31.2310],
    [],
    ["S3", "乙店", None, None, 121.5182, None],
    ["S4", "长" * 300, "崂山路", 505, 121.5182, 31.2311],
    ["S1", "丙店", "崂山路", 507.0, 121.5183, 31.2312],
    [7, "丁店", "崂山路", "509-1", 121.518377, 31.231244, "无题"],
]
TITLES: list[list[list[Any]]] = [[], [["街道商铺台账"]], [["街道商铺台账"], [], ["填报：某某"]]]
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@pytest.fixture
def ground(database: Database) -> Database:
    with database.transaction(WEIFANG) as session:
        makers.make_subdistrict(session, WEIFANG, area=None)
        makers.make_segment(session)
    return database


def take(database: Database, path: Path, **given: Any) -> Report:
    order = run.Order(path=path, what="storefronts", subdistrict_id=WEIFANG, **given)
    return run.take(database, order, by=None, at=makers.NOON)


def workbook(path: Path, rows: list[list[Any]]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    if len(rows[0]) == 1:
        book.active.merge_cells("A1:F1")
    book.active.row_dimensions[len(rows)].hidden = True
    book.save(path)
    return path


def table(path: Path, rows: list[list[Any]]) -> Path:
    """As a spreadsheet saves it: every line as wide as the widest."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([*row, *[""] * (7 - len(row))] for row in rows)
    return path


def told(report: Report) -> dict[str, Any]:
    """All of a report but what is the file's own."""
    return {
        name: value
        for name, value in report.as_json().items()
        if name not in {"file", "encoding", "notes"}
    } | {"notes": {name: count for name, count in report.notes.items() if count}}


@pytest.mark.parametrize("title", TITLES, ids=["none", "merged", "several"])
def test_a_table_and_a_spreadsheet_of_the_same_rows_give_the_same_report(
    ground: Database, tmp_path: Path, title: list[list[Any]]
) -> None:
    rows = [*title, HEADINGS, *ROWS]
    text = take(ground, table(tmp_path / "台账.csv", rows), dry_run=True)
    sheet = take(ground, workbook(tmp_path / "台账.xlsx", rows), dry_run=True)
    assert told(sheet) == told(text)
    assert (sheet.rows, sheet.added, sheet.refused) == (6, 2, 4)
    # As in the spreadsheet, the empty row counted.
    assert [one.line - len(title) for one in sheet.problems] == [3, 5, 6, 7]
    assert bool(title) is ("标题行已跳过" in "".join(sheet.lines("zh")))
    if not title:
        take(ground, table(tmp_path / "台账.csv", rows))
        again = take(ground, tmp_path / "台账.xlsx")
        assert (again.added, again.changed, again.unchanged) == (0, 0, 2)


def test_real_shops_as_a_spreadsheet_give_the_same_report(ground: Database, tmp_path: Path) -> None:
    if not SHOPS.exists():
        pytest.skip(f"{SHOPS} is absent: this test needs real rows written by strangers")
    with SHOPS.open(encoding="utf-8-sig", newline="") as file:
        rows: list[list[Any]] = list(csv.reader(file))
    for row in rows[1:]:
        row[5:7] = map(float, row[5:7])
        row[4] = int(row[4]) if row[4].isdigit() else row[4] or None
    path = workbook(tmp_path / f"{SHOPS.stem}.xlsx", rows)
    text = take(ground, SHOPS)
    assert (text.added, text.refused) == (38, 0)
    again = take(ground, path)
    assert (again.rows, again.added, again.changed, again.unchanged) == (38, 0, 0, 38)
    assert told(take(ground, path, dry_run=True)) == told(take(ground, SHOPS, dry_run=True))


def values(path: Path) -> dict[str, list[str]]:
    (batch,) = reading.open_source(path).batches()
    return {name: column.to_pylist() for name, column in batch.columns.items()}


SEEN: list[tuple[str, Any, str | None, str]] = [
    ("a whole number", 639.0, None, "639"),
    ("a fraction", 121.5542369, None, "121.5542369"),
    ("a date", date(2024, 5, 1), None, "2024-05-01"),
    ("a moment", datetime(2024, 5, 1, 8, 30), None, "2024-05-01 08:30:00"),  # noqa: DTZ001
    ("a Chinese date", date(2024, 5, 1), 'yyyy"年"m"月"d"日"', "2024-05-01"),
    ("a duration", timedelta(hours=30), None, "30:00:00"),
    ("a truth", True, None, "TRUE"),
    ("a percentage", 0.125, "0%", "12.5%"),
    ("a percentage that does not fit a float", 0.07, "0.00%", "7%"),
    ("leading zeros", 639, "00000", "00639"),
    ("a text of figures", "00639", None, "00639"),
    ("a code as a figure", 9.13101151234567e17, None, "9.13101151234567E+17"),
    ("a day that is none", -5, "yyyy-mm-dd", "-5"),
]


def test_cells_are_read_as_a_person_sees_them(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["号", "值"])
    for at, (_what, value, form, _text) in enumerate(SEEN, 2):
        book.active.append([at, value])
        if form:
            book.active.cell(at, 2).number_format = form
    book.save(tmp_path / "a.xlsx")
    assert dict(zip([one[0] for one in SEEN], values(tmp_path / "a.xlsx")["值"], strict=True)) == {
        what: text for what, _value, _form, text in SEEN
    }


def raw_book(path: Path, sheet: str, texts: str = "", *, styles: str = "", more: str = "") -> Path:
    """A workbook of which every byte is ours: rows in a sheet, shared texts."""

    def links(*pairs: tuple[str, str]) -> str:
        all_of_them = "".join(
            f'<Relationship Id="r{at}" Type="{LINKS}/{kind}" Target="{to}"/>'
            for at, (kind, to) in enumerate(pairs)
        )
        return f"<Relationships>{all_of_them}</Relationships>"

    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": links(("officeDocument", "/xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns:r="{LINKS}"><sheets>'
        '<sheet name="a" r:id="r0"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": links(
            ("worksheet", "worksheets/sheet1.xml"),
            ("sharedStrings", "SharedStrings.xml"),
            ("styles", "styles.xml"),
        ),
        "xl/worksheets/sheet1.xml": f'<x:worksheet xmlns:x="{MAIN}">'
        '<x:dimension ref="A1:XFD1048576"/>'
        f"<x:sheetData>{sheet}</x:sheetData></x:worksheet>",
        "xl/sharedStrings.xml": f"<sst>{texts}</sst>",
        "xl/styles.xml": f"<styleSheet>{styles}</styleSheet>",
    } | ({more: ""} if more else {})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def row(*cells: str, more: str = "") -> str:
    return f"<row{more}>{''.join(cells)}</row>"


def word(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


HEAD = row(word("甲"), word("乙"), word("丙"))


def test_what_other_programs_write_is_read(tmp_path: Path) -> None:
    """Prefixes, cells without places, reading aids, results of formulas, all digits of a code."""
    sheet = (
        HEAD.replace("row>", "x:row>")
        + row('<c t="s"><v>0</v></c>', '<c t="str"><f>A1</f><v>果</v></c>', '<c t="b"><v>1</v></c>')
        + row('<c r="C9"><f>1+1</f><v>2</v></c>', more=' r="9"')
        + row('<c><v>913101151234567893</v></c><c s="1"><v>45413</v></c><c t="e"><v>#N/A</v></c>')
        + row("<c/><c/><c/>")
    )
    texts = "<si><r><t>桂</t></r><r><t>香_x000D_&#65;</t></r><rPh><t>ケイ</t></rPh></si>"
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="31"/></cellXfs><dxfs><xf/></dxfs>'
    path = raw_book(tmp_path / "a.xlsx", sheet, texts, styles=styles)
    assert values(path) == {
        "甲": ["桂香\rA", "", "913101151234567893"],
        "乙": ["果", "", "2024-05-01"],
        "丙": ["TRUE", "2", "#N/A"],
    }
    (batch,) = reading.open_source(path).batches()
    assert batch.lines.tolist() == [2, 9, 10]


def test_headings_are_each_once_and_empty_ends_are_none(tmp_path: Path) -> None:
    rows = [["店名", None, "电话", "电话", "  ", None], ["甲", "x", "1", "2", "y"]]
    for path in (workbook(tmp_path / "a.xlsx", rows), table(tmp_path / "a.csv", rows)):
        assert values(path) == {"店名": ["甲"], "#2": ["x"], "电话": ["1"], "电话 #4": ["2"]}


def test_the_first_sheet_that_shows_rows_is_taken_and_others_are_told(
    ground: Database, tmp_path: Path
) -> None:
    book = Workbook()
    book.active.sheet_state = "hidden"
    book.active.append(["选项", "选项二"])
    book.create_sheet("空")
    ledger = book.create_sheet("台账")
    for line in (HEADINGS, ROWS[0]):
        ledger.append(line)
    book.save(tmp_path / "a.xlsx")
    report = take(ground, tmp_path / "a.xlsx", dry_run=True)
    assert (report.added, report.notes["more_sheets"]) == (1, 0)
    book.create_sheet("旧台账").append(["x", "y"])
    book.save(tmp_path / "a.xlsx")
    report = take(ground, tmp_path / "a.xlsx", dry_run=True)
    assert (report.added, report.notes["more_sheets"]) == (1, 1)
    assert "只取第一张" in "".join(report.lines("zh"))


def test_what_the_spreadsheet_has_lost_is_told(ground: Database, tmp_path: Path) -> None:
    place = [121.5181, 31.2310]
    rows = [
        HEADINGS,
        [9.13101151234567e17, "甲店", "崂山路", date(2026, 5, 12), *place],
        [9.13101151234568e17, "乙店", "崂山路", "5-12", *place],
        ["A3", "丙店", "崂山路", '="5"&"14"', *place],
    ]
    report = take(ground, workbook(tmp_path / "a.xlsx", rows))
    found = {name: count for name, count in report.notes.items() if count}
    assert found == {"long_numbers": 2, "door_dates": 1, "unsaved_formulas": 1}
    assert report.added == 3
    for language in ("zh", "en"):
        assert len([line for line in report.lines(language) if line[-1] in "12"]) >= 3


STYLES = "".join(f'<xf numFmtId="{at}"/>' for at in range(70_001))
HOSTILE: dict[str, tuple[str, dict[str, str]]] = {
    "cells without end in one row": ("过大", {"sheet": row("<c/>" * 16_385)}),
    "a cell out of the sheet": ("过大", {"sheet": row('<c r="XFE1"><v>1</v></c>')}),
    "no such column": ("损坏", {"sheet": row('<c r="ABCD1"><v>1</v></c>')}),
    "a row out of the sheet": ("过大", {"sheet": HEAD + row(more=' r="1048577"')}),
    "a row without end": ("损坏", {"sheet": HEAD + row(more=' r="99999999999"')}),
    "the same row again": ("过大", {"sheet": HEAD + row(more=' r="2"') * 1_001}),
    "a text without end": ("过大", {"sheet": row(word("长" * 40_000))}),
    "levels without end": ("DOCTYPE|levels", {"sheet": "<a>" * 100}),
    "names without end": ("names", {"sheet": "".join(f"<n{at}/>" for at in range(2_100))}),
    "a tag without end": ("tag", {"sheet": f'<row r="{"1" * 2**21}"/>'}),
    "no such text": ("损坏", {"sheet": row('<c t="s"><v>5</v></c>')}),
    "styles without end": ("过大", {"sheet": HEAD, "styles": f"<cellXfs>{STYLES}</cellXfs>"}),
    "one long text everywhere": (
        "过大",
        {
            "sheet": HEAD + row('<c t="s"><v>0</v></c>' * 3) * 6_000,
            "texts": f"<si><t>{'长' * 32_000}</t></si>",
        },
    ),
    "macros under another name": ("宏", {"sheet": HEAD, "more": "xl/vbaProject.bin"}),
    "nothing": ("没有内容", {"sheet": ""}),
    "one column": ("表头", {"sheet": row(word("甲")) * 3}),
}


@pytest.mark.parametrize("trouble", HOSTILE)
def test_a_workbook_made_to_harm_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    said, parts = HOSTILE[trouble]
    if "again" in trouble:  # a million of them take six seconds
        monkeypatch.setattr(sheet_rows, "MOST_ROWS", 1_000)
    with pytest.raises(UnreadableFile) as caught:
        for _batch in reading.open_source(raw_book(tmp_path / "a.xlsx", **parts)).batches():
            pass
    assert any(one in caught.value.say("zh") for one in said.split("|"))
    assert caught.value.say("en").isascii()


@pytest.mark.parametrize("entity", ['SYSTEM "file:///etc/hostname"', '"&b;&b;"'])
def test_entities_are_never_followed(tmp_path: Path, entity: str) -> None:
    path = raw_book(tmp_path / "a.xlsx", HEAD)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name in ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"):
        kind = f'<!DOCTYPE x [<!ENTITY b "b"><!ENTITY a {entity}>]>'.encode()
        with zipfile.ZipFile(path, "w") as archive:
            for one, text in parts.items():
                archive.writestr(one, kind + text if one == name else text)
        with pytest.raises(UnreadableFile, match="DOCTYPE"):
            reading.open_source(path)


def test_a_list_of_files_without_end_is_not_read(tmp_path: Path) -> None:
    """A zip may list millions of empty files; its end says how long the list is."""
    path = raw_book(tmp_path / "a.xlsx", HEAD)
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x05\x06")
    data[at + 12 : at + 16] = (2**25).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(UnreadableFile, match="too many files"):
        reading.open_source(path)


def test_from_the_page_to_the_street_with_the_lines_of_the_spreadsheet(
    app: Flask, cast: Cast, ground: Database, tmp_path: Path
) -> None:
    client = app.test_client()
    assert sign_in(client, cast["admin"]).status_code == 302
    page = client.get("/admin/imports").text
    assert ".xlsx" in page.split('accept="')[1].split('"')[0].split(",")
    assert "Excel（.xlsx）" in page
    path = workbook(tmp_path / "台账.xlsx", [*TITLES[1], HEADINGS, *ROWS])
    sent = {"what": "storefronts", "datum": "wgs84"}
    file = (BytesIO(path.read_bytes()), path.name)
    answer = client.post("/admin/imports", data=sent | {"file": file})
    address = answer.headers["Location"]
    page = client.get(address).text
    assert "新增 2" in page
    assert "门牌号 · 501" in page
    assert len(client.get(f"{address}/shapes.json").json["features"]) == 3
    sheet = csv.reader(client.get(f"{address}/problems.csv").text.splitlines())
    assert [line[0] for line in sheet][1:] == ["4", "6", "7", "8"]
    assert client.post(f"{address}/confirm").status_code == 302
    assert "Excel (.xlsx)" in client.get("/admin/imports", headers={"Accept-Language": "en"}).text
