"""One import from end to end: open, map, judge the datum, take batch by batch, report."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.db import Database, tenant_of
from roadchief.errors import BadInput, NotFound
from roadchief.lib.coords import Datum
from roadchief.lib.geo import swapped_axes
from roadchief.lib.text import clean
from roadchief.streets import shifts
from roadchief.streets.importing import checking, doors, lines, mapping, osm, twins
from roadchief.streets.importing.batches import Batch, Source
from roadchief.streets.importing.reading import OSM, open_source
from roadchief.streets.importing.refused import Keep
from roadchief.streets.importing.report import Report
from roadchief.streets.importing.writers import Writers
from roadchief.streets.models import RoadSegment, Subdistrict
from roadchief.streets.storefronts import ground

SAMPLE = 2_000
PLACES = {"lon", "lat", "wkt"}
Tell = Callable[[int], None]


class NoColumns(BadInput):
    zh = "没有找到“{field}”：文件里只有图形，没有属性列"
    en = "no {field}: the file has shapes alone, without columns"


class MissingColumn(BadInput):
    zh = "没有找到“{field}”对应的列；文件有这些列：{columns}。请指定（命令行用 --map）"
    en = "no column for {field}; the file has {columns}; name it (by --map on the command line)"


@dataclass(frozen=True)
class Order:
    """What is asked: which file, as what, for whom."""

    path: Path
    what: str  # roads, storefronts, boundaries
    subdistrict_id: int
    datum: Datum = Datum.WGS84
    encoding: str | None = None
    source: str = ""
    mapping: tuple[tuple[str, str], ...] = ()
    dry_run: bool = False

    @property
    def source_name(self) -> str:
        return clean(self.source or self.path.stem)[:100]


def take(
    database: Database,
    order: Order,
    *,
    by: UUID | None,
    at: datetime,
    tell: Tell = lambda _n: None,
    keep: Keep | None = None,
) -> Report:
    """Carry out an order. `keep` hears of every refused row; the report lists the first ones."""
    source = open_for(order)
    report = Report(order.what, order.path.name, dry_run=order.dry_run, keep=keep)
    report.encoding = source.encoding
    report.mapping = choose(source, order)
    report.notes.update(dict.fromkeys(source.notes, 1))
    # Opening a GeoJSON file means reading all of it once, so it is opened once: the first batch
    # is looked at and then taken with the others.
    stream = source.batches()
    first = next(stream, None)
    _judge_datum(database, first, order, report)
    _find_twins(database, first, order, report)
    batches = chain([first] if first is not None else [], stream)
    takers = {"storefronts": _take_doors, "roads": _take_roads, "boundaries": _take_borders}
    takers[order.what](database, batches, order, report, by, at, tell)
    return report


def open_for(order: Order) -> Source:
    if order.path.suffix.lower() in OSM:
        return osm.open_osm(order.path, order.what)
    return open_source(order.path, encoding=order.encoding)


def choose(source: Source, order: Order) -> dict[str, str]:
    """Guessed columns, overruled by the order's; a named column must exist."""
    found = (
        {name: name for name in source.columns}
        if source.kind == "OSM"
        else mapping.guess(source.columns, order.what)
    )
    if source.has_shapes:  # a file's shapes go before its columns, unless these are asked for
        found = {name: column for name, column in found.items() if name not in PLACES}
    listed = "、".join(source.columns)
    for name, column in order.mapping:
        if name not in mapping.WANTED[order.what] or column not in source.columns:
            raise MissingColumn(field=f"{name}={column}", columns=listed)
        found[name] = column
    if not source.has_shapes and "wkt" not in found and not {"lon", "lat"} <= found.keys():
        raise MissingColumn(field="经度/纬度 lon/lat", columns=listed)
    if order.what == "roads" and "name" not in found:
        if not source.columns:
            raise NoColumns(field="道路名称 name")
        raise MissingColumn(field="道路名称 name", columns=listed)
    return found


