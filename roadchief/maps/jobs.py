"""What the worker does for maps."""

from roadchief import jobs
from roadchief.lib import clock
from roadchief.maps import shelf
from roadchief.streets import catalog


@jobs.queue.periodic(cron="41 * * * *")
@jobs.task("maps.sweep")
def sweep(timestamp: int) -> None:
    """Keep kept tiles within their size, and forget changes that no tile remembers."""
    here = jobs.surroundings()
    with here.database.transaction(None) as session:
        known = [row.id for row in catalog.subdistricts(session)]
    for code in known:
        with here.database.transaction(code) as session:
            shelf.sweep(session, at=clock.now(), most_bytes=here.settings.tile_store_mb << 20)
