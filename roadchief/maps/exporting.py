"""A collection as a file: GeoPackage, Shapefile, GeoJSON, XLSX. Page by page, so memory stays flat.

All in WGS-84 (stated in each file). A spreadsheet gets longitude and latitude of a point on each
shape; no cell of it begins a formula. A Shapefile's field names have ten characters at most, so a
list of the full names lies beside it in the archive.
"""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from openpyxl import Workbook
from sqlalchemy.orm import Session

from roadchief.errors import BadInput
from roadchief.lib.text import harmless_cell
from roadchief.maps import features
from roadchief.maps.collections import Collection
from roadchief.maps.features import Wanted

# File ending → media type and GDAL's driver.
FORMATS: dict[str, tuple[str, str]] = {
    "gpkg": ("application/geopackage+sqlite3", "GPKG"),
    "shp.zip": ("application/zip", "ESRI Shapefile"),
    "geojson": ("application/geo+json", "GeoJSON"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ""),
}
SHAPEFILE_NAME = 10
MOST_CELL = 32_767
Row = dict[str, Any]
Tell = Callable[[int], None]


class UnknownFormat(BadInput):
    def __init__(self) -> None:
        known = ", ".join(FORMATS)
        super().__init__(
            field="格式 format", reason_zh=f"可选：{known}", reason_en=f"one of {known}"
        )


def write(
    session: Session,
    collection: Collection,
    out: Path,
    form: str,
    *,
    wanted: Wanted | None = None,
    tell: Tell | None = None,
) -> int:
    """Write all features that exist now (or `wanted`) to `out`; answers how many."""
    if form not in FORMATS:
        raise UnknownFormat
    pages = _pages(session, collection, wanted or Wanted(), tell)
    if form == "xlsx":
        return _sheet(collection, pages, out)
    if form == "shp.zip":
        return _shapefile(collection, pages, out)
    return _vector(collection, pages, out, FORMATS[form][1], {})


def _pages(
    session: Session, collection: Collection, wanted: Wanted, tell: Tell | None
) -> Iterator[list[Row]]:
    done, after = 0, wanted.after
    while True:
        step = Wanted(**{**vars(wanted), "after": after, "limit": features.MOST})
        found = features.page(session, collection, step)
        if found.features or done == 0:
            yield found.features
        done += len(found.features)
        if tell:
            tell(done)
        if found.next_after is None:
            return
        after = found.next_after


def _vector(
    collection: Collection,
    pages: Iterator[list[Row]],
    out: Path,
    driver: str,
    names: dict[str, str],
) -> int:
    count = 0
    for number, rows in enumerate(pages):
        shapes = shapely.from_geojson([_geometry(row) for row in rows])
        fields = ["id", *collection.fields]
        pyogrio.raw.write(
            out,
            shapely.to_wkb(shapes) if len(rows) else np.empty(0, dtype=object),
            [_column(collection, name, rows) for name in fields],
            [names.get(name, name) for name in fields],
            geometry_type=collection.geometry,
            driver=driver,
            layer=collection.name if driver == "GPKG" else None,
            crs="EPSG:4326",
            encoding="UTF-8",
            append=number > 0,
            promote_to_multi=False,
        )
        count += len(rows)
    return count


def _geometry(row: Row) -> str:
    return json.dumps(row["geometry"])


def _column(collection: Collection, name: str, rows: list[Row]) -> np.ndarray:
    """One column in the type that its field has; what is absent stays absent."""
    if name == "id":
        return np.array([row["id"] for row in rows], dtype=object)
    found = [row["properties"][name] for row in rows]
    kind = collection.fields[name].kind
    if kind in {"number", "integer"}:
        return np.array([np.nan if one is None else float(one) for one in found])
    if kind == "boolean":
        return np.array([bool(one) for one in found])
    return np.array(found, dtype=object)


def short_names(collection: Collection) -> dict[str, str]:
    """Field names of ten characters, each once."""
    given: dict[str, str] = {}
    for name in collection.fields:
        short = name[:SHAPEFILE_NAME]
        number = 1
        while short in given.values():
            number += 1
            short = f"{name[: SHAPEFILE_NAME - 2]}_{number}"
        given[name] = short
    return given


def _shapefile(collection: Collection, pages: Iterator[list[Row]], out: Path) -> int:
    names = short_names(collection)
    folder = out.with_suffix(".parts")
    folder.mkdir()
    count = _vector(collection, pages, folder / f"{collection.name}.shp", "ESRI Shapefile", names)
    told = "".join(
        f"{names[name]}\t{name}\t{one.zh}\t{one.en}\r\n" for name, one in collection.fields.items()
    )
    (folder / "fields.txt").write_text("﻿" + told, encoding="utf-8")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(folder.iterdir()):
            archive.write(part, part.name)
            part.unlink()
    folder.rmdir()
    return count


def _sheet(collection: Collection, pages: Iterator[list[Row]], out: Path) -> int:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(collection.zh[:31])
    sheet.append(
        ["id", *(f"{one.zh} {one.en}" for one in collection.fields.values()), "lon", "lat"]
    )
    count = 0
    try:
        for rows in pages:
            for row, lon, lat in zip(rows, *_points(rows), strict=True):
                cells = [_cell(row["properties"][name]) for name in collection.fields]
                sheet.append([row["id"], *cells, round(float(lon), 7), round(float(lat), 7)])
            count += len(rows)
    finally:
        sheet.close()  # left open, one that is broken off complains later
    book.save(out)
    return count


def _points(rows: list[Row]) -> tuple[np.ndarray, np.ndarray]:
    points = shapely.point_on_surface(shapely.from_geojson([_geometry(row) for row in rows]))
    return shapely.get_x(points), shapely.get_y(points)


def _cell(value: Any) -> Any:
    return harmless_cell(value)[:MOST_CELL] if isinstance(value, str) else value
