"""What patrol staff do, as rows. What a phone sent is added to and never edited."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base, Tenant, point, tenant_fk

OUTCOMES = "outcome IN ('verified', 'weak', 'contradicted')"
GRADES = "grade IN ('best', 'good', 'fair', 'poor', 'danger')"
WORDS = {"server_default": text("'{}'")}


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
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), **WORDS)


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
    photos: Mapped[list[str]] = mapped_column(ARRAY(Text), **WORDS)  # hashes, hexadecimal


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


class Shift(Tenant, Base):
    """One person's walk of some segments, planned or begun on the spot."""

    __tablename__ = "shift"
    __table_args__ = (
        tenant_fk("person_id", "person"),
        tenant_fk("stands_in_for_id", "person"),
        CheckConstraint("state IN ('planned', 'running', 'closed', 'cancelled')", name="state"),
        CheckConstraint("ends_at > starts_at", name="period"),
        Index(None, "subdistrict_id", "person_id", "starts_at"),
        Index(None, "subdistrict_id", "starts_at"),
    )

    person_id: Mapped[uuid.UUID]
    stands_in_for_id: Mapped[uuid.UUID | None]
    title: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="planned")
    nonce: Mapped[str]
    made_by: Mapped[uuid.UUID | None]
    frozen_at: Mapped[datetime | None]  # the list of stops stands since
    started_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[uuid.UUID | None]


class ShiftBeat(Tenant, Base):
    """A segment of a shift."""

    __tablename__ = "shift_beat"
    __table_args__ = (
        tenant_fk("shift_id", "shift"),
        tenant_fk("segment_id", "road_segment"),
        UniqueConstraint("subdistrict_id", "shift_id", "segment_id"),
        Index(None, "subdistrict_id", "segment_id"),
    )

    shift_id: Mapped[uuid.UUID]
    segment_id: Mapped[uuid.UUID]
    seq: Mapped[int]


class ShiftStop(Tenant, Base):
    """A storefront on a shift's list, in walking order, as it stood when the list was fetched."""

    __tablename__ = "shift_stop"
    __table_args__ = (
        tenant_fk("shift_id", "shift"),
        tenant_fk("storefront_id", "storefront"),
        UniqueConstraint("subdistrict_id", "shift_id", "storefront_id"),
    )

    shift_id: Mapped[uuid.UUID]
    storefront_id: Mapped[uuid.UUID]
    seq: Mapped[int]
    due: Mapped[str]  # overdue, due, soon, done, unknown
    last_at: Mapped[datetime | None]
    recheck_of: Mapped[uuid.UUID | None]


class Absence(Tenant, Base):
    """Somebody is away, from day to day; perhaps somebody stands in."""

    __tablename__ = "absence"
    __table_args__ = (
        tenant_fk("person_id", "person"),
        tenant_fk("stand_in_id", "person"),
        CheckConstraint("to_on >= from_on", name="period"),
        UniqueConstraint("subdistrict_id", "person_id", "from_on"),
    )

    person_id: Mapped[uuid.UUID]
    stand_in_id: Mapped[uuid.UUID | None]
    from_on: Mapped[date]
    to_on: Mapped[date]
    because: Mapped[str]


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


class Review(Tenant, Base):
    """A check-in that somebody else should look at, and what they decided. Its id is the item's."""

    __tablename__ = "review"
    __table_args__ = (
        tenant_fk("id", "check_in"),
        CheckConstraint(
            "state IN ('waiting', 'sent_back', 'approved', 'refused', 'removed')", name="state"
        ),
        Index(
            "ix_review_open",
            "subdistrict_id",
            "opened_at",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(None, "subdistrict_id", "segment_id", "state"),
    )

    segment_id: Mapped[uuid.UUID | None]
    state: Mapped[str] = mapped_column(default="waiting")
    sampled: Mapped[bool] = mapped_column(default=False)
    signals: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    opened_at: Mapped[datetime]
    explanation: Mapped[str | None]
    explained_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[uuid.UUID | None]
    because: Mapped[str | None]


class Recheck(Tenant, Base):
    """A visit drawn by lot to be done again by somebody else. Its id is the first check-in's."""

    __tablename__ = "recheck"
    __table_args__ = (
        tenant_fk("id", "check_in"),
        tenant_fk("second_id", "check_in"),
        Index(
            "ix_recheck_open",
            "subdistrict_id",
            "storefront_id",
            postgresql_where=text("second_id IS NULL"),
        ),
    )

    storefront_id: Mapped[uuid.UUID]
    first_person_id: Mapped[uuid.UUID]
    drawn_at: Mapped[datetime]
    until: Mapped[datetime]
    second_id: Mapped[uuid.UUID | None]
    done_at: Mapped[datetime | None]
    agreed: Mapped[bool | None]
    differences: Mapped[list[str] | None] = mapped_column(ARRAY(Text))


class PatrolAlert(Tenant, Base):
    """A shift was missed, begun late or left short. Closing it demands a reason."""

    __tablename__ = "patrol_alert"
    __table_args__ = (
        tenant_fk("shift_id", "shift"),
        UniqueConstraint("subdistrict_id", "shift_id", "kind"),
        CheckConstraint("kind IN ('missed', 'late', 'short')", name="kind"),
        Index(
            "ix_patrol_alert_open",
            "subdistrict_id",
            "raised_at",
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    shift_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    raised_at: Mapped[datetime]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[uuid.UUID | None]
    because: Mapped[str | None]


class Checklist(Tenant, Base):
    """A version of the form. None published: the list of the standard applies as it is."""

    __tablename__ = "checklist"
    __table_args__ = (
        CheckConstraint("audience IN ('P', 'M', 'E')", name="audience"),
        UniqueConstraint("subdistrict_id", "audience", "version"),
        Index(
            "uq_checklist_in_force",
            "subdistrict_id",
            "audience",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
    )

    audience: Mapped[str]
    version: Mapped[str]
    items: Mapped[list[str]] = mapped_column(ARRAY(Text))
    published_at: Mapped[datetime]
    published_by: Mapped[uuid.UUID | None]
    retired_at: Mapped[datetime | None]


class SegmentRadius(Tenant, Base):
    """How far from the frontage still counts as there, where a segment needs its own figure."""

    __tablename__ = "segment_radius"
    __table_args__ = (
        tenant_fk("id", "road_segment"),
        CheckConstraint("radius_m BETWEEN 10 AND 100", name="radius"),
    )

    radius_m: Mapped[float]
    because: Mapped[str]
    set_by: Mapped[uuid.UUID | None]
    set_at: Mapped[datetime]
