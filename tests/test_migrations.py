"""Up, down, up; models and schema agree; a migration does not wait long for a lock."""

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from roadchief import migrations
from tests import databases


def test_up_down_up(fresh_url: str) -> None:
    migrations.downgrade(fresh_url, "base")
    with psycopg.connect(fresh_url) as connection:
        left = connection.execute(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND relkind = 'r' "
            "AND relname NOT IN ('alembic_version', 'spatial_ref_sys')"
        ).fetchall()
        assert left == []
    migrations.upgrade(fresh_url)


def test_models_and_schema_agree(fresh_url: str) -> None:
    migrations.differences(fresh_url)


def test_a_migration_gives_up_on_a_long_lock(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(fresh_url) as holder:
        holder.execute("LOCK TABLE person IN ACCESS SHARE MODE")
        with pytest.raises(OperationalError, match="lock timeout"):
            migrations.downgrade(fresh_url, "base")


def test_a_bare_database_is_prepared(server: str) -> None:
    with databases.bare(server) as url:
        migrations.prepare(url)
        migrations.prepare(url)
        migrations.upgrade(url)
        migrations.differences(url)


def test_an_account_that_may_not_prepare_is_told_what_to_run(server: str) -> None:
    with databases.bare(server) as url:
        weak = with_role(url)
        with pytest.raises(migrations.NotPrepared) as caught:
            migrations.prepare(weak)
        assert "CREATE EXTENSION postgis" in caught.value.say("zh")


def with_role(url: str) -> str:
    """The same database, as the app role: it may make nothing."""
    return url + ("&" if "?" in url else "?") + "options=-c%20role%3Droadchief_app"
