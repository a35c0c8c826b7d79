"""Check-ins taken in, against pgbench running the same SQL act in the same run.

usage: .venv/bin/python scripts/bench/checkin.py [--full] [--json]

Ours is the whole act of a batch: read the JSON, judge, write receipt, check-in, event and job,
commit. pgbench writes one check-in with its event and job a transaction, with as many clients.
--full loads 100,000 storefronts and 1,000,000 past check-ins and lets 1,000 patrollers flush
30 items each; the default is a tenth of it.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from roadchief.accounts.access import Actor
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.demo import district
from roadchief.lib import clock
from roadchief.patrol.phone import checkins, intake
from tests import databases, makers
from tests.conftest import make_settings
from tests.patrol.phone import Phone

CODE = 990000003
CLIENTS = 4
SECONDS = 6
PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"
PAST = """
SET session_replication_role = replica;
SET synchronous_commit = off;
CREATE TEMP TABLE shops AS
  SELECT row_number() OVER () - 1 AS n, id, segment_id, door FROM storefront
  WHERE subdistrict_id = %(here)s;
CREATE INDEX ON shops (n);
CREATE TEMP TABLE past AS
  SELECT gen_random_uuid() AS id, s.id AS shop, s.segment_id, s.door,
    now() - (i %% 180) * interval '1 day' - (i %% 36000) * interval '1 second' AS at, i
  FROM generate_series(1, %(past)s) i
  JOIN shops s ON s.n = i %% (SELECT count(*) FROM shops);
INSERT INTO patrol_item (subdistrict_id, id, kind, body_sha256, person_id, device_id, seq,
  received_at, answer, body)
SELECT %(here)s, id, 'check_in', decode(md5(id::text), 'hex'), %(person)s, %(person)s, i, at,
  '{}', '{}' FROM past;
INSERT INTO check_in (subdistrict_id, id, purpose, person_id, storefront_id, segment_id, how,
  occurred_at, received_at, device_id, place, accuracy_m, radius_m, outcome, reason, rule, photos)
SELECT %(here)s, id, 'patrol', %(person)s, shop, segment_id, 'scan', at, at, %(person)s, door, 10,
  30, CASE WHEN i %% 9 = 0 THEN 'weak' ELSE 'verified' END, 'within', 'reach-1', 0 FROM past;
