"""The demo's fortnight goes through the phones' own door and looks like one."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.config import Settings
from roadchief.db import Database
from roadchief.demo import living, loading, patrolling, selfchecking
from roadchief.lib import clock
from roadchief.patrol.chief import board
from roadchief.patrol.models import CheckIn, CoveredStretch, Handover, PatrolItem, Track
from roadchief.patrol.plan_models import Shift
from roadchief.patrol.selfchecks import reading as self_reading
from tests.conftest import WEIFANG
from tests.issues import ground
from tests.issues.ground import TUESDAY


def test_a_fortnight_of_walks(database: Database, settings: Settings) -> None:
    seed, names = loading.read_seed("streets.json"), loading.read_seed("names.json")
    now = clock.now()
    then = now - living.FORTNIGHT
    people = living.demo_people(names, b"x" * 32)
    with database.transaction(WEIFANG) as session:
        loading.load_ground(session, seed, at=then)
        loading.load_storefronts(session, seed, names, at=then)
        posts = living.settle_people(session, people, names, at=then, settings=settings)
        made = patrolling.walk_a_fortnight(session, posts, now=now)
        assert made > 100
        outcomes = dict(
            session.execute(select(CheckIn.outcome, func.count()).group_by(CheckIn.outcome))
            .tuples()
            .all()
        )
        assert outcomes["verified"] > 0.75 * sum(outcomes.values())
        assert {"weak", "contradicted"} <= set(outcomes)
        assert session.scalar(select(func.count(Handover.id)))
        assert session.scalar(select(func.max(PatrolItem.received_at))) <= now
        assert session.scalar(select(func.count(Shift.id)).where(Shift.starts_at > now))
        found = board.morning(session, None, at=now)
        assert found.reviews.waiting
        assert found.covered.bands.verified
        tracks = list(session.scalars(select(Track)))
        assert len(tracks) == session.scalar(select(func.count(Handover.id)))  # one each morning
        assert all(track.walked_m > 100 for track in tracks)
        assert session.scalar(select(func.count(CoveredStretch.id)))


def test_some_weeks_of_self_checks(session: Session) -> None:
    world = ground.build(session)
    made = selfchecking.check_some_weeks(session, world.keeper, now=TUESDAY)
    found = self_reading.of_storefront(session, world.shop.id, at=TUESDAY)
    assert found is not None
    assert (made, found.row.open, found.turn.state) == (4, 1, "soon")
    assert selfchecking.check_some_weeks(session, None, now=TUESDAY) == 0
