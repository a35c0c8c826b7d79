"""Roads drawn, carried on, renamed and closed; what is foreseen is what happens."""

import uuid
from datetime import timedelta

import pytest
import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.errors import Conflict, RuleBroken, WrongState
from roadchief.streets import catalog, charge, chiefs, outlook, register, roads
from roadchief.streets.models import Assignment, Road, RoadSegment
from tests import makers
from tests.streets import ground

AT = makers.NOON + timedelta(hours=1)
BY = uuid.UUID(int=7)
NORTH_SOUTH = ground.line((0, 400), (0, -400))


@pytest.fixture(autouse=True)
def district(session: Session) -> None:
    makers.make_subdistrict(session, area=None)


def enter(session: Session, name: str, line: shapely.LineString) -> Road:
    return roads.enter(
        session,
        name=name,
        kind="tertiary",
        name_en=None,
        line=line,
        kerb_m=6.0,
        key_road=False,
        by=BY,
        at=AT,
    )


def segments(session: Session, road: Road) -> list[RoadSegment]:
    wanted = select(RoadSegment).where(
        RoadSegment.road_id == road.id, RoadSegment.closed_at.is_(None)
    )
    return list(session.scalars(wanted.order_by(RoadSegment.seq)))


def test_a_road_is_cut_where_it_crosses_others_as_foreseen(session: Session) -> None:
    enter(session, "张杨路", ground.line((-300, 100), (300, 100)))
    foreseen = outlook.of_line(session, NORTH_SOUTH)
    road = enter(session, "崂山路", NORTH_SOUTH)
    rows = segments(session, road)
    assert [row.name for row in rows] == ["崂山路（起点—张杨路）", "崂山路（张杨路—终点）"]
    assert [row.length_m for row in rows] == pytest.approx(
        [piece.length_m for piece in foreseen.pieces], rel=0.01
    )
    assert [round(one.measure_m) for one in foreseen.crossings] == [300]
    assert [one.segment.name for one in foreseen.crossings] == ["张杨路（起点—终点）"]


def test_a_name_is_entered_once(session: Session) -> None:
    enter(session, "崂山路", NORTH_SOUTH)
    with pytest.raises(Conflict):
        enter(session, "崂山路", ground.line((900, 0), (900, 300)))


def test_a_road_is_carried_on_and_counted_anew(session: Session) -> None:
    road = enter(session, "崂山路", ground.line((0, 0), (0, -400)))
    roads.carry_on(session, road, ground.line((0, 0), (0, 300)), kerb_m=6, by=BY, at=AT)
    rows = segments(session, road)
    assert [row.seq for row in rows] == [1, 2]
    assert ground.metres(rows[0].line).bounds[3] == pytest.approx(300, abs=1)
    with pytest.raises(outlook.BadLine):
        roads.carry_on(session, road, ground.line((2, 0), (2, -300)), kerb_m=6, by=BY, at=AT)


@pytest.mark.parametrize("line", [ground.line((0, 0), (0, 2)), ground.line((0, 0), (0, 60_000))])
def test_odd_lines_are_refused(session: Session, line: shapely.LineString) -> None:
    with pytest.raises(RuleBroken):
        enter(session, "崂山路", line)


def test_a_line_outside_the_border_is_refused(session: Session) -> None:
    makers.make_subdistrict(session).area = makers.WEIFANG_AREA
    session.flush()
    with pytest.raises(outlook.BadLine):
        enter(session, "远路", ground.line((50_000, 0), (50_000, 300)))


def test_a_new_name_goes_everywhere_but_not_on_plates(session: Session) -> None:
    cross = enter(session, "张杨路", ground.line((-300, 100), (300, 100)))
    road = enter(session, "崂山路", NORTH_SOUTH)
    on_road = segments(session, road)[0]
    shop = makers.make_storefront(session, on_road, human_number="WF-LSL-0527-1")
    code = on_road.code
    roads.rename(session, cross, to="商城路", name_en="Shangcheng Road", by=BY, at=AT)
    session.flush()
    session.expire_all()
    assert [row.name for row in segments(session, road)] == [
        "崂山路（起点—商城路）",
        "崂山路（商城路—终点）",
    ]
    roads.rename(session, road, to="新崂山路", name_en=None, by=BY, at=AT)
    session.flush()
    session.expire_all()
    assert (shop.address, shop.human_number) == ("新崂山路527号", "WF-LSL-0527-1")
    assert "新崂" in shop.pieces
    assert segments(session, road)[0].code == code
    with pytest.raises(Conflict):
        roads.rename(session, road, to="商城路", name_en=None, by=BY, at=AT)


