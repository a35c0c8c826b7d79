"""Imports whose worker was killed, on a real queue."""

import asyncio
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import procrastinate
import pytest
from sqlalchemy import text

from roadchief import jobs
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.streets.importing import uploads
from roadchief.streets.importing.models import ImportRun
from roadchief.streets.jobs import import_file, revive
from roadchief.streets.models import Storefront
from tests import makers
from tests.conftest import WEIFANG, make_settings

TABLE = "编号,店名,路名,门牌号,经度,纬度\nA1,桂香店,崂山路,501号,121.5181,31.2310\n"
KILLED = """
WITH gone AS (INSERT INTO procrastinate_workers (last_heartbeat)
  VALUES (now() - :silent * interval '1 second') RETURNING id)
UPDATE procrastinate_jobs SET status = 'doing', attempts = :attempts,
  worker_id = (SELECT id FROM gone) WHERE task_name = 'streets.import'
"""


GONE = {"silent": jobs.SILENT_SECONDS + 5, "attempts": 0}


@pytest.fixture
def given(fresh_url: str, tmp_path: Path) -> Iterator[tuple[Database, Settings]]:
    settings = make_settings(fresh_url, tmp_path)
    database = Database(settings)
    jobs.provide(database, settings)
    yield database, settings
    jobs._surroundings.clear()
    database.engine.dispose()


def confirmed(database: Database, settings: Settings) -> uuid.UUID:
    """An import under way, with its job."""
    with database.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
        makers.make_segment(session)
        row = ImportRun(
            subdistrict_id=WEIFANG, id=uuid.uuid4(), what="storefronts", file_name="店.csv",
            file_sha256="0" * 64, source="店", options={"datum": "wgs84", "mapping": {}},
            state="running", started_at=makers.NOON,
        )  # fmt: skip
        session.add(row)
        jobs.later(session, "streets.import", subdistrict_id=WEIFANG, run_id=str(row.id))
    folder = uploads.folder(settings, WEIFANG, row.id)
    folder.mkdir(parents=True)
    (folder / row.file_name).write_text(TABLE, encoding="utf-8")
    return row.id


def killed(database: Database, *, silent: float, attempts: int = 0) -> None:
    with database.transaction(WEIFANG) as session:
        session.execute(text(KILLED), {"silent": silent, "attempts": attempts})


def look_after(database: Database) -> str:
    """What the periodic jobs leave of the import's job."""

    async def go() -> None:
        url = database.engine.url.set(drivername="postgresql")
        connector = procrastinate.PsycopgConnector(
            conninfo=url.render_as_string(hide_password=False)
        )
        with jobs.queue.replace_connector(connector) as queue:
            async with queue.open_async():
                await jobs.revive(timestamp=0)  # type: ignore[call-arg]

    # In a thread of its own: a browser of other tests may have left a running loop in this one.
    with ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, go()).result(60)
    revive(timestamp=0)
    with database.transaction(WEIFANG) as session:
        asked = "SELECT status FROM procrastinate_jobs WHERE task_name = 'streets.import'"
        return str(session.scalar(text(asked)))


def state(database: Database, run_id: uuid.UUID) -> str:
    with database.transaction(WEIFANG) as session:
        return session.get_one(ImportRun, (WEIFANG, run_id)).state


def test_an_import_of_a_killed_worker_is_queued_again(given: tuple[Database, Settings]) -> None:
    database, settings = given
    run_id = confirmed(database, settings)
    killed(database, silent=jobs.SILENT_SECONDS + 5)
    assert look_after(database) == "todo"
    assert state(database, run_id) == "running"
    import_file(subdistrict_id=WEIFANG, run_id=str(run_id))
    assert state(database, run_id) == "done"
    with database.transaction(WEIFANG) as session:
        assert session.query(Storefront).count() == 1


def test_an_import_of_a_living_worker_is_left_alone(given: tuple[Database, Settings]) -> None:
    database, settings = given
    run_id = confirmed(database, settings)
    killed(database, silent=5)
    assert look_after(database) == "doing"
    assert state(database, run_id) == "running"


def test_a_file_that_kills_its_worker_again_and_again_is_left_to_people(
    given: tuple[Database, Settings],
) -> None:
    database, settings = given
    run_id = confirmed(database, settings)
    killed(database, silent=jobs.SILENT_SECONDS + 5, attempts=jobs.MOST_ATTEMPTS)
    assert look_after(database) == "failed"
    assert state(database, run_id) == "stopped"


def test_an_import_without_a_job_ends_and_others_do_not(given: tuple[Database, Settings]) -> None:
    database, settings = given
    run_id = confirmed(database, settings)
    assert look_after(database) == "todo"
    assert state(database, run_id) == "running"
    with database.transaction(WEIFANG) as session:
        session.execute(text("UPDATE procrastinate_jobs SET status = 'failed'"))
    look_after(database)
    assert state(database, run_id) == "stopped"


def test_other_work_of_a_killed_worker_is_queued_again_but_once(
    given: tuple[Database, Settings],
) -> None:
    """A print goes on; of a round that is queued anew already, one is enough."""
    database, settings = given
    confirmed(database, settings)
    with database.transaction(WEIFANG) as session:
        jobs.later(session, "codes.print", subdistrict_id=WEIFANG, batch_id="b")
        jobs.later(session, "issues.watch", timestamp=1)
        session.execute(text(KILLED.replace("= 'streets.import'", "<> ''")), GONE)
        jobs.later(session, "issues.watch", timestamp=2)
        session.execute(text("UPDATE procrastinate_jobs SET queueing_lock = task_name"))
    assert look_after(database) == "todo"
    with database.transaction(WEIFANG) as session:
        asked = "SELECT task_name, status FROM procrastinate_jobs ORDER BY id"
        found = [tuple(row) for row in session.execute(text(asked))]
    assert found == [
        ("streets.import", "todo"),
        ("codes.print", "todo"),
        ("issues.watch", "aborted"),
        ("issues.watch", "todo"),
    ]
