"""No door that does not open: who follows the links of their pages meets no refusal, no void.

And no page asks the database for each row of a list.
"""

import json
import re
from collections import Counter, deque
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from roadchief.app import create_app
from roadchief.db import Database
from roadchief.demo import cli
from roadchief.lib import clock
from tests import databases
from tests.conftest import WEIFANG, make_settings

ROLES = [
    "",  # nobody signed in
    "merchant", "patroller", "segment_chief", "steward", "chief_l3", "chief_l2", "chief_l1",
    "officer", "operator", "admin", "auditor",
]  # fmt: skip
HREF = re.compile(r"<a\b[^>]*\shref=\"(/[^\"#]*)")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
PLATE = re.compile(r"(/c|/follow)/[^/?]+")
AWAY = re.compile(r"sign-out|[?&](lang|type)=")
MOST = 130  # pages a role; a kind of page counts once
EACH = 3  # of a kind of page, as many are opened
OFTEN = 3  # a question that a page asks so often is asked for each row of a list
OF_PLACES = {"/"}  # a transaction for each of at most twelve sub-districts
Town = tuple[Flask, Path, list[str]]


@pytest.fixture(scope="module")
def town(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The demo, whole, in a database of its own; and every question to it."""
    with databases.clone(server, databases.template(server)) as url:
        settings = make_settings(url, tmp_path_factory.mktemp("var"))
        database = Database(settings)
        cli.load(database, settings)
        app = create_app(settings, database)
        app.config.update(WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
        asked: list[str] = []

        @event.listens_for(database.engine, "before_cursor_execute")
        def note(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
            if not sql.startswith(("SET LOCAL", "SAVEPOINT", "RELEASE")):
                asked.append(sql)

        yield app, settings.var_dir, asked
        database.engine.dispose()


def sign_in(client: FlaskClient, var: Path, role: str) -> None:
    people: list[dict[str, Any]] = json.loads((var / "demo-people.json").read_text("utf-8"))
    one = next(row for row in people if row["role"] == role and row["subdistrict"] == WEIFANG)
    code = pyotp.TOTP(one["totp"]).at(int(clock.now().timestamp())) if one["totp"] else ""
    given = {"login": one["login"], "password": one["password"], "code": code}
    assert client.post("/sign-in", data=given).status_code == 302


def kind(address: str) -> str:
    return PLATE.sub(r"\1/…", ID.sub("…", urlsplit(address).path))


@pytest.mark.parametrize("role", ROLES)
def test_every_link_leads_somewhere_and_asks_once(town: Town, role: str) -> None:
    app, var, asked = town
    client = app.test_client()
    if role:
        sign_in(client, var, role)
    waiting, opened, refused = deque([("/", "")]), dict[str, int](), list[str]()
    repeated: list[str] = []
    known = {"/"}
    while waiting and len(opened) < MOST:
        address, source = waiting.popleft()
        if opened.get(kind(address), 0) >= EACH:
            continue
        opened[kind(address)] = opened.get(kind(address), 0) + 1
        asked.clear()
        answer = client.get(address)
        if kind(address) not in OF_PLACES:
            often = [(count, sql) for sql, count in Counter(asked).items() if count >= OFTEN]
            repeated += [f"{count} times on {address}: {sql[:200]}" for count, sql in often]
        if answer.status_code >= 400:
            refused.append(f"{answer.status_code} {address} on {source}")
        if answer.mimetype != "text/html" or answer.status_code != 200:
            continue
        for found in HREF.findall(answer.text):
            link = unescape(found)
            if link not in known and not AWAY.search(link):
                known.add(link)
                waiting.append((link, address))
    assert not refused, "\n".join(refused)
    assert not repeated, "\n".join(repeated)
    assert len(opened) >= 4
