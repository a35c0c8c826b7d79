"""An assignment may end in the instant it begins: taken back at once, or before its first day."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _period(">=")


def downgrade() -> None:
    op.execute("DELETE FROM assignment WHERE ends_at = starts_at")
    _period(">")


def _period(comparison: str) -> None:
    op.execute("ALTER TABLE assignment DROP CONSTRAINT ck_assignment_period")
    op.execute(
        "ALTER TABLE assignment ADD CONSTRAINT ck_assignment_period "
        f"CHECK (ends_at IS NULL OR ends_at {comparison} starts_at)"
    )
