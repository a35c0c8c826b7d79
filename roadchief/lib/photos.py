"""Photos that strangers send: looked at from outside here, opened only in the darkroom.

This process reads the first bytes and nothing more. Opening a file is the work of a separate,
limited process (darkroom.py), which gives back three clean JPEGs or the reason why not.
"""

import hashlib
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from roadchief.lib import darkroom

SIZES = {"full": 1600, "screen": 960, "thumb": 320}  # longest side in pixels
MEGABYTE = 1024 * 1024
LIKENESS = re.compile(r"[0-9a-f]{16}")
JPEG_START = b"\xff\xd8\xff"
# What we take: where a file says what it is, by its own first bytes.
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx"}
# What we do not take, but can call by its name.
STRANGERS = (
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"\x00\x00\x02\x00", "CUR"),
    (b"8BPS", "PSD"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x1aE\xdf\xa3", "video"),
    (b"%!PS", "PostScript"),
)


class Unfit(Exception):
    """A file that is no photo for us. `reason` is a key, `facts` belong to it.

    Reasons: `empty`, `too_heavy`, `unknown_format`, `too_many_pixels`, `animated`, `broken`,
    `too_much_work`.
    """

    def __init__(self, reason: str, **facts: Any) -> None:
        self.reason = reason
        self.facts = facts
        super().__init__(reason)


@dataclass(frozen=True)
class Limits:
    """What one photo may cost. JPEG may be larger: it is opened at a fraction of its size."""

    bytes: int = 12 * MEGABYTE
    pixels: int = 40_000_000
    jpeg_pixels: int = 64_000_000
    side_px: int = 12_000
    memory_bytes: int = 1024 * MEGABYTE
    cpu_s: int = 10
    wall_s: int = 20


@dataclass(frozen=True)
class Box:
    """A part of a picture, in fractions of its width and height."""

    left: float
    top: float
    width: float
    height: float

    @property
    def sound(self) -> bool:
        """Inside the picture and not empty; NaN fails every comparison."""
        return (
            0 <= self.left < 1
            and 0 <= self.top < 1
            and 0 < self.width <= 1
            and 0 < self.height <= 1
        )


@dataclass(frozen=True)
class Developed:
    """A photo made safe: upright sRGB JPEGs without metadata, and what the camera claimed."""

    source_bytes: int
    source_format: str
    source_sha256: str
    width_px: int
    height_px: int
    taken_at: datetime | None  # in the camera's zone, or China's where it knew none
    taken_place: tuple[float, float] | None  # lon, lat
    files: dict[str, bytes]  # by size
    likeness: int  # 64 bits of what it looks like


def recognise(data: bytes) -> str:
    """JPEG, PNG, WEBP or HEIF by the first bytes; raises Unfit with the name of what it is."""
    if not data:
        raise Unfit("empty")
    if data.startswith(JPEG_START):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS:
        return "HEIF"
    raise Unfit("unknown_format", seen=_name(data))


def develop(data: bytes, limits: Limits | None = None) -> Developed:
    """The photo in our three sizes. Raises Unfit, or darkroom.Busy when all hands are full."""
    limits = limits or Limits()
    if len(data) > limits.bytes:
        raise Unfit("too_heavy", limit_mb=limits.bytes // MEGABYTE)
    kind = recognise(data)
    pixels = limits.jpeg_pixels if kind == "JPEG" else limits.pixels
    order = {"act": "develop", "format": kind, "pixels": pixels, "side_px": limits.side_px}
    return _ask(order, data, limits)


def blur(data: bytes, boxes: list[Box], limits: Limits | None = None) -> Developed:
    """A photo of ours with these parts made unrecognisable for good. Raises Unfit."""
    limits = limits or Limits()
    if not boxes or not all(box.sound for box in boxes):
        raise ValueError("boxes lie inside the picture and are not empty")
    order = {
        "act": "blur",
        "format": recognise(data),
        "pixels": limits.pixels,
        "side_px": limits.side_px,
        "boxes": [asdict(box) for box in boxes],
    }
    return _ask(order, data, limits)


def look(data: bytes, limits: Limits | None = None) -> int:
    """The likeness of a photo that we have already, alone. Raises Unfit."""
    limits = limits or Limits()
    order = {
        "act": "look",
        "format": recognise(data),
        "pixels": limits.pixels,
        "side_px": limits.side_px,
    }
    return _bits(_have_done(order, data, limits)[0])


def _ask(order: dict[str, Any], data: bytes, limits: Limits) -> Developed:
    said, body = _have_done(order, data, limits)
    return _read(said, body, data)


def _have_done(order: dict[str, Any], data: bytes, limits: Limits) -> tuple[dict[str, Any], bytes]:
    order |= {
        "sizes": SIZES,
        "memory_bytes": limits.memory_bytes,
        "cpu_s": limits.cpu_s,
        "wall_s": limits.wall_s,
    }
    try:
        said, body = darkroom.work(order, data, within_s=limits.wall_s + 5)
    except darkroom.Overrun as overrun:
        raise Unfit("too_much_work") from overrun
    except darkroom.Crash as crash:
        raise Unfit("broken") from crash
    if "reason" in said:
        raise Unfit(str(said["reason"]), **said.get("facts", {}))
    return said, body


def _bits(said: dict[str, Any]) -> int:
    found = str(said["likeness"])
    if not LIKENESS.fullmatch(found):
        raise Unfit("broken")
    return int(found, 16)


def _read(said: dict[str, Any], body: bytes, data: bytes) -> Developed:
    """What came out of the darkroom is checked too: the decoder may have been taken over."""
    files, start = {}, 0
    for size, length in zip(SIZES, said["lengths"], strict=True):
        files[size] = body[start : start + int(length)]
        start += int(length)
        if not files[size].startswith(JPEG_START):
            raise Unfit("broken")
    width, height = int(said["width_px"]), int(said["height_px"])
    if start != len(body) or not (0 < width <= SIZES["full"] and 0 < height <= SIZES["full"]):
        raise Unfit("broken")
    taken_at, place = said.get("taken_at"), said.get("place")
    return Developed(
        source_bytes=len(data),
        source_format=str(said["format"]),
        source_sha256=hashlib.sha256(data).hexdigest(),
        width_px=width,
        height_px=height,
        taken_at=datetime.fromisoformat(taken_at) if taken_at else None,
        taken_place=(float(place[0]), float(place[1])) if place else None,
        files=files,
        likeness=_bits(said),
    )


def _name(data: bytes) -> str:
    for start, name in STRANGERS:
        if data.startswith(start):
            return name
    if data[4:8] == b"ftyp":
        return "AVIF" if data[8:12] in {b"avif", b"avis"} else "video"
    head = data[:512].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").lower()
    if head.startswith(b"<"):
        return "SVG" if b"<svg" in head else "HTML/XML"
    return "?"
