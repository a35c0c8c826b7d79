"""Texts for replies that are used again and again."""

import sqlalchemy as sa
from alembic import op

from roadchief.migrations import protect

revision = "0024"
down_revision = "0023"
TABLE = "reply_template"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("verb", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_reply_template")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "made_by"],
            ["person.subdistrict_id", "person.id"],
            name=op.f("fk_reply_template_subdistrict_id_made_by"),
        ),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_reply_template_language")),
    )
    op.create_index(
        "uq_reply_template_name",
        TABLE,
        ["subdistrict_id", "language", "name"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO roadchief_app")
    protect(op, TABLE)


def downgrade() -> None:
    op.drop_table(TABLE)
