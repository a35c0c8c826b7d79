"""`roadchief accounts …`"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time

import click
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from roadchief import config
from roadchief.accounts import mail_addresses, people, roster
from roadchief.accounts.access import CAPACITIES, ROLES
from roadchief.accounts.models import Person
from roadchief.db import Database, tenant_of
from roadchief.errors import NotFound
from roadchief.lib import clock
from roadchief.lib.text import clean

PAGE = 500
subdistrict_option = click.option(
    "--subdistrict", required=True, type=click.IntRange(100_000_000, 999_999_999), help="9 digits"
)
role_option = click.option("--role", required=True, type=click.Choice(sorted(ROLES)))
capacity_option = click.option(
    "--capacity", default="cadre", show_default=True, type=click.Choice(sorted(CAPACITIES))
)


class NoSuchLogin(NotFound):
    zh = "本街道没有登录名 {login}"
    en = "no such login in this sub-district: {login}"


class NoSuchSubdistrict(NotFound):
    zh = "没有街道 {code}：先运行 roadchief streets open"
    en = "no sub-district {code}: run `roadchief streets open` first"


@click.group(name="accounts")
def group() -> None:
    """People: create, invite, appoint, retire, list."""


@group.command()
@subdistrict_option
@click.option("--name", required=True)
@click.option("--login", required=True)
@role_option
@capacity_option
def create(subdistrict: int, name: str, login: str, role: str, capacity: str) -> None:
    """Make a person with a post; prints a link for the first password."""
    at = clock.now()
    with _in(subdistrict) as session:
        invited = people.invite(session, name=name, login=login, by=None, at=at)
        people.appoint(session, invited.person, role=role, capacity=capacity, by=None, at=at)
    _hand_over(invited.token)


@group.command()
@subdistrict_option
@click.option("--name", required=True)
@click.option("--login", required=True)
@click.option("--email")
@click.option("--phone")
def invite(subdistrict: int, name: str, login: str, email: str | None, phone: str | None) -> None:
    """Make a person without a post; prints a link for the first password."""
    with _in(subdistrict) as session:
        invited = people.invite(
            session, name=name, login=login, email=email, phone=phone, by=None, at=clock.now()
        )
    _hand_over(invited.token)


@group.command()
@subdistrict_option
@role_option
@capacity_option
@click.option("--title", help="the sub-district's own word; else the role's")
@click.option("--level", type=click.IntRange(1, 9))
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="last day of the post")
@click.argument("login")
def appoint(
    subdistrict: int,
    role: str,
    capacity: str,
    title: str | None,
    level: int | None,
    until: datetime | None,
    login: str,
) -> None:
    """Give a person a post from now on."""
    with _in(subdistrict) as session:
        person = _by_login(session, login)
        people.appoint(
            session,
            person,
            role=role,
            capacity=capacity,
            title=title,
            level=level,
            ends_at=_end_of(until.date()) if until else None,
            by=None,
            at=clock.now(),
        )
    click.echo(f"{person.name}: {title or ROLES[role][0]}")


@group.command("list")
@subdistrict_option
@click.option("--role", type=click.Choice(sorted(ROLES)), help="only those who hold it now")
@click.option("--json", "as_json", is_flag=True, help="one line of JSON a person")
def list_people(subdistrict: int, role: str | None, as_json: bool) -> None:
    """Who is there, with the posts held now."""
    with _in(subdistrict) as session:
        for person, titles in _everybody(session, role, at=clock.now()):
            row = {"login": person.login, "name": person.name, "state": person.state}
            if as_json:
                click.echo(json.dumps(row | {"posts": titles}, ensure_ascii=False))
            else:
                click.echo("\t".join((*row.values(), "、".join(titles) or "-")))


@group.command("reset-password")
@subdistrict_option
@click.argument("login")
def reset_password(subdistrict: int, login: str) -> None:
    """Print a new link to set a password."""
    with _in(subdistrict) as session:
        person = _by_login(session, login)
        token = people.make_invitation(session, person, at=clock.now())
    _hand_over(token)


@group.command("reset-second-factor")
@subdistrict_option
@click.argument("login")
def reset_second_factor(subdistrict: int, login: str) -> None:
    """Take a second factor away; the person sets a new one at the next sign-in."""
    with _in(subdistrict) as session:
        person = _by_login(session, login)
        people.reset_second_factor(session, person, by=None, at=clock.now())
    click.echo(f"{person.name}: second factor taken away")


@group.command()
@subdistrict_option
@click.option("--because", required=True)
@click.argument("login")
def retire(subdistrict: int, because: str, login: str) -> None:
    """Retire a person: posts end, sign-in ends, history stays."""
    with _in(subdistrict) as session:
        person = _by_login(session, login)
        people.retire(session, person, by=None, at=clock.now(), because=because)
    click.echo(f"{person.name} retired")


@group.command("mail-address")
@click.argument("address")
@click.option("--on", "again", is_flag=True, help="its owner asked for mail again")
@click.option(
    "--off", is_flag=True, help="a failure report came to the mailbox of ROADCHIEF_MAIL_FROM"
)
def mail_address(address: str, again: bool, off: bool) -> None:
    """Is mail to a citizen's ADDRESS off (bounced, or refused)? Switch it on or off."""
    if again and off:
        raise click.UsageError("--on or --off")
    settings = config.with_private_parts(config.load(os.environ))
    with Database(settings).transaction(None) as session:
        why = mail_addresses.why_off(session, address, settings)
        if again:
            mail_addresses.switch_on(session, address, settings)
        if off:
            mail_addresses.switch_off(
                session,
                address,
                because=mail_addresses.BOUNCED,
                at=clock.now(),
                settings=settings,
            )
            why = why or mail_addresses.BOUNCED
    click.echo("on" if why is None else f"{'on again, was ' if again else ''}off: {why}")


def _hand_over(token: str) -> None:
    """The whole address: it is copied into a message and opened elsewhere."""
    click.echo(f"{config.load(os.environ).public_url}/invitation/{token}")


@contextmanager
def _in(subdistrict: int) -> Iterator[Session]:
    """One act in a sub-district that is there."""
    with _database().transaction(subdistrict) as session:
        known = text("SELECT 1 FROM subdistrict WHERE id = :code")
        if session.scalar(known, {"code": subdistrict}) is None:
            raise NoSuchSubdistrict(code=subdistrict)
        yield session


def _everybody(
    session: Session, role: str | None, *, at: datetime
) -> Iterator[tuple[Person, list[str]]]:
    number, total = 1, 1
    while (number - 1) * PAGE < total:
        rows, total = roster.page(session, text=None, number=number, size=PAGE)
        posts = roster.posts_of(session, rows, at=at)
        for person in rows:
            held = posts[person.id]
            if role is None or role in {post.role for post in held}:
                yield person, [post.title for post in held]
        number += 1


def _by_login(session: Session, login: str) -> Person:
    wanted = select(Person).where(Person.subdistrict_id == tenant_of(session))
    person = session.scalar(wanted.where(Person.login == clean(login).lower()))
    if person is None:
        raise NoSuchLogin(login=login)
    return person


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), tzinfo=clock.SHANGHAI)


def _database() -> Database:
    return Database(config.with_private_parts(config.load(os.environ)))
