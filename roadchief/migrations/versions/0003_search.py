"""Search that may use its index: `@>` and LIKE are not leakproof, so row security would hide it."""

from alembic import op

revision = "0003"
down_revision = "0002"

# Runs as the owner, for the tenant of the transaction alone; the path is fixed.
SEARCH = """
CREATE FUNCTION search_storefronts(tenant int, wanted text[], likeness text, most int)
RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT id FROM storefront
  WHERE subdistrict_id = tenant
    AND tenant = nullif(current_setting('roadchief.subdistrict', true), '')::int
    AND closed_at IS NULL
    AND pieces @> wanted
    AND (name ILIKE likeness OR address ILIKE likeness OR initials ILIKE likeness)
  ORDER BY name NULLS LAST, address LIMIT most
$$
"""


def upgrade() -> None:
    op.execute(SEARCH)
    op.execute("REVOKE ALL ON FUNCTION search_storefronts(int, text[], text, int) FROM PUBLIC")
    op.execute(
        "GRANT EXECUTE ON FUNCTION search_storefronts(int, text[], text, int) TO roadchief_app"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION search_storefronts(int, text[], text, int)")
