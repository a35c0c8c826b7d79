"""Whatever is sent comes out as clean photos or as a reason; nothing that it breaks is ours."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as some
from PIL import Image

from roadchief.lib import darkroom, photos
from roadchief.lib.photos import SIZES, Box, Limits, Unfit, develop
from tests import pictures

ZIP = b"PK\x05\x06" + b"\0" * 18


def reason(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(Unfit) as caught:
        develop(data, limits)
    return caught.value.reason


def full(data: bytes) -> Image.Image:
    return pictures.opened(develop(data).files["full"])


def test_a_photo_comes_in_three_sizes() -> None:
    made = develop(pictures.jpeg(4000, 3000))
    sizes = {size: pictures.opened(file).size for size, file in made.files.items()}
    assert sizes == {"full": (1600, 1200), "screen": (960, 720), "thumb": (320, 240)}
    assert (made.width_px, made.height_px, made.source_format) == (1600, 1200, "JPEG")
    for file in made.files.values():
        opened = pictures.opened(file)
        assert (opened.format, opened.mode) == ("JPEG", "RGB")
        assert opened.info.get("progressive") == 1


def test_a_small_photo_is_not_enlarged() -> None:
    made = develop(pictures.jpeg(200, 100))
    assert {pictures.opened(file).size for file in made.files.values()} == {(200, 100)}


def test_the_same_photo_is_developed_to_the_same_bytes() -> None:
    data = pictures.jpeg(1800, 900)
    assert develop(data).files == develop(data).files


def test_nothing_of_the_file_is_carried_on() -> None:
    exif = pictures.exif(taken="2026:11:02 12:00:00", gps=True)
    image = pictures.picture()
    data = pictures.encoded(
        image, "JPEG", exif=exif, icc_profile=pictures.swapped_profile(), comment=b"SECRET-COMMENT"
    )
    made = develop(data + b"<script>SECRET</script>" + ZIP)
    for file in made.files.values():
        for trace in (b"Exif", b"SECRET", b"ICC_PROFILE", b"http", b"<script", b"PK\x05\x06"):
            assert trace not in file
        assert pictures.opened(file).getexif() == {}
        assert file.endswith(b"\xff\xd9")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_photos_stand_upright(orientation: int, kind: str) -> None:
    upright = pictures.quarters()
    # How a camera held that way stores it: the way back of each turn.
    stored = {
        1: lambda one: one,
        2: lambda one: one.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda one: one.transpose(Image.Transpose.ROTATE_180),
        4: lambda one: one.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda one: one.transpose(Image.Transpose.TRANSPOSE),
        6: lambda one: one.transpose(Image.Transpose.ROTATE_90),
        7: lambda one: one.transpose(Image.Transpose.TRANSVERSE),
        8: lambda one: one.transpose(Image.Transpose.ROTATE_270),
    }[orientation](upright)
    exif = pictures.exif(orientation=orientation)
    seen = full(pictures.encoded(stored, kind, exif=exif))
    assert seen.size == (160, 80)
    assert pictures.corner_colours(seen) == ["tl", "tr", "bl", "br"]


def test_colours_are_carried_over_to_srgb() -> None:
    red = Image.new("RGB", (64, 64), (255, 0, 0))
    seen = full(pictures.encoded(red, "PNG", icc_profile=pictures.swapped_profile()))
    assert seen.getpixel((32, 32))[2] > 200 > 60 > seen.getpixel((32, 32))[0]
    plain = full(pictures.encoded(red, "PNG", icc_profile=b"not a profile"))
    assert plain.getpixel((32, 32))[0] > 240


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_every_kind_of_pixels_becomes_rgb(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    light = Image.new("RGB", (64, 64), (250, 250, 250)).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        light = Image.new("I;16", (64, 64), 250 * 256)
    seen = full(pictures.encoded(light, kind))
    assert min(seen.getpixel((32, 32))) > 240


def test_what_is_transparent_is_white() -> None:
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    for kind in ("PNG", "WEBP"):
        assert full(pictures.encoded(clear, kind)).getpixel((32, 32)) == (255, 255, 255)
    palette = Image.new("P", (64, 64), 0)
    data = pictures.encoded(palette, "PNG", transparency=0)
    assert full(data).getpixel((32, 32)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("taken", "zone", "wanted"),
    [
        ("2026:11:02 12:00:00", "", "2026-11-02T12:00:00+08:00"),
        ("2026:11:02 12:00:00", "+09:00", "2026-11-02T12:00:00+09:00"),
        ("2026:11:02 12:00:00", "rubbish", "2026-11-02T12:00:00+08:00"),
        ("0000:00:00 00:00:00", "", None),
        ("2026:02:30 12:00:00", "", None),
        ("1970:01:01 00:00:00", "", None),
        ("yesterday", "", None),
        ("", "", None),
    ],
)
def test_the_camera_says_when(taken: str, zone: str, wanted: str | None) -> None:
    made = develop(pictures.jpeg(64, 64, exif=pictures.exif(taken=taken, zone=zone)))
    assert made.taken_at == (datetime.fromisoformat(wanted) if wanted else None)


def test_the_camera_says_where() -> None:
    place = develop(pictures.jpeg(64, 64, exif=pictures.exif(gps=True))).taken_place
    assert place == pytest.approx((121.5187, 31.2291), abs=1e-4)
    assert develop(pictures.jpeg(64, 64)).taken_place is None


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "SVG"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "b">]><svg/>', "SVG"),
        (b"<html><body>", "HTML/XML"),
        (b"GIF89a\x01\x00\x01\x00", "GIF"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04" + b"\0" * 40, "ZIP"),
        (b"BM" + b"\0" * 60, "BMP"),
        (b"II*\x00" + b"\0" * 60, "TIFF"),
        (b"\x00\x00\x00\x20ftypavif", "AVIF"),
        (b"\x00\x00\x00\x20ftypisom", "video"),
        (b"\xff\xd8", "?"),
        (b"\x00", "?"),
        ("照片".encode(), "?"),
    ],
)
def test_what_is_no_photo_is_called_by_its_name(data: bytes, seen: str) -> None:
    with pytest.raises(Unfit) as caught:
        develop(data)
    assert (caught.value.reason, caught.value.facts["seen"]) == ("unknown_format", seen)


def test_a_photo_behind_something_else_is_that_something_else() -> None:
    for head in (b"%PDF-1.4\n", b"PK\x03\x04", b"GIF89a", b"<svg>", b"\n\n"):
        assert reason(head + pictures.jpeg(64, 64)) == "unknown_format"


def test_an_empty_file() -> None:
    assert reason(b"") == "empty"


def test_too_many_bytes() -> None:
    assert reason(pictures.jpeg(), Limits(bytes=1000)) == "too_heavy"


def test_too_many_pixels_are_refused_from_the_header() -> None:
    start = time.perf_counter()
    assert reason(pictures.pixel_flood()) == "too_many_pixels"
    assert reason(pictures.pixel_flood(12_500, 10)) == "too_many_pixels"
    assert time.perf_counter() - start < 20
    assert reason(pictures.jpeg(640, 480), Limits(jpeg_pixels=300_000)) == "too_many_pixels"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_are_refused(kind: str) -> None:
    assert reason(pictures.moving(kind)) == "animated"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_half_a_photo_is_broken(kind: str) -> None:
    data = pictures.encoded(pictures.picture(1200, 900), kind)
    assert reason(data[: len(data) // 2]) == "broken"
    assert reason(data[:20]) == "broken"


def test_a_flood_of_text_in_a_picture() -> None:
    assert reason(pictures.text_flood()) == "broken"


def test_a_photo_that_takes_too_long_is_ended() -> None:
    flood = pictures.scan_flood()
    start = time.perf_counter()
    assert reason(flood, Limits(cpu_s=1)) == "too_much_work"
    assert time.perf_counter() - start < 30
    assert reason(flood, Limits(wall_s=1)) == "too_much_work"
    assert develop(pictures.jpeg()).width_px == 640


def test_a_photo_that_takes_too_much_memory_is_ended() -> None:
    wide = pictures.encoded(pictures.picture(6000, 5000), "PNG", compress_level=1)
    assert reason(wide, Limits(memory_bytes=160 * 1024 * 1024, bytes=10**9)) == "too_much_work"
    assert develop(pictures.jpeg()).width_px == 640


def helpers() -> list[int]:
    """The helper processes of this process."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes().split(b"\0")
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if str(darkroom.HELPER).encode() in line and parent == os.getpid():
            found.append(int(path.name))
    return found


