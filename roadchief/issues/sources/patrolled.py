"""A patrol's finding becomes a case, in the transaction of the patrol."""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.issues import cases, moves, opening, spots
from roadchief.issues.cases import SYSTEM, Who
from roadchief.issues.models import Case
from roadchief.issues.sources import promises
from roadchief.streets.models import RoadSegment

# A finding seen by staff needs no verifying on the spot first (domain.md §6.2).


def take_finding(
    session: Session,
    *,
    storefront_id: uuid.UUID | None,
    segment_id: uuid.UUID | None,
    item: str,
    by: uuid.UUID,
    at: datetime,
    note: str | None,
    photos: list[str],
    source_id: uuid.UUID,
) -> None:
    """What the patrol calls with each finding; photos are named by the hash of what was sent.

    Those that the phone has not sent yet join the case when they come.
    """
    kept = promises.here_already(session, photos)
    middle = None
    if storefront_id is None and segment_id is not None:
        line = session.get_one(RoadSegment, (tenant_of(session), segment_id)).line
        point = line.interpolate(0.5, normalized=True)
        middle = (point.x, point.y)
    case = raise_from_patrol(
        session,
        storefront_id=storefront_id,
        item=item,
        by=by,
        at=at,
        note=note or "",
        photo_ids=[blob.id for blob in kept.values()],
        source_id=source_id,
        place=middle,
    )
    if case is not None:
        # As those that came in time: of the report itself, or of what was seen again.
        part = "staff" if case.source_ref == f"{source_id}:{item}" else moves.PATROL
        promises.expect(session, case.id, set(photos) - set(kept), part=part, at=at)


def raise_from_patrol(
    session: Session,
    *,
    storefront_id: uuid.UUID | None,
    item: str,
    by: uuid.UUID | None,
    at: datetime,
    note: str = "",
    photo_ids: tuple[uuid.UUID, ...] | list[uuid.UUID] = (),
    source_id: uuid.UUID,
    place: tuple[float, float] | None = None,
) -> Case | None:
    """One case for each finding, however often it is sent; an open one of the class takes it in.

    Returns the case that has the finding, or None where there is no place to put it.
    """
    known = session.scalar(
        select(Case).where(
            Case.subdistrict_id == tenant_of(session),
            Case.source == "patrol",
            Case.source_ref == f"{source_id}:{item}",
        )
    )
    if known:
        return known
    photos = tuple(photo_ids)
    if storefront_id is not None:
        spot = spots.of_storefront(session, storefront_id, at=at)
        running = _running(session, storefront_id, item)
        if running:
            return _seen_again(session, running, by=by, at=at, note=note, photos=photos)
    elif place is not None:
        spot = spots.of_point(session, lon=place[0], lat=place[1], at=at)
    else:
        return None
    case = cases.report(
        session,
        category=item,
        words=note,
        spot=spot,
        source="patrol",
        source_ref=f"{source_id}:{item}",
        by=by,
        at=at,
        photo_ids=photos,
    )
    if case.permit is None or item not in {"ZX01", "ZX03"}:
        opening.open_case(session, case, who=SYSTEM, at=at)
    return case


def _running(session: Session, storefront_id: uuid.UUID, item: str) -> uuid.UUID | None:
    return session.scalar(
        select(Case.id)
        .where(Case.subdistrict_id == tenant_of(session), Case.storefront_id == storefront_id)
        .where(Case.category == item, Case.ended_at.is_(None))
        .order_by(Case.reported_at)
        .limit(1)
    )


def _seen_again(
    session: Session,
    case_id: uuid.UUID,
    *,
    by: uuid.UUID | None,
    at: datetime,
    note: str,
    photos: tuple[uuid.UUID, ...],
) -> Case:
    """The same trouble, still there: added to the running case, not a second one."""
    case = cases.locked(session, case_id)
    who = Who(moves.PATROL, by)
    cases.add_step(session, case, "seen_again", case.state, who, at=at, words=note or None)
    cases.add_photos(session, case, photos, part=moves.PATROL, at=at)
    case.updated_at = at
    return case
