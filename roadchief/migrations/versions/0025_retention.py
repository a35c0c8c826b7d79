"""Old cases are deleted by one function that the database itself guards; a line of each stays."""

import sqlalchemy as sa
from alembic import op

from roadchief.migrations import append_only, protect

revision = "0025"
down_revision = "0024"
TABLE = "case_gone"
# Runs as the owner, because steps are only added to by everybody else. It deletes whole families
# of ended cases of the transaction's own sub-district, none of them younger than a year, whatever
# it is asked. Whoever adds a table that points to cases adds it here: a test looks.
ERASE = """
CREATE FUNCTION erase_cases(tenant int, wanted uuid[], why text)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE gone int;
BEGIN
  IF tenant IS DISTINCT FROM nullif(current_setting('roadchief.subdistrict', true), '')::int THEN
    RAISE EXCEPTION 'cases of another sub-district';
  END IF;
  IF EXISTS (SELECT FROM case_file WHERE subdistrict_id = tenant AND id = ANY(wanted)
      AND (ended_at IS NULL OR ended_at > now() - interval '1 year')) THEN
    RAISE EXCEPTION 'a case runs, or ended less than a year ago';
  END IF;
  IF EXISTS (SELECT FROM case_file WHERE subdistrict_id = tenant AND NOT id = ANY(wanted)
      AND (parent_id = ANY(wanted) OR master_id = ANY(wanted))) THEN
    RAISE EXCEPTION 'a part or copy of a case would be left behind';
  END IF;
  INSERT INTO case_gone (subdistrict_id, id, number, category, state, closing_kind, reported_at,
      ended_at, because, gone_at)
    SELECT subdistrict_id, id, number, category, state, closing_kind, reported_at, ended_at, why,
      now() FROM case_file WHERE subdistrict_id = tenant AND id = ANY(wanted);
  UPDATE signal SET case_id = NULL WHERE subdistrict_id = tenant AND case_id = ANY(wanted);
  UPDATE case_file SET again_of_id = NULL
    WHERE subdistrict_id = tenant AND again_of_id = ANY(wanted);
  DELETE FROM delivery WHERE subdistrict_id = tenant AND notice_id IN (
    SELECT id FROM notice WHERE subdistrict_id = tenant AND subject_id = ANY(wanted));
  DELETE FROM notice WHERE subdistrict_id = tenant AND subject_id = ANY(wanted);
  DELETE FROM receipt_directory WHERE subdistrict_id = tenant AND code IN (
    SELECT code FROM receipt WHERE subdistrict_id = tenant AND case_id = ANY(wanted));
  DELETE FROM rating WHERE subdistrict_id = tenant AND case_id = ANY(wanted);
  DELETE FROM voice WHERE subdistrict_id = tenant AND case_id = ANY(wanted);
  DELETE FROM receipt WHERE subdistrict_id = tenant AND case_id = ANY(wanted);
  DELETE FROM case_photo WHERE subdistrict_id = tenant AND case_id = ANY(wanted);
  DELETE FROM case_photo_promise WHERE subdistrict_id = tenant AND case_id = ANY(wanted);
  DELETE FROM case_pause WHERE subdistrict_id = tenant AND case_id = ANY(wanted);
  DELETE FROM case_helper WHERE subdistrict_id = tenant AND case_id = ANY(wanted);
  DELETE FROM case_step WHERE subdistrict_id = tenant AND case_id = ANY(wanted);
  DELETE FROM case_file WHERE subdistrict_id = tenant AND id = ANY(wanted);
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END
$$
"""


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("subdistrict_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("closing_kind", sa.String(), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subdistrict_id", "id", name=op.f("pk_case_gone")),
        sa.UniqueConstraint(
            "subdistrict_id", "number", name=op.f("uq_case_gone_subdistrict_id_number")
        ),
    )
    op.execute(f"GRANT SELECT ON {TABLE} TO roadchief_app")
    protect(op, TABLE)
    append_only(op, TABLE)
    op.execute(ERASE)
    op.execute("REVOKE ALL ON FUNCTION erase_cases(int, uuid[], text) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION erase_cases(int, uuid[], text) TO roadchief_app")


def downgrade() -> None:
    op.execute("DROP FUNCTION erase_cases(int, uuid[], text)")
    op.drop_table(TABLE)