def fingerprint(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def known_roads(session: Session) -> list[shapely.LineString]:
    """Lines to hold a file against: of this sub-district."""
    return list(
        session.scalars(
            select(RoadSegment.line)
            .where(RoadSegment.subdistrict_id == tenant_of(session))
            .where(RoadSegment.closed_at.is_(None))
            .limit(5000)
        )
    )


def _judge_datum(database: Database, first: Batch | None, order: Order, report: Report) -> None:
    with database.transaction(order.subdistrict_id) as session:
        if session.get(Subdistrict, order.subdistrict_id) is None:
            raise NotFound
        roads = known_roads(session)
    if first is None or order.what == "boundaries":
        return
    sample = first.sample(SAMPLE)
    places = checking.raw_places(
        sample.places, sample.columns, report.mapping, sample.lines, Report(order.what, "")
    )
    shapes = checking.as_shapes(places)
    xy = shapely.get_coordinates(shapes[~shapely.is_missing(shapes)])
    xy = xy[np.isfinite(xy).all(axis=1)]
    if xy.size and not swapped_axes(xy):
        verdict = shifts.judge(xy[:, 0], xy[:, 1], order.datum, roads)
        report.datum = {"zh": verdict.say("zh"), "en": verdict.say("en")}
        report.doubtful_datum = verdict.doubtful


def _find_twins(database: Database, first: Batch | None, order: Order, report: Report) -> None:
    """Does the file bring again what came under another source's name? Looked at by a sample."""
    if first is None or order.what == "boundaries":
        return
    sample, aside = first.sample(SAMPLE), Report(order.what, "")
    rows = checking.fit(
        sample.places, sample.columns, report.mapping, sample.lines, order.datum, aside
    )
    with database.transaction(order.subdistrict_id) as session:
        if order.what == "roads":
            names = rows.text("name").to_pylist()
            report.twins = twins.of_roads(session, names, source=order.source_name)
        else:
            report.twins = twins.of_doors(session, rows, source=order.source_name)


def rows_of(
    batches: Iterable[Batch], order: Order, report: Report, tell: Tell
) -> Iterator[checking.Rows]:
    for batch in batches:
        report.rows += len(batch)
        report.notes.update(batch.notes)
        yield checking.fit(
            batch.places, batch.columns, report.mapping, batch.lines, order.datum, report
        )
        tell(report.rows)


def _take_doors(
    database: Database,
    batches: Iterable[Batch],
    order: Order,
    report: Report,
    by: UUID | None,
    at: datetime,
    tell: Tell,
) -> None:
    with database.transaction(order.subdistrict_id) as session:
        shop = doors.prepare(
            session,
            ground(session),
            source=order.source_name,
            datum=order.datum.value,
            at=at,
            report=report,
        )
    try:
        with Writers(database, order.subdistrict_id, report, dry_run=order.dry_run) as writers:
            for rows in rows_of(batches, order, report, tell):
                made = doors.take(shop, rows)
                if made is not None:
                    writers.take(made, shop.writing)
    except KeyboardInterrupt:
        report.interrupted = True


def _take_roads(
    database: Database,
    batches: Iterable[Batch],
    order: Order,
    report: Report,
    by: UUID | None,
    at: datetime,
    tell: Tell,
) -> None:
    """All in one transaction: where it is broken off, nothing is written."""
    ways = lines.Ways(report)
    try:
        for rows in rows_of(batches, order, report, tell):
            ways.add(rows)
        with database.transaction(order.subdistrict_id) as session:
            lines.take_roads(
                session, ways, source=order.source_name, by=by, at=at, write=not order.dry_run
            )
    except KeyboardInterrupt:
        report.added = report.changed = report.unchanged = 0
        report.interrupted = True


def _take_borders(
    database: Database,
    batches: Iterable[Batch],
    order: Order,
    report: Report,
    by: UUID | None,
    at: datetime,
    tell: Tell,
) -> None:
    rows = list(rows_of(batches, order, report, tell))
    with database.transaction(order.subdistrict_id) as session:
        lines.take_borders(
            session, rows, source=order.source_name, report=report, write=not order.dry_run
        )