def test_a_closed_road_leaves_nobody_in_charge(session: Session) -> None:
    road = enter(session, "崂山路", NORTH_SOUTH)
    (segment,) = segments(session, road)
    shop = makers.make_storefront(session, segment)
    post = makers.make_post(session)
    chiefs.appoint_chief(session, post, to=road, by=None, at=AT)
    chiefs.appoint_chief(session, post, to=segment, by=None, at=AT)
    later = AT + timedelta(hours=1)
    roads.close(session, road, by=BY, at=later, because="并入小区")
    session.flush()
    session.expire_all()
    assert session.scalars(select(Assignment.ends_at)).all() == [later, later]
    assert (shop.segment_id, shop.closed_at) == (None, None)
    assert segments(session, road) == []
    with pytest.raises(WrongState):
        roads.close(session, road, by=BY, at=later, because="并入小区")
    with pytest.raises(WrongState):
        chiefs.appoint_chief(session, post, to=road, by=None, at=later)
    enter(session, "崂山路", NORTH_SOUTH)  # the name is free again


def test_a_split_and_a_merge_happen_as_foreseen(session: Session) -> None:
    road = enter(session, "崂山路", NORTH_SOUTH)
    (segment,) = segments(session, road)
    for measure, north in ((100, 300), (500, -100), (600, -200)):
        makers.make_storefront(
            session, segment, measure_m=float(measure), door=ground.door(-12, north)
        )
    foreseen = outlook.of_split(session, segment, road, 400, "浦电路")
    halves = register.split_segment(
        session, segment, at_measure_m=400, by=BY, at=AT, because="太长", name_between="浦电路"
    )
    counted = {row.id: shops for row, _road, shops in catalog.segments(session)}
    assert [(one.name, one.storefronts) for one in foreseen] == [
        (half.name, counted[half.id]) for half in halves
    ]
    assert [one.storefronts for one in foreseen] == [1, 2]
    (whole,) = outlook.of_merge(session, *halves, road)
    merged = register.merge_segments(session, *halves, by=BY, at=AT, because="太短")
    assert (whole.name, whole.storefronts) == (merged.name, 3)
    with pytest.raises(register.SplitOutside):
        outlook.of_split(session, merged, road, 2, None)


def person_post(session: Session, name: str, **given: object) -> tuple[uuid.UUID, object]:
    person = makers.make_person(session, name)
    return person.id, makers.make_post(session, person, **given)  # type: ignore[arg-type]


def test_two_of_one_level_are_an_overlap_and_a_stand_in_is_not(session: Session) -> None:
    road = enter(session, "崂山路", NORTH_SOUTH)
    (segment,) = segments(session, road)
    _one, first = person_post(session, "周建国", level=2)
    _two, second = person_post(session, "吴敏", level=2)
    _three, third = person_post(session, "孙怡", level=3, role="chief_l3")
    other, stand_in = person_post(session, "郑和", level=2)
    held = chiefs.appoint_chief(session, first, to=road, by=None, at=AT)  # type: ignore[arg-type]
    chiefs.appoint_chief(session, third, to=segment, by=None, at=AT)  # type: ignore[arg-type]
    until = AT + timedelta(days=7)
    chiefs.appoint_chief(
        session,
        stand_in,  # type: ignore[arg-type]
        to=segment,
        by=None,
        at=AT,
        acting_for=held,
        until=until,
    )
    assert charge.overlaps(session, at=AT) == []
    chiefs.appoint_chief(session, second, to=segment, by=None, at=AT)  # type: ignore[arg-type]
    (found,) = charge.overlaps(session, at=AT)
    assert (found.segment_id, found.level) == (segment.id, 2)
    assert set(found.people.split("、")) == {"周建国", "吴敏"}
    (row,) = charge.of_person(session, other)
    assert (row.acting_for, row.ends_at, row.name) == ("周建国", until, segment.name)
    assert [one.person for one in charge.of_road(session, road.id, at=AT)] == ["周建国"]
