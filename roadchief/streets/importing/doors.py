"""Storefronts of a file: doors found, held against the border, placed, compared with what we have.

One transaction a batch: an interrupted run keeps what is done, and the next run finds those rows
unchanged and goes on.
"""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.db import new_ids, tenant_of, to_hex
from roadchief.streets import placing
from roadchief.streets.importing import checking, columns, stage
from roadchief.streets.importing.checking import Rows
from roadchief.streets.importing.columns import Column
from roadchief.streets.importing.keys import Keys, Known
from roadchief.streets.importing.numbers import HumanNumbers
from roadchief.streets.importing.report import Problem, Report
from roadchief.streets.models import Storefront, Subdistrict
from roadchief.streets.storefronts import Ground

POINT, POLYGON, MULTIPOINT, MULTIPOLYGON = 0, 3, 4, 6
POINT_HEAD = bytes.fromhex("0101000020E6100000")  # EWKB of a point in WGS-84
SIDES = columns.of([stage.NULL, placing.LEFT, placing.RIGHT])


@dataclass
class Shop:
    """What stays the same for a whole file."""

    on: Ground
    area: shapely.MultiPolygon | None
    writing: stage.Writing
    report: Report
    known: Known
    seen: Keys = field(default_factory=Keys)

    def __post_init__(self) -> None:
        ids = [segment.id for segment in self.on.segments]
        self.segment_ids = columns.of([*map(str, ids), stage.NULL])
        raw = b"".join(one.bytes for one in ids) + bytes(16)
        self.segment_keys = np.frombuffer(raw, dtype=np.uint8).reshape(-1, 16)


def prepare(
    session: Session, on: Ground, *, source: str, datum: str, at: datetime, report: Report
) -> Shop:
    area = session.scalar(select(Subdistrict.area).where(Subdistrict.id == tenant_of(session)))
    if area is not None:
        shapely.prepare(area)
    writing = stage.Writing(source, datum, at, HumanNumbers(on.short_name, on.roads))
    return Shop(on, area, writing, report, _known(session, source))


def take(shop: Shop, rows: Rows) -> stage.Doors | None:
    """One batch without the database: what is to be written, None where nothing is left of it."""
    rows, xy, fronts = _doors(shop, rows)
    inside = _inside(shop, rows, xy)
    rows, xy, fronts = rows.keep(inside), xy[inside], fronts.filter(pa.array(inside))
    if not len(rows):
        return None
    ids = _ids(shop, rows, xy)
    keys = np.fromiter(map(hash, ids.to_pylist()), dtype=np.int64, count=len(rows))
    fresh = shop.seen.fresh(keys)
    for at in np.flatnonzero(~fresh):
        said = ids[int(at)].as_py()[:60]
        shop.report.refuse(Problem(int(rows.lines[at]), "id", said, "duplicate_id"))
    if not fresh.all():
        mask = pa.array(fresh)
        rows, xy, fronts = rows.keep(fresh), xy[fresh], fronts.filter(mask)
        ids, keys = ids.filter(mask), keys[fresh]
    return _compare(shop, rows, xy, fronts, ids, keys)


def _doors(shop: Shop, rows: Rows) -> tuple[Rows, NDArray[np.float64], Column]:
    """A point is a door. An outline has one where it faces its street: x and y, and the front."""
    if checking.is_xy(rows.places):
        return rows, rows.places, pa.repeat(stage.NULL, len(rows))
    kinds = shapely.get_type_id(rows.places)
    doors = rows.places.copy()
    fronts = np.full(len(rows), None, dtype=object)
    good = kinds == POINT
    single = (kinds == MULTIPOINT) & (shapely.get_num_geometries(rows.places) == 1)
    doors[single], good[single] = shapely.get_geometry(rows.places[single], 0), True
    outlines = np.flatnonzero((kinds == POLYGON) | (kinds == MULTIPOLYGON))
    if len(outlines):
        doors[outlines], fronts[outlines] = _fronts(shop, rows.places[outlines])
        good[outlines] = True
        shop.report.notes["from_outline"] += len(outlines)
    for at in np.flatnonzero(~good):
        shown = rows.places[at].geom_type
        shop.report.refuse(Problem(int(rows.lines[at]), "geometry", shown, "wrong_shape"))
    hexes = columns.of([to_hex(front) or stage.NULL for front in fronts[good]])
    return rows.keep(good), shapely.get_coordinates(doors[good]), hexes


