"""Reads of roads and storefronts for their own pages: lists by page, neighbours, history."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.lib.text import clean, natural_key
from roadchief.streets import catalog, permits
from roadchief.streets.models import Road, RoadSegment, Storefront

NEIGHBOURS_M = 60.0
FEATURES = 600  # of one kind behind a drawing map

ROADS = """
SELECT r.id, r.name, r.name_en, r.kind, r.closed_at, coalesce(s.segments, 0) AS segments,
  coalesce(s.length_m, 0) AS length_m, coalesce(s.key_road, false) AS key_road
FROM road r LEFT JOIN (
  SELECT road_id, count(*) AS segments, sum(length_m) AS length_m, bool_or(key_road) AS key_road
  FROM road_segment WHERE subdistrict_id = :here AND closed_at IS NULL GROUP BY road_id
) s ON s.road_id = r.id
WHERE r.subdistrict_id = :here AND (r.closed_at IS NOT NULL) = :closed
  AND (:asked = '' OR r.name ILIKE :pattern OR r.name_en ILIKE :pattern OR r.initials = :asked)
ORDER BY coalesce(s.key_road, false) DESC, r.name, r.id
"""
# What happened to a storefront, and what it came from or became.
STOREFRONT_HISTORY = """
SELECT e.at, e.name AS kind, NULL::uuid AS id, n.name AS title, e.data->>'because' AS because
FROM event e LEFT JOIN person n ON n.subdistrict_id = e.subdistrict_id AND n.id = e.by
WHERE e.subdistrict_id = :here AND e.subject_id = :id
UNION ALL
SELECT x.at, 'before', f.id, f.address, x.because FROM storefront_succession x
JOIN storefront f ON f.subdistrict_id = x.subdistrict_id AND f.id = x.before_id
WHERE x.subdistrict_id = :here AND x.after_id = :id
UNION ALL
SELECT x.at, 'after', f.id, f.address, x.because FROM storefront_succession x
JOIN storefront f ON f.subdistrict_id = x.subdistrict_id AND f.id = x.after_id
WHERE x.subdistrict_id = :here AND x.before_id = :id
ORDER BY 1 DESC LIMIT 60
"""
# Permit areas at a storefront: its own, or one that meets its zone or lies before its door.
PERMITS_AT = """
SELECT p.id, p.name, p.kind, p.windows, p.valid_from, p.valid_to, p.trade FROM permit_area p
WHERE p.subdistrict_id = :here AND p.closed_at IS NULL AND p.storefront_id = :id
UNION
SELECT p.id, p.name, p.kind, p.windows, p.valid_from, p.valid_to, p.trade
FROM storefront f JOIN permit_area p ON p.subdistrict_id = f.subdistrict_id
  AND p.area && ST_Expand(coalesce(f.duty_zone, f.door), 0.0001)
  AND ST_DWithin(p.area, coalesce(f.duty_zone, f.door), 0.00005)
WHERE f.subdistrict_id = :here AND f.id = :id AND p.closed_at IS NULL
ORDER BY 2
"""
PERMITS_ALONG = """
SELECT p.id, p.name, p.kind, p.windows, p.valid_from, p.valid_to, p.trade
FROM road_segment s JOIN permit_area p ON p.subdistrict_id = s.subdistrict_id
  AND p.area && ST_Expand(s.line, 0.0003) AND ST_DWithin(p.area, s.line, 0.0003)
WHERE s.subdistrict_id = :here AND s.id = :id AND p.closed_at IS NULL ORDER BY p.name LIMIT 50
"""
STATIONS_ALONG = """
SELECT p.id, p.name, p.kind, p.hours, p.phone
FROM road_segment s JOIN station p ON p.subdistrict_id = s.subdistrict_id
  AND p.place && ST_Expand(s.line, 0.0006) AND ST_DWithin(p.place, s.line, 0.0006)
