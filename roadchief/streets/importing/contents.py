"""Is a file what its name says? Looked at before GDAL sees it.

GDAL chooses its reader by the content, and some readers follow what a file tells them: a list of
other files, addresses, or a pipeline to run. So only beginnings that we expect get that far.
"""

import mmap
import struct
import zipfile
import zlib
from pathlib import Path

from roadchief.errors import Malformed

SAMPLE_BYTES = 256 * 1024
MOST_UNPACKED_BYTES = 2**31
PARTS = {".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix"}  # of a Shapefile, beside the .shp
SHAPEFILE = b"\x00\x00\x27\x0a"
SQLITE = b"SQLite format 3\x00"
CONTAINER = bytes.fromhex("D0CF11E0A1B11AE1")  # of old Office files, and of those with a password
MOST_LIST_BYTES = 2**24
LONGEST_END = 2**16 + 22 + 76
# What a damaged or odd archive raises, at its list of files or only where one is unpacked.
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError),
    UnicodeDecodeError,
)


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


def check_workbook(path: Path) -> None:
    """An .xlsx is a zip; with a password, or under an old name, it is a container of Windows."""
    with path.open("rb") as file:
        head = file.read(len(CONTAINER))
        if head.startswith(b"PK"):
            return
        if head == CONTAINER:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                locked = whole.find("EncryptedPackage".encode("utf-16-le")) >= 0
            if locked:
                raise unreadable(
                    path,
                    "工作簿有密码，请去掉密码后重新保存",
                    "the workbook has a password: save it without",
                )
            raise unreadable(
                path,
                "内容是旧的 .xls 格式，只改扩展名不够，请“另存为”.xlsx 或 CSV",
                "it is an old .xls under another name: save it as .xlsx or CSV",
            )
    raise no_workbook(path)


def no_workbook(path: Path) -> UnreadableFile:
    return unreadable(
        path,
        "扩展名与内容不符，内容不是 .xlsx 工作簿，请“另存为”.xlsx 或 CSV",
        "its content is no .xlsx workbook: save it as .xlsx or CSV",
    )


def has_macros(path: Path) -> UnreadableFile:
    return unreadable(
        path,
        "工作簿带有宏，请“另存为”不带宏的 .xlsx 或 CSV",
        "the workbook has macros: save it as .xlsx without them, or as CSV",
    )


def members_of(path: Path) -> list[zipfile.ZipInfo]:
    """What an archive holds, within bounds. Raises one of BROKEN, or UnreadableFile."""
    if _list_size(path) > MOST_LIST_BYTES:
        raise unreadable(path, "压缩包里的文件太多", "the archive holds too many files")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if any(member.flag_bits & 1 for member in members):
        raise unreadable(path, "压缩包有密码，请解压后再提供", "the archive has a password")
    if sum(member.file_size for member in members) > MOST_UNPACKED_BYTES:
        raise unreadable(path, "解压后超过 2 GB", "more than 2 GB unpacked")
    return members


def _list_size(path: Path) -> int:
    """Bytes of an archive's list of files, as its end says, or the longer end of large archives."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_END))
        end = file.read()
    found, at = 0, end.rfind(b"PK\5\6")
    while at >= 0:
        if len(end) >= at + 16:
            found = max(found, *struct.unpack_from("<I", end, at + 12))
        if at >= 76 and end.startswith(b"PK\6\6", at - 76):
            found = max(found, *struct.unpack_from("<Q", end, at - 36))
        at = end.rfind(b"PK\5\6", 0, at)
    return found


def inside_zip(path: Path) -> str:
    """The address of the one Shapefile in an archive, by which GDAL may open it."""
    try:
        return _inside_zip(path)
    except BROKEN as error:
        raise unreadable(path, "压缩包已损坏", "the archive is broken") from error


def _inside_zip(path: Path) -> str:
    shapes = [one.filename for one in members_of(path) if _is_shape(one.filename)]
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
