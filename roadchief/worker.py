"""The worker: takes jobs from the queue until it is told to stop."""

import asyncio
import os

import procrastinate

from roadchief import config, jobs
from roadchief.db import Database
from roadchief.web import logs

CONCURRENCY = 2


def run() -> None:
    """Runs until SIGINT or SIGTERM; a job under way is finished first."""
    settings = config.with_private_parts(config.load(os.environ))
    logs.configure(settings)
    jobs.provide(Database(settings), settings)
    _know_tasks()
    connector = procrastinate.PsycopgConnector(conninfo=settings.database_url)
    # Replaced, not copied: the tasks of a clock belong to this queue and would miss a copy.
    with jobs.queue.replace_connector(connector) as queue:
        asyncio.run(_work(queue))


def _know_tasks() -> None:
    """Import the modules whose tasks we run."""
    import roadchief.accounts.jobs
    import roadchief.blobs.jobs
    import roadchief.codes.jobs
    import roadchief.insight.jobs
    import roadchief.issues.jobs
    import roadchief.maps.jobs
    import roadchief.patrol.jobs
    import roadchief.streets.jobs  # noqa: F401


async def _work(queue: procrastinate.App) -> None:
    async with queue.open_async():
        await queue.run_worker_async(concurrency=CONCURRENCY, name="roadchief")
