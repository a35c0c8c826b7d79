"""The door: right and wrong, lockout, codes good once, sessions that end."""

from datetime import datetime, timedelta

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.accounts import passwords, people, sessions
from roadchief.accounts.models import SignInSession
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.errors import BadInput, TooMany
from roadchief.lib import clock
from tests import makers
from tests.cast import PASSWORD, Cast, sign_in


def test_a_chief_signs_in_with_the_second_factor(client: FlaskClient, cast: Cast) -> None:
    answer = sign_in(client, cast["chief_l2"])
    assert answer.status_code == 302
    assert "周建国" in client.get("/account").text


def test_the_cookie_is_bound_to_host_and_https(
    settings: Settings, database: Database, cast: Cast
) -> None:
    from dataclasses import replace

    from roadchief.app import create_app

    app = create_app(replace(settings, public_url="https://lz.example.cn"), database)
    app.config["WTF_CSRF_ENABLED"] = False
    answer = sign_in(app.test_client(), cast["patroller"])
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if "person" in c)
    assert cookie.startswith("__Host-roadchief-person=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in cookie


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "wrong password here"},
        {"login": "nobody.at.all"},
        {"code": "000000"},
        {"code": ""},
        {"login": "x" * 5000, "password": "y" * 100_000},
        {"login": "\x00", "password": "\x00"},
    ],
)
def test_everything_wrong_has_one_answer(
    client: FlaskClient, cast: Cast, wrong: dict[str, str]
) -> None:
    chief = cast["chief_l2"]
    code = pyotp.TOTP(chief.totp or "").at(int(clock.now().timestamp()))
    right = {"login": chief.login, "password": PASSWORD, "code": code}
    answer = client.post("/sign-in", data=right | wrong)
    assert answer.status_code == 401
    assert "登录名、密码或验证码不正确" in answer.text


def test_a_code_is_good_once(app: Flask, cast: Cast) -> None:
    assert sign_in(app.test_client(), cast["admin"]).status_code == 302
    assert sign_in(app.test_client(), cast["admin"]).status_code == 401


def test_the_login_rests_after_too_many_wrong_passwords(
    client: FlaskClient, cast: Cast, settings: Settings
) -> None:
    data = {"login": cast["patroller"].login, "password": "not the right one"}
    for _ in range(settings.sign_in_attempts):
        assert client.post("/sign-in", data=data).status_code == 401
    answer = client.post("/sign-in", data=data | {"password": PASSWORD})
    assert answer.status_code == 429
    assert sign_in(client, cast["steward"]).status_code == 302  # others are not touched


def test_the_window_of_the_lockout_passes(session: Session, settings: Settings) -> None:
    for minute in range(settings.sign_in_attempts):
        at = makers.NOON + timedelta(minutes=minute)
        sessions.count_attempt(session, ["login:x"], at=at, settings=settings)
        session.flush()
    with pytest.raises(TooMany):
        sessions.count_attempt(
            session, ["login:x"], at=makers.NOON + timedelta(minutes=9), settings=settings
        )
    later = makers.NOON + timedelta(seconds=settings.sign_in_window_s + 61)
    sessions.count_attempt(session, ["login:x"], at=later, settings=settings)


def test_a_session_ends_idle_or_old(session: Session, settings: Settings, cast: Cast) -> None:
    person = session.merge(cast["patroller"].person)
    at = makers.NOON
    cookie = sessions.begin(session, person, second_factor=False, device="test", at=at)
    session.flush()
    token = cookie.split(".")[1]
    idle = at + timedelta(seconds=settings.session_idle_s + 1)
    assert sessions.recognise(session, token, at=at + timedelta(minutes=5), settings=settings)
    assert sessions.recognise(session, token, at=idle, settings=settings)  # seen in between
    row = session.scalars(select(SignInSession)).first()
    assert row is not None
    row.seen_at = at + timedelta(seconds=settings.session_absolute_s)
    old = at + timedelta(seconds=settings.session_absolute_s + 1)
    assert sessions.recognise(session, token, at=old, settings=settings) is None
    assert sessions.recognise(session, token + "x", at=at, settings=settings) is None


def test_old_browsers_are_not_listed_and_are_forgotten_after_a_month(
    session: Session, settings: Settings, cast: Cast
) -> None:
    person = session.merge(cast["patroller"].person)
    at, idle = makers.NOON, timedelta(seconds=settings.session_idle_s)
    for began, device in ((at, "phone"), (at + idle, "desk")):
        sessions.begin(session, person, second_factor=False, device=device, at=began)
    session.flush()

    def listed(when: datetime) -> list[str]:
        return [
            one.device for one in sessions.running(session, person.id, at=when, settings=settings)
        ]

    assert listed(at + idle / 2) == ["desk", "phone"]
    assert listed(at + idle * 1.5) == ["desk"]
    assert sessions.forget_ended(session, at=at + timedelta(days=29)) == 0
    assert sessions.forget_ended(session, at=at + timedelta(days=30) + idle / 2) == 1
    assert session.scalars(select(SignInSession.device)).all() == ["desk"]


def test_sign_out_everywhere_ends_other_browsers(app: Flask, cast: Cast) -> None:
    phone, desk = app.test_client(), app.test_client()
    sign_in(phone, cast["steward"])
    sign_in(desk, cast["steward"])
    desk.post("/account/sign-out-everywhere")
    assert phone.get("/account").status_code == 302


