"""OpenStreetMap extracts: named roads, and shops as points or building outlines (© ODbL)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import osmium
import shapely

from roadchief.streets.importing import columns
from roadchief.streets.importing.batches import BATCH, Batch, Source
from roadchief.streets.importing.contents import UnreadableFile

TRADES = {
    "restaurant",
    "cafe",
    "fast_food",
    "bank",
    "pharmacy",
    "bar",
    "pub",
    "clinic",
    "dentist",
    "post_office",
    "ice_cream",
    "food_court",
    "bureau_de_change",
    "internet_cafe",
    "car_rental",
}
ROAD_COLUMNS = ["source_id", "name", "name_en", "kind"]
SHOP_COLUMNS = ["source_id", "name", "business_type", "road", "house_number", "address"]


def open_osm(path: Path, what: str) -> Source:
    """`what` is roads or storefronts. Raises UnreadableFile for a broken file."""
    if not path.is_file() or path.stat().st_size == 0:
        raise UnreadableFile(
            name=path.name, reason_zh="文件不存在或为空（0 字节）", reason_en="absent or empty"
        )
    names = ROAD_COLUMNS if what == "roads" else SHOP_COLUMNS
    return Source(path, "OSM", names, "utf-8", True, (), lambda: _batches(path, what, names))


def _batches(path: Path, what: str, names: list[str]) -> Iterator[Batch]:
    found = _roads(path) if what == "roads" else _shops(path)
    shapes: list[shapely.Geometry] = []
    values: dict[str, list[str]] = {name: [] for name in names}
    first = 1
    try:
        for shape, row in found:
            shapes.append(shape)
            for name, value in zip(names, row, strict=True):
                values[name].append(value)
            if len(shapes) == BATCH:
                yield _batch(first, shapes, values)
                first, shapes = first + BATCH, []
                values = {name: [] for name in names}
    except (RuntimeError, OSError, ValueError) as error:
        raise UnreadableFile(
            name=path.name,
            reason_zh=f"内容损坏或不完整（{error}）",
            reason_en=f"broken or cut short ({error})",
        ) from error
    if shapes:
        yield _batch(first, shapes, values)


def _batch(first: int, shapes: list[shapely.Geometry], values: dict[str, list[str]]) -> Batch:
    out = np.empty(len(shapes), dtype=object)
    out[:] = shapes
    return Batch(first, out, {name: columns.of(texts) for name, texts in values.items()})


def _roads(path: Path) -> Iterator[tuple[shapely.LineString, tuple[str, ...]]]:
    """Every highway with its tags; unnamed ones are counted by the loader."""
    for way in osmium.FileProcessor(str(path), osmium.osm.WAY | osmium.osm.NODE).with_locations():
        if not isinstance(way, osmium.osm.Way) or "highway" not in way.tags:
            continue
        line = _line(way)
        if line is not None:
            tags = way.tags
            name = tags.get("name:zh") or tags.get("name") or ""
            english = tags.get("name:en") or ""
            yield line, (f"w{way.id}", name, english, (tags.get("highway") or ""))


def _shops(path: Path) -> Iterator[tuple[shapely.Geometry, tuple[str, ...]]]:
    found = osmium.FileProcessor(str(path), osmium.osm.WAY | osmium.osm.NODE).with_locations()
    for item in found:
        trade = item.tags.get("shop") or (item.tags.get("amenity") or "")
        if not ("shop" in item.tags or trade in TRADES):
            continue
        tags = item.tags
        row = (
            tags.get("name:zh") or tags.get("name") or "",
            trade,
            (tags.get("addr:street") or ""),
            (tags.get("addr:housenumber") or ""),
            (tags.get("addr:full") or ""),
        )
        if isinstance(item, osmium.osm.Node):
            place = item.location
            yield shapely.Point(place.lon, place.lat), (f"n{item.id}", *row)
        elif (
            isinstance(item, osmium.osm.Way)
            and (line := _line(item))
            and line.is_ring
            and len(line.coords) >= 4
        ):
            yield shapely.Polygon(line.coords), (f"w{item.id}", *row)


def _line(way: osmium.osm.Way) -> shapely.LineString | None:
    """The way's line; nodes outside the extract are left out."""
    coords = [(node.lon, node.lat) for node in way.nodes if node.location.valid()]
    return shapely.LineString(coords) if len(coords) >= 2 else None
