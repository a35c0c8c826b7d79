"""Kept days give what counting every case gives, whatever happens after they were counted."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from roadchief.issues import cases, handling
from roadchief.issues.figures import periods, tallies
from roadchief.issues.figures.models import CaseDay
from roadchief.issues.figures.periods import Report
from roadchief.issues.models import Case
from roadchief.lib import clock
from tests.issues import ground
from tests.issues.ground import TUESDAY

LATER = TUESDAY + timedelta(days=8)


def counted(session: Session, at: datetime, *, kept: bool) -> Report:
    """The report of sixty days, with the kept days or with every case counted."""
    last = clock.local_date(at)
    with session.begin_nested() as part:
        if not kept:
            session.execute(delete(CaseDay))
        found = periods.report(session, last - timedelta(days=60), last, at=at)
        part.rollback()
    return found


@pytest.fixture
def world(session: Session) -> ground.World:
    world = ground.build(session)
    for day in range(0, 40, 3):
        at = TUESDAY - timedelta(days=day)
        # Withdrawn are only those that nobody has opened yet.
        make = ground.opened if day and day % 2 == 0 else ground.file_case
        case = make(session, world, category=("ZX02", "ZX08", "LH01")[day % 3], at=at)
        if day % 2:
            ended = at + timedelta(hours=day)
            handling.withdraw(session, case, who=cases.Who("citizen"), at=ended)
    session.flush()
    return world


def test_kept_days_add_up(session: Session, world: ground.World) -> None:
    assert tallies.keep(session, at=LATER) == 14
    days = tallies.days_of(session, *periods.period({}, at=LATER))
    assert len(days.kept) == 14
    report = counted(session, LATER, kept=True)
    assert report == counted(session, LATER, kept=False)
    assert report.total.cases == 14
    assert report.total.late > 0
    assert sum(one.cases for one in report.cuts["week"]) == 14


def test_a_change_after_the_count_is_seen_at_once(session: Session, world: ground.World) -> None:
    tallies.keep(session, at=LATER)
    before = counted(session, LATER, kept=True)
    old = session.scalars(select(Case).where(Case.state == "reported")).first()
    assert old is not None
    handling.withdraw(session, old, who=cases.Who("citizen"), at=LATER)
    session.flush()
    ground.file_case(session, world, at=LATER)
    after = counted(session, LATER, kept=True)
    assert after.total.cases == before.total.cases + 1
    assert after.total.closed == before.total.closed + 1
    assert after == counted(session, LATER, kept=False)
    assert tallies.keep(session, at=LATER + timedelta(hours=2)) == 2
    assert counted(session, LATER, kept=True) == after


def test_old_cases_that_come_later_are_counted(session: Session, world: ground.World) -> None:
    tallies.keep(session, at=LATER)
    day = clock.local_date(TUESDAY)
    # As an import writes them: with the times of long ago.
    case = ground.file_case(session, world, at=TUESDAY)
    tallies.forget(session, [day])
    assert case.updated_at < LATER - timedelta(days=1)
    assert counted(session, LATER, kept=True) == counted(session, LATER, kept=False)
    assert tallies.keep(session, at=LATER) == 1


def test_a_day_begins_at_midnight_here(session: Session, world: ground.World) -> None:
    at = TUESDAY.replace(hour=16, minute=30)  # 00:30 of Wednesday in Shanghai
    ground.file_case(session, world, at=at)
    tallies.keep(session, at=LATER)
    rows = session.scalars(
        select(CaseDay.day).where(CaseDay.cut == "all").order_by(CaseDay.day.desc())
    )
    assert rows.first() == clock.local_date(at)


def test_many_closings_keep_their_median_within_two_per_cent(
    session: Session, world: ground.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = counted(session, LATER, kept=True)
    assert exact.median_h
    assert exact.ninety_h
    tallies.keep(session, at=LATER)
    monkeypatch.setattr(periods, "EXACT_TO", 0)
    assert session.scalar(select(func.count()).select_from(CaseDay).where(CaseDay.cut == "lived"))
    found = counted(session, LATER, kept=True)
    fresh = counted(session, LATER, kept=False)
    assert (found.median_h, found.ninety_h) == (fresh.median_h, fresh.ninety_h)
    lived = sorted(
        session.scalars(
            text(
                "SELECT extract(epoch FROM ended_at - reported_at) / 3600 FROM case_file "
                "WHERE ended_at IS NOT NULL"
            )
        )
    )
    assert found.median_h
    nearest = min(lived, key=lambda one: abs(float(one) - found.median_h))  # type: ignore[operator]
    assert found.median_h == pytest.approx(float(nearest), rel=0.021)
