"""Merchants are found by name, initials or credit code."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"

# As `search_storefronts`: `@>` and LIKE are not leakproof, so row security would hide the index.
SEARCH = """
CREATE FUNCTION search_merchants(tenant int, wanted text[], likeness text, most int)
RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT id FROM merchant
  WHERE subdistrict_id = tenant
    AND tenant = nullif(current_setting('roadchief.subdistrict', true), '')::int
    AND pieces @> wanted
    AND (name ILIKE likeness OR initials ILIKE likeness)
  LIMIT most
$$
"""
# Initials come with the next correction; the name's pieces at once.
FILL = """
UPDATE merchant SET uscc = upper(uscc), pieces = ARRAY(
  SELECT DISTINCT substr(lower(name), at, 2) FROM generate_series(1, length(name) - 1) AS at
  WHERE position(' ' IN substr(lower(name), at, 2)) = 0)
"""


def upgrade() -> None:
    op.add_column("merchant", sa.Column("initials", sa.String(), nullable=True))
    op.add_column(
        "merchant",
        sa.Column(
            "pieces", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
    )
    # The owner is held to the policies too where it is no superuser: fill tenant by tenant.
    op.execute(
        "DO $$ DECLARE here int; BEGIN FOR here IN SELECT id FROM subdistrict LOOP "
        "PERFORM set_config('roadchief.subdistrict', here::text, true); "
        f"{FILL} WHERE subdistrict_id = here; END LOOP; "
        "PERFORM set_config('roadchief.subdistrict', '', true); END $$"
    )
    op.create_index("ix_merchant_pieces", "merchant", ["pieces"], postgresql_using="gin")
    op.create_index(
        op.f("ix_merchant_subdistrict_id_name_id"), "merchant", ["subdistrict_id", "name", "id"]
    )
    op.execute(SEARCH)
    op.execute("REVOKE ALL ON FUNCTION search_merchants(int, text[], text, int) FROM PUBLIC")
    op.execute(
        "GRANT EXECUTE ON FUNCTION search_merchants(int, text[], text, int) TO roadchief_app"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION search_merchants(int, text[], text, int)")
    op.drop_index("ix_merchant_subdistrict_id_name_id", "merchant")
    op.drop_index("ix_merchant_pieces", "merchant")
    op.drop_column("merchant", "pieces")
    op.drop_column("merchant", "initials")
