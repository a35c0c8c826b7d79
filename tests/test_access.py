"""Every route × every role × own and other sub-district, against the one table."""

import re
import uuid

import pytest
from flask import Flask

from roadchief.accounts import access
from roadchief.accounts.access import ROLES, TABLE, Actor, may
from roadchief.db import Database
from tests import makers
from tests.cast import Cast, sign_in

NOBODY_KNOWS = uuid.UUID("01900000-0000-7000-8000-000000000000")


def routes(app: Flask) -> list[tuple[str, str, str]]:
    """(rule, method, access) of every view of ours."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if rule.endpoint == "static" or rule.endpoint.startswith("health."):
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append((rule.rule, method, getattr(view, "access", "")))
    return found


def address(rule: str, value: uuid.UUID = NOBODY_KNOWS) -> str:
    rule = re.sub(r"<uuid:\w+>", str(value), rule)
    rule = re.sub(r"<int\(signed=True\):(\w)>", "15", rule)
    return rule.replace("<layer>", "streets").replace("<token>", "310115004.x")


def test_every_route_says_who_may_call_it(app: Flask) -> None:
    silent = [rule for rule, _method, access_ in routes(app) if not access_]
    assert silent == []
    actions = {said for *_, said in routes(app) if not said.startswith("public: ")}
    assert actions <= set(TABLE)


def test_nobody_gets_in_without_signing_in(app: Flask, cast: Cast) -> None:
    for rule, method, said in routes(app):
        if said.startswith("public: "):
            continue
        answer = app.test_client().open(address(rule), method=method)
        wanted = (302,) if method == "GET" and not rule.startswith("/api/") else (401,)
        assert answer.status_code in wanted, f"{method} {rule}: {answer.status_code}"


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_reaches_what_the_table_says(app: Flask, cast: Cast, role: str) -> None:
    client = app.test_client()
    assert sign_in(client, cast[role]).status_code == 302
    actor = Actor(cast[role].person.id, "", 310115004, frozenset({role}), bool(cast[role].totp))
    for rule, method, said in routes(app):
        if said.startswith("public: ") or said == "own.account":
            continue
        status = client.open(address(rule), method=method, data={}).status_code
        if may(actor, said).allowed:
            assert status not in (401, 403, 500), f"{role} {method} {rule}: {status}"
        else:
            assert status == 403, f"{role} {method} {rule}: {status}"


def test_another_subdistricts_things_are_not_found(
    app: Flask, cast: Cast, database: Database
) -> None:
    with database.transaction(310115004) as session:
        segment = makers.make_segment(session)
        shop = makers.make_storefront(session, segment)
        person = cast["patroller"].person
    client = app.test_client()
    sign_in(client, cast.elsewhere["admin"])
    for path in (
        f"/admin/streets/segments/{segment.id}",
        f"/admin/streets/storefronts/{shop.id}",
        f"/admin/people/{person.id}",
        f"/map/segments/{segment.id}",
        f"/map/segments/{segment.id}?s=310115004",
        f"/map/storefronts/{shop.id}.json?s=310115004",
    ):
        assert client.get(path).status_code == 404, path
    for path in (
        f"/admin/streets/storefronts/{shop.id}/close",
        f"/admin/streets/segments/{segment.id}/split",
        f"/admin/people/{person.id}/retire",
    ):
        data = {"because": "x", "measure": "50"}
        assert client.post(path, data=data).status_code == 404, path


def test_the_table_names_only_known_roles() -> None:
    for action, holders in TABLE.items():
        assert holders <= set(ROLES), action


def test_elsewhere_is_never_allowed() -> None:
    for role in ROLES:
        actor = Actor(NOBODY_KNOWS, "", 310115004, frozenset({role}), True)
        for action in TABLE:
            assert may(actor, action, subdistrict_id=310115013).reason == "elsewhere"


def test_without_the_second_factor_only_the_own_account(app: Flask) -> None:
    for role in access.SECOND_FACTOR:
        actor = Actor(NOBODY_KNOWS, "", 310115004, frozenset({role}), False)
        for action in TABLE:
            verdict = may(actor, action)
            assert verdict.allowed == (action == "own.account")
