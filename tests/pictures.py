"""Pictures made on the spot: ordinary ones, and ones made to do harm."""

import io
import struct
import zlib
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

COLOURS = {"tl": (220, 30, 30), "tr": (30, 200, 30), "bl": (30, 30, 220), "br": (230, 220, 40)}


def picture(width: int = 640, height: int = 480, *, seed: int = 0) -> Any:
    """Soft random colours, as compressible as a photo."""
    dice = np.random.default_rng(seed)
    small = dice.integers(0, 255, (max(2, height // 40), max(2, width // 40), 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@cache
def jpeg(width: int = 640, height: int = 480, *, seed: int = 0, exif: bytes = b"") -> bytes:
    return encoded(picture(width, height, seed=seed), "JPEG", quality=85, exif=exif)


def encoded(image: Any, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Any:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def quarters(width: int = 160, height: int = 80) -> Any:
    """Four colours, one in each quarter: shows which way up a picture is."""
    image = Image.new("RGB", (width, height))
    for key, colour in COLOURS.items():
        left, top = (width // 2) * (key[1] == "r"), (height // 2) * (key[0] == "b")
        image.paste(colour, (left, top, left + width // 2, top + height // 2))
    return image


def corner_colours(image: Any) -> list[str]:
    """Which colour of `quarters` each quarter has: tl, tr, bl, br."""
    found = []
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
        seen = np.array(image.getpixel((int(x * image.width), int(y * image.height))), dtype=int)
        found.append(min(COLOURS, key=lambda one: int(np.abs(seen - COLOURS[one]).sum())))
    return found


def exif(*, orientation: int = 1, taken: str = "", zone: str = "", gps: bool = False) -> bytes:
    made = Image.Exif()
    made[0x0112] = orientation
    made[0x010E] = "SECRET-DESCRIPTION"
    if taken:
        made.get_ifd(0x8769)[0x9003] = taken
        if zone:
            made.get_ifd(0x8769)[0x9011] = zone
    if gps:
        made[0x8825] = {1: "N", 2: (31.0, 13.0, 44.76), 3: "E", 4: (121.0, 31.0, 7.32)}
    return made.tobytes()


def swapped_profile() -> bytes:
    """An RGB profile whose red is our blue: who ignores it shows the wrong colour."""
    raw = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", raw[128:132])[0]
    place = {bytes(raw[132 + 12 * n : 136 + 12 * n]): 136 + 12 * n for n in range(count)}
    red, blue = place[b"rXYZ"], place[b"bXYZ"]
    raw[red : red + 8], raw[blue : blue + 8] = raw[blue : blue + 8], raw[red : red + 8]
    return bytes(raw)


def pixel_flood(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of 900 megapixels in few bytes."""
    row = zlib.compress(b"\0" * (width * 3 + 1) * 4)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", row) + chunk(b"IEND", b"")


def text_flood() -> bytes:
    """A PNG whose comment unpacks to 200 MB."""
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "A" * 200_000_000, zip=True)
    return encoded(Image.new("RGB", (8, 8)), "PNG", pnginfo=info)


def scan_flood(repeats: int = 3000) -> bytes:
    """A progressive JPEG that says its last detail thousands of times, each over all pixels."""
    data = encoded(Image.new("L", (6000, 6000), 90), "JPEG", progressive=True, quality=90)
    last = data.rfind(b"\xff\xda")
    return data[:last] + data[last:-2] * repeats + b"\xff\xd9"


def moving(kind: str) -> bytes:
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "green", "blue")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
