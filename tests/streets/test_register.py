"""Segments split and merged, chiefs appointed and relieved, storefronts and tenancies."""

import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.config import Settings
from roadchief.db import Database
from roadchief.errors import BadInput, Conflict, NotFound, RuleBroken, WrongState
from roadchief.events import Event
from roadchief.lib import geo
from roadchief.streets import (
    alterations,
    catalog,
    chiefs,
    duty_zones,
    register,
    storefronts,
    tenancies,
)
from roadchief.streets.models import Assignment, RoadSegment, SegmentSuccession, Storefront, Tenancy
from tests import makers
from tests.conftest import make_settings

AT = makers.NOON + timedelta(hours=1)


def street(session: Session) -> RoadSegment:
    makers.make_subdistrict(session)
    return makers.make_segment(session)


def somebody(session: Session) -> makers.Person:
    return makers.make_person(session, "林静")


def test_a_split_keeps_shops_in_place_and_chiefs_in_charge(session: Session) -> None:
    segment = street(session)
    length = segment.length_m
    post = makers.make_post(session)
    chiefs.appoint_chief(session, post, to=segment, by=None, at=makers.NOON)
    plane = geo.Plane.around(segment.line)
    flat = plane.flat(segment.line)
    near, far = (plane.round(flat.interpolate(at)) for at in (50, 400))
    for door, measure in ((near, 50.0), (far, 400.0)):
        makers.make_storefront(session, segment, door=door, measure_m=measure)
    first, second = register.split_segment(
        session, segment, at_measure_m=200, by=somebody(session).id, at=AT, because="太长"
    )
    # Nobody named a crossing: the halves are told apart all the same.
    assert (first.to_name, second.from_name) == ("200米处", "200米处")
    assert first.name != second.name
    assert first.length_m + second.length_m == pytest.approx(length, abs=0.5)
    assert segment.closed_at == AT
    measures = {
        row.segment_id: round(row.measure_m or 0) for row in session.scalars(select(Storefront))
    }
    assert measures == {first.id: 50, second.id: 200}
    running = session.scalars(select(Assignment).where(Assignment.ends_at.is_(None))).all()
    assert {row.segment_id for row in running} == {first.id, second.id}
    assert session.scalar(select(func.count()).select_from(SegmentSuccession)) == 2
    assert catalog.segment_states(session, at=AT)[first.id] == "covered"


def test_a_merge_is_the_way_back(session: Session) -> None:
    segment = street(session)
    by = somebody(session).id
    makers.make_storefront(session, segment, measure_m=210.0, house_number="15号")
    halves = register.split_segment(session, segment, at_measure_m=200, by=by, at=AT, because="x")
    assert halves[0].name.endswith("—15号旁）")
    whole = register.merge_segments(session, *halves, by=by, at=AT, because="误分")
    assert whole.length_m == pytest.approx(segment.length_m, abs=1)
    assert session.scalars(select(Storefront)).one().segment_id == whole.id


@pytest.mark.parametrize("measure", [0, 3, 10_000, -50])
def test_a_split_outside_is_refused(session: Session, measure: float) -> None:
    segment = street(session)
    with pytest.raises(RuleBroken):
        register.split_segment(
            session, segment, at_measure_m=measure, by=segment.id, at=AT, because="x"
        )
    assert segment.closed_at is None


def test_segments_of_two_roads_do_not_merge(session: Session) -> None:
    one = street(session)
    other = makers.make_segment(session, makers.make_road(session, "潍坊路"))
    with pytest.raises(RuleBroken):
        register.merge_segments(session, one, other, by=one.id, at=AT, because="x")


def test_a_closed_segment_is_not_split_again(session: Session) -> None:
    segment = street(session)
    register.split_segment(session, segment, at_measure_m=200, by=segment.id, at=AT, because="x")
    with pytest.raises(WrongState):
        register.split_segment(
            session, segment, at_measure_m=200, by=segment.id, at=AT, because="x"
        )


