"""The darkroom's helper: opens a photo and writes clean ones. Run by itself, never imported by us.

It knows nothing of RoadChief. `main` waits for orders and forks for each; the child gives up all
it does not need before it looks at the file, and is killed by the kernel when it oversteps.
"""

import ctypes
import io
import json
import math
import os
import re
import resource
import signal
import struct
import sys
import warnings
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pillow_heif
from PIL import Image, ImageCms, ImageFile

FRAME = struct.Struct(">II")
NO_NEW_PRIVILEGES = 38  # prctl
QUALITY = {"full": 80, "screen": 78, "thumb": 72}
# What each EXIF orientation needs to stand upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION, TAKEN, ZONE, DETAILS, PLACE = 0x0112, 0x9003, 0x9011, 0x8769, 0x8825
CHINA_TIME = "+08:00"
SRGB = ImageCms.createProfile("sRGB")


class Refused(Exception):
    def __init__(self, reason: str, **facts: Any) -> None:
        self.reason, self.facts = reason, facts


def develop(order: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    image = open_header(order, data)
    exif = read_exif(image)
    side = order["sizes"]["full"]
    scale = min(1.0, side / max(image.size))
    if image.format in {"JPEG", "MPO"}:
        # The decoder leaves out what nobody will see: a quarter of the work for 12 megapixels.
        image.draft(None, (math.ceil(image.width * scale), math.ceil(image.height * scale)))
    picture = upright(to_srgb(fitted(image, side)), exif["orientation"])
    said = {"format": image.format, "taken_at": exif["taken_at"], "place": exif["place"]}
    return write(picture, order["sizes"], said)


def blur(order: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    image = open_header(order, data)
    picture = to_srgb(image)
    for box in order["boxes"]:
        hide(picture, box)
    return write(picture, order["sizes"], {"format": image.format})


def open_header(order: dict[str, Any], data: bytes) -> Any:
    """Only the header is read here: a picture too large is refused before it is unpacked."""
    Image.MAX_IMAGE_PIXELS = order["pixels"]
    image = Image.open(io.BytesIO(data), formats=[order["format"]])
    width, height = image.size
    if width * height > order["pixels"] or max(width, height) > order["side_px"]:
        raise Refused("too_many_pixels", width=width, height=height)
    # A JPEG with more frames is one photo with a second view or a depth map: the first is it.
    if image.format in {"PNG", "WEBP"} and getattr(image, "n_frames", 1) > 1:
        raise Refused("animated")
    return image


def fitted(image: Any, side: int) -> Any:
    """At most `side` long. Palettes cannot be averaged, so they become colours first."""
    if image.mode.startswith(("I;16", "I", "F")):
        image = image.convert("I").point(lambda level: level * (1 / 256)).convert("L")
    elif image.mode in {"1", "P", "PA"}:
        image = image.convert("RGBA")
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image


def to_srgb(image: Any) -> Any:
    """Flat RGB in sRGB; what was transparent is white. Nothing else of the file is carried on."""
    profile = image.info.get("icc_profile")
    if image.mode in {"RGBA", "LA", "PA", "P", "La", "RGBa"} or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    if profile and image.mode in {"RGB", "L", "CMYK"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a profile that nobody can read changes no colours
    clean = Image.new("RGB", image.size)
    clean.paste(image.convert("RGB"))
    return clean


def upright(image: Any, orientation: int) -> Any:
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def hide(picture: Any, box: dict[str, float]) -> None:
    """A few flat cells of few colours: too little is left to guess a face or a number from."""
    left, top = int(box["left"] * picture.width), int(box["top"] * picture.height)
    right = min(picture.width, math.ceil((box["left"] + box["width"]) * picture.width))
    bottom = min(picture.height, math.ceil((box["top"] + box["height"]) * picture.height))
    part = picture.crop((left, top, right, bottom))
    cell = max(12, min(part.size) // 2)
    cells = (max(1, round(part.width / cell)), max(1, round(part.height / cell)))
    few = part.resize(cells, Image.Resampling.BOX).point(lambda level: level // 32 * 32 + 16)
    picture.paste(few.resize(part.size, Image.Resampling.NEAREST), (left, top))


def write(
    picture: Any, sizes: dict[str, int], said: dict[str, Any]
) -> tuple[dict[str, Any], list[bytes]]:
    said |= {"width_px": picture.width, "height_px": picture.height}
    files = []
    for size, side in sizes.items():  # largest first: each is made from the one before
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=QUALITY[size], progressive=True, optimize=True)
        files.append(out.getvalue())
    said["likeness"] = likeness(picture)
    return said | {"lengths": [len(file) for file in files]}, files


def look(order: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Only what a photo of ours looks like, for those that were kept before that was asked."""
    return {"likeness": likeness(to_srgb(open_header(order, data)))}, []


def likeness(picture: Any) -> str:
    """64 bits: at 8 by 8 places, is it brighter to the right? (dHash)

    What scales, compresses or brightens a picture hardly changes them.
    """
    levels = picture.convert("L").resize((9, 8), Image.Resampling.LANCZOS).tobytes()
    bits = 0
    for place in range(72):
        if place % 9 < 8:
            bits = bits << 1 | (levels[place + 1] > levels[place])
    return f"{bits:016x}"


def read_exif(image: Any) -> dict[str, Any]:
    """Orientation, time and place as the camera claims them; nonsense counts as nothing."""
    found: dict[str, Any] = {"orientation": 1, "taken_at": None, "place": None}
    try:
        exif = image.getexif()
        # HEIF files are turned by their decoder already.
        if image.format != "HEIF":
            found["orientation"] = int(exif.get(ORIENTATION, 1) or 1)
        details = exif.get_ifd(DETAILS)
        found["taken_at"] = read_time(str(details.get(TAKEN, "")), str(details.get(ZONE, "")))
        found["place"] = read_place(exif.get_ifd(PLACE))
    except Exception:  # noqa: S110
        pass  # whatever cameras write there, the picture itself is not to blame
    return found


def read_time(text: str, zone: str) -> str | None:
    """`2026:11:24 09:30:00` with its zone, or as the clocks of China show it."""
    found = re.match(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)", text)
    if not found:
        return None
    try:
        day, hour = "-".join(found.groups()[:3]), ":".join(found.groups()[3:])
        known = zone if re.fullmatch(r"[+-]\d\d:\d\d", zone) else CHINA_TIME
        at = datetime.fromisoformat(f"{day}T{hour}{known}")
    except ValueError:
        return None
    return at.isoformat() if 1990 <= at.year <= 2100 else None


def read_place(gps: dict[int, Any]) -> list[float] | None:
    """Longitude and latitude in degrees."""
    degrees = []
    for key, negative, most in ((4, "W", 180), (2, "S", 90)):
        parts = [float(part) for part in gps[key]]
        value = parts[0] + parts[1] / 60 + parts[2] / 3600
        if not math.isfinite(value) or not 0 <= value <= most:
            return None
        degrees.append(-value if str(gps.get(key - 1, "")).strip("\0 ") == negative else value)
    return degrees if any(degrees) else None


ACTS: dict[str, Callable[..., tuple[dict[str, Any], list[bytes]]]] = {
    "develop": develop,
    "blur": blur,
    "look": look,
}


def answer(order: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        said, files = ACTS[order["act"]](order, data)
    except Refused as refused:
        return {"reason": refused.reason, "facts": refused.facts}, b""
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return {"reason": "too_many_pixels"}, b""
    except MemoryError:
        return {"reason": "too_much_work"}, b""
    except Exception:  # a decoder may raise anything over a broken file
        return {"reason": "broken"}, b""
    return said, b"".join(files)


def confine(order: dict[str, Any], *kept: int) -> None:
    """From here on: so much memory and time, no new file, socket or right.

    Threads stay possible: the HEIF decoder cannot do without them.
    """
    os.closerange(0, min(kept))
    os.closerange(max(kept) + 1, 256)
    ctypes.CDLL(None).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(order["wall_s"]))
    for what, most in (
        (resource.RLIMIT_AS, int(order["memory_bytes"])),
        (resource.RLIMIT_CPU, int(order["cpu_s"])),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(what, (most, most))


def in_a_child(order: dict[str, Any], data: bytes) -> tuple[bytes, bytes]:
    """The whole answer of a child, or how it died. Half an answer counts as none."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            confine(order, writing)
            said, body = answer(order, data)
            header = json.dumps(said).encode()
            send(writing, FRAME.pack(len(header), len(body)) + header + body)
        finally:
            os._exit(0)
    os.close(writing)
    whole = b"".join(iter(lambda: os.read(reading, 1 << 20), b""))
    os.close(reading)
    status = os.waitpid(child, 0)[1]
    if len(whole) >= FRAME.size:
        head, body_length = FRAME.unpack(whole[: FRAME.size])
        if len(whole) == FRAME.size + head + body_length:
            return whole[FRAME.size : FRAME.size + head], whole[FRAME.size + head :]
    over = os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGALRM}
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return json.dumps({"died": "overrun" if over or killed else "crash"}).encode(), b""


def send(number: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(number, left) :]


def warm_up() -> None:
    """Load what decoders would load later, when no file can be opened any more."""
    pillow_heif.register_heif_opener(thumbnails=False)
    pillow_heif.options.DECODE_THREADS = 1
    sizes = {"full": 8, "screen": 4, "thumb": 2}
    order = {"act": "develop", "pixels": 10_000, "side_px": 100, "sizes": sizes}
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    for kind in ("JPEG", "PNG", "WEBP"):
        out = io.BytesIO()
        Image.new("RGB", (16, 16)).save(out, kind, exif=exif)
        answer(order | {"format": kind}, out.getvalue())


def main() -> None:
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.init()
    warm_up()
    orders = sys.stdin.buffer
    while True:
        lengths = orders.read(FRAME.size)
        if len(lengths) < FRAME.size:
            return
        head, body_length = FRAME.unpack(lengths)
        order = json.loads(orders.read(head))
        header, body = in_a_child(order, orders.read(body_length))
        send(1, FRAME.pack(len(header), len(body)) + header + body)


if __name__ == "__main__":
    main()
