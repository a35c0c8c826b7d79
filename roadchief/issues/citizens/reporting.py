"""A citizen's report from form to case: place found, repeats known, alike cases offered."""

import uuid
from dataclasses import dataclass
from datetime import datetime

import shapely
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from roadchief.codes import scans
from roadchief.config import Settings
from roadchief.db import tenant_of
from roadchief.issues import cases, merging, placing, spots
from roadchief.issues.citizens import feedback
from roadchief.issues.citizens.feedback import Handed
from roadchief.issues.merging import Alike
from roadchief.issues.models import Case
from roadchief.issues.refusals import bad
from roadchief.issues.spots import Spot
from roadchief.streets.models import Subdistrict


@dataclass(frozen=True)
class Wish:
    """What a citizen sent, read and bounded."""

    id: uuid.UUID
    category: str
    words: str
    plate: str | None = None
    storefront_id: uuid.UUID | None = None
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None
    datum: str = "wgs84"
    said: str = ""
    contact: str | None = None
    photo_ids: tuple[uuid.UUID, ...] = ()
    language: str = "zh"  # in which the reporter will be written to
    network: str | None = None  # where it came from, for limits alone


def subdistrict_of(
    session: Session, *, plate: str | None, lon: float | None, lat: float | None, asked: str
) -> Subdistrict | None:
    """Plate, then position, then what the address asks for, then the only one there is."""
    if plate:
        where = scans.look_up(session, plate) or scans.look_up_number(session, plate)
        if where:
            return session.get(Subdistrict, where.subdistrict_id)
    if lon is not None and lat is not None and abs(lon) <= 180 and abs(lat) <= 90:
        found = session.scalar(
            select(Subdistrict)
            .where(Subdistrict.area.op("&&")(func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326)))
            .where(func.ST_Covers(Subdistrict.area, func.ST_SetSRID(func.ST_Point(lon, lat), 4326)))
            .limit(1)
        )
        if found:
            return found
    if len(asked) == 9 and asked.isascii() and asked.isdigit():
        return session.get(Subdistrict, int(asked))
    return session.scalar(
        select(Subdistrict).where(Subdistrict.area.is_not(None)).order_by(Subdistrict.id).limit(1)
    )


def spot_of(session: Session, wish: Wish, *, at: datetime) -> Spot:
    """The plate's place, a chosen storefront, the point, an address that we know, or words."""
    if wish.plate:
        seen = scans.resolve(session, wish.plate)
        if seen and seen.storefront_id:
            return spots.of_storefront(session, seen.storefront_id, at=at)
        if seen and seen.segment_id:
            return _on_segment(session, seen.segment_id, at=at)
    if wish.storefront_id:
        return spots.of_storefront(session, wish.storefront_id, at=at)
    if wish.lon is not None and wish.lat is not None:
        return spots.of_point(
            session,
            lon=wish.lon,
            lat=wish.lat,
            at=at,
            accuracy_m=wish.accuracy_m,
            datum=wish.datum,
            said=wish.said,
        )
    if not wish.said:
        raise bad("位置 place", "请点地图或写地址", "touch the map or write an address")
    return placing.by_words(session, wish.said, at=at)


def offered(session: Session, wish: Wish, spot: Spot, *, at: datetime) -> list[Alike]:
    """What somebody else may have reported already; public facts only."""
    return merging.alike(
        session,
        category=wish.category,
        place=spot.point,
        storefront_id=spot.storefront_id,
        words=wish.words,
        at=at,
        public=True,
    )


def send(
    session: Session, wish: Wish, spot: Spot, *, at: datetime, settings: Settings
) -> tuple[Case, Handed]:
    """The case and what the citizen takes home. The caller has looked for `wish.id` before."""
    case = cases.report(
        session,
        category=wish.category,
        words=wish.words,
        spot=spot,
        source="citizen",
        by=None,
        at=at,
        id=wish.id,
        photo_ids=wish.photo_ids,
    )
    handed = feedback.hand_receipt(
        session,
        case,
        kind="reporter",
        at=at,
        settings=settings,
        contact=wish.contact,
        language=wish.language,
        network=wish.network,
    )
    return case, handed


def _on_segment(session: Session, segment_id: uuid.UUID, *, at: datetime) -> Spot:
    row = session.execute(
        text(
            "SELECT ST_X(ST_LineInterpolatePoint(line, 0.5)) AS lon, name, "
            "ST_Y(ST_LineInterpolatePoint(line, 0.5)) AS lat FROM road_segment "
            "WHERE subdistrict_id = :here AND id = :id"
        ),
        {"here": tenant_of(session), "id": segment_id},
    ).one()
    return spots.of_point(session, lon=row.lon, lat=row.lat, at=at, said=row.name)


def snapped(session: Session, case_ids: list[uuid.UUID]) -> dict[uuid.UUID, shapely.Point]:
    """Where the public sees cases: the door, or the place on the street, never the phone's fix.

    Without either a grid of about ten metres.
    """
    if not case_ids:
        return {}
    rows = session.execute(SNAPPED, {"here": tenant_of(session), "ids": case_ids})
    return {row.id: shapely.Point(row.lon, row.lat) for row in rows}


SNAPPED = text(
    """
SELECT c.id, ST_X(p.g) AS lon, ST_Y(p.g) AS lat
FROM case_file c
LEFT JOIN storefront f ON f.subdistrict_id = c.subdistrict_id AND f.id = c.storefront_id
LEFT JOIN road_segment s ON s.subdistrict_id = c.subdistrict_id AND s.id = c.segment_id
CROSS JOIN LATERAL (SELECT coalesce(f.door, ST_ClosestPoint(s.line, c.place),
  ST_SnapToGrid(c.place, 0.0001)) AS g) p
WHERE c.subdistrict_id = :here AND c.id = ANY(:ids) AND c.place IS NOT NULL
"""
)
