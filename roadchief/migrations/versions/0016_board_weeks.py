"""Weekly sums of dashboards, kept where there is too much to count at every view."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from roadchief.migrations import protect

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "board_week",
        sa.Column("subdistrict_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("monday", sa.Date(), nullable=False),
        sa.Column("block_id", sa.Uuid(), nullable=False),
        sa.Column("sums", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reckoned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subdistrict_id", "monday", "block_id", name=op.f("pk_board_week")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON board_week TO roadchief_app")
    protect(op, "board_week")


def downgrade() -> None:
    op.drop_table("board_week")
