"""What the worker does for streets."""

import uuid
from typing import Any

from roadchief import jobs
from roadchief.errors import Refusal
from roadchief.lib import clock
from roadchief.streets.importing import refused, run, stalled, uploads, zoning
from roadchief.streets.importing.models import ImportRun
from roadchief.streets.importing.orders import order_of


@jobs.task("streets.import")
def import_file(subdistrict_id: int, run_id: str) -> None:
    """Take in an uploaded file. Run again after a crash, it goes on where it stopped."""
    here, key = jobs.surroundings(), (subdistrict_id, uuid.UUID(run_id))
    with here.database.transaction(subdistrict_id) as session:
        row = session.get_one(ImportRun, key)
        row.state, row.rows_done = "running", 0
        row.report = {name: told for name, told in (row.report or {}).items() if name != "zones"}
    folder = uploads.folder(here.settings, *key)
    order = order_of(row, folder / row.file_name)

    def tell(done: int) -> None:
        with here.database.transaction(subdistrict_id) as session:
            session.get_one(ImportRun, key).rows_done = done

    def tell_zones(done: int, total: int) -> None:
        with here.database.transaction(subdistrict_id) as session:
            row = session.get_one(ImportRun, key)
            row.report = {**(row.report or {}), "zones": {"done": done, "total": total}}

    try:
        with refused.keeping(folder / refused.KEPT) as keep:
            report = run.take(here.database, order, by=row.by, at=clock.now(), tell=tell, keep=keep)
        if order.what == "storefronts":
            zoning.lay(here.database, subdistrict_id, report, tell=tell_zones)
        state, told = "done", report.as_json()
        told["lines"] = {one: report.lines(one) for one in ("zh", "en")}
    except Refusal as refusal:
        state, told = "refused", {"lines": {one: [refusal.say(one)] for one in ("zh", "en")}}
    except Exception:
        _end(key, "stopped", row.report)  # what is written stays; the page offers to go on
        raise
    _end(key, state, told)


def _end(key: tuple[int, uuid.UUID], state: str, told: dict[str, Any] | None) -> None:
    with jobs.surroundings().database.transaction(key[0]) as session:
        row = session.get_one(ImportRun, key)
        row.state, row.report, row.ended_at = state, told, clock.now()
        if state == "done":
            row.rows_done = int((told or {}).get("rows", row.rows_done))


@jobs.queue.periodic(cron="23 3 * * *")
@jobs.task("streets.sweep_uploads")
def sweep_uploads(timestamp: int) -> None:
    """Import files are not kept for ever."""
    here = jobs.surroundings()
    uploads.sweep(here.database, here.settings, at=clock.now())


@jobs.queue.periodic(cron="*/2 * * * *")
@jobs.task("streets.revive", queueing_lock="streets.revive")
def revive(timestamp: int) -> None:
    """Imports do not stay under way for ever when their job was given up."""
    here = jobs.surroundings()
    stalled.end_orphans(here.database, here.settings, at=clock.now())
