"""A case and what is kept about it. Steps are only added to; the case's row is where it stands."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base, Tenant, point, tenant_fk

LIVE = "ended_at IS NULL"


class Case(Tenant, Base):
    """案件. `words` are the reporter's own and never leave the desk; `public_words` were released.

    `version` counts moves: a form drawn from an older one is refused. `begun_at` is where the
    unit's clock starts; yellow, due and black follow from it and are kept for lists and jobs.
    """

    __tablename__ = "case_file"
    __table_args__ = (
        tenant_fk("storefront_id", "storefront"),
        tenant_fk("segment_id", "road_segment"),
        tenant_fk("grid_id", "grid"),
        tenant_fk("tenancy_id", "tenancy"),
        tenant_fk("unit_id", "organisation"),
        tenant_fk("master_id", "case_file"),
        tenant_fk("parent_id", "case_file"),
        tenant_fk("again_of_id", "case_file"),
        UniqueConstraint("subdistrict_id", "number"),
        CheckConstraint("accuracy_m >= 0", name="accuracy"),
        CheckConstraint("master_id IS NULL OR master_id <> id", name="own_master"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="own_parent"),
        CheckConstraint("again_of_id IS NULL OR again_of_id <> id", name="own_again"),
        CheckConstraint(
            "(state IN ('closed', 'rejected', 'duplicate')) = (ended_at IS NOT NULL)", name="ended"
        ),
        Index("ix_case_place", "place", postgresql_using="gist"),
        Index("ix_case_pieces", "pieces", postgresql_using="gin"),
        Index("ix_case_queue", "subdistrict_id", "due_at", "id", postgresql_where=text(LIVE)),
        Index(
            "ix_case_unit", "subdistrict_id", "unit_id", "due_at", "id", postgresql_where=text(LIVE)
        ),
        Index(
            "ix_case_state", "subdistrict_id", "state", "due_at", "id", postgresql_where=text(LIVE)
        ),
        Index(
            "ix_case_paused",
            "subdistrict_id",
            "due_at",
            "id",
            postgresql_where=text(f"{LIVE} AND paused_at IS NOT NULL"),
        ),
        Index(
            "ix_case_holder",
            "subdistrict_id",
            "holder_id",
            "due_at",
            "id",
            postgresql_where=text(f"{LIVE} AND holder_id IS NOT NULL"),
        ),
        Index("ix_case_storefront", "subdistrict_id", "storefront_id", "reported_at"),
        Index("ix_case_segment", "subdistrict_id", "segment_id", "reported_at"),
        Index("ix_case_reported", "subdistrict_id", "reported_at", "id"),
        # All that statistics count, so that they need not open the rows.
        Index(
            "ix_case_figures",
            "subdistrict_id",
            "reported_at",
            postgresql_include=[
                "unit_id",
                "category",
                "segment_id",
                "ended_at",
                "closing_kind",
                "on_time",
                "reopened",
                "repeat",
                "contacted_at",
                "response_due_at",
                "due_at",
            ],
        ),
        Index("ix_case_updated", "subdistrict_id", "updated_at", "id"),
        Index("ix_case_closed", "subdistrict_id", "ended_at", "id"),
        Index("ix_case_children", "subdistrict_id", "parent_id"),
        Index("ix_case_master", "subdistrict_id", "master_id"),
        Index(
            "ix_case_again",
            "subdistrict_id",
            "again_of_id",
            postgresql_where=text("again_of_id IS NOT NULL"),
        ),
        Index(
            "uq_case_source",
            "subdistrict_id",
            "source",
            "source_ref",
            unique=True,
            postgresql_where=text("source_ref IS NOT NULL"),
        ),
    )

    number: Mapped[str]
    category: Mapped[str]
    state: Mapped[str] = mapped_column(default="reported")
    came_from: Mapped[str | None]  # the state that deferred and duplicate return to
    version: Mapped[int] = mapped_column(default=1)
    steps: Mapped[int] = mapped_column(default=0)
    source: Mapped[str]  # citizen, patrol, hotline, superior, media, open311, import, staff
    source_ref: Mapped[str | None]
    danger: Mapped[bool] = mapped_column(default=False)
    held: Mapped[bool] = mapped_column(default=False)  # too many from one place: rings nobody
    words: Mapped[str] = mapped_column(default="")
    public_words: Mapped[str | None]
    pieces: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))

    place: Mapped[point | None]
    accuracy_m: Mapped[float | None]
    datum: Mapped[str] = mapped_column(default="wgs84")
    address: Mapped[str] = mapped_column(default="")
    storefront_id: Mapped[uuid.UUID | None]
    tenancy_id: Mapped[uuid.UUID | None]
    segment_id: Mapped[uuid.UUID | None]
    grid_id: Mapped[uuid.UUID | None]
    permit: Mapped[str | None]  # a permit area that made the trade lawful at that hour

    unit_id: Mapped[uuid.UUID | None]
    holder_id: Mapped[uuid.UUID | None]  # the person who has it in hand
    routed_by: Mapped[str | None]
    limit_amount: Mapped[float]
    limit_clock: Mapped[str]
    limit_version: Mapped[str]
    extra_amount: Mapped[float] = mapped_column(default=0)
    asked_amount: Mapped[float | None]
    begun_at: Mapped[datetime]
    response_due_at: Mapped[datetime | None]
    contacted_at: Mapped[datetime | None]
    yellow_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    black_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    provisional: Mapped[bool] = mapped_column(default=False)
    merchant_due_at: Mapped[datetime | None]
    told_light: Mapped[str | None]

    reported_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    closings: Mapped[int] = mapped_column(default=0)
    closing_kind: Mapped[str | None]
    on_time: Mapped[bool | None]
    reopened: Mapped[int] = mapped_column(default=0)
    repeat: Mapped[bool] = mapped_column(default=False)  # same place and class within 30 days
    followers: Mapped[int] = mapped_column(default=0)
    parent_id: Mapped[uuid.UUID | None]
    master_id: Mapped[uuid.UUID | None]
    again_of_id: Mapped[uuid.UUID | None]  # reported again when it was too late to reopen that
    masked_at: Mapped[datetime | None]


class CaseStep(Tenant, Base):
    """What happened: who, when, why. `part` is citizen, merchant, unit, centre, chief, system.

    `words` are those of staff or of the machine; what citizens write is kept in `voice`, because
    it must be possible to take it away.
    """

    __tablename__ = "case_step"
    __table_args__ = (
        tenant_fk("case_id", "case_file"),
        UniqueConstraint("subdistrict_id", "case_id", "seq"),
        Index("ix_case_step_at", "subdistrict_id", "at", "case_id", "seq"),
        Index(
            "ix_case_step_raised",
            "subdistrict_id",
            "by",
            "case_id",
            postgresql_where=text("by IS NOT NULL AND verb IN ('report', 'seen_again')"),
        ),
    )

    case_id: Mapped[uuid.UUID]
    seq: Mapped[int]
    verb: Mapped[str]
    before: Mapped[str | None]
    after: Mapped[str]
    part: Mapped[str]
    by: Mapped[uuid.UUID | None]
    at: Mapped[datetime]
    words: Mapped[str | None]
    public: Mapped[bool] = mapped_column(default=False)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class CasePause(Tenant, Base):
    """The unit's clock stood still, and why: deferred, waiting, merchant, ended."""

    __tablename__ = "case_pause"
    __table_args__ = (
        tenant_fk("case_id", "case_file"),
        CheckConstraint("ends_at IS NULL OR ends_at >= begins_at", name="period"),
        Index(None, "subdistrict_id", "case_id"),
    )

    case_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    because: Mapped[str]
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]


