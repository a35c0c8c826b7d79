"""Patrol: receipts of what phones sent, check-ins, shifts, reviews, coverage."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from roadchief.db import Shape
from roadchief.migrations import append_only, protect

revision = "0008"
down_revision = "0007"

# In the order they are made.
TABLES = (
    "checklist",
    "patrol_item",
    "absence",
    "item_photo",
    "shift",
    "covered_stretch",
    "handover",
    "patrol_alert",
    "segment_radius",
    "shift_beat",
    "track",
    "check_in",
    "finding",
    "handover_reading",
    "missed_visit",
    "shift_stop",
    "recheck",
    "review",
)
APPEND_ONLY = (
    "patrol_item",
    "item_photo",
    "check_in",
    "finding",
    "missed_visit",
    "covered_stretch",
    "handover",
    "handover_reading",
)


def upgrade() -> None:
    _create()
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO roadchief_app")
        protect(op, table)
        if table in APPEND_ONLY:
            append_only(op, table)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _create() -> None:
    op.create_table(
        "checklist",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("items", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("audience IN ('P', 'M', 'E')", name=op.f("ck_checklist_audience")),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_checklist")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "audience",
            "version",
            name=op.f("uq_checklist_subdistrict_id_audience_version"),
        ),
    )
    op.create_index(
        "uq_checklist_in_force",
        "checklist",
        ["subdistrict_id", "audience"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_table(
        "patrol_item",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_patrol_item")),
    )
    op.create_index(
        op.f("ix_patrol_item_subdistrict_id_device_id_seq"),
        "patrol_item",
        ["subdistrict_id", "device_id", "seq"],
        unique=False,
    )
    op.create_table(
        "absence",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("stand_in_id", sa.Uuid(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.CheckConstraint("to_on >= from_on", name=op.f("ck_absence_period")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "person_id"],
            ["person.subdistrict_id", "person.id"],
            name=op.f("fk_absence_subdistrict_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "stand_in_id"],
            ["person.subdistrict_id", "person.id"],
            name=op.f("fk_absence_subdistrict_id_stand_in_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_absence")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "person_id",
            "from_on",
            name=op.f("uq_absence_subdistrict_id_person_id_from_on"),
        ),
    )
    op.create_table(
        "item_photo",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "item_id"],
            ["patrol_item.subdistrict_id", "patrol_item.id"],
            name=op.f("fk_item_photo_subdistrict_id_item_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_item_photo")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "item_id",
            "sha256",
            name=op.f("uq_item_photo_subdistrict_id_item_id_sha256"),
        ),
    )
    op.create_index(
        op.f("ix_item_photo_subdistrict_id_sha256"),
        "item_photo",
        ["subdistrict_id", "sha256"],
        unique=False,
    )
    op.create_table(
        "shift",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("stands_in_for_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "state IN ('planned', 'running', 'closed', 'cancelled')", name=op.f("ck_shift_state")
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_shift_period")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "person_id"],
            ["person.subdistrict_id", "person.id"],
            name=op.f("fk_shift_subdistrict_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "stands_in_for_id"],
            ["person.subdistrict_id", "person.id"],
            name=op.f("fk_shift_subdistrict_id_stands_in_for_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_shift")),
    )
    op.create_index(
        op.f("ix_shift_subdistrict_id_person_id_starts_at"),
        "shift",
        ["subdistrict_id", "person_id", "starts_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_shift_subdistrict_id_starts_at"),
        "shift",
        ["subdistrict_id", "starts_at"],
        unique=False,
    )
    op.create_table(
        "covered_stretch",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_m", sa.Double(), nullable=False),
        sa.Column("to_m", sa.Double(), nullable=False),
        sa.CheckConstraint("to_m > from_m", name=op.f("ck_covered_stretch_order")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "segment_id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_covered_stretch_subdistrict_id_segment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "source_id"],
            ["patrol_item.subdistrict_id", "patrol_item.id"],
            name=op.f("fk_covered_stretch_subdistrict_id_source_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_covered_stretch")),
    )
    op.create_index(
        op.f("ix_covered_stretch_subdistrict_id_segment_id_at"),
        "covered_stretch",
        ["subdistrict_id", "segment_id", "at"],
        unique=False,
    )
    op.create_table(
        "handover",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=True),
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "id"],
            ["patrol_item.subdistrict_id", "patrol_item.id"],
            name=op.f("fk_handover_subdistrict_id_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "segment_id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_handover_subdistrict_id_segment_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_handover")),
    )
    op.create_index(
        op.f("ix_handover_subdistrict_id_segment_id_written_at"),
        "handover",
        ["subdistrict_id", "segment_id", "written_at"],
        unique=False,
    )
    op.create_table(
        "patrol_alert",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("because", sa.String(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('missed', 'late', 'short')", name=op.f("ck_patrol_alert_kind")
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "shift_id"],
            ["shift.subdistrict_id", "shift.id"],
            name=op.f("fk_patrol_alert_subdistrict_id_shift_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_patrol_alert")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "shift_id",
            "kind",
            name=op.f("uq_patrol_alert_subdistrict_id_shift_id_kind"),
        ),
    )
    op.create_index(
        "ix_patrol_alert_open",
        "patrol_alert",
        ["subdistrict_id", "raised_at"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "segment_radius",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("radius_m", sa.Double(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("radius_m BETWEEN 10 AND 100", name=op.f("ck_segment_radius_radius")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_segment_radius_subdistrict_id_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_segment_radius")),
    )
    op.create_table(
        "shift_beat",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "segment_id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_shift_beat_subdistrict_id_segment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "shift_id"],
            ["shift.subdistrict_id", "shift.id"],
            name=op.f("fk_shift_beat_subdistrict_id_shift_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_shift_beat")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "shift_id",
            "segment_id",
            name=op.f("uq_shift_beat_subdistrict_id_shift_id_segment_id"),
        ),
    )
    op.create_index(
        op.f("ix_shift_beat_subdistrict_id_segment_id"),
        "shift_beat",
        ["subdistrict_id", "segment_id"],
        unique=False,
    )
    op.create_table(
        "track",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("points", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("walked_m", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "id"],
            ["patrol_item.subdistrict_id", "patrol_item.id"],
            name=op.f("fk_track_subdistrict_id_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "shift_id"],
            ["shift.subdistrict_id", "shift.id"],
            name=op.f("fk_track_subdistrict_id_shift_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_track")),
    )
    op.create_index(
        op.f("ix_track_subdistrict_id_ends_at"),
        "track",
        ["subdistrict_id", "ends_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_track_subdistrict_id_shift_id"),
        "track",
        ["subdistrict_id", "shift_id"],
        unique=False,
    )
    op.create_table(
        "check_in",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=True),
        sa.Column("storefront_id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("because", sa.String(), nullable=True),
        sa.Column("plate_digest", sa.LargeBinary(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uncertainty_s", sa.Double(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("device_wall", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device_mono_ms", sa.BigInteger(), nullable=True),
        sa.Column("device_session", sa.String(), nullable=True),
        sa.Column("offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("place", Shape("POINT"), nullable=True),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("fix", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("distance_m", sa.Double(), nullable=True),
        sa.Column("radius_m", sa.Double(), nullable=False),
        sa.Column("limit_m", sa.Double(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=True),
        sa.Column("grade", sa.String(), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=True),
        sa.Column("inspection_code", sa.String(), nullable=True),
        sa.Column("recheck_of", sa.Uuid(), nullable=True),
        sa.Column("photos", sa.Integer(), nullable=False),
        sa.Column(
            "flags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.CheckConstraint(
            "grade IN ('best', 'good', 'fair', 'poor', 'danger')", name=op.f("ck_check_in_grade")
        ),
        sa.CheckConstraint("how IN ('scan', 'typed', 'picked')", name=op.f("ck_check_in_how")),
        sa.CheckConstraint(
            "outcome IN ('verified', 'weak', 'contradicted')", name=op.f("ck_check_in_outcome")
        ),
        sa.CheckConstraint(
            "purpose IN ('patrol', 'recheck', 'self_check')", name=op.f("ck_check_in_purpose")
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "id"],
            ["patrol_item.subdistrict_id", "patrol_item.id"],
            name=op.f("fk_check_in_subdistrict_id_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "shift_id"],
            ["shift.subdistrict_id", "shift.id"],
            name=op.f("fk_check_in_subdistrict_id_shift_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "storefront_id"],
            ["storefront.subdistrict_id", "storefront.id"],
            name=op.f("fk_check_in_subdistrict_id_storefront_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_check_in")),
    )
    op.create_index(
        op.f("ix_check_in_subdistrict_id_person_id_occurred_at"),
        "check_in",
        ["subdistrict_id", "person_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_check_in_subdistrict_id_segment_id_occurred_at"),
        "check_in",
        ["subdistrict_id", "segment_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_check_in_subdistrict_id_shift_id"),
        "check_in",
        ["subdistrict_id", "shift_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_check_in_subdistrict_id_storefront_id_occurred_at"),
        "check_in",
        ["subdistrict_id", "storefront_id", "occurred_at"],
        unique=False,
    )
    op.create_table(
        "finding",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("check_in_id", sa.Uuid(), nullable=True),
        sa.Column("storefront_id", sa.Uuid(), nullable=True),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("inspection_code", sa.String(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "photos", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.CheckConstraint(
            "num_nonnulls(storefront_id, segment_id) > 0", name=op.f("ck_finding_somewhere")
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "segment_id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_finding_subdistrict_id_segment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "source_id"],
            ["patrol_item.subdistrict_id", "patrol_item.id"],
            name=op.f("fk_finding_subdistrict_id_source_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "storefront_id"],
            ["storefront.subdistrict_id", "storefront.id"],
            name=op.f("fk_finding_subdistrict_id_storefront_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_finding")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "source_id",
            "item",
            name=op.f("uq_finding_subdistrict_id_source_id_item"),
        ),
    )
    op.create_index(
        op.f("ix_finding_subdistrict_id_segment_id_occurred_at"),
        "finding",
        ["subdistrict_id", "segment_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_finding_subdistrict_id_storefront_id_occurred_at"),
        "finding",
        ["subdistrict_id", "storefront_id", "occurred_at"],
        unique=False,
    )
    op.create_table(
        "handover_reading",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "handover_id"],
            ["handover.subdistrict_id", "handover.id"],
            name=op.f("fk_handover_reading_subdistrict_id_handover_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_handover_reading")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "handover_id",
            "person_id",
            name=op.f("uq_handover_reading_subdistrict_id_handover_id_person_id"),
        ),
    )
    op.create_table(
        "missed_visit",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=True),
        sa.Column("storefront_id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "because IN ('closed', 'demolished', 'refused', 'unsafe', 'other')",
            name=op.f("ck_missed_visit_because"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "id"],
            ["patrol_item.subdistrict_id", "patrol_item.id"],
            name=op.f("fk_missed_visit_subdistrict_id_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "shift_id"],
            ["shift.subdistrict_id", "shift.id"],
            name=op.f("fk_missed_visit_subdistrict_id_shift_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "storefront_id"],
            ["storefront.subdistrict_id", "storefront.id"],
            name=op.f("fk_missed_visit_subdistrict_id_storefront_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_missed_visit")),
    )
    op.create_index(
        op.f("ix_missed_visit_subdistrict_id_shift_id"),
        "missed_visit",
        ["subdistrict_id", "shift_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_missed_visit_subdistrict_id_storefront_id_occurred_at"),
        "missed_visit",
        ["subdistrict_id", "storefront_id", "occurred_at"],
        unique=False,
    )
    op.create_table(
        "shift_stop",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("storefront_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("due", sa.String(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recheck_of", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "shift_id"],
            ["shift.subdistrict_id", "shift.id"],
            name=op.f("fk_shift_stop_subdistrict_id_shift_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "storefront_id"],
            ["storefront.subdistrict_id", "storefront.id"],
            name=op.f("fk_shift_stop_subdistrict_id_storefront_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_shift_stop")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "shift_id",
            "storefront_id",
            name=op.f("uq_shift_stop_subdistrict_id_shift_id_storefront_id"),
        ),
    )
    op.create_table(
        "recheck",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("storefront_id", sa.Uuid(), nullable=False),
        sa.Column("first_person_id", sa.Uuid(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("second_id", sa.Uuid(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed", sa.Boolean(), nullable=True),
        sa.Column("differences", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "id"],
            ["check_in.subdistrict_id", "check_in.id"],
            name=op.f("fk_recheck_subdistrict_id_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "second_id"],
            ["check_in.subdistrict_id", "check_in.id"],
            name=op.f("fk_recheck_subdistrict_id_second_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_recheck")),
    )
    op.create_index(
        "ix_recheck_open",
        "recheck",
        ["subdistrict_id", "storefront_id"],
        unique=False,
        postgresql_where=sa.text("second_id IS NULL"),
    )
    op.create_table(
        "review",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sampled", sa.Boolean(), nullable=False),
        sa.Column("signals", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("explanation", sa.String(), nullable=True),
        sa.Column("explained_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("because", sa.String(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent_back', 'approved', 'refused', 'removed')",
            name=op.f("ck_review_state"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "id"],
            ["check_in.subdistrict_id", "check_in.id"],
            name=op.f("fk_review_subdistrict_id_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_review")),
    )
    op.create_index(
        "ix_review_open",
        "review",
        ["subdistrict_id", "opened_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        op.f("ix_review_subdistrict_id_segment_id_state"),
        "review",
        ["subdistrict_id", "segment_id", "state"],
        unique=False,
    )
