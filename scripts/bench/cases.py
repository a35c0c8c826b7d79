#!/usr/bin/env python
"""Cases at size: a citizen's report, the desk's queue, statistics; each against its bare SQL.

    scripts/bench/cases.py [--cases 100000] [--full] [--json]

--full: 1,000,000 cases. Works in a database of its own, which it drops again.
"""

import json
import os
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import event, text

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from roadchief.app import create_app
from roadchief.db import Database
from roadchief.issues import board, reach
from roadchief.issues.figures import periods, tallies
from roadchief.lib import clock
from roadchief.streets.models import Storefront
from tests import databases
from tests.conftest import make_settings
from tests.issues import ground

HERE = 310115004
TWO_YEARS = timedelta(days=730)
FILL = """
INSERT INTO case_file (subdistrict_id, id, number, category, state, version, steps, source, danger,
  held, words, pieces, place, datum, address, storefront_id, segment_id, unit_id, limit_amount,
  limit_clock, limit_version, extra_amount, begun_at, response_due_at, contacted_at, yellow_at,
  due_at, black_at, provisional, reported_at, updated_at, ended_at, closings, closing_kind,
  on_time, reopened, repeat, followers)
SELECT %(here)s, gen_random_uuid(), 'B' || n,
  (ARRAY['ZX02','WS03','ZX08','WS07','LH01','YY01','BJ02','ZX05','ZX06','XF04'])[1 + n %% 10],
  CASE WHEN n %% 20 = 0 THEN 'assigned' ELSE 'closed' END, 3, 3, 'citizen', false, false,
  '占道堆物第' || n || '件', ARRAY['占道','道堆','堆物'],
  ST_SetSRID(ST_MakePoint(121.506 + (n %% 997) / 25000.0, 31.206 + (n %% 991) / 38000.0), 4326),
  'wgs84', '崂山路' || n %% 900 || '号', NULL, %(segment)s, %(unit)s, 4, 'wh', 'bench', 0, t,
  t + '2h', t + '1h', t + '3h', t + '4h', t + '8h', false, t, t + '5h',
  CASE WHEN n %% 20 = 0 THEN NULL ELSE t + '5h' END, 1,
  CASE WHEN n %% 20 = 0 THEN NULL WHEN n %% 3 = 0 THEN 'fixed_by_merchant' ELSE 'fixed_by_unit' END,
  n %% 7 > 0, CASE WHEN n %% 11 = 0 THEN 1 ELSE 0 END, n %% 13 = 0, n %% 3
FROM (SELECT n, now() - make_interval(mins => (n %% 1051200)) AS t
  FROM generate_series(%(first)s::int, %(last)s::int) n) x
"""
BARE_QUEUE = """
SELECT c.id, c.number, c.category, c.state, c.address, c.due_at, o.name FROM case_file c
LEFT JOIN organisation o ON o.subdistrict_id = c.subdistrict_id AND o.id = c.unit_id
WHERE c.subdistrict_id = :here AND c.ended_at IS NULL ORDER BY c.due_at, c.id LIMIT 50
"""
BARE_REPORT = """
INSERT INTO case_step (subdistrict_id, id, case_id, seq, verb, after, part, at, public, data)
SELECT subdistrict_id, :step, id, 900000 + :n, 'report', state, 'citizen', now(), false, '{}'
FROM case_file WHERE subdistrict_id = :here AND number = :number
"""


def fill(url: str, count: int, world: ground.World, say: Callable[[str], None]) -> None:
    values = {"here": HERE, "segment": world.segment.id, "unit": world.squad.id}
    with psycopg.connect(url, autocommit=True) as connection:
        for first in range(1, count + 1, 100_000):
            last = min(count, first + 99_999)
            connection.execute(FILL.encode(), values | {"first": first, "last": last})
            say(f"{last} cases")
        connection.execute("VACUUM ANALYZE case_file")


def timed(work: Callable[[], Any], times: int) -> list[float]:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1000)
    return found


