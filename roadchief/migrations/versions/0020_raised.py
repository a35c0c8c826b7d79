"""What somebody raised is found at once: it stays in reach wherever it lies."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_index(
        "ix_case_step_raised",
        "case_step",
        ["subdistrict_id", "by", "case_id"],
        postgresql_where=sa.text("by IS NOT NULL AND verb IN ('report', 'seen_again')"),
    )


def downgrade() -> None:
    op.drop_index("ix_case_step_raised", table_name="case_step")
