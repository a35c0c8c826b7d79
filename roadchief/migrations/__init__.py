"""The schema, in small safe steps. `upgrade` and `downgrade` are what commands and tests call."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config

# Referenced by policies; NULL without a tenant, so nothing is in reach.
CURRENT_SUBDISTRICT = "nullif(current_setting('roadchief.subdistrict', true), '')::int"


def upgrade(owner_url: str, to: str = "head") -> None:
    command.upgrade(_config(owner_url), to)


def downgrade(owner_url: str, to: str) -> None:
    command.downgrade(_config(owner_url), to)


def differences(owner_url: str) -> None:
    """Raises when models and schema differ."""
    command.check(_config(owner_url))


def protect(op: Any, table: str) -> None:
    """The second lock on a tenant table: rows of another sub-district do not exist."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {table} USING (subdistrict_id = {CURRENT_SUBDISTRICT}) "
        f"WITH CHECK (subdistrict_id = {CURRENT_SUBDISTRICT})"
    )


def append_only(op: Any, table: str) -> None:
    """History is added to, never edited: the app role cannot."""
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM roadchief_app")


def _config(owner_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = owner_url
    return config