def test_a_helper_that_hangs_or_dies_is_replaced() -> None:
    develop(pictures.jpeg())
    order = {"act": "develop", "format": "JPEG"}
    for number in helpers():
        os.kill(number, signal.SIGSTOP)
    with pytest.raises(darkroom.Overrun):
        darkroom.work(order, pictures.jpeg(), within_s=0.3)
    for number in helpers():
        os.kill(number, signal.SIGKILL)
        os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)
    assert develop(pictures.jpeg()).width_px == 640


def test_helpers_know_none_of_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    develop(pictures.jpeg())
    for number in helpers():
        environment = Path(f"/proc/{number}/environ").read_bytes()
        assert b"ROADCHIEF" not in environment
        assert b"PATH=" not in environment


CONFINED = """
import os, socket, sys
sys.path.insert(0, sys.argv[1])
import developing
developing.confine({"wall_s": 5, "memory_bytes": 1 << 30, "cpu_s": 5}, 1)
for act in (lambda: open("/etc/passwd"), lambda: socket.socket(), lambda: os.pipe(),
            lambda: os.write(2, b"x"), lambda: bytearray(1 << 31)):
    try:
        act()
        os.write(1, b"did ")
    except (OSError, MemoryError) as error:
        os.write(1, type(error).__name__.encode() + b" ")
"""