DROP TABLE past; DROP TABLE shops;
SET session_replication_role = origin;
"""


def load(url: str, database: Database, shops: int, past: int) -> tuple[uuid.UUID, list[uuid.UUID]]:
    """A district with a history; returns its patroller and some storefronts."""
    district.make(database, CODE, shops, at=clock.now() - timedelta(days=400))
    with database.transaction(CODE) as session:
        person = makers.make_person(session, "陈晓雯").id
    values = {"here": CODE, "past": past, "person": person}
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = psycopg.ClientCursor(connection)
        cursor.execute(PAST, values)
        cursor.execute("ANALYZE")
        rows = cursor.execute(
            "SELECT id FROM storefront WHERE subdistrict_id = %s ORDER BY id LIMIT 2000", [CODE]
        ).fetchall()
    return person, [row[0] for row in rows]


def batches(
    person: uuid.UUID, shops: list[uuid.UUID], count: int, size: int, start: int = 0
) -> list[str]:
    """Requests as phones send them, made before the clock runs."""
    phone = Phone(person, datetime.now(UTC))
    return [
        json.dumps(
            [
                phone.check_in(shops[(start + n * size + k) % len(shops)], metres=6)
                for k in range(size)
            ]
        )
        for n in range(count)
    ]


def send(settings: Settings, person: uuid.UUID, work: list[str], until: float, out: Any) -> None:
    """One sender: its own connection, one transaction a request."""
    database = Database(settings)
    by = Actor(person, "陈晓雯", CODE, frozenset({"patroller"}), True)
    with database.transaction(CODE):
        pass
    taken, slow = 0, []
    began = time.perf_counter()
    for raw in work:
        if until and time.perf_counter() - began > until:
            break
        one = time.perf_counter()
        with database.transaction(CODE) as session:
            answers = intake.take(session, json.loads(raw), by=by, at=clock.now())
        slow.append(time.perf_counter() - one)
        taken += sum(answer["status"] == "stored" for answer in answers)
    out.put((taken, time.perf_counter() - began, slow))
    database.engine.dispose()


def time_ours(
    settings: Settings, person: uuid.UUID, works: list[list[str]], until: float
) -> tuple[float, int, list[float]]:
    """(items/s over all senders, items stored, seconds of each request)."""
    out: Any = multiprocessing.Queue()
    senders = [
        multiprocessing.Process(target=send, args=(settings, person, work, until, out))
        for work in works
    ]
    for sender in senders:
        sender.start()
    ends = [out.get() for _ in senders]
    for sender in senders:
        sender.join()
    taken = sum(end[0] for end in ends)
    return taken / max(end[1] for end in ends), taken, [one for end in ends for one in end[2]]


def the_act(settings: Settings, person: uuid.UUID, shop: uuid.UUID) -> str:
    """The SQL that one check-in sends, as a script of pgbench with fresh ids each time."""
    sent: list[dict[str, Any]] = []
    kept = checkins.json.dumps
    checkins.json.dumps = lambda rows, **given: (sent.append(rows), kept(rows, **given))[1]  # type: ignore
    try:
        send_one = json.loads(batches(person, [shop], 1, 1)[0])
        by = Actor(person, "", CODE, frozenset({"patroller"}), True)
        database = Database(settings)
        with database.transaction(CODE) as session:
            intake.take(session, send_one, by=by, at=clock.now())
        database.engine.dispose()
    finally:
        checkins.json.dumps = kept
    (row,) = next(rows for rows in sent if isinstance(rows, list) and "purpose" in rows[0])
    row = json.loads(kept(row, default=checkins._plain, ensure_ascii=True))
    row |= {"id": "@ID@", "event": "@EVENT@"}
    literal = kept([row]).replace("'", "''")
    rows = (
        f"replace(replace('{literal}', '@ID@', gen_random_uuid()::text), '@EVENT@', "
        "gen_random_uuid()::text)"
    )
    act = str(checkins.TAKE_IN).replace(":rows", rows)
    act = re.sub(r":here\b", str(CODE), act).replace(":person", f"'{person}'::uuid")
    act = re.sub(r":at\b", "clock_timestamp()", act)
    job = (
        "SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[ROW('default', 'patrol.weigh', 0, "
        f"NULL, NULL, '{{\"subdistrict_id\": {CODE}}}', NULL)::procrastinate_job_to_defer_v1]))"
    )
    lines = [f"SET LOCAL roadchief.subdistrict = '{CODE}'", act, job]
    return "BEGIN;\n" + "".join(" ".join(line.split()) + ";\n" for line in lines) + "COMMIT;\n"


def time_pgbench(url: str, script: str) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        ended = subprocess.run(
            [
                PGBENCH,
                "-n",
                "-f",
                file.name,
                "-c",
                str(CLIENTS),
                "-j",
                "2",
                "-T",
                str(SECONDS),
                url,
            ],
            env={**os.environ, "PGOPTIONS": "-c role=roadchief_app"},
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"tps = ([0-9.]+)", ended.stdout)
    if found is None or ended.returncode:
        raise SystemExit(ended.stdout + ended.stderr[-2000:])
    return float(found.group(1))


def measure(url: str, settings: Settings, full: bool) -> list[dict[str, Any]]:
    shops, past = (100_000, 1_000_000) if full else (10_000, 100_000)
    walkers = 1000 if full else 100
    database = Database(settings)
    with contextlib.redirect_stdout(sys.stderr):  # figures alone go to standard output
        person, some = load(url, database, shops, past)
    database.engine.dispose()
    baseline = time_pgbench(url, the_act(settings, person, some[0]))
    figures = []
    for work, size, goal in (("batches of 50", 50, 0.5), ("single items", 1, 0.25)):
        many = 100 if size > 1 else 3000
        works = [batches(person, some, many, size, n * 500) for n in range(CLIENTS)]
        rate, _, _ = time_ours(settings, person, works, SECONDS)
        figures.append(figure(f"check-in, {work}", rate, baseline, goal))
    works = [batches(person, some, walkers // CLIENTS, 30, n * 500) for n in range(CLIENTS)]
    began = time.perf_counter()
    _, taken, slow = time_ours(settings, person, works, 0)
    took = time.perf_counter() - began
    lost = walkers // CLIENTS * CLIENTS * 30 - taken
    p95_ms = sorted(slow)[int(len(slow) * 0.95)] * 1000
    flush = f"{walkers} patrollers × 30 items, p95 {p95_ms:.0f} ms a request, {lost} lost"
    figures.append(figure(flush, taken / took, baseline, 0.5))
    return figures


def figure(work: str, rate: float, baseline: float, goal: float) -> dict[str, Any]:
    return {
        "work": work,
        "ours": round(rate),
        "unit": "items/s",
        "baseline": round(baseline),
        "baseline_name": f"pgbench, {CLIENTS} clients, the same act",
        "ratio": round(rate / baseline, 2),
        "goal": goal,
    }


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--full", action="store_true")
    words.add_argument("--json", action="store_true")
    asked = words.parse_args()
    server = databases.server_url(dict(os.environ))
    with (
        tempfile.TemporaryDirectory() as folder,
        databases.clone(server, databases.template(server)) as url,
    ):
        figures = measure(url, make_settings(url, Path(folder)), asked.full)
    if asked.json:
        for row in figures:
            print(json.dumps(row, ensure_ascii=False))
        return
    table = Table(*("work", "ours/s", "pgbench/s", "ratio", "goal"))
    for row in figures:
        table.add_row(*(str(row[key]) for key in ("work", "ours", "baseline", "ratio", "goal")))
    Console().print(table)


if __name__ == "__main__":
    main()
