"""The packing list of a batch: numbers and addresses for the sign maker, never a token."""

import csv
import io

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from roadchief.codes.models import Plate, PrintBatch
from roadchief.lib.text import harmless_cell
from roadchief.streets.models import Road, RoadSegment, Storefront

COLUMNS = ("number", "address", "human_number", "road", "kind")


def list_rows(session: Session, batch: PrintBatch) -> list[dict[str, str]]:
    """The plates of a batch for the sign maker: numbers and addresses, never a token."""
    here = batch.subdistrict_id
    rows = session.execute(
        select(
            Plate.number,
            Plate.kind,
            Storefront.address,
            Storefront.human_number,
            Road.name.label("road"),
            RoadSegment.name.label("segment"),
        )
        .outerjoin(
            Storefront,
            (Storefront.subdistrict_id == here) & (Storefront.id == Plate.storefront_id),
        )
        .outerjoin(
            RoadSegment,
            (RoadSegment.subdistrict_id == here)
            & (or_(RoadSegment.id == Storefront.segment_id, RoadSegment.id == Plate.segment_id)),
        )
        .outerjoin(Road, (Road.subdistrict_id == here) & (Road.id == RoadSegment.road_id))
        .where(Plate.subdistrict_id == here, Plate.batch_id == batch.id)
        .order_by(Plate.number)
    )
    return [
        {
            "number": row.number,
            "address": row.address or row.segment or "",
            "human_number": row.human_number or "",
            "road": row.road or "",
            "kind": row.kind,
        }
        for row in rows
    ]


def list_csv(session: Session, batch: PrintBatch) -> bytes:
    """The list as a file that spreadsheets open in Chinese; its SHA-256 is its checksum."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in list_rows(session, batch):
        writer.writerow({name: harmless_cell(cell) for name, cell in row.items()})
    return b"\xef\xbb\xbf" + text.getvalue().encode()
