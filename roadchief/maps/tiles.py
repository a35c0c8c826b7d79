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


def make(
    session: Session,
    layers: Sequence[Layer],
    square: Square,
    values: Mapping[str, Any],
    *,
    at: datetime,
) -> bytes:
    """The bytes of one tile; empty where nothing is."""
    asked = question(layers, square)
    if not asked:
        return b""
    bound = bindings(session, square, values, at=at)
    return bytes(session.scalar(text(f"SELECT {asked}"), bound) or b"")


def question(layers: Sequence[Layer], square: Square) -> str:
    """The SQL whose value is the tile; empty where no layer is drawn at this zoom."""
    return " || ".join(one.draw(square.z) for one in drawn(layers, square))


def drawn(layers: Sequence[Layer], square: Square) -> list[Layer]:
    return [one for one in layers if one.lowest <= square.z <= one.highest]


def bindings(
    session: Session, square: Square, values: Mapping[str, Any], *, at: datetime
) -> dict[str, Any]:
    """What every layer's question may name."""
    names = ("west", "south", "east", "north")
    return {
        "here": tenant_of(session),
        "at": at,
        "on": clock.local_date(at),
        **vars(square),
        **dict(zip(names, square.bounds(), strict=True)),
        **values,
    }


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
