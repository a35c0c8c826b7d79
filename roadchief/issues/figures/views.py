"""Statistics and exports of cases."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext
from openpyxl import Workbook

from roadchief.accounts.signin import allows, current
from roadchief.errors import NotFound
from roadchief.issues import board, categories, moves, reach
from roadchief.issues.figures import bars, periods
from roadchief.lib import clock
from roadchief.lib.text import harmless_cell
from roadchief.web import tenant_transaction
from roadchief.web.pages import when

pages = Blueprint("figures", __name__, url_prefix="/desk")
MOST = 50_000
COLUMNS = "编号 类别代码 类别 状态 地点 单位 收到 期限 结束 结案方式 按时 灯"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pages.get("/figures")
@allows("issues.desk")
def show() -> str:
    actor, at = current(), clock.now()
    since, until = periods.period(request.args.to_dict(), at=at)
    with tenant_transaction(actor.subdistrict_id) as session:
        scope = reach.scope_of(session, actor, at=at)
        found = periods.report(session, since, until, at=at, scope=scope)
    weeks = [_week(row) for row in found.cuts["week"]]
    picture = bars.columns(weeks, title=gettext("每周收到的案件和现在的情形"))
    return render_template(
        "issues/figures.html", found=found, known=categories.known(), picture=picture
    )


def _week(row: periods.Figure) -> bars.Week:
    ended = row.cases - row.running
    return bars.Week(
        monday=date.fromisoformat(row.key),
        late=row.late,
        running=max(row.running - row.late, 0),
        ended=max(ended - row.on_time, 0),
        on_time=row.on_time,
    )


@pages.get("/export.<kind>")
@allows("issues.desk")
def export(kind: str) -> Response:
    """The same filter as the list, as a file; no formula, UTF-8 with a mark for spreadsheets."""
    if kind not in ("csv", "xlsx"):
        raise NotFound
    actor, at = current(), clock.now()
    given = board.read_filter(request.args.to_dict())
    with tenant_transaction(actor.subdistrict_id) as session:
        scope = reach.scope_of(session, actor, at=at)
        rows, _total = board.page(session, given, scope, at=at, number=1, size=MOST)
    body = _csv(rows) if kind == "csv" else _xlsx(rows)
    response = Response(body, content_type="text/csv; charset=utf-8" if kind == "csv" else SHEET)
    response.headers["Content-Disposition"] = f'attachment; filename="cases.{kind}"'
    return response


def _lines(rows: list[board.Row]) -> Iterator[list[str]]:
    yield COLUMNS.split()
    for row in rows:
        case = row.case
        kind = moves.CLOSINGS.get(case.closing_kind or "", ("", ""))[0]
        cells: list[Any] = [
            case.number,
            case.category,
            categories.find(case.category).zh,
            moves.STATES[case.state][0],
            case.address,
            row.unit or "",
            when(case.reported_at),
            when(case.due_at),
            when(case.ended_at),
            kind,
            {True: "是", False: "否"}.get(case.on_time, ""),  # type: ignore[arg-type]
            row.light,
        ]
        yield [harmless_cell(str(cell)) for cell in cells]


def _csv(rows: list[board.Row]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(_lines(rows))
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _xlsx(rows: list[board.Row]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("案件")
    for line in _lines(rows):
        sheet.append(line)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
