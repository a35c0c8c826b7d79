"""Keys for a person's own programs (QGIS, GDAL, scripts), which have no page to sign in on.

A key reads the open interfaces and nothing else, as the one post that it was made for: it ends
with that post, with the person, at its own last day, or when its person ends it. It is shown
once; we keep its hash.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.accounts import passwords
from roadchief.accounts.access import TABLE, Actor
from roadchief.accounts.models import AccessKey, Person, Post
from roadchief.config import Settings
from roadchief.db import new_id, tenant_of
from roadchief.errors import BadInput, NotFound, NotSignedIn, RuleBroken, TooMany

MOST_KEYS = 10  # running ones of a person
MOST_LISTED = 50
LONGEST_NAME = 60
USED_EVERY = timedelta(minutes=1)  # its last use is written down no more often
KEPT_AFTER_END = timedelta(days=30)
SOON = timedelta(days=14)
FORM = re.compile(r"rck_(?P<place>\d{9})_[\w-]{43}", re.ASCII)
REALM = 'realm="RoadChief"'
ASKED = (f'Basic {REALM}, charset="UTF-8"', f"Bearer {REALM}")
REFUSED = (ASKED[0], f'{ASKED[1]}, error="invalid_token"')

events.declare(
    {
        "accounts.key_made": "a person made a key for an own program, for one post",
        "accounts.key_ended": "a person ended a key, or it ended with the second factor",
    }
)


class KeyNeeded(NotSignedIn):
    zh = "此图层只给有岗位的人看：请先登录，或用“我的账号”里的访问密钥"
    en = "This layer is for people with a post: sign in, or use an access key of your account page"
    challenges = ASKED


class KeyRefused(NotSignedIn):
    """A program showed a key that is good no more, or never was."""

    zh = "访问密钥不正确，请核对后重试，或在“我的账号”里新建"
    en = "This access key is not right: look at it again, or make one on your account page"
    challenges = REFUSED


class KeyEnded(KeyRefused):
    zh = "此访问密钥已停用，请在“我的账号”里新建"
    en = "This access key was ended: make one on your account page"


class KeyExpired(KeyRefused):
    zh = "此访问密钥已过期，请在“我的账号”里新建"
    en = "This access key has expired: make one on your account page"


class KeyWithoutPost(KeyRefused):
    zh = "此访问密钥所属的岗位已结束"
    en = "The post that this access key was made for has ended"


class KeyElsewhere(KeyRefused):
    zh = "此访问密钥属于另一个街镇"
    en = "This access key is of another sub-district"


class TooManyWrongKeys(TooMany):
    challenges = REFUSED


class TooManyKeys(RuleBroken):
    zh = "最多同时有 {most} 把访问密钥，请先停用不再使用的"
    en = "At most {most} access keys at a time: end those that you use no more"


@dataclass(frozen=True)
class Listed:
    """A key as its person sees it. `state`: running, soon, ended, expired or post."""

    key: AccessKey
    post: Post
    state: str


def make(
    session: Session,
    person_id: uuid.UUID,
    post_id: uuid.UUID,
    name: str,
    *,
    second_factor: bool,
    at: datetime,
    settings: Settings,
) -> str:
    """A key for one of one's own posts. What it answers is told once and kept nowhere."""
    _lock(session, person_id)
    post = session.get(Post, (tenant_of(session), post_id))
    if post is None or post.person_id != person_id:
        raise NotFound
    if not post.holds_at(at) or post.role not in TABLE["own.keys"]:
        raise BadInput(
            field="岗位 post", reason_zh="此岗位不能建密钥", reason_en="has no use for a key"
        )
    if _running(session, person_id, at=at) >= MOST_KEYS:
        raise TooManyKeys(most=MOST_KEYS)
    token = f"rck_{tenant_of(session)}_{passwords.new_token()}"
    row = AccessKey(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        person_id=person_id,
        post_id=post_id,
        name=name,
        token_hash=passwords.token_hash(token),
        hint=token[-4:],
        second_factor=second_factor,
        made_at=at,
        expires_at=at + timedelta(days=settings.access_key_days),
    )
    session.add(row)
    session.flush()
    events.record(
        session, "accounts.key_made", subject=row, by=person_id, at=at, name=name, role=post.role
    )
    return token


