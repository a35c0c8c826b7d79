#!/usr/bin/env python
"""The night's run and the dashboard at size: seconds, memory, and the questions by their time.

    scripts/bench/insight.py [--storefronts 50000] [--full] [--plans] [--json]

Five check-ins a storefront, a report for every tenth, three in a hundred not visited for 28 days;
tenancies and plates for most.
--full: 1,000,000 storefronts and 5,000,000 check-ins. Works in a database of its own, which it
drops again. Memory is that of this process, and of the database's process beside it (with what it
touched of the shared pages).
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import event, text

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from roadchief.db import Database
from roadchief.insight import dashboards, nightly, sums, weekly
from roadchief.insight import watch as watch_module
from roadchief.lib import clock
from tests import databases, makers
from tests.conftest import make_settings

HERE = 310115004
FILLED = "storefront", "check_in", "case_file", "road_segment", "tenancy", "plate", "plate_event"
VISITS = 5
GROUND = """
INSERT INTO street_block (subdistrict_id, id, name, theme)
SELECT %(here)s, gen_random_uuid(), '街区' || n, NULL FROM generate_series(1, 60) n;
INSERT INTO road_segment (subdistrict_id, id, road_id, block_id, code, name, seq, line, length_m,
  key_road, kerb_m, opened_at)
SELECT %(here)s, gen_random_uuid(), %(road)s, b.id, 'S' || n, '路段' || n, n,
  ST_SetSRID(ST_MakeLine(ST_MakePoint(121 + n %% 100 * 0.004, 31 + n / 100 * 0.004),
    ST_MakePoint(121.0036 + n %% 100 * 0.004, 31 + n / 100 * 0.004)), 4326), 340, false, 6,
  now() - interval '400 days'
FROM generate_series(0, %(segments)s - 1) n
JOIN (SELECT id, row_number() OVER () AS k FROM street_block WHERE subdistrict_id = %(here)s) b
  ON b.k = n %% 60 + 1;
CREATE TEMP TABLE s AS SELECT id, seq, line FROM road_segment WHERE subdistrict_id = %(here)s;
CREATE UNIQUE INDEX ON s (seq);
INSERT INTO storefront (subdistrict_id, id, door, house_number, address, name, segment_id, side,
  measure_m, duty_zone_drawn, source, source_id, source_datum, opened_at)
SELECT %(here)s, gen_random_uuid(), ST_LineInterpolatePoint(s.line, n %% 100 / 100.0), n || '号',
  '路' || n || '号', '店' || n, s.id, CASE WHEN n %% 2 = 0 THEN 'left' ELSE 'right' END,
  n %% 100 * 3.4, false, 'bench', n, 'wgs84', now() - interval '400 days'
FROM generate_series(0, %(shops)s - 1) n JOIN s ON s.seq = n / 100;
"""
PAST = """
CREATE TEMP TABLE past AS
SELECT gen_random_uuid() AS id, f.id AS shop, f.segment_id, f.door, f.n,
  now() - make_interval(
    days => v * 16 + (f.n %% 16 + CASE WHEN f.n %% 33 = 0 THEN 30 ELSE 0 END)::int,
    secs => f.n %% 30000) AS at
FROM (SELECT id, segment_id, door, source_id::int AS n FROM storefront
  WHERE subdistrict_id = %(here)s AND source_id::int BETWEEN %(first)s AND %(last)s) f
CROSS JOIN generate_series(0, %(visits)s - 1) v;
INSERT INTO patrol_item (subdistrict_id, id, kind, body_sha256, person_id, device_id, seq,
  received_at, answer)
SELECT %(here)s, id, 'check_in', '\\x00', %(person)s, %(person)s, 1, at, '{}' FROM past;
INSERT INTO check_in (subdistrict_id, id, purpose, person_id, storefront_id, segment_id, how,
  occurred_at, received_at, device_id, place, accuracy_m, radius_m, outcome, reason, rule, photos,
  grade)
SELECT %(here)s, id, 'patrol', %(person)s, shop, segment_id, 'scan', at, at, %(person)s, door, 10,
  30, 'verified', 'within', 'reach-1', 0,
  CASE WHEN n %% 9 = 0 THEN 'fair' ELSE 'good' END FROM past;
DROP TABLE past;
"""
CASES = """
INSERT INTO case_file (subdistrict_id, id, number, category, state, version, steps, source, danger,
  held, words, place, datum, address, storefront_id, segment_id, limit_amount, limit_clock,
  limit_version, extra_amount, begun_at, response_due_at, contacted_at, yellow_at, due_at, black_at,
  provisional, reported_at, updated_at, ended_at, closings, closing_kind, on_time, reopened, repeat,
  followers)
