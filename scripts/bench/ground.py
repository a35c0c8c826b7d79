"""Plans of the ground's hot reads at 100,000 storefronts, looked at as the app's role.

Makes the load district 990000003 beside your own, asks each read of the pages once, explains every
statement that it sent, and names the slowest time and every table that was read from end to end.
Exit 1 when one of the big tables was.

usage: .venv/bin/python scripts/bench/ground.py [--storefronts N] [--json]
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import shapely
from rich.console import Console
from rich.table import Table
from sqlalchemy import event, text
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from roadchief import config
from roadchief.db import Database
from roadchief.demo import district
from roadchief.lib import clock
from roadchief.streets import (
    catalog,
    charge,
    directory,
    human_numbers,
    new_doors,
    outlook,
    place_catalog,
    storefronts,
)
from roadchief.streets.models import PermitArea, Station

CODE = 990000003
BIG = {"storefront", "tenancy", "merchant", "event", "assignment", "storefront_succession"}
# A page that lists the whole sub-district reads its whole table once: that is its work.
COUNTS = {"start: storefronts", "storefronts: vacant"}
FILL = """
DELETE FROM tenancy WHERE subdistrict_id = :here;
DELETE FROM merchant WHERE subdistrict_id = :here;
INSERT INTO merchant (subdistrict_id, id, name, kind)
  SELECT subdistrict_id, id, name, 'sole_trader' FROM storefront WHERE subdistrict_id = :here;
INSERT INTO tenancy (subdistrict_id, id, storefront_id, merchant_id, sign_name, starts_on)
  SELECT subdistrict_id, gen_random_uuid(), id, id, name, DATE '2026-01-01' FROM storefront
  WHERE subdistrict_id = :here;
INSERT INTO event (subdistrict_id, id, name, subject_kind, subject_id, at, data)
  SELECT subdistrict_id, gen_random_uuid(), 'streets.storefront_opened', 'storefront', id,
  opened_at, '{}' FROM storefront WHERE subdistrict_id = :here AND NOT EXISTS
  (SELECT FROM event e WHERE e.subdistrict_id = :here AND e.subject_id = storefront.id);
UPDATE storefront SET frontage = ST_MakeLine(ST_Translate(door, -0.00003, 0),
  ST_Translate(door, 0.00003, 0)), duty_zone = ST_Buffer(door, 0.00003, 1)
  WHERE subdistrict_id = :here
"""
PEOPLE = """
INSERT INTO person (subdistrict_id, id, name, login, state, created_at)
  SELECT :here, gen_random_uuid(), '路长' || n, 'load.' || n, 'active', now()
  FROM generate_series(1, 300) n;
INSERT INTO post (subdistrict_id, id, person_id, role, level, title, capacity, starts_at)
  SELECT subdistrict_id, gen_random_uuid(), id, 'chief_l2', 2, '二级路长', 'cadre',
  now() - interval '1 day' FROM person WHERE subdistrict_id = :here;
INSERT INTO assignment (subdistrict_id, id, post_id, segment_id, starts_at)
  SELECT :here, gen_random_uuid(), p.id, s.id, now() - interval '1 day' FROM
  (SELECT id, row_number() OVER () AS n FROM road_segment WHERE subdistrict_id = :here) s JOIN
  (SELECT id, row_number() OVER () AS n FROM post WHERE subdistrict_id = :here) p
  ON p.n = s.n % 300 + 1 WHERE s.n % 7 > 0