def end(session: Session, key_id: uuid.UUID, person_id: uuid.UUID, *, at: datetime) -> None:
    """One's own, at once. Ending an ended one changes nothing."""
    row = session.scalar(_keys(session, person_id).where(AccessKey.id == key_id).with_for_update())
    if row is None:
        raise NotFound
    _end(session, row, by=person_id, at=at)


def end_all(session: Session, person_id: uuid.UUID, *, by: uuid.UUID | None, at: datetime) -> None:
    for row in session.scalars(_keys(session, person_id).with_for_update()):
        _end(session, row, by=by, at=at)


def place_of(token: str) -> int | None:
    """The sub-district that a key names; None where it is no key of ours at all."""
    found = FORM.fullmatch(token)
    return int(found["place"]) if found else None


def recognise(session: Session, token: str, *, at: datetime) -> Actor | None:
    """Whose key this is, with the rights of its post alone. None where nobody has it; whoever
    has one that is over is told why."""
    found = session.execute(
        select(AccessKey, Person, Post)
        .join(Person, Person.id == AccessKey.person_id)
        .join(Post, Post.id == AccessKey.post_id)
        .where(*(one.subdistrict_id == tenant_of(session) for one in (AccessKey, Person, Post)))
        .where(AccessKey.token_hash == passwords.token_hash(token))
    ).one_or_none()
    if found is None:
        return None
    key, person, post = found
    refused = {"ended": KeyEnded, "expired": KeyExpired, "post": KeyWithoutPost}.get(
        _state(key, post, at) if person.state == "active" else "post"
    )
    if refused:
        raise refused
    if key.used_at is None or at - key.used_at > USED_EVERY:
        key.used_at = at
    return Actor(
        person.id,
        person.name,
        person.subdistrict_id,
        frozenset({post.role}),
        key.second_factor,
        post.id,
    )


def listing(session: Session, person_id: uuid.UUID, *, at: datetime) -> list[Listed]:
    """A person's keys, those that still open first, then the newest; those long over are gone."""
    over = or_(AccessKey.ended_at.is_not(None), AccessKey.expires_at <= at)
    rows = session.execute(
        select(AccessKey, Post)
        .join(Post, Post.id == AccessKey.post_id)
        .where(*(one.subdistrict_id == tenant_of(session) for one in (AccessKey, Post)))
        .where(AccessKey.person_id == person_id)
        .order_by(over, AccessKey.made_at.desc(), AccessKey.id.desc())
        .limit(MOST_LISTED)
    )
    return [Listed(key, post, _state(key, post, at)) for key, post in rows]


def forget_ended(session: Session, *, at: datetime) -> int:
    """Keys that ended or expired a month ago; what was made and ended stays in the events."""
    over = func.least(AccessKey.ended_at, AccessKey.expires_at)
    gone = session.scalars(
        delete(AccessKey)
        .where(AccessKey.subdistrict_id == tenant_of(session), over < at - KEPT_AFTER_END)
        .returning(AccessKey.id)
    )
    return len(gone.all())


def _keys(session: Session, person_id: uuid.UUID) -> Select[AccessKey]:
    return select(AccessKey).where(
        AccessKey.subdistrict_id == tenant_of(session), AccessKey.person_id == person_id
    )


def _end(session: Session, row: AccessKey, *, by: uuid.UUID | None, at: datetime) -> None:
    if row.ended_at is None:
        row.ended_at = at
        events.record(session, "accounts.key_ended", subject=row, by=by, at=at, name=row.name)


def _lock(session: Session, person_id: uuid.UUID) -> None:
    """Of two keys made at once the second is counted after the first."""
    one = select(Person.id).where(
        Person.subdistrict_id == tenant_of(session), Person.id == person_id
    )
    session.execute(one.with_for_update())


def _running(session: Session, person_id: uuid.UUID, *, at: datetime) -> int:
    keys = listing(session, person_id, at=at)
    return sum(1 for one in keys if one.state in {"running", "soon"})


def _state(key: AccessKey, post: Post, at: datetime) -> str:
    if key.ended_at is not None:
        return "ended"
    if key.expires_at <= at:
        return "expired"
    if not post.holds_at(at):
        return "post"
    return "soon" if key.expires_at - at <= SOON else "running"
