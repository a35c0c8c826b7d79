"""Test databases: one migrated template, cloned for each test process and for each race."""

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from roadchief import migrations
from roadchief.config import ROOT

EXTENSIONS = ("postgis", "pg_trgm", "btree_gist")


def server_url(environ: dict[str, str]) -> str:
    """A server where we may make databases: the named one, or the private cluster."""
    named = environ.get("ROADCHIEF_TEST_DATABASE_URL")
    if named:
        return named
    from roadchief import cluster

    return cluster.up(ROOT, say=lambda _text: None).superuser_url


def address(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def template(server: str) -> str:
    """The name of a migrated database; made once for each state of the migrations."""
    files = sorted(Path(migrations.__file__).parent.rglob("*.py"))
    state = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    name = f"rc_template_{state}"
    with psycopg.connect(server, autocommit=True) as connection:
        # Several test processes start at once: one makes the template, the others wait.
        connection.execute("SELECT pg_advisory_lock(7301)")
        if not _exists(connection, name):
            _make_template(connection, server, name)
        connection.execute("SELECT pg_advisory_unlock(7301)")
    return name


@contextmanager
def clone(server: str, source: str) -> Iterator[str]:
    """A database of its own for as long as the block lasts; yields its address."""
    name = f"rc_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(7302)")
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}" OWNER roadchief'.encode())
        connection.execute("SELECT pg_advisory_unlock(7302)")
    try:
        yield address(server, name)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


@contextmanager
def bare(server: str) -> Iterator[str]:
    """An empty database, without extensions, as another server would give us."""
    name = f"rc_bare_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
    try:
        yield address(server, name)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def _exists(connection: psycopg.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return found.fetchone() is not None


def _make_template(connection: psycopg.Connection, server: str, name: str) -> None:
    for role in ("roadchief", "roadchief_app"):
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        if not known:
            connection.execute(f"CREATE ROLE {role}".encode())
    making = f"{name}_making"
    connection.execute(f'DROP DATABASE IF EXISTS "{making}" WITH (FORCE)'.encode())
    connection.execute(f'CREATE DATABASE "{making}" OWNER roadchief'.encode())
    with psycopg.connect(address(server, making), autocommit=True) as inside:
        for extension in EXTENSIONS:
            inside.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}".encode())
        inside.execute("ALTER FUNCTION geometry_overlaps(geometry, geometry) LEAKPROOF")
    migrations.upgrade(address(server, making))
    connection.execute(f'ALTER DATABASE "{making}" RENAME TO "{name}"'.encode())
