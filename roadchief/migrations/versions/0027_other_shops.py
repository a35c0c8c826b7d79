"""Another shop than the register's, as a patroller read its sign or licence."""

import sqlalchemy as sa
from alembic import op

from roadchief.migrations import append_only, protect

revision = "0027"
down_revision = "0026"
TABLE = "other_shop"
POINTS_TO = {"id": "patrol_item", "shift_id": "shift", "storefront_id": "storefront"}


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("subdistrict_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=True),
        sa.Column("storefront_id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("sign_name", sa.String(), nullable=True),
        sa.Column("uscc", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_other_shop")),
        sa.CheckConstraint(
            "num_nonnulls(sign_name, uscc) > 0", name=op.f("ck_other_shop_something")
        ),
        *(
            sa.ForeignKeyConstraint(
                ["subdistrict_id", column],
                [f"{other}.subdistrict_id", f"{other}.id"],
                name=op.f(f"fk_other_shop_subdistrict_id_{column}"),
            )
            for column, other in POINTS_TO.items()
        ),
    )
    op.create_index(
        op.f("ix_other_shop_subdistrict_id_storefront_id_occurred_at"),
        TABLE,
        ["subdistrict_id", "storefront_id", "occurred_at"],
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO roadchief_app")
    protect(op, TABLE)
    append_only(op, TABLE)


def downgrade() -> None:
    op.drop_table(TABLE)
