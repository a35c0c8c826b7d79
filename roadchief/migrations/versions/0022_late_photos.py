"""Photos that a phone sends after its finding join the case when they come."""

import sqlalchemy as sa
from alembic import op

from roadchief.migrations import protect

revision = "0022"
down_revision = "0021"
TABLE = "case_photo_promise"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("subdistrict_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source_sha256", sa.String(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "subdistrict_id", "source_sha256", "case_id", name=op.f("pk_case_photo_promise")
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "case_id"],
            ["case_file.subdistrict_id", "case_file.id"],
            name=op.f("fk_case_photo_promise_subdistrict_id_case_id"),
        ),
    )
    for column in ("case_id", "promised_at"):
        op.create_index(
            f"ix_case_photo_promise_subdistrict_id_{column}", TABLE, ["subdistrict_id", column]
        )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO roadchief_app")
    protect(op, TABLE)


def downgrade() -> None:
    op.drop_table(TABLE)
