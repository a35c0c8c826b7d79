"""What phones sent, as rows: receipts, check-ins, findings, notes, tracks. Never edited."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base, Tenant, point, tenant_fk

OUTCOMES = "outcome IN ('verified', 'weak', 'contradicted')"
GRADES = "grade IN ('best', 'good', 'fair', 'poor', 'danger')"


class PatrolItem(Tenant, Base):
    """The receipt of one item of a phone: its id is the phone's, its answer never changes."""

    __tablename__ = "patrol_item"
    __table_args__ = (Index(None, "subdistrict_id", "device_id", "seq"),)

    kind: Mapped[str]
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    person_id: Mapped[uuid.UUID]
    device_id: Mapped[uuid.UUID]
    seq: Mapped[int]
    received_at: Mapped[datetime]
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    body: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  # of a track: not kept here


class ItemPhoto(Tenant, Base):
    """A photo that an item promises, by the hash of its bytes; it may arrive later."""

    __tablename__ = "item_photo"
    __table_args__ = (
        tenant_fk("item_id", "patrol_item"),
        UniqueConstraint("subdistrict_id", "item_id", "sha256"),
        Index(None, "subdistrict_id", "sha256"),
    )

    item_id: Mapped[uuid.UUID]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    source: Mapped[str]  # camera, gallery, scan_frame
    promised_at: Mapped[datetime]


class CheckIn(Tenant, Base):
    """A person says: I was at this storefront. Kept with all that the verdict rests on."""

    __tablename__ = "check_in"
    __table_args__ = (
        tenant_fk("id", "patrol_item"),
        tenant_fk("shift_id", "shift"),
        tenant_fk("storefront_id", "storefront"),
        CheckConstraint(OUTCOMES, name="outcome"),
        CheckConstraint(GRADES, name="grade"),
        CheckConstraint("purpose IN ('patrol', 'recheck', 'self_check')", name="purpose"),
        CheckConstraint("how IN ('scan', 'typed', 'picked')", name="how"),
        Index(None, "subdistrict_id", "occurred_at"),
        Index(None, "subdistrict_id", "storefront_id", "occurred_at"),
        Index(None, "subdistrict_id", "person_id", "occurred_at"),
        Index(None, "subdistrict_id", "segment_id", "occurred_at"),
        Index(None, "subdistrict_id", "shift_id"),
    )

    purpose: Mapped[str]
    person_id: Mapped[uuid.UUID]
    shift_id: Mapped[uuid.UUID | None]
    storefront_id: Mapped[uuid.UUID]
    segment_id: Mapped[uuid.UUID | None]  # of the storefront on that day
    how: Mapped[str]
    because: Mapped[str | None]  # why picked by hand
    plate_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    occurred_at: Mapped[datetime]  # corrected: never after it was received
    uncertainty_s: Mapped[float | None]
    received_at: Mapped[datetime]
    device_id: Mapped[uuid.UUID]
    device_wall: Mapped[datetime | None]
    device_mono_ms: Mapped[int | None] = mapped_column(BigInteger)
    device_session: Mapped[str | None]
    offset_ms: Mapped[int | None] = mapped_column(BigInteger)
    place: Mapped[point | None]  # WGS-84
    accuracy_m: Mapped[float | None]
    fix: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  # as the phone said it
    distance_m: Mapped[float | None]
    radius_m: Mapped[float]
    limit_m: Mapped[float | None]
    outcome: Mapped[str]
    reason: Mapped[str]
    rule: Mapped[str]
    form: Mapped[str | None]
    grade: Mapped[str | None]
    took_ms: Mapped[int | None]
    inspection_code: Mapped[str | None]
    recheck_of: Mapped[uuid.UUID | None]
    photos: Mapped[int]
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))


class Finding(Tenant, Base):
    """Something not as it should be, seen at a storefront or along a segment."""

    __tablename__ = "finding"
    __table_args__ = (
        tenant_fk("source_id", "patrol_item"),
        tenant_fk("storefront_id", "storefront"),
        tenant_fk("segment_id", "road_segment"),
        UniqueConstraint("subdistrict_id", "source_id", "item"),
        CheckConstraint("num_nonnulls(storefront_id, segment_id) > 0", name="somewhere"),
        Index(None, "subdistrict_id", "storefront_id", "occurred_at"),
        Index(None, "subdistrict_id", "segment_id", "occurred_at"),
    )

    source_id: Mapped[uuid.UUID]  # the item: a check-in or a finding of its own
    check_in_id: Mapped[uuid.UUID | None]
    storefront_id: Mapped[uuid.UUID | None]
    segment_id: Mapped[uuid.UUID | None]
    item: Mapped[str]
    severity: Mapped[str]
    note: Mapped[str | None]
    inspection_code: Mapped[str | None]
    person_id: Mapped[uuid.UUID]
    occurred_at: Mapped[datetime]
    photos: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'")
    )  # hashes, hexadecimal


