"""Tiles kept until something changes in their square, and storefronts counted by squares.

`tile_store` and `tile_change` are derived and UNLOGGED: a crash empties both, and tiles are made
again. A change is noted once a statement with the box of its rows and its transaction; a kept
tile is stale when a change that its snapshot had not seen touches its square.
"""

from alembic import op

from roadchief.migrations import protect

revision = "0011"
down_revision = "0010"

STORE = """
CREATE UNLOGGED TABLE tile_store (
  subdistrict_id int NOT NULL,
  name text NOT NULL,
  scope text NOT NULL,
  z smallint NOT NULL,
  x int NOT NULL,
  y int NOT NULL,
  body bytea NOT NULL,
  etag text NOT NULL,
  snapshot text NOT NULL,
  since bigint NOT NULL,
  stored_at timestamptz NOT NULL,
  PRIMARY KEY (subdistrict_id, name, scope, z, x, y)
)
"""
CHANGE = """
CREATE UNLOGGED TABLE tile_change (
  subdistrict_id int NOT NULL,
  source text NOT NULL,
  xact bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  box geometry(Geometry, 4326)
)
"""
# Rows of a statement as they were and are; a margin of 100 m covers fronts and zones at a door.
NOTE = """
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  shape text := TG_ARGV[0];
  seen text := CASE TG_OP WHEN 'INSERT' THEN 'SELECT * FROM added'
    WHEN 'DELETE' THEN 'SELECT * FROM gone'
    ELSE 'SELECT * FROM gone UNION ALL SELECT * FROM added' END;
BEGIN
  EXECUTE format(
    'INSERT INTO tile_change (subdistrict_id, source, xact, box) '
    'SELECT subdistrict_id, %L, pg_current_xact_id()::text::bigint, %s '
    'FROM (%s) q GROUP BY subdistrict_id',
    TG_TABLE_NAME,
    CASE WHEN shape = '' THEN 'NULL'
      ELSE format('ST_SetSRID(ST_Expand(ST_Extent(%I), 0.001)::geometry, 4326)', shape) END,
    seen);
  RETURN NULL;
END
$$
"""
# Which rows draw something: table and the column that says where ('' is everywhere).
SOURCES = {
    "storefront": "door",
    "road_segment": "line",
    "road": "",
    "assignment": "",
    "post": "",
    "station": "place",
    "permit_area": "area",
    "background_shape": "shape",
}
TRANSITIONS = {
    "insert": "NEW TABLE AS added",
    "update": "OLD TABLE AS gone NEW TABLE AS added",
    "delete": "OLD TABLE AS gone",
}
# The square of a door at zoom 16 as one number, column and line bit by bit (Morton), so that the
# squares of any lower zoom are ranges of it.
SQUARE = """
CREATE FUNCTION square_of(place geometry) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  x bigint := greatest(0, least(65535, floor((public.ST_X(place) + 180) / 360 * 65536)));
  y bigint := greatest(0, least(65535, floor((1 - ln(tan(radians(
    45 + greatest(-85, least(85, public.ST_Y(place))) / 2))) / pi()) / 2 * 65536)));
BEGIN
  x := (x | (x << 8)) & 16711935; y := (y | (y << 8)) & 16711935;
  x := (x | (x << 4)) & 252645135; y := (y | (y << 4)) & 252645135;
  x := (x | (x << 2)) & 858993459; y := (y | (y << 2)) & 858993459;
  x := (x | (x << 1)) & 1431655765; y := (y | (y << 1)) & 1431655765;
  RETURN x | (y << 1);
END
$$
"""
INDEX = """
CREATE INDEX ix_storefront_square ON storefront (subdistrict_id, square_of(door))
INCLUDE (door) WHERE closed_at IS NULL
"""
# Runs as the owner, for the tenant of the transaction alone: row-level security would hide the
# index. Counts are put inside their quarter of a tile, a circle's width from its edge.
CLUSTERS = """
CREATE FUNCTION storefront_clusters(tenant int, zoom int, tile_x int, tile_y int)
RETURNS TABLE (count int, px double precision, py double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  shift int := 2 * (16 - zoom);
  corner geometry := ST_SetSRID(ST_MakePoint(
    (tile_x + 0.5) / 2.0 ^ zoom * 360 - 180,
    degrees(atan(sinh(pi() * (1 - 2 * (tile_y + 0.5) / 2.0 ^ zoom))))), 4326);
  low bigint := (square_of(corner) >> shift) << shift;
  high bigint := low + (1::bigint << shift) - 1;
BEGIN
  IF tenant IS DISTINCT FROM nullif(current_setting('roadchief.subdistrict', true), '')::int THEN
    RETURN;
  END IF;
  RETURN QUERY
  SELECT q.n, q.left_x + greatest(320, least(704, q.mid_x - q.left_x)),
    q.top_y + greatest(320, least(704, q.mid_y - q.top_y))
  FROM (
    SELECT c.n, c.mid_x, c.mid_y,
      floor(greatest(0, least(4095, c.mid_x)) / 1024) * 1024 AS left_x,
      floor(greatest(0, least(4095, c.mid_y)) / 1024) * 1024 AS top_y
    FROM (
      SELECT count(*)::int AS n,
        ((avg(ST_X(f.door)) + 180) / 360 * 2.0 ^ zoom - tile_x) * 4096 AS mid_x,
        ((1 - ln(tan(radians(45 + avg(ST_Y(f.door)) / 2))) / pi()) / 2 * 2.0 ^ zoom - tile_y)
          * 4096 AS mid_y
      FROM storefront f
      WHERE f.subdistrict_id = tenant AND f.closed_at IS NULL
        AND square_of(f.door) BETWEEN low AND high
      GROUP BY square_of(f.door) >> (shift - 4)
    ) c
  ) q;
END
$$
"""


def upgrade() -> None:
    op.execute(STORE)
    op.execute("ALTER TABLE tile_store ALTER COLUMN body SET STORAGE EXTERNAL")
    op.execute("CREATE INDEX ix_tile_store_stored ON tile_store (subdistrict_id, stored_at)")
    op.execute(CHANGE)
    op.execute("CREATE INDEX ix_tile_change_xact ON tile_change (subdistrict_id, source, xact)")
    for table in ("tile_store", "tile_change"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO roadchief_app")
        protect(op, table)
    op.execute(NOTE)
    for table, shape in SOURCES.items():
        for act, seen in TRANSITIONS.items():
            op.execute(
                f"CREATE TRIGGER note_{act} AFTER {act.upper()} ON {table} REFERENCING {seen} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION note_change('{shape}')"
            )
    op.execute(SQUARE)
    op.execute(INDEX)
    op.execute(CLUSTERS)
    op.execute("REVOKE ALL ON FUNCTION storefront_clusters(int, int, int, int) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION storefront_clusters(int, int, int, int) TO roadchief_app")


def downgrade() -> None:
    op.execute("DROP FUNCTION storefront_clusters(int, int, int, int)")
    op.execute("DROP INDEX ix_storefront_square")
    op.execute("DROP FUNCTION square_of(geometry)")
    for table in SOURCES:
        for act in TRANSITIONS:
            op.execute(f"DROP TRIGGER note_{act} ON {table}")
    op.execute("DROP FUNCTION note_change()")
    op.execute("DROP TABLE tile_change")
    op.execute("DROP TABLE tile_store")
