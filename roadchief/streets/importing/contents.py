"""Is a file what its name says? Looked at before GDAL sees it.

GDAL chooses its reader by the content, and some readers follow what a file tells them: a list of
other files, addresses, or a pipeline to run. So only beginnings that we expect get that far.
"""

import zipfile
import zlib
from pathlib import Path

from roadchief.errors import Malformed

SAMPLE_BYTES = 256 * 1024
MOST_UNPACKED_BYTES = 2**31
PARTS = {".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix"}  # of a Shapefile, beside the .shp
SHAPEFILE = b"\x00\x00\x27\x0a"
SQLITE = b"SQLite format 3\x00"
# What a damaged or odd archive raises, at its list of files or only where one is unpacked.
BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError)


class UnreadableFile(Malformed):
    zh = "文件“{name}”无法读取：{reason_zh}"
    en = "the file {name} cannot be read: {reason_en}"


def check_beginning(path: Path, driver: str) -> str:
    """The address by which GDAL may open the file; raises UnreadableFile for another content."""
    with path.open("rb") as file:
        head = file.read(1024)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    fine = {
        "GeoJSON": text.startswith((b"{", b"[")),
        "GPKG": head.startswith(SQLITE),
        "ESRI Shapefile": head.startswith(SHAPEFILE),
    }[driver]
    if not fine:
        raise unreadable(
            path, f"扩展名与内容不符，内容不是 {driver}", f"its content is not {driver}"
        )
    # JSON has many readers; with its name before the path GDAL asks no other.
    return f"GeoJSON:{path.resolve()}" if driver == "GeoJSON" else str(path)


def check_parts(path: Path) -> None:
    """A Shapefile is several files; say which is missing."""
    names = {one.name.lower() for one in path.parent.iterdir()}
    for part in (".shx", ".dbf"):
        if path.with_suffix(part).name.lower() not in names:
            raise unreadable(
                path, f"缺少 {part} 文件，请与 .shp 一起提供", f"its {part} is missing"
            )


def shapefile_encoding(path: Path) -> str | None:
    """None: the .cpg says it. Else the table's language byte, or a look at its bytes."""
    table = path.with_suffix(".dbf")
    if path.with_suffix(".cpg").exists():
        return None
    with table.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    if len(head) > 29 and head[29] == 0x4D:
        return "GBK"
    body = head[32:]
    try:
        body[: len(body) - 3].decode("utf-8")
    except UnicodeDecodeError:
        return "GB18030"
    return "UTF-8"


def said_encoding(path: Path) -> str | None:
    """What a Shapefile's .cpg says, as it is written there."""
    beside = path.with_suffix(".cpg")
    if path.suffix.lower() != ".shp" or not beside.is_file():
        return None
    said = beside.read_bytes()[:40].decode("ascii", "ignore").strip()
    return said if said.isprintable() and said else None


def inside_zip(path: Path) -> str:
    """The address of the one Shapefile in an archive, by which GDAL may open it."""
    try:
        return _inside_zip(path)
    except BROKEN as error:
        raise unreadable(path, "压缩包已损坏", "the archive is broken") from error


def _inside_zip(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if any(member.flag_bits & 1 for member in members):
        raise unreadable(path, "压缩包有密码，请解压后再提供", "the archive has a password")
    if sum(member.file_size for member in members) > MOST_UNPACKED_BYTES:
        raise unreadable(path, "解压后超过 2 GB", "more than 2 GB unpacked")
    shapes = [member.filename for member in members if _is_shape(member.filename)]
    if len(shapes) != 1:
        raise unreadable(path, "压缩包里应有一个 .shp", "it must hold one .shp")
    with zipfile.ZipFile(path) as archive, archive.open(shapes[0]) as member:
        if member.read(4) != SHAPEFILE:
            raise unreadable(path, ".shp 内容不是 Shapefile", "its .shp is no Shapefile")
    return f"/vsizip/{path.resolve()}/{shapes[0]}"


def _is_shape(name: str) -> bool:
    """Macs put a shadow of each file into an archive: __MACOSX/._roads.shp."""
    return name.lower().endswith(".shp") and not name.rpartition("/")[2].startswith("._")


def unreadable(path: Path, zh: str, en: str) -> UnreadableFile:
    return UnreadableFile(name=path.name, reason_zh=zh, reason_en=en)