class CasePhoto(Tenant, Base):
    """A photo of a case. Public only while `released_at` is set and `withdrawn_at` is not.

    `public_photo_id` is the version that was released: a blurred copy, or the photo itself.
    """

    __tablename__ = "case_photo"
    __table_args__ = (
        tenant_fk("case_id", "case_file"),
        tenant_fk("photo_id", "blob"),
        tenant_fk("public_photo_id", "blob"),
        UniqueConstraint("subdistrict_id", "case_id", "photo_id"),
    )

    case_id: Mapped[uuid.UUID]
    photo_id: Mapped[uuid.UUID]
    part: Mapped[str]  # who sent it: citizen, merchant, unit, chief, patrol
    added_at: Mapped[datetime]
    public_photo_id: Mapped[uuid.UUID | None]
    released_at: Mapped[datetime | None]
    released_by: Mapped[uuid.UUID | None]
    withdrawn_at: Mapped[datetime | None]


class CasePhotoPromise(Base):
    """A photo that a phone named and has not sent yet: it joins the case when it comes."""

    __tablename__ = "case_photo_promise"
    __table_args__ = (
        tenant_fk("case_id", "case_file"),
        Index(None, "subdistrict_id", "case_id"),
        Index(None, "subdistrict_id", "promised_at"),
    )

    subdistrict_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source_sha256: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    part: Mapped[str]
    promised_at: Mapped[datetime]


class CaseHelper(Tenant, Base):
    """A unit that was called to help (吹哨)."""

    __tablename__ = "case_helper"
    __table_args__ = (
        tenant_fk("case_id", "case_file"),
        tenant_fk("unit_id", "organisation"),
        UniqueConstraint("subdistrict_id", "case_id", "unit_id"),
    )

    case_id: Mapped[uuid.UUID]
    unit_id: Mapped[uuid.UUID]
    called_at: Mapped[datetime]


class CaseCounter(Base):
    """The last number given in a month; one row is locked for the moment of giving."""

    __tablename__ = "case_counter"

    subdistrict_id: Mapped[int] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


class RoutingRule(Tenant, Base):
    """A sub-district's own routing, in order; empty columns mean any."""

    __tablename__ = "routing_rule"
    __table_args__ = (
        tenant_fk("unit_id", "organisation"),
        UniqueConstraint("subdistrict_id", "place_in_line"),
    )

    place_in_line: Mapped[int]
    name: Mapped[str]
    unit_id: Mapped[uuid.UUID]
    category: Mapped[str | None]
    category_group: Mapped[str | None]
    segment_id: Mapped[uuid.UUID | None]
    grid_id: Mapped[uuid.UUID | None]
    let: Mapped[bool | None]


class SavedView(Tenant, Base):
    """A filter of the queue that somebody keeps."""

    __tablename__ = "saved_view"
    __table_args__ = (
        tenant_fk("person_id", "person"),
        UniqueConstraint("subdistrict_id", "person_id", "name"),
    )

    person_id: Mapped[uuid.UUID]
    name: Mapped[str]
    filter: Mapped[dict[str, Any]] = mapped_column(JSONB)


class ReplyTemplate(Tenant, Base):
    """回复模板. Changing one ends it and makes another: what was sent can be looked up."""

    __tablename__ = "reply_template"
    __table_args__ = (
        tenant_fk("made_by", "person"),
        CheckConstraint("language IN ('zh', 'en')", name="language"),
        Index(
            "uq_reply_template_name",
            "subdistrict_id",
            "language",
            "name",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    name: Mapped[str]
    language: Mapped[str]
    verb: Mapped[str | None]  # the move that it is for; None: any
    category: Mapped[str | None]  # None: any
    text: Mapped[str]
    made_at: Mapped[datetime]
    made_by: Mapped[uuid.UUID | None]
    ended_at: Mapped[datetime | None]