def test_nothing_can_be_opened_where_photos_are() -> None:
    folder = str(darkroom.HELPER.parent)
    done = subprocess.run(
        [sys.executable, "-c", CONFINED, folder], capture_output=True, timeout=30, check=True
    )
    assert done.stdout.split() == [b"OSError"] * 4 + [b"MemoryError"]


def test_many_at_once_are_all_served() -> None:
    ends: list[int] = []

    def work(seed: int) -> None:
        ends.append(develop(pictures.jpeg(300, 200, seed=seed)).width_px)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == [300] * 12


SAMPLES = {kind: pictures.encoded(pictures.picture(80, 60), kind) for kind in ("JPEG", "PNG")}


@effort(max_examples=120, deadline=None)
@given(
    kind=some.sampled_from(sorted(SAMPLES)),
    cut=some.integers(0, 4000),
    wounds=some.lists(some.tuples(some.integers(0, 3000), some.integers(0, 255)), max_size=8),
)
def test_wounded_files_end_in_a_photo_or_a_reason(
    kind: str, cut: int, wounds: list[tuple[int, int]]
) -> None:
    data = bytearray(SAMPLES[kind])
    for place, value in wounds:
        data[place % len(data)] = value
    try:
        made = develop(bytes(data[: max(1, len(data) - cut)]))
    except Unfit as unfit:
        assert unfit.reason in {"broken", "unknown_format", "too_many_pixels", "animated"}
    else:
        assert set(made.files) == set(SIZES)


def text_picture() -> bytes:
    """Fine stripes: detail that must be gone where it is hidden."""
    image = Image.new("RGB", (800, 600), "white")
    for x in range(0, 800, 8):
        image.paste("black", (x, 0, x + 4, 600))
    return pictures.encoded(image, "JPEG", quality=95)


def test_what_is_hidden_is_gone_and_the_rest_stays() -> None:
    source = develop(text_picture()).files["full"]
    made = photos.blur(source, [Box(0.25, 0.25, 0.25, 0.25)])
    before, after = pictures.opened(source).convert("L"), pictures.opened(made.files["full"])
    hidden = after.convert("L").crop((210, 160, 390, 290))
    lightest, darkest = hidden.getextrema()[1], hidden.getextrema()[0]
    assert lightest - darkest < 40  # the stripes had 255
    assert before.crop((210, 160, 390, 290)).getextrema()[1] > 240
    kept = after.convert("L").crop((500, 400, 780, 580)).getextrema()
    assert kept[1] - kept[0] > 200
    small = pictures.opened(made.files["thumb"]).convert("L").crop((84, 64, 156, 116))
    assert small.getextrema()[1] - small.getextrema()[0] < 60


