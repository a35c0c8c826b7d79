"""Two people at once, on two real connections: one wins, the other is told, nobody crashes."""

import threading
import uuid
from datetime import timedelta

import pytest
import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.accounts.models import Post
from roadchief.db import Database
from roadchief.lib import geo
from roadchief.streets import alterations, chiefs, new_doors, register, roads, storefronts
from roadchief.streets.models import RoadSegment, Storefront
from tests import makers
from tests.conftest import WEIFANG
from tests.races import Act, at_once

AT = makers.NOON + timedelta(hours=1)


def two_segments(database: Database) -> tuple[uuid.UUID, uuid.UUID]:
    with database.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
        road = makers.make_road(session)
        north, south = (
            makers.make_segment(session, road, seq=seq, line=shapely.LineString(line)).id
            for seq, line in (
                (1, [(121.518, 31.232), (121.518, 31.230)]),
                (2, [(121.518, 31.230), (121.518, 31.228)]),
            )
        )
    return north, south


def splitting(segment: uuid.UUID) -> Act:
    return lambda session: register.split_segment(
        session,
        register.find_segment(session, segment),
        at_measure_m=100,
        by=segment,
        at=AT,
        because="太长",
    )


def merging(one: uuid.UUID, other: uuid.UUID) -> Act:
    return lambda session: register.merge_segments(
        session,
        register.find_segment(session, one),
        register.find_segment(session, other),
        by=one,
        at=AT,
        because="太短",
    )


def test_two_segments_of_one_road_split_at_once(real: Database) -> None:
    north, south = two_segments(real)
    assert at_once(real, splitting(north), splitting(south)) == ["done", "done"]
    with real.transaction(WEIFANG) as session:
        rows = session.scalars(select(RoadSegment).where(RoadSegment.closed_at.is_(None))).all()
    assert sorted(row.seq for row in rows) == [1, 2, 3, 4]


def test_of_a_merge_and_a_split_one_wins(real: Database) -> None:
    north, south = two_segments(real)
    assert at_once(real, merging(north, south), splitting(south)) == ["SegmentClosed", "done"]


def test_of_two_merges_one_wins(real: Database) -> None:
    north, south = two_segments(real)
    assert at_once(real, merging(north, south), merging(south, north)) == ["SegmentClosed", "done"]


def test_a_chief_is_relieved_once(real: Database) -> None:
    north, _ = two_segments(real)
    with real.transaction(WEIFANG) as session:
        segment = register.find_segment(session, north)
        row = chiefs.appoint_chief(
            session, makers.make_post(session), to=segment, by=None, at=makers.NOON
        ).id

    def relieve(session: Session) -> None:
        chiefs.relieve_chief(session, chiefs.find(session, row), by=None, at=AT, because="调离")

    assert at_once(real, relieve, relieve) == ["AlreadyRelieved", "done"]


def test_two_doors_of_one_number_get_two_human_numbers(real: Database) -> None:
    two_segments(real)
    door = storefronts.Door(geo.point(lon=121.5181, lat=31.2310), "639号", "崂山路639号")

    def enter(session: Session) -> None:
        ground = storefronts.ground(session)
        storefronts.open_storefronts(session, [door], ground, by=None, at=AT)

    assert at_once(real, enter, enter) == ["done", "done"]
    with real.transaction(WEIFANG) as session:
        assert session.scalar(select(func.count(Storefront.human_number.distinct()))) == 2


def test_no_storefront_is_entered_on_a_segment_split_meanwhile(real: Database) -> None:
    north, _ = two_segments(real)
    door = storefronts.Door(geo.point(lon=121.5181, lat=31.2310), "639号", "崂山路639号")
    with pytest.raises(storefronts.GroundMoved), real.transaction(WEIFANG) as session:
        ground = storefronts.ground(session)
        at_once(real, splitting(north))
        storefronts.open_storefronts(session, [door], ground, by=None, at=AT)


def shop_on(database: Database, lat: float, number: str) -> uuid.UUID:
    door = storefronts.Door(geo.point(lon=121.5181, lat=lat), number, f"崂山路{number}")
    with database.transaction(WEIFANG) as session:
        ground = storefronts.ground(session)
        return storefronts.open_storefronts(session, [door], ground, by=None, at=AT)[0].id


def splitting_shop(shop: uuid.UUID) -> Act:
    def act(session: Session) -> None:
        row = storefronts.find(session, shop)
        ground = storefronts.ground(session)
        doors = new_doors.parts(row, ground, [f"{row.house_number}-1", f"{row.house_number}-2"])
        alterations.split_storefront(session, row, doors, by=shop, at=AT, because="隔断")

    return act


