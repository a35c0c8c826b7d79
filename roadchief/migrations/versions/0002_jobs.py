"""The job queue and the counters of rate limits."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Many statements in one text, so straight to the driver, which then binds no parameters.
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute(SchemaManager.get_schema())
    # UNLOGGED: counters may be lost in a crash, and cost little. Not tenant data: keys are hashed.
    op.execute(
        "CREATE UNLOGGED TABLE rate_count ("
        " key text PRIMARY KEY, hits bigint NOT NULL, expires_at timestamptz NOT NULL)"
    )
    op.execute("CREATE INDEX ix_rate_count_expires_at ON rate_count (expires_at)")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO roadchief_app"
    )
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO roadchief_app")
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON event FROM roadchief_app")
    op.execute("REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM roadchief_app")


def downgrade() -> None:
    op.execute("DROP TABLE rate_count")
    for name in ("periodic_defers", "events", "jobs", "workers"):
        op.execute(f"DROP TABLE IF EXISTS procrastinate_{name} CASCADE")
    bind = op.get_bind()
    functions = bind.execute(
        sa.text(
            "SELECT CAST(p.oid AS regprocedure) FROM pg_proc p "
            "JOIN pg_namespace n ON n.oid = p.pronamespace "
            "WHERE n.nspname = 'public' AND p.proname LIKE 'procrastinate_%'"
        )
    )
    for (function,) in functions.fetchall():
        op.execute(f"DROP FUNCTION {function} CASCADE")
    types = bind.execute(
        sa.text(
            "SELECT CAST(t.oid AS regtype) FROM pg_type t "
            "JOIN pg_namespace n ON n.oid = t.typnamespace "
            "WHERE n.nspname = 'public' AND t.typname LIKE 'procrastinate_%' "
            "AND t.typtype IN ('e','c')"
        )
    )
    for (kind,) in types.fetchall():
        op.execute(f"DROP TYPE IF EXISTS {kind} CASCADE")
