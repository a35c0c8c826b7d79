"""Vector tiles, made in the database for one square: ST_AsMVT as the app role."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.errors import NotFound
from roadchief.lib import clock
from roadchief.maps.layers import HIGHEST, LOWEST, MARGIN, Layer


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


@dataclass(frozen=True)
class Made:
    """A tile as it was at `snapshot`, PostgreSQL's word for what it had seen committed."""

    body: bytes
    snapshot: str


def make(
    session: Session,
    layers: Sequence[Layer],
    square: Square,
    values: Mapping[str, Any],
    *,
    at: datetime,
) -> Made:
    """The bytes of one tile, empty where nothing is, and the snapshot of the same question."""
    parts = [one.draw(square.z) for one in layers if one.lowest <= square.z <= one.highest]
    if not parts:
        return Made(b"", "")
    names = ("west", "south", "east", "north")
    bound = {
        "here": tenant_of(session),
        "at": at,
        "on": clock.local_date(at),
        **vars(square),
        **dict(zip(names, square.bounds(), strict=True)),
        **values,
    }
    asked = "SELECT pg_current_snapshot()::text, " + " || ".join(parts)
    row = session.execute(text(asked), bound).one()
    return Made(bytes(row[1] or b""), str(row[0]))


def tile_json(
    name: str,
    layers: Sequence[Layer],
    address: str,
    *,
    bounds: tuple[float, float, float, float] | None,
    attribution: str,
) -> dict[str, object]:
    """TileJSON 3; `address` has {z}, {x}, {y}."""
    told: dict[str, object] = {
        "tilejson": "3.0.0",
        "name": name,
        "tiles": [address],
        "minzoom": min(one.lowest for one in layers),
        "maxzoom": max(one.highest for one in layers),
        "scheme": "xyz",
        "attribution": attribution,
        "vector_layers": [described for one in layers for described in _described(one)],
    }
    return told | ({"bounds": list(bounds)} if bounds else {})


def _described(layer: Layer) -> list[dict[str, object]]:
    one: dict[str, object] = {
        "id": layer.name,
        "fields": dict(layer.fields),
        "minzoom": layer.lowest,
        "maxzoom": layer.highest,
    }
    if not layer.counted_as:
        return [one]
    counts: dict[str, object] = {
        "id": layer.counted_as,
        "description": f"numbers of {layer.name} by squares",
        "fields": dict(layer.counts),
        "minzoom": layer.lowest,
        "maxzoom": layer.single_from - 1,
    }
    return [counts, one | {"minzoom": layer.single_from}]
