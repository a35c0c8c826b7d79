"""Addresses of photos: signed, short-lived, and no permission beyond their time.

A hash or an id in an address is not a right. The right was checked by the page that shows the
photo; its address says so for a few minutes, to whoever holds it, and for this photo alone.
"""

import struct
import uuid
from dataclasses import dataclass
from datetime import datetime

from roadchief.blobs.models import Blob
from roadchief.config import Settings
from roadchief.errors import NotFound
from roadchief.lib import clock, signing
from roadchief.lib.photos import SIZES

LINK = struct.Struct(">IB16s")  # tenant, size, blob
ORDER = list(SIZES)


@dataclass(frozen=True)
class Link:
    """What the token of a photo's address says."""

    subdistrict_id: int
    blob_id: uuid.UUID
    size: str
    expires: int


def address(blob: Blob, *, size: str, settings: Settings, at: datetime | None = None) -> str:
    """Where a browser finds this photo for the next minutes."""
    return link(blob.subdistrict_id, blob.id, size=size, settings=settings, at=at)


def link(
    subdistrict_id: int,
    blob_id: uuid.UUID,
    *,
    size: str,
    settings: Settings,
    at: datetime | None = None,
) -> str:
    """The same without the row, for lists."""
    payload = LINK.pack(subdistrict_id, ORDER.index(size), blob_id.bytes)
    now = int((at or clock.now()).timestamp())
    expires = signing.window_end(now, shortest=settings.photo_link_s)
    return f"/photo/{signing.sign(_keys(settings)[0], payload, expires=expires)}"


def opened(token: str, *, at: datetime, settings: Settings) -> Link:
    """What the token says. Raises NotFound for one that is not ours, or over."""
    try:
        payload, expires = signing.read(_keys(settings), token, now=int(at.timestamp()))
        subdistrict_id, size, raw = LINK.unpack(payload)
        return Link(subdistrict_id, uuid.UUID(bytes=raw), ORDER[size], expires)
    except (signing.BadToken, struct.error, IndexError) as error:
        raise NotFound from error


def _keys(settings: Settings) -> list[bytes]:
    """The present key, and the one before it while it is still known."""
    secrets = [settings.secret_key, settings.former_secret_key]
    return [signing.derive(secret, "photo") for secret in secrets if secret]
