"""Imports whose worker was killed: they go on by themselves, or end so that people may decide."""

from datetime import datetime

from procrastinate.jobs import Status
from procrastinate.manager import JobManager
from sqlalchemy import text

from roadchief.config import Settings
from roadchief.db import Database
from roadchief.streets.importing import uploads

TASK = "streets.import"
SILENT_SECONDS = 60.0  # a living worker tells every ten
MOST_ATTEMPTS = 3  # a file that kills its worker (memory) must not do so for ever
END_ORPHANS = """
UPDATE import_run SET state = 'stopped', ended_at = :at
WHERE subdistrict_id = :here AND state IN ('waiting', 'running') AND NOT EXISTS (
  SELECT FROM procrastinate_jobs j WHERE j.task_name = :task AND j.status IN ('todo', 'doing')
  AND j.args->>'run_id' = import_run.id::text)
"""


async def queue_again(manager: JobManager) -> int:
    """Put back the imports of workers that are no more. What they wrote is found unchanged."""
    again = 0
    for job in await manager.get_stalled_jobs(
        task_name=TASK, seconds_since_heartbeat=SILENT_SECONDS
    ):
        if job.attempts < MOST_ATTEMPTS:
            await manager.retry_job(job)
            again += 1
        else:
            await manager.finish_job(job, status=Status.FAILED, delete_job=False)
    return again


def end_orphans(database: Database, settings: Settings, *, at: datetime) -> int:
    """Imports that no job stands behind: the page then offers to go on.

    An import and its job are queued in one transaction, and a job ends after its import, so a
    living one is never seen without the other.
    """
    ended = 0
    for here in uploads.subdistricts(settings):
        with database.transaction(here) as session:
            done = session.execute(text(END_ORPHANS), {"here": here, "at": at, "task": TASK})
            ended += done.rowcount  # type: ignore[attr-defined]
    return ended
