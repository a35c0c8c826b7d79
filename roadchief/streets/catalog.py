"""Reads of the ground: one function a page. Every query names the sub-district."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.errors import NotFound
from roadchief.lib.text import clean, natural_key, pieces
from roadchief.streets.charge import STATES as STATES
from roadchief.streets.charge import charge as charge
from roadchief.streets.charge import posts_that_may_answer as posts_that_may_answer
from roadchief.streets.charge import segment_states as segment_states
from roadchief.streets.models import (
    Organisation,
    Road,
    RoadSegment,
    Station,
    Storefront,
    Subdistrict,
    Tenancy,
)

SEARCH_LIMIT = 30
SEARCH_NUMBERS = 300  # house numbers that are put in order before the first are shown


@dataclass(frozen=True)
class Place:
    """A sub-district in numbers, for the start page."""

    id: int
    name: str
    segments: int
    storefronts: int
    gaps: int


@dataclass(frozen=True)
class Found:
    """One hit of a search: where it is, and what to show."""

    kind: str
    id: uuid.UUID
    title: str
    place: str
    lon: float
    lat: float


def subdistricts(session: Session) -> list[Subdistrict]:
    """Those with streets of their own are told apart by their border: load districts have none."""
    wanted = select(Subdistrict).where(Subdistrict.area.is_not(None)).order_by(Subdistrict.id)
    return list(session.scalars(wanted))


def place(session: Session, subdistrict: Subdistrict, *, at: datetime) -> Place:
    """Numbers of the sub-district that this transaction is open for."""
    shops = session.scalar(
        select(func.count())
        .select_from(Storefront)
        .where(Storefront.subdistrict_id == subdistrict.id, Storefront.closed_at.is_(None))
    )
    states = segment_states(session, at=at)
    gaps = sum(1 for state in states.values() if state == "gap")
    return Place(subdistrict.id, subdistrict.name, len(states), shops or 0, gaps)


def segments(
    session: Session, *, number: int = 1, size: int = 10_000
) -> list[tuple[RoadSegment, str, int]]:
    """(segment, road name, open storefronts) of open segments, key roads first; one page."""
    found = session.execute(
        select(RoadSegment, Road.name)
        .join(Road, Road.id == RoadSegment.road_id)
        .where(RoadSegment.subdistrict_id == tenant_of(session))
        .where(Road.subdistrict_id == tenant_of(session), RoadSegment.closed_at.is_(None))
        .order_by(RoadSegment.key_road.desc(), Road.name, RoadSegment.seq, RoadSegment.id)
        .limit(size)
        .offset((number - 1) * size)
    ).all()
    counted = session.execute(
        select(Storefront.segment_id, func.count())
        .where(Storefront.subdistrict_id == tenant_of(session))
        .where(Storefront.segment_id.in_([row[0].id for row in found]))
        .where(Storefront.closed_at.is_(None))
        .group_by(Storefront.segment_id)
    )
    count = {row[0]: row[1] for row in counted}
    return [(segment, road, count.get(segment.id, 0)) for segment, road in found]


def extent(session: Session) -> tuple[float, float, float, float] | None:
    """West, south, east, north of the key roads, or of all roads: where a chief looks first."""
    row = session.execute(
        text(
            "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e) FROM (SELECT coalesce("
            "ST_Extent(line) FILTER (WHERE key_road), ST_Extent(line)) AS e FROM road_segment "
            "WHERE subdistrict_id = :here AND closed_at IS NULL) x WHERE e IS NOT NULL"
        ),
        {"here": tenant_of(session)},
    ).one_or_none()
    return (row[0], row[1], row[2], row[3]) if row else None


def segment(session: Session, segment_id: uuid.UUID) -> tuple[RoadSegment, Road]:
    """Open or closed: history stays readable."""
    row = session.execute(
        select(RoadSegment, Road)
        .join(Road, Road.id == RoadSegment.road_id)
        .where(RoadSegment.subdistrict_id == tenant_of(session), RoadSegment.id == segment_id)
        .where(Road.subdistrict_id == tenant_of(session))
    ).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1]


def walk(session: Session, segment_id: uuid.UUID) -> dict[str, list[Storefront]]:
    """Storefronts left and right in walking order; one measure sorts by house number."""
    rows = session.scalars(
        select(Storefront)
        .where(Storefront.subdistrict_id == tenant_of(session))
        .where(Storefront.segment_id == segment_id, Storefront.closed_at.is_(None))
        .order_by(Storefront.measure_m)
        .limit(2000)
    )
    sides: dict[str, list[Storefront]] = {"left": [], "right": []}
    for row in rows:
        sides[row.side or "left"].append(row)
    for side in sides.values():
        side.sort(key=lambda row: (round(row.measure_m or 0, 1), natural_key(row.house_number)))
    return sides


def history(session: Session, segment_id: uuid.UUID) -> list[Row[Any]]:
    """What came before and after, and whoever answered for it: (at, kind, text)."""
    return list(
        session.execute(
            text(
                "SELECT x.at, 'before' AS kind, s.id, s.name, x.because FROM segment_succession x "
                "JOIN road_segment s ON s.subdistrict_id = x.subdistrict_id AND s.id = x.before_id "
                "WHERE x.subdistrict_id = :here AND x.after_id = :id UNION ALL "
                "SELECT x.at, 'after', s.id, s.name, x.because FROM segment_succession x "
                "JOIN road_segment s ON s.subdistrict_id = x.subdistrict_id AND s.id = x.after_id "
                "WHERE x.subdistrict_id = :here AND x.before_id = :id UNION ALL "
                "SELECT a.ends_at, 'relieved', a.id, n.name, a.ended_because FROM assignment a "
                "JOIN post p ON p.subdistrict_id = a.subdistrict_id AND p.id = a.post_id "
                "JOIN person n ON n.subdistrict_id = p.subdistrict_id AND n.id = p.person_id "
                "WHERE a.subdistrict_id = :here AND a.segment_id = :id AND a.ends_at IS NOT NULL "
                "ORDER BY 1 DESC LIMIT 50"
            ),
            {"here": tenant_of(session), "id": segment_id},
        )
    )


def tenancies(session: Session, storefront_id: uuid.UUID) -> list[Tenancy]:
    return list(
        session.scalars(
            select(Tenancy)
            .where(Tenancy.subdistrict_id == tenant_of(session))
            .where(Tenancy.storefront_id == storefront_id)
            .order_by(Tenancy.starts_on.desc())
        )
    )


def search(session: Session, wanted: str) -> list[Found]:
    """Roads, then storefronts, by name, house number, address or pinyin initials."""
    asked = clean(wanted).lower()[:60]
    if not asked:
        return []
    escaped = asked.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    # A gap between words may hold anything: 崂山路 527 finds 崂山路527号.
    pattern = f"%{escaped.replace(' ', '%')}%"
    here = tenant_of(session)
    roads = session.execute(
        text(
            "SELECT s.id, s.name, s.code, ST_X(ST_LineInterpolatePoint(s.line, 0.5)) AS lon, "
            "ST_Y(ST_LineInterpolatePoint(s.line, 0.5)) AS lat FROM road_segment s "
            "JOIN road r ON r.subdistrict_id = s.subdistrict_id AND r.id = s.road_id "
            "WHERE s.subdistrict_id = :here AND s.closed_at IS NULL AND "
            "(r.name ILIKE :p OR r.name_en ILIKE :p OR r.initials = :asked OR s.code ILIKE :p) "
            "ORDER BY r.name, s.seq LIMIT 10"
        ),
        {"here": here, "p": pattern, "asked": asked},
    )
    hits = [Found("segment", row.id, row.name, row.code, row.lon, row.lat) for row in roads]
    return hits + _shops(session, asked, pattern)


def _shops(session: Session, asked: str, pattern: str) -> list[Found]:
    """Storefronts by their names; where a number is asked, that number first and then in order."""
    numbered = any(sign.isdigit() for sign in asked)
    found: dict[uuid.UUID, Row[Any]] = {}
    if asked[-1].isdigit():  # 崂山路5 is first of all 崂山路5号, and then 崂山路50号
        found |= _shops_like(session, asked + "号", pattern[:-1] + "号%", most=SEARCH_LIMIT)
    first = len(found)
    found |= _shops_like(session, asked, pattern, most=SEARCH_NUMBERS if numbered else SEARCH_LIMIT)
    rows = list(found.values())
    if numbered:
        rows[first:] = sorted(rows[first:], key=lambda row: natural_key(row.address))
    return [
        Found("storefront", row.id, row.name or "", row.address, row.lon, row.lat)
        for row in rows[:SEARCH_LIMIT]
    ]


def _shops_like(
    session: Session, asked: str, pattern: str, *, most: int
) -> dict[uuid.UUID, Row[Any]]:
    parts = pieces(asked)
    if not parts:
        return {}
    rows = session.execute(
        text(
            "SELECT f.id, f.name, f.address, ST_X(f.door) AS lon, ST_Y(f.door) AS lat "
            "FROM storefront f JOIN search_storefronts(:here, :parts, :p, :most) AS hit(id) "
            "ON hit.id = f.id WHERE f.subdistrict_id = :here ORDER BY f.name, f.address"
        ),
        {"here": tenant_of(session), "parts": parts, "p": pattern, "most": most},
    )
    return {row.id: row for row in rows}


def stations(session: Session) -> list[Station]:
    return list(
        session.scalars(
            select(Station)
            .where(Station.subdistrict_id == tenant_of(session), Station.closed_at.is_(None))
            .order_by(Station.name)
        )
    )


def organisations(session: Session) -> list[Organisation]:
    wanted = select(Organisation).where(
        Organisation.subdistrict_id == tenant_of(session), Organisation.closed_at.is_(None)
    )
    return list(session.scalars(wanted.order_by(Organisation.kind, Organisation.name)))
