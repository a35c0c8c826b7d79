"""`scripts/proof faults`: phones on bad wires against servers that are killed while they answer.

Runs on a database cluster of its own, for it is killed too. After each run the same is asked:
acknowledged ⊆ stored, no id twice, one event and one job an item, replaying changes nothing.
"""

import contextlib
import hashlib
import http.client
import json
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from roadchief import cluster
from roadchief.accounts import sessions
from roadchief.config import ROOT
from roadchief.db import Database
from roadchief.lib import clock
from tests import databases, pictures
from tests.cast import Cast
from tests.conftest import WEIFANG, make_settings
from tests.patrol.phone import Phone, photo, sha
from tests.pwa.street import Shop, lay
from tests.pwa.wire import Fault, Wire

PHONES, ITEMS, BATCH = 8, 30, 10
PATIENCE_S = 90
KEY = "a key for the proof of faults, of good length"
say = Console(stderr=True)
Row = dict[str, object]


@dataclass
class Ground:
    """A street, its people and a running server."""

    own: cluster.Cluster
    root: Path
    url: str
    database: Database
    cookies: list[tuple[Any, str]]
    shops: list[Shop]
    port: int = 0
    server: subprocess.Popen[bytes] | None = None

    def count(self, sql: str, **values: object) -> int:
        with self.database.transaction(WEIFANG) as session:
            return int(session.scalar(text(sql), values) or 0)

    def prints(self) -> dict[str, int]:
        """A fingerprint of every table that a replay could touch."""
        tables = (
            "patrol_item",
            "check_in",
            "missed_visit",
            "event",
            "item_photo",
            "procrastinate_jobs",
        )
        sql = "SELECT coalesce(sum(hashtext(t::text)::bigint), 0) FROM {} t"
        return {name: self.count(sql.format(name)) for name in tables}


