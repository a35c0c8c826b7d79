"""What chiefs plan and decide, as rows: shifts, absences, alerts, reviews, re-checks, forms."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base, Tenant, tenant_fk


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


class RadiusChange(Tenant, Base):
    """How far from the frontage counts as there on one segment, from when; None: as the rules say.

    Only added to: the change said last that counts at a moment is in force then.
    """

    __tablename__ = "radius_change"
    __table_args__ = (
        tenant_fk("segment_id", "road_segment"),
        CheckConstraint("radius_m BETWEEN 10 AND 100", name="radius"),
        CheckConstraint("from_at >= set_at", name="not_before"),
        Index(None, "subdistrict_id", "segment_id", "set_at"),
    )

    segment_id: Mapped[uuid.UUID]
    radius_m: Mapped[float | None]
    because: Mapped[str]
    set_by: Mapped[uuid.UUID | None]
    set_at: Mapped[datetime]
    from_at: Mapped[datetime]
