"""What dashboards of very big sub-districts show: weeks reckoned ahead and kept.

Up to LIVE_UNTIL storefronts every page asks the rows themselves. Beyond, it would take seconds:
the night's run keeps the last eight weeks (late visits, reviews and corrections are in them by
morning), and the running week is kept again every quarter of an hour. Derived: they can be thrown
away.
"""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from roadchief.db import Database, tenant_of
from roadchief.insight import weekly
from roadchief.insight.goals import Measure
from roadchief.insight.models import BoardWeek
from roadchief.insight.weekly import Cells, Span
from roadchief.lib import clock

LIVE_UNTIL = 20_000
NO_BLOCK = uuid.UUID(int=0)
MANY = text(
    "SELECT count(*) > :most FROM (SELECT FROM storefront WHERE subdistrict_id = :here "
    "LIMIT :most + 1) f"
)
# The night's run and the quarter-hour's may meet: one waits for the other.
TURN = text("SELECT pg_advisory_xact_lock(hashtext('board_week'), :here)")


@dataclass(frozen=True)
class Kept:
    """Sums that were kept, when, and the weeks for which there are none."""

    cells: Cells
    oldest: datetime | None
    newest: datetime | None
    missing: list[date]


def many(session: Session) -> bool:
    """Whether there are too many storefronts to ask about each at every view."""
    values = {"here": tenant_of(session), "most": LIVE_UNTIL}
    return bool(session.execute(MANY, values).scalar_one())


def keep(session: Session, over: Span) -> int:
    """Reckon these weeks and put them in the place of what was kept. Safe to repeat."""
    here = tenant_of(session)
    session.execute(TURN, {"here": here})
    cells = weekly.heavy(session, over)
    mondays = over.mondays
    weeks = dict(enumerate(mondays))
    # A week without any storefront is kept too: nothing there is not the same as not reckoned.
    rows: dict[tuple[date, uuid.UUID], dict[str, list[int]]]
    rows = {(monday, NO_BLOCK): {} for monday in mondays} | {
        (weeks[week], block or NO_BLOCK): {k: [m.part, m.whole] for k, m in found.items()}
        for (week, block), found in cells.items()
    }
    session.execute(
        delete(BoardWeek).where(BoardWeek.subdistrict_id == here, BoardWeek.monday.in_(mondays))
    )
    session.add_all(
        BoardWeek(
            subdistrict_id=here, monday=monday, block_id=block, sums=found, reckoned_at=over.at
        )
        for (monday, block), found in rows.items()
    )
    session.flush()
    return len(mondays)


def kept(session: Session, over: Span) -> Kept:
    """The weeks of a span as they were kept."""
    weeks = {monday: week for week, monday in enumerate(over.mondays)}
    wanted = select(
        BoardWeek.monday, BoardWeek.block_id, BoardWeek.sums, BoardWeek.reckoned_at
    ).where(BoardWeek.subdistrict_id == tenant_of(session), BoardWeek.monday.in_(weeks))
    rows = session.execute(wanted).all()
    cells: Cells = defaultdict(dict)
    for row in rows:
        block = None if row.block_id == NO_BLOCK else row.block_id
        found = {name: Measure(part, whole) for name, (part, whole) in row.sums.items()}
        cells[weeks[row.monday], block] = found
    known = {row.monday for row in rows}
    times = [row.reckoned_at for row in rows]
    return Kept(
        cells,
        min(times, default=None),
        max(times, default=None),
        [monday for monday in weeks if monday not in known],
    )


def running(at: datetime) -> Span:
    """The week that a moment lies in, up to that moment."""
    today = clock.local_date(at)
    return Span(today - timedelta(days=today.weekday()), at, weeks=1)


def keep_running_weeks(database: Database, *, at: datetime) -> list[int]:
    """The running week of every sub-district that does not ask it at every view."""
    done = []
    for place in database.tenants():
        with database.transaction(place) as session:
            if many(session):
                session.execute(text("SET LOCAL statement_timeout = '10min'"))
                keep(session, running(at))
                done.append(place)
    return done
