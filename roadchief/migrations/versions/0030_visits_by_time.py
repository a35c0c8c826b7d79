"""Visits of a whole sub-district by time: coverage, months and the morning ask for a window."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.create_index(
        "ix_check_in_subdistrict_id_occurred_at", "check_in", ["subdistrict_id", "occurred_at"]
    )


def downgrade() -> None:
    op.drop_index("ix_check_in_subdistrict_id_occurred_at", "check_in")
