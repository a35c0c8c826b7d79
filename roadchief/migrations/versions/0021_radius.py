"""The presence radius of a segment keeps its history: rows that are only added to."""

import sqlalchemy as sa
from alembic import op

from roadchief.migrations import append_only, protect

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "radius_change",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("radius_m", sa.Double(), nullable=True),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("radius_m BETWEEN 10 AND 100", name=op.f("ck_radius_change_radius")),
        sa.CheckConstraint("from_at >= set_at", name=op.f("ck_radius_change_not_before")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "segment_id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_radius_change_subdistrict_id_segment_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_radius_change")),
    )
    op.create_index(
        op.f("ix_radius_change_subdistrict_id_segment_id_set_at"),
        "radius_change",
        ["subdistrict_id", "segment_id", "set_at"],
        unique=False,
    )
    op.execute("GRANT SELECT, INSERT ON radius_change TO roadchief_app")
    op.execute(
        "INSERT INTO radius_change SELECT subdistrict_id, gen_random_uuid(), id, radius_m, "
        "because, set_by, set_at, set_at FROM segment_radius"
    )
    protect(op, "radius_change")
    append_only(op, "radius_change")
    op.drop_table("segment_radius")


def downgrade() -> None:
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
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON segment_radius TO roadchief_app")
    op.execute(
        "INSERT INTO segment_radius SELECT DISTINCT ON (subdistrict_id, segment_id) "
        "subdistrict_id, segment_id, radius_m, because, set_by, set_at FROM radius_change "
        "WHERE radius_m IS NOT NULL ORDER BY subdistrict_id, segment_id, set_at DESC"
    )
    protect(op, "segment_radius")
    op.drop_table("radius_change")
