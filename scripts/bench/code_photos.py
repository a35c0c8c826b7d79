"""Plates photographed badly, by machine: tilted, turned, small, blurred, noisy, covered.

The pictures are made from the plate as it is printed, not from a bare symbol.
"""

import io
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from roadchief.codes import pictures, reading, symbols
from roadchief.codes.artwork import PlateFace
from roadchief.codes.layouts import layout

FIELD = symbols.SIZE + 2 * symbols.QUIET
SHARP = 16  # pixels a module in the picture that is then spoilt
MOST_TILT = 35
BLOBS = (0.0, 0.03, 0.06, 0.10)
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def face(number: int, chance: random.Random) -> PlateFace:
    token = "".join(chance.choices(CROCKFORD, k=18))
    return PlateFace(
        text=f"HTTPS://LJ.EXAMPLE.CN/C/{token}",
        number=f"0428-{number:06d}",
        title="",
        road="崂山路",
        house_number=f"{500 + number % 400}号",
        human_number=f"WF-LSL-{number:05d}-1",
        block="诚信街区" if number % 3 else None,
        host="lj.example.cn",
        phone="021-5888 0000",
        office="潍坊新村街道",
    )


def plate_picture(text_of: PlateFace) -> Image.Image:
    dots = SHARP * FIELD / layout("plate").symbol.w * 25.4
    return Image.open(io.BytesIO(pictures.make_png(text_of, "plate", round(dots)))).convert("L")


def covered(plate: Image.Image, share: float, chance: random.Random) -> Image.Image:
    """One opaque spot over that share of the symbol, away from its three corners."""
    if not share:
        return plate
    spoilt = plate.copy()
    field = layout("plate").symbol
    module = field.w / FIELD * plate.width / layout("plate").width
    x0 = field.x * plate.width / layout("plate").width + symbols.QUIET * module
    y0 = field.y * plate.width / layout("plate").width + symbols.QUIET * module
    radius = math.sqrt(share * symbols.SIZE**2 / math.pi)
    corners = [(0, 0), (symbols.SIZE - 8, 0), (0, symbols.SIZE - 8)]
    while True:
        x, y = (chance.uniform(radius, symbols.SIZE - radius) for _ in range(2))
        near = (
            math.hypot(x - min(max(x, a), a + 8), y - min(max(y, b), b + 8)) for a, b in corners
        )
        if min(near) > radius:
            break
    box = [x0 + (x - radius) * module, y0 + (y - radius) * module]
    box += [x0 + (x + radius) * module, y0 + (y + radius) * module]
    ImageDraw.Draw(spoilt).ellipse(box, fill=chance.choice((0, 90, 160, 255)))
    return spoilt


def shot(
    plate: Image.Image,
    pixels: float,
    chance: random.Random,
    *,
    tilt: float | None = None,
    blur: float = 0.8,
    light: float = 0.25,
) -> np.ndarray:
    """The plate as a camera sees it, `pixels` a module where it is not tilted."""
    scale = pixels / SHARP
    small = plate.resize(
        (max(round(plate.width * scale * 2), 1), max(round(plate.height * scale * 2), 1)),
        Image.Resampling.BOX,
    )
    lean = math.radians(chance.uniform(0, MOST_TILT) if tilt is None else tilt)
    axis, turn = chance.uniform(0, 2 * math.pi), chance.uniform(0, 2 * math.pi)
    side = math.ceil(math.hypot(small.width, small.height) / 2 * 1.1)
    corners = [(0, 0), (small.width, 0), (small.width, small.height), (0, small.height)]
    seen = [_projected(x, y, small, lean, axis, turn, side) for x, y in corners]
    view = small.transform(
        (side, side),
        Image.Transform.PERSPECTIVE,
        _coefficients(seen, corners),
        Image.Resampling.BICUBIC,
        fillcolor=185,
    )
    if blur:
        view = view.filter(ImageFilter.GaussianBlur(blur))
    pixels_seen = np.asarray(view, np.float32)
    ramp = np.linspace(1 - light, 1, side, dtype=np.float32)
    noise = np.random.default_rng(chance.randrange(2**32)).normal(0, 6, pixels_seen.shape)
    spoilt = np.clip((pixels_seen * 0.8 + 30) * ramp + noise, 0, 255).astype(np.uint8)
    written = io.BytesIO()
    Image.fromarray(spoilt).save(written, "JPEG", quality=80)
    return np.asarray(Image.open(written))