def test_a_chief_twice_on_one_segment_is_refused_two_chiefs_are_not(session: Session) -> None:
    segment = street(session)
    post, other = makers.make_post(session), makers.make_post(session, role="chief_l3")
    chiefs.appoint_chief(session, post, to=segment, by=None, at=AT)
    chiefs.appoint_chief(session, other, to=segment, by=None, at=AT)
    with pytest.raises(Conflict):
        chiefs.appoint_chief(session, post, to=segment, by=None, at=AT)
    assert len(catalog.charge(session, at=AT, segment_id=segment.id)) == 2


def test_an_officer_answers_for_no_street(session: Session) -> None:
    with pytest.raises(RuleBroken):
        chiefs.appoint_chief(
            session, makers.make_post(session, role="officer"), to=street(session), by=None, at=AT
        )


def test_a_stand_in_shows_as_acting_and_nobody_as_a_gap(session: Session) -> None:
    segment = street(session)
    assert catalog.segment_states(session, at=AT)[segment.id] == "gap"
    row = chiefs.appoint_chief(session, makers.make_post(session), to=segment, by=None, at=AT)
    deputy = makers.make_post(session, role="deputy_chief")
    later = AT + timedelta(hours=1)
    chiefs.relieve_chief(session, row, by=None, at=later, because="休假")
    chiefs.appoint_chief(session, deputy, to=segment, by=None, at=later, acting_for=row)
    assert catalog.segment_states(session, at=later)[segment.id] == "acting"
    with pytest.raises(WrongState):
        chiefs.relieve_chief(session, row, by=None, at=later, because="again")


def test_a_chief_of_the_road_covers_its_segments(session: Session) -> None:
    road = makers.make_road(session)
    makers.make_subdistrict(session)
    segment = makers.make_segment(session, road)
    chiefs.appoint_chief(session, makers.make_post(session), to=road, by=None, at=AT)
    assert catalog.segment_states(session, at=AT)[segment.id] == "covered"


def test_a_new_storefront_gets_side_measure_number_and_duty_zone(session: Session) -> None:
    segment = street(session)
    door = geo.point(lon=121.51885, lat=31.2294)
    row = storefronts.open_storefronts(
        session,
        [storefronts.Door(door, "639号", "崂山路639号", "桂香早点铺")],
        storefronts.ground(session),
        by=None,
        at=AT,
    )[0]
    assert (row.segment_id, row.side) == (segment.id, "left")
    assert row.human_number == "WF-LSL-0639-1"
    assert row.frontage is not None
    assert geo.length_m(row.frontage) == pytest.approx(6, abs=0.1)
    assert row.duty_zone is not None
    assert row.duty_zone.is_valid
    again = storefronts.open_storefronts(
        session,
        [storefronts.Door(door, "639号", "崂山路639号")],
        storefronts.ground(session),
        by=None,
        at=AT,
    )[0]
    assert again.human_number == "WF-LSL-0639-2"


def test_a_corner_shop_faces_two_streets(session: Session) -> None:
    street(session)
    cross = shapely.LineString([(121.5160, 31.2290), (121.5215, 31.2292)])
    makers.make_segment(session, makers.make_road(session, "向城路"), line=cross)
    door = geo.point(lon=121.51895, lat=31.22922)
    row = storefronts.open_storefronts(
        session,
        [storefronts.Door(door, "1号", "崂山路1号")],
        storefronts.ground(session),
        by=None,
        at=AT,
    )[0]
    assert row.second_segment_id is not None
    assert row.second_segment_id != row.segment_id


def test_one_merchant_at_a_time(session: Session) -> None:
    shop = makers.make_storefront(session, street(session), name=None)
    one = tenancies.open_merchant(session, name="甲", uscc="91350203M0001QAY9B")
    assert one.uscc_warning == "校验位不符，请核对执照"
    kept = tenancies.start(
        session, shop, one, sign_name="甲店", on=date(2026, 1, 1), by=None, at=AT
    )
    with pytest.raises(Conflict):
        tenancies.start(session, shop, one, sign_name="乙店", on=date(2026, 2, 1), by=None, at=AT)
    with pytest.raises(BadInput):
        tenancies.end(session, kept, shop, on=date(2025, 1, 1), by=None, at=AT, because="x")
    tenancies.end(session, kept, shop, on=date(2026, 3, 1), by=None, at=AT, because="租约到期")
    assert shop.name is None
    with pytest.raises(BadInput):
        tenancies.start(session, shop, one, sign_name="乙店", on=date(2026, 2, 1), by=None, at=AT)
    tenancies.start(session, shop, one, sign_name="乙店", on=date(2026, 3, 2), by=None, at=AT)
    assert [row.sign_name for row in catalog.tenancies(session, shop.id)] == ["乙店", "甲店"]