@dataclass
class Tally:
    """What phones were told, and what they went through."""

    acked: dict[str, str] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    unanswered: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Caller:
    """A phone's outbox without a screen: sends until each item has its own answer."""

    def __init__(self, ground: Ground, port: int, who: int) -> None:
        self.person_id, self.cookie = ground.cookies[who % len(ground.cookies)]
        self.phone = Phone(self.person_id, clock.now())
        self.shops, self.port, self.chance = ground.shops, port, random.Random(who)
        self.batch = BATCH

    def items(self, count: int) -> list[dict[str, Any]]:
        made = []
        for place in range(count):
            self.phone.at = clock.now()
            shop = self.shops[place % len(self.shops)]
            if place % 5 == 4:
                body = {"storefront_id": str(shop.id), "because": "closed", "note": ""}
                made.append(self.phone.item("missed", body))
            else:
                made.append(self.phone.check_in(shop.id))
        return made

    def ask(self, method: str, path: str, body: bytes, kind: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": kind, "Cookie": f"roadchief-person-local={self.cookie}"}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
            ours = answer.headers.get("X-RoadChief") == "1"
            return answer.status, json.loads(data) if ours else None
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        finally:
            connection.close()

    def send(self, items: list[dict[str, Any]], tally: Tally) -> None:
        """Until everything is acknowledged with its own id and hash."""
        left = {item["id"]: item for item in items}
        until = time.monotonic() + PATIENCE_S
        while left and time.monotonic() < until:
            batch = list(left.values())[: self.batch]
            body = json.dumps({"items": batch}, ensure_ascii=False).encode()
            began = time.monotonic()
            _status, said = self.ask("POST", "/api/v1/sync", body, "application/json")
            with tally.lock:
                tally.waits_s.append(time.monotonic() - began)
                tally.unanswered += said is None
            for answer in (said or {}).get("answers", []):
                item = left.get(answer["id"])
                have = answer["status"] in {"stored", "already_stored"}
                if item and have and answer["body_sha256"] == sha(item):
                    del left[answer["id"]]
                    with tally.lock:
                        tally.acked[answer["id"]] = answer["body_sha256"]
            if left:
                time.sleep(self.chance.uniform(0.02, 0.25))


@contextlib.contextmanager
def laid_out() -> Iterator[Ground]:
    """A cluster, a street and a server of our own; all of it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="roadchief-faults-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        own = cluster.up(root, say=lambda line: say.print(f"· {line}"))
        try:
            template = databases.template(own.superuser_url)
            with databases.clone(own.superuser_url, template) as url:
                ground = furnish(own, root, url)
                try:
                    serve(ground)
                    yield ground
                finally:
                    stop(ground)
                    ground.database.engine.dispose()
        finally:
            cluster.down(root)


def furnish(own: cluster.Cluster, root: Path, url: str) -> Ground:
    settings = make_settings(url, root / "var")
    database = Database(settings)
    cast = Cast(database, settings)
    at = clock.now()
    with database.transaction(WEIFANG) as session:
        shops, _shift, _dead = lay(session, cast, settings)
        cookies = []
        for role in ("patroller", "segment_chief", "road_member", "steward"):
            person = cast[role].person
            cookie = sessions.begin(session, person, second_factor=True, device="proof", at=at)
            cookies.append((person.id, cookie))
    return Ground(own, root, url, database, cookies, shops)


def serve(ground: Ground) -> None:
    """Start the server; started again it keeps its port, as under a service manager."""
    ground.port = ground.port or free_port()
    given = {
        "ROADCHIEF_DATABASE_URL": ground.url,
        "ROADCHIEF_VAR_DIR": str(ground.root / "var"),
        "ROADCHIEF_SECRET_KEY": KEY,
        "ROADCHIEF_PUBLIC_URL": f"http://127.0.0.1:{ground.port}",
        "ROADCHIEF_RATE_LIMIT": "1000000 per minute",
        "ROADCHIEF_LOG_LEVEL": "CRITICAL",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROADCHIEF_")}
    ground.server = subprocess.Popen(
        [ROOT / ".venv/bin/roadchief", "serve", "--port", str(ground.port), "--workers", "2"],
        env=kept | given,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    await_readiness(ground, minded=False)


def mind(ground: Ground) -> None:
    """What a service manager does when the server gave up: start it again."""
    if ground.server and ground.server.poll() is not None:
        serve(ground)


def await_readiness(ground: Ground, *, minded: bool = True) -> None:
    """Until web server and database answer again, as a load balancer would wait."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if minded:
            mind(ground)  # it may give up while we wait
        with contextlib.suppress(OSError, http.client.HTTPException, DBAPIError):
            with contextlib.closing(connected(ground.port)) as asked:
                asked.request("GET", "/readyz")
                ready = asked.getresponse().status == 200
            ground.database.engine.dispose()
            if ready and ground.count("SELECT 1"):
                return
        time.sleep(0.2)
    raise SystemExit("the server does not answer")


def connected(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=5)


def free_port() -> int:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as one:
        return int(one.getsockname()[1])


def stop(ground: Ground) -> None:
    if ground.server:
        ground.server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            ground.server.wait(15)
        ground.server.kill()


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in found.read_text().split()] if found.exists() else []


def kill_web_worker(ground: Ground) -> str:
    """One worker of the web server, never the one that minds them."""
    workers = children(ground.server.pid) if ground.server else []
    if workers:
        os.kill(random.choice(workers), signal.SIGKILL)
    return "web worker"


def kill_backend(ground: Ground) -> str:
    """A PostgreSQL process in the midst of our work: the whole server recovers from its log."""
    with contextlib.suppress(psycopg.Error), psycopg.connect(ground.own.superuser_url) as asked:
        pids = asked.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname LIKE 'rc_test_%'"
            " AND backend_type = 'client backend' ORDER BY state = 'active' DESC"
        ).fetchall()
        if pids:
            os.kill(int(pids[0][0]), signal.SIGKILL)
    return "database process"


def kill_postmaster(ground: Ground) -> str:
    """PostgreSQL as a whole, then started again as after a power cut."""
    pid = int((Path(ground.own.data) / "postmaster.pid").read_text().split()[0])
    offspring = children(pid)
    for one in [pid, *offspring]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    time.sleep(0.5)
    restart(ground)
    return "database"


