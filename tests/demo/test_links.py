"""No door that does not open: who follows the links of their pages meets no refusal, no void."""

import json
import re
from collections import deque
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient

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


@pytest.fixture(scope="module")
def town(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Path]]:
    """The demo, whole, in a database of its own."""
    with databases.clone(server, databases.template(server)) as url:
        settings = make_settings(url, tmp_path_factory.mktemp("var"))
        database = Database(settings)
        cli.load(database, settings)
        app = create_app(settings, database)
        app.config.update(WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
        yield app, settings.var_dir
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
def test_every_link_leads_somewhere(town: tuple[Flask, Path], role: str) -> None:
    app, var = town
    client = app.test_client()
    if role:
        sign_in(client, var, role)
    waiting, opened, refused = deque([("/", "")]), dict[str, int](), list[str]()
    known = {"/"}
    while waiting and len(opened) < MOST:
        address, source = waiting.popleft()
        if opened.get(kind(address), 0) >= EACH:
            continue
        opened[kind(address)] = opened.get(kind(address), 0) + 1
        answer = client.get(address)
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
    assert len(opened) >= 4
