"""What the worker does at night."""

import uuid

from roadchief import jobs
from roadchief.insight import nightly, sums
from roadchief.lib import clock
from roadchief.patrol.phone import acts


@jobs.queue.periodic(cron="20 19 * * *")  # 03:20 in Shanghai
@jobs.task("insight.nightly")
def reckon(timestamp: int) -> None:
    """Hints, risks, hot spots and weekly sums of every sub-district."""
    nightly.run_all(jobs.surroundings().database, at=clock.now())


@jobs.queue.periodic(cron="*/15 * * * *")
@jobs.task("insight.week", queueing_lock="insight.week")
def keep_running_weeks(timestamp: int) -> None:
    """The running week of those sub-districts that are too big to be asked at every view."""
    sums.keep_running_weeks(jobs.surroundings().database, at=clock.now())


@jobs.task(acts.SUSPECT)
def suspect(subdistrict_id: int, storefront_id: str) -> None:
    """A patroller read another sign or licence at a storefront: is it another shop?"""
    with jobs.surroundings().database.transaction(subdistrict_id) as session:
        nightly.suspect(session, uuid.UUID(storefront_id), at=clock.now())