def restart(ground: Ground) -> None:
    """With the options of before, as a service manager would."""
    told = shlex.split((Path(ground.own.data) / "postmaster.opts").read_text())
    options = shlex.join(told[1:])
    command = [cluster._tool("pg_ctl"), "-D", ground.own.data]
    for _ in range(3):  # what was killed needs a moment until its memory is free
        done = cluster._run_as_account(
            [*command, "-w", "-o", options, "-l", f"{ground.own.data}/again.log", "start"]
        )
        if done.returncode == 0:
            return
        time.sleep(1)
    raise SystemExit(f"the database did not come back: {done.stderr}")


def under_load(
    ground: Ground,
    *,
    rule: Callable[[str], Fault | None] = lambda _line: None,
    killing: Callable[[Ground], str] | None = None,
    every_s: float = 1.5,
    kills: int = 3,
) -> tuple[Tally, Wire, int]:
    """All phones at once through one wire, while something is killed now and then."""
    wire, tally, done = Wire(ground.port), Tally(), threading.Event()
    wire.rule = rule
    callers = [Caller(ground, wire.port, who) for who in range(PHONES)]
    loads = [caller.items(ITEMS) for caller in callers]
    tally.items = [item for load in loads for item in load]
    threads = [
        threading.Thread(target=caller.send, args=(load, tally))
        for caller, load in zip(callers, loads, strict=True)
    ]
    for thread in threads:
        thread.start()
    killed = 0
    while killing and killed < kills and any(thread.is_alive() for thread in threads):
        done.wait(0.3 if killed == 0 else every_s)
        killing(ground)
        killed += 1
        mind(ground)
    while any(thread.is_alive() for thread in threads):
        done.wait(0.5)
        mind(ground)
    for thread in threads:
        thread.join(PATIENCE_S + 30)
    wire.close()
    return tally, wire, killed


def judge(ground: Ground, tally: Tally) -> list[str]:
    """What is wrong after a run; nothing, if all is well."""
    wrong = []
    await_readiness(ground)
    with ground.database.transaction(WEIFANG) as session:
        stored = {
            str(row.id): row.sha
            for row in session.execute(
                text("SELECT id, encode(body_sha256, 'hex') AS sha FROM patrol_item")
            )
        }
        doubled = session.execute(
            text(
                "SELECT subject_id FROM event WHERE name IN"
                " ('patrol.checked_in', 'patrol.missed')"
                " GROUP BY subject_id, name HAVING count(*) > 1"
            )
        ).all()
        jobs = session.execute(
            text(
                "SELECT args ->> 'item_id' FROM procrastinate_jobs WHERE args ? 'item_id'"
                " GROUP BY 1, task_name HAVING count(*) > 1"
            )
        ).all()
    wrong += [f"acknowledged, not stored: {one}" for one in tally.acked if one not in stored]
    wrong += [f"other body: {one}" for one, said in tally.acked.items() if stored.get(one) != said]
    ids = {item["id"] for item in tally.items}
    wrong += [f"never acknowledged: {one}" for one in ids - set(tally.acked)]
    wrong += [f"two events: {one}" for one in doubled] + [f"two jobs: {one}" for one in jobs]
    return wrong + missing_effects(ground, tally) + replayed(ground, tally)


def missing_effects(ground: Ground, tally: Tally) -> list[str]:
    """Each check-in and each reason is a row and an event, no more and no less."""
    wrong = []
    ids = [item["id"] for item in tally.items if item["id"] in tally.acked]
    for kind, table in (("check_in", "check_in"), ("missed", "missed_visit")):
        own = [item["id"] for item in tally.items if item["kind"] == kind and item["id"] in ids]
        rows = ground.count(
            f"SELECT count(*) FROM {table} WHERE id = ANY(CAST(:ids AS uuid[]))", ids=own
        )
        events = ground.count(
            "SELECT count(*) FROM event WHERE subject_id = ANY(CAST(:ids AS uuid[]))"
            " AND name IN ('patrol.checked_in', 'patrol.missed')",
            ids=own,
        )
        if rows != len(own):
            wrong.append(f"{len(own)} {kind} acknowledged, {rows} rows")
        if events != len(own):
            wrong.append(f"{len(own)} {kind} acknowledged, {events} events")
    return wrong


