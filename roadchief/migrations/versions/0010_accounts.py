"""Accounts of an identity provider and the persons that they are."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "sign_in_link",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "person_id"],
            ["person.subdistrict_id", "person.id"],
            name=op.f("fk_sign_in_link_subdistrict_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_sign_in_link")),
        sa.UniqueConstraint(
            "issuer",
            "subdistrict_id",
            "person_id",
            name=op.f("uq_sign_in_link_issuer_subdistrict_id_person_id"),
        ),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_link TO roadchief_app")


def downgrade() -> None:
    op.drop_table("sign_in_link")
