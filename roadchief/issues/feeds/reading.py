"""Public cases of a sub-district, a road or a segment, as a feed tells them: an allow-list."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.errors import NotFound
from roadchief.issues import categories, moves, publishing, story
from roadchief.issues.citizens import reporting
from roadchief.issues.feeds.atom import Entry
from roadchief.issues.models import Case
from roadchief.issues.open311.georeport import Question
from roadchief.issues.open311.reading import given_codes
from roadchief.streets.models import Road, RoadSegment, Subdistrict

MOST = 50
EDITION = "1"  # of what an entry says: a new one makes every kept copy stale


@dataclass(frozen=True)
class About:
    """What a feed is about: everything here, a road, or a segment."""

    name: str
    office: str
    segments: list[uuid.UUID] | None  # None: the whole sub-district


@dataclass(frozen=True)
class Standing:
    """The cases of a feed as they stand, by one question: enough to say "not changed"."""

    ids: list[uuid.UUID]
    mark: str
    updated: datetime | None


def about(session: Session, *, road: uuid.UUID | None, segment: uuid.UUID | None) -> About:
    """The subject by name; what is not there, or closed, is not found."""
    here = tenant_of(session)
    office = session.get(Subdistrict, here)
    if office is None:
        raise NotFound
    if segment:
        row = session.get(RoadSegment, (here, segment))
        if row is None or row.closed_at is not None:
            raise NotFound
        return About(row.name, office.name, [row.id])
    if road:
        line = session.get(Road, (here, road))
        if line is None or line.closed_at is not None:
            raise NotFound
        pieces = select(RoadSegment.id).where(
            RoadSegment.subdistrict_id == here, RoadSegment.road_id == road
        )
        return About(line.name, office.name, list(session.scalars(pieces)))
    return About(office.name, office.name, None)


def standing(session: Session, subject: About, *, language: str) -> Standing:
    rows = session.execute(
        _newest(subject, session, select(Case.id, Case.updated_at)).limit(MOST)
    ).all()
    told = (
        f"{EDITION} {language} {subject.name} {subject.office} {categories.version()} "
        + " ".join(f"{row.id}:{row.updated_at.timestamp()}" for row in rows)
    )
    mark = hashlib.sha256(told.encode()).hexdigest()[:32]
    return Standing([row.id for row in rows], mark, rows[0].updated_at if rows else None)


def entries(
    session: Session,
    known: Standing,
    *,
    language: str,
    name: str,
    address: Callable[[Case], str],
    photo: Callable[[Any], str],
) -> list[Entry]:
    """Four questions, however many entries. `name` is the authority of their lasting names."""
    pick = 0 if language == "zh" else 1
    rows = session.scalars(
        _newest(None, session, select(Case)).where(Case.id.in_(known.ids)).limit(MOST)
    ).all()
    ids = [row.id for row in rows]
    shown, points = publishing.public_photos(session, ids), reporting.snapped(session, ids)
    notes = story.last_words(session, ids)
    found = []
    for row in rows:
        kind, state = categories.find(row.category), moves.STATES[row.state][pick]
        parts = [kind.say(language), row.address, state]
        closing = moves.CLOSINGS.get(row.closing_kind or "", ("", ""))[pick]
        found.append(
            Entry(
                id=f"{name}/cases/{row.id}",
                title=" · ".join(part for part in parts if part),
                published=row.reported_at,
                updated=row.updated_at,
                lines=[
                    f"{'编号' if pick == 0 else 'Number'} {row.number}",
                    row.public_words or "",
                    " · ".join(part for part in (state, closing) if part),
                    notes.get(row.id, ""),
                ],
                category=(row.category, kind.say(language)),
                address=address(row),
                point=points.get(row.id),
                photos=[photo(one) for one in shown.get(row.id, [])],
            )
        )
    return found


def _newest(subject: About | None, session: Session, query: Any) -> Select[Any]:
    """Public cases, those that changed last first; held ones wait for somebody to look."""
    query = query.where(
        Case.subdistrict_id == tenant_of(session),
        Case.category.in_(given_codes(Question())),
        Case.state != "rejected",
        Case.held.is_(False),
    )
    if subject is not None and subject.segments is not None:
        query = query.where(Case.segment_id.in_(subject.segments))
    return query.order_by(Case.updated_at.desc(), Case.id.desc())
