"""Mail to citizens: proven, stopped, in their language; a report made again names the old case."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column(
        "receipt", sa.Column("language", sa.String(), nullable=False, server_default="zh")
    )
    op.add_column(
        "receipt", sa.Column("mail_stopped_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_check_constraint(
        op.f("ck_receipt_proven"),
        "receipt",
        "contact_proven_at IS NULL OR contact IS NOT NULL",
    )
    op.create_index(
        "ix_notice_citizen",
        "notice",
        ["subdistrict_id", "subject_id"],
        postgresql_where=sa.text('"to" IS NULL'),
    )
    op.create_table(
        "mail_address",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("hour_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_hour", sa.Integer(), nullable=False),
        sa.Column("day_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_day", sa.Integer(), nullable=False),
        sa.Column("off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("off_because", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_mail_address")),
        sa.CheckConstraint(
            "(off_at IS NULL) = (off_because IS NULL)", name=op.f("ck_mail_address_off")
        ),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON mail_address TO roadchief_app")
    op.add_column("case_file", sa.Column("again_of_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_case_file_subdistrict_id_again_of_id"),
        "case_file",
        "case_file",
        ["subdistrict_id", "again_of_id"],
        ["subdistrict_id", "id"],
    )
    op.create_check_constraint(
        op.f("ck_case_file_own_again"), "case_file", "again_of_id IS NULL OR again_of_id <> id"
    )
    op.create_index(
        "ix_case_again",
        "case_file",
        ["subdistrict_id", "again_of_id"],
        postgresql_where=sa.text("again_of_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_case_again", table_name="case_file")
    op.drop_constraint(op.f("ck_case_file_own_again"), "case_file")
    op.drop_constraint(op.f("fk_case_file_subdistrict_id_again_of_id"), "case_file")
    op.drop_column("case_file", "again_of_id")
    op.drop_table("mail_address")
    op.drop_index("ix_notice_citizen", table_name="notice")
    op.drop_constraint(op.f("ck_receipt_proven"), "receipt")
    op.drop_column("receipt", "mail_stopped_at")
    op.drop_column("receipt", "language")
