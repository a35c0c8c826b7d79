"""Storefronts of a file into the database: placed by the batch, written by COPY and one upsert.

Row-level security knows no COPY, so rows go by way of a temporary table of the transaction. One
transaction a batch: an interrupted run keeps what is done, and the next run finds those rows
unchanged and goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from roadchief.db import driver_connection, new_id, tenant_of, to_hex
from roadchief.lib.text import initials, pieces
from roadchief.streets import naming, placing
from roadchief.streets.importing import checking
from roadchief.streets.importing.checking import Rows
from roadchief.streets.importing.report import Problem, Report
from roadchief.streets.models import Storefront, Subdistrict
from roadchief.streets.storefronts import Ground, human_numbers_in_use

COLUMNS = (
    "subdistrict_id, id, door, frontage, duty_zone, duty_zone_drawn, house_number, address, name, "
    "business_type, segment_id, side, measure_m, second_segment_id, second_side, second_measure_m, "
    "human_number, initials, pieces, source, source_id, source_datum, row_hash, opened_at"
)
# A corrected file moves and renames; what people drew by hand and printed numbers stay.
UPDATE = """
UPDATE storefront f SET door = s.door, frontage = s.frontage,
  duty_zone = CASE WHEN f.duty_zone_drawn THEN f.duty_zone ELSE s.duty_zone END,
  house_number = s.house_number, address = s.address, name = s.name,
  business_type = s.business_type, segment_id = s.segment_id, side = s.side,
  measure_m = s.measure_m, second_segment_id = s.second_segment_id, second_side = s.second_side,
  second_measure_m = s.second_measure_m, initials = s.initials, pieces = s.pieces,
  source_datum = s.source_datum, row_hash = s.row_hash
FROM stage s WHERE f.subdistrict_id = :here AND f.source = s.source AND f.source_id = s.source_id
"""
INSERT = f"INSERT INTO storefront ({COLUMNS}) SELECT {COLUMNS} FROM stage WHERE human_number <> ''"


@dataclass
class Shop:
    """What stays the same for a whole file."""

    tenant: int
    on: Ground
    area: shapely.MultiPolygon | None
    source: str
    datum: str
    at: datetime
    report: Report
    numbers: dict[str, int]
    known: dict[int, int | None]
    seen: set[int] = field(default_factory=set)


def prepare(
    session: Session, on: Ground, *, source: str, datum: str, at: datetime, report: Report
) -> Shop:
    area = session.scalar(select(Subdistrict.area).where(Subdistrict.id == tenant_of(session)))
    if area is not None:
        shapely.prepare(area)
    return Shop(
        tenant_of(session),
        on,
        area,
        source,
        datum,
        at,
        report,
        _highest(human_numbers_in_use(session)),
        _known(session, source),
    )


def take(session: Session, shop: Shop, rows: Rows, *, write: bool) -> None:
    """One batch, in the caller's transaction."""
    rows, doors, fronts = _doors(shop, rows)
    inside = _inside(shop, rows, doors)
    rows, doors, fronts = rows.keep(inside), doors[inside], fronts[inside]
    ids, fresh = _ids(shop, rows, doors)
    rows, doors, fronts = rows.keep(fresh), doors[fresh], fronts[fresh]
    ids = [one for one, keep in zip(ids, fresh, strict=True) if keep]
    if not len(rows):
        return
    addresses = _addresses(rows)
    placed = shop.on.streets.place(doors, addresses)
    shop.report.notes["unplaced"] += int((placed.segment < 0).sum())
    made = _make(shop, rows, doors, fronts, addresses, placed, ids)
    changed = list(made)
    shop.report.unchanged += len(rows) - len(changed)
    new = sum(1 for row in changed if row[16])
    shop.report.added += new
    shop.report.changed += len(changed) - new
    if write and changed:
        _write(session, changed)


def _doors(shop: Shop, rows: Rows) -> tuple[Rows, NDArray[np.object_], NDArray[np.object_]]:
    """A point is a door. An outline has one where it faces its street."""
    kinds = shapely.get_type_id(rows.shapes)
    doors = rows.shapes.copy()
    fronts = np.full(len(rows), None, dtype=object)
    good = kinds == 0
    for at in np.flatnonzero(~good):
        shape = rows.shapes[at]
        if kinds[at] == 4 and len(shape.geoms) == 1:
            doors[at], good[at] = shape.geoms[0], True
        elif kinds[at] in (3, 6):
            doors[at], fronts[at] = _front(shop, shape)
            good[at] = True
            shop.report.notes["from_outline"] += 1
        else:
            problem = Problem(int(rows.lines[at]), "geometry", shape.geom_type, "wrong_shape")
            shop.report.refuse(problem)
    return rows.keep(good), doors[good], fronts[good]


def _front(shop: Shop, shape: Any) -> tuple[shapely.Point, shapely.LineString | None]:
    outline = max(shapely.get_parts(shape), key=lambda part: part.area)
    middle = outline.representative_point()
    placed = shop.on.streets.place(np.array([middle], dtype=object), [None])
    if placed.segment[0] < 0:
        return middle, None
    return placing.front_of_building(outline, shop.on.segments[int(placed.segment[0])].line)


def _inside(shop: Shop, rows: Rows, doors: NDArray[np.object_]) -> NDArray[np.bool_]:
    if shop.area is None or not len(doors):
        return np.ones(len(doors), dtype=bool)
    inside = shapely.contains_xy(shop.area, shapely.get_x(doors), shapely.get_y(doors))
    for at in np.flatnonzero(~inside):
        value = f"{doors[at].x:.5f}, {doors[at].y:.5f}"
        shop.report.refuse(Problem(int(rows.lines[at]), "geometry", value, "outside"))
    return np.asarray(inside, dtype=bool)


