"""A map page as data: shapes for the map, rows for the list beside it, a legend.

Page, JSON and exported file are made of the same sheet, so that none says what another does not.
State is colour, shape and word together.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of

SIGNS = {"ok": "●", "due": "◆", "late": "▲", "black": "■", "none": "○"}
LISTED = 60
EDGE = 3e-4  # degrees around what is shown
FAR_DEG = 0.3  # what lies farther than this from the middle one is not fitted into the first view
NAMED = 300
GROUND = text(
    "SELECT ST_AsGeoJSON(s.line, 5) AS shape FROM road_segment s "
    "WHERE s.subdistrict_id = :here AND s.closed_at IS NULL"
)
# One name a road, in the middle of its longest segment.
NAMES = text(
    "SELECT DISTINCT ON (r.id) r.name, r.name_en, "
    "ST_X(ST_LineInterpolatePoint(s.line, 0.5)) AS lon, "
    "ST_Y(ST_LineInterpolatePoint(s.line, 0.5)) AS lat FROM road_segment s "
    "JOIN road r ON r.subdistrict_id = :here AND r.id = s.road_id "
    "WHERE s.subdistrict_id = :here AND s.closed_at IS NULL "
    f"ORDER BY r.id, s.length_m DESC LIMIT {NAMED}"
)


@dataclass(frozen=True)
class Row:
    """A line of the list. `key` names its shape on the map."""

    key: str
    state: str
    sign: str
    title: str
    sub: str
    value: str = ""
    address: str = ""


@dataclass(frozen=True)
class Sheet:
    """What a page shows. `says` is the sentence before the numbers."""

    name: str
    title: str
    says: str
    rows: Sequence[Row]
    shapes: Sequence[dict[str, Any]]
    legend: Sequence[tuple[str, str, str]]  # state, sign, word
    empty: str
    notice: str = ""
    total: int | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of the shapes; a few far ones do not make it a world map."""
        places = [place for one in self.shapes for place in _places(one["geometry"])]
        if not places:
            return None
        lon, lat = median(place[0] for place in places), median(place[1] for place in places)
        near = [p for p in places if abs(p[0] - lon) < FAR_DEG and abs(p[1] - lat) < FAR_DEG]
        lons, lats = [place[0] for place in near], [place[1] for place in near]
        return (min(lons) - EDGE, min(lats) - EDGE, max(lons) + EDGE, max(lats) + EDGE)

    def told(self) -> dict[str, Any]:
        """For scripts: GeoJSON, the sentence, the first rows."""
        return {
            "says": self.says,
            "empty": self.empty,
            "rows": [vars(row) for row in self.rows[:LISTED]],
            "shapes": {"type": "FeatureCollection", "features": list(self.shapes)},
        }

    def on_paper(self) -> "Sheet":
        """For a file that opens without network: nothing leads anywhere."""
        rows = [replace(row, address="") for row in self.rows]
        shapes = [{**one, "properties": {**one["properties"], "more": ""}} for one in self.shapes]
        return replace(self, rows=rows, shapes=shapes)


def shape(
    geometry: str | dict[str, Any],
    *,
    key: str,
    state: str,
    title: str,
    sign: str = "",
    lines: Iterable[str] = (),
    more: str = "",
    **given: Any,
) -> dict[str, Any]:
    """A GeoJSON feature. `more` is the address that tells the rest when it is touched."""
    return {
        "type": "Feature",
        "geometry": json.loads(geometry) if isinstance(geometry, str) else geometry,
        "properties": {
            "key": key,
            "state": state,
            "sign": sign or SIGNS[state],
            "title": title,
            "lines": [line for line in lines if line],
            "more": more,
            **given,
        },
    }


def ground(session: Session) -> list[dict[str, Any]]:
    """The streets alone, for paper: there are no tiles without network."""
    rows = session.execute(GROUND, {"here": tenant_of(session)})
    return [
        {"type": "Feature", "properties": {}, "geometry": json.loads(row.shape)} for row in rows
    ]


def names(session: Session, *, language: str) -> list[dict[str, Any]]:
    """What the streets of a file are called."""
    rows = session.execute(NAMES, {"here": tenant_of(session)})
    return [
        {
            "name": (row.name_en if language == "en" else None) or row.name,
            "lon": round(row.lon, 6),
            "lat": round(row.lat, 6),
        }
        for row in rows
    ]


def _places(geometry: dict[str, Any]) -> Iterable[Sequence[float]]:
    waiting: list[Any] = [geometry["coordinates"]]
    while waiting:
        one = waiting.pop()
        if one and isinstance(one[0], int | float):
            yield one
        else:
            waiting.extend(one)
