"""Hints with their reasons, and what sensors said."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base, Tenant, point, tenant_fk


class Hint(Tenant, Base):
    """Something worth a look: found at night, kept while it holds, put aside with a reason."""

    __tablename__ = "hint"
    __table_args__ = (
        tenant_fk("segment_id", "road_segment"),
        CheckConstraint("state IN ('open', 'dismissed', 'over')", name="state"),
        CheckConstraint(
            "(state = 'dismissed') = (dismissed_because IS NOT NULL)", name="dismissed"
        ),
        Index(
            "uq_hint_open",
            "subdistrict_id",
            "kind",
            "subject_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_hint_weight", "subdistrict_id", "state", "weight"),
        Index("ix_hint_segment", "subdistrict_id", "segment_id", "state"),
        Index("ix_hint_subject", "subdistrict_id", "kind", "subject_id", "dismissed_at"),
    )

    kind: Mapped[str]
    subject_kind: Mapped[str]  # storefront, segment, plate
    subject_id: Mapped[uuid.UUID]
    segment_id: Mapped[uuid.UUID | None]
    title: Mapped[str]
    weight: Mapped[float]
    reasons: Mapped[dict[str, Any]] = mapped_column(JSONB)  # the measured facts
    rule: Mapped[str]
    found_at: Mapped[datetime]
    seen_at: Mapped[datetime]  # by the last run that found it so
    state: Mapped[str] = mapped_column(default="open")
    dismissed_at: Mapped[datetime | None]
    dismissed_by: Mapped[uuid.UUID | None]
    dismissed_because: Mapped[str | None]


class Signal(Tenant, Base):
    """An alarm of a sensor or camera. Its id is the sender's: sent twice, it is kept once."""

    __tablename__ = "signal"
    __table_args__ = (
        tenant_fk("storefront_id", "storefront"),
        tenant_fk("case_id", "case_file"),
        UniqueConstraint("subdistrict_id", "source", "source_ref"),
        Index(None, "subdistrict_id", "source", "device", "kind", "at"),
        Index(None, "subdistrict_id", "received_at"),
    )

    source: Mapped[str]  # the name of the key that sent it
    source_ref: Mapped[str]
    device: Mapped[str]
    kind: Mapped[str]
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    place: Mapped[point | None]
    storefront_id: Mapped[uuid.UUID | None]
    case_id: Mapped[uuid.UUID | None]
    outcome: Mapped[str]  # case, counted, noted
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)


class HotSpot(Tenant, Base):
    """A cluster of cases of the last run, with what it is made of."""

    __tablename__ = "hot_spot"
    __table_args__ = (Index("ix_hot_spot_place", "place", postgresql_using="gist"),)

    place: Mapped[point]
    radius_m: Mapped[float]
    cases: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    found_at: Mapped[datetime]


class SegmentRisk(Tenant, Base):
    """The risk of a segment by the last run: points with reasons. `id` is the segment's."""

    __tablename__ = "segment_risk"
    __table_args__ = (
        tenant_fk("id", "road_segment"),
        Index("ix_segment_risk_points", "subdistrict_id", "points"),
    )

    points: Mapped[float]
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    z: Mapped[float | None]  # Getis-Ord Gi* of its cases among its neighbours
    p: Mapped[float | None]
    reckoned_at: Mapped[datetime]


class BoardWeek(Base):
    """Sums of a week and a block for dashboards, reckoned ahead. Derived; nil id: in no block."""

    __tablename__ = "board_week"

    subdistrict_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    monday: Mapped[date] = mapped_column(primary_key=True)
    block_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    sums: Mapped[dict[str, list[int]]] = mapped_column(JSONB)  # indicator: part, whole
    reckoned_at: Mapped[datetime]
