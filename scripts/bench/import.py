"""Import of storefronts against ogr2ogr with COPY, in one run on one database.

usage: .venv/bin/python scripts/bench/import.py [--full] [--json]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyogrio
import shapely
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from roadchief import config
from roadchief.db import Database
from roadchief.demo import district
from roadchief.lib import clock
from roadchief.streets.importing import run

CODE = 990000002
GOAL = 0.5


def make_file(path: Path, count: int) -> None:
    """Doors along the chessboard of the load district, with the fields a survey has."""
    dice = np.random.default_rng(7)
    xy = np.column_stack([dice.uniform(121.60, 121.64, count), dice.uniform(31.00, 31.04, count)])
    ids = np.array([f"B{n}" for n in range(count)], dtype=object)
    names = np.array([f"桂香{n % 997}店" for n in range(count)], dtype=object)
    roads = np.array([f"东西{n % 9 + 1}路" for n in range(count)], dtype=object)
    doors = np.array([f"{n % 800 + 1}号" for n in range(count)], dtype=object)
    driver = "GPKG" if path.suffix == ".gpkg" else "GeoJSON"
    pyogrio.raw.write(
        str(path),
        shapely.to_wkb(shapely.points(xy)),
        [ids, names, roads, doors],
        ["编号", "店名", "路名", "门牌号"],
        geometry_type="Point",
        crs="EPSG:4326",
        driver=driver,
    )


def time_ours(database: Database, path: Path) -> float:
    began = time.perf_counter()
    order = run.Order(path=path, what="storefronts", subdistrict_id=CODE, source=path.name)
    report = run.take(database, order, by=None, at=clock.now())
    if report.added + report.unchanged != report.rows:
        raise SystemExit(f"not all rows were taken: {report.lines('en')}")
    return time.perf_counter() - began


def time_ogr2ogr(owner_url: str, path: Path) -> float:
    began = time.perf_counter()
    subprocess.run(
        [
            "ogr2ogr",
            "-f",
            "PostgreSQL",
            f"PG:{owner_url}",
            str(path),
            "-nln",
            "bench_ogr",
            "-overwrite",
            "-lco",
            "GEOMETRY_NAME=door",
        ],
        check=True,
        env={**os.environ, "PG_USE_COPY": "YES"},
        capture_output=True,
    )
    return time.perf_counter() - began


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--full", action="store_true")
    words.add_argument("--json", action="store_true")
    asked = words.parse_args()
    count = 200_000 if asked.full else 50_000
    settings = config.with_private_parts(config.load({}))
    database = Database(settings)
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".geojson", ".gpkg"):
            path = Path(folder) / f"doors{suffix}"
            make_file(path, count)
            district.make(database, CODE, 2000, at=clock.now())
            baseline = count / time_ogr2ogr(settings.owner_database_url, path)
            ours = count / time_ours(database, path)
            again = count / time_ours(database, path)
            for work, rate in ((f"import {suffix}", ours), (f"import {suffix} again", again)):
                figures.append(
                    {
                        "work": work,
                        "ours": round(rate),
                        "unit": "rows/s",
                        "baseline": round(baseline),
                        "baseline_name": "ogr2ogr PG_USE_COPY",
                        "ratio": round(rate / baseline, 2),
                        "goal": GOAL,
                    }
                )
    show(figures, asked.json, count)


def show(figures: list[dict[str, object]], as_json: bool, count: int) -> None:
    if as_json:
        for figure in figures:
            print(json.dumps(figure, ensure_ascii=False))
        return
    table = Table(*("work", "ours", "ogr2ogr", "ratio", "goal"), title=f"{count} storefronts")
    for row in figures:
        table.add_row(*(str(row[key]) for key in ("work", "ours", "baseline", "ratio", "goal")))
    Console().print(table)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    Console().print(f"peak memory {peak_mb} MB")


if __name__ == "__main__":
    main()
