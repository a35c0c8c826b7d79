"""Pages that answer one question on a map: coverage, cases, hot spots, a patrol day, before and
after. Each is scoped to what the person may see, and is a list without script."""

import re
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from roadchief.accounts.signin import allows, current
from roadchief.lib import clock
from roadchief.maps import case_sheets, coverage_sheet, hot_sheet, patrol_sheet, saving
from roadchief.maps.case_sheets import Periods
from roadchief.maps.duty_layers import cases_in_reach, segments_in_reach
from roadchief.maps.folium_pages import Pieces, street_map
from roadchief.maps.sheets import LISTED, Sheet
from roadchief.maps.views import ground_words, grounds, subdistrict, visit_days
from roadchief.patrol.planning import weeks
from roadchief.streets import catalog
from roadchief.streets.models import Subdistrict
from roadchief.web import settings, tenant_transaction
from roadchief.web.pages import Page, language, page_number

pages = Blueprint("sheets", __name__, url_prefix="/map")
LONGEST = 366  # days of a period
DAY = re.compile(r"20\d\d-\d\d-\d\d")
Made = tuple[Sheet, dict[str, Any]]


@pages.get("/coverage")
@allows("patrol.chief")
def coverage() -> str:
    """With `?segment=`: its shops, the longest unseen first, above the list."""
    given = _uuid(request.args.get("segment"))

    def make(session: Session) -> Made:
        at = clock.now()
        sheet = coverage_sheet.coverage(session, segments_in_reach(current()), at=at)
        if given is None:
            return sheet, {}
        name, shops = _oldest(session, given)
        return sheet, {"opened": name, "shops": shops, "chosen": str(given)}

    return page_of(make)


@pages.get("/coverage.json")
@allows("patrol.chief")
def coverage_data() -> Response:
    return _data(
        lambda session: coverage_sheet.coverage(
            session, segments_in_reach(current()), at=clock.now()
        )
    )


@pages.get("/coverage/<uuid:segment_id>.json")
@allows("patrol.chief")
def coverage_touch(segment_id: uuid.UUID) -> Response:
    with tenant_transaction(current().subdistrict_id) as session:
        name, shops = _oldest(session, segment_id)
    return jsonify(
        title=name,
        lines=[] if shops else [gettext("没有铺位")],
        rows=[vars(shop) for shop in shops[:5]],
        address=url_for("sheets.coverage", segment=segment_id),
    )


@pages.get("/cases")
@allows("issues.desk")
def cases() -> str:
    on = _asked_day()

    def make(session: Session) -> Made:
        at, reach = clock.now(), cases_in_reach(current())
        sheet = case_sheets.cases(session, reach, on=on, at=at, language=language())
        days = case_sheets.numbers(session, reach, at=at)
        return sheet, {
            "on": on,
            "days": days,
            "weeks": case_sheets.weeks(days),
            "highest": max(1, *(day.open for day in days)),
        }

    return page_of(make, day=on.isoformat())


@pages.get("/cases.json")
@allows("issues.desk")
def cases_data() -> Response:
    on = _asked_day()
    return _data(
        lambda session: case_sheets.cases(
            session, cases_in_reach(current()), on=on, at=clock.now(), language=language()
        )
    )


@pages.get("/cases/<uuid:case_id>.json")
@allows("issues.desk")
def case_touch(case_id: uuid.UUID) -> Response:
    with tenant_transaction(current().subdistrict_id) as session:
        reach = cases_in_reach(current())
        told = case_sheets.case_lines(session, case_id, reach, at=clock.now(), language=language())
    return jsonify(told)


@pages.get("/hot")
@allows("insight.read")
def hot() -> str:
    return page_of(lambda session: (_hot(session), {}))


@pages.get("/hot.json")
@allows("insight.read")
def hot_data() -> Response:
    return _data(_hot)


@pages.get("/patrol/<uuid:shift_id>")
@allows("patrol.chief")
def patrol(shift_id: uuid.UUID) -> str:
    def make(session: Session) -> Made:
        return patrol_sheet.patrol(session, shift_id, _mine(session)), {"shift_id": shift_id}

    return page_of(make, shift_id=shift_id)


@pages.get("/patrol/<uuid:shift_id>.json")
@allows("patrol.chief")
def patrol_data(shift_id: uuid.UUID) -> Response:
    return _data(lambda session: patrol_sheet.patrol(session, shift_id, _mine(session)))


@pages.get("/compare")
@allows("issues.desk")
def compare() -> str | tuple[str, int]:
    """A period that cannot be is said beside the form, over the default one."""
    wanted, trouble = periods(request.args.to_dict(), clock.local_date(clock.now()))

    def make(session: Session) -> Made:
        reach = cases_in_reach(current())
        sheet = case_sheets.compare(session, reach, wanted, at=clock.now())
        return sheet, {"wanted": wanted, "trouble": trouble}

    asked = {
        "from": wanted.since.isoformat(),
        "to": wanted.until.isoformat(),
        "with_from": wanted.with_since.isoformat(),
    }
    page = page_of(make, **asked)
    return (page, 422) if trouble else page