"""


def prepare(database: Database, count: int) -> None:
    """The same district for the same size; rows beside the storefronts by plain statements."""
    with database.transaction(CODE) as session:
        for table in ("assignment", "tenancy", "merchant", "post", "person"):
            session.execute(
                text(f"DELETE FROM {table} WHERE subdistrict_id = :here"), {"here": CODE}
            )
    district.make(database, CODE, count, at=clock.now())
    with database.transaction(CODE) as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in (FILL + ";" + PEOPLE).split(";\n"):
            if statement.strip():
                session.execute(text(statement), {"here": CODE})


Reads = dict[str, Callable[[Session], Any]]


def reads(session: Session) -> Reads:
    """What the pages ask, each with an argument out of the middle of the district."""
    at = clock.now()
    middle = session.execute(
        text(
            "SELECT id, segment_id, human_number, ST_X(door), ST_Y(door) FROM storefront "
            "WHERE subdistrict_id = :here ORDER BY human_number OFFSET 40000 LIMIT 1"
        ),
        {"here": CODE},
    ).one()
    shop, segment_id, number, lon, lat = middle
    row = storefronts.find(session, shop)
    segment, road = catalog.segment(session, segment_id)
    person = session.execute(
        text("SELECT person_id FROM post WHERE subdistrict_id = :here LIMIT 1"), {"here": CODE}
    ).scalar_one()
    box = (lon - 0.002, lat - 0.002, lon + 0.002, lat + 0.002)
    line = shapely.LineString([(lon - 0.01, lat + 0.001), (lon + 0.01, lat + 0.0012)])
    page = {"number": 3, "size": 50}
    places = {"asked": "", "closed": False, **page}
    return {
        "start: storefronts": directory.storefront_count,
        "start: states": lambda s: charge.segment_states(s, at=at),
        "roads": lambda s: directory.roads(s, asked="东西", closed=False, **page),
        "roads: gaps": lambda s: directory.gaps_by_road(s, at=at),
        "road: segments": lambda s: directory.segments_of(s, road.id),
        "segment: storefronts": lambda s: catalog.walk(s, segment_id),
        "segment: chiefs": lambda s: charge.charge(s, at=at, segment_id=segment_id),
        "segment: history": lambda s: catalog.history(s, segment_id),
        "segment: permits": lambda s: directory.permits_along(s, segment_id, clock.local(at)),
        "segment: split foreseen": lambda s: outlook.of_split(s, segment, road, 100, None),
        "segment: door by number": lambda s: new_doors.guess(s, segment, "77号", side=None),
        "road: line foreseen": lambda s: outlook.of_line(s, line),
        "storefronts: page 3": lambda s: directory.storefronts(s, asked="", state="open", **page),
        "storefronts: vacant": lambda s: directory.storefronts(s, asked="", state="vacant", **page),
        "storefronts: on no segment": lambda s: directory.storefronts(
            s, asked="", state="unplaced", **page
        ),
        "storefronts: search": lambda s: directory.storefronts(
            s, asked="桂香面馆", state="open", **page
        ),
        "storefront: tenancies": lambda s: catalog.tenancies(s, shop),
        "storefront: history": lambda s: directory.storefront_history(s, shop),
        "storefront: neighbours": lambda s: directory.neighbours(s, row),
        "storefront: permits": lambda s: directory.permits_at(s, shop, clock.local(at)),
        "storefront: by number": lambda s: directory.storefront_by_number(s, number),
        "storefront: free number": lambda s: human_numbers.free(s, ["SY-DX-0001"]),
        "storefront: locks": lambda s: storefronts.hold(s, {segment_id}, [shop]),
        "drawing: what is near": lambda s: directory.around(s, box),
        "chiefs: overlaps": lambda s: charge.overlaps(s, at=at),
        "chiefs: one person": lambda s: charge.of_person(s, person),
        "permits": lambda s: place_catalog.page(s, PermitArea, **places),
        "stations": lambda s: place_catalog.page(s, Station, **places),
    }


def scans(plan: dict[str, Any]) -> set[str]:
    """Tables that a plan reads from end to end."""
    found = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return found.union(*(scans(part) for part in plan.get("Plans", [])))


def look(session: Session, read: Callable[[Session], Any]) -> tuple[float, set[str]]:
    """Milliseconds of the best of three, and the tables read from end to end."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, sql: str, values: Any, *_rest: Any) -> None:
        if sql.lstrip().upper().startswith(("SELECT", "WITH", "(SELECT")):
            sent.append((sql, values))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    times = []
    for _ in range(3):
        session.expire_all()
        began = time.perf_counter()
        read(session)
        times.append((time.perf_counter() - began) * 1000)
    event.remove(engine, "before_cursor_execute", note)
    end_to_end: set[str] = set()
    for sql, values in sent[: len(sent) // 3 or 1]:
        asked = session.connection().exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", values)
        end_to_end |= scans(asked.scalar_one()[0]["Plan"])
    return min(times), end_to_end


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--storefronts", type=int, default=100_000)
    words.add_argument("--full", action="store_true")
    words.add_argument("--json", action="store_true")
    asked = words.parse_args()
    database = Database(config.with_private_parts(config.load({})))
    prepare(database, asked.storefronts)
    table = Table("read", "ms", "read from end to end")
    bad = False
    with database.transaction(CODE) as session:
        role = session.execute(text("SELECT current_user")).scalar_one()
        for name, read in reads(session).items():
            took, tables = look(session, read)
            wrong = bool(tables & BIG) and name not in COUNTS
            bad |= wrong
            told = ", ".join(sorted(tables)) or "–"
            table.add_row(name, f"{took:.1f}", f"[red]{told}[/red]" if wrong else told)
            if asked.json:
                figure = {"work": name, "ours": round(took, 1), "unit": "ms"}
                print(json.dumps(figure | {"baseline": None, "goal": None}))
    if not asked.json:
        Console().print(f"{asked.storefronts} storefronts, as {role}", table)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
