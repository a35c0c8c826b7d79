"""The segment sheet for those who work on it: last visits, grades, open cases; others see less."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from roadchief.db import Database
from roadchief.lib import clock
from roadchief.maps import frontages
from roadchief.streets.models import RoadSegment, Storefront
from tests import makers
from tests.cast import Cast
from tests.issues import ground
from tests.maps.test_duty_layers import CODE, visit
from tests.maps.test_sheets import web

__all__ = ["web"]  # a fixture of the sheets' own tests
Web = Callable[[str], FlaskClient]


@pytest.fixture
def street(database: Database, cast: Cast) -> dict[str, uuid.UUID]:
    """甲 was seen 2 days ago and graded, 乙 40 days ago, 丙 never; the last front stands empty.
    Two cases at 甲, one of them late; one on the street itself. 二级路长 answers for it."""
    with database.transaction(CODE) as session:
        world = ground.build(session)
        segment = world.segment
        shops = [
            makers.make_storefront(
                session, segment, name=name, house_number=f"{601 + 2 * n}号", measure_m=200.0 + n
            )
            for n, name in enumerate(["甲", "乙", "丙", None])
        ]
        now = clock.now()
        visit(session, shops[0], now - timedelta(days=2), grade="good")
        visit(session, shops[1], now - timedelta(days=40), grade="good")
        visit(session, shops[2], now - timedelta(days=1), "weak")  # nobody has looked at it
        for number, days in enumerate((9, 0.01)):
            case = ground.file_case(session, world, at=now - timedelta(days=days))
            case.storefront_id, case.place = shops[0].id, shapely.Point(121.5187, 31.2291)
            case.due_at = now - timedelta(days=1) if number == 0 else now + timedelta(days=9)
        onto = ground.file_case(session, world, at=now - timedelta(hours=1))
        onto.storefront_id = None
        makers.make_assignment(session, makers.make_post(session, cast["chief_l2"].person), segment)
        return {"segment": segment.id} | {shop.name or "空": shop.id for shop in shops}


def sheet(client: FlaskClient, street: dict[str, uuid.UUID], **asked: str) -> str:
    answer = client.get(f"/map/segments/{street['segment']}", query_string=asked)
    assert answer.status_code == 200
    return answer.text


def cell(page: str, shop: uuid.UUID) -> str:
    """Of the strip: class, name for readers, what stands in it."""
    found = re.search(rf'<a href="#shop-{shop}".*?</a>', page, re.S)
    assert found
    return found[0]


def test_the_strip_shows_when_each_was_seen_and_what_is_open(web: Web, street: Any) -> None:
    page = sheet(web("chief_l2"), street)
    for name, state, sign, told in (
        ("甲", "ok", "●", "2 天前到过 · 评为 良 · 2 件在办，1 件逾期"),
        ("乙", "late", "▲", "40 天前到过 · 评为 良"),
        ("丙", "none", "○", "还没有到过"),
    ):
        found = cell(page, street[name])
        assert f'class="{state} w' in found
        assert f">{sign}</span>" in found
        assert f"{name}：{told}" in found
        assert page.count(told) >= 2  # and in the list below
    assert "vacant" in cell(page, street["空"])
    assert "1 间超过 14 天未到" in page
    assert "3 件案件在办，1 件逾期" in page
    assert "路面上：" in page
    assert "单号" in page
    english = sheet(web("chief_l2"), street, lang="en")
    assert "last visit 40 days ago" in english
    assert not re.search(r"[间件]", re.sub(r"<[^>]*>", "", english.split("Strip of frontages")[1]))


def test_who_does_not_answer_for_it_sees_what_everybody_sees(
    app: Flask, web: Web, street: Any
) -> None:
    words = ("天前到过", "还没有到过", "件在办", "评为")
    for client in (app.test_client(), web("merchant"), web("steward")):
        page = sheet(client, street)
        assert not [word for word in words if word in page]
        assert "门面带状图" in page
    other = web("chief_l3")  # a chief of other streets: no visits, and none of its cases
    page = sheet(other, street)
    assert "天前到过" not in page
    assert "没有在办案件" in page
    saved = other.get(f"/map/save/segments/{street['segment']}")
    assert "天前到过" not in saved.text
    everything = sheet(web("operator"), street)
    assert "40 天前到过" in everything


def test_the_sheet_asks_the_same_number_of_questions_however_many_shops(
    web: Web, database: Database, street: Any, queries: Any
) -> None:
    def asked() -> int:
        with queries() as seen:
            sheet(web("operator"), street)
        return len(seen)

    sheet(web("operator"), street)
    before = asked()
    with database.transaction(CODE) as session:
        one = select(RoadSegment).where(RoadSegment.id == street["segment"])
        segment = session.scalars(one).one()
        for number in range(30):
            makers.make_storefront(session, segment, measure_m=float(number))
    assert asked() == before


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        (["1号", "3号甲", "15-17号"], "odd"),
        (["2号", "４"], ""),
        (["2号", "88弄4号"], "even"),
        (["1", "2"], ""),
        (["近路口"], ""),
        ([], ""),
    ],
)
def test_a_side_is_odd_or_even_where_all_its_numbers_are(numbers: list[str], found: str) -> None:
    shops = [Storefront(house_number=number) for number in numbers]
    assert frontages.side_numbers(shops) == found


def test_a_front_is_as_wide_on_the_strip_as_it_is() -> None:
    metre = 1 / 95_300  # degrees of longitude at Shanghai's latitude
    widths = []
    for front_m in (2, 5, 8, 12, 18, 40):
        line = shapely.LineString([(121.5, 31.22), (121.5 + front_m * metre, 31.22)])
        widths.append(frontages.width_of(Storefront(frontage=line)))
    assert widths == [1, 2, 3, 4, 5, 6]
    assert frontages.width_of(Storefront(frontage=None)) == 1


def test_a_saved_segment_has_its_strip(web: Web, street: Any) -> None:
    answer = web("chief_l2").get(f"/map/save/segments/{street['segment']}")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.text.count('class="cell ') >= 4
    assert "40 天前到过" in answer.text
    assert "路长：" in answer.text


def test_a_touch_on_a_shop_tells_it_too(app: Flask, web: Web, street: Any) -> None:
    def touched(client: FlaskClient, name: str) -> dict[str, Any]:
        return dict(client.get(f"/map/storefronts/{street[name]}.json?s={CODE}").get_json())

    chief = web("chief_l2")
    assert touched(chief, "乙")["marks"] == [
        {"state": "late", "sign": "▲", "word": "40 天前到过 · 评为 良"}
    ]
    assert touched(chief, "甲")["marks"] == [
        {"state": "ok", "sign": "●", "word": "2 天前到过 · 评为 良"},
        {"state": "late", "sign": "▲", "word": "2 件在办，1 件逾期"},
    ]
    assert touched(app.test_client(), "乙")["marks"] == []
    assert touched(web("chief_l3"), "乙")["marks"] == []
