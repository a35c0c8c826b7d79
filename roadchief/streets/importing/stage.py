"""Storefronts of one batch into the database: COPY to a stage, then one INSERT and one UPDATE.

Row-level security knows no COPY, so rows go by way of a temporary table of the transaction.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from psycopg.errors import DeadlockDetected
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from roadchief.db import Database, driver_connection, in_turn, tenant_of
from roadchief.errors import Conflict
from roadchief.streets import human_numbers
from roadchief.streets.importing import columns
from roadchief.streets.importing.columns import Column
from roadchief.streets.importing.numbers import HumanNumbers

NULL = "\\N"
NUMBER_TAKEN = "uq_storefront_subdistrict_id_human_number"
SOURCE_TAKEN = "uq_storefront_subdistrict_id_source_source_id"
COLUMNS = (
    "id, door, frontage, house_number, address, name, business_type, segment_id, side, measure_m, "
    "second_segment_id, second_side, second_measure_m, initials, pieces, source_id, row_hash, "
    "human_number"
)
STAGE = f"""CREATE TEMP TABLE IF NOT EXISTS stage_doors ON COMMIT DROP
AS SELECT {COLUMNS} FROM storefront WITH NO DATA"""
INSERT = f"""
INSERT INTO storefront ({COLUMNS}, subdistrict_id, duty_zone_drawn, source, source_datum, opened_at)
SELECT {COLUMNS}, :here, false, :source, :datum, :at FROM stage_doors
WHERE human_number IS NOT NULL
"""
# A corrected file moves and renames; what people drew by hand and printed numbers stay. Where the
# door stays in its place, so do its front and its zone.
STAYS = "f.door = s.door AND f.segment_id IS NOT DISTINCT FROM s.segment_id AND s.frontage IS NULL"
UPDATE = f"""
UPDATE storefront f SET door = s.door,
  frontage = CASE WHEN {STAYS} THEN f.frontage ELSE s.frontage END,
  duty_zone = CASE WHEN f.duty_zone_drawn OR {STAYS} THEN f.duty_zone END,
  house_number = s.house_number, address = s.address, name = s.name,
  business_type = s.business_type, segment_id = s.segment_id, side = s.side,
  measure_m = s.measure_m, second_segment_id = s.second_segment_id, second_side = s.second_side,
  second_measure_m = s.second_measure_m, initials = s.initials, pieces = s.pieces,
  source_datum = :datum, row_hash = s.row_hash
FROM stage_doors s
WHERE f.subdistrict_id = :here AND f.source = :source AND f.source_id = s.source_id
  AND s.human_number IS NULL
"""
HIGHEST = """
SELECT stem, max(substr(human_number, length(stem) + 1, 9)::bigint)
FROM (SELECT human_number, rtrim(human_number, '0123456789') AS stem FROM storefront
      WHERE subdistrict_id = :here AND human_number IS NOT NULL) used
WHERE stem LIKE '%-' AND stem <> human_number GROUP BY 1
"""


class ImportedMeanwhile(Conflict):
    zh = "来源“{source}”正由另一次导入写入，请等它结束后再导入一次"
    en = "another import of {source} is being written: import again when it is done"


@dataclass(frozen=True)
class Doors:
    """The rows of a batch that are new or changed, as COPY reads them but for the number."""

    cells: tuple[Column, ...]
    stems: Column
    new: NDArray[np.bool_]
    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True)
class Writing:
    """What is the same for all rows of a file."""

    source: str
    datum: str
    at: datetime
    numbers: HumanNumbers


def plain(column: Column) -> Column:
    """Texts as COPY reads them. Clean texts have no tabs and no line ends."""
    if pc.any(pc.match_substring(column, "\\")).as_py():
        return pc.replace_substring(column, "\\", "\\\\")
    return column


def filled(column: Column) -> Column:
    """The same, where an empty text is none."""
    return pc.if_else(pc.equal(column, ""), NULL, plain(column))


def highest_numbers(session: Session) -> dict[str, int]:
    """The highest last part of the human numbers in use, by what stands before it."""
    rows = session.execute(text(HIGHEST), {"here": tenant_of(session)})
    return {stem: int(last) for stem, last in rows}


def write(database: Database, subdistrict_id: int, doors: Doors, writing: Writing) -> None:
    """One batch, one transaction. Where another act took a number meanwhile, count on from it."""
    for alone in (False, True):
        try:
            with database.transaction(subdistrict_id) as session:
                _take_turn(session, writing.numbers, alone=alone)
                _write(session, doors, writing)
            return
        except IntegrityError as error:
            if SOURCE_TAKEN in str(error.orig):
                raise ImportedMeanwhile(source=writing.source) from error
            if NUMBER_TAKEN not in str(error.orig) or alone:
                raise
        except OperationalError as error:
            # Each of two imports met a number that the other has just given out.
            if not isinstance(error.orig, DeadlockDetected) or alone:
                raise


def _take_turn(session: Session, numbers: HumanNumbers, *, alone: bool) -> None:
    """Who enters a single storefront counts numbers alone; batches of imports keep such counters
    waiting and not each other. A batch that met a number of somebody else counts alone, too."""
    if not alone:
        in_turn(session, "storefront.human_number", together=True)
        return
    human_numbers.take_turn(session)
    numbers.used(highest_numbers(session))


def _write(session: Session, doors: Doors, writing: Writing) -> None:
    given = {
        "here": tenant_of(session),
        "source": writing.source,
        "datum": writing.datum,
        "at": writing.at,
    }
    session.execute(text(STAGE))
    session.execute(text("TRUNCATE stage_doors"))
    with (
        driver_connection(session).cursor() as cursor,
        cursor.copy(f"COPY stage_doors ({COLUMNS}) FROM STDIN") as copy,
    ):
        copy.write(_lines(doors, writing.numbers))
    if doors.changed:
        session.execute(text("ANALYZE stage_doors"))
        given_known = {name: given[name] for name in ("here", "source", "datum")}
        session.execute(text(UPDATE), given_known)
    if doors.added:
        session.execute(text(INSERT), given)


def _lines(doors: Doors, numbers: HumanNumbers) -> memoryview:
    """All rows as COPY reads them: one run of bytes, made column by column."""
    last = pa.repeat(NULL, len(doors.new))
    if doors.added:
        new = pa.array(doors.new)
        last = pc.replace_with_mask(last, new, numbers.give(doors.stems.filter(new)))
    rows = columns.joined([*doors.cells, columns.joined([last, "\n"])], "\t")
    ends = np.frombuffer(rows.buffers()[1], dtype=np.int32)
    return memoryview(rows.buffers()[2])[ends[rows.offset] : ends[rows.offset + len(rows)]]