def _projected(
    x: float, y: float, plate: Image.Image, lean: float, axis: float, turn: float, side: int
) -> tuple[float, float]:
    """A point of the plate (drawn at twice its size) on the sensor, from five widths away."""
    u, v = (x - plate.width / 2) / 2, (y - plate.height / 2) / 2
    along = u * math.cos(axis) + v * math.sin(axis)
    across = -u * math.sin(axis) + v * math.cos(axis)
    distance = 5 * plate.width / 2
    depth = distance / (distance + across * math.sin(lean))
    along, across = along * depth, across * math.cos(lean) * depth
    return (
        side / 2 + along * math.cos(turn) - across * math.sin(turn),
        side / 2 + along * math.sin(turn) + across * math.cos(turn),
    )


def _coefficients(
    seen: list[tuple[float, float]], corners: list[tuple[int, int]]
) -> tuple[float, ...]:
    rows, values = [], []
    for (x, y), (u, v) in zip(seen, corners, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
        values += [u, v]
    return tuple(np.linalg.solve(np.array(rows), np.array(values)).tolist())


def conditions() -> Iterator[tuple[str, Callable[[Image.Image, random.Random], np.ndarray]]]:
    """What is tried: a name and the way to spoil a plate's picture."""
    for pixels in (1.8, 2.2, 2.6, 3.0, 4.0):
        yield f"{pixels} px a module", lambda plate, chance, p=pixels: shot(plate, p, chance)
    for width in (120, 200):
        for share in BLOBS:
            yield (
                f"field {width} px wide, {share:.0%} covered",
                lambda plate, chance, w=width, s=share: shot(
                    covered(plate, s, chance), w / FIELD, chance
                ),
            )
    for tilt in (20, 35, 50, 60):
        yield (
            f"4 px a module, tilted {tilt}°",
            lambda plate, chance, t=tilt: shot(plate, 4, chance, tilt=t),
        )
    for blur in (1.2, 1.6, 2.0):
        yield (
            f"4 px a module, blurred {blur} px",
            lambda plate, chance, b=blur: shot(plate, 4, chance, blur=b),
        )
    yield (
        "4 px a module, light falling to 30 %",
        lambda plate, chance: shot(plate, 4, chance, light=0.7),
    )


def distortions(shots: int, progress: Callable[[str], None]) -> list[dict[str, object]]:
    chance = random.Random(28)
    rows: list[dict[str, object]] = []
    for what, spoil in conditions():
        progress(what)
        failed = false = 0
        for number in range(shots):
            plate = face(number, chance)
            said = [
                one.text
                for one in reading.read_image(spoil(plate_picture(plate), chance))
                if one.valid
            ]
            failed += plate.text not in said
            false += any(text != plate.text for text in said)
        note = f"read {(shots - failed) / shots:.2f}"
        rows.append({"what": what, "tried": shots, "failed": failed, "note": note, "false": false})
    return rows


def strangers_photos(folder: Path, progress: Callable[[str], None]) -> list[dict[str, object]]:
    """Photographs taken by others, condition by condition."""
    rows: list[dict[str, object]] = []
    sets = [*sorted((folder / "zxing").iterdir()), *sorted((folder / "boofcv").iterdir())]
    for one in [*sets, folder / "no_code_present"]:
        progress(one.name)
        tried = failed = false = 0
        for photo in sorted(one.iterdir()):
            if photo.suffix not in (".png", ".jpg", ".webp"):
                continue
            said = [found.text for found in reading.read_image(_grey(photo)) if found.valid]
            beside = photo.with_suffix(".txt")
            if one.parent.name == "zxing":
                wanted = beside.read_text(encoding="utf-8", errors="replace").split()
                tried, failed = tried + 1, failed + (wanted not in [text.split() for text in said])
            elif beside.exists():
                lines = [one for one in beside.read_text().splitlines() if one[:1].isdigit()]
                there = sum(len(one.split()) for one in lines) // 8  # four corners, two numbers
                tried += there
                failed += max(there - len(said), 0)
            else:
                tried, failed = tried + 1, failed + bool(said)
                false += len(said)
        name = f"{one.parent.name} {one.name}" if one.parent != folder else "no code present"
        share = f"{(tried - failed) / max(tried, 1):.2f}"
        rows.append({"what": name, "tried": tried, "failed": failed, "note": share, "false": false})
    return rows


def _grey(photo: Path) -> np.ndarray:
    picture = Image.open(photo).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(white, picture).convert("L"))
