"""Files as a stream of batches: GeoJSON, GeoPackage, Shapefile, CSV. Memory stays flat.

GDAL (through pyogrio) reads the vector formats, Arrow batch by Arrow batch; CSV is read by
Python, because the files we meet differ in encoding, separator and column names.
"""

import csv
import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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

from roadchief.streets.importing import columns as text_columns
from roadchief.streets.importing import contents
from roadchief.streets.importing.columns import Column
from roadchief.streets.importing.contents import UnreadableFile, unreadable

BATCH = 20_000
SAMPLE_BYTES = 256 * 1024
LONGEST_FIELD = 1_000_000
POINT_BYTES, POINT_HEAD = 21, (1, 1, 0, 0, 0)  # little-endian WKB of a flat point
VECTOR = {".geojson": "GeoJSON", ".json": "GeoJSON", ".gpkg": "GPKG", ".shp": "ESRI Shapefile"}
TABLE = {".csv", ".tsv", ".txt"}
OSM = {".pbf", ".osm"}


@dataclass(frozen=True)
class Batch:
    """Some rows of a file. `first` is the number of the first one as a person counts."""

    first: int
    shapes: NDArray[np.object_]
    columns: dict[str, Column]
    on_line: NDArray[np.int64] | None = None  # where rows and lines are not the same

    @property
    def lines(self) -> NDArray[np.int64]:
        """The line or number of each row as a person finds it in the file."""
        if self.on_line is not None:
            return self.on_line
        return np.arange(self.first, self.first + len(self), dtype=np.int64)

    def top(self, count: int) -> "Batch":
        """The first rows of it."""
        columns = {name: column.slice(0, count) for name, column in self.columns.items()}
        return Batch(self.first, self.shapes[:count], columns, self.lines[:count])

    def __len__(self) -> int:
        return len(self.shapes)


@dataclass(frozen=True)
class Source:
    """An opened file: what it says of itself, and its rows."""

    path: Path
    kind: str
    columns: list[str]
    encoding: str | None
    has_shapes: bool
    notes: tuple[str, ...]
    batches: Callable[[], Iterator[Batch]]


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
        return _open_table(path, encoding)
    if suffix not in VECTOR:
        known = "、".join([*VECTOR, *sorted(TABLE), ".zip", *sorted(OSM)])
        raise unreadable(path, f"不支持的格式 {suffix}，可用 {known}", f"unknown kind {suffix}")
    if suffix == ".shp":
        contents.check_parts(path)
        encoding = encoding or contents.shapefile_encoding(path)
    address = contents.check_beginning(path, VECTOR[suffix])
    return _open_vector(address, path, VECTOR[suffix], encoding)


def _open_vector(address: str, path: Path, driver: str, encoding: str | None) -> Source:
    try:
        with _quiet():
            info = pyogrio.read_info(address, encoding=encoding)
    except (DataSourceError, DataLayerError, UnicodeDecodeError, LookupError) as error:
        raise _broken(path, error) from error
    if info["driver"] != driver:
        found = info["driver"]
        raise unreadable(
            path, f"扩展名与内容不符，内容是 {found}", f"the content is {found}, not {driver}"
        )
    transformer, notes = _projection(path, info)
    columns = [str(name) for name in info["fields"]]

    def batches() -> Iterator[Batch]:
        yield from _vector_batches(address, path, columns, encoding, transformer)

    return Source(
        path,
        driver,
        columns,
        encoding or info["encoding"],
        info["geometry_type"] is not None,
        notes,
        batches,
    )


def _vector_batches(
    address: str,
    path: Path,
    columns: list[str],
    encoding: str | None,
    transformer: Transformer | None,
) -> Iterator[Batch]:
    first = 1
    try:
        opened = pyogrio.raw.open_arrow(
            address, batch_size=BATCH, use_pyarrow=True, encoding=encoding
        )
        with _quiet(), opened as (meta, reader):
            shape_column = meta["geometry_name"] or "wkb_geometry"
            for found in reader:
                shapes = _shapes(found.column(shape_column))
                if transformer is not None:
                    shapes = shapely.transform(
                        shapes, lambda xy: np.column_stack(transformer.transform(*xy.T))
                    )
                values = {name: found.column(name) for name in columns}
                yield Batch(first, shapes, values)
                first += len(shapes)
    except (DataSourceError, DataLayerError, UnicodeDecodeError, OSError, RuntimeError) as error:
        raise _broken(path, error) from error


