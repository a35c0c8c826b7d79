"""Plates, what happened to them, print batches, scans and alarms."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.codes.lifecycle import ON_THE_WALL, STATES
from roadchief.db import Base, Tenant, point, tenant_fk

LIVE = "state IN (" + ", ".join(f"'{state}'" for state in sorted(ON_THE_WALL)) + ")"


class CodeDirectory(Base):
    """Finds the sub-district of a plate before anything else is known. Shared, no row security.

    Holds hashes alone. Rows are never deleted, so neither token nor number is used again.
    """

    __tablename__ = "code_directory"
    __table_args__ = (UniqueConstraint("number"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    number: Mapped[str]
    subdistrict_id: Mapped[int]
    plate_id: Mapped[uuid.UUID]


class PrintBatch(Tenant, Base):
    """Plates minted together for the sign maker, with list and checksum."""

    __tablename__ = "print_batch"
    __table_args__ = (
        CheckConstraint(
            "state IN ('waiting', 'running', 'ready', 'stopped', 'delivered', 'expired')",
            name="state",
        ),
        CheckConstraint("plates >= 0", name="plates"),
        Index(None, "subdistrict_id", "made_at"),
    )

    title: Mapped[str]
    layout: Mapped[str]
    sheet: Mapped[str | None]
    plates: Mapped[int]
    state: Mapped[str] = mapped_column(default="waiting")
    made_by: Mapped[uuid.UUID | None]
    made_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    list_sha256: Mapped[str | None] = mapped_column(default=None)
    pdf_sha256: Mapped[str | None] = mapped_column(default=None)
    report: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class Plate(Tenant, Base):
    """A plate for a storefront, or a public sign for a segment. Only the token's hash is here."""

    __tablename__ = "plate"
    __table_args__ = (
        tenant_fk("storefront_id", "storefront"),
        tenant_fk("segment_id", "road_segment"),
        tenant_fk("batch_id", "print_batch"),
        tenant_fk("replaces_id", "plate"),
        tenant_fk("photo_id", "blob"),
        UniqueConstraint("subdistrict_id", "token_hash"),
        UniqueConstraint("subdistrict_id", "number"),
        CheckConstraint("kind IN ('shop', 'sign')", name="kind"),
        CheckConstraint(
            "state IN (" + ", ".join(f"'{state}'" for state in STATES) + ")", name="state"
        ),
        CheckConstraint(
            "(kind = 'shop' AND segment_id IS NULL) OR (kind = 'sign' AND segment_id IS NOT NULL "
            "AND storefront_id IS NULL)",
            name="place",
        ),
        CheckConstraint(
            f"kind = 'sign' OR storefront_id IS NOT NULL OR NOT ({LIVE})", name="bound"
        ),
        *(
            Index(
                f"uq_plate_live_{scope}",
                "subdistrict_id",
                f"{scope}_id",
                unique=True,
                postgresql_where=text(f"{LIVE} AND {scope}_id IS NOT NULL"),
            )
            for scope in ("storefront", "segment")
        ),
        # Trigrams: a plate is read aloud by any part of its number.
        Index(
            "ix_plate_number",
            "number",
            postgresql_using="gin",
            postgresql_ops={"number": "gin_trgm_ops"},
        ),
        Index("ix_plate_storefront", "subdistrict_id", "storefront_id"),
        Index("ix_plate_segment", "subdistrict_id", "segment_id"),
        Index("ix_plate_batch", "subdistrict_id", "batch_id"),
        Index("ix_plate_state", "subdistrict_id", "state", "state_at"),
    )

    kind: Mapped[str]
    number: Mapped[str]  # short, printed, not a secret: WF-000123
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    storefront_id: Mapped[uuid.UUID | None]
    segment_id: Mapped[uuid.UUID | None]
    batch_id: Mapped[uuid.UUID | None]
    replaces_id: Mapped[uuid.UUID | None]
    state: Mapped[str] = mapped_column(default="generated")
    state_at: Mapped[datetime]
    made_at: Mapped[datetime]
    mounted_place: Mapped[point | None]
    mounted_accuracy_m: Mapped[float | None]
    photo_id: Mapped[uuid.UUID | None]  # of the mounted plate
    photo_public: Mapped[bool] = mapped_column(default=False)  # somebody looked and released it
    # What the print says of people and scope, so that we notice when it is out of date.
    printed: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class PlateNumber(Base):
    """The last number given in a sub-district; its row is locked while plates are minted."""

    __tablename__ = "plate_number"

    subdistrict_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    prefix: Mapped[str] = mapped_column(unique=True)
    last: Mapped[int]


class PlateEvent(Tenant, Base):
    """One step of a plate's life: who, when, why, photo, place. Added to, never edited."""

    __tablename__ = "plate_event"
    __table_args__ = (
        tenant_fk("plate_id", "plate"),
        tenant_fk("photo_id", "blob"),
        Index("ix_plate_event_plate", "subdistrict_id", "plate_id", "at"),
    )

    plate_id: Mapped[uuid.UUID]
    act: Mapped[str]
    from_state: Mapped[str | None]
    to_state: Mapped[str]
    by: Mapped[uuid.UUID | None]
    at: Mapped[datetime]
    because: Mapped[str | None]
    photo_id: Mapped[uuid.UUID | None]
    place: Mapped[point | None]
    accuracy_m: Mapped[float | None]
    distance_m: Mapped[float | None]


class Scan(Tenant, Base):
    """A scan: when, by what kind of viewer, and roughly where if that was given. Nobody's name.

    `near` is rounded to 0.001° (about 100 m); the distance is kept because alarms need it.
    """

    __tablename__ = "scan"
    __table_args__ = (
        Index("ix_scan_plate", "subdistrict_id", "plate_id", "at"),
        Index("ix_scan_at", "subdistrict_id", "at"),
    )

    plate_id: Mapped[uuid.UUID]
    at: Mapped[datetime]
    audience: Mapped[str]
    state: Mapped[str]  # of the plate when it was scanned
    near: Mapped[point | None]
    distance_m: Mapped[float | None]


class ScanMonth(Tenant, Base):
    """Scans of a plate in a month by kind of viewer: what stays when single scans are deleted."""

    __tablename__ = "scan_month"
    __table_args__ = (
        tenant_fk("plate_id", "plate"),
        UniqueConstraint("subdistrict_id", "plate_id", "month", "audience"),
    )

    plate_id: Mapped[uuid.UUID]
    month: Mapped[date]
    audience: Mapped[str]
    scans: Mapped[int]


class PlateAlarm(Tenant, Base):
    """Something is odd with a plate: far scans, bursts, a dead plate in use, a report."""

    __tablename__ = "plate_alarm"
    __table_args__ = (
        tenant_fk("plate_id", "plate"),
        CheckConstraint("kind IN ('far', 'burst', 'dead', 'reported')", name="kind"),
        Index(
            "uq_plate_alarm_open",
            "subdistrict_id",
            "plate_id",
            "kind",
            unique=True,
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index("ix_plate_alarm_raised", "subdistrict_id", "raised_at"),
    )

    plate_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    raised_at: Mapped[datetime]
    last_at: Mapped[datetime]
    times: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[uuid.UUID | None]
    settled_because: Mapped[str | None]