SELECT %(here)s, gen_random_uuid(), 'B' || n, 'WS0' || 1 + n / 10 %% 3,
  CASE WHEN n %% 100 = 0 THEN 'assigned' ELSE 'closed' END, 3, 3, 'citizen', false, false, '占道',
  door, 'wgs84', address, id, segment_id, 4, 'wh', 'bench', 0, t, t + '2h', t + '1h', t + '3h',
  t + '4h', t + '8h', false, t, t + '5h', CASE WHEN n %% 100 = 0 THEN NULL ELSE t + '5h' END, 1,
  CASE WHEN n %% 100 = 0 THEN NULL WHEN n %% 3 = 0 THEN 'fixed_by_merchant'
  ELSE 'fixed_by_unit' END,
  n %% 7 > 0, 0, n %% 13 = 0, 0
FROM (SELECT id, door, address, segment_id, source_id::int AS n,
  now() - make_interval(mins => (source_id::int * 7 %% 525600)) AS t
  FROM storefront WHERE subdistrict_id = %(here)s AND source_id::int %% 10 = 0) x
"""
# A tenancy each, and a plate that was bound and confirmed; every fiftieth plate was lost since.
STOCK = """
INSERT INTO merchant (subdistrict_id, id, name, kind)
VALUES (%(here)s, %(person)s, '试验商户', 'sole_trader');
INSERT INTO tenancy (subdistrict_id, id, storefront_id, merchant_id, sign_name, starts_on)
SELECT %(here)s, gen_random_uuid(), id, %(person)s, '试验', current_date - 300
FROM storefront WHERE subdistrict_id = %(here)s AND source_id::int %% 20 > 0;
INSERT INTO plate (subdistrict_id, id, kind, number, token_hash, storefront_id, state, state_at,
  made_at, photo_public, printed)
SELECT %(here)s, gen_random_uuid(), 'shop', 'B' || source_id, uuid_send(id), id, 'active',
  now() - interval '200 days', now() - interval '300 days', false, '{}'
FROM storefront WHERE subdistrict_id = %(here)s AND source_id::int %% 10 > 0;
INSERT INTO plate_event (subdistrict_id, id, plate_id, act, from_state, to_state, at)
SELECT %(here)s, gen_random_uuid(), p.id, e.act, e.a, e.b, now() - make_interval(days => e.days)
FROM plate p JOIN (VALUES ('make', NULL, 'generated', 300), ('bind', 'delivered', 'bound', 210),
  ('confirm', 'bound', 'active', 200), ('report_lost', 'active', 'lost', 20)) e(act, a, b, days)
  ON e.act <> 'report_lost' OR right(p.number, 2) IN ('07', '57')
WHERE p.subdistrict_id = %(here)s;
"""
PORTION = 100_000


def fill(url: str, database: Database, shops: int, say: Callable[[str], None]) -> None:
    """Set by set, without the checks of foreign keys: what is filled in fits together."""
    with database.transaction(HERE) as session:
        makers.make_subdistrict(session)
        road, person = makers.make_road(session).id, makers.make_person(session).id
    values = {"here": HERE, "shops": shops, "segments": -(-shops // 100), "visits": VISITS}
    values |= {"road": road, "person": person}
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = psycopg.ClientCursor(connection)
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        cursor.execute(GROUND, values)
        say(f"{shops:,} storefronts")
        for first in range(0, shops, PORTION):
            cursor.execute(PAST, values | {"first": first, "last": first + PORTION - 1})
            say(f"{min(shops, first + PORTION) * VISITS:,} check-ins")
        cursor.execute(CASES, values)
        cursor.execute(STOCK, values)
        say("cases, tenancies, plates")
        for table in FILLED:
            cursor.execute(f"VACUUM ANALYZE {table}".encode())
        say("ready")


class Watch:
    """Seconds of every question, by its first words; and its plan when asked."""

    def __init__(self, database: Database) -> None:
        self.seconds: dict[str, float] = {}
        self.asked: dict[str, tuple[str, Any]] = {}
        event.listen(database.engine, "before_cursor_execute", self._begin)
        event.listen(database.engine, "after_cursor_execute", self._end)

    def _begin(self, connection: Any, *_rest: Any) -> None:
        connection.info["began"] = time.perf_counter()

    def _end(self, connection: Any, _cursor: Any, sql: str, values: Any, *_rest: Any) -> None:
        name = " ".join(sql.split())[:90]
        took = time.perf_counter() - connection.info["began"]
        self.seconds[name] = self.seconds.get(name, 0.0) + took
        self.asked[name] = (sql, values)

    def slowest(self, most: int = 8) -> Iterator[tuple[str, float]]:
        yield from sorted(self.seconds.items(), key=lambda one: -one[1])[:most]


@contextmanager
def stopwatch() -> Iterator[list[float]]:
    took = [0.0]
    began = time.perf_counter()
    yield took
    took[0] = time.perf_counter() - began


def peak_of(pid: int) -> float | None:
    """The most memory a process ever had, in MB, where the system tells."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line for line in lines if line.startswith("VmHWM")]
    return int(found[0].split()[1]) / 1024 if found else None


