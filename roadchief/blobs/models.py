"""The row of a photo."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Computed, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base, Tenant, point, tenant_fk


class Blob(Tenant, Base):
    """One photo as we serve it. `taken_*` is what the camera claimed, no proof of anything; the
    place is kept of signed-in people alone, and not for ever."""

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


def _band(number: int) -> Mapped[int]:
    """A quarter of the hash, kept by the database itself."""
    return mapped_column(Computed(f"((bits >> {64 - 16 * number}) & 65535)::integer"))


class Likeness(Tenant, Base):
    """What a photo looks like, in 64 bits (dHash), for finding others like it. Its id: the photo's.

    The quarters are columns of their own: under row-level security an index on an expression
    would not be used.
    """

    __tablename__ = "photo_likeness"
    __table_args__ = (
        tenant_fk("id", "blob"),
        *(
            Index(
                f"ix_photo_likeness_band_{number}",
                "subdistrict_id",
                f"band_{number}",
                postgresql_include=["id", "bits"],
            )
            for number in range(1, 5)
        ),
    )

    bits: Mapped[int] = mapped_column(BigInteger)
    band_1: Mapped[int] = _band(1)
    band_2: Mapped[int] = _band(2)
    band_3: Mapped[int] = _band(3)
    band_4: Mapped[int] = _band(4)
