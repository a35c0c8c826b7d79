"""Vector tiles, made in the database for one square: ST_AsMVT as the app role.

Every question states its box (`shape && box`), the only spatial test whose index works under
row-level security. Low zooms are thinned in the database: single storefronts from z15, before
that counts in a grid of 32 by 32 squares a tile.
"""

import math
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.errors import NotFound
from roadchief.streets.catalog import STATES

LOWEST, HIGHEST = 10, 18
SINGLE_FROM = 15
FRONTS_FROM = 17
MARGIN = 64  # of 4096: shapes run a little over the edge, so that lines meet


@dataclass(frozen=True)
class Square:
    """A tile's address, within range."""

    z: int
    x: int
    y: int

    @classmethod
    def at(cls, z: int, x: int, y: int) -> "Square":
        if not (LOWEST <= z <= HIGHEST and 0 <= x < 2**z and 0 <= y < 2**z):
            raise NotFound
        return cls(z, x, y)

    def bounds(self, spare: float = MARGIN / 4096) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees, with `spare` tiles of margin on each side."""
        n = 2**self.z

        def lat(y: float) -> float:
            return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / n))))

        west, east = (self.x - spare) / n * 360 - 180, (self.x + 1 + spare) / n * 360 - 180
        return west, lat(self.y + 1 + spare), east, lat(self.y - spare)


BOX = "ST_MakeEnvelope(:west, :south, :east, :north, 4326)"
WIDE_BOX = "ST_MakeEnvelope(:wide_west, :wide_south, :wide_east, :wide_north, 4326)"
TILE = "ST_TileEnvelope(:z, :x, :y)"


def _draw(shape: str) -> str:
    return f"ST_AsMVTGeom(ST_Transform({shape}, 3857), {TILE}, 4096, {MARGIN})"


def _layer(name: str, columns: str, shape: str, source: str) -> str:
    """One MVT layer: `source` is FROM and WHERE and names the box."""
    return (
        f"(SELECT coalesce(ST_AsMVT(q, '{name}', 4096, 'g'), ''::bytea) FROM "
        f"(SELECT {columns}, {_draw(shape)} AS g {source}) q WHERE g IS NOT NULL)"
    )


BACKGROUND = _layer(
    "background",
    "kind",
    "b.shape",
    f"FROM background_shape b WHERE b.subdistrict_id = :here AND b.shape && {BOX} "
    "AND (:z >= 14 OR b.kind <> 'building')",
)
STREETS = _layer(
    "streets",
    "r.name, r.name_en, r.kind, s.kerb_m",
    "s.line",
    "FROM road_segment s JOIN road r ON r.subdistrict_id = s.subdistrict_id AND r.id = s.road_id "
    f"WHERE s.subdistrict_id = :here AND s.closed_at IS NULL AND s.line && {BOX}",
)
SEGMENTS = _layer(
    "segments",
    "s.id::text AS id, s.code, t.state",
    "s.line",
    f"FROM road_segment s JOIN ({STATES}) t ON t.id = s.id "
    f"WHERE s.subdistrict_id = :here AND s.closed_at IS NULL AND s.line && {BOX}",
)
SHOPS = _layer(
    "storefronts",
    "f.id::text AS id, CASE WHEN :z >= 17 THEN f.name END AS name, "
    "CASE WHEN :z >= 17 THEN f.house_number END AS number, f.name IS NULL AS empty",
    "f.door",
    f"FROM storefront f WHERE f.subdistrict_id = :here AND f.closed_at IS NULL AND f.door && {BOX}",
)
FRONTS = _layer(
    "fronts",
    "f.id::text AS id",
    "f.frontage",
    "FROM storefront f WHERE f.subdistrict_id = :here AND f.closed_at IS NULL "
    f"AND f.frontage IS NOT NULL AND f.door && {BOX}",
)
# Cells divide the tile evenly, so each belongs to one tile; neighbours draw the same circle over
# their edge because the box reaches a whole cell farther.
CELLS = 4
COLUMN = f"floor((ST_X(f.door) + 180) / 360 * 2.0 ^ :z * {CELLS})"
LINE = f"floor((1 - ln(tan(radians(45 + ST_Y(f.door) / 2))) / pi()) / 2 * 2.0 ^ :z * {CELLS})"
CLUSTERS = (
    "(SELECT coalesce(ST_AsMVT(q, 'clusters', 4096, 'g'), ''::bytea) FROM (SELECT count, "
    f"ST_AsMVTGeom(ST_Transform(ST_SetSRID(ST_MakePoint(lon, lat), 4326), 3857), {TILE}, 4096, "
    f"{4096 // CELLS}) AS g "
    "FROM (SELECT count(*)::int AS count, avg(ST_X(f.door)) AS lon, avg(ST_Y(f.door)) AS lat "
    "FROM storefront f WHERE f.subdistrict_id = :here AND f.closed_at IS NULL "
    f"AND f.door && {WIDE_BOX} GROUP BY {COLUMN}, {LINE}) c) q WHERE g IS NOT NULL)"
)
STATIONS = _layer(
    "stations",
    "p.id::text AS id, p.name, p.kind",
    "p.place",
    f"FROM station p WHERE p.subdistrict_id = :here AND p.place && {BOX}",
)
PERMITS = _layer(
    "permits",
    "p.id::text AS id, p.name",
    "p.area",
    f"FROM permit_area p WHERE p.subdistrict_id = :here AND p.area && {BOX} "
    "AND :on BETWEEN p.valid_from AND p.valid_to",
)
# What an address /tiles/<layer>/… may name; each is one query.
LAYERS: dict[str, tuple[str, ...]] = {
    "background": (BACKGROUND, STREETS),
    "streets": (SEGMENTS, SHOPS, FRONTS, STATIONS, PERMITS),
}


def tile(session: Session, layer: str, square: Square, *, at: datetime) -> bytes:
    """The bytes of one tile; empty where nothing is."""
    if layer not in LAYERS:
        raise NotFound
    parts = LAYERS[layer]
    if square.z < SINGLE_FROM:
        parts = tuple(CLUSTERS if part is SHOPS else part for part in parts)
    if square.z < FRONTS_FROM:
        parts = tuple(part for part in parts if part is not FRONTS)
    names = ("west", "south", "east", "north")
    values = dict(zip(names, square.bounds(), strict=True))
    wide = dict(zip((f"wide_{name}" for name in names), square.bounds(1 / CELLS), strict=True))
    row = session.execute(
        text("SELECT " + " || ".join(parts)),
        {"here": tenant_of(session), "at": at, "on": at.date(), **vars(square), **values, **wide},
    )
    return bytes(row.scalar() or b"")


def tile_json(layer: str, address: str) -> dict[str, object]:
    """TileJSON 3 of a layer; `address` has {z}, {x}, {y}."""
    if layer not in LAYERS:
        raise NotFound
    return {
        "tilejson": "3.0.0",
        "name": layer,
        "tiles": [address],
        "minzoom": LOWEST,
        "maxzoom": HIGHEST,
        "scheme": "xyz",
        "vector_layers": [],
    }
