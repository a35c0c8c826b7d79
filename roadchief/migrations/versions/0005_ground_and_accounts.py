"""Places that close, stand-ins with an end, and indexes of what is looked up by a storefront."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

PLACES = ("street_block", "grid", "organisation", "permit_area", "station")
# Table and the column that only one open place may have.
ONE_OPEN = (("street_block", "name"), ("grid", "code"), ("organisation", "name"))
SCOPES = ("road", "segment", "block")
INDEXES = (
    ("assignment", ("subdistrict_id", "road_id")),
    ("assignment", ("subdistrict_id", "segment_id")),
    ("assignment", ("subdistrict_id", "block_id")),
    ("segment_succession", ("subdistrict_id", "after_id")),
    ("storefront_succession", ("subdistrict_id", "after_id")),
    ("tenancy", ("subdistrict_id", "storefront_id", "starts_on")),
    ("permit_area", ("subdistrict_id", "storefront_id")),
)


def upgrade() -> None:
    for table in PLACES:
        op.add_column(table, sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    for table, column in ONE_OPEN:
        op.drop_constraint(f"uq_{table}_subdistrict_id_{column}", table)
        op.create_index(
            f"uq_{table}_open",
            table,
            ["subdistrict_id", column],
            unique=True,
            postgresql_where=sa.text("closed_at IS NULL"),
        )
    for scope in SCOPES:
        op.drop_index(f"uq_assignment_running_{scope}", "assignment")
        op.execute(
            f"ALTER TABLE assignment ADD CONSTRAINT ex_assignment_{scope} EXCLUDE USING gist ("
            f"subdistrict_id WITH =, post_id WITH =, {scope}_id WITH =, "
            f"tstzrange(starts_at, ends_at) WITH &&) WHERE ({scope}_id IS NOT NULL)"
        )
    for table, columns in INDEXES:
        op.create_index(_name(table, columns), table, list(columns))


def downgrade() -> None:
    for table, columns in INDEXES:
        op.drop_index(_name(table, columns), table)
    for scope in SCOPES:
        op.execute(f"ALTER TABLE assignment DROP CONSTRAINT ex_assignment_{scope}")
        op.create_index(
            f"uq_assignment_running_{scope}",
            "assignment",
            ["subdistrict_id", "post_id", f"{scope}_id"],
            unique=True,
            postgresql_where=sa.text(f"ends_at IS NULL AND {scope}_id IS NOT NULL"),
        )
    for table, column in ONE_OPEN:
        op.drop_index(f"uq_{table}_open", table)
        # A name that was taken again after its place closed is told apart by the closed row's id.
        op.execute(
            f"UPDATE {table} SET {column} = {column} || ' ' || id WHERE closed_at IS NOT NULL"
        )
        op.create_unique_constraint(
            f"uq_{table}_subdistrict_id_{column}", table, ["subdistrict_id", column]
        )
    for table in PLACES:
        op.drop_column(table, "closed_at")


def _name(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"
