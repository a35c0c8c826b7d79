"""Sign-in by an identity provider, against a real one on loopback."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pyotp
import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from joserfc.jwk import RSAKey
from sqlalchemy import select
from werkzeug.test import TestResponse

from roadchief import config
from roadchief.accounts.models import Person, SignInLink
from roadchief.app import create_app
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.events import Event
from roadchief.lib import clock
from tests.accounts import provider as providers
from tests.accounts.provider import Provider
from tests.cast import Cast, sign_in

CODE = 310115004


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providers.running() as provider:
        yield provider


@pytest.fixture
def make_app(settings: Settings, database: Database, provider: Provider) -> Callable[..., Flask]:
    def make(**changes: Any) -> Flask:
        values: dict[str, Any] = {
            "oidc_issuer": provider.address,
            "oidc_client_id": providers.CLIENT,
            "oidc_client_secret": providers.SECRET,
        }
        app = create_app(replace(settings, **(values | changes)), database)
        app.config["WTF_CSRF_ENABLED"] = False
        return app

    return make


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


def walk(client: FlaskClient, start: str = "/sign-in/oidc") -> TestResponse:
    """As a browser: to the provider and back."""
    away = client.get(start)
    assert away.status_code == 302, away.text
    there = requests.get(away.headers["Location"], allow_redirects=False, timeout=5)
    back = there.headers["Location"]
    assert back.startswith("http://127.0.0.1:8000/sign-in/oidc/back?")
    return client.get(back.removeprefix("http://127.0.0.1:8000"))


def test_a_person_of_ours_comes_in_and_is_linked(
    client: FlaskClient, cast: Cast, provider: Provider, database: Database
) -> None:
    patroller = cast["patroller"]
    provider.claims = {"preferred_username": patroller.login.upper()}
    answer = walk(client, "/sign-in/oidc?next=/map/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/map/")
    assert "陈晓雯" in client.get("/account").text
    with database.transaction(CODE) as session:
        link = session.scalars(select(SignInLink)).one()
        assert (link.issuer, link.person_id) == (provider.address, patroller.person.id)
        said = session.scalars(select(Event).where(Event.name == "accounts.signed_in")).one()
        assert said.data == {"by_way": "oidc"}
    asked = provider.asked[0]
    assert len(asked["nonce"]) >= 20
    assert len(asked["state"]) >= 20
    assert "code_verifier" not in asked


def test_the_subject_counts_after_the_first_time(
    app: Flask, cast: Cast, provider: Provider
) -> None:
    provider.claims = {"preferred_username": cast["patroller"].login}
    assert walk(app.test_client()).status_code == 302
    # The name was given to somebody else at the provider: the subject is another one.
    provider.claims = {"preferred_username": cast["patroller"].login, "sub": "somebody-else"}
    answer = walk(app.test_client())
    assert answer.status_code == 409
    assert "已与另一个统一身份账号绑定" in answer.text
    # The same subject under a new name is the same person.
    provider.claims = {"preferred_username": "married.name"}
    client = app.test_client()
    assert walk(client).status_code == 302
    assert "陈晓雯" in client.get("/account").text


def test_an_administrator_unlinks(app: Flask, cast: Cast, provider: Provider) -> None:
    patroller = cast["patroller"]
    provider.claims = {"preferred_username": patroller.login}
    walk(app.test_client())
    admin = app.test_client()
    sign_in(admin, cast["admin"])
    path = f"/admin/people/{patroller.person.id}"
    assert f"{path}/unlink" in admin.get(path).text
    assert admin.post(f"{path}/unlink").status_code == 302
    assert f"{path}/unlink" not in admin.get(path).text
    provider.claims = {"preferred_username": patroller.login, "sub": "somebody-else"}
    assert walk(app.test_client()).status_code == 302


def expired() -> dict[str, Any]:
    now = int(clock.now().timestamp())
    return {"iat": now - 4000, "exp": now - 400}


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["another-client"], "azp": providers.CLIENT},
        {"aud": None},
        {"iss": "http://127.0.0.1:1"},
        {"exp": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 17},
        {"sub": "x" * 300},
        "expired",
    ],
)
def test_a_token_that_is_not_ours_opens_nothing(
    client: FlaskClient, cast: Cast, provider: Provider, wrong: Any
) -> None:
    provider.claims = {"preferred_username": cast["patroller"].login} | (
        expired() if wrong == "expired" else wrong
    )
    answer = walk(client)
    assert answer.status_code == 401
    assert "无法确认" in answer.text
    assert client.get("/account").status_code == 302


def test_a_signature_of_another_key_opens_nothing(
    client: FlaskClient, cast: Cast, provider: Provider
) -> None:
    provider.claims = {"preferred_username": cast["patroller"].login}
    provider.signing = RSAKey.generate_key(2048, {"kid": "one"})
    assert walk(client).status_code == 401


def test_another_state_or_a_second_use_opens_nothing(
    app: Flask, cast: Cast, provider: Provider
) -> None:
    provider.claims = {"preferred_username": cast["patroller"].login}
    client = app.test_client()
    away = client.get("/sign-in/oidc").headers["Location"]
    back = requests.get(away, allow_redirects=False, timeout=5).headers["Location"]
    path = back.removeprefix("http://127.0.0.1:8000")
    other = app.test_client()  # a browser that never left: somebody else's link
    assert other.get(path).status_code == 401
    assert client.get(path.replace("state=", "state=x")).status_code == 401
    assert client.get(path).status_code == 302
    assert app.test_client().get(path).status_code == 401
    for odd in ("", "?error=access_denied", "?code=%00&state=%00", "?iss=http://evil", "?state="):
        assert app.test_client().get(f"/sign-in/oidc/back{odd}").status_code == 401


@pytest.mark.parametrize("state", ["retired", "invited", "unknown", "no claim", "a number"])
def test_nobody_is_made(
    client: FlaskClient, cast: Cast, provider: Provider, database: Database, state: str
) -> None:
    login: Any = {"unknown": "who.is.this", "no claim": None, "a number": 5}.get(
        state, cast["patroller"].login
    )
    if state in ("retired", "invited"):
        with database.transaction(CODE) as session:
            session.get_one(Person, (CODE, cast["patroller"].person.id)).state = state
    provider.claims = {"preferred_username": login}
    answer = walk(client)
    assert answer.status_code == 403
    assert "没有对应的在岗人员" in answer.text
    with database.transaction(CODE) as session:
        assert session.scalars(select(SignInLink)).all() == []


def test_people_of_another_subdistrict_than_the_providers(
    make_app: Callable[..., Flask], cast: Cast, provider: Provider
) -> None:
    client = make_app(oidc_subdistricts="310115004").test_client()
    provider.claims = {"preferred_username": cast.elsewhere["chief_l2"].login}
    assert walk(client).status_code == 403
    provider.claims = {"preferred_username": cast["patroller"].login}
    assert walk(client).status_code == 302


def test_who_comes_in_is_of_the_own_subdistrict_alone(
    client: FlaskClient, cast: Cast, provider: Provider
) -> None:
    provider.claims = {
        "preferred_username": cast.elsewhere["admin"].login,
        "amr": ["pwd", "mfa"],
        "subdistrict_id": CODE,
    }
    assert walk(client).status_code == 302
    assert client.get(f"/admin/people/{cast['patroller'].person.id}").status_code == 404


@pytest.mark.parametrize(
    ("said", "opens"),
    [({"amr": ["pwd", "mfa"]}, True), ({"acr": "mfa"}, True), ({"amr": ["pwd"]}, False)],
)
def test_the_second_factor_of_the_provider_counts_when_it_says_so(
    client: FlaskClient, cast: Cast, provider: Provider, said: dict[str, Any], opens: bool
) -> None:
    provider.claims = {"preferred_username": cast["admin"].login} | said
    answer = walk(client, "/sign-in/oidc?next=/admin/people")
    assert answer.headers["Location"] == ("/admin/people" if opens else "/sign-in/oidc/code")
    assert (client.get("/admin/people").status_code == 200) == opens


def test_else_our_own_second_factor_is_asked(
    client: FlaskClient, cast: Cast, provider: Provider
) -> None:
    admin = cast["admin"]
    provider.claims = {"preferred_username": admin.login}
    walk(client, "/sign-in/oidc?next=/admin/people")
    assert client.get("/account").status_code == 302  # not in yet
    assert "6位数字" in client.get("/sign-in/oidc/code").text
    assert client.post("/sign-in/oidc/code", data={"code": "000000"}).status_code == 422
    code = pyotp.TOTP(admin.totp or "").at(int(clock.now().timestamp()))
    answer = client.post("/sign-in/oidc/code", data={"code": code})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/people")
    assert client.get("/admin/people").status_code == 200


def test_guesses_of_the_code_are_counted(
    client: FlaskClient, cast: Cast, provider: Provider, settings: Settings
) -> None:
    provider.claims = {"preferred_username": cast["admin"].login}
    walk(client)
    for _ in range(settings.sign_in_attempts):
        assert client.post("/sign-in/oidc/code", data={"code": "000000"}).status_code == 422
    assert client.post("/sign-in/oidc/code", data={"code": "000000"}).status_code == 429
    assert client.get("/sign-in/oidc/code").status_code == 200
    assert client.post("/sign-in/oidc/code").status_code == 429


def test_a_claim_that_people_write_themselves_needs_its_mark(
    make_app: Callable[..., Flask], cast: Cast, provider: Provider, database: Database
) -> None:
    app = make_app(oidc_claim="email")
    with database.transaction(CODE) as session:
        from roadchief.accounts import people

        made = people.invite(
            session, name="林", login="lin@example.cn", by=None, at=clock.now()
        ).person
        made.state = "active"
    for mark in (None, False, "true"):
        provider.claims = {"email": "lin@example.cn", "email_verified": mark}
        assert walk(app.test_client()).status_code == 403
    provider.claims = {"email": "Lin@example.cn", "email_verified": True}
    assert walk(app.test_client()).status_code == 302
    assert "email" in provider.asked[-1]["scope"]


def test_a_silent_or_foreign_provider_is_told(
    make_app: Callable[..., Flask], provider: Provider, cast: Cast
) -> None:
    provider.silent = True
    answer = make_app().test_client().get("/sign-in/oidc")
    assert answer.status_code == 503
    assert "没有应答" in answer.text
    provider.silent, provider.issuer = False, "https://somebody.example"
    assert make_app().test_client().get("/sign-in/oidc").status_code == 401
    gone = make_app(oidc_issuer="http://127.0.0.1:9").test_client()
    assert gone.get("/sign-in/oidc").status_code == 503


def test_off_it_is_not_there(settings: Settings, database: Database, cast: Cast) -> None:
    client = create_app(settings, database).test_client()
    assert "oidc" not in client.get("/sign-in").text
    for path in ("/sign-in/oidc", "/sign-in/oidc/back", "/sign-in/oidc/code"):
        assert client.get(path).status_code == 404


def test_the_button_carries_its_label(make_app: Callable[..., Flask], cast: Cast) -> None:
    page = make_app(oidc_label="随申办政务云").test_client().get("/sign-in?next=/map/").text
    assert "随申办政务云" in page
    assert "/sign-in/oidc?next=/map/" in page


@pytest.mark.parametrize(
    "given",
    [
        {"ROADCHIEF_OIDC_ISSUER": "http://idp.example.cn", "ROADCHIEF_OIDC_CLIENT_ID": "x"},
        {"ROADCHIEF_OIDC_ISSUER": "https://idp.example.cn"},
        {"ROADCHIEF_OIDC_ISSUER": "idp", "ROADCHIEF_OIDC_CLIENT_ID": "x"},
        {
            "ROADCHIEF_OIDC_ISSUER": "https://idp.example.cn",
            "ROADCHIEF_OIDC_CLIENT_ID": "x",
            "ROADCHIEF_OIDC_SUBDISTRICTS": "pudong",
        },
    ],
)
def test_odd_settings_stop_the_start(given: dict[str, str]) -> None:
    with pytest.raises(config.BadSetting, match="OIDC"):
        config.load(given)


def test_the_secret_comes_from_a_file(tmp_path: Any) -> None:
    (tmp_path / "secret").write_text("hidden\n")
    known = config.load(
        {
            "ROADCHIEF_OIDC_ISSUER": "https://idp.example.cn",
            "ROADCHIEF_OIDC_CLIENT_ID": "x",
            "ROADCHIEF_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
        }
    )
    assert known.oidc_client_secret == "hidden"
