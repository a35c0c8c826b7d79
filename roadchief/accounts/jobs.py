"""What the worker does for accounts."""

from roadchief import jobs
from roadchief.accounts import sessions
from roadchief.lib import clock


@jobs.queue.periodic(cron="17 * * * *")
@jobs.task("accounts.sweep")
def sweep(timestamp: int) -> None:
    """Forget failed sign-ins past their window."""
    here = jobs.surroundings()
    with here.database.transaction(None) as session:
        sessions.sweep(session, at=clock.now(), settings=here.settings)
