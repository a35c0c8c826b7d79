"""What the worker does for accounts."""

import uuid

from roadchief import jobs
from roadchief.accounts import access_keys, deliveries, mail_addresses, sessions
from roadchief.lib import clock


@jobs.queue.periodic(cron="17 * * * *")
@jobs.task("accounts.sweep")
def sweep(timestamp: int) -> None:
    """Forget failed sign-ins past their window, yesterday's counts of mail, browsers of which
    nobody has seen anything for a month, and keys that ended a month ago."""
    here = jobs.surroundings()
    with here.database.transaction(None) as session:
        sessions.sweep(session, at=clock.now(), settings=here.settings)
        mail_addresses.sweep(session, at=clock.now())
    for subdistrict_id in here.database.tenants():
        with here.database.transaction(subdistrict_id) as session:
            sessions.forget_ended(session, at=clock.now())
            access_keys.forget_ended(session, at=clock.now())


@jobs.task("notices.deliver")
def deliver(subdistrict_id: int, notice_ids: list[str]) -> None:
    """Take notices to mail and hook; what fails is tried again at its own time."""
    here = jobs.surroundings()
    for notice_id in notice_ids:
        deliveries.deliver(here.database, subdistrict_id, uuid.UUID(notice_id), here.settings)


@jobs.queue.periodic(cron="*/10 * * * *")
@jobs.task("notices.due")
def deliver_due(timestamp: int) -> None:
    """What a worker that died has left lying."""
    here = jobs.surroundings()
    for subdistrict_id in here.database.tenants():
        with here.database.transaction(subdistrict_id) as session:
            waiting = deliveries.due(session, at=clock.now())
        for notice_id in waiting:
            deliveries.deliver(here.database, subdistrict_id, notice_id, here.settings)
