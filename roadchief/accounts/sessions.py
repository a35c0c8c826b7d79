"""Signed-in browsers: begun, recognised, ended; and the counting of wrong passwords."""

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any

import pyotp
from sqlalchemy import ColumnElement, delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.accounts import passwords, sealing
from roadchief.accounts.access import Actor
from roadchief.accounts.models import LoginDirectory, Person, Post, SignInAttempt, SignInSession
from roadchief.config import Settings
from roadchief.db import new_id, tenant_of
from roadchief.errors import NotSignedIn, TooMany

SEEN_EVERY = timedelta(minutes=1)
STEP_S = 30
KEPT_AFTER_END = timedelta(days=30)
DEVICE_LIMIT = 200


class WrongCredentials(NotSignedIn):
    """The same sentence for an unknown login, a wrong password and a wrong code."""

    zh = "登录名、密码或验证码不正确"
    en = "The login, password or code is not right"


def sub_district_of(session: Session, login: str) -> tuple[int, uuid.UUID] | None:
    """Directory: where a login belongs, before anybody is signed in."""
    found = session.get(LoginDirectory, login)
    return (found.subdistrict_id, found.person_id) if found else None


def count_attempt(session: Session, keys: list[str], *, at: datetime, settings: Settings) -> None:
    """Count this attempt for login and address, and refuse past the limit.

    Counted before the password is looked at, under a lock for each key, so that many guesses at
    once cannot pass together. The caller commits it whatever comes after.
    """
    since = at - timedelta(seconds=settings.sign_in_window_s)
    for key in sorted(_key(one) for one in keys):
        session.execute(
            text("SELECT pg_advisory_xact_lock(:key)"),
            {"key": int.from_bytes(key[:8], "big", signed=True)},
        )
        seen = session.execute(
            select(func.count(), func.min(SignInAttempt.at)).where(
                SignInAttempt.key == key, SignInAttempt.at > since
            )
        ).one()
        if seen[0] >= settings.sign_in_attempts:
            rest = seen[1] + timedelta(seconds=settings.sign_in_window_s) - at
            raise TooMany(retry_s=max(1, int(rest.total_seconds())))
        session.add(SignInAttempt(id=new_id(), key=key, at=at))


def forget_attempts(session: Session, login: str) -> None:
    session.execute(delete(SignInAttempt).where(SignInAttempt.key == _key(f"login:{login}")))


def check(
    session: Session,
    person_id: uuid.UUID | None,
    password: str,
    code: str,
    *,
    at: datetime,
    settings: Settings,
) -> tuple[Person, bool]:
    """The person, and whether the second factor was shown. One answer for everything wrong."""
    person = session.get(Person, (tenant_of(session), person_id)) if person_id else None
    right = passwords.is_right(password, person.password_hash if person else None, settings)
    if person is None or not right or person.state != "active":
        raise WrongCredentials
    if person.totp_confirmed_at is None:
        return person, False
    if not take_code(session, person, code, at=at, settings=settings):
        raise WrongCredentials
    return person, True


def take_code(
    session: Session, person: Person, code: str, *, at: datetime, settings: Settings
) -> bool:
    """One time step to either side; each step is good once, decided by the update.

    A secret that is kept in plain text or under the former key is sealed anew on the way.
    """
    whose = (person.subdistrict_id, person.id)
    opened = sealing.unseal(person.totp_secret or "", whose=whose, settings=settings)
    step = matching_step(opened.secret, code, at=at)
    if step is None:
        return False
    values: dict[str, Any] = {"totp_last_step": step}
    if opened.outdated:
        values["totp_secret"] = sealing.seal(opened.secret, whose=whose, settings=settings)
    taken = session.execute(
        update(Person)
        .where(Person.subdistrict_id == person.subdistrict_id, Person.id == person.id)
        .where(or_(Person.totp_last_step.is_(None), Person.totp_last_step < step))
        .values(**values)
    )
    return int(taken.rowcount) == 1  # type: ignore[attr-defined]


def matching_step(secret: str, code: str, *, at: datetime) -> int | None:
    digits = "".join(character for character in code if character.isdigit() and character.isascii())
    now = int(at.timestamp()) // STEP_S
    totp = pyotp.TOTP(secret)
    for step in (now, now - 1, now + 1):
        if len(digits) == 6 and pyotp.utils.strings_equal(totp.at(step * STEP_S), digits):
            return step
    return None


