"""What the worker does for streets."""

import uuid

from roadchief import jobs
from roadchief.errors import Refusal
from roadchief.lib import clock
from roadchief.streets.importing import run
from roadchief.streets.importing.models import ImportRun
from roadchief.streets.importing.orders import order_of


@jobs.task("streets.import")
def import_file(subdistrict_id: int, run_id: str) -> None:
    """Take in an uploaded file. Run again after a crash, it goes on where it stopped."""
    here, key = jobs.surroundings(), (subdistrict_id, uuid.UUID(run_id))
    with here.database.transaction(subdistrict_id) as session:
        row = session.get_one(ImportRun, key)
        row.state = "running"
    folder = here.settings.var_dir / "uploads" / str(subdistrict_id) / run_id
    order = order_of(row, folder / row.file_name)
    try:
        report = run.take(here.database, order, by=row.by, at=clock.now())
        if order.what == "storefronts":
            report.notes["zones_laid"] += run.lay_zones(here.database, subdistrict_id)
        state, told = "done", report.as_json()
        told["lines"] = {one: report.lines(one) for one in ("zh", "en")}
    except Refusal as refusal:
        state, told = "refused", {"lines": {one: [refusal.say(one)] for one in ("zh", "en")}}
    with here.database.transaction(subdistrict_id) as session:
        row = session.get_one(ImportRun, key)
        row.state, row.report, row.ended_at = state, told, clock.now()
        row.rows_done = int(told.get("rows", 0))
