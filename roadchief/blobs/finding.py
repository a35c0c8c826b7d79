"""Looking photos up: rows by hash or id, files by row."""

import uuid
from collections.abc import Collection
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.blobs.models import Blob
from roadchief.config import Settings
from roadchief.db import tenant_of
from roadchief.errors import NotFound
from roadchief.lib.shelf import Shelf


def find(session: Session, source_sha256: str) -> Blob | None:
    return find_many(session, [source_sha256]).get(source_sha256)


def find_many(session: Session, source_sha256: Collection[str]) -> dict[str, Blob]:
    """Kept photos by the hash of what was sent."""
    rows = session.scalars(
        select(Blob).where(
            Blob.subdistrict_id == tenant_of(session),
            Blob.source_sha256.in_(source_sha256),
            Blob.state == "kept",
        )
    )
    return {row.source_sha256: row for row in rows}


def get(session: Session, blob_id: uuid.UUID) -> Blob:
    found = get_many(session, [blob_id]).get(blob_id)
    if found is None:
        raise NotFound
    return found


def get_many(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Blob]:
    """Kept photos by id; those that are not there are left out."""
    rows = session.scalars(
        select(Blob).where(
            Blob.subdistrict_id == tenant_of(session), Blob.id.in_(ids), Blob.state == "kept"
        )
    )
    return {row.id: row for row in rows}


def shelf(subdistrict_id: int, settings: Settings) -> Shelf:
    """Where the files of a sub-district stand."""
    return Shelf(settings.var_dir / "blobs" / str(subdistrict_id))


def path(blob: Blob, size: str, settings: Settings) -> Path:
    """The file of a photo, for exports and print."""
    return shelf(blob.subdistrict_id, settings).path(file_name(blob.sha256, size))


def file_name(sha256: str, size: str) -> str:
    return f"{sha256}.jpg" if size == "full" else f"{sha256}-{size}.jpg"
