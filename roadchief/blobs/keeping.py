"""Taking photos in: the same bytes sent twice, or twice at once, are one row and one file.

The files are durable before the row is committed; a file without a row is harmless and swept
later, a row without a file is a fault that `roadchief doctor` names. What people sent is never
stored: only what the darkroom made of it, and the hash of what was sent.
"""

import errno
import hashlib
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.blobs import likeness
from roadchief.blobs.finding import file_name, find, path, shelf
from roadchief.blobs.models import Blob
from roadchief.blobs.refusals import (
    Busy,
    DayQuotaSpent,
    HashMismatch,
    NoRoom,
    NotAddress,
    PhotoTooHeavy,
    refusal_of,
)
from roadchief.config import Settings
from roadchief.db import new_id, tenant_of
from roadchief.errors import BadInput, NotFound
from roadchief.lib import darkroom, geo, photos
from roadchief.lib.photos import SIZES, Box, Developed

events.declare(
    {
        "photo.kept": "a photo was taken in",
        "photo.blurred": "a copy of a photo was made with parts unrecognisable",
        "photo.erased": "a photo was given up; its row stays",
    }
)

SHA256 = re.compile(r"[0-9a-f]{64}")
DAY = timedelta(days=1)
MOST_BOXES = 50


@dataclass(frozen=True)
class Receipt:
    """`fresh` is false where we had row and file already."""

    blob: Blob
    fresh: bool


# Who waits for photos that phones named before they sent them; called in the same transaction.
on_arrival: list[Callable[..., object]] = []


def develop(data: bytes, *, settings: Settings) -> Developed:
    """The slow part, without a database: make the photo safe, or refuse it with the reason."""
    try:
        return photos.develop(data, photos.Limits(bytes=settings.photo_limit_bytes))
    except photos.Unfit as unfit:
        raise refusal_of(unfit) from unfit
    except darkroom.Busy as busy:
        raise Busy from busy


def keep(
    session: Session,
    developed: Developed,
    *,
    by: uuid.UUID | None,
    at: datetime,
    settings: Settings,
    derived_from: uuid.UUID | None = None,
) -> Blob:
    """Files first, durable, then the row. Sent again, or at once by two, it is one of each."""
    _check_quota(session, developed, by=by, at=at, settings=settings)
    sha256 = hashlib.sha256(developed.files["full"]).hexdigest()
    try:
        shelf(tenant_of(session), settings).put(
            {file_name(sha256, size): developed.files[size] for size in SIZES}
        )
    except OSError as error:
        raise NoRoom(why=errno.errorcode.get(error.errno or 0, "EIO")) from error
    if by is None:  # a citizen: what the camera knows of the place serves nothing here
        developed = replace(developed, taken_place=None)
    first = _facts(developed) | {
        "subdistrict_id": tenant_of(session),
        "id": new_id(),
        "derived_from": derived_from,
        "by": by,
        "received_at": at,
    }
    seen = {
        "sha256": sha256,
        "width_px": developed.width_px,
        "height_px": developed.height_px,
        "bytes": len(developed.files["full"]),
        "state": "kept",
    }
    # The unique key decides; a row that was erased, or lost its file, lives again by this.
    upsert = insert(Blob).values(**first, **seen)
    row, fresh = session.execute(
        upsert.on_conflict_do_update(
            index_elements=["subdistrict_id", "source_sha256"], set_=seen
        ).returning(Blob, literal_column("(xmax = 0)", Boolean)),
        execution_options={"populate_existing": True},
    ).one()
    likeness.record(session, row.id, developed.likeness)
    if fresh:
        name = "photo.blurred" if derived_from else "photo.kept"
        events.record(session, name, subject=row, by=by, at=at, bytes=row.bytes)
    return row


def store(
    session: Session, data: bytes, *, by: uuid.UUID | None, at: datetime, settings: Settings
) -> Blob:
    """Develop and keep; bytes that we have are not developed again."""
    found = known(session, hashlib.sha256(data).hexdigest(), settings=settings)
    if found is not None:
        return found
    return keep(session, develop(data, settings=settings), by=by, at=at, settings=settings)