def moving_shop(shop: uuid.UUID, lat: float) -> Act:
    return lambda session: alterations.move_door(
        session,
        storefronts.find(session, shop),
        geo.point(lon=121.5181, lat=lat),
        datum="wgs84",
        by=shop,
        at=AT,
        because="量错",
    )


def closing_shop(shop: uuid.UUID) -> Act:
    return lambda session: storefronts.close_storefront(
        session, storefronts.find(session, shop), by=None, at=AT, because="拆除"
    )


@pytest.mark.parametrize("times", range(4))
def test_a_shop_and_its_segment_are_split_at_once(real: Database, times: int) -> None:
    """Segments are locked before storefronts, also by whoever begins with a storefront."""
    north, _ = two_segments(real)
    shop = shop_on(real, 31.2310, "527号")
    ends = at_once(real, splitting_shop(shop), splitting(north))
    # The segment's split always holds; the shop's is done, or told that the ground moved.
    assert ends in (["done", "done"], ["GroundMoved", "done"])
    with real.transaction(WEIFANG) as session:
        open_rows = session.scalars(select(Storefront).where(Storefront.closed_at.is_(None))).all()
        closed = set(
            session.scalars(select(RoadSegment.id).where(RoadSegment.closed_at.is_not(None)))
        )
    assert len(open_rows) == (2 if ends == ["done", "done"] else 1)
    assert not {row.segment_id for row in open_rows} & closed


def test_the_lock_order_holds_step_by_step(real: Database) -> None:
    """The segment's split waits for a shop's that holds both, and neither waits in a ring."""
    north, _ = two_segments(real)
    shop = shop_on(real, 31.2310, "527号")
    began = threading.Event()
    done: list[str] = []

    def segment_split() -> None:
        with real.transaction(WEIFANG) as session:
            began.set()
            splitting(north)(session)
        done.append("segment")

    with real.transaction(WEIFANG) as session:
        storefronts.hold(session, {north}, [shop])
        other = threading.Thread(target=segment_split)
        other.start()
        began.wait()
        other.join(timeout=0.5)
        splitting_shop(shop)(session)
        done.append("shop")
    other.join(timeout=10)
    assert done == ["shop", "segment"]


@pytest.mark.parametrize("times", range(3))
def test_neighbours_altered_at_once(real: Database, times: int) -> None:
    """Each touches the other's duty zone."""
    two_segments(real)
    one, other = shop_on(real, 31.2310, "527号"), shop_on(real, 31.23106, "529号")
    third = shop_on(real, 31.23112, "531号")
    acts = (splitting_shop(one), moving_shop(other, 31.23107), closing_shop(third))
    assert at_once(real, *acts) == ["done", "done", "done"]


def test_of_two_splits_of_one_shop_one_wins(real: Database) -> None:
    two_segments(real)
    shop = shop_on(real, 31.2310, "527号")
    ends = at_once(real, splitting_shop(shop), splitting_shop(shop))
    assert ends == ["StorefrontClosed", "done"]


def test_of_two_stand_ins_by_one_post_one_is_told(real: Database) -> None:
    north, _ = two_segments(real)
    with real.transaction(WEIFANG) as session:
        post = makers.make_post(session).id

    def appoint(session: Session) -> None:
        chiefs.appoint_chief(
            session,
            session.get_one(Post, (WEIFANG, post)),
            to=register.find_segment(session, north),
            by=None,
            at=AT,
            until=AT + timedelta(days=7),
        )

    assert at_once(real, appoint, appoint) == ["AlreadyAppointed", "done"]


def entering_road(line: shapely.LineString) -> Act:
    return lambda session: roads.enter(
        session,
        name="商城路",
        kind="tertiary",
        name_en=None,
        line=line,
        kerb_m=6,
        key_road=False,
        by=uuid.UUID(int=1),
        at=AT,
    )


def test_of_two_roads_of_one_name_one_is_told(real: Database) -> None:
    two_segments(real)
    line = shapely.LineString([(121.510, 31.225), (121.520, 31.225)])
    assert at_once(real, entering_road(line), entering_road(line)) == ["RoadNameTaken", "done"]


@pytest.mark.parametrize("times", range(3))
def test_a_rename_beside_a_split_and_a_closing(real: Database, times: int) -> None:
    north, south = two_segments(real)

    def rename(session: Session) -> None:
        road = roads.find(session, register.find_segment(session, north).road_id)
        roads.rename(session, road, to="新崂山路", name_en=None, by=north, at=AT)

    shop = shop_on(real, 31.2310, "527号")
    acts = (rename, splitting(south), closing_shop(shop))
    assert at_once(real, *acts) == ["done", "done", "done"]
    with real.transaction(WEIFANG) as session:
        names = session.scalars(select(RoadSegment.name).where(RoadSegment.closed_at.is_(None)))
        assert all(name.startswith("新崂山路") for name in names)