def begin(
    session: Session,
    person: Person,
    *,
    second_factor: bool,
    device: str,
    at: datetime,
    by_way: str = "password",
) -> str:
    """A new session; returns what the cookie holds: `<sub-district>.<token>`."""
    token = passwords.new_token()
    session.add(
        SignInSession(
            subdistrict_id=person.subdistrict_id,
            person_id=person.id,
            token_hash=passwords.token_hash(token),
            began_at=at,
            seen_at=at,
            second_factor=second_factor,
            device=device[:DEVICE_LIMIT],
        )
    )
    events.record(session, "accounts.signed_in", subject=person, by=person.id, at=at, by_way=by_way)
    return f"{person.subdistrict_id}.{token}"


def recognise(
    session: Session, token: str, *, at: datetime, settings: Settings
) -> tuple[Actor, uuid.UUID] | None:
    """Who this cookie is, in two queries; None when it ended, idled too long or grew too old."""
    row = session.execute(
        select(SignInSession, Person)
        .join(Person, Person.id == SignInSession.person_id)
        .where(SignInSession.subdistrict_id == tenant_of(session))
        .where(Person.subdistrict_id == tenant_of(session), Person.state == "active")
        .where(SignInSession.token_hash == passwords.token_hash(token))
        .where(*_still_good(at, settings))
    ).one_or_none()
    if row is None:
        return None
    signed_in, person = row
    roles = session.scalars(
        select(Post.role)
        .where(Post.subdistrict_id == tenant_of(session), Post.person_id == person.id)
        .where(Post.starts_at <= at, or_(Post.ends_at.is_(None), Post.ends_at > at))
    )
    if at - signed_in.seen_at > SEEN_EVERY:
        signed_in.seen_at = at
    actor = Actor(
        person.id, person.name, person.subdistrict_id, frozenset(roles), signed_in.second_factor
    )
    return actor, signed_in.id


def end(session: Session, session_id: uuid.UUID, person_id: uuid.UUID, *, at: datetime) -> None:
    session.execute(
        update(SignInSession)
        .where(SignInSession.subdistrict_id == tenant_of(session))
        .where(SignInSession.id == session_id, SignInSession.person_id == person_id)
        .where(SignInSession.ended_at.is_(None))
        .values(ended_at=at)
    )


def running(
    session: Session, person_id: uuid.UUID, *, at: datetime, settings: Settings
) -> list[SignInSession]:
    """The browsers that this person could go on in, the last used first."""
    return list(
        session.scalars(
            select(SignInSession)
            .where(SignInSession.subdistrict_id == tenant_of(session))
            .where(SignInSession.person_id == person_id, *_still_good(at, settings))
            .order_by(SignInSession.seen_at.desc())
            .limit(50)
        )
    )


def sweep(session: Session, *, at: datetime, settings: Settings) -> None:
    """Forget attempts past the window."""
    window = timedelta(seconds=settings.sign_in_window_s)
    session.execute(delete(SignInAttempt).where(SignInAttempt.at < at - window))


def forget_ended(session: Session, *, at: datetime) -> int:
    """Browsers that ended, or were last seen, a month ago go: which device somebody used is
    personal. What was signed in stays in the events. Answers how many went."""
    last = func.coalesce(SignInSession.ended_at, SignInSession.seen_at)
    gone = session.scalars(
        delete(SignInSession)
        .where(SignInSession.subdistrict_id == tenant_of(session), last < at - KEPT_AFTER_END)
        .returning(SignInSession.id)
    )
    return len(gone.all())


def _still_good(at: datetime, settings: Settings) -> tuple[ColumnElement[bool], ...]:
    """Not ended, not idle for too long, not too old."""
    return (
        SignInSession.ended_at.is_(None),
        SignInSession.seen_at > at - timedelta(seconds=settings.session_idle_s),
        SignInSession.began_at > at - timedelta(seconds=settings.session_absolute_s),
    )


def _key(text_: str) -> bytes:
    return hashlib.sha256(text_.encode()).digest()
