"""Likeness of photos that were kept before it was asked for: in portions, a transaction each.

What is done is a row, so a run that was broken off goes on where it stopped. Photos are opened in
the darkroom, as when they came.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief import blobs
from roadchief.blobs import likeness
from roadchief.config import Settings
from roadchief.db import Database, tenant_of
from roadchief.lib import darkroom, photos

PORTION = 100
FIRST = uuid.UUID(int=0)
UNDONE = """
FROM blob b WHERE b.subdistrict_id = :here AND b.state = 'kept' AND b.id > :after
  AND NOT EXISTS (SELECT FROM photo_likeness l WHERE l.subdistrict_id = :here AND l.id = b.id)
  AND EXISTS (SELECT FROM item_photo p WHERE p.subdistrict_id = :here
              AND p.sha256 = decode(b.source_sha256, 'hex'))
"""
NEXT = text(f"SELECT b.id {UNDONE} ORDER BY b.id LIMIT :portion")
LEFT = text(f"SELECT count(*) {UNDONE}")


@dataclass(frozen=True)
class Portion:
    """What one transaction did; `lacking`: the file is gone or cannot be opened."""

    hashed: int
    lacking: int


def left(session: Session) -> int:
    """Photos of visits without a likeness."""
    return int(session.scalar(LEFT, {"here": tenant_of(session), "after": FIRST}) or 0)


def portions(
    database: Database, subdistrict_id: int, *, settings: Settings, most: int | None = None
) -> Iterator[Portion]:
    """Goes on until there is nothing left, or `most` were looked at."""
    after, seen = FIRST, 0
    while most is None or seen < most:
        size = PORTION if most is None else min(PORTION, most - seen)
        with database.transaction(subdistrict_id) as session:
            values = {"here": subdistrict_id, "after": after, "portion": size}
            ids = list(session.scalars(NEXT, values))
            if not ids:
                return
            hashed = sum(_hash(session, one, settings) for one in ids)
        after, seen = ids[-1], seen + len(ids)
        yield Portion(hashed, len(ids) - hashed)


def _hash(session: Session, blob_id: uuid.UUID, settings: Settings) -> bool:
    blob = blobs.get(session, blob_id)
    try:
        bits = photos.look(blobs.path(blob, "thumb", settings).read_bytes())
    except (OSError, photos.Unfit, darkroom.Busy):
        return False
    likeness.record(session, blob_id, bits)
    return True
