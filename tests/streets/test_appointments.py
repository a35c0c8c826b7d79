"""The office's list: read, weighed line by line, taken in once, by whoever holds it."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import Workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.accounts import people
from roadchief.accounts.models import Person, Post
from roadchief.db import Database
from roadchief.lib.text import spelled
from roadchief.streets.appointments import lines, planning, taking
from roadchief.streets.models import Assignment, Road, RoadSegment
from roadchief.streets.place_models import Organisation
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG, YANGJING
from tests.races import at_once

AT = makers.NOON + timedelta(hours=1)
LIST = """崂山路路长名册,,,,
姓名*,岗位,职务,道路,路段编号
王小明,二级路长,,崂山路,
李芳,段长,三段段长,,LSL-01、LSL-02
李芳,巡查员,,崂山路；潍坊路,
"""


def line(name: str = "王小明", role: str = "二级路长", number: int = 2, **cells: str) -> lines.Line:
    return lines.read(number, {"name": name, "role": role, **cells})


@pytest.fixture
def street(session: Session) -> RoadSegment:
    """崂山路 with LSL-01 and LSL-02, 潍坊路 with WFL-01, one squad."""
    makers.make_subdistrict(session)
    return lay(session)


def lay(session: Session) -> RoadSegment:
    road = makers.make_road(session)
    first = makers.make_segment(session, road, code="LSL-01")
    makers.make_segment(session, road, code="LSL-02", seq=2)
    makers.make_segment(session, makers.make_road(session, "潍坊路"), code="WFL-01")
    unit = Organisation(subdistrict_id=WEIFANG, kind="enforcement_squad", name="潍坊城管中队")
    session.add(unit)
    session.flush()
    return first


def weigh(session: Session, *given: lines.Line) -> list[planning.Plan]:
    return planning.plan(session, given, at=AT)


def trouble(session: Session, *given: lines.Line) -> str:
    """Why the last of these lines is refused."""
    found = weigh(session, *given)[-1]
    assert found.comes_to == "refused"
    assert found.trouble is not None
    return found.trouble[0]


@pytest.mark.parametrize(
    ("headings", "named"),
    [
        (["姓名*", "岗位", "负责道路"], {"name": "姓名*", "role": "岗位", "road": "负责道路"}),
        (["Name", " Role "], {"name": "Name", "role": " Role "}),
        (["姓 名", "手机（必填）"], {"name": "姓 名", "phone": "手机（必填）"}),
        (["序号", "人名"], {}),
    ],
    ids=["starred", "English", "spaced", "unknown"],
)  # fmt: skip
def test_headings_are_known_as_offices_write_them(
    headings: list[str], named: dict[str, str]
) -> None:
    assert lines.columns_of(headings) == named


def test_a_line_is_read_as_people_write_it() -> None:
    read = line(" 欧阳　娜 ", road="崂山路、潍坊路，崂山路;\n", login="OuYang.N")
    assert (read.name, read.login, read.roads) == ("欧阳娜", "ouyang.n", ("崂山路", "潍坊路"))
    assert line("Li Na").name == "Li Na"
    assert spelled("欧阳娜") == "ouyangna"
    words = ["路长", "chief_l1", "Patroller", "段长", "片段长", "商户", "merchant", "皇帝", ""]
    roles = [lines.role_of(word) for word in words]
    expected = ["chief_l2", "chief_l1", "patroller", "segment_chief", "segment_chief"]
    assert roles == [*expected, None, None, None, None], "who speaks for a shop is named there"


def test_a_list_is_taken_in_once(session: Session, street: RoadSegment) -> None:
    given = [
        line(road="崂山路"),
        line("李芳", "段长", title="三段段长", segment="LSL-01、LSL-02"),
        line("李芳", "巡查员", road="崂山路;潍坊路"),
        line("许正", "部门人员", organisation="潍坊城管中队", phone="021-5555"),
    ]
    first = taking.take(session, given, by=None, at=AT)
    kinds = [one.plan.comes_to for one in first]
    assert kinds == ["invited", "invited", "appointed", "invited"]
    assert [bool(one.token) for one in first] == [True, True, False, True]
    chief = session.scalars(select(Post).where(Post.role == "chief_l2")).one()
    assert (chief.level, chief.title) == (2, "二级路长")
    officer = session.scalars(select(Post).where(Post.role == "officer")).one()
    assert officer.organisation_id is not None
    scopes = Counter(
        "road" if one.road_id else "segment" for one in session.scalars(select(Assignment))
    )
    assert scopes == {"road": 3, "segment": 2}
    token = first[0].token
    assert token is not None
    secret = token.partition(".")[2]
    assert people.invited_person(session, secret, at=AT).login == "wangxiaoming.wf"
    again = taking.take(session, given, by=None, at=AT + timedelta(minutes=1))
    assert {one.plan.comes_to for one in again} == {"same"}
    assert session.scalar(select(func.count()).select_from(Person)) == 3
    more = weigh(session, line(road="崂山路、潍坊路"))[0]
    assert more.comes_to == "charged"
    assert [one.name for one in more.to_charge] == ["潍坊路"]


def test_people_are_told_apart(session: Session, street: RoadSegment) -> None:
    known = makers.make_person(session, "周建国", login="zhou", phone="111")
    assert weigh(session, line("周建国"))[0].person is known
    assert weigh(session, line("周建国", phone="111"))[0].person is known
    assert "同名" in trouble(session, line("周建国", phone="222"))
    assert weigh(session, line("周建国", phone="222", login="zhou2"))[0].comes_to == "invited"
    makers.make_person(session, "周建国", login="zhou3", phone="333")
    assert "同名" in trouble(session, line("周建国"))
    assert weigh(session, line("周建国", phone="333"))[0].login == "zhou3"
    # Two of one name within the list.
    two = [line("吴越", phone="1"), line("吴越", phone="2"), line("吴越")]
    found = weigh(session, *two)
    assert [one.login for one in found[:2]] == ["wuyue.wf", "wuyue.wf2"]
    assert found[2].comes_to == "refused"
    one = weigh(
        session, line("吴越", phone="1"), line("吴越", "巡查员"), line("吴越", login="wu.y")
    )
    assert {plan.login for plan in one} == {"wu.y"}, (
        "the list says the login once for all its lines"
    )
    assert [plan.invites for plan in one] == [True, False, False]


def test_what_does_not_fit_is_refused_with_its_reason(
    session: Session, street: RoadSegment, database: Database
) -> None:
    makers.make_person(session, "钱进", login="qianjin", state="retired")
    makers.make_road(session, "南泉路")
    makers.make_road(session, "南泉路")
    closed = makers.make_road(session, "旧路", closed_at=AT)
    assert "没有姓名" in trouble(session, line(""))
    assert "“皇帝”" in trouble(session, line(role="皇帝"))
    assert "“商户”" in trouble(session, line(role="商户"))
    assert "没有登记道路“天路”" in trouble(session, line(road="天路"))
    assert "没有登记道路" in trouble(session, line(road=closed.name))
    assert "有 2 个道路" in trouble(session, line(road="南泉路"))
    assert "没有登记路段" in trouble(session, line(segment="LSL-09"))
    assert "没有登记路段" in trouble(session, line(road="潍坊路", segment="LSL-01"))
    assert "没有登记街区" in trouble(session, line(block="无名街区"))
    assert "不负责道路" in trouble(session, line(role="部门人员", road="崂山路"))
    assert "没有单位“财政局”" in trouble(session, line(organisation="财政局"))
    assert "身份" in trouble(session, line(capacity="神仙"))
    assert "邮箱" in trouble(session, line(email="nobody"))
    assert "登录名" in trouble(session, line(login="ab"))
    assert "已停用" in trouble(session, line("钱进", login="qianjin"))
    assert "登录名属于钱进" in trouble(session, line("钱前", login="qianjin"))
    both = [line("甲", login="same"), line("乙", login="same")]
    assert "两人" in trouble(session, *both)
    with database.transaction(YANGJING) as elsewhere:
        makers.make_subdistrict(elsewhere, YANGJING)
        makers.make_person(elsewhere, "孙远", login="far.away")
    assert "已被使用" in trouble(session, line("孙远", login="far.away"))


def test_a_refused_line_leaves_the_others(session: Session, street: RoadSegment) -> None:
    given = [line(road="天路"), line(road="崂山路"), line("李芳", "皇帝")]
    taken = taking.take(session, given, by=None, at=AT)
    assert [one.plan.comes_to for one in taken] == ["refused", "invited", "refused"]
    assert [one.name for one in session.scalars(select(Person))] == ["王小明"]


def test_a_long_list_asks_no_more_than_a_short_one(
    session: Session, street: RoadSegment, queries: Callable[[], Any]
) -> None:
    asked = []
    for count in (2, 60):
        given = [line(f"某{number}", road="崂山路", segment="LSL-01") for number in range(count)]
        with queries() as seen:
            assert {one.comes_to for one in weigh(session, *given)} == {"invited"}
        asked.append(len(seen))
    assert asked[0] == asked[1] <= 9


def test_two_who_take_the_same_list_make_everybody_once(real: Database) -> None:
    with real.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
        lay(session)
    given = [line(road="崂山路"), line("李芳", "段长", segment="LSL-01")]

    def act(session: Session) -> None:
        taking.take(session, given, by=None, at=AT)

    ends = at_once(real, act, act)
    assert "done" in ends
    assert set(ends) <= {"done", "LoginTaken", "AlreadyAppointed"}
    with real.transaction(WEIFANG) as session:
        count = [session.scalar(select(func.count()).select_from(one)) for one in (Person, Post)]
        assert [*count, session.scalar(select(func.count()).select_from(Assignment))] == [2, 2, 2]


def upload(client: FlaskClient, data: bytes, name: str = "名册.csv") -> Any:
    return client.post("/admin/people/list", data={"file": (io.BytesIO(data), name)})


@pytest.fixture
def office(client: FlaskClient, cast: Cast, database: Database) -> FlaskClient:
    with database.transaction(WEIFANG) as session:
        lay(session)
    sign_in(client, cast["admin"])
    return client


def test_the_page_shows_first_and_writes_once(office: FlaskClient, database: Database) -> None:
    def everybody() -> set[str]:
        with database.transaction(WEIFANG) as session:
            return set(session.scalars(select(Person.name)))

    before = everybody()
    seen = upload(office, LIST.encode("gb18030"))
    assert seen.status_code == 200
    assert "新人 2，新岗位 1，新任命 0，不变 0，不取用 0" in seen.text
    assert everybody() == before, "to look writes nothing"
    cells = re.search(r'name="cells" value="([^"]*)"', seen.text)
    assert cells is not None
    given = {"cells": unescape(cells.group(1))}
    taken = office.post("/admin/people/list/take", data=given)
    assert taken.headers["Cache-Control"] == "no-store"
    assert everybody() - before == {"王小明", "李芳"}
    links = re.findall(r"/invitation/[\w.\-]+", taken.text)
    assert len(links) == 2
    assert "请设置密码" in office.get(links[0]).text
    again = office.post("/admin/people/list/take", data=given)
    assert "新人 0，新岗位 0，新任命 0，不变 3" in again.text
    assert "/invitation/" not in again.text
    with database.transaction(WEIFANG) as session:
        assert session.scalars(select(Road.name).join(Assignment, Assignment.road_id == Road.id))


def test_the_empty_list_is_one_that_can_be_read(office: FlaskClient) -> None:
    blank = office.get("/admin/people/list/template.csv")
    seen = upload(office, blank.data)
    assert "新人 3，新岗位 0，新任命 0，不变 0，不取用 0" in seen.text
    assert "template.csv" in office.get("/admin/people/list").text
    assert "/admin/people/list" in office.get("/admin/people").text


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv", b"", "文件为空"),
        ("a.csv", "名字,路\n王,崂山路\n".encode(), "没有“姓名”列"),
        ("a.csv", "姓名,路\n王,崂山路\n".encode(), "没有“岗位”列"),
        ("a.csv", "姓名,岗位\n,\n".encode(), "没有内容"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "不支持的格式"),
        ("a.csv", b"PK\x03\x04\x00\x00", "不是文本表格"),
        ("a", b"abc", "不支持的格式"),
        ("a.csv", ("姓名,岗位\n" + "王,段长\n" * 501).encode(), "最多 500 行"),
    ],
    ids=["empty", "no name", "no post", "no rows", "picture", "zip", "no suffix", "too long"],
)  # fmt: skip
def test_a_wrong_file_is_told(office: FlaskClient, name: str, data: bytes, said: str) -> None:
    answer = upload(office, data, name)
    assert answer.status_code in (400, 422)
    assert said in answer.text


@pytest.mark.parametrize(
    "cells",
    ["", "{", "[]", "[1]", '{"a": 1}', '[{"name": 1}]', "[" * 5000, json.dumps([{}] * 501)],
    ids=["none", "cut", "empty", "number", "object", "typed", "deep", "too many"],
)
def test_rows_written_by_hand_are_told(office: FlaskClient, cells: str) -> None:
    answer = office.post("/admin/people/list/take", data={"cells": cells})
    assert answer.status_code in (400, 422)


def test_no_file_is_told(office: FlaskClient) -> None:
    assert "请选择文件" in office.post("/admin/people/list", data={}).text


def test_odd_cells_are_weighed_not_believed(office: FlaskClient) -> None:
    odd = [{"line": "9" * 40, "name": "\x00", "role": "段长"}, {"name": "甲\ud800", "role": "段长"}]
    answer = office.post("/admin/people/list/take", data={"cells": json.dumps(odd)})
    assert answer.status_code == 200
    assert "不取用 1" in answer.text or "不取用 2" in answer.text


def test_a_workbook_is_read_as_well(office: FlaskClient) -> None:
    book = Workbook()
    for row in csv.reader(io.StringIO(LIST)):
        book.active.append(row)
    data = io.BytesIO()
    book.save(data)
    seen = upload(office, data.getvalue(), "名册.xlsx")
    assert "新人 2，新岗位 1，新任命 0，不变 0，不取用 0" in seen.text
    assert "第 3 行" in seen.text, "where it stands in the workbook"