def line(
    work: str, ours: list[float], bare: list[float], queries: int, goal: str
) -> dict[str, Any]:
    middle, base = statistics.median(ours), statistics.median(bare)
    p95 = sorted(ours)[max(0, int(len(ours) * 0.95) - 1)]
    return {
        "work": work,
        "ours": round(middle, 2),
        "p95": round(p95, 2),
        "unit": "ms",
        "queries": queries,
        "baseline": round(base, 2),
        "baseline_name": "bare SQL, same run",
        "ratio": round(middle / base, 1) if base else None,
        "goal": goal,
    }


def measure(database: Database, settings: Any, world: ground.World) -> list[dict[str, Any]]:
    app = create_app(settings, database)
    app.config.update(WTF_CSRF_ENABLED=False)
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        if not sql.lstrip().upper().startswith(("SAVEPOINT", "RELEASE", "SET ")):
            seen.append(sql)

    event.listen(database.engine, "before_cursor_execute", note)
    client = app.test_client()
    with database.transaction(HERE) as session:
        shop = session.get_one(Storefront, (HERE, world.shop.id))

    def report() -> None:
        form = {"id": str(uuid.uuid4()), "s": str(HERE), "storefront": str(shop.id)}
        form |= {"category": "ZX02", "words": "纸箱堆在盲道上", "confirmed": "1"}
        answer = client.post("/report", data=form)
        assert answer.status_code == 303, answer.get_data(as_text=True)[-500:]

    def bare_report() -> None:
        with database.transaction(HERE) as session:
            for n in range(5):
                session.execute(
                    text(BARE_REPORT),
                    {
                        "here": HERE,
                        "step": uuid.uuid4(),
                        "n": uuid.uuid4().int % 10**8 + n,
                        "number": "B1",
                    },
                )

    def queue() -> None:
        at = clock.now()
        with database.transaction(HERE) as session:
            scope = reach.Scope(world.officer, True)
            board.page(session, board.Filter(), scope, at=at, number=1, size=50)
            board.counts(session, scope, at=at)

    def bare_queue() -> None:
        with database.transaction(HERE) as session:
            list(session.execute(text(BARE_QUEUE), {"here": HERE}))

    def numbers() -> None:
        at = clock.now()
        since, until = periods.period({"from": f"{clock.local_date(at) - TWO_YEARS}"}, at=at)
        with database.transaction(HERE) as session:
            periods.report(session, since, until, at=at)

    def bare_numbers() -> None:
        since = "reported_at > now() - interval '730 days'"
        sql = f"SELECT count(*) FROM case_file WHERE subdistrict_id = :here AND {since}"
        with database.transaction(HERE) as session:
            session.execute(text(sql), {"here": HERE}).scalar()

    rows = []
    for name, ours, bare, times, goal in (
        ("citizen's report (POST)", report, bare_report, 40, "≤ 8 queries, ≤ 5 ms"),
        ("queue page: 50 rows and all counts", queue, bare_queue, 30, "≤ 20 ms"),
        ("statistics page, every case in the period", numbers, bare_numbers, 5, "< 1000 ms"),
    ):
        ours()
        seen.clear()
        ours()
        asked = len(seen)
        rows.append(line(name, timed(ours, times), timed(bare, times), asked, goal))
    return rows


@click.command(help=__doc__)
@click.option("--cases", "count", default=100_000, show_default=True)
@click.option("--full", is_flag=True, help="1,000,000 cases")
@click.option("--json", "as_json", is_flag=True, help="one line a figure")
def main(count: int, full: bool, as_json: bool) -> None:
    console = Console(stderr=True)
    count = 1_000_000 if full else count
    server = databases.server_url(dict(os.environ))
    with databases.clone(server, databases.template(server)) as url:
        settings = make_settings(url, Path("var/bench-cases"))
        database = Database(settings)
        with database.transaction(HERE) as session:
            world = ground.build(session)
        fill(url, count, world, lambda said: console.print(f"[dim]{said}"))
        began = time.perf_counter()
        with database.transaction(HERE) as session:
            days = tallies.keep(session, at=clock.now())
        console.print(f"[dim]{days} days kept in {time.perf_counter() - began:.1f} s, as at night")
        rows = measure(database, settings, world)
        database.engine.dispose()
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    table = Table(title=f"{count:,} cases")
    for column in rows[0]:
        table.add_column(column)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)


if __name__ == "__main__":
    main()
