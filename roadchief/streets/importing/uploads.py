"""Uploaded files on the disk: where they lie, and how long."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from roadchief.config import Settings
from roadchief.db import Database
from roadchief.streets.importing.models import ImportRun

UNFINISHED = {"waiting", "running"}


def folder(settings: Settings, subdistrict_id: int, run_id: uuid.UUID) -> Path:
    return settings.var_dir / "uploads" / str(subdistrict_id) / str(run_id)


def sweep(database: Database, settings: Settings, *, at: datetime) -> int:
    """Delete uploads older than the setting says; those of unfinished imports stay.

    What was never confirmed ends here. What we do not know (other names) is left alone.
    """
    before = at - timedelta(days=settings.upload_keep_days)
    swept = 0
    for tenant in _named(settings.var_dir / "uploads", str.isdigit):
        old = [one for one in _named(tenant, _is_id) if _laid_down(one) < before]
        if old:
            swept += _delete(database, int(tenant.name), old, before=before, at=at)
    return swept


def subdistricts(settings: Settings) -> list[int]:
    """Those who ever uploaded a file that is still kept."""
    return [int(one.name) for one in _named(settings.var_dir / "uploads", str.isdigit)]


def _delete(
    database: Database, subdistrict_id: int, old: list[Path], *, before: datetime, at: datetime
) -> int:
    by_id = {uuid.UUID(one.name): one for one in old}
    with database.transaction(subdistrict_id) as session:
        # Under lock: who confirms an import at this moment comes before us or finds it ended.
        rows = session.scalars(
            select(ImportRun)
            .where(ImportRun.subdistrict_id == subdistrict_id, ImportRun.id.in_(by_id))
            .order_by(ImportRun.id)
            .with_for_update()
        ).all()
        for row in rows:
            if row.state in UNFINISHED or (row.ended_at or row.started_at) >= before:
                del by_id[row.id]
            elif row.state == "previewed":
                row.state, row.ended_at = "stopped", at
    for one in by_id.values():
        shutil.rmtree(one, ignore_errors=True)
    return len(by_id)


def _named(place: Path, fits: Callable[[str], bool]) -> Iterator[Path]:
    if place.is_dir():
        yield from (one for one in place.iterdir() if one.is_dir() and fits(one.name))


def _is_id(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False


def _laid_down(one: Path) -> datetime:
    return datetime.fromtimestamp(one.stat().st_mtime, tz=UTC)
