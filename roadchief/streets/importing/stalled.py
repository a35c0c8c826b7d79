"""Imports whose worker was killed and whose job is given up: they end, so that people decide."""

from datetime import datetime

from sqlalchemy import text

from roadchief.config import Settings
from roadchief.db import Database
from roadchief.streets.importing import uploads

TASK = "streets.import"
END_ORPHANS = """
UPDATE import_run SET state = 'stopped', ended_at = :at
WHERE subdistrict_id = :here AND state IN ('waiting', 'running') AND NOT EXISTS (
  SELECT FROM procrastinate_jobs j WHERE j.task_name = :task AND j.status IN ('todo', 'doing')
  AND j.args->>'run_id' = import_run.id::text)
"""


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