def test_merging_storefronts_keeps_what_was(session: Session) -> None:
    segment = street(session)
    pair = [makers.make_storefront(session, segment) for _ in range(2)]
    door = storefronts.Door(geo.point(lon=121.5187, lat=31.2291), "527号", "崂山路527号")
    merged = alterations.merge_storefronts(session, pair, door, by=None, at=AT, because="打通")
    assert all(row.closed_at == AT for row in pair)
    assert merged.closed_at is None
    with pytest.raises(WrongState):
        storefronts.close_storefront(session, pair[0], by=None, at=AT, because="again")
    names = set(session.scalars(select(Event.name)))
    assert {"streets.storefront_closed", "streets.storefronts_merged"} <= names


@pytest.mark.parametrize(
    "zone",
    [
        shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]),
        shapely.box(121.5, 31.2, 121.6, 31.3),
        shapely.box(121.6000, 31.3000, 121.6001, 31.3001),
        shapely.Polygon(),
    ],
)
def test_an_unlikely_duty_zone_is_refused(session: Session, zone: shapely.Polygon) -> None:
    shop = makers.make_storefront(session, street(session))
    with pytest.raises(RuleBroken):
        duty_zones.redraw(session, shop, zone, by=shop.id, at=AT)
    assert not shop.duty_zone_drawn


def test_absent_things_are_not_found(session: Session) -> None:
    shop = makers.make_storefront(session, street(session))
    for find in (register.find_segment, register.locked, chiefs.find):
        with pytest.raises(NotFound):
            find(session, shop.id)


def test_search_finds_road_number_name_and_initials(session: Session) -> None:
    segment = street(session)
    shop = makers.make_storefront(session, segment)
    tenancies.make_findable(shop)
    session.flush()
    for asked in ("桂香", "早点", "527号", "崂山路527", "gxzdp", "GXZ"):
        assert [hit.id for hit in catalog.search(session, asked) if hit.kind == "storefront"] == [
            shop.id
        ], asked
    assert catalog.search(session, "lsl")[0].kind == "segment"
    for nothing in ("", "   ", "%%", "__", "'; DROP TABLE storefront; --", "\x00", "龘龘"):
        assert [hit for hit in catalog.search(session, nothing) if hit.kind != "segment"] == []


def test_search_by_a_number_finds_that_number_first_and_then_in_order(session: Session) -> None:
    segment = street(session)
    for number in (*range(500, 560), 5):  # more than are shown; names against the numbers' order
        name = f"{chr(0x4E00 + 700 - number)}店"
        shop = makers.make_storefront(session, segment, house_number=f"{number}号", name=name)
        tenancies.make_findable(shop)
    session.flush()
    found = [hit.place for hit in catalog.search(session, "崂山路5") if hit.kind == "storefront"]
    assert found[:4] == ["崂山路5号", "崂山路500号", "崂山路501号", "崂山路502号"]
    assert len(found) == catalog.SEARCH_LIMIT


def test_of_two_tenancies_at_once_one_wins(fresh_url: str, tmp_path: Path) -> None:
    settings: Settings = make_settings(fresh_url, tmp_path)
    database = Database(settings)
    with database.transaction(310115004) as session:
        shop = makers.make_storefront(session, street(session), name=None)
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def move_in(name: str) -> None:
        start.wait()
        try:
            with database.transaction(310115004) as session:
                row = storefronts.locked(session, shop.id)
                merchant = tenancies.open_merchant(session, name=name)
                tenancies.start(
                    session, row, merchant, sign_name=name, on=date(2026, 1, 1), by=None, at=AT
                )
            outcomes.append("in")
        except Conflict:
            outcomes.append("refused")

    threads = [threading.Thread(target=move_in, args=(name,)) for name in ("甲", "乙")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "refused"]
    with database.transaction(310115004) as session:
        assert session.scalar(select(func.count()).select_from(Tenancy)) == 1
    database.engine.dispose()
