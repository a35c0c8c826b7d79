"""Jobs in the caller's transaction: the job exists if and only if the fact does.

PostgreSQL is the queue (procrastinate). Packages declare tasks with `@task(...)` in their
jobs.py; the worker imports these modules, the web process needs only the name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import procrastinate
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import JobDeferrer, Status
from procrastinate.manager import JobManager
from sqlalchemy.orm import Session

from roadchief.config import Settings
from roadchief.db import Database, driver_connection

SILENT_SECONDS = 60.0  # a living worker tells every ten
MOST_ATTEMPTS = 3  # what kills its worker (memory) must not do so for ever

queue = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
_in_transaction = JobManager(procrastinate.SyncPsycopgConnector())


def task(name: str, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Declare a function as the work behind `name`."""
    return queue.task(name=name, **options)


def later(session: Session, name: str, **arguments: Any) -> int:
    """Queue the work `name`; it starts once the caller's transaction is committed."""
    return int(_deferrer(session, name).defer(**arguments))


def later_at(session: Session, when: datetime, name: str, **arguments: Any) -> int:
    """Queue the work `name` for an instant."""
    return int(_deferrer(session, name, schedule_at=when).defer(**arguments))


def many_later(session: Session, name: str, rows: list[dict[str, Any]]) -> list[int]:
    """Queue the work `name` once a row of arguments, in one statement."""
    return _deferrer(session, name).batch_defer(*rows) if rows else []


def _deferrer(session: Session, name: str, **options: Any) -> JobDeferrer:
    made = queue.configure_task(
        name, allow_unknown=True, connection=driver_connection(session), **options
    )
    # In the worker the queue speaks through its own connections, which are asynchronous; a job
    # of a transaction goes through that transaction's connection, in the worker too.
    made.job_manager = _in_transaction
    return made


@dataclass
class Surroundings:
    """What a running job needs of its process."""

    database: Database
    settings: Settings


_surroundings: list[Surroundings] = []


def provide(database: Database, settings: Settings) -> None:
    """Called once by the worker before it starts."""
    _surroundings[:] = [Surroundings(database, settings)]


def surroundings() -> Surroundings:
    """The database and settings of the process that runs this job."""
    if not _surroundings:
        raise LookupError("jobs run in the worker, which provides a database first")
    return _surroundings[0]


async def queue_again(manager: JobManager) -> int:
    """Put back the jobs of workers that are no more: each of ours may be run again.

    What kills its worker again and again fails.
    """
    again = 0
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_SECONDS):
        if job.attempts >= MOST_ATTEMPTS:
            await manager.finish_job(job, status=Status.FAILED, delete_job=False)
            continue
        try:
            await manager.retry_job(job)
            again += 1
        except UniqueViolation:  # its next round is queued already, and one is enough
            await manager.finish_job(job, status=Status.ABORTED, delete_job=False)
    return again


@queue.periodic(cron="*/2 * * * *")
@task("jobs.revive", queueing_lock="jobs.revive")
async def revive(timestamp: int) -> None:
    """Work does not stay under way for ever when its worker was killed."""
    await queue_again(queue.job_manager)
