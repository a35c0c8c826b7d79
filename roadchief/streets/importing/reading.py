"""A file as a stream of batches: who reads it is told by its name, and vectors are read here.

GDAL reads GeoJSON, GeoPackage and Shapefile; tables and spreadsheets have readers of their own.
"""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from roadchief.streets.importing import contents
from roadchief.streets.importing.batches import BATCH, Batch, Source
from roadchief.streets.importing.checking import Places
from roadchief.streets.importing.contents import UnreadableFile, unreadable
from roadchief.streets.importing.spreadsheets.sheets import open_sheet
from roadchief.streets.importing.tables import open_table

BROKEN = (
    *(DataSourceError, DataLayerError, UnicodeDecodeError, LookupError, OSError, RuntimeError),
    pa.ArrowException,
)
POINT_BYTES, POINT_HEAD = 21, (1, 1, 0, 0, 0)  # little-endian WKB of a flat point
VECTOR = {".geojson": "GeoJSON", ".json": "GeoJSON", ".gpkg": "GPKG", ".shp": "ESRI Shapefile"}
TABLE = {".csv", ".tsv", ".txt"}
OSM = {".pbf", ".osm"}
KINDS = [*VECTOR, *sorted(TABLE), ".xlsx", ".zip", *sorted(OSM)]
ACCEPTED = [*KINDS, *sorted(contents.PARTS)]  # what a person may choose on the page
OTHER_SHEETS = {".xls", ".xlsb", ".et", ".ods"}


def open_source(path: Path, *, encoding: str | None = None) -> Source:
    """Raises UnreadableFile with the reason: missing, empty, truncated, wrong kind, …"""
    if not path.is_file():
        raise unreadable(path, "文件不存在", "there is no such file")
    if path.stat().st_size == 0:
        raise unreadable(path, "文件为空（0 字节）", "it is empty (0 bytes)")
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return _open_vector(contents.inside_zip(path), path, "ESRI Shapefile", encoding)
    if suffix in TABLE:
        return open_table(path, encoding)
    if suffix in contents.PARTS:
        raise unreadable(
            path,
            f"{suffix} 只是 Shapefile 的一部分，请选 .shp（网页上各部分一起选，或用 .zip）",
            f"{suffix} is part of a Shapefile: choose its .shp (on the page all parts, or a .zip)",
        )
    if suffix == ".xlsx":
        return open_sheet(path)
    if suffix == ".xlsm":
        raise contents.has_macros(path)
    if suffix in OTHER_SHEETS:
        raise unreadable(
            path,
            f"{suffix} 表格请先“另存为” .xlsx 或 CSV 再导入",
            f"save the {suffix} spreadsheet as .xlsx or CSV first",
        )
    if suffix not in VECTOR:
        known = "、".join(KINDS)
        raise unreadable(path, f"不支持的格式 {suffix}，可用 {known}", f"unknown kind {suffix}")
    if suffix == ".shp":
        contents.check_parts(path)
        encoding = encoding or contents.shapefile_encoding(path)
    address = contents.check_beginning(path, VECTOR[suffix])
    return _open_vector(address, path, VECTOR[suffix], encoding, contents.said_encoding(path))


def _open_vector(
    address: str, path: Path, driver: str, encoding: str | None, said: str | None = None
) -> Source:
    """`said` is the encoding that a file names itself: GDAL reads by it and says UTF-8."""
    ready: list[_Stream] = []
    try:
        if driver == "GeoJSON":
            # To know the fields of a GeoJSON file is to read all of it, so it is opened once.
            ready.append(_Stream(address, encoding))
            info = ready[0].meta
        else:
            with _quiet():
                info = pyogrio.read_info(address, encoding=encoding)
    except BROKEN as error:
        raise _broken(path, error) from error
    found = info.get("driver", driver)
    if found != driver:
        raise unreadable(
            path, f"扩展名与内容不符，内容是 {found}", f"the content is {found}, not {driver}"
        )
    transformer, notes = _projection(path, info)
    if driver == "GPKG":
        with _quiet():
            notes += ("more_layers",) * (len(pyogrio.list_layers(address)) > 1)

    def batches() -> Iterator[Batch]:
        try:
            yield from (ready.pop() if ready else _Stream(address, encoding)).batches(transformer)
        except BROKEN as error:
            raise _broken(path, error) from error

    return Source(
        path,
        driver,
        [str(name) for name in info["fields"]],
        encoding or said or info["encoding"],
        info["geometry_type"] is not None,
        notes,
        batches,
    )


