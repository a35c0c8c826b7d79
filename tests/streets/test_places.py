"""Permit windows as a table, and the other places that are entered once."""

import uuid
from datetime import date, datetime, timedelta

import pytest
import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.errors import BadInput, Conflict
from roadchief.lib import geo
from roadchief.lib.clock import SHANGHAI
from roadchief.streets import (
    chiefs,
    duty_zones,
    permits,
    place_register,
    places,
    segment_details,
    zones,
)
from roadchief.streets.models import Organisation
from tests import makers

EVENING = [{"days": [1, 2, 3, 4, 5], "from": "17:00", "to": "22:00"}]
NIGHT = [{"days": [5], "from": "20:00", "to": "02:00"}]

LATE = [{"days": [3, 4], "from": "20:00", "to": "02:00"}]  # the last day of 2026 is a Thursday


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[arg-type]


YEAR = (date(2026, 1, 1), date(2026, 12, 31))
BOX = shapely.box(121.518, 31.228, 121.5182, 31.2282)


@pytest.mark.parametrize(
    ("windows", "at", "reason"),
    [
        (EVENING, local(2026, 11, 24, 17, 0), "open"),  # a Tuesday
        (EVENING, local(2026, 11, 24, 21, 59), "open"),
        (EVENING, local(2026, 11, 24, 22, 0), "not_at_this_hour"),
        (EVENING, local(2026, 11, 24, 9, 0), "not_at_this_hour"),
        (EVENING, local(2026, 11, 28, 18, 0), "not_today"),
        (EVENING, local(2027, 1, 1, 18, 0), "not_valid"),
        (NIGHT, local(2026, 11, 27, 23, 0), "open"),  # a Friday
        (NIGHT, local(2026, 11, 28, 1, 30), "open"),  # its night, on Saturday's clock
        (NIGHT, local(2026, 11, 28, 2, 0), "not_today"),
        (NIGHT, local(2026, 11, 27, 1, 0), "not_at_this_hour"),
        # A permit ends with its last night, and its first day has no night before it.
        (LATE, local(2027, 1, 1, 1, 30), "open"),
        (LATE, local(2027, 1, 1, 2, 0), "not_valid"),
        (LATE, local(2026, 1, 1, 1, 0), "not_at_this_hour"),
    ],
)
def test_when_outdoor_trade_is_lawful(windows: list, at: datetime, reason: str) -> None:  # type: ignore[type-arg]
    assert permits.judge(windows, *YEAR, at).reason == reason


def test_a_permit_says_a_month_before_that_it_ends() -> None:
    assert not permits.judge(EVENING, *YEAR, local(2026, 11, 30, 18, 0)).ends_soon
    assert permits.judge(EVENING, *YEAR, local(2026, 12, 1, 18, 0)).ends_soon
    assert not permits.judge(EVENING, *YEAR, local(2027, 1, 1, 18, 0)).ends_soon


@pytest.mark.parametrize(
    "windows",
    [
        None,
        [],
        "17:00",
        [{}],
        [{"days": [8], "from": "17:00", "to": "22:00"}],
        [{"days": [1], "from": "25:00", "to": "26:00"}],
        [{"days": [1], "from": "9", "to": "10"}],
        [{"days": [1], "from": "09:00", "to": "09:00"}],
        [None],
        EVENING * 30,
    ],
)
def test_odd_windows_are_refused(session: Session, windows: object) -> None:
    with pytest.raises(BadInput):
        places.open_permit_area(
            session,
            name="外摆位",
            kind="outdoor_seating",
            area=BOX,
            windows=windows,  # type: ignore[arg-type]
            valid_from=YEAR[0],
            valid_to=YEAR[1],
            by=None,
            at=makers.NOON,
        )


def test_a_name_is_entered_once(session: Session) -> None:
    given = {"by": None, "at": makers.NOON}
    office = places.open_organisation(session, name="城管中队", kind="enforcement_squad", **given)
    with pytest.raises(Conflict):
        places.open_organisation(session, name="城管中队", kind="enforcement_squad", **given)
    places.open_block(session, name="崂山路红色街区", theme="red", **given)
    with pytest.raises(BadInput):
        places.open_block(session, name="别的街区", theme="golden", **given)
    grid = places.open_grid(session, code="G01", name="第一网格", area=BOX, **given)
    with pytest.raises(Conflict):
        places.open_grid(session, code="G01", name="又一个", area=BOX, **given)
    station = places.open_station(
        session,
        name="服务站",
        kind="party_service",
        place=BOX.centroid,
        hours="9:00–17:00",
        functions=["充电"],
        organisation=office,
        **given,
    )
    assert station.organisation_id == office.id
    assert grid.code == "G01"


GIVEN = {"by": None, "at": makers.NOON}
BY = {"by": uuid.UUID(int=7), "at": makers.NOON}


