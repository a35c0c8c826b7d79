"""Roads and borders of a file into the register. Few rows, so through the register's verbs."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.lib.geo import Plane, as_multipolygon
from roadchief.streets import linework, naming, register, succession
from roadchief.streets.importing import checking
from roadchief.streets.importing.checking import Rows
from roadchief.streets.importing.report import Problem, Report
from roadchief.streets.models import Road, RoadSegment, Subdistrict

SHORTEST_ROAD_M = 20.0
AROUND_DEG = 0.002  # some 200 m: more than any junction is wide
KERBS_M = {"motorway": 15.0, "trunk": 15.0, "primary": 14.0, "secondary": 11.0, "tertiary": 8.0}
FOOT = {"footway", "path", "steps", "cycleway", "corridor", "platform", "proposed", "construction"}


@dataclass
class Way:
    """All ways of one name."""

    name: str
    name_en: str | None
    kind: str
    shapes: list[BaseGeometry]
    line: int  # of the file, where the name is first met


class Ways:
    """Collects the ways of a file by name until all are read: a road is more than one row."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.by_name: dict[str, Way] = {}
        self.rows = 0

    def add(self, rows: Rows) -> None:
        names, english, kinds = (
            rows.text(field).to_pylist() for field in ("name", "name_en", "kind")
        )
        for at, shape in enumerate(rows.shapes):
            if shape.geom_type not in {"LineString", "MultiLineString"}:
                where = int(rows.lines[at])
                self.report.refuse(Problem(where, "geometry", shape.geom_type, "wrong_shape"))
            elif not naming.road_name(names[at]):
                self.report.notes["unnamed"] += 1
            elif kinds[at] not in FOOT:
                name = naming.road_name(names[at])
                fresh = Way(name, english[at] or None, kinds[at], [], int(rows.lines[at]))
                way = self.by_name.setdefault(name, fresh)
                way.shapes.append(shape)
                self.rows += 1


class _Ground:
    """The lines that may cut others, found by place: a city has thousands of them."""

    def __init__(self, merged: dict[str, list[shapely.LineString]]) -> None:
        self._lines = [
            (name, line)
            for name, lines in merged.items()
            if naming.is_on_the_ground(name)
            for line in lines
        ]
        self._tree = shapely.STRtree([line for _, line in self._lines])

    def around(self, name: str, lines: list[shapely.LineString]) -> list[tuple[str, BaseGeometry]]:
        """What lies so near these lines that it may meet them, but for the road itself."""
        room = np.array([-AROUND_DEG, -AROUND_DEG, AROUND_DEG, AROUND_DEG])
        bounds = shapely.bounds(lines) + room
        found = np.unique(self._tree.query(shapely.box(*bounds.T))[1])
        return [self._lines[at] for at in found if self._lines[at][0] != name]


def take_roads(
    session: Session, ways: Ways, *, source: str, by: UUID | None, at: datetime, write: bool
) -> None:
    """Every named road within the border: opened and cut, or cut anew where its lines changed."""
    area = session.scalar(select(Subdistrict.area).where(Subdistrict.id == tenant_of(session)))
    merged = {name: linework.merge(way.shapes) for name, way in ways.by_name.items()}
    known = {
        road.source_id: road
        for road in session.scalars(
            select(Road).where(Road.subdistrict_id == tenant_of(session), Road.source == source)
        )
    }
    ground = _Ground(merged)
    for name, way in ways.by_name.items():
        lines = linework.inside(merged[name], area) if area is not None else merged[name]
        lines = [line for line in lines if Plane.around(line).flat(line).length >= SHORTEST_ROAD_M]
        if not lines:
            reason = "outside" if area is not None else "too_short"
            ways.report.refuse(Problem(way.line, "name", name, reason))
            continue
        others = ground.around(name, lines)
        mark = checking.content_hash(name, sorted(line.wkb for line in lines))
        _take_road(session, ways, way, lines, others, mark, known.get(name), source, by, at, write)


def _take_road(
    session: Session,
    ways: Ways,
    way: Way,
    lines: list[shapely.LineString],
    others: list[tuple[str, BaseGeometry]],
    mark: int,
    road: Road | None,
    source: str,
    by: UUID | None,
    at: datetime,
    write: bool,
) -> None:
    if road is not None and road.row_hash == mark:
        ways.report.unchanged += 1
        return
    if road is None:
        ways.report.added += 1
    else:
        ways.report.changed += 1
    if not write:
        return
    before: list[RoadSegment] = []
    if road is None:
        road = register.open_road(
            session,
            name=way.name,
            name_en=way.name_en,
            kind=way.kind or "road",
            source=source,
            source_id=way.name,
            by=by,
            at=at,
        )
    else:
        before = list(
            session.scalars(
                select(RoadSegment)
                .where(RoadSegment.subdistrict_id == road.subdistrict_id)
                .where(RoadSegment.road_id == road.id, RoadSegment.closed_at.is_(None))
                .order_by(RoadSegment.id)
                .with_for_update()
            )
        )
    road.row_hash = mark
    kerb_m = KERBS_M.get(way.kind.removesuffix("_link"), 6.0)
    after = register.cut_road(session, road, lines, others, by=by, at=at, kerb_m=kerb_m)
    if before:
        succession.follow(session, before, after, at=at, because=f"import {source}")


def take_borders(
    session: Session, rows: Iterable[Rows], *, source: str, report: Report, write: bool
) -> None:
    """Borders by name or 9-digit code. Only the sub-district of this transaction is written."""
    here = session.get(Subdistrict, tenant_of(session))
    parts: dict[str, list[BaseGeometry]] = defaultdict(list)
    for batch in rows:
        names, codes = batch.text("name").to_pylist(), batch.text("code").to_pylist()
        for at, shape in enumerate(batch.shapes):
            ours = here is not None and (
                codes[at][:9] == str(here.id) or naming.same_place(names[at], here.name)
            )
            if not shape.geom_type.endswith("Polygon"):
                where = int(batch.lines[at])
                report.refuse(Problem(where, "geometry", shape.geom_type, "wrong_shape"))
            elif not ours:
                shown = names[at] or codes[at]
                report.refuse(Problem(int(batch.lines[at]), "name", shown, "elsewhere"))
            else:
                parts["area"].append(shape)
    if here is None or not parts["area"]:
        return
    area = as_multipolygon(shapely.union_all(parts["area"]))
    if here.area is not None and area.equals(here.area):
        report.unchanged += 1
        return
    if here.area is None:
        report.added += 1
    else:
        report.changed += 1
    if write:
        here.area, here.area_source = area, source