def _ids(shop: Shop, rows: Rows, doors: NDArray[np.object_]) -> tuple[list[str], NDArray[np.bool_]]:
    """Ids of the file, or made ones; the second row with an id is refused."""
    ids = list(rows.texts.get("source_id", [""] * len(rows)))
    missing = [at for at, one in enumerate(ids) if not one]
    if missing:
        names = rows.texts.get("name", [""] * len(rows))
        made = checking.made_ids(doors[missing], [names[at] for at in missing])
        shop.report.notes["made_ids"] += len(missing)
        for at, one in zip(missing, made, strict=True):
            ids[at] = one
    fresh = np.ones(len(rows), dtype=bool)
    for at, one in enumerate(ids):
        key = hash(one)
        if key in shop.seen:
            fresh[at] = False
            shop.report.refuse(Problem(int(rows.lines[at]), "id", one[:60], "duplicate_id"))
        shop.seen.add(key)
    return ids, fresh


def _addresses(rows: Rows) -> list[str]:
    count = len(rows)
    road = rows.texts.get("road", [""] * count)
    number = rows.texts.get("house_number", [""] * count)
    whole = rows.texts.get("address", [""] * count)
    return [whole[at] or road[at] + number[at] for at in range(count)]


def _known(session: Session, source: str) -> dict[int, int | None]:
    """Row hashes of all that we have from this source, by the hash of their id.

    Asked once, before the first batch: look-ups batch by batch are planned from statistics that
    a big import makes stale, and then take minutes. About 100 bytes a row.
    """
    rows = session.execute(
        select(Storefront.source_id, Storefront.row_hash)
        .where(Storefront.subdistrict_id == tenant_of(session), Storefront.source == source)
        .execution_options(yield_per=10_000)
    )
    return {hash(source_id): row_hash for source_id, row_hash in rows}


def _make(
    shop: Shop,
    rows: Rows,
    doors: NDArray[np.object_],
    fronts: NDArray[np.object_],
    addresses: list[str],
    placed: placing.Placements,
    ids: list[str],
) -> Iterator[tuple[Any, ...]]:
    """The rows that are new or differ from what we have, ready for COPY."""
    count = len(rows)
    blank = [""] * count
    names = rows.texts.get("name", blank)
    trades = rows.texts.get("business_type", blank)
    numbers = rows.texts.get("house_number", blank)
    hexes = shapely.to_wkb(shapely.set_srid(doors, 4326), hex=True, include_srid=True)
    for at in range(count):
        place = _place(shop, placed, at)
        mark = checking.content_hash(
            hexes[at], names[at], trades[at], numbers[at], addresses[at], place, shop.datum
        )
        key = hash(ids[at])
        if key in shop.known and shop.known[key] == mark:
            continue
        short = initials(names[at]) or None if names[at] else None
        segment = int(placed.segment[at])
        human = "" if key in shop.known else _number(shop, segment, numbers[at] or addresses[at])
        yield (
            *(shop.tenant, new_id(), hexes[at], to_hex(fronts[at]), None, False, numbers[at]),
            *(addresses[at], names[at] or None, trades[at] or None, *place, human, short),
            *(pieces(names[at], addresses[at], short), shop.source, ids[at], shop.datum, mark),
            shop.at,
        )


def _place(shop: Shop, placed: placing.Placements, at: int) -> tuple[Any, ...]:
    """Segment, side and measure of a door, and of its second street."""
    found: list[Any] = []
    for segment, side, measure in (
        (placed.segment[at], placed.side[at], placed.measure_m[at]),
        (placed.second[at], placed.second_side[at], placed.second_measure_m[at]),
    ):
        if segment < 0:
            found += [None, None, None]
        else:
            name = placing.side_name(int(side))
            found += [shop.on.segments[int(segment)].id, name, round(float(measure), 2)]
    return tuple(found)


def _number(shop: Shop, segment: int, house_number: str) -> str:
    """The next free human number of a door; numbers are never used again."""
    road = shop.on.roads[segment] if segment >= 0 else ""
    stem = naming.number_stem(shop.on.short_name, road, house_number)
    shop.numbers[stem] = shop.numbers.get(stem, 0) + 1
    return f"{stem}-{shop.numbers[stem]}"


def _highest(used: set[str]) -> dict[str, int]:
    """The highest last part in use, by stem."""
    found: dict[str, int] = {}
    for number in used:
        stem, _, last = number.rpartition("-")
        if last.isdigit():
            found[stem] = max(found.get(stem, 0), int(last))
    return found


def _write(session: Session, rows: list[tuple[Any, ...]]) -> None:
    session.execute(text("CREATE TEMP TABLE IF NOT EXISTS stage (LIKE storefront) ON COMMIT DROP"))
    session.execute(text("TRUNCATE stage"))
    with (
        driver_connection(session).cursor() as cursor,
        cursor.copy(f"COPY stage ({COLUMNS}) FROM STDIN") as copy,
    ):
        copy.write("".join(_line(row) for row in rows))
    if any(not row[16] for row in rows):  # known ones have no new human number
        session.execute(text(UPDATE), {"here": tenant_of(session)})
    session.execute(text(INSERT))


def _line(row: tuple[Any, ...]) -> str:
    """A row in COPY's text form: several times faster than converting value by value."""
    return "\t".join([_cell(value) for value in row]) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.replace("\\", "\\\\") if "\\" in value else value
    if isinstance(value, list):
        return "{" + ",".join([_quoted(one) for one in value]) + "}"
    return str(value)


def _quoted(text_: str) -> str:
    """One element of an array, for COPY: both escape the backslash."""
    inner = text_.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + inner.replace("\\", "\\\\") + '"'
