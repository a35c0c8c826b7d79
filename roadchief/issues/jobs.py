"""What the worker does for cases: every five minutes what is due, at night what is old."""

import uuid
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from roadchief import jobs
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.errors import Conflict
from roadchief.issues import adjusting, retention, watching
from roadchief.issues.figures import tallies
from roadchief.issues.mail import messages
from roadchief.issues.sources import promises
from roadchief.lib import clock

Find = Callable[..., list[uuid.UUID]]
Act = Callable[..., object]
OFTEN: tuple[tuple[Find, Act], ...] = (
    (watching.due_merchants, watching.merchant_is_late),
    (watching.changed_lights, watching.tell_light),
    (watching.silent_questions, adjusting.give_back_unanswered),
)
messages.wire()
NIGHTLY: tuple[tuple[Find, Act], ...] = ((watching.to_mask, watching.mask),)


@jobs.queue.periodic(cron="*/5 * * * *")
@jobs.task("issues.watch", queueing_lock="issues.watch")
def watch(timestamp: int) -> None:
    run(jobs.surroundings().database, OFTEN, at=clock.now())


@jobs.queue.periodic(cron="40 19 * * *")  # 03:40 in Shanghai
@jobs.task("issues.nightly", queueing_lock="issues.nightly")
def nightly(timestamp: int) -> None:
    here = jobs.surroundings()
    database = here.database
    run(database, NIGHTLY, at=clock.now(), all_of_them=True)
    for place in database.tenants():
        with database.transaction(place) as session:
            promises.forget_old(session, at=clock.now())
            tallies.keep(session, at=clock.now())
    if here.settings.case_retention:
        forget_old(database, here.settings, at=clock.now())


def run(
    database: Database,
    works: tuple[tuple[Find, Act], ...],
    *,
    at: datetime,
    all_of_them: bool = False,
) -> int:
    """Each case in a transaction of its own: one that is busy or odd stops no other.

    What is found is a portion; `all_of_them` goes on as long as something is done.
    """
    done = 0
    for place in database.tenants():
        for find, act in works:
            moved = 1
            while moved:
                with database.transaction(place) as session:
                    ids = find(session, at=at)
                moved = sum(_one(database, place, act, case_id, at) for case_id in ids)
                done += moved
                if not all_of_them:
                    break
    return done


def forget_old(database: Database, settings: Settings, *, at: datetime) -> int:
    """Cases whose term of keeping is over, family by family."""
    terms = retention.Terms(settings.case_keep_years, settings.case_keep_cancelled_years)

    def find(session: Session, *, at: datetime) -> list[uuid.UUID]:
        return [family.root for family in retention.due(session, terms, at=at)]

    def act(session: Session, root: uuid.UUID, *, at: datetime) -> int:
        return retention.erase(session, root, terms, at=at)

    return run(database, ((find, act),), at=at, all_of_them=True)


def _one(database: Database, place: int, act: Act, case_id: uuid.UUID, at: datetime) -> bool:
    try:
        with database.transaction(place) as session:
            return _done(session, act, case_id, at)
    except Conflict:
        return False  # somebody works on it; the next round comes in minutes


def _done(session: Session, act: Act, case_id: uuid.UUID, at: datetime) -> bool:
    return bool(act(session, case_id, at=at))
