"""An import run of the database as an order that run.take understands."""

from pathlib import Path

from roadchief.lib.coords import Datum
from roadchief.streets.importing.models import ImportRun
from roadchief.streets.importing.run import Order


def order_of(row: ImportRun, path: Path, *, dry_run: bool = False) -> Order:
    return Order(
        path=path,
        what=row.what,
        subdistrict_id=row.subdistrict_id,
        datum=Datum(row.options["datum"]),
        encoding=row.options.get("encoding") or None,
        source=row.source,
        mapping=tuple(sorted(row.options.get("mapping", {}).items())),
        dry_run=dry_run,
    )
