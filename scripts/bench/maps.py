"""The map pages of a big district right after its load, against plain Folium markers in the run.

usage: .venv/bin/python scripts/bench/maps.py [--full] [--json]

Default 30,000 storefronts, with --full 1,000,000; a chief on each segment, statistics not renewed.
Server times are of the application alone; "drawn" is Chromium from the address to the last tile,
with an empty cache (left out where playwright or Chromium is absent). Tiles: tiles.py.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import folium
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from tiles import CODE, is_there, ours

from roadchief import config
from roadchief.accounts import people
from roadchief.app import create_app
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.demo import district
from roadchief.lib import clock
from roadchief.streets import chiefs
from roadchief.streets.models import RoadSegment

MARKERS = 10_000
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
DRAWN = """() => {
  const tiles = [...document.querySelectorAll("canvas.leaflet-tile")];
  return tiles.length > 3 && tiles.every((one) => one.classList.contains("leaflet-tile-loaded"));
}"""
PAGE_MS, PAGE_KB, DRAWN_MS = 150, 200, 2000


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


def put_a_chief_on_every_segment(database: Database, code: int = CODE) -> None:
    """As in a real sub-district: without them the costly join of who answers for what is idle."""
    at = clock.now()
    with database.transaction(code) as session:
        login = f"bench.{at.timestamp():.0f}"
        person = people.invite(session, name="试验路长", login=login, by=None, at=at).person
        post = people.appoint(session, person, role="chief_l2", capacity="cadre", by=None, at=at)
        wanted = select(RoadSegment).where(RoadSegment.subdistrict_id == code)
        for segment in session.scalars(wanted).all():
            chiefs.appoint_chief(session, post, to=segment, by=None, at=at)


def drawn_ms(settings: Settings, path: str) -> float | None:
    """From the address to the last tile in Chromium; the median of three empty caches."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if not Path(CHROMIUM).exists():
        return None
    with ours(settings) as port, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        spent = []
        for _ in range(4):
            page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
            began = time.perf_counter()
            page.goto(f"http://127.0.0.1:{port}{path}")
            while not page.evaluate(DRAWN):
                page.wait_for_timeout(20)
            spent.append((time.perf_counter() - began) * 1000)
            page.context.close()
        browser.close()
    return statistics.median(spent[1:])  # the first one warms server and browser


def measure(settings: Settings, database: Database) -> list[dict[str, object]]:
    client = create_app(settings, database).test_client()
    baseline_ms, baseline_bytes = plain_folium()
    with database.transaction(CODE) as session:
        wanted = select(RoadSegment.id).where(RoadSegment.subdistrict_id == CODE).limit(1)
        segment = session.scalar(wanted)
    figures = []
    for name, path in (
        ("map page", f"/map/?s={CODE}"),
        ("map page 40", f"/map/?s={CODE}&page=40"),
        ("segment sheet", f"/map/segments/{segment}?s={CODE}"),
        ("search", f"/map/search?s={CODE}&q=晨光"),
    ):
        answer = client.get(path)
        if answer.status_code != 200:
            raise SystemExit(f"{path} answered {answer.status_code}")
        spent = median_ms(lambda path=path: client.get(path))
        size = len(answer.data) / 1000
        figures += [
            figure(name, spent, "ms", baseline_ms, PAGE_MS),
            figure(name, size, "kB", baseline_bytes / 1000, PAGE_KB),
        ]
    for name, path in (
        ("map page drawn", f"/map/?s={CODE}"),
        ("segment sheet drawn", f"/map/segments/{segment}?s={CODE}"),
    ):
        spent_ms = drawn_ms(settings, path)
        if spent_ms is not None:
            figures.append(figure(name, spent_ms, "ms", 0, DRAWN_MS))
    return figures


def figure(work: str, value: float, unit: str, baseline: float, goal: float) -> dict[str, object]:
    return {
        "work": work,
        "ours": round(value, 1),
        "unit": unit,
        "baseline": round(baseline, 1) if baseline else None,
        "baseline_name": f"folium, {MARKERS} markers" if baseline else "-",
        "ratio": round(baseline / value, 1) if baseline else None,
        "goal": goal,
    }


def show(figures: list[dict[str, object]], as_json: bool, count: int) -> None:
    if as_json:
        for row in figures:
            print(json.dumps(row, ensure_ascii=False))
        return
    cells = ("work", "ours", "unit", "baseline", "ratio", "goal")
    table = Table(*cells, title=f"{count} storefronts")
    for row in figures:
        table.add_row(*("" if row[key] is None else str(row[key]) for key in cells))
    Console().print(table)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--full", action="store_true", help="1,000,000 storefronts")
    words.add_argument("--json", action="store_true")
    asked = words.parse_args()
    count = 1_000_000 if asked.full else 30_000
    settings = config.with_private_parts(config.load(os.environ))
    settings = replace(settings, testing=True, log_level="ERROR")
    database = Database(settings)
    if not is_there(database, count):
        district.make(database, CODE, count, at=clock.now())
    put_a_chief_on_every_segment(database)
    show(measure(settings, database), asked.json, count)


if __name__ == "__main__":
    main()
