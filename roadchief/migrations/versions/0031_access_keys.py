"""Keys with which a person's own programs read the open interfaces."""

import sqlalchemy as sa
from alembic import op

from roadchief.migrations import protect

revision = "0031"
down_revision = "0030"
TABLE = "access_key"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_access_key")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "person_id"],
            ["person.subdistrict_id", "person.id"],
            name=op.f("fk_access_key_subdistrict_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "post_id"],
            ["post.subdistrict_id", "post.id"],
            name=op.f("fk_access_key_subdistrict_id_post_id"),
        ),
        sa.UniqueConstraint(
            "subdistrict_id", "token_hash", name=op.f("uq_access_key_subdistrict_id_token_hash")
        ),
    )
    op.create_index(
        op.f("ix_access_key_subdistrict_id_person_id"), TABLE, ["subdistrict_id", "person_id"]
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO roadchief_app")
    protect(op, TABLE)


def downgrade() -> None:
    op.drop_table(TABLE)
