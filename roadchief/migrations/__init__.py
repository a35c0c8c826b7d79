"""The schema, in small safe steps. `upgrade` and `downgrade` are what commands and tests call."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config

from roadchief.errors import Unavailable

# Referenced by policies; NULL without a tenant, so nothing is in reach.
CURRENT_SUBDISTRICT = "nullif(current_setting('roadchief.subdistrict', true), '')::int"


EXTENSIONS = ("postgis", "pg_trgm", "btree_gist")
PREPARE = "CREATE ROLE roadchief_app; GRANT roadchief_app TO <owner>; " + " ".join(
    f"CREATE EXTENSION {name};" for name in EXTENSIONS
)


class NotPrepared(Unavailable):
    zh = "数据库缺少角色或扩展，且当前账户无权创建。请管理员执行：{statements}"
    en = (
        "the database lacks a role or extension and this account may not make them; "
        "an administrator runs: {statements}"
    )


def prepare(owner_url: str) -> None:
    """Role and extensions of a server that is not our own, made where missing.

    Raises NotPrepared with the statements for an administrator where this account may not.
    """
    try:
        with psycopg.connect(owner_url, autocommit=True) as connection:
            known = "SELECT 1 FROM pg_roles WHERE rolname = 'roadchief_app'"
            if not connection.execute(known).fetchone():
                connection.execute("CREATE ROLE roadchief_app NOSUPERUSER NOBYPASSRLS")
                connection.execute("GRANT roadchief_app TO CURRENT_USER")
            for extension in EXTENSIONS:
                connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}".encode())
            _mark_leakproof(connection)
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported) as error:
        raise NotPrepared(statements=PREPARE) from error


def _mark_leakproof(connection: psycopg.Connection) -> None:
    """Only a superuser may; elsewhere `roadchief doctor` tells what it costs."""
    with suppress(psycopg.errors.InsufficientPrivilege):
        connection.execute("ALTER FUNCTION geometry_overlaps(geometry, geometry) LEAKPROOF")


def upgrade(
    owner_url: str, to: str = "head", *, say: Callable[[str], object] = lambda _step: None
) -> None:
    """Each step is a transaction: what was broken off goes on behind the last whole one."""
    config = _config(owner_url)
    config.attributes["say"] = say
    command.upgrade(config, to)


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
