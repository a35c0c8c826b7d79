"""Merchants check their own shops: the sheets, what was found, put right, or asked help for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from roadchief.migrations import append_only, protect

revision = "0018"
down_revision = "0017"

# In the order they are made.
TABLES = ("self_check", "self_finding", "self_fix", "self_help")
WORDS = postgresql.ARRAY(sa.Text())


def upgrade() -> None:
    _create()
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO roadchief_app")
        protect(op, table)
        append_only(op, table)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _create() -> None:
    op.create_table(
        "self_check",
        *_key(),
        sa.Column("storefront_id", sa.Uuid(), nullable=False),
        sa.Column("tenancy_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("nth", sa.Integer(), nullable=False),
        _at("checked_at"),
        _at("received_at"),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("items", WORDS, nullable=False),
        _words("not_applicable"),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("on_time", sa.Boolean(), nullable=False),
        _words("flags"),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("nth > 0", name=op.f("ck_self_check_nth")),
        sa.CheckConstraint("wrong >= 0", name=op.f("ck_self_check_wrong")),
        _link("self_check", "storefront_id", "storefront"),
        _link("self_check", "tenancy_id", "tenancy"),
        _link("self_check", "person_id", "person"),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_self_check")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "storefront_id",
            "on_day",
            "nth",
            name=op.f("uq_self_check_subdistrict_id_storefront_id_on_day_nth"),
        ),
    )
    _index("self_check", "tenancy_id", "on_day", "nth")
    op.create_table(
        "self_finding",
        *_key(),
        sa.Column("self_check_id", sa.Uuid(), nullable=False),
        sa.Column("storefront_id", sa.Uuid(), nullable=False),
        sa.Column("tenancy_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("fix_on", sa.Date(), nullable=True),
        _at("found_at"),
        _words("photos"),
        _link("self_finding", "self_check_id", "self_check"),
        _link("self_finding", "storefront_id", "storefront"),
        _link("self_finding", "tenancy_id", "tenancy"),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_self_finding")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "self_check_id",
            "item",
            name=op.f("uq_self_finding_subdistrict_id_self_check_id_item"),
        ),
    )
    _index("self_finding", "tenancy_id")
    _index("self_finding", "storefront_id")
    op.create_table(
        "self_fix",
        *_key(),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        _at("fixed_at"),
        sa.Column("note", sa.String(), nullable=True),
        _words("photos"),
        _link("self_fix", "id", "self_finding"),
        _link("self_fix", "person_id", "person"),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_self_fix")),
    )
    op.create_table(
        "self_help",
        *_key(),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        _at("asked_at"),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("case_number", sa.String(), nullable=True),
        _link("self_help", "id", "self_finding"),
        _link("self_help", "person_id", "person"),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_self_help")),
    )


def _key() -> tuple[sa.Column[int], sa.Column[object]]:
    return (
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
    )


def _at(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _words(name: str) -> sa.Column[object]:
    return sa.Column(name, WORDS, server_default=sa.text("'{}'"), nullable=False)


def _link(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["subdistrict_id", column],
        [f"{to}.subdistrict_id", f"{to}.id"],
        name=op.f(f"fk_{table}_subdistrict_id_{column}"),
    )


def _index(table: str, *columns: str) -> None:
    name = f"ix_{table}_subdistrict_id_{'_'.join(columns)}"
    op.create_index(op.f(name), table, ["subdistrict_id", *columns], unique=False)
