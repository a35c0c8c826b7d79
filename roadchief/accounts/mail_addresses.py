"""Addresses that strangers typed: how often we may write to them, and which are off everywhere.

Kept as keyed hashes, over all sub-districts: whoever reads the table learns no address.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from roadchief.accounts.notice_models import MailAddress
from roadchief.config import Settings

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BOUNCED, REFUSED = "bounced", "refused"


@dataclass(frozen=True)
class Limit:
    """So many in an hour and in a day."""

    hour: int
    day: int


def mark(address: str, settings: Settings) -> bytes:
    """What stands for an address. Its case does not count: in practice it is the same box."""
    return _hashed(settings.secret_key, address)


def marks(address: str, settings: Settings) -> list[bytes]:
    """The same, by the present key and by the one before it."""
    keys = [settings.secret_key, settings.former_secret_key]
    return [_hashed(key, address) for key in keys if key]


def count(session: Session, what: str, limit: Limit, *, at: datetime, settings: Settings) -> bool:
    """Count one more for an address (or a network), or say no: past the limit, or it is off.

    One statement decides, so that many at once do not pass together.
    """
    row = MailAddress
    new_hour, new_day = row.hour_at <= at - HOUR, row.day_at <= at - DAY
    counted = insert(row).values(
        key=mark(what, settings), hour_at=at, in_hour=1, day_at=at, in_day=1
    )
    counted = counted.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "in_hour": case((new_hour, 1), else_=row.in_hour + 1),
            "hour_at": case((new_hour, at), else_=row.hour_at),
            "in_day": case((new_day, 1), else_=row.in_day + 1),
            "day_at": case((new_day, at), else_=row.day_at),
        },
        where=and_(
            row.off_at.is_(None),
            or_(new_hour, row.in_hour < limit.hour),
            or_(new_day, row.in_day < limit.day),
        ),
    )
    return session.scalar(counted.returning(row.in_hour)) is not None


def why_off(session: Session, address: str, settings: Settings) -> str | None:
    """Why nothing goes to this address any more, or None."""
    return session.scalar(
        select(MailAddress.off_because)
        .where(MailAddress.key.in_(marks(address, settings)), MailAddress.off_at.is_not(None))
        .limit(1)
    )


def switch_off(
    session: Session, address: str, *, because: str, at: datetime, settings: Settings
) -> None:
    """Nothing goes there any more, from any sub-district; the first reason stays."""
    off = insert(MailAddress).values(
        key=mark(address, settings),
        hour_at=at,
        in_hour=0,
        day_at=at,
        in_day=0,
        off_at=at,
        off_because=because,
    )
    session.execute(
        off.on_conflict_do_update(
            index_elements=["key"],
            set_={"off_at": at, "off_because": because},
            where=MailAddress.off_at.is_(None),
        )
    )


def switch_on(session: Session, address: str, settings: Settings) -> bool:
    """An office that spoke with its owner switches an address on again. Was it off?"""
    gone = session.scalars(
        delete(MailAddress)
        .where(MailAddress.key.in_(marks(address, settings)), MailAddress.off_at.is_not(None))
        .returning(MailAddress.key)
    )
    return bool(gone.all())


def sweep(session: Session, *, at: datetime) -> None:
    """Counts of yesterday; what is off stays off."""
    session.execute(
        delete(MailAddress).where(MailAddress.off_at.is_(None), MailAddress.day_at < at - DAY)
    )


def _hashed(secret_key: str, address: str) -> bytes:
    key = hashlib.sha256(b"mail addresses " + secret_key.encode()).digest()
    return hmac.digest(key, address.strip().lower().encode(), "sha256")[:20]