def _fronts(
    shop: Shop, shapes: NDArray[np.object_]
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Doors and fronts of buildings; far from every street the middle is the door."""
    outlines = [max(shapely.get_parts(one), key=lambda part: part.area) for one in shapes]
    doors = np.array(shapely.point_on_surface(np.array(outlines, dtype=object)), dtype=object)
    fronts = np.full(len(doors), None, dtype=object)
    placed = shop.on.streets.place(doors, [None] * len(doors))
    for at in np.flatnonzero(placed.segment >= 0):
        line = shop.on.segments[int(placed.segment[at])].line
        doors[at], fronts[at] = placing.front_of_building(outlines[at], line)
    return doors, fronts


def _inside(shop: Shop, rows: Rows, xy: NDArray[np.float64]) -> NDArray[np.bool_]:
    if shop.area is None or not len(xy):
        return np.ones(len(xy), dtype=bool)
    inside = shapely.contains_xy(shop.area, xy[:, 0], xy[:, 1])
    for at in np.flatnonzero(~inside):
        value = f"{xy[at, 0]:.5f}, {xy[at, 1]:.5f}"
        shop.report.refuse(Problem(int(rows.lines[at]), "geometry", value, "outside"))
    return np.asarray(inside, dtype=bool)


def _ids(shop: Shop, rows: Rows, xy: NDArray[np.float64]) -> Column:
    """Ids of the file, or made ones."""
    ids = rows.text("source_id")
    missing = pc.equal(ids, "")
    where = missing.to_numpy(zero_copy_only=False)
    if not where.any():
        return ids
    names = rows.text("name").filter(missing).to_pylist()
    made = checking.made_ids(np.asarray(shapely.points(xy[where])), names)
    shop.report.notes["made_ids"] += len(made)
    return pc.replace_with_mask(ids, missing, columns.of(made))


def _known(session: Session, source: str) -> Known:
    """Row hashes of all that we have from this source, by the hash of their id.

    Asked once, before the first batch: look-ups batch by batch are planned from statistics that
    a big import makes stale, and then take minutes. 16 bytes a row.
    """
    rows = session.execute(
        select(Storefront.source_id, Storefront.row_hash)
        .where(Storefront.subdistrict_id == tenant_of(session), Storefront.source == source)
        .execution_options(yield_per=10_000)
    )
    return Known((hash(source_id), row_hash) for source_id, row_hash in rows)


def _compare(
    shop: Shop,
    rows: Rows,
    xy: NDArray[np.float64],
    fronts: Column,
    ids: Column,
    keys: NDArray[np.int64],
) -> stage.Doors:
    """The rows that are new or differ from what we have, ready to be written."""
    number = rows.text("house_number")
    address = columns.either(rows.text("address"), columns.joined([rows.text("road"), number]))
    placed = shop.on.streets.place(xy, address)
    shop.report.notes["unplaced"] += int((placed.segment < 0).sum())
    texts = [rows.text("name"), rows.text("business_type"), number, address]
    datum = pa.repeat(shop.writing.datum, len(rows))
    marks = columns.marks([*texts, datum], _figures(shop, xy, placed))
    known, same = shop.known.compare(keys, marks)
    order = _walk_order(placed, ~same)
    take = pa.array(order)
    name, trade, number, address = (one.take(take) for one in texts)
    short = columns.initials_of(name)
    cells = (
        _ids_in_hex(len(order)),
        _points(xy[order]),
        fronts.take(take),
        stage.plain(number),
        stage.plain(address),
        stage.filled(name),
        stage.filled(trade),
        *_place(shop, placed.segment[order], placed.side[order], placed.measure_m[order]),
        *_place(
            shop,
            placed.second[order],
            placed.second_side[order],
            placed.second_measure_m[order],
        ),
        stage.filled(short),
        stage.plain(columns.pieces_literal([name, address, short])),
        stage.plain(ids.take(take)),
        pc.cast(pa.array(marks[order]), pa.string()),
    )
    stems = shop.writing.numbers.stems(placed.segment[order], columns.either(number, address))
    new = ~known[order]
    return stage.Doors(cells, stems, new, int(new.sum()), int((~new).sum()), len(rows) - len(order))


def _walk_order(placed: placing.Placements, wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """As one walks: shops of one segment lie together on the disk and in the indexes."""
    order = np.lexsort((placed.measure_m, placed.segment))
    return order[wanted[order]]


def _figures(shop: Shop, xy: NDArray[np.float64], placed: placing.Placements) -> NDArray[np.uint8]:
    """Door and place of each row as bytes, measures in centimetres."""
    parts: list[NDArray[np.uint8]] = [np.ascontiguousarray(xy).view(np.uint8).reshape(-1, 16)]
    for segment, side, measure in (
        (placed.segment, placed.side, placed.measure_m),
        (placed.second, placed.second_side, placed.second_measure_m),
    ):
        hundredths = np.round(np.nan_to_num(measure) * 100).astype("<i8")
        parts += [
            shop.segment_keys[segment],
            side.astype(np.int8).view(np.uint8).reshape(-1, 1),
            hundredths.view(np.uint8).reshape(-1, 8),
        ]
    return np.hstack(parts)


def _ids_in_hex(count: int) -> Column:
    return columns.hex_texts(np.frombuffer(new_ids(count), dtype=np.uint8).reshape(-1, 16))


def _points(xy: NDArray[np.float64]) -> Column:
    """Doors as the text that PostGIS reads."""
    raw = np.empty((len(xy), len(POINT_HEAD) + 16), dtype=np.uint8)
    raw[:, : len(POINT_HEAD)] = np.frombuffer(POINT_HEAD, dtype=np.uint8)
    raw[:, len(POINT_HEAD) :] = np.ascontiguousarray(xy, dtype="<f8").view(np.uint8).reshape(-1, 16)
    return columns.hex_texts(raw)


def _place(
    shop: Shop,
    segment: NDArray[np.int64],
    side: NDArray[np.int8],
    measure_m: NDArray[np.float64],
) -> tuple[Column, Column, Column]:
    """Segment, side and measure of doors as COPY reads them."""
    there = segment >= 0
    last = len(shop.segment_ids) - 1  # Arrow does not count from the end
    metres = pc.cast(pa.array(np.round(np.nan_to_num(measure_m), 2)), pa.string())
    return (
        shop.segment_ids.take(pa.array(np.where(there, segment, last))),
        SIDES.take(pa.array(np.where(there, np.where(side > 0, 1, 2), 0))),
        pc.if_else(pa.array(there), metres, stage.NULL),
    )
