"""Where citizens' cameras claimed to have been is not kept."""

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.execute('UPDATE blob SET taken_place = NULL WHERE "by" IS NULL AND taken_place IS NOT NULL')


def downgrade() -> None:
    """What is forgotten is forgotten."""
