"""Looking photos up: rows by hash or id, files by row."""

import uuid
from collections.abc import Collection
from pathlib import Path

from sqlalchemy import Column, exists, select
from sqlalchemy.orm import Session, aliased

from roadchief.blobs.models import Blob
from roadchief.config import Settings
from roadchief.db import Base, tenant_of
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


def unused(session: Session, ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Of these photos, those that nothing shows, nor a copy of them: no foreign key but the
    photos' own leads to them. In the order given."""
    if not ids:
        return []
    here = tenant_of(session)
    copy = aliased(Blob)
    wanted = select(Blob.id).where(Blob.subdistrict_id == here, Blob.id.in_(ids))
    for column in _showing():
        of_tenant = column.table.c.subdistrict_id == here
        wanted = wanted.where(~exists().where(of_tenant, column == Blob.id)).where(
            ~exists()
            .where(copy.subdistrict_id == here, copy.derived_from == Blob.id)
            .where(of_tenant, column == copy.id)
        )
    free = set(session.scalars(wanted))
    return [one for one in ids if one in free]


def copies(session: Session, ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Kept copies of these photos with parts made unrecognisable."""
    return list(
        session.scalars(
            select(Blob.id)
            .where(Blob.subdistrict_id == tenant_of(session), Blob.derived_from.in_(ids))
            .where(Blob.state == "kept")
            .order_by(Blob.id)
        )
    )


def _showing() -> list[Column[uuid.UUID]]:
    """Columns of other packages that name a photo, as their tables declare them."""
    own = {"blob", "photo_likeness"}
    return [
        element.parent
        for table in Base.metadata.sorted_tables
        if table.name not in own
        for key in table.foreign_key_constraints
        if key.referred_table.name == "blob"
        for element in key.elements
        if element.column.name == "id"
    ]


def shelf(subdistrict_id: int, settings: Settings) -> Shelf:
    """Where the files of a sub-district stand."""
    return Shelf(settings.var_dir / "blobs" / str(subdistrict_id))


def path(blob: Blob, size: str, settings: Settings) -> Path:
    """The file of a photo, for exports and print."""
    return shelf(blob.subdistrict_id, settings).path(file_name(blob.sha256, size))


def file_name(sha256: str, size: str) -> str:
    return f"{sha256}.jpg" if size == "full" else f"{sha256}-{size}.jpg"
