"""Inviting, appointing and retiring people. Verbs: the caller commits."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.accounts import access_keys, passwords, roster, sealing
from roadchief.accounts.access import CAPACITIES, ROLES
from roadchief.accounts.models import Invitation, LoginDirectory, Person, Post, SignInSession
from roadchief.config import Settings
from roadchief.db import new_id, savepoint, tenant_of
from roadchief.errors import BadInput, Conflict, NotFound, WrongState
from roadchief.lib.text import clean

INVITATION_LASTS = timedelta(days=7)
LONGEST_NAME = 60

events.declare(
    {
        "accounts.invited": "a person was made and invited",
        "accounts.password_set": "a person set a password by an invitation or on the account page",
        "accounts.second_factor_set": "a person confirmed a second factor",
        "accounts.second_factor_reset": "an administrator took a second factor away",
        "accounts.appointed": "a post was given",
        "accounts.post_ended": "a post was ended",
        "accounts.retired": "a person was retired",
        "accounts.signed_in": "a person signed in",
        "accounts.signed_out_everywhere": "all of a person's sessions were ended",
    }
)


class HoldsItAlready(Conflict):
    zh = "此人已有“{title}”岗位"
    en = "this person holds the post {title} already"


class LoginTaken(Conflict):
    zh = "登录名 {login} 已被使用"
    en = "the login {login} is taken"


class LastAdministrator(WrongState):
    zh = "这是最后一位系统管理员，请先任命另一位"
    en = "this is the last administrator: appoint another one first"


class InvitationOver(NotFound):
    zh = "邀请链接无效、已使用或已过期，请联系管理员重新邀请"
    en = "this invitation is unknown, used or expired: ask for a new one"


@dataclass(frozen=True)
class Invited:
    person: Person
    token: str


def invite(
    session: Session,
    *,
    name: str,
    login: str,
    by: uuid.UUID | None,
    at: datetime,
    email: str | None = None,
    phone: str | None = None,
) -> Invited:
    """A new person with a link to set a password. Two of one login: the database decides."""
    login, name = clean(login).lower(), clean(name)
    if not is_login(login):
        raise BadInput(
            field="登录名 login", reason_zh="3–64 个字符，不含空格", reason_en="3–64, no spaces"
        )
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BadInput(field="姓名 name", reason_zh="1–60 个字", reason_en="1–60 characters")
    person = Person(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        name=name,
        login=login,
        email=email,
        phone=phone,
        state="invited",
        created_at=at,
    )
    try:
        with savepoint(session):
            session.add(person)
            session.add(
                LoginDirectory(
                    login=login, subdistrict_id=person.subdistrict_id, person_id=person.id
                )
            )
            session.flush()
    except IntegrityError as error:
        raise LoginTaken(login=login) from error
    events.record(session, "accounts.invited", subject=person, by=by, at=at)
    return Invited(person, make_invitation(session, person, at=at))


def is_login(text: str) -> bool:
    """Can this be a login, however many have it?"""
    return 3 <= len(text) <= 64 and text.isprintable() and " " not in text


def make_invitation(session: Session, person: Person, *, at: datetime) -> str:
    """A fresh link; older ones end. A retired person gets none."""
    if person.state == "retired":
        raise WrongState
    session.execute(
        update(Invitation)
        .where(Invitation.subdistrict_id == person.subdistrict_id)
        .where(Invitation.person_id == person.id, Invitation.used_at.is_(None))
        .values(used_at=at)
    )
    token = passwords.new_token()
    session.add(
        Invitation(
            subdistrict_id=person.subdistrict_id,
            person_id=person.id,
            token_hash=passwords.token_hash(token),
            made_at=at,
            expires_at=at + INVITATION_LASTS,
        )
    )
    return f"{person.subdistrict_id}.{token}"


def accept_invitation(
    session: Session, token: str, password: str, *, at: datetime, settings: Settings
) -> Person:
    """Set the password; the link is good once, decided by a conditional update."""
    person = invited_person(session, token, at=at)
    passwords.check_new(
        password, login=person.login, name=person.name, least=settings.password_min_length
    )
    used = session.execute(
        update(Invitation)
        .where(Invitation.subdistrict_id == person.subdistrict_id)
        .where(Invitation.token_hash == passwords.token_hash(token))
        .where(Invitation.used_at.is_(None))
        .values(used_at=at)
    )
    if used.rowcount != 1:  # type: ignore[attr-defined]
        raise InvitationOver
    set_password(session, person, password, at=at, settings=settings)
    return person


def invited_person(session: Session, token: str, *, at: datetime) -> Person:
    person = session.scalar(
        select(Person)
        .join(Invitation, Invitation.person_id == Person.id)
        .where(Person.subdistrict_id == tenant_of(session))
        .where(Invitation.subdistrict_id == tenant_of(session))
        .where(Invitation.token_hash == passwords.token_hash(token))
        .where(Invitation.used_at.is_(None), Invitation.expires_at > at, Person.state != "retired")
    )
    if person is None:
        raise InvitationOver
    return person


def set_password(
    session: Session, person: Person, password: str, *, at: datetime, settings: Settings
) -> None:
    """A new password ends every session that the old one began."""
    person.password_hash = passwords.hash_password(password, settings)
    person.password_set_at = at
    person.state = "active"
    end_sessions(session, person.id, at=at)
    events.record(session, "accounts.password_set", subject=person, by=person.id, at=at)


def confirm_second_factor(
    session: Session, person: Person, secret: str, *, at: datetime, settings: Settings
) -> None:
    """The secret is kept sealed."""
    whose = (person.subdistrict_id, person.id)
    person.totp_secret = sealing.seal(secret, whose=whose, settings=settings)
    person.totp_confirmed_at = at
    events.record(session, "accounts.second_factor_set", subject=person, by=person.id, at=at)


def reset_second_factor(
    session: Session, person: Person, *, by: uuid.UUID | None, at: datetime
) -> None:
    person.totp_secret = person.totp_confirmed_at = person.totp_last_step = None
    end_sessions(session, person.id, at=at)
    access_keys.end_all(session, person.id, by=by, at=at)
    events.record(session, "accounts.second_factor_reset", subject=person, by=by, at=at)


def new_second_factor() -> str:
    return str(pyotp.random_base32())


def appoint(
    session: Session,
    person: Person,
    *,
    role: str,
    capacity: str,
    by: uuid.UUID | None,
    at: datetime,
    title: str | None = None,
    level: int | None = None,
    organisation_id: uuid.UUID | None = None,
    ends_at: datetime | None = None,
) -> Post:
    """Give a post from `at` on. Level and title are the sub-district's own words."""
    if role not in ROLES:
        raise BadInput(field="岗位 role", reason_zh="没有这个岗位", reason_en="no such role")
    if capacity not in CAPACITIES:
        raise BadInput(
            field="身份 capacity", reason_zh="没有这种身份", reason_en="no such capacity"
        )
    if _state_locked(session, person) == "retired":
        raise WrongState
    named = title or ROLES[role][0]
    _not_held_yet(session, person, role, named, organisation_id, at=at)
    if ends_at is not None and ends_at <= at:
        raise BadInput(
            field="任期 until", reason_zh="应晚于现在", reason_en="must lie in the future"
        )
    post = Post(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        person_id=person.id,
        role=role,
        capacity=capacity,
        title=named,
        level=level,
        organisation_id=organisation_id,
        starts_at=at,
        ends_at=ends_at,
    )
    session.add(post)
    session.flush()
    events.record(session, "accounts.appointed", subject=post, by=by, at=at, role=role)
    return post


