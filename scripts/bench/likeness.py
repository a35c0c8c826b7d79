#!/usr/bin/env python
"""Photos that look alike found by their quarters, against counting every hash, in the same run.

    scripts/bench/likeness.py [--photos 100000] [--full] [--json] [--plan]

--full: 1,000,000 photos. --plan prints EXPLAIN (ANALYZE, BUFFERS) as the app role. The hashes are
those of soft random fields, so that quarters repeat as those of photos do. Works in a database of
its own, which it drops again.
"""

import json
import os
import random
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import psycopg
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from roadchief.blobs import likeness
from roadchief.blobs.models import Likeness
from roadchief.db import Database
from tests import databases
from tests.conftest import make_settings

HERE = 310115004
PORTION = 50_000
ROUNDS = 300
MOST = 6
EVERY = text(
    "SELECT id, bit_count((bits # :bits)::bit(64)) AS distance FROM photo_likeness "
    "WHERE subdistrict_id = :here AND id <> :own "
    "AND bit_count((bits # :bits)::bit(64)) <= :most ORDER BY 2 LIMIT 50"
)


def hashes(count: int) -> Iterator[np.ndarray]:
    """dHashes of soft fields: neighbours agree, as they do in pictures."""
    dice = np.random.default_rng(7)
    weights = (1 << np.arange(63, -1, -1, dtype=np.uint64)).reshape(8, 8)
    for first in range(0, count, PORTION):
        size = min(PORTION, count - first)
        coarse = dice.normal(size=(size, 5, 5)).astype(np.float32)
        field = np.repeat(np.repeat(coarse, 2, axis=1), 2, axis=2)[:, :8, :9]
        field = field + dice.normal(scale=0.5, size=(size, 8, 9)).astype(np.float32)
        field[:, :, 1:] = (field[:, :, 1:] + field[:, :, :-1]) / 2
        bits = (field[:, :, 1:] > field[:, :, :-1]).astype(np.uint64)
        yield (bits * weights).sum(axis=(1, 2), dtype=np.uint64).view(np.int64)


def load(url: str, count: int, said: Console) -> list[uuid.UUID]:
    """So many hashes; every hundredth has a twin three bits away. Returns some to look for."""
    chosen: list[uuid.UUID] = []
    dice = random.Random(7)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        steps = track(hashes(count), "hashes", total=-(-count // PORTION), console=said)
        for portion in steps:
            with (
                connection.cursor() as cursor,
                cursor.copy("COPY photo_likeness (subdistrict_id, id, bits) FROM STDIN") as copy,
            ):
                for number, bits in enumerate(portion.tolist()):
                    identity = uuid.UUID(int=dice.getrandbits(128), version=4)
                    copy.write_row((HERE, identity, bits))
                    if number % 100 == 0:
                        twin = uuid.UUID(int=dice.getrandbits(128), version=4)
                        copy.write_row((HERE, twin, bits ^ 0x0100_0040_0002))
                        if len(chosen) < 5000:
                            chosen.append(identity)
        connection.execute("VACUUM ANALYZE photo_likeness")
    return dice.sample(chosen, min(ROUNDS, len(chosen)))


def times(database: Database, ids: list[uuid.UUID], ask: Callable[..., int]) -> list[float]:
    """Milliseconds of each question; every one must find its twin."""
    found = []
    with database.transaction(HERE) as session:
        for one in ids:
            row = session.get_one(Likeness, (HERE, one))
            began = time.perf_counter()
            seen = ask(session, row)
            found.append((time.perf_counter() - began) * 1000)
            if not seen and likeness.telling(row.bits):
                raise SystemExit(f"the twin of {one} was not found")
    return found


def by_quarters(session: Session, row: Likeness) -> int:
    return len(likeness.near(session, row.id, most=MOST))


def by_counting(session: Session, row: Likeness) -> int:
    values = {"here": HERE, "own": row.id, "bits": row.bits, "most": MOST}
    return len(session.execute(EVERY, values).all())


def plan(database: Database, one: uuid.UUID) -> str:
    with database.transaction(HERE) as session:
        row = session.get_one(Likeness, (HERE, one))
        values = {
            "here": HERE,
            "own": one,
            "bits": row.bits,
            "most": MOST,
            "many": likeness.MANY,
            "few": likeness.FEW,
            **{f"band_{n}": found for n, found in enumerate(likeness.probes(row.bits), 1)},
        }
        lines = session.scalars(text(f"EXPLAIN (ANALYZE, BUFFERS) {likeness.NEAR.text}"), values)
        return "\n".join(lines)


@click.command()
@click.option("--photos", "count", default=100_000, show_default=True)
@click.option("--full", is_flag=True)
@click.option("--plan", "with_plan", is_flag=True)
@click.option("--json", "as_json", is_flag=True)
def main(count: int, full: bool, with_plan: bool, as_json: bool) -> None:
    """Milliseconds to find the twins of one photo."""
    said = Console(stderr=True)
    count = 1_000_000 if full else count
    server = databases.server_url(dict(os.environ))
    with databases.clone(server, databases.template(server)) as url:
        database = Database(replace(make_settings(url, Path("var/bench")), pool_size=2))
        ids = load(url, count, said)
        times(database, ids[:20], by_quarters)
        ours = times(database, ids, by_quarters)
        every = times(database, ids[:10], by_counting)
        told = plan(database, ids[0]) if with_plan else ""
        database.engine.dispose()
    median, slowest = statistics.median(ours), sorted(ours)[int(len(ours) * 0.95)]
    baseline = statistics.median(every)
    if as_json:
        line = {
            "work": f"twins of one photo among {count}",
            "ours": round(median, 2),
            "unit": "ms",
            "baseline": round(baseline, 1),
            "baseline_name": "every hash counted",
            "ratio": round(median / baseline, 4),
            "goal": None,
        }
        print(json.dumps(line))
        return
    table = Table("photos", "median ms", "p95 ms", "every hash counted, ms")
    table.add_row(f"{count:,}", f"{median:.1f}", f"{slowest:.1f}", f"{baseline:.0f}")
    Console().print(table)
    if told:
        print(told)


if __name__ == "__main__":
    main()
