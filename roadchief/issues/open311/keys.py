"""Keys of other systems: made, shown once, kept as hashes, limited, rotated, ended."""

import hashlib
import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import in_turn, new_id, tenant_of
from roadchief.errors import Conflict, NotFound
from roadchief.issues.refusals import bad
from roadchief.issues.voices import ApiKey

# What a key may be good for. Reading public cases needs none.
SCOPES: dict[str, tuple[str, str]] = {
    "file": ("提交案件", "file cases"),
    "update": ("补充自己提交的案件", "add to the cases it filed"),
    "signals": ("传感器信号", "signals of sensors"),
}
A_MINUTE, MOST_A_MINUTE = 120, 6000
GRACE = timedelta(days=7)  # a rotated key still works so long: the other side has to change it
USED_EVERY = timedelta(minutes=1)  # its last use is written down no more often

events.declare(
    {
        "issues.key_made": "a key for another system was made, or made anew in place of one",
        "issues.key_ended": "a key of another system was ended",
    }
)


class NameInUse(Conflict):
    zh = "“{name}”已有同样的在用密钥：请更换它，或换一个名称"
    en = "{name} has such a key already: replace that one, or take another name"


def make(
    session: Session,
    name: str,
    scopes: Iterable[str],
    *,
    at: datetime,
    by: uuid.UUID | None = None,
    a_minute: int = A_MINUTE,
    follows: uuid.UUID | None = None,
) -> str:
    """A key for another system, told once; we keep its hash and its last four letters.

    One running key of a name for the same uses: a form sent twice would leave one that nobody
    has ever seen.
    """
    in_turn(session, "issues.keys")
    running = select(ApiKey.id).where(
        ApiKey.subdistrict_id == tenant_of(session),
        ApiKey.name == name,
        ApiKey.scopes == sorted(set(scopes)),
        ApiKey.ended_at.is_(None),
    )
    if session.scalar(running.limit(1)):
        raise NameInUse(name=name)
    key = f"rc_{secrets.token_urlsafe(24)}"
    row = ApiKey(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        name=name,
        key_hash=digest(key),
        hint=key[-4:],
        scopes=sorted(set(scopes)),
        limit_a_minute=a_minute,
        follows_id=follows,
        made_at=at,
    )
    session.add(row)
    session.flush()
    events.record(session, "issues.key_made", subject=row, by=by, at=at, name=name)
    return key


def rotate(session: Session, key_id: uuid.UUID, *, by: uuid.UUID, at: datetime) -> str:
    """A new key in place of one, which works on for a while. Who follows whom is kept."""
    row = _locked(session, key_id)
    if row.ended_at is not None:
        raise bad("密钥 key", "已停用或已更换", "has ended or was replaced")
    row.ended_at = at + GRACE
    return make(
        session,
        row.name,
        row.scopes,
        at=at,
        by=by,
        a_minute=row.limit_a_minute,
        follows=row.id,
    )


def end(session: Session, key_id: uuid.UUID, *, by: uuid.UUID, at: datetime) -> None:
    """At once, also one that is in its last days. Ending an ended one changes nothing."""
    row = _locked(session, key_id)
    if row.ended_at is None or row.ended_at > at:
        row.ended_at = at
        events.record(session, "issues.key_ended", subject=row, by=by, at=at, name=row.name)


def holder(session: Session, key: str, scope: str, *, at: datetime) -> ApiKey | None:
    """Whose key it is, if it may do `scope` now; notes that it was used."""
    row = session.scalar(
        select(ApiKey).where(
            ApiKey.subdistrict_id == tenant_of(session),
            ApiKey.key_hash == digest(key),
            or_(ApiKey.ended_at.is_(None), ApiKey.ended_at > at),
        )
    )
    if row is None or scope not in row.scopes:
        return None
    if row.used_at is None or at - row.used_at > USED_EVERY:
        row.used_at = at
    return row


def listing(session: Session) -> list[ApiKey]:
    """All keys: running ones first, the newest of each first."""
    return list(
        session.scalars(
            select(ApiKey)
            .where(ApiKey.subdistrict_id == tenant_of(session))
            .order_by(ApiKey.ended_at.is_not(None), ApiKey.made_at.desc())
            .limit(500)
        )
    )


def digest(key: str) -> bytes:
    """Keys are long and random, so a plain hash is enough."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


def _locked(session: Session, key_id: uuid.UUID) -> ApiKey:
    row = session.scalar(
        select(ApiKey)
        .where(ApiKey.subdistrict_id == tenant_of(session), ApiKey.id == key_id)
        .with_for_update()
    )
    if row is None:
        raise NotFound
    return row
