"""Headers, limits, refusals and health: what every answer carries."""

import json
import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from roadchief.config import Settings
from roadchief.db import Database
from roadchief.errors import Conflict
from tests import makers


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nothing-here", "/healthz"])
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert "script-src 'nonce-" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert len(headers["X-Request-Id"]) >= 8


def test_nonces_differ(client: FlaskClient) -> None:
    first, second = (client.get("/").headers["Content-Security-Policy"] for _ in range(2))
    assert first != second


def test_a_request_id_is_taken_over_only_when_it_is_plain(client: FlaskClient) -> None:
    assert (
        client.get("/", headers={"X-Request-Id": "abc-12345"}).headers["X-Request-Id"]
        == "abc-12345"
    )
    given = "x" * 500
    assert client.get("/", headers={"X-Request-Id": given}).headers["X-Request-Id"] != given


def test_refusals_are_pages_for_people_and_json_for_programs(client: FlaskClient) -> None:
    page = client.get("/nothing-here", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "没有找到" in page.text
    answer = client.get("/nothing-here", headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert answer.json["error"] == "NotFound"
    english = client.get("/nothing-here?lang=en")
    assert "Not found" in english.text


def test_a_refusal_that_says_what_to_do_is_not_talked_over(client: FlaskClient) -> None:
    page = client.get("/invitation/310115004.forged", headers={"Accept-Language": "en"})
    assert "<h1>This invitation is unknown, used or expired: ask for a new one</h1>" in page.text
    assert "outside your area" not in page.text
    assert "outside your area" in client.get("/nothing-here?lang=en").text


def test_a_wrong_method_is_said_so(client: FlaskClient) -> None:
    answer = client.delete("/sign-in", headers={"Accept": "application/json"})
    assert answer.status_code == 405
    assert "DELETE" in answer.json["message"]


def test_a_huge_request_is_refused(client: FlaskClient) -> None:
    data = {"login": "x" * 3_000_000, "password": "y"}
    assert client.post("/sign-in", data=data).status_code == 413


def test_our_own_fault_is_recorded_with_its_number(app: Flask) -> None:
    def broken() -> str:
        raise RuntimeError("a secret of ours")

    app.add_url_rule("/broken", view_func=broken)
    answer = app.test_client().get("/broken")
    assert answer.status_code == 500
    assert "a secret of ours" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


def test_a_refusal_raised_anywhere_has_its_status(app: Flask) -> None:
    def refused() -> str:
        raise Conflict

    app.add_url_rule("/refused", view_func=refused)
    assert app.test_client().get("/refused").status_code == 409


def test_health(client: FlaskClient, database: Database) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_metrics_are_for_this_machine_or_the_token(
    client: FlaskClient, settings: Settings, database: Database
) -> None:
    assert "roadchief_requests" in client.get("/metrics").text
    far = {"REMOTE_ADDR": "10.1.2.3"}
    assert client.get("/metrics", environ_overrides=far).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    from roadchief.app import create_app

    guarded = create_app(replace(settings, metrics_token="t" * 20), database).test_client()
    assert guarded.get("/metrics").status_code == 404
    right = {"Authorization": "Bearer " + "t" * 20}
    assert guarded.get("/metrics", headers=right).status_code == 200


def test_when_the_database_is_away_the_page_says_so(settings: Settings) -> None:
    from roadchief.app import create_app

    gone = replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    client = create_app(gone).test_client()
    answer = client.get("/map/")
    assert answer.status_code == 503
    assert "服务暂时不可用" in answer.text
    assert ">再试一次" in re.sub(r"<svg.*?</svg> ", "", answer.text, flags=re.DOTALL)
    assert f'href="tel:{settings.office_phone}"' in answer.text
    assert answer.headers["Retry-After"] == "30"
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_a_database_that_is_away_signs_no_phone_out(settings: Settings) -> None:
    """The limit asks first who it is, and swallows every error: that is no answer to it."""
    from roadchief.app import create_app

    gone = replace(settings, testing=False, database_url="postgresql://nobody@127.0.0.1:1/none")
    client = create_app(gone).test_client()
    client.set_cookie("roadchief-person-local", "310115004.x")
    answer = client.post("/api/v1/sync", json={"items": []})
    assert answer.status_code == 503


def test_the_rate_limit_counts_across_workers(settings: Settings, database: Database) -> None:
    from roadchief.app import create_app

    strict = replace(settings, testing=False, rate_limit="5 per minute")
    one, other = (create_app(strict, database).test_client() for _ in range(2))
    here = {"REMOTE_ADDR": "192.0.2.77"}
    codes = [
        client.get("/sign-in", environ_overrides=here).status_code
        for client in (one, other, one, other, one, other, one)
    ]
    assert codes.count(200) == 5
    assert codes[-1] == 429
    answer = one.get("/sign-in", environ_overrides=here, headers={"Accept": "application/json"})
    assert answer.json["error"] == "TooMany"
    assert int(answer.headers["Retry-After"]) > 0
    assert one.get("/sign-in", environ_overrides={"REMOTE_ADDR": "192.0.2.78"}).status_code == 200


def test_language_and_large_type_are_remembered(client: FlaskClient, database: Database) -> None:
    with database.transaction(310115004) as session:
        makers.make_subdistrict(session)
    assert "Open the map" in client.get("/?lang=en").text
    assert "Open the map" in client.get("/").text
    assert 'class="large"' in client.get("/?type=large").text
    assert 'class="large"' in client.get("/").text


def test_odd_addresses_never_break(client: FlaskClient) -> None:
    for path in (
        "/%00",
        "/%ff%fe",
        "/map/?page=-1&lang=xx",
        "/?lang=" + "x" * 5000,
        "/..%2f..%2fetc",
    ):
        assert client.get(path).status_code in (200, 400, 404), path
    plain = client.application.test_client(use_cookies=False)  # else it drops the header
    for header in ({"Cookie": "roadchief-person-local=" + "9" * 9 + ".x"}, {"Cookie": "\xff=1"}):
        assert plain.get("/", headers=header).status_code == 200
    assert json.loads(client.get("/api/v1/none").data)["error"] == "NotFound"
