"""Where a case is: from a storefront or a point to zone, segment, grid and permits. Reads."""

import math
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.errors import NotFound
from roadchief.issues.refusals import OutsideHere, bad
from roadchief.issues.routing import Permit
from roadchief.lib import clock, coords
from roadchief.streets import permits

# A point up to so far from a street still belongs to it; farther off it has a grid at most.
STREET_M = 80.0
# Some degrees around a point that surely hold STREET_M, for the index.
BOX_DEG = 0.0011


@dataclass(frozen=True)
class Spot:
    """A place with everything that routing and duplicates ask of it."""

    lon: float | None
    lat: float | None
    address: str
    accuracy_m: float | None = None
    datum: str = "wgs84"
    storefront_id: uuid.UUID | None = None
    tenancy_id: uuid.UUID | None = None
    sign_name: str | None = None
    segment_id: uuid.UUID | None = None
    grid_id: uuid.UUID | None = None
    permits: tuple[Permit, ...] = ()

    @property
    def point(self) -> shapely.Point | None:
        if self.lon is None or self.lat is None:
            return None
        return shapely.Point(self.lon, self.lat)


OF_STOREFRONT = text(
    """
SELECT f.id AS storefront_id, f.address, ST_X(f.door) AS lon, ST_Y(f.door) AS lat, f.segment_id,
  t.id AS tenancy_id, coalesce(t.sign_name, f.name) AS sign_name,
  (SELECT g.id FROM grid g WHERE g.subdistrict_id = :here AND g.closed_at IS NULL
   AND g.area && f.door
   AND ST_Covers(g.area, f.door) LIMIT 1) AS grid_id,
  (SELECT json_agg(json_build_object('name', p.name, 'windows', p.windows,
     'from', p.valid_from, 'to', p.valid_to)) FROM permit_area p
   WHERE p.subdistrict_id = :here AND p.closed_at IS NULL AND (p.storefront_id = f.id
     OR (p.area && coalesce(f.duty_zone, f.door)
         AND ST_Intersects(p.area, coalesce(f.duty_zone, f.door))))) AS permits
FROM storefront f
LEFT JOIN tenancy t ON t.subdistrict_id = :here AND t.storefront_id = f.id AND t.ends_on IS NULL
WHERE f.subdistrict_id = :here AND f.id = :id
"""
)
# The duty zone that holds the point, else the nearest street within reach; the grid in any case.
OF_POINT = text(
    """
WITH p AS (SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) AS g)
SELECT d.area IS NULL OR ST_Covers(d.area, p.g) AS inside,
  f.id AS storefront_id, f.address AS shop, t.id AS tenancy_id,
  coalesce(t.sign_name, f.name) AS sign_name,
  coalesce(f.segment_id, s.id) AS segment_id, s.name AS segment,
  (SELECT g.id FROM grid g WHERE g.subdistrict_id = :here AND g.closed_at IS NULL AND g.area && p.g
   AND ST_Covers(g.area, p.g) LIMIT 1) AS grid_id,
  (SELECT json_agg(json_build_object('name', a.name, 'windows', a.windows,
     'from', a.valid_from, 'to', a.valid_to)) FROM permit_area a
   WHERE a.subdistrict_id = :here AND a.closed_at IS NULL
   AND a.area && p.g AND ST_Covers(a.area, p.g)) AS permits
FROM p JOIN subdistrict d ON d.id = :here
LEFT JOIN LATERAL (
  SELECT x.id, x.address, x.name, x.segment_id FROM storefront x
  WHERE x.subdistrict_id = :here AND x.closed_at IS NULL
    AND x.duty_zone && p.g AND ST_Covers(x.duty_zone, p.g)
  ORDER BY ST_Distance(x.door, p.g) LIMIT 1) f ON true
LEFT JOIN LATERAL (
  SELECT y.id, y.name FROM road_segment y
  WHERE y.subdistrict_id = :here AND y.closed_at IS NULL
    AND y.line && ST_Expand(p.g, :box)
    AND ST_DWithin(CAST(y.line AS geography), CAST(p.g AS geography), :reach)
  ORDER BY ST_Distance(CAST(y.line AS geography), CAST(p.g AS geography)) LIMIT 1) s ON true
LEFT JOIN tenancy t ON t.subdistrict_id = :here AND t.storefront_id = f.id AND t.ends_on IS NULL
"""
)


def of_storefront(session: Session, storefront_id: uuid.UUID, *, at: datetime) -> Spot:
    """The storefront's door; NotFound out of reach."""
    values = {"here": tenant_of(session), "id": storefront_id}
    row = session.execute(OF_STOREFRONT, values).mappings().first()
    if row is None:
        raise NotFound
    return Spot(
        lon=row["lon"],
        lat=row["lat"],
        address=row["address"],
        accuracy_m=0.0,
        storefront_id=row["storefront_id"],
        tenancy_id=row["tenancy_id"],
        sign_name=row["sign_name"],
        segment_id=row["segment_id"],
        grid_id=row["grid_id"],
        permits=_judged(row["permits"], at),
    )


def of_point(
    session: Session,
    *,
    lon: float,
    lat: float,
    at: datetime,
    accuracy_m: float | None = None,
    datum: str = "wgs84",
    said: str = "",
) -> Spot:
    """A touch on the map or a phone's fix. `said` is an address in words, kept as it is."""
    lon, lat = _converted(lon, lat, datum)
    values = {
        "here": tenant_of(session),
        "lon": lon,
        "lat": lat,
        "box": BOX_DEG,
        "reach": STREET_M,
    }
    row = session.execute(OF_POINT, values).mappings().first()
    if row is None or not row["inside"]:
        raise OutsideHere
    return Spot(
        lon=lon,
        lat=lat,
        address=said or row["shop"] or row["segment"] or "",
        accuracy_m=accuracy_m,
        datum=datum,
        storefront_id=row["storefront_id"],
        tenancy_id=row["tenancy_id"],
        sign_name=row["sign_name"],
        segment_id=row["segment_id"],
        grid_id=row["grid_id"],
        permits=_judged(row["permits"], at),
    )


def nowhere(said: str) -> Spot:
    """A place told in words alone: it waits for a person to find it."""
    return Spot(lon=None, lat=None, address=said)


def _converted(lon: float, lat: float, datum: str) -> tuple[float, float]:
    """Some web views answer in GCJ-02: converted once, here. NaN and the like are refused."""
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise bad("位置 place", "经纬度无效", "not a position")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise bad("位置 place", "经纬度超出范围", "longitude or latitude out of range")
    try:
        kind = coords.Datum(datum)
    except ValueError as error:
        raise bad("坐标系 datum", "未知", "unknown") from error
    east, north = coords.to_wgs84(lon, lat, kind)
    return round(float(east), 7), round(float(north), 7)


def _judged(rows: Any, at: datetime) -> tuple[Permit, ...]:
    found = []
    for row in rows or []:
        days = (clock_date(row["from"]), clock_date(row["to"]))
        verdict = permits.judge(row["windows"], *days, clock.local(at))
        found.append(Permit(row["name"], verdict.allowed, verdict.reason))
    return tuple(found)


def clock_date(text_: str) -> Any:
    return datetime.fromisoformat(text_).date()
