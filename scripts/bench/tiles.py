"""Tiles of storefronts against TiPg, which serves the same table in the same run.

usage: .venv/bin/python scripts/bench/tiles.py [--full] [--json]

Default 100,000 storefronts, with --full 1,000,000. TiPg gets a virtual environment of its own in
the system's temporary folder; where it cannot be had, our figures stand alone and say so. Both
answer over HTTP without compression; TiPg may give every feature of a tile, as ours counts all.
Uncached: each square is asked for once. Cached: one square, asked for again and again.
"""

import argparse
import http.client
import json
import math
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from roadchief import config
from roadchief.config import ROOT, Settings
from roadchief.db import Database
from roadchief.demo import district
from roadchief.lib import clock

CODE = 990000004
SCRATCH = Path(tempfile.gettempdir()) / "roadchief-bench-tipg"
GOALS = {12: (10.0, 20.0), 14: (2.0, 3.0), 16: (1.0, 1.0)}  # times faster, times smaller
CACHED_MS, CACHED_RATE = 5.0, 1000.0
SQUARES, WARM = 6, 48
LOAD_S, CLIENTS = 5.0, 8
Square = tuple[int, int, int]


def squares(zoom: int, count: int) -> list[Square]:
    """Squares from the middle of the district outwards, those that are full of shops first."""
    streets = max(2, round((count / district.DOORS_A_SEGMENT / 2) ** 0.5) + 1)
    half = (streets - 1) * district.STEP_DEG / 2
    lon, lat = district.WEST + half, district.SOUTH + half
    n = 2**zoom
    mid_x = (lon + 180) / 360 * n
    mid_y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n
    near = [(int(mid_x) + dx, int(mid_y) + dy) for dx in (-2, -1, 0, 1, 2) for dy in (-2, -1, 0, 1)]
    near.sort(key=lambda at: (at[0] + 0.5 - mid_x) ** 2 + (at[1] + 0.5 - mid_y) ** 2)
    return [(zoom, x, y) for x, y in near[: SQUARES if zoom < 16 else len(near)]]


def tidy(owner_url: str) -> None:
    """As autovacuum does within minutes of a load: until then each door is asked whether it is
    visible, and z12 takes up to three times as long."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) storefront")


def ask(port: int, path: str) -> tuple[float, int]:
    """Milliseconds and bytes of one answer on a fresh connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    began = time.perf_counter()
    connection.request("GET", path, headers={"Accept-Encoding": "identity"})
    answer = connection.getresponse()
    body = answer.read()
    spent = (time.perf_counter() - began) * 1000
    connection.close()
    if answer.status not in (200, 204):
        raise SystemExit(f"{path} answered {answer.status}: {body[:200]!r}")
    return spent, len(body)


def median(port: int, paths: list[str]) -> tuple[float, float]:
    found = [ask(port, path) for path in paths]
    return statistics.median(row[0] for row in found), statistics.median(row[1] for row in found)


def turn_by_turn(
    here: int, there: int | None, wanted: list[Square]
) -> tuple[float, float, float, float]:
    """Medians of time and size, ours and theirs: asked in turn, so that what else the machine
    does weighs on both alike."""
    mine, others = [], [(0.0, 0)]
    for one in wanted:
        mine.append(ask(here, our_path(one)))
        if there:
            others.append(ask(there, their_path(one)))
    others = others[1:] or others
    return (
        statistics.median(row[0] for row in mine),
        statistics.median(row[1] for row in mine),
        statistics.median(row[0] for row in others),
        statistics.median(row[1] for row in others),
    )


def rate(port: int, path: str) -> float:
    """Answers a second to several clients that keep their connections."""
    with multiprocessing.Pool(CLIENTS) as pool:
        return sum(pool.starmap(_hammer, [(port, path)] * CLIENTS))


def _hammer(port: int, path: str) -> float:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n".encode()
    count, began = 0, time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as line:
        while time.perf_counter() - began < LOAD_S:
            line.sendall(request)
            answer = line.recv(65536)
            head, _, body = answer.partition(b"\r\n\r\n")
            if b" 200 " not in head[:16]:
                raise SystemExit(f"under load: {head[:80]!r}")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            while len(body) < length:
                body += line.recv(65536)
            count += 1
    return count / (time.perf_counter() - began)


@contextmanager
def ours(settings: Settings) -> Iterator[int]:
    port = free_port()
    environ = os.environ | {
        "ROADCHIEF_DATABASE_URL": settings.database_url,
        "ROADCHIEF_OWNER_DATABASE_URL": settings.owner_database_url,
        "ROADCHIEF_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "ROADCHIEF_LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "roadchief", "serve", "--port", str(port), "--workers", "2"]
    if not (ROOT / "roadchief" / "__main__.py").exists():
        command[:3] = [str(Path(sys.executable).parent / "roadchief")]
    with running(command, environ, port):
        yield port


