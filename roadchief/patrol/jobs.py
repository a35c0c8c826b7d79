"""What the worker does for patrol."""

import uuid

import structlog

from roadchief import jobs
from roadchief.lib import clock
from roadchief.patrol import retention
from roadchief.patrol.chief import alerts
from roadchief.patrol.doubts import review, twins, weighing
from roadchief.patrol.phone import checkins, tracks
from roadchief.patrol.selfchecks import reminding

log = structlog.get_logger("roadchief")


@jobs.task(checkins.WEIGH)
def weigh(subdistrict_id: int, item_id: str) -> None:
    """Look a visit over once it is in; of a closed shift, whether it was left short."""
    at = clock.now()
    with jobs.surroundings().database.transaction(subdistrict_id) as session:
        if not weighing.weigh(session, uuid.UUID(item_id), at=at):
            alerts.raise_due(session, at=at)
        else:
            twins.compare(session, uuid.UUID(item_id), at=at)


@jobs.task(twins.TASK)
def look_at_photo(subdistrict_id: int, sha256: str) -> None:
    """A photo came after its visit: does it look like one of an older visit?"""
    with jobs.surroundings().database.transaction(subdistrict_id) as session:
        twins.compare_photo(session, sha256, at=clock.now())


@jobs.queue.periodic(cron="*/5 * * * *")
@jobs.task("patrol.watch")
def watch(timestamp: int) -> None:
    """Late and missed shifts; promised photos that did not come."""
    at = clock.now()
    for here in jobs.surroundings().database.tenants():
        with jobs.surroundings().database.transaction(here) as session:
            alerts.raise_due(session, at=at)
            review.mark_missing_photos(session, at=at)


@jobs.queue.periodic(cron="30 1 * * *")
@jobs.task("patrol.remind")
def remind(timestamp: int) -> None:
    """At half past nine in the morning of our streets: self-checks that are due."""
    for here in jobs.surroundings().database.tenants():
        with jobs.surroundings().database.transaction(here) as session:
            reminding.remind(session, at=clock.now())


@jobs.queue.periodic(cron="40 2 * * *")
@jobs.task("patrol.forget")
def forget(timestamp: int) -> None:
    """Raw points of walks are kept for 30 days; places and photos of visits for years."""
    database, at = jobs.surroundings().database, clock.now()
    for here in database.tenants():
        with database.transaction(here) as session:
            tracks.forget(session, at=at)
        gone = retention.forget(database, here, at=at)
        log.info("old visits forgotten", subdistrict=here, places=gone.places, photos=gone.photos)