def receive(
    session: Session,
    address: str,
    data: bytes,
    *,
    by: uuid.UUID | None,
    at: datetime,
    settings: Settings,
) -> Receipt:
    """Bytes sent to the address of their own hash, as phones do until they have our answer.

    Opens the photo inside the caller's transaction; the rim does it between two (`web.blobs`).
    """
    check(address, data, settings=settings)
    found = known(session, address, settings=settings)
    if found is not None:
        return Receipt(found, fresh=False)
    blob = store(session, data, by=by, at=at, settings=settings)
    tell_arrival(session, blob, at=at)
    return Receipt(blob, fresh=True)


def tell_arrival(session: Session, blob: Blob, *, at: datetime) -> None:
    """A photo that was sent by itself is here."""
    for tell in on_arrival:
        tell(session, blob, at=at)


def check(address: str, data: bytes, *, settings: Settings) -> None:
    """Refuse what is no address, too large, or not the bytes of its address."""
    if not SHA256.fullmatch(address):
        raise NotAddress
    if len(data) > settings.photo_limit_bytes:
        raise PhotoTooHeavy(limit_mb=settings.photo_limit_bytes // photos.MEGABYTE)
    if hashlib.sha256(data).hexdigest() != address:
        raise HashMismatch(field="sha256", received_bytes=len(data))


def known(session: Session, source_sha256: str, *, settings: Settings) -> Blob | None:
    """A row whose file is there too: after a loss of files, what is sent again mends it."""
    found = find(session, source_sha256)
    return found if found and path(found, "full", settings).exists() else None


def blurred(
    session: Session,
    blob: Blob,
    boxes: list[Box],
    *,
    by: uuid.UUID | None,
    at: datetime,
    settings: Settings,
) -> Blob:
    """A copy whose `boxes` nobody can recognise any more. The photo itself stays as it is."""
    if not boxes or len(boxes) > MOST_BOXES or not all(box.sound for box in boxes):
        raise BadInput(
            field="遮挡范围 boxes",
            reason_zh="请框选照片内的范围",
            reason_en="mark parts of the photo",
        )
    try:
        data = path(blob, "full", settings).read_bytes()
        made = photos.blur(data, boxes)
    except FileNotFoundError as error:
        raise NotFound from error
    except photos.Unfit as unfit:
        raise refusal_of(unfit) from unfit
    except darkroom.Busy as busy:
        raise Busy from busy
    # Its source is itself: the same boxes on the same photo are the same copy.
    source = hashlib.sha256(made.files["full"]).hexdigest()
    made = replace(made, source_sha256=source, taken_at=blob.taken_at)
    return keep(session, made, by=by, at=at, settings=settings, derived_from=blob.id)


def erase(
    session: Session, blob: Blob, *, by: uuid.UUID | None, at: datetime, because: str
) -> None:
    """Give a photo up: no address opens it from now on, its files go with the next sweep."""
    if blob.state == "kept":
        blob.state = "erased"
        events.record(session, "photo.erased", subject=blob, by=by, at=at, because=because)


def forget_places(session: Session, *, before: datetime) -> None:
    """Where cameras claimed to have been, of photos that came before a moment."""
    session.execute(
        update(Blob)
        .where(Blob.subdistrict_id == tenant_of(session), Blob.received_at < before)
        .where(Blob.taken_place.is_not(None))
        .values(taken_place=None)
    )


def _check_quota(
    session: Session,
    developed: Developed,
    *,
    by: uuid.UUID | None,
    at: datetime,
    settings: Settings,
) -> None:
    if by is None:
        return
    sent = session.scalar(
        select(func.coalesce(func.sum(Blob.source_bytes), 0)).where(
            Blob.subdistrict_id == tenant_of(session), Blob.by == by, Blob.received_at > at - DAY
        )
    )
    limit = settings.photo_day_quota_bytes
    if int(sent or 0) + developed.source_bytes > limit:
        raise DayQuotaSpent(retry_s=3600, limit_mb=limit // photos.MEGABYTE)


def _facts(developed: Developed) -> dict[str, Any]:
    place, taken_at = developed.taken_place, developed.taken_at
    return {
        "source_sha256": developed.source_sha256,
        "source_format": developed.source_format,
        "source_bytes": developed.source_bytes,
        "taken_at": taken_at,
        "taken_place": geo.point(lon=place[0], lat=place[1]) if place else None,
    }