def office(session: Session, name: str, parent: Organisation | None = None) -> Organisation:
    return places.open_organisation(session, name=name, kind="department", parent=parent, **GIVEN)  # type: ignore[arg-type]


def test_a_closed_name_is_free_again(session: Session) -> None:
    first = office(session, "城管中队")
    place_register.close(session, first, because="撤并", **BY)  # type: ignore[arg-type]
    office(session, "城管中队")
    with pytest.raises(place_register.PlaceClosed):
        place_register.change(session, first, name="别的", **BY)  # type: ignore[arg-type]
    with pytest.raises(place_register.PlaceClosed):
        place_register.close(session, first, because="撤并", **BY)  # type: ignore[arg-type]


def test_what_changed_is_recorded_and_nothing_else(session: Session) -> None:
    row = office(session, "城管中队")
    place_register.change(session, row, name="城管中队", office_phone="021-58881234", **BY)  # type: ignore[arg-type]
    place_register.change(session, row, name="城管中队", office_phone="021-58881234", **BY)  # type: ignore[arg-type]
    session.flush()
    wanted = select(events.Event.data).where(events.Event.name == "streets.place_changed")
    assert session.scalars(wanted).all() == [{"changed": ["office_phone"]}]
    other = office(session, "市场监管所")
    with pytest.raises(Conflict):
        place_register.change(session, other, name="城管中队", **BY)  # type: ignore[arg-type]


def test_no_office_stands_above_itself(session: Session) -> None:
    top = office(session, "街道")
    middle = office(session, "科室", top)
    low = office(session, "小组", middle)
    for parent in (top, middle, low):
        with pytest.raises(place_register.Circle):
            place_register.change(session, top, parent_id=parent.id, **BY)  # type: ignore[arg-type]
    with pytest.raises(place_register.Circle):
        place_register.change(session, low, guided_by_id=low.id, **BY)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        place_register.change(session, top, office_phone="abc", **BY)  # type: ignore[arg-type]


def test_a_block_gathers_what_lies_within_and_lets_go_when_closed(session: Session) -> None:
    makers.make_subdistrict(session)
    inside = makers.make_segment(session)
    outside = makers.make_segment(
        session, line=shapely.LineString([(121.53, 31.22), (121.531, 31.22)])
    )
    block = places.open_block(session, name="崂山路街区", theme="red", **GIVEN)  # type: ignore[arg-type]
    with pytest.raises(place_register.NoArea):
        place_register.gather_segments(session, block, **BY)  # type: ignore[arg-type]
    area = shapely.box(121.5180, 31.2270, 121.5196, 31.2312)
    place_register.change(session, block, area=area, **BY)  # type: ignore[arg-type]
    assert place_register.gather_segments(session, block, **BY) == 1  # type: ignore[arg-type]
    assert (inside.block_id, outside.block_id) == (block.id, None)
    held = chiefs.appoint_chief(session, makers.make_post(session), to=block, **GIVEN)  # type: ignore[arg-type]
    later = makers.NOON + timedelta(hours=2)
    place_register.close(session, block, by=uuid.UUID(int=7), at=later, because="撤并")
    session.refresh(inside)
    session.refresh(held)
    assert (inside.block_id, held.ends_at) == (None, later)


def test_a_permit_as_large_as_a_park_is_refused(session: Session) -> None:
    with pytest.raises(BadInput):
        places.open_permit_area(
            session,
            name="外摆位",
            kind="outdoor_seating",
            area=shapely.box(121.51, 31.22, 121.52, 31.23),
            windows=EVENING,
            valid_from=YEAR[0],
            valid_to=YEAR[1],
            **GIVEN,  # type: ignore[arg-type]
        )


def test_a_wider_street_moves_its_zones_but_not_drawn_ones(session: Session) -> None:
    makers.make_subdistrict(session)
    segment = makers.make_segment(session, kerb_m=4.0)
    front = zones.frontage(geo.point(lon=121.51885, lat=31.2294), segment.line)
    given = {"frontage": front, "door": front.centroid, "measure_m": 200.0}
    computed = makers.make_storefront(session, segment, **given)
    drawn = makers.make_storefront(session, segment, duty_zone_drawn=True, **given)
    duty_zones.lay_all(session, segment)
    before = computed.duty_zone.area
    values = {"block": None, "grid": None, "key_road": True, "from_name": "张杨路", "to_name": None}
    with pytest.raises(BadInput):
        segment_details.describe(session, segment, kerb_m=0.0, **values, **BY)  # type: ignore[arg-type]
    segment_details.describe(session, segment, kerb_m=6.0, **values, **BY)  # type: ignore[arg-type]
    assert computed.duty_zone.area < before
    assert drawn.duty_zone is None
    assert segment.name == "崂山路（张杨路—终点）"
