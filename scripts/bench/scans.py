#!/usr/bin/env python
"""`/C/<token>` against a page that asks the database nothing, in the same process and run.

    scripts/bench/scans.py [--plates 5000] [--full] [--json]

--full: 100,000 plates. Works in a database of its own, which it drops again.
"""

import json
import os
import random
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

import click
from flask.testing import FlaskClient
from rich.console import Console
from rich.table import Table
from sqlalchemy import event, text

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from roadchief.app import create_app
from roadchief.codes import batches, plates, tokens
from roadchief.db import Database
from roadchief.demo import district
from roadchief.lib import clock
from tests import databases
from tests.conftest import make_settings

HERE = 990000001
SITE = tokens.site("https://lz.gov.cn")
ROUNDS, WARM = 400, 40


def times(client: FlaskClient, addresses: list[str]) -> list[float]:
    """Milliseconds of each answer."""
    found = []
    for address in addresses:
        began = time.perf_counter()
        status = client.get(address).status_code
        found.append((time.perf_counter() - began) * 1000)
        if status != 200:
            raise SystemExit(f"{address} answered {status}")
    return found[WARM:]


@click.command()
@click.option("--plates", "count", default=5000, show_default=True)
@click.option("--full", is_flag=True)
@click.option("--json", "as_json", is_flag=True)
def main(count: int, full: bool, as_json: bool) -> None:
    """Rates on one process; queries of one scan."""
    said = Console(stderr=True)
    server = databases.server_url(dict(os.environ))
    with databases.clone(server, databases.template(server)) as url:
        settings = replace(make_settings(url, Path("var/bench")), pool_size=4)
        database = Database(settings)
        district.make(database, HERE, 100_000 if full else count, at=clock.now())
        said.print("minting")
        with database.transaction(HERE) as session:
            targets = batches.storefronts_without(session).targets
            at = clock.now()
            made = plates.mint(session, targets, where=SITE, batch_id=None, by=None, at=at)
            session.execute(text("UPDATE plate SET state = 'active'"))
        client = create_app(settings, database).test_client()
        chosen = random.Random(7).choices(made, k=ROUNDS + WARM)
        asked: list[str] = []
        event.listen(
            database.engine, "before_cursor_execute", lambda *given: asked.append(given[2])
        )
        client.get(f"/C/{made[0].token}")
        questions = [one for one in asked if not one.startswith(("SET", "SAVEPOINT", "RELEASE"))]
        scan = times(client, [f"/C/{one.token}" for one in chosen])
        plain = times(client, ["/code"] * (ROUNDS + WARM))
        database.engine.dispose()
    rows = [
        ("scan a plate", 1000 / statistics.mean(scan), 1000 / statistics.mean(plain)),
    ]
    p95 = sorted(scan)[int(len(scan) * 0.95)]
    if as_json:
        for work, ours, baseline in rows:
            print(
                json.dumps(
                    {
                        "work": work,
                        "ours": round(ours, 1),
                        "unit": "1/s",
                        "baseline": round(baseline, 1),
                        "baseline_name": "a page without questions (/code)",
                        "ratio": round(ours / baseline, 3),
                        "goal": None,
                    }
                )
            )
        return
    table = Table("work", "1/s", "plain page 1/s", "ratio", "p95 ms", "queries")
    for work, ours, baseline in rows:
        table.add_row(
            work,
            f"{ours:.0f}",
            f"{baseline:.0f}",
            f"{ours / baseline:.2f}",
            f"{p95:.1f}",
            str(len(questions)),
        )
    Console().print(table)


if __name__ == "__main__":
    main()
