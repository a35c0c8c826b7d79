"""The map page and its tiles at 100,000 storefronts, against plain Folium markers in the same run.

usage: .venv/bin/python scripts/bench/maps.py [--full] [--json]
"""

import argparse
import gzip
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import folium
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sqlalchemy import select

from roadchief import config
from roadchief.accounts import people
from roadchief.app import create_app
from roadchief.db import Database
from roadchief.demo import district
from roadchief.lib import clock
from roadchief.streets import chiefs
from roadchief.streets.models import RoadSegment

CODE = 990000003
MARKERS = 10_000


def median_ms(act: Callable[[], object], times: int = 15) -> float:
    act()
    spent: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)


def plain_folium() -> tuple[float, int]:
    """What one would write first: a marker for each shop."""
    began = time.perf_counter()
    page = folium.Map(location=(31.02, 121.62), zoom_start=14)
    for number in range(MARKERS):
        at = (31.0 + number % 100 * 1e-4, 121.6 + number // 100 * 1e-4)
        folium.Marker(at, popup=f"店{number}").add_to(page)
    size = len(page.get_root().render().encode())
    return (time.perf_counter() - began) * 1000, size


def put_a_chief_on_every_segment(database: Database) -> None:
    """As in a real sub-district: without them the costly join of who answers for what is idle."""
    at = clock.now()
    with database.transaction(CODE) as session:
        login = f"bench.{at.timestamp():.0f}"
        person = people.invite(session, name="试验路长", login=login, by=None, at=at).person
        post = people.appoint(session, person, role="chief_l2", capacity="cadre", by=None, at=at)
        wanted = select(RoadSegment).where(RoadSegment.subdistrict_id == CODE)
        for segment in session.scalars(wanted).all():
            chiefs.appoint_chief(session, post, to=segment, by=None, at=at)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--full", action="store_true")
    words.add_argument("--json", action="store_true")
    asked = words.parse_args()
    count = 100_000 if asked.full else 30_000
    settings = replace(config.with_private_parts(config.load({})), testing=True, log_level="ERROR")
    database = Database(settings)
    district.make(database, CODE, count, at=clock.now())
    put_a_chief_on_every_segment(database)
    client = create_app(settings, database).test_client()
    baseline_ms, baseline_bytes = plain_folium()
    page = f"/map/?s={CODE}"
    if client.get(page).status_code != 200:
        raise SystemExit("the map page does not answer")
    figures = [
        figure("map page", median_ms(lambda: client.get(page)), "ms", baseline_ms, 100),
        figure("map page", len(client.get(page).data) / 1000, "kB", baseline_bytes / 1000, 200),
    ]
    for zoom in (13, 14, 15, 16, 17):
        n = 2**zoom
        x = int((121.62 + 180) / 360 * n)
        y = int((1 - math.asinh(math.tan(math.radians(31.02))) / math.pi) / 2 * n)
        path = f"/tiles/streets/{zoom}/{x}/{y}.mvt?s={CODE}"
        body = gzip.decompress(client.get(path).data)
        name = f"tile z{zoom} ({len(body) // 1000} kB)"
        spent = median_ms(lambda path=path: client.get(path), 5)
        figures.append(figure(name, spent, "ms", baseline_ms, 300))
    show(figures, asked.json, count)


def figure(work: str, ours: float, unit: str, baseline: float, goal: float) -> dict[str, object]:
    return {
        "work": work,
        "ours": round(ours, 1),
        "unit": unit,
        "baseline": round(baseline, 1),
        "baseline_name": f"folium, {MARKERS} markers",
        "ratio": round(baseline / ours, 1),
        "goal": goal,
    }


def show(figures: list[dict[str, object]], as_json: bool, count: int) -> None:
    if as_json:
        for row in figures:
            print(json.dumps(row, ensure_ascii=False))
        return
    table = Table(
        *("work", "ours", "unit", "baseline", "ratio", "goal"), title=f"{count} storefronts"
    )
    for row in figures:
        cells = ("work", "ours", "unit", "baseline", "ratio", "goal")
        table.add_row(*(str(row[key]) for key in cells))
    Console().print(table)


if __name__ == "__main__":
    main()
