"""Two people at once, on two real connections: one wins, the other is told, nobody crashes."""

import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.db import Database
from roadchief.errors import Refusal
from roadchief.lib import geo
from roadchief.streets import chiefs, register, storefronts
from roadchief.streets.models import RoadSegment, Storefront
from tests import makers
from tests.conftest import WEIFANG, make_settings

AT = makers.NOON + timedelta(hours=1)
Act = Callable[[Session], object]


@pytest.fixture
def real(fresh_url: str, tmp_path: Path) -> Iterator[Database]:
    database = Database(make_settings(fresh_url, tmp_path))
    yield database
    database.engine.dispose()


def at_once(database: Database, *acts: Act) -> list[str]:
    """How each act ended; anything but a refusal is raised."""
    ends: list[str] = []
    faults: list[BaseException] = []
    start = threading.Barrier(len(acts))

    def run(act: Act) -> None:
        start.wait()
        try:
            with database.transaction(WEIFANG) as session:
                act(session)
            ends.append("done")
        except Refusal as refusal:
            ends.append(type(refusal).__name__)
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return sorted(ends)


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
