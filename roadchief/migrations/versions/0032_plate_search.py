"""Plates are found by any part of their number, or by the shop that they hang at."""

from alembic import op

revision = "0032"
down_revision = "0031"

# As `search_storefronts`: `@>` and LIKE are not leakproof, so row security would hide the indexes.
# It answers one page with the count of all, so that broad words cost no second question.
SEARCH = """
CREATE FUNCTION search_plates(
  tenant int, wanted text[], likeness text, standing text, most int, skip int)
RETURNS TABLE (plate_id uuid, hits bigint) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  WITH hit AS (
    SELECT p.id, p.number, p.state FROM plate p
    WHERE p.subdistrict_id = tenant AND p.number ILIKE likeness
    UNION
    SELECT p.id, p.number, p.state FROM storefront f
    JOIN plate p ON p.subdistrict_id = tenant AND p.storefront_id = f.id
    WHERE f.subdistrict_id = tenant AND f.pieces @> wanted
      AND (f.address ILIKE likeness OR f.name ILIKE likeness)
  )
  SELECT id, count(*) OVER () FROM hit
  WHERE tenant = nullif(current_setting('roadchief.subdistrict', true), '')::int
    AND (standing IS NULL OR state = standing)
  ORDER BY number LIMIT most OFFSET skip
$$
"""
SIGNATURE = "search_plates(int, text[], text, text, int, int)"


def upgrade() -> None:
    op.create_index(
        "ix_plate_number",
        "plate",
        ["number"],
        postgresql_using="gin",
        postgresql_ops={"number": "gin_trgm_ops"},
    )
    op.execute(SEARCH)
    op.execute(f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO roadchief_app")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {SIGNATURE}")
    op.drop_index("ix_plate_number", "plate")