class MissedVisit(Tenant, Base):
    """Not visited, because …: told apart from forgotten."""

    __tablename__ = "missed_visit"
    __table_args__ = (
        tenant_fk("id", "patrol_item"),
        tenant_fk("shift_id", "shift"),
        tenant_fk("storefront_id", "storefront"),
        CheckConstraint(
            "because IN ('closed', 'demolished', 'refused', 'unsafe', 'other')", name="because"
        ),
        Index(None, "subdistrict_id", "storefront_id", "occurred_at"),
        Index(None, "subdistrict_id", "shift_id"),
    )

    shift_id: Mapped[uuid.UUID | None]
    storefront_id: Mapped[uuid.UUID]
    segment_id: Mapped[uuid.UUID | None]
    person_id: Mapped[uuid.UUID]
    because: Mapped[str]
    note: Mapped[str | None]
    occurred_at: Mapped[datetime]


class OtherShop(Tenant, Base):
    """Another shop than the register's stood there: its sign, its licence, or both."""

    __tablename__ = "other_shop"
    __table_args__ = (
        tenant_fk("id", "patrol_item"),
        tenant_fk("shift_id", "shift"),
        tenant_fk("storefront_id", "storefront"),
        CheckConstraint("num_nonnulls(sign_name, uscc) > 0", name="something"),
        Index(None, "subdistrict_id", "storefront_id", "occurred_at"),
    )

    shift_id: Mapped[uuid.UUID | None]
    storefront_id: Mapped[uuid.UUID]
    segment_id: Mapped[uuid.UUID | None]
    person_id: Mapped[uuid.UUID]
    sign_name: Mapped[str | None]
    uscc: Mapped[str | None]  # as the licence on the wall says it; a doubt is no refusal
    note: Mapped[str | None]
    occurred_at: Mapped[datetime]


class Handover(Tenant, Base):
    """A note from one shift to the next on the same segment."""

    __tablename__ = "handover"
    __table_args__ = (
        tenant_fk("id", "patrol_item"),
        tenant_fk("segment_id", "road_segment"),
        Index(None, "subdistrict_id", "segment_id", "written_at"),
    )

    shift_id: Mapped[uuid.UUID | None]
    segment_id: Mapped[uuid.UUID]
    person_id: Mapped[uuid.UUID]
    text: Mapped[str]
    written_at: Mapped[datetime]


class HandoverReading(Tenant, Base):
    """Who has read which note, and when."""

    __tablename__ = "handover_reading"
    __table_args__ = (
        tenant_fk("handover_id", "handover"),
        UniqueConstraint("subdistrict_id", "handover_id", "person_id"),
    )

    handover_id: Mapped[uuid.UUID]
    person_id: Mapped[uuid.UUID]
    read_at: Mapped[datetime]


class Track(Tenant, Base):
    """Raw points of a walk: inside a shift only, and gone after 30 days."""

    __tablename__ = "track"
    __table_args__ = (
        tenant_fk("id", "patrol_item"),
        tenant_fk("shift_id", "shift"),
        Index(None, "subdistrict_id", "ends_at"),
        Index(None, "subdistrict_id", "shift_id"),
    )

    shift_id: Mapped[uuid.UUID]
    person_id: Mapped[uuid.UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    points: Mapped[list[Any]] = mapped_column(JSONB)  # [[ms, lat, lon, accuracy]…], WGS-84
    walked_m: Mapped[float]


class CoveredStretch(Tenant, Base):
    """A piece of a segment that somebody walked, by measure: kept when the points are gone."""

    __tablename__ = "covered_stretch"
    __table_args__ = (
        tenant_fk("source_id", "patrol_item"),
        tenant_fk("segment_id", "road_segment"),
        CheckConstraint("to_m > from_m", name="order"),
        Index(None, "subdistrict_id", "segment_id", "at"),
    )

    source_id: Mapped[uuid.UUID]
    segment_id: Mapped[uuid.UUID]
    at: Mapped[datetime]
    from_m: Mapped[float]
    to_m: Mapped[float]
