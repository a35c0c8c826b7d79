"""One database a test process, one outer transaction a test: commits do no harm."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from roadchief.config import ROOT, Settings
from roadchief.db import Database, enter_tenant, make_engine
from tests import databases
from tests.accounts.receivers import Mailbox
from tests.cast import Cast

WEIFANG = 310115004
YANGJING = 310115013
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
]
STRANGERS = ROOT.parent / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """BROWSER_TRIES=2: a test in the browser that failed is tried again, and said so (R).

    For a busy shared machine, which .ci/run stands on; everywhere else the first failure counts.
    A test named there has a race of its own or has found one: it is mended, not left so.
    """
    again = int(os.environ.get("BROWSER_TRIES", "1")) - 1
    for item in items if again > 0 else []:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.flaky(reruns=again))


@pytest.fixture(scope="session")
def server() -> str:
    return databases.server_url(dict(os.environ))


@pytest.fixture(scope="session")
def test_url(server: str) -> Iterator[str]:
    with databases.clone(server, databases.template(server)) as url:
        yield url


@pytest.fixture
def fresh_url(server: str) -> Iterator[str]:
    """A database for this test alone: for locks, races and migrations."""
    with databases.clone(server, databases.template(server)) as url:
        yield url


@pytest.fixture
def real(fresh_url: str, tmp_path: Path) -> Iterator[Database]:
    """A database with connections of its own, whose commits are commits: for races."""
    database = Database(make_settings(fresh_url, tmp_path))
    yield database
    database.engine.dispose()


@pytest.fixture(scope="session")
def settings(test_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_settings(test_url, tmp_path_factory.mktemp("var"))


def make_settings(url: str, var_dir: Path) -> Settings:
    return Settings(
        database_url=url,
        owner_database_url=url,
        secret_key="a key for tests alone, of good length",
        argon2_memory_kib=64,
        var_dir=var_dir,
        log_level="ERROR",
        testing=True,
    )


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Engine]:
    engine = make_engine(settings.database_url, settings)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        outer = connection.begin()
        yield connection
        outer.rollback()


class OneConnection(Database):
    """The app's database inside the test's transaction: its commits are savepoints."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.turn = threading.RLock()  # an import writes in threads; here they share the connection

    @contextmanager
    def transaction(self, subdistrict_id: int | None) -> Iterator[Session]:
        with self.turn, self._inside(subdistrict_id) as session:
            yield session

    @contextmanager
    def _inside(self, subdistrict_id: int | None) -> Iterator[Session]:
        before = self.connection.exec_driver_sql(
            "SELECT current_setting('roadchief.subdistrict', true)"
        ).scalar()
        session = Session(
            self.connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        )
        with session, session.begin():
            enter_tenant(session, subdistrict_id)
            yield session
        self.connection.exec_driver_sql(f"SET LOCAL roadchief.subdistrict = '{before or ''}'")


@pytest.fixture
def database(connection: Connection) -> Database:
    return OneConnection(connection)


@pytest.fixture
def session(connection: Connection) -> Iterator[Session]:
    """The app role in 潍坊新村; what a test writes is gone afterwards."""
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        enter_tenant(session, WEIFANG)
        yield session


@pytest.fixture
def app(settings: Settings, database: Database) -> Flask:
    from roadchief.app import create_app

    app = create_app(settings, database)
    app.config.update(TESTING=False, WTF_CSRF_ENABLED=False)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def strangers() -> Callable[[str], Path]:
    """Real files written by strangers; a test that needs one skips where they are absent."""

    def find(name: str) -> Path:
        path = STRANGERS / name
        if not path.exists():
            pytest.skip(f"{path} is absent: this test needs real files written by strangers")
        return path

    return find


@dataclass
class Seen:
    """The statements that a block sent."""

    statements: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.statements)


@pytest.fixture
def queries(engine: Engine) -> Callable[[], Any]:
    """`with queries() as seen: …` then `len(seen)`: savepoints and settings are not counted."""

    @contextmanager
    def watch() -> Iterator[Seen]:
        seen = Seen()

        def note(_c: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
            if (
                not sql.lstrip()
                .upper()
                .startswith(("SAVEPOINT", "RELEASE", "SET ", "ROLLBACK", "SELECT CURRENT_SETTING"))
            ):
                seen.statements.append(sql)

        event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return watch


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server on loopback."""
    box = Mailbox()
    box.open()
    yield box
    box.close()


@pytest.fixture
def cast(database: Database, settings: Settings) -> Cast:
    return Cast(database, settings)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one Chromium of this test process: Playwright allows only one of itself a thread."""
    if not Path(CHROMIUM).exists():
        pytest.skip("chromium is absent: apt-get install chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()