class _Stream:
    """A file open in GDAL, given out as Arrow batches; closed at its end or when forgotten."""

    def __init__(self, address: str, encoding: str | None) -> None:
        self._closing = ExitStack()
        opened = pyogrio.raw.open_arrow(
            address, batch_size=BATCH, use_pyarrow=True, encoding=encoding
        )
        with _quiet():
            self.meta, self._reader = self._closing.enter_context(opened)

    def batches(self, transformer: Transformer | None) -> Iterator[Batch]:
        shape_column = self.meta["geometry_name"] or "wkb_geometry"
        first = 1
        with self._closing, _quiet():
            for found in self._reader:
                at = {name: place for place, name in enumerate(found.schema.names)}
                if self.meta["geometry_type"] is None or shape_column not in at:
                    places: Places = np.full(len(found), None, dtype=object)
                else:
                    places = _places(found.column(at[shape_column]), transformer)
                values = {name: found.column(at[name]) for name in map(str, self.meta["fields"])}
                yield Batch(first, places, values)
                first += len(found)


def _places(raw: Any, transformer: Transformer | None) -> Places:
    """Places from WKB. Plain points, by far the most, are read as figures and not one by one."""
    xy = _plain_points(raw)
    if xy is not None:
        return xy if transformer is None else np.column_stack(transformer.transform(*xy.T))
    found = shapely.from_wkb(np.array(raw.to_pylist(), dtype=object), on_invalid="ignore")
    if transformer is not None:
        found = shapely.transform(
            found, lambda pairs: np.column_stack(transformer.transform(*pairs.T))
        )
    return np.asarray(found, dtype=object)


def _plain_points(raw: Any) -> NDArray[np.float64] | None:
    """X and y, where all rows are finite flat points."""
    count, data = len(raw), raw.buffers()[2]
    if not count or data is None or raw.null_count or raw.type != pa.binary():
        return None
    ends = np.frombuffer(raw.buffers()[1], dtype=np.int32)[raw.offset : raw.offset + count + 1]
    if not (np.diff(ends) == POINT_BYTES).all():
        return None
    cells = np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]].reshape(count, POINT_BYTES)
    xy = cells[:, len(POINT_HEAD) :].copy().view("<f8")
    fine = (cells[:, : len(POINT_HEAD)] == POINT_HEAD).all() and np.isfinite(xy).all()
    return xy if fine else None


def _projection(path: Path, info: dict[str, Any]) -> tuple[Transformer | None, tuple[str, ...]]:
    """To longitude and latitude. CGCS2000 and WGS-84 are equal for us (domain.md §7.1)."""
    if not info["crs"]:
        west, south, east, north = info.get("total_bounds") or (0, 0, 0, 0)
        if max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 180:
            raise unreadable(
                path, "没有坐标系说明（.prj），坐标也不是经纬度", "no CRS, and not degrees"
            )
        return None, ("no_crs",)
    try:
        crs = CRS.from_user_input(info["crs"])
    except CRSError as error:
        raise unreadable(path, "坐标系无法识别", "its CRS is unknown") from error
    if crs.is_geographic:
        return None, ()
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True), ("reprojected",)


@contextmanager
def _quiet() -> Iterator[None]:
    """GDAL warns of every odd row; our own report tells of them, once, by line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _broken(path: Path, error: Exception) -> UnreadableFile:
    said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    said = said.replace(str(path), path.name)
    if "too complex/large" in said:
        return unreadable(path, "其中一个图形过大", "one shape in it is too large")
    return unreadable(path, f"内容损坏或不完整（{said}）", f"broken or cut short ({said})")
