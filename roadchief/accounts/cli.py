"""`roadchief accounts …`"""

import os

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import config
from roadchief.accounts import people
from roadchief.accounts.access import CAPACITIES, ROLES
from roadchief.accounts.models import Person
from roadchief.db import Database, tenant_of
from roadchief.errors import NotFound
from roadchief.lib import clock
from roadchief.lib.text import clean

subdistrict_option = click.option(
    "--subdistrict", required=True, type=click.IntRange(100_000_000, 999_999_999), help="9 digits"
)


class NoSuchLogin(NotFound):
    zh = "没有登录名 {login}"
    en = "no such login: {login}"


@click.group(name="accounts")
def group() -> None:
    """People: create, appoint, retire."""


@group.command()
@subdistrict_option
@click.option("--name", required=True)
@click.option("--login", required=True)
@click.option("--role", required=True, type=click.Choice(sorted(ROLES)))
@click.option("--capacity", default="cadre", type=click.Choice(sorted(CAPACITIES)))
def create(subdistrict: int, name: str, login: str, role: str, capacity: str) -> None:
    """Make a person with a post; prints a link for the first password."""
    at = clock.now()
    with _database().transaction(subdistrict) as session:
        invited = people.invite(session, name=name, login=login, by=None, at=at)
        people.appoint(session, invited.person, role=role, capacity=capacity, by=None, at=at)
    click.echo(f"/invitation/{invited.token}")


@group.command("reset-password")
@subdistrict_option
@click.argument("login")
def reset_password(subdistrict: int, login: str) -> None:
    """Print a new link to set a password."""
    with _database().transaction(subdistrict) as session:
        person = _by_login(session, login)
        click.echo(f"/invitation/{people.make_invitation(session, person, at=clock.now())}")


@group.command()
@subdistrict_option
@click.option("--because", required=True)
@click.argument("login")
def retire(subdistrict: int, because: str, login: str) -> None:
    """Retire a person: posts end, sign-in ends, history stays."""
    with _database().transaction(subdistrict) as session:
        person = _by_login(session, login)
        people.retire(session, person, by=person.id, at=clock.now(), because=because)
    click.echo(f"{person.name} retired")


def _by_login(session: Session, login: str) -> Person:
    wanted = select(Person).where(Person.subdistrict_id == tenant_of(session))
    person = session.scalar(wanted.where(Person.login == clean(login).lower()))
    if person is None:
        raise NoSuchLogin(login=login)
    return person


def _database() -> Database:
    return Database(config.with_private_parts(config.load(os.environ)))
