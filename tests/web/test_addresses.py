"""Whole addresses are those of the settings: a request's Host is whatever its sender wrote."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from roadchief.app import create_app
from roadchief.config import Settings
from roadchief.db import Database
from tests.cast import Cast, sign_in
from tests.maps.test_ogc import street
from tests.test_access import address, routes

PUBLIC = "https://lz.example.gov.cn"
FORGED = "evil.example"
LINKED = [
    "/ogc/",
    "/ogc/collections",
    "/ogc/collections/segments",
    "/ogc/collections/segments/queryables",
    "/ogc/collections/storefronts/items?limit=2",
    "/ogc/api",
    "/api/v1/collections",
    "/api/v1/storefronts?limit=2",
    "/map/data",
    "/api/openapi.json",
    "/tiles/streets.json",
]


@pytest.mark.parametrize("path", LINKED)
def test_links_begin_with_the_public_address(
    settings: Settings, database: Database, path: str
) -> None:
    street(database)
    client = create_app(replace(settings, public_url=PUBLIC + "/"), database).test_client()
    for host in (FORGED, "127.0.0.1:8000", "lz.example.gov.cn"):
        told = client.get(path, base_url=f"http://{host}")
        assert told.status_code == 200
        assert PUBLIC + "/" in told.text
        assert "://" + FORGED not in told.text
        assert "127.0.0.1" not in told.text


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("localhost:5000", "http://localhost:5000"),
        ("127.0.0.1:9", "http://127.0.0.1:9"),
        ("[::1]:8000", "http://[::1]:8000"),
        (FORGED, "http://127.0.0.1:8000"),
        ("localhost.evil.example", "http://127.0.0.1:8000"),
        ("127.0.0.1:8000@evil.example", "http://127.0.0.1:8000"),
    ],
)
def test_on_the_own_machine_every_port_of_it_is_answered(
    app: Flask, database: Database, host: str, site: str
) -> None:
    street(database)
    told = app.test_client().get("/ogc/", environ_overrides={"HTTP_HOST": host})
    if told.status_code == 400:  # no host at all
        return
    assert {link["href"].split("/ogc/")[0] for link in told.get_json()["links"]} == {site}


def test_no_answer_repeats_a_forged_host(app: Flask, database: Database, cast: Cast) -> None:
    """Every view that reads, as a stranger and as an administrator; and redirects of paths."""
    street(database)
    admin = app.test_client()
    sign_in(admin, cast["admin"])
    forged: dict[str, Any] = {"environ_overrides": {"HTTP_HOST": FORGED}}
    for client in (app.test_client(), admin):
        for rule, method, _said in routes(app):
            if method != "GET":
                continue
            path = address(rule).replace("<name>", "segments").rstrip("/") or "/"
            for asked in {path, path + "/"}:
                answer = client.get(asked, **forged)
                assert FORGED not in answer.headers.get("Location", ""), asked
                assert FORGED not in answer.text, asked


def test_a_path_without_its_slash_leads_to_the_path_with_it(app: Flask) -> None:
    for asked, led in (("/ogc?s=310115004", "/ogc/?s=310115004"), ("/ogc//", "/ogc/")):
        answer = app.test_client().get(asked)
        assert answer.status_code == 308
        assert answer.headers["Location"] == led
