"""`roadchief accounts …`: what it does, and one clear line with exit 2 for what it does not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from roadchief.accounts import mail_addresses
from roadchief.cli import main
from roadchief.db import Database
from tests import makers
from tests.conftest import make_settings

CODE = "310115004"
Run = Callable[..., Result]


@pytest.fixture
def run(fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    settings = make_settings(fresh_url, tmp_path)
    database = Database(settings)
    with database.transaction(310115004) as session:
        makers.make_subdistrict(session)
    database.engine.dispose()
    monkeypatch.setenv("ROADCHIEF_DATABASE_URL", fresh_url)
    monkeypatch.setenv("ROADCHIEF_SECRET_KEY", settings.secret_key)
    monkeypatch.setenv("ROADCHIEF_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("ROADCHIEF_PUBLIC_URL", "https://luzhang.example")

    def run_(*words: str, code: str = CODE) -> Result:
        return CliRunner().invoke(main, ["accounts", *words, "--subdistrict", code])

    return run_


def test_from_nobody_to_a_retired_person(run: Run) -> None:
    made = run("create", "--name", "林静", "--login", "lin.jing", "--role", "admin")
    assert made.exit_code == 0, made.output
    assert made.output.startswith(f"https://luzhang.example/invitation/{CODE}.")
    assert run("invite", "--name", "周建国", "--login", "Zhou", "--phone", "1").exit_code == 0
    given = run("appoint", "zhou", "--role", "chief_l2", "--title", "路长", "--level", "2")
    assert given.exit_code == 0, given.output
    listed = run("list")
    assert "lin.jing\t林静\tinvited\t系统管理员" in listed.output
    assert "zhou\t周建国\tinvited\t路长" in listed.output
    only = run("list", "--role", "chief_l2", "--json").output.splitlines()
    assert [json.loads(line)["login"] for line in only] == ["zhou"]
    again = run("reset-password", "zhou").output
    assert again.startswith(f"https://luzhang.example/invitation/{CODE}.")
    assert run("reset-second-factor", "zhou").exit_code == 0
    assert run("retire", "zhou", "--because", "调离").exit_code == 0
    assert "zhou\t周建国\tretired\t-" in run("list").output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["appoint", "nobody", "--role", "admin"], "no such login"),
        (["retire", "nobody", "--because", "x"], "no such login"),
        (["retire", "lin.jing", "--because", "x"], "last administrator"),
        (["reset-password", "nobody"], "no such login"),
        (["create", "--name", "x", "--login", "lin.jing", "--role", "admin"], "taken"),
        (["create", "--name", "x", "--login", "a b", "--role", "admin"], "3–64"),
        (["create", "--name", " ", "--login", "abc", "--role", "admin"], "1–60"),
        (["invite", "--name", "x", "--login", "LIN.JING"], "taken"),
        (["appoint", "lin.jing", "--role", "patroller", "--until", "2020-01-01"], "future"),
        (["appoint", "lin.jing", "--role", "king"], "Invalid value for '--role'"),
        (["appoint", "lin.jing", "--role", "patroller", "--until", "soon"], "--until"),
        (["list", "--role", "king"], "Invalid value"),
    ],
)
def test_a_refusal_is_one_line_and_exit_2(run: Run, words: list[str], says: str) -> None:
    run("create", "--name", "林静", "--login", "lin.jing", "--role", "admin")
    answer = run(*words)
    assert answer.exit_code == 2
    assert says in answer.output
    assert "Traceback" not in answer.output


def test_an_unknown_subdistrict_is_refused(run: Run) -> None:
    for words in (
        ["list"],
        ["invite", "--name", "x", "--login", "abc"],
        ["create", "--name", "x", "--login", "abc", "--role", "admin"],
    ):
        answer = run(*words, code="999999999")
        assert answer.exit_code == 2
        assert "no sub-district 999999999" in answer.output
    assert run("list", code="12").exit_code == 2


def test_a_retired_person_gets_no_post_and_no_link(run: Run) -> None:
    run("invite", "--name", "周建国", "--login", "zhou")
    run("retire", "zhou", "--because", "调离")
    for words in (
        ["retire", "zhou", "--because", "again"],
        ["appoint", "zhou", "--role", "patroller"],
        ["reset-password", "zhou"],
    ):
        assert run(*words).exit_code == 2, words


def test_no_database_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROADCHIEF_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    answer = run("list")
    assert answer.exit_code == 2
    assert "no database" in answer.output


def test_an_address_is_switched_on_again(run: Run, fresh_url: str, tmp_path: Path) -> None:
    settings = make_settings(fresh_url, tmp_path)
    database = Database(settings)
    with database.transaction(None) as session:
        mail_addresses.switch_off(
            session, "li@example.cn", because="bounced", at=makers.NOON, settings=settings
        )
    database.engine.dispose()

    def ask(*words: str) -> str:
        return CliRunner().invoke(main, ["accounts", "mail-address", *words]).output.strip()

    assert run  # the environment
    assert ask("LI@example.cn") == "off: bounced"
    assert ask("li@example.cn", "--on") == "on again, was off: bounced"
    assert ask("li@example.cn") == "on"
    assert ask("li@example.cn", "--off") == "off: bounced"
    assert ask("li@example.cn") == "off: bounced"
    assert "--on or --off" in ask("li@example.cn", "--off", "--on")