def test_retiring_ends_the_session_at_once(app: Flask, cast: Cast) -> None:
    patroller, admin = app.test_client(), app.test_client()
    sign_in(patroller, cast["patroller"])
    sign_in(admin, cast["admin"])
    path = f"/admin/people/{cast['patroller'].person.id}/retire"
    assert admin.post(path, data={"because": "调离"}).status_code == 302
    assert patroller.get("/account").status_code == 302


def test_a_form_without_its_token_changes_nothing(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    sign_in(client, cast["admin"])
    app.config["WTF_CSRF_ENABLED"] = True
    path = f"/admin/people/{cast['patroller'].person.id}/retire"
    answer = client.post(path, data={"because": "x"})
    assert answer.status_code == 400
    assert "页面已过期" in answer.text
    app.config["WTF_CSRF_ENABLED"] = False
    assert sign_in(app.test_client(), cast["patroller"]).status_code == 302


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil", "javascript:x"]
)
def test_next_never_leaves_the_site(client: FlaskClient, cast: Cast, target: str) -> None:
    data = {"login": cast["steward"].login, "password": PASSWORD, "next": target}
    assert client.post("/sign-in", data=data).headers["Location"] == "/start"


@pytest.mark.parametrize(
    ("role", "begins"),
    [
        ("chief_general", "/chief/"),
        ("segment_chief", "/chief/"),
        ("officer", "/desk/"),
        ("operator", "/desk/"),
        ("patroller", "/patrol/"),
        ("steward", "/patrol/"),
        ("merchant", "/merchant/"),
        ("admin", "/admin/"),
        ("auditor", "/admin/people"),
    ],
)
def test_signing_in_leads_to_where_the_day_begins(
    client: FlaskClient, cast: Cast, role: str, begins: str
) -> None:
    assert sign_in(client, cast[role]).headers["Location"] == "/start"
    assert client.get("/start").headers["Location"] == begins
    assert client.get(begins).status_code == 200
    page = client.get("/").text
    assert 'href="/start"' in page
    menu = page[page.index("<nav") : page.index("</nav>")]
    assert menu.index(f'href="{begins}"') == menu.index('href="/')


def test_the_days_beginning_asks_a_visitor_to_sign_in(client: FlaskClient) -> None:
    answer = client.get("/start")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in?next=/start")
    assert 'href="/start"' not in client.get("/").text


def test_an_invitation_sets_a_password_once(
    client: FlaskClient, cast: Cast, database: Database
) -> None:
    with database.transaction(310115004) as session:
        made = people.invite(session, name="新人", login="new.one", by=None, at=clock.now())
    path = f"/invitation/{made.token}"
    assert "新人" in client.get(path).text
    data = {"password": "every morning by the river", "again": "every morning by the river"}
    # What is wrong stands above the form, and the link still works.
    for wrong, why in (({"again": "other"}, "两次不一致"), ({"password": "short"}, "两次不一致"),
                       ({"password": "short", "again": "short"}, "至少")):  # fmt: skip
        again = client.post(path, data=data | wrong)
        assert again.status_code == 422
        assert why in again.text
        assert 'name="again"' in again.text
    assert client.post(path, data=data).status_code == 302
    assert client.post(path, data=data).status_code == 404
    assert client.get("/invitation/310115004.forged").status_code == 404
    assert client.get("/invitation/garbage").status_code == 404
    answer = client.post("/sign-in", data={"login": "new.one", "password": data["password"]})
    assert answer.status_code == 302


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "1234567890123",
        "aaaaaaaaaaaaaaa",
        "chief.one rocks",
        "x" * 300,
        "password1234",
        "1qaz2wsx3edc",
        "woaini1314520",
        "Woaizhongguo123",
        "wang123456789",
        "iloveyou520520",
        "shanghai20261124",
        "Pudong@123456",
        "Roadchief2026",
        "zhoujianguo1975",  # the person's own name, in pinyin
        "abcdefghijkl",
    ],
)
def test_poor_passwords_are_refused(password: str) -> None:
    with pytest.raises(BadInput):
        passwords.check_new(password, login="chief.one", name="周建国", least=12)


@pytest.mark.parametrize(
    "password",
    [
        "every morning by the river",
        "沿着崂山路走一圈吧真好",
        "8f3a1c9e7b2d4056a1f2",
        "".join(chr(0x4E00 + 7 * n) for n in range(256)),
    ],
)
def test_good_passwords_are_taken_fast(password: str) -> None:
    passwords.check_new(password, login="chief.one", name="周建国", least=10)


def test_the_last_administrator_stays(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    sign_in(client, cast["admin"])
    path = f"/admin/people/{cast['admin'].person.id}/retire"
    answer = client.post(path, data={"because": "x"})
    assert answer.status_code == 409
    assert "最后一位系统管理员" in answer.text


def test_a_login_is_taken_once(client: FlaskClient, cast: Cast) -> None:
    sign_in(client, cast["admin"])
    data = {"name": "另一位", "login": cast.elsewhere["admin"].login}
    assert client.post("/admin/people", data=data).status_code == 409
    assert client.post("/admin/people", data=data | {"login": "fresh.one"}).status_code == 200


def test_the_list_of_people_asks_few_questions(client: FlaskClient, cast: Cast, queries) -> None:  # type: ignore[no-untyped-def]
    sign_in(client, cast["admin"])
    with queries() as seen:
        assert "周建国" in client.get("/admin/people").text
    assert len(seen) <= 6, seen.statements
