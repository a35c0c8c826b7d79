"""A merchant asks for help with what the own self-check found: a case, straight to a unit.

Nobody is told first and no limit of the merchant's runs: whoever asks for help is not charged.
"""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.issues import cases, moves, opening, spots
from roadchief.issues.cases import SYSTEM, Who
from roadchief.issues.models import Case
from roadchief.issues.sources import promises

SOURCE = "merchant"


def take_wish(
    session: Session,
    *,
    finding_id: uuid.UUID,
    storefront_id: uuid.UUID,
    item: str,
    by: uuid.UUID,
    at: datetime,
    note: str | None,
    photos: list[str],
) -> tuple[uuid.UUID, str]:
    """The case and its number: one for each wish; an open one of the class takes it in."""
    known = session.execute(
        select(Case.id, Case.number).where(
            Case.subdistrict_id == tenant_of(session),
            Case.source == SOURCE,
            Case.source_ref == str(finding_id),
        )
    ).first()
    if known:
        return known.id, known.number
    here = promises.here_already(session, photos)
    kept, late = tuple(blob.id for blob in here.values()), set(photos) - set(here)
    running = _running(session, storefront_id, item)
    if running:
        row = cases.locked(session, running)
        who = Who(moves.MERCHANT, by)
        words = note or "商户自查时发现，请求协助"
        cases.add_step(session, row, "note", row.state, who, at=at, words=words)
        cases.add_photos(session, row, kept, part=moves.MERCHANT, at=at)
        promises.expect(session, row.id, late, part=moves.MERCHANT, at=at)
        return row.id, row.number
    case = cases.report(
        session,
        category=item,
        words=note or "",
        spot=spots.of_storefront(session, storefront_id, at=at),
        source=SOURCE,
        source_ref=str(finding_id),
        by=by,
        at=at,
        photo_ids=kept,
    )
    promises.expect(session, case.id, late, part=moves.MERCHANT, at=at)
    cases.move(session, case, "open", who=SYSTEM, at=at, words="商户自查发现并请求协助")
    route = opening.route_of(session, case)
    case.routed_by = route.rule
    if route.unit:
        opening.dispatch(session, case, who=SYSTEM, to=route.unit.id, at=at, words=route.zh)
    return case.id, case.number


def _running(session: Session, storefront_id: uuid.UUID, item: str) -> uuid.UUID | None:
    return session.scalar(
        select(Case.id)
        .where(Case.subdistrict_id == tenant_of(session), Case.storefront_id == storefront_id)
        .where(Case.category == item, Case.ended_at.is_(None))
        .order_by(Case.reported_at)
        .limit(1)
    )
