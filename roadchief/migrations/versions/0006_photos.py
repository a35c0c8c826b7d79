"""Photos, kept by content."""

import sqlalchemy as sa
from alembic import op

from roadchief.db import Shape
from roadchief.migrations import protect

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "blob",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("source_sha256", sa.String(), nullable=False),
        sa.Column("source_format", sa.String(), nullable=False),
        sa.Column("source_bytes", sa.Integer(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_place", Shape("POINT"), nullable=True),
        sa.Column("derived_from", sa.Uuid(), nullable=True),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.CheckConstraint("state IN ('kept', 'erased')", name=op.f("ck_blob_state")),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_blob")),
        sa.UniqueConstraint(
            "subdistrict_id", "source_sha256", name=op.f("uq_blob_subdistrict_id_source_sha256")
        ),
    )
    op.create_foreign_key(
        op.f("fk_blob_subdistrict_id_derived_from"),
        "blob",
        "blob",
        ["subdistrict_id", "derived_from"],
        ["subdistrict_id", "id"],
    )
    for columns in (("sha256",), ("by", "received_at"), ("derived_from",)):
        name = "ix_blob_subdistrict_id_" + "_".join(columns)
        op.create_index(name, "blob", ["subdistrict_id", *columns])
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON blob TO roadchief_app")
    protect(op, "blob")


def downgrade() -> None:
    op.drop_table("blob")