@contextmanager
def tipg(settings: Settings) -> Iterator[int | None]:
    """TiPg as one gets it, told of our table alone; None where it cannot be installed."""
    program = SCRATCH / "bin" / "uvicorn"
    if not program.exists():
        venv.create(SCRATCH, with_pip=True)
        install = [str(SCRATCH / "bin" / "pip"), "install", "-q", "tipg", "uvicorn"]
        if subprocess.run(install, capture_output=True, check=False).returncode != 0:
            yield None
            return
    port = free_port()
    environ = os.environ | {
        "DATABASE_URL": settings.owner_database_url,
        "TIPG_DB_SCHEMAS": '["public"]',
        "TIPG_DB_TABLES": '["public.storefront"]',
        "TIPG_DB_EXCLUDE_FUNCTION_SCHEMAS": '["public"]',
        "TIPG_MAX_FEATURES_PER_TILE": "1000000",
    }
    environ = {key: value for key, value in environ.items() if not key.startswith("ROADCHIEF_")}
    command = [str(program), "tipg.main:app", "--port", str(port), "--log-level", "error"]
    with running([*command, "--workers", "2"], environ, port):
        yield port


@contextmanager
def running(command: list[str], environ: dict[str, str], port: int) -> Iterator[None]:
    """The server answers when this begins, and is gone when it ends."""
    server = subprocess.Popen(
        command, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            try:
                ask(port, "/healthz")
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise SystemExit(f"{command[0]} does not answer")
        yield
    finally:
        server.terminate()
        server.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def our_path(square: Square) -> str:
    z, x, y = square
    return f"/tiles/storefronts/{z}/{x}/{y}.mvt?s={CODE}"


def their_path(square: Square) -> str:
    """The same columns that ours has at its nearest zoom."""
    z, x, y = square
    wanted = "geom-column=door&properties=id,name,house_number"
    return f"/collections/public.storefront/tiles/WebMercatorQuad/{z}/{x}/{y}?{wanted}"


def measure(settings: Settings, count: int) -> list[dict[str, object]]:
    figures: list[dict[str, object]] = []
    with ours(settings) as here, tipg(settings) as there:
        name = "tipg" if there else "tipg is absent"
        # Connections know their tables, and statements are prepared, as after a minute of use.
        _z, x, y = squares(16, count)[0]
        far = [(16, x + 6 + number % 8, y + 6 + number // 8) for number in range(WARM)]
        median(here, [our_path(one) for one in far])
        if there:
            median(there, [their_path(one) for one in far])
        for zoom, (faster, smaller) in GOALS.items():
            wanted = squares(zoom, count)
            spent, size, their_spent, their_size = turn_by_turn(here, there, wanted)
            figures += [
                figure(f"z{zoom} uncached", spent, "ms", their_spent, name, f"ratio ≥ {faster:g}"),
                figure(
                    f"z{zoom} size", size / 1000, "kB", their_size / 1000, name,
                    f"ratio ≥ {smaller:g}",
                ),
            ]  # fmt: skip
        for zoom in GOALS:
            path = our_path(squares(zoom, count)[0])
            ask(here, path)
            spent, _size = median(here, [path] * 40)
            work = f"z{zoom} cached"
            figures.append(figure(work, spent, "ms", 0.0, "-", f"≤ {CACHED_MS:g} ms"))
        for zoom in (12, 16):
            path = our_path(squares(zoom, count)[0])
            found = rate(here, path)
            goal = f"≥ {CACHED_RATE:g}/s"
            figures.append(figure(f"z{zoom} cached", found, "tiles/s", 0.0, "-", goal))
    return figures


def figure(
    work: str, value: float, unit: str, baseline: float, name: str, goal: str
) -> dict[str, object]:
    return {
        "work": work,
        "ours": round(value, 2),
        "unit": unit,
        "baseline": round(baseline, 1) if baseline else None,
        "baseline_name": name,
        "ratio": round(baseline / value, 1) if baseline and value else None,
        "goal": goal,
    }


def empty_shelf(database: Database) -> None:
    with database.transaction(CODE) as session:
        session.execute(text("DELETE FROM tile_store WHERE subdistrict_id = :code"), {"code": CODE})


def is_there(database: Database, count: int) -> bool:
    asked = "SELECT count(*) FROM storefront WHERE subdistrict_id = :code"
    with database.transaction(CODE) as session:
        return session.scalar(text(asked), {"code": CODE}) == count


def show(figures: list[dict[str, object]], as_json: bool, count: int) -> None:
    if as_json:
        for row in figures:
            print(json.dumps(row, ensure_ascii=False))
        return
    cells = ("work", "ours", "unit", "baseline", "baseline_name", "ratio", "goal")
    table = Table(*cells, title=f"{count} storefronts")
    for row in figures:
        table.add_row(*("" if row[key] is None else str(row[key]) for key in cells))
    Console().print(table)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--full", action="store_true", help="1,000,000 storefronts")
    words.add_argument("--json", action="store_true")
    asked = words.parse_args()
    count = 1_000_000 if asked.full else 100_000
    settings = config.with_private_parts(config.load(os.environ))
    database = Database(settings)
    if not is_there(database, count):
        district.make(database, CODE, count, at=clock.now())
        tidy(settings.owner_database_url)
    empty_shelf(database)
    show(measure(settings, count), asked.json, count)


if __name__ == "__main__":
    main()
