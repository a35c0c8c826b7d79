"""Hints with their reasons, what sensors said, hot spots, and the risk of segments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from roadchief.db import Shape
from roadchief.migrations import protect

revision = "0013"
down_revision = "0012"

TABLES = ("hot_spot", "hint", "segment_risk", "signal")


def upgrade() -> None:
    _create()
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO roadchief_app")
        protect(op, table)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _create() -> None:
    op.create_table(
        "hot_spot",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("place", Shape("POINT"), nullable=False),
        sa.Column("radius_m", sa.Double(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_hot_spot")),
    )
    op.create_index(
        "ix_hot_spot_place", "hot_spot", ["place"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "hint",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissed_by", sa.Uuid(), nullable=True),
        sa.Column("dismissed_because", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(state = 'dismissed') = (dismissed_because IS NOT NULL)",
            name=op.f("ck_hint_dismissed"),
        ),
        sa.CheckConstraint("state IN ('open', 'dismissed', 'over')", name=op.f("ck_hint_state")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "segment_id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_hint_subdistrict_id_segment_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_hint")),
    )
    op.create_index(
        "ix_hint_segment", "hint", ["subdistrict_id", "segment_id", "state"], unique=False
    )
    op.create_index(
        "ix_hint_subject",
        "hint",
        ["subdistrict_id", "kind", "subject_id", "dismissed_at"],
        unique=False,
    )
    op.create_index("ix_hint_weight", "hint", ["subdistrict_id", "state", "weight"], unique=False)
    op.create_index(
        "uq_hint_open",
        "hint",
        ["subdistrict_id", "kind", "subject_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "segment_risk",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("points", sa.Double(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("z", sa.Double(), nullable=True),
        sa.Column("p", sa.Double(), nullable=True),
        sa.Column("reckoned_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_segment_risk_subdistrict_id_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_segment_risk")),
    )
    op.create_index(
        "ix_segment_risk_points", "segment_risk", ["subdistrict_id", "points"], unique=False
    )
    op.create_table(
        "signal",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_ref", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", Shape("POINT"), nullable=True),
        sa.Column("storefront_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "case_id"],
            ["case_file.subdistrict_id", "case_file.id"],
            name=op.f("fk_signal_subdistrict_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "storefront_id"],
            ["storefront.subdistrict_id", "storefront.id"],
            name=op.f("fk_signal_subdistrict_id_storefront_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_signal")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "source",
            "source_ref",
            name=op.f("uq_signal_subdistrict_id_source_source_ref"),
        ),
    )
    op.create_index(
        op.f("ix_signal_subdistrict_id_received_at"),
        "signal",
        ["subdistrict_id", "received_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_signal_subdistrict_id_source_device_kind_at"),
        "signal",
        ["subdistrict_id", "source", "device", "kind", "at"],
        unique=False,
    )
