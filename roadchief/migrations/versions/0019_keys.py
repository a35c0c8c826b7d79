"""Keys of other systems are limited, recognised and rotated; steps are found by their time."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("api_key", sa.Column("hint", sa.String(), server_default="", nullable=False))
    op.add_column(
        "api_key",
        sa.Column("limit_a_minute", sa.Integer(), server_default="120", nullable=False),
    )
    op.add_column("api_key", sa.Column("follows_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_api_key_subdistrict_id_follows_id"),
        "api_key",
        "api_key",
        ["subdistrict_id", "follows_id"],
        ["subdistrict_id", "id"],
    )
    op.create_check_constraint("limit", "api_key", "limit_a_minute BETWEEN 1 AND 6000")
    op.create_index("ix_case_step_at", "case_step", ["subdistrict_id", "at", "case_id", "seq"])


def downgrade() -> None:
    op.drop_index("ix_case_step_at", table_name="case_step")
    for column in ("follows_id", "limit_a_minute", "hint"):
        op.drop_column("api_key", column)
