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
        with database.transaction(place) as session:
            session.execute(FORGET, {"here": place, "before": at - SCANS_KEPT, "most": SWEEP})
            gone = batches.expire(session, at=at, after_days=settings.print_tokens_days)
        for batch_id in gone:
            sealing.destroy(settings, place, batch_id)
        _sweep_orphans(database, settings, place, at=at)


def _sweep_orphans(database: Database, settings: Settings, place: int, *, at: datetime) -> None:
    with database.transaction(place) as session:
        wanted = (
            select(PrintBatch.id)
            .where(PrintBatch.subdistrict_id == place)
            .where(PrintBatch.state.not_in({"delivered", "expired"}))
        )
        real = {str(one) for one in session.scalars(wanted)}
    sealing.destroy_orphans(settings.var_dir / "print" / str(place), real, at=at)
