"""Symbols and print sheets against the usual way in the same run; what badly taken photos read as.

usage: .venv/bin/python scripts/bench/codes.py [--full] [--json]
       .venv/bin/python scripts/bench/codes.py --distortions [--full] [--json]
"""

import argparse
import io
import json
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import qrcode
from qrcode import constants, util
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import code_photos

from roadchief.codes import fonts, lettering, printing, proofing, symbols
from roadchief.codes.artwork import PlateFace
from roadchief.codes.imposing import impose
from roadchief.codes.layouts import layout, sheet

MM = 72 / 25.4
STRANGERS = Path(__file__).resolve().parents[3] / "shared" / "data" / "E_qr"
TOLD = Console(stderr=True)


def faces(count: int) -> Iterator[PlateFace]:
    chance = random.Random(7)
    for number in range(count):
        yield code_photos.face(number, chance)


def rate(count: int, act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return count / (time.perf_counter() - began)


def figure(
    work: str, ours: float, unit: str, baseline: float, name: str, goal: float
) -> dict[str, object]:
    more = unit.endswith("/s")
    ratio = ours / baseline if more else baseline / ours
    return {
        "work": work,
        "ours": round(ours, 1),
        "unit": unit,
        "baseline": round(baseline, 1),
        "baseline_name": name,
        "ratio": round(ratio, 1),
        "goal": goal,
    }


# ---- symbols -------------------------------------------------------------------------------------


def usual_symbols(texts: list[str]) -> None:
    for text in texts:
        qrcode.make(text).save(io.BytesIO())


def our_pictures(texts: list[str]) -> None:
    """As qrcode.make to PNG: ten pixels a module, quiet zone, one bit a pixel."""
    side = 10 * (symbols.SIZE + 2 * symbols.QUIET)
    same = bytes([2]) + bytes((side + 7) // 8)  # a row like the one above it
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    for symbol in symbols.many(texts):
        light = np.pad(~symbol, symbols.QUIET, constant_values=True)
        rows = np.packbits(np.repeat(light, 10, axis=1), axis=1)
        body = b"".join(b"\0" + row.tobytes() + same * 9 for row in rows)
        png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(body, 6))
        io.BytesIO().write(png + chunk(b"IEND", b""))


def chunk(kind: bytes, body: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + check


def packages_own(text: str) -> np.ndarray:
    symbol = qrcode.QRCode(symbols.VERSION, constants.ERROR_CORRECT_H)
    symbol.add_data(util.QRData(text, mode=util.MODE_ALPHA_NUM))
    symbol.make(fit=False)
    return np.array(symbol.modules, bool)


def bench_symbols(full: bool) -> list[dict[str, object]]:
    texts = [face.text for face in faces(20_000 if full else 5_000)]
    symbols.many(texts[:1])
    usual = rate(200, lambda: usual_symbols(texts[:200]))
    our_pictures(texts[:1])
    made = rate(len(texts), lambda: symbols.many(texts))
    drawn = rate(1000, lambda: our_pictures(texts[:1000]))
    proved = 1000
    ours = symbols.many(texts[:proved])
    equal = sum(
        bool((one == packages_own(text)).all())
        for one, text in zip(ours, texts[:proved], strict=True)
    )
    if equal != proved:
        raise SystemExit(f"only {equal} of {proved} symbols equal the package's own")
    name = "qrcode.make to PNG"
    return [
        figure(f"symbols ({equal} of {proved} proved equal)", made, "symbols/s", usual, name, 8),
        figure("symbols to PNG", drawn, "symbols/s", usual, name, 8),
    ]


# ---- sheets --------------------------------------------------------------------------------------


def usual_sheets(some: list[PlateFace], out: Path) -> None:
    """What one would write first: a picture of each symbol, words by drawString."""
    laid = impose(layout("plate"), sheet("a3"))
    for weight in fonts.SOURCES:
        pdfmetrics.registerFont(lettering.everyday_face(weight))
    canvas = Canvas(str(out), pagesize=(laid.width * MM, laid.height * MM))
    for number, face in enumerate(some):
        place = number % len(laid.slots)
        if number and not place:
            canvas.showPage()
        x, y = laid.slots[place]
        left, top = x * MM, (laid.height - y) * MM
        png = io.BytesIO()
        qrcode.make(face.text, error_correction=constants.ERROR_CORRECT_H).save(png)
        picture = ImageReader(png)
        canvas.drawImage(picture, left + 20 * MM, top - 81 * MM, 60 * MM, 60 * MM)
        words = (face.office, face.block or "", f"{face.road} {face.house_number}", face.number)
        more = (face.human_number, face.host, face.phone, "本码不收款、不索要密码")
        for line, text in enumerate((*words, *more)):
            canvas.setFont("RoadChief-bold" if line < 4 else "RoadChief-regular", 10)
            canvas.drawString(left + 20 * MM, top - (84 + 6 * line) * MM, text)
    canvas.save()


def bench_sheets(full: bool, folder: Path) -> list[dict[str, object]]:
    count = 12_000 if full else 6_000
    some = list(faces(count))
    cores = len(os.sched_getaffinity(0))
    usual_out, out = folder / "usual.pdf", folder / "ours.pdf"
    before = rate(180, lambda: usual_sheets(some[:180], usual_out))
    usual_bytes = usual_out.stat().st_size / 180
    name = "reportlab + qrcode PNG"
    with Progress(console=TOLD, transient=True) as progress:
        bar = progress.add_task("printing", total=count)
        told = rate(
            count,
            lambda: printing.make_pdf(
                some, "plate", "a3", out, lambda done: progress.update(bar, completed=done)
            ),
        )
    after = rate(180, lambda: usual_sheets(some[:180], usual_out))
    usual = 2 / (1 / before + 1 / after)  # the machine may be busy with other things for a while
    ours_bytes = out.stat().st_size / count
    single = folder / "single.pdf"
    printing.make_pdf(some[:720], "plate", None, single, None, 1)
    reader, proofing.read_back = proofing.read_back, lambda *_: None  # type: ignore[assignment]
    try:
        drawn = rate(count, lambda: printing.make_pdf(some, "plate", "a3", out, None, 1))
    finally:
        proofing.read_back = reader
    read = f"sheets drawn, all read back, {cores} processes"
    single_bytes = single.stat().st_size / 720
    return [
        figure(read, told, "plates/s", usual, name, 4),
        figure("sheets drawn, not read back, one process", drawn, "plates/s", usual, name, 4),
        figure("a plate on a sheet", ours_bytes, "bytes", usual_bytes, name, 1),
        figure("one plate a page", single_bytes, "bytes", usual_bytes, name, 1),
    ]


# ---- memory --------------------------------------------------------------------------------------


def print_many(count: int, out: Path) -> None:
    """Run in a process of its own, so that its peak is its own."""
    began = time.perf_counter()
    report = printing.make_pdf(faces(count), "plate", "a3", out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = time.perf_counter() - began
    print(json.dumps({"mb": peak, "s": spent, "bytes": report.bytes}))


def session_peak(leader: int) -> float:
    """The largest peak of any process of that session other than its leader, in MB."""
    peak = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            session = int(stat.read_text().rpartition(")")[2].split()[3])
            if session == leader and stat.parent.name != str(leader):
                lines = (stat.parent / "status").read_text().splitlines()
                said = next((line for line in lines if line.startswith("VmHWM:")), "VmHWM: 0 kB")
                peak = max(peak, int(said.split()[1]) / 1024)
        except (OSError, ValueError):
            continue
    return peak


def bench_memory(full: bool, folder: Path) -> list[dict[str, object]]:
    peaks: dict[int, dict[str, float]] = {}
    few, many = (10_000, 100_000) if full else (1_200, 6_000)
    for count in (few, many):
        TOLD.print(f"memory at {count} plates")
        words = [sys.executable, __file__, "--print-many", str(count), str(folder / "many.pdf")]
        workers = 0.0
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as it:
            while it.poll() is None:
                workers = max(workers, session_peak(it.pid))
                time.sleep(0.25)
            assert it.stdout
            peaks[count] = {**json.loads(it.stdout.read()), "worker_mb": workers}
    ours, less = peaks[many], peaks[few]
    name = f"ourselves at {few:,} plates"
    paced = f"{many:,} plates ({many / ours['s']:.0f}/s)"
    peak = figure(f"peak memory at {paced}", ours["mb"], "MB", less["mb"], name, 0.8)
    hands = (ours["worker_mb"], less["worker_mb"])
    return [peak, figure(f"a process's peak at {many:,}", hands[0], "MB", hands[1], name, 0.8)]


# ---- telling -------------------------------------------------------------------------------------


def show(rows: list[dict[str, object]], columns: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        for row in rows:
            print(json.dumps({name: row[name] for name in columns}, ensure_ascii=False))
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(str(row[name]) for name in columns))
    Console().print(table)


def prove_distortions(full: bool, as_json: bool) -> None:
    """Fails when something is misread, or a good photograph is not read."""
    rows = code_photos.distortions(40 if full else 12, TOLD.print)
    if STRANGERS.is_dir():
        rows += code_photos.strangers_photos(STRANGERS, TOLD.print)
    show(rows, ("what", "tried", "failed", "note"), as_json)
    good = next(row for row in rows if row["what"] == "4.0 px a module")
    if any(row["false"] for row in rows) or good["failed"]:
        raise SystemExit(1)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--full", action="store_true")
    words.add_argument("--json", action="store_true")
    words.add_argument("--distortions", action="store_true")
    words.add_argument("--print-many", nargs=2, help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.print_many:
        print_many(int(asked.print_many[0]), Path(asked.print_many[1]))
        return
    if asked.distortions:
        prove_distortions(asked.full, asked.json)
        return
    with tempfile.TemporaryDirectory() as name:
        rows = bench_symbols(asked.full)
        rows += bench_sheets(asked.full, Path(name))
        rows += bench_memory(asked.full, Path(name))
    columns = ("work", "ours", "unit", "baseline", "baseline_name", "ratio", "goal")
    show(rows, columns if asked.json else tuple(one for one in columns if one != "baseline_name"),
         asked.json)  # fmt: skip


if __name__ == "__main__":
    main()