def measure(database: Database, watch: Watch) -> list[tuple[str, float | None, str, str | None]]:
    """(work, figure, unit, goal)."""
    at, found = clock.now(), []
    with database.transaction(HERE) as session:
        backend = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        role = session.execute(text("SELECT current_user")).scalar_one()
    for night in ("first night", "a night after"):
        with stopwatch() as took:
            report = nightly.run_all(database, at=clock.now())[HERE]
        hints = sum(report.found.values())
        found.append((f"{night}: {hints:,} hints, as {role}", took[0], "s", None))
    found.append(("memory of the worker", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                  "MB", None))  # fmt: skip
    found.append(("memory of its database process", peak_of(backend), "MB", None))
    for kind, (question, _subject) in watch_module.QUESTIONS.items():
        counted = text(f"SELECT count(*) FROM ({question.text}) q")
        values = {"here": HERE, **nightly.times(at)}
        named = set(counted.compile().params)
        with stopwatch() as took, database.transaction(HERE) as session:
            session.execute(counted, {key: one for key, one in values.items() if key in named})
        found.append((f"  question: {kind}", took[0], "s", None))
    found += measure_board(database, at)
    for name, seconds in watch.slowest():
        found.append((f"  {name}", seconds, "s", None))
    return found


def measure_board(database: Database, at: datetime) -> Iterator[tuple[str, float, str, str | None]]:
    """The page's figures as it shows them, as they are kept, and asked of every row."""
    over = dashboards.span(None, at=at)
    for name, goal, act in (
        ("dashboard of the sub-district", "0.5", lambda session: dashboards.board(session, over)),
        ("  all of it asked live", None, lambda session: weekly.heavy(session, over)),
        ("  eight weeks kept", None, lambda session: sums.keep(session, over)),
        ("  the running week kept", None, lambda session: sums.keep(session, sums.running(at))),
    ):
        with stopwatch() as took, database.transaction(HERE) as session:
            session.execute(text("SET LOCAL statement_timeout = 0"))
            act(session)
        yield name, took[0], "s", goal


def plans(database: Database, watch: Watch, console: Console) -> None:
    """How the slowest questions are answered, asked as the app's role."""
    with database.transaction(HERE) as session:
        for name, _seconds in watch.slowest(6):
            sql, values = watch.asked[name]
            if sql.lstrip().upper().startswith(("SELECT", "WITH")) and "INSERT" not in sql:
                rows = session.connection().exec_driver_sql(f"EXPLAIN ANALYZE {sql}", values)
                console.print(name, *(row[0] for row in rows), "", sep="\n", markup=False)


@click.command(help=__doc__)
@click.option("--storefronts", default=50_000, show_default=True)
@click.option("--full", is_flag=True, help="1,000,000 storefronts, 5,000,000 check-ins")
@click.option("--plans", "explain", is_flag=True, help="the plans of the slowest questions")
@click.option("--json", "as_json", is_flag=True, help="one line a figure")
def main(storefronts: int, full: bool, explain: bool, as_json: bool) -> None:
    console = Console(stderr=True)
    shops = 1_000_000 if full else storefronts
    server = databases.server_url(dict(os.environ))
    with databases.clone(server, databases.template(server)) as url:
        database = Database(make_settings(url, Path("var/bench-insight")))
        fill(url, database, shops, lambda said: console.print(f"[dim]{said}"))
        watch = Watch(database)
        rows = measure(database, watch)
        if explain:
            plans(database, watch, console)
        database.engine.dispose()
    table = Table(
        "work", "ours", "unit", title=f"{shops:,} storefronts, {shops * VISITS:,} check-ins"
    )
    for work, ours, unit, goal in rows:
        figure = None if ours is None else round(ours, 2)
        table.add_row(work, str(figure), unit)
        if as_json:
            line = {"work": work.strip(), "ours": figure, "unit": unit, "baseline": None}
            line |= {"baseline_name": None, "ratio": None, "goal": goal}
            print(json.dumps(line, ensure_ascii=False))
    if not as_json:
        Console().print(table)


if __name__ == "__main__":
    main()
