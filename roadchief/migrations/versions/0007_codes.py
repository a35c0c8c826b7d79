"""Plates, their lives, print batches, scans and alarms; and who speaks for a merchant."""
# ruff: noqa: E501

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from roadchief.db import Shape
from roadchief.migrations import append_only, protect

revision = "0007"
down_revision = "0006"

SHARED = ("code_directory", "plate_number")
# In the order they are made.
TENANT = (
    "print_batch",
    "scan",
    "shopkeeper",
    "plate",
    "plate_alarm",
    "plate_event",
    "scan_month",
)


def upgrade() -> None:
    _create()
    for table in (*SHARED, *TENANT):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO roadchief_app")
    for table in TENANT:
        protect(op, table)
    append_only(op, "plate_event")
    append_only(op, "code_directory")  # a token or number that was given is never given again


def downgrade() -> None:
    for table in (*reversed(TENANT), *SHARED):
        op.drop_table(table)


def _create() -> None:
    op.create_table(
        "code_directory",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("plate_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_code_directory")),
        sa.UniqueConstraint("number", name=op.f("uq_code_directory_number")),
    )
    op.create_table(
        "plate_number",
        sa.Column("subdistrict_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subdistrict_id", name=op.f("pk_plate_number")),
        sa.UniqueConstraint("prefix", name=op.f("uq_plate_number_prefix")),
    )
    op.create_table(
        "print_batch",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("layout", sa.String(), nullable=False),
        sa.Column("sheet", sa.String(), nullable=True),
        sa.Column("plates", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("list_sha256", sa.String(), nullable=True),
        sa.Column("pdf_sha256", sa.String(), nullable=True),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'ready', 'stopped', 'delivered', 'expired')",
            name=op.f("ck_print_batch_state"),
        ),
        sa.CheckConstraint("plates >= 0", name=op.f("ck_print_batch_plates")),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_print_batch")),
    )
    op.create_index(
        op.f("ix_print_batch_subdistrict_id_made_at"),
        "print_batch",
        ["subdistrict_id", "made_at"],
        unique=False,
    )
    op.create_table(
        "scan",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plate_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("near", Shape("POINT"), nullable=True),
        sa.Column("distance_m", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_scan")),
    )
    op.create_index("ix_scan_at", "scan", ["subdistrict_id", "at"], unique=False)
    op.create_index("ix_scan_plate", "scan", ["subdistrict_id", "plate_id", "at"], unique=False)
    op.create_table(
        "shopkeeper",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=True),
        sa.CheckConstraint(
            "ends_at IS NULL OR ends_at >= starts_at", name=op.f("ck_shopkeeper_period")
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "merchant_id"],
            ["merchant.subdistrict_id", "merchant.id"],
            name=op.f("fk_shopkeeper_subdistrict_id_merchant_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "person_id"],
            ["person.subdistrict_id", "person.id"],
            name=op.f("fk_shopkeeper_subdistrict_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_shopkeeper")),
    )
    op.create_index(
        "ix_shopkeeper_merchant", "shopkeeper", ["subdistrict_id", "merchant_id"], unique=False
    )
    op.create_index(
        "uq_shopkeeper_running",
        "shopkeeper",
        ["subdistrict_id", "person_id", "merchant_id"],
        unique=True,
        postgresql_where=sa.text("ends_at IS NULL"),
    )
    op.create_table(
        "plate",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("storefront_id", sa.Uuid(), nullable=True),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mounted_place", Shape("POINT"), nullable=True),
        sa.Column("mounted_accuracy_m", sa.Double(), nullable=True),
        sa.Column("photo_id", sa.Uuid(), nullable=True),
        sa.Column("photo_public", sa.Boolean(), nullable=False),
        sa.Column("printed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "(kind = 'shop' AND segment_id IS NULL) OR (kind = 'sign' AND segment_id IS NOT NULL AND storefront_id IS NULL)",
            name=op.f("ck_plate_place"),
        ),
        sa.CheckConstraint(
            "kind = 'sign' OR storefront_id IS NOT NULL OR NOT (state IN ('active', 'bound', 'damaged', 'lost', 'suspended'))",
            name=op.f("ck_plate_bound"),
        ),
        sa.CheckConstraint("kind IN ('shop', 'sign')", name=op.f("ck_plate_kind")),
        sa.CheckConstraint(
            "state IN ('generated', 'printed', 'delivered', 'bound', 'active', 'suspended', 'lost', 'damaged', 'replaced', 'retired')",
            name=op.f("ck_plate_state"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "batch_id"],
            ["print_batch.subdistrict_id", "print_batch.id"],
            name=op.f("fk_plate_subdistrict_id_batch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "photo_id"],
            ["blob.subdistrict_id", "blob.id"],
            name=op.f("fk_plate_subdistrict_id_photo_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "replaces_id"],
            ["plate.subdistrict_id", "plate.id"],
            name=op.f("fk_plate_subdistrict_id_replaces_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "segment_id"],
            ["road_segment.subdistrict_id", "road_segment.id"],
            name=op.f("fk_plate_subdistrict_id_segment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "storefront_id"],
            ["storefront.subdistrict_id", "storefront.id"],
            name=op.f("fk_plate_subdistrict_id_storefront_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_plate")),
        sa.UniqueConstraint(
            "subdistrict_id", "number", name=op.f("uq_plate_subdistrict_id_number")
        ),
        sa.UniqueConstraint(
            "subdistrict_id", "token_hash", name=op.f("uq_plate_subdistrict_id_token_hash")
        ),
    )
    op.create_index("ix_plate_batch", "plate", ["subdistrict_id", "batch_id"], unique=False)
    op.create_index("ix_plate_segment", "plate", ["subdistrict_id", "segment_id"], unique=False)
    op.create_index(
        "ix_plate_state", "plate", ["subdistrict_id", "state", "state_at"], unique=False
    )
    op.create_index(
        "ix_plate_storefront", "plate", ["subdistrict_id", "storefront_id"], unique=False
    )
    op.create_index(
        "uq_plate_live_segment",
        "plate",
        ["subdistrict_id", "segment_id"],
        unique=True,
        postgresql_where=sa.text(
            "state IN ('active', 'bound', 'damaged', 'lost', 'suspended') AND segment_id IS NOT NULL"
        ),
    )
    op.create_index(
        "uq_plate_live_storefront",
        "plate",
        ["subdistrict_id", "storefront_id"],
        unique=True,
        postgresql_where=sa.text(
            "state IN ('active', 'bound', 'damaged', 'lost', 'suspended') AND storefront_id IS NOT NULL"
        ),
    )
    op.create_table(
        "plate_alarm",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plate_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("settled_because", sa.String(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('far', 'burst', 'dead', 'reported')", name=op.f("ck_plate_alarm_kind")
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "plate_id"],
            ["plate.subdistrict_id", "plate.id"],
            name=op.f("fk_plate_alarm_subdistrict_id_plate_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_plate_alarm")),
    )
    op.create_index(
        "ix_plate_alarm_raised", "plate_alarm", ["subdistrict_id", "raised_at"], unique=False
    )
    op.create_index(
        "uq_plate_alarm_open",
        "plate_alarm",
        ["subdistrict_id", "plate_id", "kind"],
        unique=True,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "plate_event",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plate_id", sa.Uuid(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("from_state", sa.String(), nullable=True),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("because", sa.String(), nullable=True),
        sa.Column("photo_id", sa.Uuid(), nullable=True),
        sa.Column("place", Shape("POINT"), nullable=True),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("distance_m", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "photo_id"],
            ["blob.subdistrict_id", "blob.id"],
            name=op.f("fk_plate_event_subdistrict_id_photo_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "plate_id"],
            ["plate.subdistrict_id", "plate.id"],
            name=op.f("fk_plate_event_subdistrict_id_plate_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_plate_event")),
    )
    op.create_index(
        "ix_plate_event_plate", "plate_event", ["subdistrict_id", "plate_id", "at"], unique=False
    )
    op.create_table(
        "scan_month",
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plate_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("scans", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subdistrict_id", "plate_id"],
            ["plate.subdistrict_id", "plate.id"],
            name=op.f("fk_scan_month_subdistrict_id_plate_id"),
        ),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_scan_month")),
        sa.UniqueConstraint(
            "subdistrict_id",
            "plate_id",
            "month",
            "audience",
            name=op.f("uq_scan_month_subdistrict_id_plate_id_month_audience"),
        ),
    )
