"""People and the ground."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from roadchief.db import Shape
from roadchief.migrations import append_only, protect

revision = "0001"
down_revision = None

TABLES = (
    "background_shape",
    "event",
    "grid",
    "import_run",
    "login_directory",
    "merchant",
    "organisation",
    "person",
    "road",
    "sign_in_attempt",
    "street_block",
    "subdistrict",
    "invitation",
    "post",
    "road_segment",
    "sign_in_session",
    "station",
    "assignment",
    "segment_succession",
    "storefront",
    "permit_area",
    "storefront_succession",
    "tenancy",
)
SHARED = ("subdistrict", "login_directory", "sign_in_attempt")
APPEND_ONLY = ("event", "segment_succession", "storefront_succession")


def upgrade() -> None:
    op.execute("GRANT USAGE ON SCHEMA public TO roadchief_app")
    _create()
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO roadchief_app")
        if table not in SHARED:
            protect(op, table)
        if table in APPEND_ONLY:
            append_only(op, table)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _create() -> None:
    op.create_table(
        "background_shape",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("shape", Shape("MULTIPOLYGON"), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('building', 'green', 'water')", name=op.f("ck_background_shape_kind")
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_background_shape")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "source",
            "source_id",
            name=op.f("uq_background_shape_subdistrict_id_source_source_id"),
        ),
    )
    op.create_index(
        "ix_background_shape_shape",
        "background_shape",
        ["shape"],
        unique=False,
        postgresql_using="gist",
    )
    op.create_table(
        "event",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_event")),
    )
    op.create_index(
        op.f("ix_event_subdistrict_id_name_at"),
        "event",
        ["subdistrict_id", "name", "at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_event_subdistrict_id_subject_id_at"),
        "event",
        ["subdistrict_id", "subject_id", "at"],
        unique=False,
    )
    op.create_table(
        "grid",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("area", Shape("POLYGON"), nullable=False),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_grid")),
        sa.UniqueConstraint("subdistrict_id", "code", name=op.f("uq_grid_subdistrict_id_code")),
    )
    op.create_index("ix_grid_area", "grid", ["area"], unique=False, postgresql_using="gist")
    op.create_table(
        "import_run",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("file_sha256", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("options", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("report", postgresql.JSONB(), nullable=True),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('previewed', 'waiting', 'running', 'done', 'stopped', 'refused')",
            name=op.f("ck_import_run_state"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_import_run")),
    )
    op.create_index(
        op.f("ix_import_run_subdistrict_id_started_at"),
        "import_run",
        ["subdistrict_id", "started_at"],
        unique=False,
    )
    op.create_table(
        "login_directory",
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_login_directory")),
    )
    op.create_table(
        "merchant",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=True),
        sa.Column("uscc_warning", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_merchant")),
    )
    op.create_index(
        op.f("ix_merchant_subdistrict_id_uscc"),
        "merchant",
        ["subdistrict_id", "uscc"],
        unique=False,
    )
    op.create_table(
        "organisation",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("guided_by_id", sa.Uuid(), nullable=True),
        sa.Column("office_phone", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "guided_by_id"],
            ["organisation.subdistrict_id", "organisation.id"],
            name=op.f("fk_organisation_subdistrict_id_guided_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "parent_id"],
            ["organisation.subdistrict_id", "organisation.id"],
            name=op.f("fk_organisation_subdistrict_id_parent_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_organisation")),
        sa.UniqueConstraint(
            "subdistrict_id", "name", name=op.f("uq_organisation_subdistrict_id_name")
        ),
    )
    op.create_table(
        "person",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("locale", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("password_set_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_secret", sa.String(), nullable=True),
        sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_last_step", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('invited', 'active', 'retired')", name=op.f("ck_person_state")
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_person")),
        sa.UniqueConstraint("subdistrict_id", "login", name=op.f("uq_person_subdistrict_id_login")),
    )
    op.create_table(
        "road",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=True),
        sa.Column("initials", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("row_hash", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_road")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "source",
            "source_id",
            name=op.f("uq_road_subdistrict_id_source_source_id"),
        ),
    )
    op.create_index(
        op.f("ix_road_subdistrict_id_name"), "road", ["subdistrict_id", "name"], unique=False
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    op.create_index(
        op.f("ix_sign_in_attempt_key_at"), "sign_in_attempt", ["key", "at"], unique=False
    )
    op.create_table(
        "street_block",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("theme", sa.String(), nullable=True),
        sa.Column("area", Shape("POLYGON"), nullable=True),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_street_block")),
        sa.UniqueConstraint(
            "subdistrict_id", "name", name=op.f("uq_street_block_subdistrict_id_name")
        ),
    )
    op.create_table(
        "subdistrict",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("short_name", sa.String(), nullable=False),
        sa.Column("ring", sa.String(), nullable=True),
        sa.Column("area", Shape("MULTIPOLYGON"), nullable=True),
        sa.Column("area_source", sa.String(), nullable=True),
        sa.CheckConstraint("id BETWEEN 100000000 AND 999999999", name=op.f("ck_subdistrict_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subdistrict")),
    )
    op.create_index(
        "ix_subdistrict_area", "subdistrict", ["area"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "invitation",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "person_id"],
            ["person.subdistrict_id", "person.id"],
            name=op.f("fk_invitation_subdistrict_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_invitation")),
        sa.UniqueConstraint(
            "subdistrict_id", "token_hash", name=op.f("uq_invitation_subdistrict_id_token_hash")
        ),
    )
    op.create_table(
        "post",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("capacity", sa.String(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=True),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_post_period")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "person_id"],
            ["person.subdistrict_id", "person.id"],
            name=op.f("fk_post_subdistrict_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_post")),
    )
    op.create_index(
        op.f("ix_post_subdistrict_id_person_id"),
        "post",
        ["subdistrict_id", "person_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_post_subdistrict_id_role"), "post", ["subdistrict_id", "role"], unique=False
    )
    op.create_table(
        "road_segment",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("road_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("line", Shape("LINESTRING"), nullable=False),
        sa.Column("length_m", sa.Double(), nullable=False),
        sa.Column("from_name", sa.String(), nullable=True),
        sa.Column("to_name", sa.String(), nullable=True),
        sa.Column("block_id", sa.Uuid(), nullable=True),
        sa.Column("grid_id", sa.Uuid(), nullable=True),
        sa.Column("key_road", sa.Boolean(), nullable=False),
        sa.Column("kerb_m", sa.Double(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kerb_m > 0 AND kerb_m < 100", name=op.f("ck_road_segment_kerb")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "block_id"],
            ["street_block.subdistrict_id", "street_block.id"],
            name=op.f("fk_road_segment_subdistrict_id_block_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "grid_id"],
            ["grid.subdistrict_id", "grid.id"],
            name=op.f("fk_road_segment_subdistrict_id_grid_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "road_id"],
            ["road.subdistrict_id", "road.id"],
            name=op.f("fk_road_segment_subdistrict_id_road_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_road_segment")),
        sa.UniqueConstraint(
            "subdistrict_id", "code", name=op.f("uq_road_segment_subdistrict_id_code")
        ),
    )
    op.create_index(
        "ix_road_segment_line", "road_segment", ["line"], unique=False, postgresql_using="gist"
    )
    op.create_index(
        op.f("ix_road_segment_subdistrict_id_road_id_seq"),
        "road_segment",
        ["subdistrict_id", "road_id", "seq"],
        unique=False,
    )
    op.create_table(
        "sign_in_session",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "person_id"],
            ["person.subdistrict_id", "person.id"],
            name=op.f("fk_sign_in_session_subdistrict_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_sign_in_session")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "token_hash",
            name=op.f("uq_sign_in_session_subdistrict_id_token_hash"),
        ),
    )
    op.create_index(
        "ix_sign_in_session_open",
        "sign_in_session",
        ["subdistrict_id", "person_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "station",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("place", Shape("POINT"), nullable=False),
        sa.Column("hours", sa.String(), nullable=False),
        sa.Column("functions", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "organisation_id"],
            ["organisation.subdistrict_id", "organisation.id"],
            name=op.f("fk_station_subdistrict_id_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_station")),
    )
    op.create_index("ix_station_place", "station", ["place"], unique=False, postgresql_using="gist")
    op.create_table(
        "assignment",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("road_id", sa.Uuid(), nullable=True),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("block_id", sa.Uuid(), nullable=True),
        sa.Column("acting_for_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=True),
        sa.CheckConstraint(
            "ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_assignment_period")
        ),
        sa.CheckConstraint(
            "num_nonnulls(road_id, segment_id, block_id) = 1", name=op.f("ck_assignment_one_scope")
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "acting_for_id"],
            ["assignment.subdistrict_id", "assignment.id"],
            name=op.f("fk_assignment_subdistrict_id_acting_for_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "block_id"],
            ["street_block.subdistrict_id", "street_block.id"],
            name=op.f("fk_assignment_subdistrict_id_block_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "post_id"],
            ["post.subdistrict_id", "post.id"],
            name=op.f("fk_assignment_subdistrict_id_post_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "road_id"],
            ["road.subdistrict_id", "road.id"],
            name=op.f("fk_assignment_subdistrict_id_road_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "segment_id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_assignment_subdistrict_id_segment_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_assignment")),
    )
    op.create_index("ix_assignment_post", "assignment", ["subdistrict_id", "post_id"], unique=False)
    op.create_index(
        "uq_assignment_running_block",
        "assignment",
        ["subdistrict_id", "post_id", "block_id"],
        unique=True,
        postgresql_where=sa.text("ends_at IS NULL AND block_id IS NOT NULL"),
    )
    op.create_index(
        "uq_assignment_running_road",
        "assignment",
        ["subdistrict_id", "post_id", "road_id"],
        unique=True,
        postgresql_where=sa.text("ends_at IS NULL AND road_id IS NOT NULL"),
    )
    op.create_index(
        "uq_assignment_running_segment",
        "assignment",
        ["subdistrict_id", "post_id", "segment_id"],
        unique=True,
        postgresql_where=sa.text("ends_at IS NULL AND segment_id IS NOT NULL"),
    )
    op.create_table(
        "segment_succession",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("before_id", sa.Uuid(), nullable=False),
        sa.Column("after_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "after_id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_segment_succession_subdistrict_id_after_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "before_id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_segment_succession_subdistrict_id_before_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_segment_succession")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "before_id",
            "after_id",
            name=op.f("uq_segment_succession_subdistrict_id_before_id_after_id"),
        ),
    )
    op.create_table(
        "storefront",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("door", Shape("POINT"), nullable=False),
        sa.Column("frontage", Shape("LINESTRING"), nullable=True),
        sa.Column("duty_zone", Shape("POLYGON"), nullable=True),
        sa.Column("duty_zone_drawn", sa.Boolean(), nullable=False),
        sa.Column("house_number", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("business_type", sa.String(), nullable=True),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("side", sa.String(), nullable=True),
        sa.Column("measure_m", sa.Double(), nullable=True),
        sa.Column("second_segment_id", sa.Uuid(), nullable=True),
        sa.Column("second_side", sa.String(), nullable=True),
        sa.Column("second_measure_m", sa.Double(), nullable=True),
        sa.Column("human_number", sa.String(), nullable=True),
        sa.Column("initials", sa.String(), nullable=True),
        sa.Column(
            "pieces", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("source_datum", sa.String(), nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("row_hash", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "second_side IN ('left', 'right')", name=op.f("ck_storefront_second_side")
        ),
        sa.CheckConstraint("side IN ('left', 'right')", name=op.f("ck_storefront_side")),
        sa.CheckConstraint(
            "(segment_id IS NULL) = (side IS NULL) AND (segment_id IS NULL) = (measure_m IS NULL)",
            name=op.f("ck_storefront_placed"),
        ),
        sa.CheckConstraint("accuracy_m >= 0", name=op.f("ck_storefront_accuracy")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "second_segment_id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_storefront_subdistrict_id_second_segment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "segment_id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_storefront_subdistrict_id_segment_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_storefront")),
        sa.UniqueConstraint(
            "subdistrict_id", "human_number", name=op.f("uq_storefront_subdistrict_id_human_number")
        ),
        sa.UniqueConstraint(
            "subdistrict_id",
            "source",
            "source_id",
            name=op.f("uq_storefront_subdistrict_id_source_source_id"),
        ),
    )
    op.create_index(
        "ix_storefront_door", "storefront", ["door"], unique=False, postgresql_using="gist"
    )
    op.create_index(
        "ix_storefront_duty_zone",
        "storefront",
        ["duty_zone"],
        unique=False,
        postgresql_using="gist",
    )
    op.create_index(
        "ix_storefront_pieces", "storefront", ["pieces"], unique=False, postgresql_using="gin"
    )
    op.create_index(
        "ix_storefront_second",
        "storefront",
        ["subdistrict_id", "second_segment_id"],
        unique=False,
        postgresql_where=sa.text("second_segment_id IS NOT NULL"),
    )
    op.create_index(
        "ix_storefront_walk",
        "storefront",
        ["subdistrict_id", "segment_id", "side", "measure_m"],
        unique=False,
    )
    op.create_table(
        "permit_area",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("area", Shape("POLYGON"), nullable=False),
        sa.Column("windows", postgresql.JSONB(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("trade", sa.String(), nullable=True),
        sa.Column("storefront_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_permit_area_period")),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "storefront_id"],
            ["storefront.subdistrict_id", "storefront.id"],
            name=op.f("fk_permit_area_subdistrict_id_storefront_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_permit_area")),
    )
    op.create_index(
        "ix_permit_area_area", "permit_area", ["area"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "storefront_succession",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("before_id", sa.Uuid(), nullable=False),
        sa.Column("after_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "after_id"],
            ["storefront.subdistrict_id", "storefront.id"],
            name=op.f("fk_storefront_succession_subdistrict_id_after_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "before_id"],
            ["storefront.subdistrict_id", "storefront.id"],
            name=op.f("fk_storefront_succession_subdistrict_id_before_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_storefront_succession")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "before_id",
            "after_id",
            name=op.f("uq_storefront_succession_subdistrict_id_before_id_after_id"),
        ),
    )
    op.create_table(
        "tenancy",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("storefront_id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("sign_name", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=True),
        sa.CheckConstraint(
            "ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_tenancy_period")
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "merchant_id"],
            ["merchant.subdistrict_id", "merchant.id"],
            name=op.f("fk_tenancy_subdistrict_id_merchant_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "storefront_id"],
            ["storefront.subdistrict_id", "storefront.id"],
            name=op.f("fk_tenancy_subdistrict_id_storefront_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_tenancy")),
    )
    op.create_index(
        op.f("ix_tenancy_subdistrict_id_merchant_id"),
        "tenancy",
        ["subdistrict_id", "merchant_id"],
        unique=False,
    )
    op.create_index(
        "uq_tenancy_running",
        "tenancy",
        ["subdistrict_id", "storefront_id"],
        unique=True,
        postgresql_where=sa.text("ends_on IS NULL"),
    )