WHERE s.subdistrict_id = :here AND s.id = :id AND p.closed_at IS NULL ORDER BY p.name LIMIT 50
"""
BOX = "ST_MakeEnvelope(:west, :south, :east, :north, 4326)"
# What is drawn behind a drawing: (kind, name, GeoJSON). Doors and zones only from near.
WIDEST_DEG = 0.012
AROUND = f"""
(SELECT 'segment' AS kind, s.name, ST_AsGeoJSON(s.line, 7)::json AS shape FROM road_segment s
WHERE s.subdistrict_id = :here AND s.closed_at IS NULL AND s.line && {BOX} LIMIT :most)
"""
AROUND_NEAR = f"""{AROUND}
UNION ALL
(SELECT 'door', concat_ws(' ', f.house_number, f.name), ST_AsGeoJSON(f.door, 7)::json
FROM storefront f
WHERE f.subdistrict_id = :here AND f.closed_at IS NULL AND f.door && {BOX} LIMIT :most)
UNION ALL
(SELECT 'front', f.house_number, ST_AsGeoJSON(f.frontage, 7)::json FROM storefront f
WHERE f.subdistrict_id = :here AND f.closed_at IS NULL AND f.door && {BOX}
AND f.frontage IS NOT NULL LIMIT :most)
UNION ALL
(SELECT 'zone', f.house_number, ST_AsGeoJSON(f.duty_zone, 7)::json FROM storefront f
WHERE f.subdistrict_id = :here AND f.closed_at IS NULL AND f.duty_zone && {BOX} LIMIT :most)
UNION ALL
(SELECT 'permit', p.name, ST_AsGeoJSON(p.area, 7)::json FROM permit_area p
WHERE p.subdistrict_id = :here AND p.closed_at IS NULL AND p.area && {BOX} LIMIT :most)
"""


def roads(
    session: Session, *, asked: str, closed: bool, number: int, size: int
) -> tuple[list[Row[Any]], int]:
    """Roads by name, key roads first: (id, name, segments, length_m, …) and how many in all."""
    wanted = clean(asked).lower()[:60]
    escaped = wanted.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    values = {
        "here": tenant_of(session),
        "asked": wanted,
        "pattern": f"%{escaped}%",
        "closed": closed,
    }
    total = session.scalar(text(f"SELECT count(*) FROM ({ROADS}) x"), values) or 0
    page = {"size": size, "skip": (number - 1) * size}
    rows = session.execute(text(ROADS + " LIMIT :size OFFSET :skip"), values | page)
    return list(rows), total


def gaps_by_road(session: Session, *, at: datetime) -> dict[uuid.UUID, int]:
    """How many segments of a road nobody answers for; roads without gaps are not in it."""
    states = catalog.segment_states(session, at=at)
    gaps = [key for key, state in states.items() if state == "gap"]
    rows = session.execute(
        select(RoadSegment.road_id, func.count())
        .where(RoadSegment.subdistrict_id == tenant_of(session), RoadSegment.id.in_(gaps))
        .group_by(RoadSegment.road_id)
    )
    return {row[0]: row[1] for row in rows}


def segments_by_name(
    session: Session, keys: list[uuid.UUID], *, number: int, size: int
) -> list[RoadSegment]:
    """One page of these segments, key roads first."""
    wanted = select(RoadSegment).where(
        RoadSegment.subdistrict_id == tenant_of(session), RoadSegment.id.in_(keys)
    )
    order = (RoadSegment.key_road.desc(), RoadSegment.name, RoadSegment.id)
    page = wanted.order_by(*order).limit(size).offset((number - 1) * size)
    return list(session.scalars(page))


def segments_within(
    session: Session, column: str, place_id: uuid.UUID, *, most: int = 300
) -> list[RoadSegment]:
    """Open segments of a block (`block_id`) or grid (`grid_id`)."""
    wanted = select(RoadSegment).where(RoadSegment.subdistrict_id == tenant_of(session))
    inside = wanted.where(getattr(RoadSegment, column) == place_id, RoadSegment.closed_at.is_(None))
    return list(session.scalars(inside.order_by(RoadSegment.name).limit(most)))


def storefront_by_number(session: Session, human_number: str) -> uuid.UUID | None:
    """An open storefront by the number on its plate."""
    return session.scalar(
        select(Storefront.id)
        .where(Storefront.subdistrict_id == tenant_of(session), Storefront.closed_at.is_(None))
        .where(Storefront.human_number == human_number.upper())
    )


def number_of(session: Session, storefront_id: uuid.UUID) -> str | None:
    return session.scalar(
        select(Storefront.human_number).where(
            Storefront.subdistrict_id == tenant_of(session), Storefront.id == storefront_id
        )
    )


def storefront_count(session: Session) -> int:
    """Open ones."""
    wanted = select(func.count()).select_from(Storefront)
    here = Storefront.subdistrict_id == tenant_of(session)
    return session.scalar(wanted.where(here, Storefront.closed_at.is_(None))) or 0


def segments_of(session: Session, road_id: uuid.UUID) -> list[tuple[RoadSegment, int]]:
    """Open segments of a road in order, with their open storefronts."""
    rows = session.scalars(
        select(RoadSegment)
        .where(RoadSegment.subdistrict_id == tenant_of(session), RoadSegment.closed_at.is_(None))
        .where(RoadSegment.road_id == road_id)
        .order_by(RoadSegment.seq, RoadSegment.id)
    ).all()
    counted = session.execute(
        select(Storefront.segment_id, func.count())
        .where(Storefront.subdistrict_id == tenant_of(session), Storefront.closed_at.is_(None))
        .where(Storefront.segment_id.in_([row.id for row in rows]))
        .group_by(Storefront.segment_id)
    )
    shops = {row[0]: row[1] for row in counted}
    return [(row, shops.get(row.id, 0)) for row in rows]


def open_roads(session: Session) -> list[Row[Any]]:
    """(id, name) of all open roads, for a choice."""
    wanted = select(Road.id, Road.name).where(Road.subdistrict_id == tenant_of(session))
    return list(session.execute(wanted.where(Road.closed_at.is_(None)).order_by(Road.name)))


def storefronts(
    session: Session, *, asked: str, state: str, number: int, size: int
) -> tuple[list[Storefront], int]:
    """By human number; `state` is open, vacant, unplaced or closed. A search ignores the state."""
    if clean(asked):
        ids = [hit.id for hit in catalog.search(session, asked) if hit.kind == "storefront"]
        found = session.scalars(
            select(Storefront)
            .where(Storefront.subdistrict_id == tenant_of(session), Storefront.id.in_(ids))
            .order_by(Storefront.address)
        )
        rows = sorted(found, key=lambda row: natural_key(row.address))
        return rows, len(rows)
    wanted = select(Storefront).where(Storefront.subdistrict_id == tenant_of(session))
    if state == "closed":
        wanted = wanted.where(Storefront.closed_at.is_not(None))
    else:
        wanted = wanted.where(Storefront.closed_at.is_(None))
    if state == "vacant":
        wanted = wanted.where(Storefront.name.is_(None))
    if state == "unplaced":
        wanted = wanted.where(Storefront.segment_id.is_(None))
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    page = wanted.order_by(Storefront.human_number).limit(size).offset((number - 1) * size)
    return list(session.scalars(page)), total


def neighbours(session: Session, shop: Storefront) -> list[Storefront]:
    """Open storefronts on the same side within some steps, in walking order."""
    if shop.segment_id is None or shop.measure_m is None:
        return []
    near = (shop.measure_m - NEIGHBOURS_M, shop.measure_m + NEIGHBOURS_M)
    rows = session.scalars(
        select(Storefront)
        .where(Storefront.subdistrict_id == tenant_of(session), Storefront.closed_at.is_(None))
        .where(Storefront.segment_id == shop.segment_id, Storefront.side == shop.side)
        .where(Storefront.measure_m.between(*near), Storefront.id != shop.id)
        .order_by(Storefront.measure_m)
        .limit(60)
    )
    return list(rows)


def storefront_history(session: Session, storefront_id: uuid.UUID) -> list[Row[Any]]:
    """(at, kind, id, title, because): events by whom, and storefronts before and after."""
    values = {"here": tenant_of(session), "id": storefront_id}
    return list(session.execute(text(STOREFRONT_HISTORY), values))


def permits_at(
    session: Session, storefront_id: uuid.UUID, local: datetime
) -> list[tuple[Row[Any], permits.PermitVerdict]]:
    """Permit areas at a storefront, and whether trade there is lawful at this local time."""
    return _judged(session, PERMITS_AT, storefront_id, local)


def permits_along(
    session: Session, segment_id: uuid.UUID, local: datetime
) -> list[tuple[Row[Any], permits.PermitVerdict]]:
    return _judged(session, PERMITS_ALONG, segment_id, local)


def stations_along(session: Session, segment_id: uuid.UUID) -> list[Row[Any]]:
    values = {"here": tenant_of(session), "id": segment_id}
    return list(session.execute(text(STATIONS_ALONG), values))


def around(session: Session, bounds: tuple[float, float, float, float]) -> list[Row[Any]]:
    """What lies in a box, for the background of a drawing: (kind, name, shape)."""
    west, south, east, north = bounds
    values = {"west": west, "south": south, "east": east, "north": north}
    here = {"here": tenant_of(session), "most": FEATURES}
    near = east - west <= WIDEST_DEG and north - south <= WIDEST_DEG
    return list(session.execute(text(AROUND_NEAR if near else AROUND), values | here))


def _judged(
    session: Session, question: str, key: uuid.UUID, local: datetime
) -> list[tuple[Row[Any], permits.PermitVerdict]]:
    rows = session.execute(text(question), {"here": tenant_of(session), "id": key})
    return [(row, permits.judge(row.windows, row.valid_from, row.valid_to, local)) for row in rows]
