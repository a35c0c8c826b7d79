"""`roadchief doctor`: looks at everything we need and says in plain words what is wrong."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import click
import psycopg
from sqlalchemy import text

from roadchief import config
from roadchief.blobs.jobs import missing
from roadchief.config import ROOT, BadSetting, Settings
from roadchief.db import APP_ROLE, Database

PHOTOS_SEEN = 2000  # newest of each sub-district


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `mend` says what to do when it is not fine."""

    what: str
    fine: bool
    seen: str
    mend: str = ""


LEAKPROOF = """
SELECT p.proleakproof FROM pg_proc p
WHERE p.oid = 'geometry_overlaps(geometry,geometry)'::regprocedure
"""
OWNED = """
SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
WHERE c.relkind = 'r' AND r.rolname = %s
"""


# How many second factors are kept under how many keys ('' is plain text of earlier versions).
SEALED = """
SELECT CASE WHEN totp_secret LIKE 'v_.%' THEN split_part(totp_secret, '.', 2) ELSE '' END, count(*)
FROM person WHERE totp_secret IS NOT NULL AND state <> 'retired' GROUP BY 1
"""


@click.command()
def doctor() -> None:
    """Check settings, database, policies, assets and disk. Exits 2 when something is wrong."""
    try:
        settings = config.with_private_parts(config.load(os.environ))
    except BadSetting as error:
        findings = [Finding("settings", False, str(error), "correct this environment variable")]
    else:
        findings = [*look_at_files(settings), *look_at_database(settings)]
        if all(finding.fine for finding in findings):
            findings.append(look_at_photos(settings))
    for finding in findings:
        click.echo(f"{'ok  ' if finding.fine else 'BAD '} {finding.what}: {finding.seen}")
        if not finding.fine:
            click.echo(f"     {finding.mend}")
    if not all(finding.fine for finding in findings):
        raise SystemExit(2)


def look_at_files(settings: Settings) -> list[Finding]:
    vendor = ROOT / "static" / "vendor" / "leaflet"
    free_mb = shutil.disk_usage(ROOT).free // (1024 * 1024)
    return [
        Finding("settings", True, f"public address {settings.public_url}"),
        Finding(
            "browser assets",
            vendor.exists(),
            "in static/vendor" if vendor.exists() else "missing",
            "run scripts/assets",
        ),
        Finding("disk", free_mb > 1024, f"{free_mb} MB free", "make room: photos and WAL need it"),
    ]


def look_at_database(settings: Settings) -> list[Finding]:
    if not settings.database_url:
        return [Finding("database", False, "no address", "run `roadchief db up`")]
    try:
        with psycopg.connect(settings.database_url, connect_timeout=5) as connection:
            findings = [look(connection) for look in LOOKS]
        if findings[-1].fine:
            # Row-level security hides persons from the app's role: asked as the owner.
            owner = settings.owner_database_url or settings.database_url
            with psycopg.connect(owner, connect_timeout=5) as connection:
                findings.append(_second_factors(connection, settings))
        return findings
    except psycopg.Error as error:
        seen = str(error).strip().splitlines()[0]
        return [Finding("database", False, seen, "run `roadchief db up`, or mend the address")]


def look_at_photos(settings: Settings) -> Finding:
    """The newest photos of every sub-district have their files; what is missing is lost."""
    database, lost = Database(settings), 0
    with database.transaction(None) as session:
        places = session.scalars(text("SELECT id FROM subdistrict")).all()
    for subdistrict_id in places:
        with database.transaction(subdistrict_id) as session:
            lost += len(missing(session, settings=settings, most=PHOTOS_SEEN))
    database.engine.dispose()
    return Finding(
        "photos",
        lost == 0,
        f"{lost} of the newest have no file" if lost else "every record has its file",
        "restore var/blobs from the backup; a phone that still holds a photo mends it by sending",
    )


def _version(connection: psycopg.Connection) -> Finding:
    version = connection.info.server_version
    return Finding("PostgreSQL", version >= 150000, str(version), "15 or newer is needed")


def _postgis(connection: psycopg.Connection) -> Finding:
    row = connection.execute(
        "SELECT extversion FROM pg_extension WHERE extname = 'postgis'"
    ).fetchone()
    return Finding(
        "PostGIS", row is not None, row[0] if row else "absent", "CREATE EXTENSION postgis"
    )


def _leakproof(connection: psycopg.Connection) -> Finding:
    """Without the mark every map question reads all rows of the sub-district (DESIGN §2)."""
    row = connection.execute(LEAKPROOF).fetchone()
    fine = bool(row and row[0])
    return Finding(
        "spatial index under row security",
        fine,
        "geometry_overlaps is leakproof" if fine else "geometry_overlaps is not leakproof",
        "as superuser: ALTER FUNCTION geometry_overlaps(geometry,geometry) LEAKPROOF; "
        "where a managed server forbids it, maps of big sub-districts are slow",
    )


def _app_role(connection: psycopg.Connection) -> Finding:
    row = connection.execute(OWNED, [APP_ROLE]).fetchone()
    owned = int(row[0]) if row else 0
    return Finding(
        "app role", owned == 0, f"{APP_ROLE} owns {owned} tables", "it must own none: see README"
    )


def _schema(connection: psycopg.Connection) -> Finding:
    row = connection.execute("SELECT to_regclass('alembic_version')::text").fetchone()
    fine = bool(row and row[0])
    return Finding("schema", fine, "there" if fine else "absent", "run `roadchief db migrate`")


def _second_factors(connection: psycopg.Connection, settings: Settings) -> Finding:
    """Plain ones and ones under two keys are mended at their person's next sign-in."""
    count = {str(row[0]): int(row[1]) for row in connection.execute(SEALED).fetchall()}
    plain, keys = count.pop("", 0), len(count)
    return Finding(
        "second factors",
        keys < 2 or bool(settings.former_secret_key),
        f"{sum(count.values())} sealed under {keys} key(s), {plain} in plain text",
        "set ROADCHIEF_FORMER_SECRET_KEY to the key before, or reset those who cannot sign in",
    )


LOOKS: tuple[Callable[[psycopg.Connection], Finding], ...] = (
    _version,
    _postgis,
    _leakproof,
    _app_role,
    _schema,
)
