"""Fronts and duty zones for what was imported: stretch by stretch, a transaction a portion.

What is laid is no longer missing, so a run that was broken off goes on where it stopped. Doors
are taken by their place along a side of a segment, so that one that came meanwhile is seen.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from roadchief.db import Database, from_hex, tenant_of, to_hex
from roadchief.streets import zones
from roadchief.streets.duty_zones import segments_by_id
from roadchief.streets.importing.report import Report
from roadchief.streets.models import RoadSegment

PORTION = 4_000  # doors of one transaction
STREAMED = 20_000
Tell = Callable[[int, int], None]

# Right after an import the statistics know nothing of its rows, and a plan that looks at each for
# each seems cheap: minutes instead of seconds. Merging and hashing are never far from the best.
NO_LOOPS = text("SET LOCAL enable_nestloop = off")
WALK = text(
    """
SELECT f.segment_id, f.side, f.measure_m, f.duty_zone IS NULL AND NOT f.duty_zone_drawn AS missing
FROM storefront f WHERE f.subdistrict_id = :here AND f.closed_at IS NULL AND f.segment_id IN (
  SELECT m.segment_id FROM storefront m WHERE m.subdistrict_id = :here AND m.closed_at IS NULL
    AND m.segment_id IS NOT NULL AND m.duty_zone IS NULL AND NOT m.duty_zone_drawn)
ORDER BY f.segment_id, f.side, f.measure_m
"""
)
THERE = text(
    """
SELECT f.id, f.segment_id, f.side, f.measure_m, f.duty_zone_drawn, f.door, f.frontage
FROM unnest(CAST(:segments AS uuid[]), CAST(:sides AS text[]), CAST(:lows AS float[]),
  CAST(:highs AS float[])) AS w(segment_id, side, low, high)
JOIN storefront f ON f.subdistrict_id = :here AND f.segment_id = w.segment_id AND f.side = w.side
  AND f.measure_m BETWEEN w.low AND w.high AND f.closed_at IS NULL
WHERE f.segment_id = ANY(:segments)
ORDER BY f.id FOR UPDATE OF f
"""
)
WRITE = text(
    """
UPDATE storefront f SET frontage = n.front, duty_zone = n.zone
FROM (SELECT id, CAST(front AS geometry) AS front, CAST(zone AS geometry) AS zone
  FROM unnest(CAST(:ids AS uuid[]), CAST(:fronts AS text[]), CAST(:zones AS text[]))
  AS u(id, front, zone)) n
WHERE f.subdistrict_id = :here AND f.segment_id = :segment AND f.id = n.id
  AND (f.frontage IS DISTINCT FROM n.front OR f.duty_zone IS DISTINCT FROM n.zone)
"""
)


@dataclass(frozen=True)
class Stretch:
    """Doors of one side from measure to measure, and as far as the next door at each end."""

    segment_id: uuid.UUID
    side: str
    since: float
    until: float
    low: float
    high: float
    doors: int
    missing: int


def lay(
    database: Database,
    subdistrict_id: int,
    report: Report,
    *,
    tell: Tell = lambda _done, _total: None,
) -> None:
    """All that are missing; `tell` hears how many are done, and of how many."""
    with database.transaction(subdistrict_id) as session:
        stretches = list(_stretches(session))
    total, done = sum(one.missing for one in stretches), 0
    try:
        for portion in _portions(stretches):
            tell(done, total)
            with database.transaction(subdistrict_id) as session:
                report.notes["zones_laid"] += _lay(session, portion)
            done += sum(one.missing for one in portion)
    except KeyboardInterrupt:
        report.interrupted = True
    tell(done, total)


def _stretches(session: Session) -> Iterator[Stretch]:
    """Where something is missing, with the neighbours whose zones give way to it."""
    session.execute(NO_LOOPS)
    walk = session.execute(
        WALK, {"here": tenant_of(session)}, execution_options={"yield_per": STREAMED}
    )
    for (segment_id, side), group in groupby(walk, key=lambda row: (row.segment_id, row.side)):
        rows = list(group)
        at = [-np.inf, *(row.measure_m for row in rows), np.inf]
        lacking = [place for place, row in enumerate(rows, start=1) if row.missing]
        if not lacking:
            continue
        first, last = max(lacking[0] - 1, 1), min(lacking[-1] + 1, len(rows))
        for begin in range(first, last + 1, PORTION):
            end = min(begin + PORTION - 1, last)
            missing = sum(rows[place - 1].missing for place in range(begin, end + 1))
            yield Stretch(
                *(segment_id, side, at[begin], at[end], at[begin - 1], at[end + 1]),
                doors=end - begin + 1,
                missing=missing,
            )


def _portions(stretches: Iterable[Stretch]) -> Iterator[list[Stretch]]:
    held: list[Stretch] = []
    for one in stretches:
        if held and sum(other.doors for other in held) + one.doors > PORTION:
            yield held
            held = []
        held.append(one)
    if held:
        yield held


def _lay(session: Session, portion: Sequence[Stretch]) -> int:
    """One portion under lock; how many rows it changed."""
    session.execute(NO_LOOPS)
    found = session.execute(
        THERE,
        {
            "here": tenant_of(session),
            "segments": [one.segment_id for one in portion],
            "sides": [one.side for one in portion],
            "lows": [one.low for one in portion],
            "highs": [one.high for one in portion],
        },
    ).all()
    # Read under the lock: who widens a street changes its zones after us, or before.
    segments = segments_by_id(session, {one.segment_id for one in portion})
    by_side = {(one.segment_id, one.side): one for one in portion}
    rows = sorted(found, key=lambda row: (str(row.segment_id), row.side, row.measure_m, row.id))
    changed = 0
    for key, group in groupby(rows, key=lambda row: (row.segment_id, row.side)):
        changed += _lay_side(session, by_side[key], segments[key[0]], list(group))
    return changed


def _lay_side(
    session: Session, stretch: Stretch, segment: RoadSegment, rows: Sequence[Row[tuple[object]]]
) -> int:
    street = zones.Street(segment.line)
    rows = [row for row in rows if row.frontage or not row.duty_zone_drawn]
    fronts = np.array([from_hex(row.frontage) for row in rows], dtype=object)
    bare = np.array([row.frontage is None for row in rows])
    doors = np.array([from_hex(row.door) for row in rows], dtype=object)
    fronts[bare] = zones.frontages(doors[bare], street)
    wanted = np.array(
        [
            not row.duty_zone_drawn and stretch.since <= row.measure_m <= stretch.until
            for row in rows
        ]
    )
    found = zones.side_by_side(fronts, [row.side for row in rows], street, segment.kerb_m, wanted)
    done = session.execute(
        WRITE,
        {
            "here": tenant_of(session),
            "segment": stretch.segment_id,
            "ids": [row.id for row, mine in zip(rows, wanted, strict=True) if mine],
            "fronts": [to_hex(front) for front in fronts[wanted]],
            "zones": [to_hex(zone) for zone in found[wanted]],
        },
    )
    return int(done.rowcount)  # type: ignore[attr-defined]
