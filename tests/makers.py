"""Plain functions that make rows with speaking defaults: a world in two lines."""

import uuid
from datetime import UTC, datetime
from typing import Any

import shapely
from sqlalchemy.orm import Session

from roadchief.accounts.models import LoginDirectory, Person, Post
from roadchief.db import new_id, tenant_of
from roadchief.lib import geo
from roadchief.streets.models import Assignment, Road, RoadSegment, Storefront, Subdistrict

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
# 崂山路 as a straight line: enough for rules that need a street.
LAOSHAN = shapely.LineString([(121.51805, 31.23118), (121.5195, 31.2271)])
WEIFANG_AREA = shapely.MultiPolygon([shapely.box(121.505, 31.205, 121.545, 31.2335)])
YANGJING_AREA = shapely.MultiPolygon([shapely.box(121.545, 31.22, 121.57, 31.25)])


def _add(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


def make_subdistrict(session: Session, code: int = 310115004, **given: Any) -> Subdistrict:
    values: dict[str, Any] = {"name": "潍坊新村街道", "short_name": "WF", "area": WEIFANG_AREA}
    if code == 310115013:
        values = {"name": "洋泾街道", "short_name": "YJ", "area": YANGJING_AREA}
    found = session.get(Subdistrict, code)
    return found or _add(session, Subdistrict(id=code, **(values | given)))


def make_road(session: Session, name: str = "崂山路", **given: Any) -> Road:
    values: dict[str, Any] = {
        "subdistrict_id": tenant_of(session),
        "name": name,
        "initials": "lsl",
        "kind": "tertiary",
        "source": "test",
        "source_id": uuid.uuid4().hex,
    }
    return _add(session, Road(**(values | given)))


def make_segment(session: Session, road: Road | None = None, **given: Any) -> RoadSegment:
    road = road or make_road(session)
    line = given.pop("line", LAOSHAN)
    values: dict[str, Any] = {
        "subdistrict_id": tenant_of(session),
        "road_id": road.id,
        "code": f"LSL-{uuid.uuid4().hex[:6]}",
        "name": f"{road.name}（张杨路—潍坊路）",
        "seq": 1,
        "line": line,
        "length_m": geo.length_m(line),
        "from_name": "张杨路",
        "to_name": "潍坊路",
        "opened_at": NOON,
    }
    return _add(session, RoadSegment(**(values | given)))


def make_storefront(
    session: Session,
    segment: RoadSegment | None = None,
    *,
    name: str | None = "桂香早点铺",
    **given: Any,
) -> Storefront:
    segment = segment or make_segment(session)
    number = given.pop("house_number", "527号")
    values: dict[str, Any] = {
        "subdistrict_id": tenant_of(session),
        "door": geo.point(lon=121.5187, lat=31.2291),
        "house_number": number,
        "address": f"崂山路{number}",
        "name": name,
        "business_type": "早点",
        "segment_id": segment.id,
        "side": "left",
        "measure_m": 120.0,
        "source": "test",
        "source_id": uuid.uuid4().hex,
        "source_datum": "wgs84",
        "opened_at": NOON,
    }
    return _add(session, Storefront(**(values | given)))


def make_person(session: Session, name: str = "周建国", **given: Any) -> Person:
    values: dict[str, Any] = {
        "subdistrict_id": tenant_of(session),
        "id": new_id(),
        "name": name,
        "login": f"p{uuid.uuid4().hex[:10]}",
        "state": "active",
        "created_at": NOON,
    }
    person = _add(session, Person(**(values | given)))
    _add(
        session,
        LoginDirectory(
            login=person.login, subdistrict_id=person.subdistrict_id, person_id=person.id
        ),
    )
    return person


def make_post(
    session: Session, person: Person | None = None, *, role: str = "chief_l2", **given: Any
) -> Post:
    person = person or make_person(session)
    values: dict[str, Any] = {
        "subdistrict_id": tenant_of(session),
        "person_id": person.id,
        "role": role,
        "title": "二级路长",
        "capacity": "cadre",
        "starts_at": NOON,
    }
    return _add(session, Post(**(values | given)))


def make_assignment(session: Session, post: Post, segment: RoadSegment, **given: Any) -> Assignment:
    values: dict[str, Any] = {
        "subdistrict_id": tenant_of(session),
        "post_id": post.id,
        "segment_id": segment.id,
        "starts_at": NOON,
    }
    return _add(session, Assignment(**(values | given)))
