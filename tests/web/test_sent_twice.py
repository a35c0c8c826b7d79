"""Each form of the office that makes something, sent twice at the same moment: it is made once.

A double tap and a slow line do this every day. The second is led to what the first made, or told
clearly that it is there; never a second one.
"""

import json
import threading
import uuid
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.datastructures import MultiDict

from roadchief.app import create_app
from roadchief.db import Database
from tests import makers
from tests.cast import Cast, Player, sign_in
from tests.conftest import WEIFANG, make_settings
from tests.issues import ground


def sent(shape: shapely.Geometry) -> str:
    """As a drawing map sends it, in one word."""
    return json.dumps(shapely.geometry.mapping(shape), separators=(",", ":"))


COOKIE = "roadchief-person-local"
BOX = sent(shapely.box(121.5186, 31.2286, 121.5190, 31.2290))
LINE = sent(shapely.LineString([(121.52, 31.22), (121.522, 31.22)]))
TOLD = {200, 302, 303, 409, 422}  # shown, led on, or told that it is there


class Office:
    """Two browsers of one person each, and the addresses of what is there."""

    def __init__(self, app: Flask, cast: Cast, database: Database) -> None:
        self.app, self.database = app, database
        self.tokens: dict[str, str] = {}
        for role in ("admin", "operator"):
            self.tokens[role] = self._cookie(cast[role])

    def _cookie(self, player: Player) -> str:
        client = self.app.test_client()
        assert sign_in(client, player).status_code == 302
        cookie = client.get_cookie(COOKIE)
        assert cookie is not None
        return cookie.value

    def browser(self, role: str) -> FlaskClient:
        client = self.app.test_client()
        client.set_cookie(COOKIE, self.tokens[role])
        return client

    def twice(self, role: str, address: str, form: str) -> list[int]:
        data, ends = MultiDict(parse_qsl(form)), list[int]()
        start = threading.Barrier(2)

        def send() -> None:
            client = self.browser(role)
            start.wait()
            ends.append(client.post(address, data=data).status_code)

        threads = [threading.Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(ends)

    def count(self, table: str) -> int:
        with self.database.transaction(WEIFANG) as session:
            return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


@pytest.fixture
def world(real: Database) -> ground.World:
    with real.transaction(WEIFANG) as session:
        return ground.build(session)


@pytest.fixture
def office(real: Database, world: ground.World, fresh_url: str, tmp_path: Path) -> Office:
    settings = make_settings(fresh_url, tmp_path)
    app = create_app(settings, real)
    app.config.update(TESTING=False, WTF_CSRF_ENABLED=False)
    return Office(app, Cast(real, settings), real)


def test_what_a_form_makes_is_made_once(
    real: Database, office: Office, world: ground.World
) -> None:
    with real.transaction(WEIFANG) as session:
        vacant = makers.make_storefront(session, world.segment, name=None, house_number="601号")
        chief = makers.make_post(session, makers.make_person(session, "周建国"))
        case = ground.opened(session, world, category="ZX08")
    person, segment = world.officer, world.segment.id
    desk, spot = f"/desk/cases/{case.id}/do", "lon=121.51871&lat=31.22911&datum=wgs84"
    walk = f"on=2027-03-01&from=09:00&to=11:00&segment={segment}&person={person}"
    whom, hours = (
        f"person={person}",
        "days-0=6&days-0=7&from-0=10:00&to-0=22:00&valid_from=2026-01-01&valid_to=2027-12-31",
    )
    forms = f"""
routing_rule  admin    /admin/routing name=堆物&unit={world.green.id}
api_key       admin    /admin/keys name=市平台&scope=file
reply_template admin   /admin/replies name=感谢&language=zh&text=谢谢您
saved_view    operator /desk/views name=夜间油烟
shift         operator /chief/week/shifts {walk}
absence       operator /chief/week/absences from=2027-03-01&to=2027-03-05&because=学习&{whom}
print_batch   admin    /admin/codes/mint id={uuid.uuid4()}&what=blank&count=2&layout=plate
storefront    admin    /admin/streets/storefronts/new {spot}&number=603号&address=崂山路603号
street_block  admin    /admin/streets/blocks/new name=红色街区
grid          admin    /admin/streets/grids/new code=G09&name=九网格&area={BOX}
organisation  admin    /admin/streets/organisations/new name=水务所&kind=department
station       admin    /admin/streets/stations/new {spot}&name=驿站&kind=party_service&hours=9–17
permit_area   admin    /admin/streets/permits/new name=外摆&kind=outdoor_seating&area={BOX}&{hours}
road          admin    /admin/streets/roads/new name=新路&kind=residential&line={LINE}&sure=1
person        admin    /admin/people name=新人&login=new.one
post          admin    /admin/people/{person}/posts role=patroller&capacity=contractor
tenancy       admin    /admin/streets/storefronts/{vacant.id}/tenancies sign=面馆&on=2026-11-01
assignment    admin    /admin/streets/segments/{segment}/chiefs post={chief.id}
case_step     operator {desk}/note words=已电话联系
case_step     operator {desk}/contact words=已安排处理
case_step     operator {desk}/remind seen=
"""
    wrong = []
    for line in forms.strip().splitlines():
        table, role, address, form = line.split(maxsplit=3)
        before = office.count(table)
        ends = office.twice(role, address, form)
        made = office.count(table) - before
        if made != 1 or not set(ends) <= TOLD:
            wrong.append((address, made, ends))
    assert wrong == [], "\n".join(map(str, wrong))
