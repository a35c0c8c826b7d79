"""Cases: the case, its steps, photos and pauses, receipts, ratings, keys, routing rules."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from roadchief.db import Shape
from roadchief.migrations import append_only, protect

revision = "0009"
down_revision = "0008"

# In the order they are made.
TABLES = (
    "api_key",
    "case_counter",
    "holiday_year",
    "receipt_directory",
    "routing_rule",
    "saved_view",
    "case_file",
    "case_helper",
    "case_pause",
    "case_photo",
    "case_step",
    "receipt",
    "rating",
    "voice",
)
SHARED = ("receipt_directory", "holiday_year")  # say which sub-district, and nothing else
# Runs as the owner, for the tenant of the transaction alone: `@>` is not leakproof, so row
# security would hide the index of pieces.
SEARCH = """
CREATE FUNCTION search_cases(tenant int, wanted text[], likeness text, most int)
RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT id FROM case_file
  WHERE subdistrict_id = tenant
    AND tenant = nullif(current_setting('roadchief.subdistrict', true), '')::int
    AND pieces @> wanted
    AND (number ILIKE likeness OR address ILIKE likeness OR words ILIKE likeness)
  ORDER BY reported_at DESC LIMIT most
$$
"""


def upgrade() -> None:
    _create()
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO roadchief_app")
        if table not in SHARED:
            protect(op, table)
    append_only(op, "case_step")
    op.execute(SEARCH)
    op.execute("REVOKE ALL ON FUNCTION search_cases(int, text[], text, int) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION search_cases(int, text[], text, int) TO roadchief_app")


def downgrade() -> None:
    op.execute("DROP FUNCTION search_cases(int, text[], text, int)")
    for table in reversed(TABLES):
        op.drop_table(table)


def _create() -> None:
    op.create_table(
        "api_key",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_api_key")),
        sa.UniqueConstraint(
            "subdistrict_id", "key_hash", name=op.f("uq_api_key_subdistrict_id_key_hash")
        ),
    )
    op.create_table(
        "case_counter",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subdistrict_id", "month", name=op.f("pk_case_counter")),
    )
    op.create_table(
        "holiday_year",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("table", sa.String(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_holiday_year")),
    )
    op.create_table(
        "receipt_directory",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_receipt_directory")),
    )
    op.create_table(
        "routing_rule",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("place_in_line", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("category_group", sa.String(), nullable=True),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("grid_id", sa.Uuid(), nullable=True),
        sa.Column("let", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "unit_id"],
            ["organisation.subdistrict_id", "organisation.id"],
            name=op.f("fk_routing_rule_subdistrict_id_unit_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_routing_rule")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "place_in_line",
            name=op.f("uq_routing_rule_subdistrict_id_place_in_line"),
        ),
    )
    op.create_table(
        "saved_view",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("filter", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "person_id"],
            ["person.subdistrict_id", "person.id"],
            name=op.f("fk_saved_view_subdistrict_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "person_id",
            "name",
            name=op.f("uq_saved_view_subdistrict_id_person_id_name"),
        ),
    )
    op.create_table(
        "case_file",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("came_from", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_ref", sa.String(), nullable=True),
        sa.Column("danger", sa.Boolean(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("public_words", sa.String(), nullable=True),
        sa.Column(
            "pieces", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("place", Shape("POINT"), nullable=True),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("datum", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("storefront_id", sa.Uuid(), nullable=True),
        sa.Column("tenancy_id", sa.Uuid(), nullable=True),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("grid_id", sa.Uuid(), nullable=True),
        sa.Column("permit", sa.String(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("holder_id", sa.Uuid(), nullable=True),
        sa.Column("routed_by", sa.String(), nullable=True),
        sa.Column("limit_amount", sa.Double(), nullable=False),
        sa.Column("limit_clock", sa.String(), nullable=False),
        sa.Column("limit_version", sa.String(), nullable=False),
        sa.Column("extra_amount", sa.Double(), nullable=False),
        sa.Column("asked_amount", sa.Double(), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("response_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("yellow_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("black_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("merchant_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_light", sa.String(), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closings", sa.Integer(), nullable=False),
        sa.Column("closing_kind", sa.String(), nullable=True),
        sa.Column("on_time", sa.Boolean(), nullable=True),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("repeat", sa.Boolean(), nullable=False),
        sa.Column("followers", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("master_id", sa.Uuid(), nullable=True),
        sa.Column("masked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state IN ('closed', 'rejected', 'duplicate')) = (ended_at IS NOT NULL)",
            name=op.f("ck_case_file_ended"),
        ),
        sa.CheckConstraint("accuracy_m >= 0", name=op.f("ck_case_file_accuracy")),
        sa.CheckConstraint(
            "master_id IS NULL OR master_id <> id", name=op.f("ck_case_file_own_master")
        ),
        sa.CheckConstraint(
            "parent_id IS NULL OR parent_id <> id", name=op.f("ck_case_file_own_parent")
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "grid_id"],
            ["grid.subdistrict_id", "grid.id"],
            name=op.f("fk_case_file_subdistrict_id_grid_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "master_id"],
            ["case_file.subdistrict_id", "case_file.id"],
            name=op.f("fk_case_file_subdistrict_id_master_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "parent_id"],
            ["case_file.subdistrict_id", "case_file.id"],
            name=op.f("fk_case_file_subdistrict_id_parent_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "segment_id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_case_file_subdistrict_id_segment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "storefront_id"],
            ["storefront.subdistrict_id", "storefront.id"],
            name=op.f("fk_case_file_subdistrict_id_storefront_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "tenancy_id"],
            ["tenancy.subdistrict_id", "tenancy.id"],
            name=op.f("fk_case_file_subdistrict_id_tenancy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "unit_id"],
            ["organisation.subdistrict_id", "organisation.id"],
            name=op.f("fk_case_file_subdistrict_id_unit_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_case_file")),
        sa.UniqueConstraint(
            "subdistrict_id", "number", name=op.f("uq_case_file_subdistrict_id_number")
        ),
    )
    op.create_index("ix_case_children", "case_file", ["subdistrict_id", "parent_id"], unique=False)
    op.create_index(
        "ix_case_closed", "case_file", ["subdistrict_id", "ended_at", "id"], unique=False
    )
    op.create_index(
        "ix_case_figures",
        "case_file",
        ["subdistrict_id", "reported_at"],
        unique=False,
        postgresql_include=[
            "unit_id",
            "category",
            "segment_id",
            "ended_at",
            "closing_kind",
            "on_time",
            "reopened",
            "repeat",
            "contacted_at",
            "response_due_at",
            "due_at",
        ],
    )
    op.create_index("ix_case_master", "case_file", ["subdistrict_id", "master_id"], unique=False)
    op.create_index("ix_case_pieces", "case_file", ["pieces"], unique=False, postgresql_using="gin")
    op.create_index("ix_case_place", "case_file", ["place"], unique=False, postgresql_using="gist")
    op.create_index(
        "ix_case_queue",
        "case_file",
        ["subdistrict_id", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_case_reported", "case_file", ["subdistrict_id", "reported_at", "id"], unique=False
    )
    op.create_index(
        "ix_case_segment",
        "case_file",
        ["subdistrict_id", "segment_id", "reported_at"],
        unique=False,
    )
    op.create_index(
        "ix_case_state",
        "case_file",
        ["subdistrict_id", "state", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_case_storefront",
        "case_file",
        ["subdistrict_id", "storefront_id", "reported_at"],
        unique=False,
    )
    op.create_index(
        "ix_case_unit",
        "case_file",
        ["subdistrict_id", "unit_id", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_case_updated", "case_file", ["subdistrict_id", "updated_at", "id"], unique=False
    )
    op.create_index(
        "uq_case_source",
        "case_file",
        ["subdistrict_id", "source", "source_ref"],
        unique=True,
        postgresql_where=sa.text("source_ref IS NOT NULL"),
    )
    op.create_table(
        "case_helper",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "case_id"],
            ["case_file.subdistrict_id", "case_file.id"],
            name=op.f("fk_case_helper_subdistrict_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "unit_id"],
            ["organisation.subdistrict_id", "organisation.id"],
            name=op.f("fk_case_helper_subdistrict_id_unit_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_case_helper")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "case_id",
            "unit_id",
            name=op.f("uq_case_helper_subdistrict_id_case_id_unit_id"),
        ),
    )
    op.create_table(
        "case_pause",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "ends_at IS NULL OR ends_at >= begins_at", name=op.f("ck_case_pause_period")
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "case_id"],
            ["case_file.subdistrict_id", "case_file.id"],
            name=op.f("fk_case_pause_subdistrict_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_case_pause")),
    )
    op.create_index(
        op.f("ix_case_pause_subdistrict_id_case_id"),
        "case_pause",
        ["subdistrict_id", "case_id"],
        unique=False,
    )
    op.create_table(
        "case_photo",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("public_photo_id", sa.Uuid(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "case_id"],
            ["case_file.subdistrict_id", "case_file.id"],
            name=op.f("fk_case_photo_subdistrict_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "photo_id"],
            ["blob.subdistrict_id", "blob.id"],
            name=op.f("fk_case_photo_subdistrict_id_photo_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "public_photo_id"],
            ["blob.subdistrict_id", "blob.id"],
            name=op.f("fk_case_photo_subdistrict_id_public_photo_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_case_photo")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "case_id",
            "photo_id",
            name=op.f("uq_case_photo_subdistrict_id_case_id_photo_id"),
        ),
    )
    op.create_table(
        "case_step",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.String(), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "case_id"],
            ["case_file.subdistrict_id", "case_file.id"],
            name=op.f("fk_case_step_subdistrict_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_case_step")),
        sa.UniqueConstraint(
            "subdistrict_id", "case_id", "seq", name=op.f("uq_case_step_subdistrict_id_case_id_seq")
        ),
    )
    op.create_table(
        "receipt",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("pin_hash", sa.LargeBinary(), nullable=False),
        sa.Column("link_hash", sa.LargeBinary(), nullable=False),
        sa.Column("contact", sa.String(), nullable=True),
        sa.Column("contact_proven_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("typist_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("masked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "case_id"],
            ["case_file.subdistrict_id", "case_file.id"],
            name=op.f("fk_receipt_subdistrict_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("subdistrict_id", "code", name=op.f("uq_receipt_subdistrict_id_code")),
    )
    op.create_index(
        op.f("ix_receipt_subdistrict_id_case_id"),
        "receipt",
        ["subdistrict_id", "case_id"],
        unique=False,
    )
    op.create_table(
        "rating",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("closing", sa.Integer(), nullable=False),
        sa.Column("solved", sa.Boolean(), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_rating_stars")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "case_id"],
            ["case_file.subdistrict_id", "case_file.id"],
            name=op.f("fk_rating_subdistrict_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "receipt_id"],
            ["receipt.subdistrict_id", "receipt.id"],
            name=op.f("fk_rating_subdistrict_id_receipt_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_rating")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "receipt_id",
            "closing",
            name=op.f("uq_rating_subdistrict_id_receipt_id_closing"),
        ),
    )
    op.create_index(
        op.f("ix_rating_subdistrict_id_case_id"),
        "rating",
        ["subdistrict_id", "case_id"],
        unique=False,
    )
    op.create_table(
        "voice",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("receipt_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("masked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "case_id"],
            ["case_file.subdistrict_id", "case_file.id"],
            name=op.f("fk_voice_subdistrict_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "receipt_id"],
            ["receipt.subdistrict_id", "receipt.id"],
            name=op.f("fk_voice_subdistrict_id_receipt_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_voice")),
    )
    op.create_index(
        op.f("ix_voice_subdistrict_id_case_id"),
        "voice",
        ["subdistrict_id", "case_id"],
        unique=False,
    )
