"""Import of storefronts against ogr2ogr with COPY, in one run on one database; and against a bare
COPY of the finished rows into a table with the same keys and indexes, which no import can pass.

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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psycopg
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
from roadchief.streets.importing.batches import BATCH
from roadchief.streets.models import Subdistrict

CODE = 990000002
GOAL = 0.5
STREETS = 10
SHOPS_THERE = (STREETS - 1) ** 2 * 2 * district.DOORS_A_SEGMENT
SIGNS = sorted(set(district.WORDS))
TRADES = district.TRADES


def make_file(path: Path, count: int) -> None:
    """Doors on both sides of the east-west streets of the load district, as a survey has them:
    every one is to be placed on its segment."""
    dice = np.random.default_rng(7)
    street = dice.integers(0, STREETS, count)
    along = dice.uniform(0, (STREETS - 1) * district.STEP_DEG, count)
    off = dice.uniform(0.00007, 0.00014, count) * dice.choice([-1, 1], count)
    xy = np.column_stack([district.WEST + along, district.SOUTH + street * district.STEP_DEG + off])
    ids = np.array([f"B{n}" for n in range(count)], dtype=object)
    signs = zip(dice.integers(0, len(SIGNS), (count, 3)), dice.integers(0, 9, count), strict=True)
    names = np.array(
        ["".join(SIGNS[at] for at in three) + TRADES[trade] for three, trade in signs], dtype=object
    )
    roads = np.array([f"东西{n + 1}路" for n in street], dtype=object)
    doors = np.array([f"{n}号" for n in (along * 1e5).astype(int)], dtype=object)
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


def draw_border(database: Database) -> None:
    """Every door is held against a border, as in a real sub-district."""
    far = STREETS * district.STEP_DEG
    middle = shapely.Point(district.WEST + far / 2, district.SOUTH + far / 2)
    with database.transaction(CODE) as session:
        here = session.get_one(Subdistrict, CODE)
        here.area = shapely.MultiPolygon([middle.buffer(far, quad_segs=16)])


def tidy(owner_url: str) -> None:
    """What the last district left behind goes, as autovacuum sees to between two imports."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("VACUUM (FULL, ANALYZE) storefront")


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


def time_bare(owner_url: str, count: int) -> float:
    """What PostgreSQL itself needs: the finished rows of the last import, by two connections that
    do nothing but COPY them, as the owner, into a table with the same keys and indexes."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_keyed")
        connection.execute("CREATE TABLE bench_keyed (LIKE storefront INCLUDING ALL)")
        for column in ("segment_id", "second_segment_id"):
            connection.execute(
                f"ALTER TABLE bench_keyed ADD FOREIGN KEY (subdistrict_id, {column}) "
                "REFERENCES road_segment (subdistrict_id, id)"
            )
        wanted = f"SELECT * FROM storefront WHERE subdistrict_id = {CODE} ORDER BY id"
        with connection.cursor().copy(f"COPY ({wanted} DESC LIMIT {count}) TO STDOUT") as copy:
            rows = b"".join(copy).splitlines(keepends=True)
        began = time.perf_counter()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda part: copy_bare(owner_url, part), (rows[::2], rows[1::2])))
        took = time.perf_counter() - began
        connection.execute("DROP TABLE bench_keyed")
    return took


def copy_bare(owner_url: str, rows: list[bytes]) -> None:
    for first in range(0, len(rows), BATCH):
        with psycopg.connect(owner_url) as connection:
            with connection.cursor().copy("COPY bench_keyed FROM STDIN") as copy:
                copy.write(b"".join(rows[first : first + BATCH]))
            connection.commit()


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--full", action="store_true")
    words.add_argument("--json", action="store_true")
    asked = words.parse_args()
    count = 200_000 if asked.full else 50_000
    settings = config.with_private_parts(config.load(os.environ))
    database = Database(settings)
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".geojson", ".gpkg"):
            path = Path(folder) / f"doors{suffix}"
            make_file(path, count)
            district.make(database, CODE, SHOPS_THERE, at=clock.now())
            draw_border(database)
            tidy(settings.owner_database_url)
            baseline = count / time_ogr2ogr(settings.owner_database_url, path)
            ours = count / time_ours(database, path)
            bare = count / time_bare(settings.owner_database_url, count)
            again = count / time_ours(database, path)
            ogr, keyed = "ogr2ogr PG_USE_COPY", "bare COPY into the same keys"
            for work, rate, beside, name in (
                (f"import {suffix}", ours, baseline, ogr),
                (f"import {suffix}", ours, bare, keyed),
                (f"import {suffix} again", again, baseline, ogr),
            ):
                figures.append(
                    {
                        "work": work,
                        "ours": round(rate),
                        "unit": "rows/s",
                        "baseline": round(beside),
                        "baseline_name": name,
                        "ratio": round(rate / beside, 2),
                        "goal": GOAL,
                    }
                )
    show(figures, asked.json, count)


def show(figures: list[dict[str, object]], as_json: bool, count: int) -> None:
    if as_json:
        for figure in figures:
            print(json.dumps(figure, ensure_ascii=False))
        return
    heads = ("work", "ours", "baseline", "baseline_name", "ratio", "goal")
    table = Table(*heads, title=f"{count} storefronts, rows a second")
    for row in figures:
        table.add_row(*(str(row[key]) for key in heads))
    Console().print(table)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    Console().print(f"peak memory {peak_mb} MB")


if __name__ == "__main__":
    main()
