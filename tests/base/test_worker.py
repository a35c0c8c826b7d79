"""The worker as a process: what the clock asks for, jobs that make jobs, and its end."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from roadchief.accounts import notices
from roadchief.config import ROOT, Settings
from roadchief.db import Database
from roadchief.lib import clock
from tests import makers
from tests.accounts.receivers import Gateway
from tests.conftest import WEIFANG, make_settings

KIND = "issues.unit"
SECRET = "a shared secret of good length"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway()
    made.open()
    yield made
    made.close()


@pytest.fixture
def place(fresh_url: str, tmp_path: Path) -> Settings:
    return make_settings(fresh_url, tmp_path)


@pytest.fixture
def worker(place: Settings, gateway: Gateway) -> Iterator["subprocess.Popen[str]"]:
    given = {
        "DATABASE_URL": place.database_url,
        "OWNER_DATABASE_URL": place.database_url,
        "SECRET_KEY": place.secret_key,
        "VAR_DIR": str(place.var_dir),
        "WEBHOOK_URL": gateway.url,
        "WEBHOOK_SECRET": SECRET,
    }
    kept = {name: value for name, value in os.environ.items() if "ROADCHIEF" not in name}
    process = subprocess.Popen(
        [sys.executable, "-c", "from roadchief import worker; worker.run()"],
        env=kept | {f"ROADCHIEF_{name}": value for name, value in given.items()},
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def until(true: Callable[[], bool], *, within_s: float = 40) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.1)
    return False


def test_the_worker_keeps_the_clock_and_jobs_make_jobs(
    place: Settings, gateway: Gateway, worker: "subprocess.Popen[str]"
) -> None:
    import roadchief.issues.mail.messages  # noqa: F401  declares the kind

    database = Database(replace(place, pool_size=1))
    gateway.answers.append(503)  # so that the job plans another

    def jobs(condition: str) -> int:
        with database.transaction(None) as session:
            sql = f"SELECT count(*) FROM procrastinate_jobs WHERE {condition}"
            return int(session.scalar(text(sql)) or 0)

    with database.transaction(WEIFANG) as session:
        person = makers.make_person(session, phone="13800001234")
        notices.tell(
            session,
            to=person.id,
            address=None,
            kind=KIND,
            subject_id=uuid.uuid4(),
            words={"number": "WF-1"},
            at=clock.now(),
        )
    # Every ten minutes: missed ones are made up for at the start.
    assert until(lambda: jobs("task_name = 'notices.due' AND status = 'succeeded'") >= 1)
    assert until(lambda: jobs("task_name = 'notices.deliver' AND status = 'succeeded'") == 1)
    assert jobs("task_name = 'notices.deliver' AND scheduled_at IS NOT NULL") == 1
    assert jobs("status = 'failed'") == 0
    assert len(gateway.calls) == 1
    assert worker.poll() is None
    worker.send_signal(signal.SIGTERM)
    _said, trouble = worker.communicate(timeout=20)
    assert worker.returncode == 0, trouble
    database.engine.dispose()