def test_a_face_leaves_a_handful_of_flat_cells() -> None:
    source = develop(pictures.jpeg(1600, 1200, seed=3)).files["full"]
    made = photos.blur(source, [Box(0.1, 0.1, 0.2, 0.2)])
    part = pictures.opened(made.files["full"]).crop((165, 125, 475, 355))
    shades = {tuple(level // 24 for level in colour) for _n, colour in part.getcolors(1 << 20)}
    assert len(shades) < 60  # of 72,000 pixels; what differs is the rim between cells


@pytest.mark.parametrize(
    "box",
    [Box(-0.1, 0, 0.5, 0.5), Box(0, 0, 0, 0.5), Box(1, 0, 0.5, 0.5), Box(0, 0, float("nan"), 1)],
)
def test_boxes_lie_in_the_picture(box: Box) -> None:
    with pytest.raises(ValueError, match="inside"):
        photos.blur(pictures.jpeg(), [box])


def test_a_box_over_the_edge_ends_there() -> None:
    made = photos.blur(pictures.jpeg(), [Box(0.9, 0.9, 1, 1), Box(0.999, 0.999, 0.001, 0.001)])
    assert (made.width_px, made.height_px) == (640, 480)


# What strangers' files come to: a size, or a reason.
STRANGERS: dict[str, tuple[int, int] | str] = {
    **{f"exif_orientation/Landscape_{n}.jpg": (1600, 1067) for n in range(9)},
    "heif/heif__RGBA_8__128x128.heif": (128, 128),
    "heif/heif__RGB_8__128x128.heif": (128, 128),
    "heif/heif_other__RGB_8_chroma444.heif": (29, 100),
    "heif/heif_other__empty_icc.heic": (1025, 900),
    "pillow/broken.png": "broken",
    "pillow/broken_exif_dpi.jpg": (100, 100),
    "pillow/crash-1185209cf7655b5aed8ae5e77784dfdd18ab59e9.tif": "unknown_format",
    "pillow/decompression_bomb.gif": "unknown_format",
    "pillow/dispose_bgnd.gif": "unknown_format",
    "pillow/exif-ifd-offset.jpg": (200, 200),
    "pillow/exif.png": (512, 512),
    "pillow/exif_text.png": (512, 512),
    "pillow/exif_typeerror.jpg": (800, 531),
    "pillow/frame_size.mpo": (56, 70),
    "pillow/frozenpond.mpo": (640, 480),
    "pillow/hopper-XYZ.png": (128, 128),
    "pillow/hopper.bmp": "unknown_format",
    "pillow/hopper.gif": "unknown_format",
    "pillow/hopper.jpg": (128, 128),
    "pillow/hopper.webp": (128, 128),
    "pillow/hopper_orientation_3.jpg": (128, 128),
    "pillow/hopper_orientation_5.webp": (128, 128),
    "pillow/hopper_orientation_7.jpg": (128, 128),
    "pillow/junk_jpeg_header.jpg": (1024, 768),
    "pillow/no_cursors.cur": "unknown_format",
    "pillow/pil_sample_rgb.jpg": (100, 100),
    "pillow/tiff_overflow_rows_per_strip.tif": "unknown_format",
    "pillow/truncated_exif_dpi.jpg": (480, 640),
    "pillow/truncated_jpeg.jpg": "broken",
}


def test_every_file_of_strangers_has_an_expectation(strangers: Callable[[str], Path]) -> None:
    folder = strangers("F_images")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == set(STRANGERS)


@pytest.mark.parametrize("name", sorted(STRANGERS))
def test_files_of_strangers(name: str, strangers: Callable[[str], Path]) -> None:
    data, wanted = strangers(f"F_images/{name}").read_bytes(), STRANGERS[name]
    if isinstance(wanted, str):
        assert reason(data) == wanted
    else:
        made = develop(data)
        assert (made.width_px, made.height_px) == wanted
        assert all(b"Exif" not in file for file in made.files.values())


def test_phones_held_every_way_show_the_same(strangers: Callable[[str], Path]) -> None:
    folder = strangers("F_images/exif_orientation")
    upright = full((folder / "Landscape_1.jpg").read_bytes()).resize((16, 11))
    for turn in range(2, 9):
        seen = full((folder / f"Landscape_{turn}.jpg").read_bytes()).resize((16, 11))
        apart = [abs(a - b) for a, b in zip(seen.tobytes(), upright.tobytes(), strict=True)]
        assert sum(apart) / len(apart) < 6, turn


def test_heic_is_read() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    out = io.BytesIO()
    try:
        pictures.quarters(320, 160).save(out, "HEIF", quality=90)
    except (OSError, RuntimeError) as error:
        pytest.skip(f"no HEIF encoder here: {error}")
    made = develop(out.getvalue())
    assert made.source_format == "HEIF"
    seen = pictures.opened(made.files["full"])
    assert (seen.size, pictures.corner_colours(seen)) == ((320, 160), ["tl", "tr", "bl", "br"])
    assert reason(out.getvalue()[: len(out.getvalue()) // 2]) == "broken"
