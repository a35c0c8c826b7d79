"""What the worker does at night."""

from roadchief import jobs
from roadchief.insight import nightly
from roadchief.lib import clock


@jobs.queue.periodic(cron="20 19 * * *")  # 03:20 in Shanghai
@jobs.task("insight.nightly")
def reckon(timestamp: int) -> None:
    """Hints, risks and hot spots of every sub-district."""
    nightly.run_all(jobs.surroundings().database, at=clock.now())