def _shapes(raw: Any) -> NDArray[np.object_]:
    """Shapes from WKB. Plain points, by far the most, are read as figures and not one by one."""
    count = len(raw)
    data, offsets = raw.buffers()[2], raw.buffers()[1]
    if count and data is not None and raw.null_count == 0 and raw.type == pa.binary():
        ends = np.frombuffer(offsets, dtype=np.int32)[raw.offset : raw.offset + count + 1]
        if (np.diff(ends) == POINT_BYTES).all():
            cells = np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]].reshape(count, -1)
            xy = cells[:, 5:].copy().view("<f8")
            if (cells[:, :5] == POINT_HEAD).all() and np.isfinite(xy).all():
                return np.asarray(shapely.points(xy), dtype=object)
    found = shapely.from_wkb(np.array(raw.to_pylist(), dtype=object), on_invalid="ignore")
    return np.asarray(found, dtype=object)


def _projection(path: Path, info: dict[str, Any]) -> tuple[Transformer | None, tuple[str, ...]]:
    """To longitude and latitude. CGCS2000 and WGS-84 are equal for us (domain.md §7.1)."""
    if not info["crs"]:
        west, south, east, north = info["total_bounds"] or (0, 0, 0, 0)
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


def _open_table(path: Path, encoding: str | None) -> Source:
    encoding = encoding or guess_encoding(path)
    try:
        with path.open(encoding=encoding, newline="") as file:
            sample = file.read(SAMPLE_BYTES)
    except (UnicodeError, LookupError) as error:
        raise unreadable(path, f"编码不是 {encoding}", f"it is not {encoding}") from error
    if "\x00" in sample or sample.lstrip().startswith(("PK\x03", "{", "SQLite")):
        raise unreadable(path, "不是文本表格", "it is not a text table")
    separator = _separator(sample)
    header = next(csv.reader(io.StringIO(sample), delimiter=separator), [])
    columns = [name.strip() for name in header]
    if len(columns) < 2:
        raise unreadable(path, "第一行不是表头，或分隔符无法识别", "no header line, or one column")
    return Source(
        path,
        "CSV",
        columns,
        encoding,
        False,
        (),
        lambda: _table_batches(path, encoding or "utf-8", separator, columns),
    )


def _table_batches(
    path: Path, encoding: str, separator: str, columns: list[str]
) -> Iterator[Batch]:
    """Rows keep the line they begin on: that is what a person sees in an editor."""
    csv.field_size_limit(LONGEST_FIELD)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        next(reader, None)
        lines, line = list[int](), reader.line_num
        rows: list[list[str]] = []
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise unreadable(path, f"第 {line} 行：{error}", f"line {line}: {error}") from error
            if row and any(cell.strip() for cell in row):
                rows.append(row + [""] * (len(columns) - len(row)))
                lines.append(line)
            if rows and (row is None or len(rows) == BATCH):
                values = {
                    name: text_columns.of(cells)
                    for name, cells in zip(columns, zip(*rows, strict=False), strict=False)
                }
                nowhere = np.full(len(rows), None, dtype=object)
                yield Batch(lines[0], nowhere, values, np.array(lines, dtype=np.int64))
                rows, lines = [], []
            if row is None:
                return


def guess_encoding(path: Path) -> str:
    """BOM first, then UTF-8, then GB18030, which reads GBK and GB 2312 too."""
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if head.startswith(mark):
            return name
    for name in ("utf-8", "gb18030"):
        try:
            head[: len(head) - 3 if len(head) == SAMPLE_BYTES else None].decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return "gb18030"


def _separator(sample: str) -> str:
    first = sample.splitlines()[0] if sample.strip() else ""
    return max((",", ";", "\t", "|"), key=first.count)


@contextmanager
def _quiet() -> Iterator[None]:
    """GDAL warns of every odd row; our own report tells of them, once, by line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _broken(path: Path, error: Exception) -> UnreadableFile:
    said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    said = said.replace(str(path), path.name)
    return unreadable(path, f"内容损坏或不完整（{said}）", f"broken or cut short ({said})")