def _not_held_yet(
    session: Session,
    person: Person,
    role: str,
    title: str,
    organisation_id: uuid.UUID | None,
    *,
    at: datetime,
) -> None:
    held = select(Post.id).where(
        Post.subdistrict_id == tenant_of(session),
        Post.person_id == person.id,
        Post.role == role,
        Post.title == title,
        Post.organisation_id.is_not_distinct_from(organisation_id),
        or_(Post.ends_at.is_(None), Post.ends_at > at),
    )
    if session.scalar(held.limit(1)):
        raise HoldsItAlready(title=title)


def end_post(session: Session, post: Post, *, by: uuid.UUID, at: datetime, because: str) -> None:
    """End a post now. The last administrator stays, also when two are ended at once."""
    if post.role == "admin":
        _keep_one_administrator(session, without=[post.id], at=at)
    ended = session.execute(
        update(Post)
        .where(Post.subdistrict_id == post.subdistrict_id, Post.id == post.id)
        .where(or_(Post.ends_at.is_(None), Post.ends_at > at))
        .values(ends_at=at, ended_because=because)
    )
    if ended.rowcount != 1:  # type: ignore[attr-defined]
        raise WrongState
    events.record(session, "accounts.post_ended", subject=post, by=by, at=at, because=because)


def retire(
    session: Session, person: Person, *, by: uuid.UUID | None, at: datetime, because: str
) -> None:
    """The person signs in no more; posts end; what they did stays."""
    if _state_locked(session, person) == "retired":
        raise WrongState
    posts = roster.running_posts(session, person.id, at=at)
    administrator = [post.id for post in posts if post.role == "admin"]
    if administrator:
        _keep_one_administrator(session, without=administrator, at=at)
    for post in posts:
        post.ends_at, post.ended_because = at, because
    person.state, person.retired_at = "retired", at
    end_sessions(session, person.id, at=at)
    events.record(session, "accounts.retired", subject=person, by=by, at=at, because=because)


def _state_locked(session: Session, person: Person) -> str | None:
    """As it is now: of two who act on a person at once, the second sees what the first did."""
    row = select(Person.state).where(
        Person.subdistrict_id == person.subdistrict_id, Person.id == person.id
    )
    return session.scalar(row.with_for_update())


def end_sessions(session: Session, person_id: uuid.UUID, *, at: datetime) -> int:
    ended = session.execute(
        update(SignInSession)
        .where(SignInSession.subdistrict_id == tenant_of(session))
        .where(SignInSession.person_id == person_id, SignInSession.ended_at.is_(None))
        .values(ended_at=at)
    )
    return int(ended.rowcount)  # type: ignore[attr-defined]


def _keep_one_administrator(session: Session, *, without: list[uuid.UUID], at: datetime) -> None:
    """Lock all administrators' posts in id order, so that two who leave at once wait in turn."""
    posts = session.scalars(
        select(Post.id)
        .where(Post.subdistrict_id == tenant_of(session), Post.role == "admin")
        .where(Post.starts_at <= at, or_(Post.ends_at.is_(None), Post.ends_at > at))
        .order_by(Post.id)
        .with_for_update()
    ).all()
    if not set(posts) - set(without):
        raise LastAdministrator