def replayed(ground: Ground, tally: Tally) -> list[str]:
    """Send everything again: each is there already, and no table changes."""
    before = ground.prints()
    wrong = []
    callers = {
        str(person): Caller(ground, ground.port, who)
        for who, (person, _) in enumerate(ground.cookies)
    }
    for item in random.Random(1).sample(tally.items, min(60, len(tally.items))):
        caller = callers[item["person_id"]]
        body = json.dumps({"items": [item]}).encode()
        status, said = caller.ask("POST", "/api/v1/sync", body, "application/json")
        if not status:  # a server whose worker was killed may end a moment later, as a whole
            await_readiness(ground)
            status, said = caller.ask("POST", "/api/v1/sync", body, "application/json")
        answers = (said or {}).get("answers") or [{"status": f"http {status}"}]
        if item["id"] in tally.acked and answers[0]["status"] != "already_stored":
            wrong.append(f"replay answered {answers[0]['status']}")
    if ground.prints() != before:
        wrong.append("a replay changed the tables")
    return wrong


def row(what: str, tried: int, wrong: list[str], note: str) -> Row:
    for line in wrong[:5]:
        say.print(f"  ✗ {line}")
    return {"what": what, "tried": tried, "failed": len(wrong), "note": note}


def now_and_then(kind: str, share: float, **given: Any) -> Callable[[str], Fault | None]:
    chance = random.Random(kind)
    return lambda line: (
        Fault(kind, **given) if "/api/v1/sync" in line and chance.random() < share else None
    )


def load_runs(ground: Ground) -> Iterator[Row]:
    wires: dict[str, Callable[[str], Fault | None]] = {
        "answer lost after commit": now_and_then("lose", 0.4),
        "request cut": now_and_then("cut", 0.3, after=700),
        "connection reset": now_and_then("reset", 0.3),
        "answer held back": now_and_then("hold", 0.2, seconds=1.0),
        "portal answers 200 with HTML": now_and_then("portal", 0.4),
    }
    for what, rule in wires.items():
        tally, wire, _ = under_load(ground, rule=rule)
        yield row(what, len(tally.items), judge(ground, tally), f"{len(wire.faults)} faults")
    for what, killing, kills in (
        ("web worker killed", kill_web_worker, 4),
        ("database process killed", kill_backend, 3),
        ("database killed", kill_postmaster, 1),
    ):
        tally, _, killed = under_load(
            ground, rule=now_and_then("lose", 0.1), killing=killing, kills=kills
        )
        note = f"{killed} kills, {tally.unanswered} requests without an answer"
        yield row(what, len(tally.items), judge(ground, tally), note)


def same_id_other_body(ground: Ground) -> Row:
    caller, wrong = Caller(ground, ground.port, 0), []
    items = caller.items(20)
    caller.send(items, Tally())
    before = ground.prints()
    for item in items:
        other = item | {"seq": item["seq"] + 1000}
        body = json.dumps({"items": [other]}).encode()
        _, said = caller.ask("POST", "/api/v1/sync", body, "application/json")
        if (said or {}).get("answers", [{}])[0].get("status") != "conflict":
            wrong.append(f"answered {said}")
    if ground.prints() != before:
        wrong.append("a conflict changed the tables")
    return row("same id, other body", len(items), wrong, "409 each")


def one_bad_of_five(ground: Ground) -> Row:
    """The database itself refuses the second: its neighbours stand, and it may come again."""
    caller, wrong = Caller(ground, ground.port, 0), []
    items = caller.items(5)
    items[1] = caller.phone.item(
        "missed",
        {"storefront_id": str(ground.shops[0].id), "because": "closed", "note": "proof-of-500"},
    )
    with psycopg.connect(ground.url, autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION break_down() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF NEW.body ->> 'note' = 'proof-of-500' THEN RAISE 'broken on purpose';"
            " END IF; RETURN NEW; END $$"
        )
        owner.execute(
            "CREATE TRIGGER break_down BEFORE INSERT ON patrol_item"
            " FOR EACH ROW EXECUTE FUNCTION break_down()"
        )
        body = json.dumps({"items": items}).encode()
        _, said = caller.ask("POST", "/api/v1/sync", body, "application/json")
        states = [one["status"] for one in (said or {}).get("answers", [])]
        if states != ["stored", "retry", "stored", "stored", "stored"]:
            wrong.append(f"answered {states}")
        owner.execute("DROP TRIGGER break_down ON patrol_item")
        owner.execute("DROP FUNCTION break_down()")
    tally = Tally(items=items)
    caller.send(items, tally)
    wrong += judge(ground, tally)
    return row("500 on item 2 of 5", 5, wrong, "the others stand")


