"""Nightly and every ten minutes: months are kept, single scans go, bursts are noticed."""

from datetime import datetime, timedelta

from sqlalchemy import select, text

from roadchief.codes import batches, scans, sealing
from roadchief.codes.lifecycle import ANSWERS
from roadchief.codes.models import PrintBatch
from roadchief.config import Settings
from roadchief.db import Database

SCANS_KEPT = timedelta(days=400)
BURST_SCANS = 30  # in BURST_WITHIN: a door is not scanned as often as a poster
BURST_WITHIN = timedelta(minutes=30)
SWEEP = 50_000
ORPHANED_AFTER = timedelta(hours=1)

BURSTS = text(
    """
SELECT s.plate_id, count(*) AS scans FROM scan s
JOIN plate p ON p.subdistrict_id = s.subdistrict_id AND p.id = s.plate_id
WHERE s.subdistrict_id = :here AND s.at > :since AND s.audience = 'citizen'
  AND p.state = ANY(:answers)
GROUP BY s.plate_id HAVING count(*) >= :most
"""
)
FORGET = text(
    "DELETE FROM scan WHERE (subdistrict_id, id) IN (SELECT subdistrict_id, id FROM scan "
    "WHERE subdistrict_id = :here AND at < :before LIMIT :most)"
)
END_ORPHANS = text(
    """
UPDATE print_batch SET state = 'stopped', finished_at = :at, report = '{}'
WHERE subdistrict_id = :here AND state IN ('waiting', 'running') AND made_at < :before
  AND NOT EXISTS (SELECT FROM procrastinate_jobs j WHERE j.task_name = 'codes.print'
    AND j.status IN ('todo', 'doing') AND j.args->>'batch_id' = print_batch.id::text)
"""
)


def look_for_bursts(database: Database, *, at: datetime) -> int:
    """An alarm for each plate that is scanned like a poster; answers how many."""
    found = 0
    for place in database.tenants():
        with database.transaction(place) as session:
            values = {
                "here": place,
                "since": at - BURST_WITHIN,
                "answers": sorted(ANSWERS),
                "most": BURST_SCANS,
            }
            for row in session.execute(BURSTS, values).all():
                scans.raise_alarm(
                    session,
                    row.plate_id,
                    "burst",
                    at=at,
                    scans=row.scans,
                    minutes=int(BURST_WITHIN.total_seconds() / 60),
                )
                found += 1
    return found


def every_night(database: Database, settings: Settings, *, at: datetime) -> None:
    """Old scans and the tokens of batches that nobody delivered; safe to run again."""
    for place in database.tenants():
        _forget_scans(database, place, at=at)
        with database.transaction(place) as session:
            gone = batches.expire(session, at=at, after_days=settings.print_tokens_days)
        for batch_id in gone:
            sealing.destroy(settings, place, batch_id)
        _sweep_orphans(database, settings, place, at=at)


def _forget_scans(database: Database, place: int, *, at: datetime) -> None:
    """All that are old, a portion a transaction."""
    values = {"here": place, "before": at - SCANS_KEPT, "most": SWEEP}
    gone = SWEEP
    while gone == SWEEP:
        with database.transaction(place) as session:
            gone = session.execute(FORGET, values).rowcount  # type: ignore[attr-defined]


def end_orphans(database: Database, *, at: datetime) -> int:
    """Batches under way behind which no job stands. A command may be printing: give it an hour."""
    ended = 0
    for place in database.tenants():
        with database.transaction(place) as session:
            values = {"here": place, "at": at, "before": at - ORPHANED_AFTER}
            ended += session.execute(END_ORPHANS, values).rowcount  # type: ignore[attr-defined]
    return ended


def _sweep_orphans(database: Database, settings: Settings, place: int, *, at: datetime) -> None:
    with database.transaction(place) as session:
        wanted = (
            select(PrintBatch.id)
            .where(PrintBatch.subdistrict_id == place)
            .where(PrintBatch.state.not_in({"delivered", "expired"}))
        )
        real = {str(one) for one in session.scalars(wanted)}
    sealing.destroy_orphans(settings.var_dir / "print" / str(place), real, at=at)
