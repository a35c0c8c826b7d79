"""Tracks: where a shift walked. Inside the shift alone; raw points go after 30 days.

What stays is which stretch of which segment was covered, and how far somebody walked.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import new_id, tenant_of
from roadchief.patrol.coverage import measures
from roadchief.patrol.items import moments
from roadchief.patrol.items.answers import Refused
from roadchief.patrol.items.reading import Item
from roadchief.patrol.models import CoveredStretch, Track
from roadchief.patrol.phone.acts import Ready, answer_to, moment_of, needed_shift, tell
from roadchief.patrol.phone.judging import Batch
from roadchief.patrol.planning import shifts
from roadchief.patrol.presence.reach import number
from roadchief.patrol.rules import section

MOST_POINTS = 2000

events.declare({"patrol.tracked": "a stretch of a walk was recorded"})


def rule() -> measures.TrackRule:
    figures = section("tracks")
    return measures.TrackRule(
        figures["good_accuracy_m"], figures["gap_s"], figures["walking_mps"], figures["snap_m"]
    )


def take(session: Session, item: Item, batch: Batch) -> Ready:
    """Points outside the shift are dropped: nobody is followed off duty."""
    shift, when = needed_shift(item, batch), moment_of(item, batch)
    offset_s = (item.stamp.offset_ms or 0) / 1000
    low = (shift.starts_at - moments.EARLY).timestamp()
    high = min(shift.ends_at + moments.EARLY, batch.at).timestamp()
    given = _points(item.body.get("points"), offset_s)
    kept = [point for point in given if low <= point.at_s <= high]
    flags = ["outside_shift"] if len(kept) < len(given) else []

    def effect(session: Session) -> None:
        if not kept:
            return
        _keep(session, item, shift.id, kept)
        lines = {row.id: row.line for row in shifts.segments_of(session, shift.id)}
        at = datetime.fromtimestamp(kept[-1].at_s, UTC)
        session.add_all(
            CoveredStretch(
                subdistrict_id=tenant_of(session),
                id=new_id(),
                source_id=item.id,
                segment_id=segment_id,
                at=at,
                from_m=from_m,
                to_m=to_m,
            )
            for segment_id, from_m, to_m in measures.stretches(kept, lines, rule())
        )
        tell(session, "patrol.tracked", shifts.find(session, shift.id), item, batch.at)

    return Ready(item, answer_to(item, when, flags), effect, keep_body=False)


def _keep(session: Session, item: Item, shift_id: uuid.UUID, kept: list[measures.Point]) -> None:
    row = Track(
        subdistrict_id=tenant_of(session),
        id=item.id,
        shift_id=shift_id,
        person_id=item.person_id,
        starts_at=datetime.fromtimestamp(kept[0].at_s, UTC),
        ends_at=datetime.fromtimestamp(kept[-1].at_s, UTC),
        points=[[round(p.at_s * 1000), p.lat, p.lon, p.accuracy_m] for p in kept],
        walked_m=measures.walked_m(kept, rule()),
    )
    session.add(row)
    session.flush()


def _points(given: Any, offset_s: float) -> list[measures.Point]:
    """What can be read of [[ms, lat, lon, accuracy]…], in order of time."""
    if not isinstance(given, list) or len(given) > MOST_POINTS:
        raise Refused("bad_field", field="points")
    found = []
    for row in given:
        if not isinstance(row, list) or len(row) < 4:
            continue
        ms, lat, lon, accuracy = (number(value) for value in row[:4])
        if None in (ms, lat, lon) or abs(lon or 0) > 180 or abs(lat or 0) > 90:
            continue
        at_s = (ms or 0) / 1000 + offset_s
        if 0 < at_s < 4e9:
            found.append(measures.Point(at_s, lon or 0, lat or 0, accuracy or 0))
    return sorted(found, key=lambda one: one.at_s)


def forget(session: Session, *, at: datetime) -> int:
    """Delete raw points past their time; what they covered stays."""
    last = at - timedelta(days=section("tracks")["keep_days"])
    gone = session.execute(
        delete(Track).where(Track.subdistrict_id == tenant_of(session), Track.ends_at < last)
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]
