"""What people are told, and how it reached them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from roadchief.migrations import protect

revision = "0012"
down_revision = "0011"
CHANNELS = "channel IN ('mail', 'hook')"
STATES = "state IN ('waiting', 'sending', 'sent', 'unsure', 'given_up')"


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("once", sa.Uuid(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("to", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("words", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_notice")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "to"],
            ["person.subdistrict_id", "person.id"],
            name=op.f("fk_notice_subdistrict_id_to"),
        ),
        sa.UniqueConstraint(
            "subdistrict_id",
            "kind",
            "once",
            "recipient",
            name=op.f("uq_notice_subdistrict_id_kind_once_recipient"),
        ),
    )
    op.create_index("ix_notice_subdistrict_id_to_at", "notice", ["subdistrict_id", "to", "at"])
    op.create_index(
        "ix_notice_unread",
        "notice",
        ["subdistrict_id", "to"],
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.create_index(
        "ix_notice_address",
        "notice",
        ["subdistrict_id", "address"],
        postgresql_where=sa.text("address IS NOT NULL"),
    )
    op.create_table(
        "delivery",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(), nullable=True),
        sa.CheckConstraint(CHANNELS, name=op.f("ck_delivery_channel")),
        sa.CheckConstraint(STATES, name=op.f("ck_delivery_state")),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_delivery")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "notice_id"],
            ["notice.subdistrict_id", "notice.id"],
            name=op.f("fk_delivery_subdistrict_id_notice_id"),
        ),
        sa.UniqueConstraint(
            "subdistrict_id",
            "notice_id",
            "channel",
            name=op.f("uq_delivery_subdistrict_id_notice_id_channel"),
        ),
    )
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["subdistrict_id", "next_at"],
        postgresql_where=sa.text("state IN ('waiting', 'sending')"),
    )
    for table in ("notice", "delivery"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO roadchief_app")
        protect(op, table)


def downgrade() -> None:
    op.drop_table("delivery")
    op.drop_table("notice")
