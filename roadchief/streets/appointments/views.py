"""Pages of the list: upload, see what each line comes to, and only then take it in."""

import csv
import io
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.access import ROLES
from roadchief.accounts.signin import allows, current
from roadchief.errors import BadInput
from roadchief.lib import clock
from roadchief.lib.text import clean
from roadchief.streets.appointments import lines, planning, taking
from roadchief.streets.appointments.lines import MOST_LINES, MUST_HAVE, Line
from roadchief.streets.importing.reading import open_source
from roadchief.web import tenant_transaction
from roadchief.web.forms import json_in

pages = Blueprint("appointments", __name__, url_prefix="/admin/people/list")
TEMPLATE = (
    ("姓名", "登录名", "办公电话", "岗位", "职务", "单位", "道路", "路段编号", "街区"),
    ("王小明", "", "", "二级路长", "", "", "崂山路", "", ""),
    ("李芳", "", "", "段长", "", "", "", "LSL-01、LSL-02", ""),
    ("赵强", "", "", "巡查员", "", "", "崂山路、潍坊路", "", ""),
)


@pages.get("")
@allows("people.appoint")
def start() -> str:
    words = [names[0] for key, names in ROLES.items() if key not in lines.FORBIDDEN]
    return render_template("streets/appointments.html", roles=words, most=MOST_LINES)


@pages.get("/template.csv")
@allows("people.appoint")
def template() -> Response:
    """With a mark at its beginning, by which spreadsheets know UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerows(TEMPLATE)
    answer = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=people.csv"
    return answer


@pages.post("")
@allows("people.appoint")
def look() -> str:
    """What each line would come to. Nothing is written, and the file is not kept."""
    cells = _cells(request.files.get("file"))
    read = _lines(cells)
    with tenant_transaction(current().subdistrict_id) as session:
        plans = planning.plan(session, read, at=clock.now())
        return render_template(
            "streets/appointments_seen.html",
            plans=plans,
            counts=Counter(one.comes_to for one in plans),
            cells=json.dumps(cells, ensure_ascii=False),
        )


@pages.post("/take")
@allows("people.appoint")
def take() -> AnyResponse:
    """The lines come back from the page that showed them, and are weighed again as they stand."""
    actor = current()
    read = _lines(json_in(request.form.get("cells", "").encode("utf-8", "replace")))
    with tenant_transaction(actor.subdistrict_id) as session:
        taken = taking.take(session, read, by=actor.person_id, at=clock.now())
        plans = [one.plan for one in taken]
        page = render_template(
            "streets/appointments_taken.html",
            plans=plans,
            counts=Counter(one.comes_to for one in plans),
            invited=[
                (one.plan, url_for("signin.invitation", token=one.token))
                for one in taken
                if one.token
            ],
        )
    answer = make_response(page)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _cells(file: FileStorage | None) -> list[dict[str, str]]:
    """The rows of an upload by field, with their line as `line`."""
    label = gettext("文件")
    if file is None or not file.filename:
        raise BadInput(field=label, reason_zh="请选择文件", reason_en="choose a file")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"list{Path(file.filename).suffix.lower()[:8]}"
        file.save(path)
        source = open_source(path)
        named = lines.columns_of(source.columns)
        for field in MUST_HAVE:
            if field not in named:
                heading = lines.words()["columns"][field][0]
                raise BadInput(
                    field=label,
                    reason_zh=f"没有“{heading}”列，表头是：{'、'.join(source.columns)[:200]}",
                    reason_en=f"no column {field}; there are: {', '.join(source.columns)[:200]}",
                )
        found: list[dict[str, str]] = []
        for batch in source.batches():
            columns = {field: batch.columns[name].to_pylist() for field, name in named.items()}
            for at, line in enumerate(batch.lines):
                one = {field: str(column[at] or "") for field, column in columns.items()}
                if any(one.values()):
                    found.append({"line": str(int(line))} | one)
            _not_too_many(found)
    if not found:
        raise BadInput(field=label, reason_zh="没有内容", reason_en="there are no rows")
    return found


def _lines(cells: Any) -> Sequence[Line]:
    """From what a page sends back; whoever writes it by hand is told, as anybody."""
    sound = isinstance(cells, list) and all(
        isinstance(one, dict) and all(isinstance(text, str) for text in one.values())
        for one in cells
    )
    if not sound or not cells:
        raise BadInput(field="cells", reason_zh="内容有误", reason_en="no list of rows")
    _not_too_many(cells)
    return [lines.read(_number(one.get("line", "")), one) for one in cells]


def _number(text: str) -> int:
    plain = clean(text)
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 8 else 0


def _not_too_many(found: Sequence[object]) -> None:
    if len(found) > MOST_LINES:
        raise BadInput(
            field=gettext("文件"),
            reason_zh=f"最多 {MOST_LINES} 行，请分成几份",
            reason_en=f"at most {MOST_LINES} rows: send it in parts",
        )
