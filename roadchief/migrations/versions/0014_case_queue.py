"""The queue's shelves find their cases at once; days of cases are kept counted."""

import sqlalchemy as sa
from alembic import op

from roadchief.migrations import protect

revision = "0014"
down_revision = "0013"

TABLES = ("case_day", "case_day_mark")
COUNTS = (
    "cases",
    "contacted",
    "running",
    "closed",
    "on_time",
    "solved",
    "by_merchant",
    "reopened",
    "repeated",
)


def upgrade() -> None:
    op.create_index(
        "ix_case_paused",
        "case_file",
        ["subdistrict_id", "due_at", "id"],
        postgresql_where=sa.text("ended_at IS NULL AND paused_at IS NOT NULL"),
    )
    op.create_index(
        "ix_case_holder",
        "case_file",
        ["subdistrict_id", "holder_id", "due_at", "id"],
        postgresql_where=sa.text("ended_at IS NULL AND holder_id IS NOT NULL"),
    )
    op.create_table(
        "case_day",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("cut", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint("subdistrict_id", "cut", "day", "key", name=op.f("pk_case_day")),
    )
    op.create_table(
        "case_day_mark",
        sa.Column("subdistrict_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subdistrict_id", name=op.f("pk_case_day_mark")),
    )
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO roadchief_app")
        protect(op, table)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.drop_index("ix_case_holder", table_name="case_file")
    op.drop_index("ix_case_paused", table_name="case_file")
