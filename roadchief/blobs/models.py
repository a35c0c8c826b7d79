"""The row of a photo."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base, Tenant, point, tenant_fk


class Blob(Tenant, Base):
    """One photo as we serve it. `taken_*` is what the camera claimed, no proof of anything."""

    __tablename__ = "blob"
    __table_args__ = (
        tenant_fk("derived_from", "blob"),
        UniqueConstraint("subdistrict_id", "source_sha256"),
        CheckConstraint("state IN ('kept', 'erased')", name="state"),
        Index(None, "subdistrict_id", "sha256"),
        Index(None, "subdistrict_id", "by", "received_at"),
        Index(None, "subdistrict_id", "derived_from"),
    )

    sha256: Mapped[str]  # of the file of size `full`; rows may share it
    source_sha256: Mapped[str]
    source_format: Mapped[str]
    source_bytes: Mapped[int]
    width_px: Mapped[int]
    height_px: Mapped[int]
    bytes: Mapped[int]
    taken_at: Mapped[datetime | None]
    taken_place: Mapped[point | None]
    derived_from: Mapped[uuid.UUID | None]
    by: Mapped[uuid.UUID | None]
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="kept")
