"""Keeping shelf and rows in step: files nobody wants go, rows that lost their file are told."""

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import jobs
from roadchief.blobs.finding import file_name, shelf
from roadchief.blobs.models import Blob
from roadchief.config import Settings
from roadchief.db import tenant_of
from roadchief.lib import clock

log = structlog.get_logger("roadchief")
PAGE = 5_000


@jobs.queue.periodic(cron="41 3 * * *")
@jobs.task("blobs.sweep")
def sweep_all(timestamp: int) -> None:
    """Every sub-district, at night."""
    here = jobs.surroundings()
    for subdistrict_id in here.database.tenants():
        with here.database.transaction(subdistrict_id) as session:
            before = clock.now().timestamp() - here.settings.photo_orphan_hours * 3600
            gone = sweep(session, before=before, settings=here.settings)
            lost = missing(session, settings=here.settings)
        log.info("photos swept", subdistrict=subdistrict_id, removed=len(gone), missing=len(lost))
        if lost:
            log.error("photos missing", subdistrict=subdistrict_id, first=lost[:5])


def sweep(session: Session, *, before: float, settings: Settings) -> list[str]:
    """Remove files older than `before` that no kept row names; the names of what went."""

    def wanted(prefix: str) -> set[str]:
        return set(
            session.scalars(
                select(Blob.sha256).where(
                    Blob.subdistrict_id == tenant_of(session),
                    Blob.sha256.between(prefix, prefix + "g"),
                    Blob.state == "kept",
                )
            )
        )

    return shelf(tenant_of(session), settings).sweep(wanted, before=before)


def missing(session: Session, *, settings: Settings, most: int | None = None) -> list[str]:
    """Kept rows without a file of full size, newest first: hashes; at most `most` rows are seen."""
    here = shelf(tenant_of(session), settings)
    rows = session.scalars(
        select(Blob.sha256)
        .where(Blob.subdistrict_id == tenant_of(session), Blob.state == "kept")
        .order_by(Blob.id.desc())
        .limit(most)
        .execution_options(yield_per=PAGE)
    )
    return [sha256 for sha256 in rows if not here.path(file_name(sha256, "full")).exists()]
