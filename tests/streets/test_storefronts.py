"""Duty zones side by side, tenancies at the edges of the calendar, corner shops."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
import shapely
from sqlalchemy.orm import Session

from roadchief.errors import BadInput
from roadchief.lib import geo
from roadchief.streets import catalog, register, storefronts, tenancies
from roadchief.streets.models import RoadSegment, Storefront, Tenancy
from tests import makers

AT = makers.NOON + timedelta(hours=1)
# Nine metres apart along the street, and one stands 2.6 m farther back.
DOORS = [
    storefronts.Door(geo.point(lon=121.51885, lat=lat), number, f"崂山路{number}")
    for number, lat in (("639号", 31.2294), ("641号", 31.22932))
]


def street(session: Session) -> RoadSegment:
    makers.make_subdistrict(session)
    return makers.make_segment(session)


def let(session: Session, on: date, at: datetime = AT) -> tuple[Storefront, Tenancy]:
    shop = makers.make_storefront(session, street(session), name=None)
    merchant = tenancies.open_merchant(session, name="甲")
    return shop, tenancies.start(session, shop, merchant, sign_name="甲店", on=on, by=None, at=at)


@pytest.mark.parametrize("batches", [[DOORS], [DOORS[:1], DOORS[1:]], [DOORS[1:], DOORS[:1]]])
def test_duty_zones_of_neighbours_do_not_overlap(
    session: Session, batches: list[list[storefronts.Door]]
) -> None:
    street(session)
    rows = [
        row
        for doors in batches
        for row in storefronts.open_storefronts(
            session, doors, storefronts.ground(session), by=None, at=AT
        )
    ]
    plane = geo.Plane.around(rows[0].door)
    one, other = (plane.flat(row.duty_zone) for row in rows)
    assert one.intersection(other).area < 0.1


def test_no_door_opens_on_a_tunnel(session: Session) -> None:
    """One runs under the very shop, and the street is twenty metres away."""
    segment = street(session)
    under = shapely.transform(segment.line, lambda lonlat: np.add(lonlat, (0.0002, 0)))
    road = makers.make_road(session, "崂山路隧道")
    makers.make_segment(session, road, line=under)
    placed = storefronts.place(storefronts.ground(session), DOORS)
    rows = storefronts.open_storefronts(session, DOORS, storefronts.ground(session), by=None, at=AT)
    assert {row.segment_id for row in rows} == {segment.id}
    assert {int(index) for index in placed.second} == {-1}, "nor has it a second front there"


def test_a_shop_opened_this_morning_closes_this_morning(session: Session) -> None:
    """01:00 in Shanghai is still yesterday in UTC."""
    at = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
    shop, tenancy = let(session, date(2026, 11, 25), at)
    storefronts.close_storefront(session, shop, by=None, at=at, because="拆除")
    session.refresh(tenancy)
    assert tenancy.ends_on == date(2026, 11, 25)


def test_a_storefront_closes_before_its_tenant_comes(session: Session) -> None:
    next_week = (AT + timedelta(days=7)).date()
    shop, tenancy = let(session, next_week)
    storefronts.close_storefront(session, shop, by=None, at=AT, because="拆除")
    session.refresh(tenancy)
    assert (shop.closed_at, tenancy.ends_on) == (AT, next_week)


@pytest.mark.parametrize("on", [date(1, 1, 1), date(1899, 12, 31), date(9999, 12, 31)])
def test_odd_first_days_are_refused(session: Session, on: date) -> None:
    with pytest.raises(BadInput):
        let(session, on)


def test_an_end_that_lies_ahead_is_refused_and_the_sign_stays(session: Session) -> None:
    shop, tenancy = let(session, date(2026, 1, 1))
    with pytest.raises(BadInput):
        tenancies.end(
            session, tenancy, shop, on=date(9999, 1, 1), by=None, at=AT, because="租约到期"
        )
    assert shop.name == "甲店"


def test_a_corner_shop_follows_its_second_street(session: Session) -> None:
    first = street(session)
    line = shapely.LineString([(121.5160, 31.2290), (121.5215, 31.2292)])
    cross = makers.make_segment(session, makers.make_road(session, "向城路"), line=line)
    shop = makers.make_storefront(
        session, first, second_segment_id=cross.id, second_side="left", second_measure_m=257.0
    )
    _, east = register.split_segment(
        session, cross, at_measure_m=150, by=first.id, at=AT, because="太长"
    )
    session.refresh(shop)
    assert (shop.segment_id, shop.second_segment_id) == (first.id, east.id)
    assert shop.second_measure_m == pytest.approx(107, abs=2)


def test_search_reads_over_the_gap_between_words(session: Session) -> None:
    shop = makers.make_storefront(session, street(session))
    tenancies.make_findable(shop)
    session.flush()
    assert shop.id in {hit.id for hit in catalog.search(session, "崂山路 527")}
