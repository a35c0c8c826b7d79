"""What photos look like, in 64 bits with their quarters, for finding others like them."""

import sqlalchemy as sa
from alembic import op

from roadchief.migrations import protect

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    bands = range(1, 5)
    op.create_table(
        "photo_likeness",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bits", sa.BigInteger(), nullable=False),
        *(
            sa.Column(
                f"band_{number}",
                sa.Integer(),
                sa.Computed(f"((bits >> {64 - 16 * number}) & 65535)::integer", persisted=True),
                nullable=False,
            )
            for number in bands
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "id"],
            ["blob.subdistrict_id", "blob.id"],
            name=op.f("fk_photo_likeness_subdistrict_id_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_photo_likeness")),
    )
    for number in bands:
        op.create_index(
            f"ix_photo_likeness_band_{number}",
            "photo_likeness",
            ["subdistrict_id", f"band_{number}"],
            unique=False,
            postgresql_include=["id", "bits"],
        )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON photo_likeness TO roadchief_app")
    protect(op, "photo_likeness")


def downgrade() -> None:
    op.drop_table("photo_likeness")
