"""Two phones at once, killed connections, lost answers: on real connections and real commits."""

import threading
import uuid
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from roadchief.accounts.access import Actor
from roadchief.db import Database
from roadchief.patrol.phone import checkins, intake
from tests.conftest import WEIFANG
from tests.patrol.conftest import AT, Beat, make_beat
from tests.patrol.phone import Phone, bad

TABLES = ("patrol_item", "check_in", "finding", "missed_visit", "event", "procrastinate_jobs")
TRIES = 50  # of a phone for a batch


@pytest.fixture
def street(real: Database) -> Beat:
    with real.transaction(WEIFANG) as session:
        beat = make_beat(session)
        session.expunge_all()
    return beat


def send(real: Database, items: list[Any], by: Actor) -> list[dict[str, Any]]:
    with real.transaction(WEIFANG) as session:
        return intake.take(session, items, by=by, at=AT)


def counted(real: Database) -> dict[str, int]:
    with real.transaction(WEIFANG) as session:
        return {
            table: int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
            for table in TABLES
        }


def items_of(street: Beat, number: int, phone: Phone | None = None) -> list[dict[str, Any]]:
    phone = phone or street.phone
    found = [
        phone.check_in(street.shops[n % 3].id, checklist=bad("WS01")) for n in range(number - 2)
    ]
    miss = {"storefront_id": str(street.shops[0].id), "because": "closed"}
    return [*found, phone.item("missed", miss), phone.item("shift_start", {}, **street.in_shift())]


def at_once(jobs: list[Any]) -> list[Any]:
    ends: list[Any] = [None] * len(jobs)
    start = threading.Barrier(len(jobs))

    def run(place: int) -> None:
        start.wait()
        try:
            ends[place] = jobs[place]()
        except Exception as error:
            ends[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def test_two_phones_send_the_same_at_once(real: Database, street: Beat) -> None:
    items = items_of(street, 20)
    orders = [items, items[::-1], items[7:] + items[:7], items]
    ends = at_once([lambda order=order: send(real, order, street.actor) for order in orders])
    by_item: dict[str, list[str]] = {}
    for end in ends:
        assert not isinstance(end, Exception), end
        for answer in end:
            by_item.setdefault(answer["id"], []).append(answer["status"])
    for said in by_item.values():
        assert sorted(said) == [*["already_stored"] * 3, "stored"]
    found = counted(real)
    assert (found["patrol_item"], found["check_in"], found["finding"]) == (20, 18, 18)


def test_two_bodies_of_one_id_at_once(real: Database, street: Beat) -> None:
    item = street.phone.check_in(street.shops[0].id)
    other = item | {"seq": 99}
    ends = at_once([lambda one=one: send(real, [one], street.actor) for one in (item, other)])
    assert sorted(end[0]["status"] for end in ends) == ["conflict", "stored"]
    assert counted(real)["check_in"] == 1


def test_a_backend_killed_in_the_middle_leaves_nothing(
    real: Database, street: Beat, fresh_url: str
) -> None:
    items = items_of(street, 10)
    before = counted(real)

    def kill(session: Any, **_facts: Any) -> None:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
        with psycopg.connect(fresh_url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])

    checkins.on_finding.append(kill)
    try:
        with pytest.raises(DBAPIError):
            send(real, items, street.actor)
    finally:
        checkins.on_finding.remove(kill)
    assert counted(real) == before
    assert {one["status"] for one in send(real, items, street.actor)} == {"stored"}


def test_a_database_that_goes_away_acknowledges_nothing(
    real: Database, street: Beat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_arguments: Any, **_named: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("server closed the connection"))

    monkeypatch.setattr(checkins, "write", gone)
    with pytest.raises(OperationalError):
        send(real, items_of(street, 4), street.actor)


def test_an_answer_lost_after_the_commit(real: Database, street: Beat) -> None:
    """The window that matters: it is stored, and the phone does not know."""
    items = items_of(street, 12)
    first = send(real, items, street.actor)
    found = counted(real)
    for _ in range(5):
        again = send(real, items, street.actor)
        assert [one["receipt"] for one in again] == [one["receipt"] for one in first]
    assert counted(real) == found


def test_acknowledged_is_stored_under_kills(real: Database, street: Beat, fresh_url: str) -> None:
    """Four senders retry while backends are killed under them; then everything is replayed."""
    phones = [Phone(street.person_id, AT + timedelta(seconds=n)) for n in range(4)]
    work = {n: [items_of(street, 6, phone) for _ in range(12)] for n, phone in enumerate(phones)}
    acknowledged: set[str] = set()
    over = threading.Event()

    def walk(number: int) -> None:
        for batch in work[number]:
            for _attempt in range(TRIES):
                try:
                    said = send(real, batch, street.actor)
                except DBAPIError:
                    continue
                taken = {one["id"] for one in said if one["http"] in (200, 201)}
                acknowledged.update(taken)
                if len(taken) == len(batch):
                    break

    def kill() -> int:
        killed = 0
        with psycopg.connect(fresh_url, autocommit=True) as other:
            while killed < TRIES - 1 and not over.wait(0.15):  # a batch fails once a kill at most
                killed += other.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM "
                    "pg_stat_activity WHERE datname = current_database() AND pid <> "
                    "pg_backend_pid() AND backend_type = 'client backend' "
                    "ORDER BY random() LIMIT 1) x"
                ).fetchone()[0]  # type: ignore[index]
        return killed

    killed: list[int] = []
    killer = threading.Thread(target=lambda: killed.append(kill()))
    killer.start()
    walkers = [threading.Thread(target=walk, args=(number,)) for number in work]
    for walker in walkers:
        walker.start()
    for walker in walkers:
        walker.join()
    over.set()
    killer.join()
    everything = [batch for batches in work.values() for batch in batches]
    ids = {item["id"] for batch in everything for item in batch}
    with real.transaction(WEIFANG) as session:
        stored = set(map(str, session.scalars(text("SELECT id FROM patrol_item"))))
    assert acknowledged == ids
    assert acknowledged <= stored
    found = counted(real)
    assert found["patrol_item"] == len(ids)
    for batch in everything:
        said = send(real, batch, street.actor)
        assert {one["status"] for one in said} == {"already_stored"}
    assert counted(real) == found
    with real.transaction(WEIFANG) as session:
        twice = session.scalar(
            text(
                "SELECT count(*) FROM (SELECT subject_id FROM event "
                "WHERE name = 'patrol.checked_in' GROUP BY 1 HAVING count(*) > 1) x"
            )
        )
        jobs = session.scalar(
            text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'patrol.weigh'")
        )
    assert twice == 0
    assert jobs == found["check_in"]
    assert killed[0] > 0


def test_nothing_of_another_sub_district_is_in_reach(real: Database, street: Beat) -> None:
    item = street.phone.check_in(street.shops[0].id)
    elsewhere = Actor(street.person_id, "x", 310115013, frozenset({"patroller"}), True)
    with real.transaction(310115013) as session:
        (answer,) = intake.take(session, [item], by=elsewhere, at=AT)
    assert answer["reason"]["code"] == "no_place"
    assert uuid.UUID(item["id"])