def photos_and_items(ground: Ground) -> Row:
    """Photo before, after, cut and without its item; item without its photo."""
    caller, wrong, tried = Caller(ground, ground.port, 0), [], 0
    for seed in range(4):
        data = pictures.jpeg(seed=100 + seed)
        mark = hashlib.sha256(data).hexdigest()
        address = f"/api/v1/blobs/{mark}"
        item = caller.phone.item(
            "missed",
            {"storefront_id": str(ground.shops[seed].id), "because": "closed", "note": ""},
            photos=[photo(data)],
        )
        sent = {"items": [item]}
        steps: list[tuple[str, str, bytes, str]] = [
            ("PUT", address, data[: len(data) // 2], "422"),
            ("POST", "/api/v1/sync", json.dumps(sent).encode(), "missing"),
            ("PUT", address, data, "201"),
            ("PUT", address, data, "200"),
            ("POST", "/api/v1/sync", json.dumps(sent).encode(), "whole"),
        ]
        if seed % 2:
            steps = [steps[2], steps[3], steps[4]]
        for method, path, body, wanted in steps:
            tried += 1
            kind = "application/json" if method == "POST" else "image/jpeg"
            status, said = caller.ask(method, path, body, kind)
            missing = (said or {}).get("answers", [{}])[0].get("missing_blobs")
            got = {"missing": missing == [mark], "whole": missing == []}.get(wanted)
            if not (got if got is not None else status == int(wanted)):
                wrong.append(f"{method} {wanted}: {status} {said}")
    return row("photo cut, early, late, twice", tried, wrong, "by content hash")


def odd_items(ground: Ground) -> Row:
    """What is late, far, strange or broken is graded or refused alone; never a 500."""
    caller, wrong = Caller(ground, ground.port, 0), []
    shop = ground.shops[0].id
    late = caller.phone.check_in(shop)
    late["times"]["wall"] = (clock.now() - timedelta(days=30)).isoformat()
    ancient = caller.phone.check_in(shop)
    ancient["times"] = {"wall": "2010-01-01T00:00:00Z", "offset_ms": None}
    odd: list[Any] = [late, ancient]
    odd += [caller.phone.check_in(shop, accuracy=value) for value in (None, -1, 0, 1e308, "x")]
    odd += [{}, None, 7, "x", [], {"id": "x"}, {"id": "\x00", "kind": "check_in"}]
    retired = caller.phone.check_in(shop, checklist={"version": "retired-1999", "answers": []})
    odd += [retired]
    bodies = [json.dumps({"items": odd}).encode()]
    nan = json.dumps({"items": [caller.phone.check_in(shop, accuracy=float("nan"))]})
    surrogate = b'{"items":[{"id":"\\ud800","kind":"\\ud800"}]}'
    bodies += [nan.encode(), surrogate, b"[" * 100_000, b"\xff", b"{}", b'{"items":7}', b""]
    for body in bodies:
        status, said = caller.ask("POST", "/api/v1/sync", body, "application/json")
        if status not in (200, 400, 413, 422):
            wrong.append(f"{status} for {body[:60]!r}")
        answers = (said or {}).get("answers", [])
        wrong += [f"tried for ever: {one}" for one in answers if one["status"] == "retry"]
    return row("strange items", len(odd) + len(bodies), wrong, "graded or refused alone")


def prove_faults() -> list[Row]:
    rows: list[Row] = []
    with laid_out() as ground:
        for one in (same_id_other_body, one_bad_of_five, photos_and_items, odd_items):
            rows.append(one(ground))
            say.print(f"· {rows[-1]['what']}: {rows[-1]['failed']} failed")
        for found in load_runs(ground):
            rows.append(found)
            say.print(f"· {found['what']}: {found['failed']} failed, {found['note']}")
    return rows


if __name__ == "__main__":
    sys.exit("run scripts/proof faults")
