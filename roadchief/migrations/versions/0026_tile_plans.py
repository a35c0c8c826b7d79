"""Counts of tiles are read from their index alone, whatever PostgreSQL knows of the table.

The planner keeps no statistics for an expression of a partial index, so it guesses. Where rows of
several sub-districts lie mixed and nothing was vacuumed yet, as after a bulk load, it took the rows
themselves: a bitmap, or all of the table for a small one, and the square of each door figured anew.
The table is vacuumed sooner after imports, so that the index need not ask it what is visible.
"""

from alembic import op

revision = "0026"
down_revision = "0025"
FUNCTION = "storefront_clusters(int, int, int, int)"
PLAN = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "max_parallel_workers_per_gather": "0",
}
SOONER = {
    "autovacuum_vacuum_insert_scale_factor": "0.02",
    "autovacuum_analyze_scale_factor": "0.02",
}


def upgrade() -> None:
    for name, value in PLAN.items():
        op.execute(f"ALTER FUNCTION {FUNCTION} SET {name} = {value}")
    told = ", ".join(f"{name} = {value}" for name, value in SOONER.items())
    op.execute(f"ALTER TABLE storefront SET ({told})")


def downgrade() -> None:
    for name in PLAN:
        op.execute(f"ALTER FUNCTION {FUNCTION} RESET {name}")
    op.execute(f"ALTER TABLE storefront RESET ({', '.join(SOONER)})")
