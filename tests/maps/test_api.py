"""`/api/v1`: the description is true, both ways; programs that fuzz it find no fault of ours."""

import re
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase
from hypothesis import settings as pace
from schemathesis import checks

from roadchief.db import Database
from roadchief.maps import api
from roadchief.maps.collections import COLLECTIONS
from tests.cast import Cast, sign_in
from tests.maps.test_ogc import street

OWN = {"/api/openapi.json", "/api/docs"}


def test_every_route_is_described_and_every_description_is_a_route(app: Flask) -> None:
    described = {
        (path, method)
        for path, doors in api.description("http://x")["paths"].items()
        for method in doors
    }
    known = set()
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/") or rule.rule in OWN:
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            if path in {"/api/v1/{name}", "/api/v1/{name}/{item_id}"}:
                tail = "/{id}" if path.endswith("{item_id}") else ""
                known |= {(f"/api/v1/{name}{tail}", "get") for name in COLLECTIONS}
            else:
                known.add((path, method.lower()))
    assert described == known


def test_the_description_and_its_page_are_served(client: FlaskClient, database: Database) -> None:
    street(database)
    told = client.get("/api/openapi.json").get_json()
    assert told["openapi"].startswith("3.0")
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert "/api/v1/storefronts" in page.get_data(as_text=True)


def test_items_are_flat_paged_and_scoped(
    client: FlaskClient, database: Database, cast: Cast
) -> None:
    street(database)
    first = client.get("/api/v1/storefronts?limit=5").get_json()
    assert len(first["items"]) == 5
    second = client.get(first["next"]).get_json()
    ids = {one["id"] for one in (*first["items"], *second["items"])}
    assert len(ids) == 10
    one = client.get(f"/api/v1/storefronts/{first['items'][0]['id']}").get_json()
    assert one == first["items"][0]
    for closed in ("cases", "check_ins", "findings", "plates", "hints", "duty_zones"):
        assert client.get(f"/api/v1/{closed}").status_code == 401
    assert client.get("/api/v1/persons").status_code == 404
    sign_in(client, cast["chief_l2"])
    for closed in ("check_ins", "findings", "plates", "hints", "duty_zones"):
        assert client.get(f"/api/v1/{closed}").status_code == 200, closed
    client.post("/sign-out")
    sign_in(client, cast["officer"])
    assert client.get("/api/v1/cases").status_code == 200


@pytest.mark.parametrize("role", [None, "operator"])
def test_a_fuzzer_finds_no_fault(
    app: Flask, client: FlaskClient, database: Database, cast: Cast, role: str | None
) -> None:
    """Schemathesis asks every reading door what the description allows, and a little more."""
    street(database)
    cookies: dict[str, str] = {}
    if role:
        sign_in(client, cast[role])
        found = client.get_cookie("roadchief-person-local")
        assert found is not None
        cookies = {"roadchief-person-local": found.value}
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    told: list[str] = []

    def ask(case: Any) -> None:
        answer = case.call(cookies=cookies)
        case.validate_response(
            answer,
            checks=[
                checks.not_a_server_error,
                checks.status_code_conformance,
                checks.content_type_conformance,
                checks.response_schema_conformance,
            ],
        )
        told.append(case.path)

    for operation in schema.get_all_operations():
        asked = operation.ok()
        if asked.method.lower() != "get" or "patrol" in asked.path or "blobs" in asked.path:
            continue
        run = pace(
            max_examples=12,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        from hypothesis import given

        run(given(asked.as_strategy())(ask))()
    assert len(set(told)) > 20