@pages.get("/compare.json")
@allows("issues.desk")
def compare_data() -> Response:
    wanted, _trouble = periods(request.args.to_dict(), clock.local_date(clock.now()))
    return _data(
        lambda session: case_sheets.compare(
            session, cases_in_reach(current()), wanted, at=clock.now()
        )
    )


def periods(given: dict[str, str], today: date) -> tuple[Periods, str]:
    """(what to compare, what is wrong with what was asked); without dates the last 30 days with
    the 30 before."""
    usual = Periods(today - timedelta(days=29), today, today - timedelta(days=59))
    if not any(given.get(name) for name in ("from", "to", "with_from")):
        return usual, ""
    since, until = _date(given.get("from")), _date(given.get("to"))
    if since is None or until is None:
        return usual, gettext("请填写两个日期，如 2026-11-24。下面是最近 30 天和之前 30 天。")
    length = (until - since).days
    if length < 0:
        return usual, gettext("开始日期在结束日期之后。下面是最近 30 天和之前 30 天。")
    if length >= LONGEST:
        return usual, gettext("一个时段最长 %(n)s 天。下面是最近 30 天和之前 30 天。", n=LONGEST)
    with_since = since - timedelta(days=length + 1)
    if given.get("with_from"):
        asked = _date(given["with_from"])
        if asked is None:
            return usual, gettext("对比的开始日期读不懂。下面是最近 30 天和之前 30 天。")
        with_since = asked
    return Periods(since, until, with_since), ""


def page_of(make: Callable[[Session], Made], *, blueprint: str = "sheets", **asked: Any) -> Any:
    here = subdistrict()
    with tenant_transaction(here.id) as session:
        sheet, more = make(session)
        if request.args.get("save") == "html":
            return file_of(saved(session, sheet, here, at=clock.now()), sheet)
        bounds = sheet.bounds or catalog.extent(session)
    if bounds is None and here.area is not None:
        bounds = here.area.bounds
    number = page_number()
    first = (number - 1) * LISTED
    data = url_for(f"{blueprint}.{sheet.name}_data", **asked)
    return render_template(
        "maps/sheet.html",
        here=here,
        sheet=sheet,
        page=Page(sheet.rows[first : first + LISTED], number, len(sheet.rows), LISTED),
        drawing=draw(sheet, here.id, bounds, data=data),
        **more,
    )


def saved(session: Session, sheet: Sheet, here: Subdistrict, *, at: datetime) -> str:
    """The sheet as a file that stands alone."""
    known = settings()
    shown = (known.map_attribution, known.map_review_number)
    filled = saving.contents(
        session,
        sheet,
        draw(sheet, here.id, sheet.bounds or catalog.extent(session), data=""),
        saving.Heading(
            here.name,
            clock.local(at).strftime("%Y-%m-%d %H:%M"),
            " · ".join(part for part in shown if part),
        ),
        language=language(),
    )
    return render_template("maps/saved.html", **filled)


def file_of(text: str, sheet: Sheet) -> Response:
    answer = Response(text, mimetype="text/html")
    name = f"{sheet.name}-{clock.local_date(clock.now())}.html"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def draw(
    sheet: Sheet, code: int, bounds: tuple[float, float, float, float] | None, *, data: str
) -> Pieces:
    """`data` is where the shapes are fetched; empty: they stand in the page."""
    known = settings()
    shown = (known.map_attribution, known.map_review_number)
    given = {
        "sheet": sheet.name,
        "data": data,
        "subdistrict": code,
        "language": language(),
        "attribution": " · ".join(part for part in shown if part),
        "words": {
            "map": sheet.title,
            "loading": gettext("正在读取…"),
            "closer": gettext("放大"),
            "farther": gettext("缩小"),
            "trouble": gettext("暂时读不到，请稍后再试"),
            "open": gettext("打开"),
            "show": gettext("在图上看"),
        }
        | ground_words(),
        # A saved file asks nobody for anything, and is no place for a key.
        "backgrounds": grounds() if data else [],
        "seen": visit_days() if data and sheet.name == "coverage" else None,
    }
    return street_map(bounds=bounds, given=given, drawn_by="RoadChiefSheets")


def _data(make: Callable[[Session], Sheet]) -> Response:
    with tenant_transaction(current().subdistrict_id) as session:
        answer = jsonify(make(session).told())
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _mine(session: Session) -> list[uuid.UUID] | None:
    return weeks.own_segments(session, current(), at=clock.now())


def _hot(session: Session) -> Sheet:
    return hot_sheet.hot(session, _mine(session), language=language())


def _oldest(session: Session, segment_id: uuid.UUID) -> tuple[str, list[Any]]:
    mine, at = _mine(session), clock.now()
    return coverage_sheet.oldest(session, segment_id, mine, at=at, language=language())


def _asked_day() -> date:
    """`?day=` within the ninety; anything odd is today."""
    today = clock.local_date(clock.now())
    found = _date(request.args.get("day")) or today
    return min(today, max(found, today - timedelta(days=case_sheets.DAYS - 1)))


def _date(given: str | None) -> date | None:
    try:
        return date.fromisoformat(given) if given and DAY.fullmatch(given) else None
    except ValueError:
        return None


def _uuid(given: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(given) if given else None
    except ValueError:
        return None
