"""A real server and a real browser: what a test writes here is really committed, in a clone."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from roadchief.app import create_app
from roadchief.db import Database
from roadchief.demo import cli as demo
from tests import databases
from tests.conftest import make_settings

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong

MISSING = "/nothing-here"  # the one address that is asked for in vain


@dataclass(frozen=True)
class Site:
    """The demo street, served on loopback."""

    address: str
    var_dir: Path
    database: Database


@pytest.fixture(scope="session")
def site(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with databases.clone(server, databases.template(server)) as url:
        settings = make_settings(url, tmp_path_factory.mktemp("var"))
        database = Database(settings)
        demo.load(database, settings)
        app = create_app(settings, database)
        web = make_server("127.0.0.1", 0, app, threaded=True)
        address = f"http://127.0.0.1:{web.server_port}"
        app.extensions["roadchief.settings"] = replace(settings, public_url=address)
        thread = threading.Thread(target=web.serve_forever, daemon=True)
        thread.start()
        yield Site(address, settings.var_dir, database)
        web.shutdown()
        thread.join()
        web.server_close()
        database.engine.dispose()


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """`open_page("/map/", width=390)`: a page that must stay at home and break no policy."""
    pages: list[Any] = []
    trouble: list[str] = []

    def watch(page: Page) -> None:
        page.on("request", lambda r: _at_home(r.url) or trouble.append(f"foreign: {r.url}"))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on(
            "console",
            lambda said: (
                trouble.append(said.text) if "Content Security Policy" in said.text else None
            ),
        )

    def _at_home(url: str) -> bool:
        return url.startswith((site.address, "data:", "blob:"))

    def open_(path: str, *, width: int = 1440, height: int = 900, **given: Any) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", **given
        )
        context.set_default_timeout(60_000)
        pages.append(context)
        page = context.new_page()
        watch(page)
        answer = page.goto(site.address + path)
        if answer is not None and answer.status >= 400 and path != MISSING:
            trouble.append(f"{path} answered {answer.status}")
        return page

    yield open_
    for context in pages:
        context.close()
    assert trouble == []
