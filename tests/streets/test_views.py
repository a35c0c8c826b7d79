"""The register's pages: forms that fit, odd posts refused, few queries."""

import json
import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from roadchief.db import Database
from roadchief.streets import register, storefronts
from roadchief.streets.models import Storefront
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG

NOBODY = "00000000-0000-0000-0000-000000000000"
RING = [[121.5186, 31.2291], [121.5187, 31.2291], [121.5187, 31.2292], [121.5186, 31.2291]]


@pytest.fixture
def admin(app: Flask, cast: Cast) -> FlaskClient:
    client = app.test_client()
    assert sign_in(client, cast["admin"]).status_code == 302
    return client


def address(database: Database, *, name: str | None = "桂香早点铺") -> str:
    with database.transaction(WEIFANG) as session:
        shop = makers.make_storefront(session, name=name)
    return f"/admin/streets/storefronts/{shop.id}"


def test_an_imported_shop_with_a_sign_may_get_its_first_tenancy(
    admin: FlaskClient, database: Database
) -> None:
    path = address(database)
    assert f"{path}/tenancies" in admin.get(path).text
    sent = {"sign": "桂香早点铺", "on": "2026-01-01"}
    assert admin.post(f"{path}/tenancies", data=sent).status_code == 302
    page = admin.get(path).text
    assert f"{path}/tenancies/end" in page
    assert "经营期已开始" in page
    assert admin.post(f"{path}/tenancies", data=sent).status_code == 409
    ending = {"on": "2026-02-01", "because": "迁出"}
    assert admin.post(f"{path}/tenancies/end", data=ending).status_code == 302
    assert "经营期已结束" in admin.get(path).text


def test_where_a_storefront_comes_from_is_said_in_words(
    admin: FlaskClient, database: Database
) -> None:
    path = address(database)
    with database.transaction(WEIFANG) as session:
        session.execute(update(Storefront).values(source="register"))
    assert "人工登记 · WGS-84" in admin.get(path).text


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "\x00",
        "5",
        "null",
        "[" * 50_000,
        '{"type":5}',
        '{"type":"Polygon"}',
        '{"type":"Polygon","coordinates":[[[NaN,NaN],[1,1],[2,2],[NaN,NaN]]]}',
        '{"type":"Polygon","coordinates":[[[%s,1],[1,1],[2,2],[1,1]]]}' % ("9" * 400),
        *(
            json.dumps({"type": "Polygon", "coordinates": odd})
            for odd in ([], [[]], [[1, 2]], 5, None, {"a": 1}, [[["a", 1], [1, 1], [2, 2]]])
        ),
        json.dumps({"type": "MultiPolygon", "coordinates": [[RING]]}),
        json.dumps({"type": "Feature", "geometry": None}),
    ],
    ids=range(18),
)
def test_an_odd_duty_zone_is_refused(admin: FlaskClient, database: Database, zone: str) -> None:
    path = address(database)
    assert admin.post(f"{path}/duty-zone", data={"zone": zone}).status_code == 422


def test_a_drawn_duty_zone_is_kept(admin: FlaskClient, database: Database) -> None:
    path = address(database)
    zone = json.dumps({"type": "Polygon", "coordinates": [RING]})
    assert admin.post(f"{path}/duty-zone", data={"zone": zone}).status_code == 302
    with database.transaction(WEIFANG) as session:
        row = storefronts.find(session, uuid.UUID(path.rsplit("/", 1)[1]))
        assert row.duty_zone_drawn


@pytest.mark.parametrize(
    ("act", "sent", "status"),
    [
        ("split", {"measure": "100"}, 422),
        ("split", {"measure": "abc", "because": "x"}, 422),
        ("split", {"measure": "--5", "because": "x"}, 422),
        ("split", {"measure": "１００", "because": "x"}, 422),
        ("split", {"measure": "99999", "because": "x"}, 422),
        ("split", {"measure": "100", "because": "\x00"}, 422),
        ("split", {"measure": "100", "because": "x" * 5000}, 422),
        ("merge", {"other": "x", "because": "x"}, 422),
        ("merge", {"other": NOBODY, "because": "x"}, 404),
        ("chiefs", {"post": "x"}, 422),
        ("chiefs", {"post": NOBODY}, 404),
    ],
)
def test_odd_posts_change_nothing(
    admin: FlaskClient, database: Database, act: str, sent: dict[str, Any], status: int
) -> None:
    with database.transaction(WEIFANG) as session:
        segment = makers.make_segment(session).id
    path = f"/admin/streets/segments/{segment}/{act}"
    assert admin.post(path, data=sent).status_code == status
    with database.transaction(WEIFANG) as session:
        assert register.find_segment(session, segment).closed_at is None


def test_lists_ask_a_fixed_number_of_questions(
    admin: FlaskClient, database: Database, queries: Any
) -> None:
    with database.transaction(WEIFANG) as session:
        segment = makers.make_segment(session)
        for measure in range(40):
            makers.make_storefront(session, segment, measure_m=float(measure))
    for path, most in (("/admin/streets", 8), (f"/admin/streets/segments/{segment.id}", 14)):
        with queries() as seen:
            assert admin.get(path).status_code == 200
        assert len(seen) <= most, seen.statements
