"""The cast: one person of every role in 潍坊新村, and a few from 洋泾."""

from dataclasses import dataclass

import pyotp
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from roadchief.accounts import passwords, people
from roadchief.accounts.access import ROLES, SECOND_FACTOR
from roadchief.accounts.models import Person
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.lib import clock
from tests import makers

PASSWORD = "a walk along the road at dawn"
NAMES = {"admin": "林静", "chief_l2": "周建国", "patroller": "陈晓雯", "officer": "许正"}


@dataclass(frozen=True)
class Player:
    """Somebody of the cast, with what is needed to sign in."""

    role: str
    login: str
    person: Person
    totp: str | None


class Cast:
    """`cast["chief_l2"]` is of 潍坊新村; `cast.elsewhere["admin"]` is of 洋泾."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.here = self._settle(database, settings, 310115004, list(ROLES))
        self.elsewhere = self._settle(
            database, settings, 310115013, ["admin", "chief_l2", "officer"]
        )

    def __getitem__(self, role: str) -> Player:
        return self.here[role]

    def _settle(
        self, database: Database, settings: Settings, code: int, roles: list[str]
    ) -> dict[str, Player]:
        with database.transaction(code) as session:
            makers.make_subdistrict(session, code)
            return {role: self._player(session, settings, code, role) for role in roles}

    def _player(self, session: Session, settings: Settings, code: int, role: str) -> Player:
        at = makers.NOON
        login = f"{role}.{code}"
        person = people.invite(
            session, name=NAMES.get(role, role), login=login, by=None, at=at
        ).person
        person.password_hash = passwords.hash_password(PASSWORD, settings)
        person.state = "active"
        secret = pyotp.random_base32() if role in SECOND_FACTOR else None
        if secret:
            people.confirm_second_factor(session, person, secret, at=at, settings=settings)
        people.appoint(session, person, role=role, capacity="cadre", by=None, at=at)
        return Player(role, login, person, secret)


def sign_in(client: FlaskClient, player: Player) -> TestResponse:
    """Through the door, as a person would; the code of this half minute."""
    code = pyotp.TOTP(player.totp).at(int(clock.now().timestamp())) if player.totp else ""
    return client.post("/sign-in", data={"login": player.login, "password": PASSWORD, "code": code})
