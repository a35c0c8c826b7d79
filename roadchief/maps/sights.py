"""Reads: what stands beside a street, apart from shops."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from roadchief.accounts.access import CHIEFS, ON_SEGMENT
from roadchief.db import tenant_of
from roadchief.errors import NotFound
from roadchief.lib import clock
from roadchief.streets.models import PermitArea, RoadSegment, Station

BESIDE_M = 10.0  # beyond the kerb: the width of a pavement
DEGREE_M = 60_000  # a degree is nowhere shorter in China


def in_public(charge: Iterable[Any]) -> list[Any]:
    """Those who answer for a street by name; who walks it as their work is not made public."""
    return [row for row in charge if row.role in CHIEFS | ON_SEGMENT]


def station(session: Session, station_id: uuid.UUID) -> Station:
    row = session.get(Station, (tenant_of(session), station_id))
    if row is None or row.closed_at is not None:
        raise NotFound
    return row


def permit(session: Session, permit_id: uuid.UUID) -> PermitArea:
    row = session.get(PermitArea, (tenant_of(session), permit_id))
    if row is None or row.closed_at is not None:
        raise NotFound
    return row


def permits_beside(session: Session, segment: RoadSegment, *, at: datetime) -> list[PermitArea]:
    """Permit areas along a segment that are valid today or later, the next one to end first."""
    reach_m = segment.kerb_m + BESIDE_M
    line = func.ST_GeomFromText(segment.line.wkt, 4326)
    near = func.ST_Expand(line, reach_m / DEGREE_M)
    rows = session.scalars(
        select(PermitArea)
        .where(PermitArea.subdistrict_id == tenant_of(session))
        .where(PermitArea.area.op("&&")(near))
        .where(func.ST_DWithin(func.geography(PermitArea.area), func.geography(line), reach_m))
        .where(PermitArea.valid_to >= clock.local_date(at))
        .where(or_(PermitArea.closed_at.is_(None), PermitArea.closed_at > at))
        .order_by(PermitArea.valid_to, PermitArea.name)
        .limit(50)
    )
    return list(rows)
