"""Places of old visits are forgotten by one function that the database itself guards."""

from alembic import op

revision = "0028"
down_revision = "0027"
# Runs as the owner, because visits are only added to by everybody else. It takes from rows of the
# transaction's own sub-district where a person stood, never from those younger than a year.
FORGET = """
CREATE FUNCTION forget_places(tenant int, before timestamptz, most int)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE gone int; more int;
BEGIN
  IF tenant IS DISTINCT FROM nullif(current_setting('roadchief.subdistrict', true), '')::int THEN
    RAISE EXCEPTION 'visits of another sub-district';
  END IF;
  IF before > now() - interval '1 year' THEN
    RAISE EXCEPTION 'visits of the last year keep their places';
  END IF;
  WITH old AS (
    SELECT id FROM check_in WHERE subdistrict_id = tenant AND occurred_at < before
      AND (place IS NOT NULL OR fix IS NOT NULL) ORDER BY occurred_at, id LIMIT most
  ), items AS (
    UPDATE patrol_item i SET body = i.body - 'fix' FROM old
    WHERE i.subdistrict_id = tenant AND i.id = old.id AND i.body ? 'fix'
  )
  UPDATE check_in c SET place = NULL, fix = NULL FROM old
  WHERE c.subdistrict_id = tenant AND c.id = old.id;
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF gone < most THEN  -- findings and the like, which are no visits
    UPDATE patrol_item i SET body = i.body - 'fix'
    WHERE i.subdistrict_id = tenant AND i.id IN (
      SELECT id FROM patrol_item WHERE subdistrict_id = tenant AND received_at < before
        AND body ? 'fix' ORDER BY received_at, id LIMIT most - gone);
    GET DIAGNOSTICS more = ROW_COUNT;
    gone := gone + more;
  END IF;
  RETURN gone;
END
$$
"""
SIGNATURE = "forget_places(int, timestamptz, int)"


def upgrade() -> None:
    op.execute(FORGET)
    op.execute(f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO roadchief_app")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {SIGNATURE}")
