"""What lies around a case, from our own tables: streets, houses, fronts. For a drawing."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.lib.geo import Plane
from roadchief.streets.models import BackgroundShape, Road, RoadSegment, Storefront

# Half the ground that a drawing of one case shows.
EAST_M, NORTH_M = 200.0, 62.0
MOST = 400
MOST_DETAIL_M = 250.0  # houses and doors on a larger drawing would be dust
DEGREE_M = 111_320.0


@dataclass(frozen=True)
class Street:
    """A piece of street in metres around the place; `wide_m` from kerb to kerb."""

    name: str
    line: Any
    wide_m: float


@dataclass(frozen=True)
class Surroundings:
    """Shapes in metres, east and north of the place."""

    streets: list[Street] = field(default_factory=list)
    grounds: list[tuple[str, Any]] = field(default_factory=list)  # building, green or water
    doors: list[tuple[str, Any]] = field(default_factory=list)  # house number, door
    zone: Any = None  # duty zone of the storefront that the case is about


def around(
    session: Session,
    place: shapely.Point,
    *,
    storefront_id: uuid.UUID | None = None,
    north_m: float = NORTH_M,
    east_m: float = EAST_M,
) -> Surroundings:
    """Four questions by index, each bounded; nothing is fetched from anywhere else."""
    here, plane = tenant_of(session), Plane(lon=place.x, lat=place.y)
    most = MOST if north_m <= MOST_DETAIL_M else 0
    north = north_m / DEGREE_M
    east = east_m / DEGREE_M * 1.35  # degrees of longitude are shorter: enough up to 42° north
    box = func.ST_MakeEnvelope(
        place.x - east, place.y - north, place.x + east, place.y + north, 4326
    )
    streets = session.execute(
        select(Road.name, RoadSegment.line, RoadSegment.kerb_m)
        .join(Road, (Road.subdistrict_id == here) & (Road.id == RoadSegment.road_id))
        .where(RoadSegment.subdistrict_id == here, RoadSegment.closed_at.is_(None))
        .where(RoadSegment.line.op("&&")(box))
        .limit(MOST * 5)
    )
    grounds = session.execute(
        select(BackgroundShape.kind, BackgroundShape.shape)
        .where(BackgroundShape.subdistrict_id == here, BackgroundShape.shape.op("&&")(box))
        .order_by(BackgroundShape.kind.desc())
        .limit(most)
    )
    doors = session.execute(
        select(Storefront.house_number, Storefront.door)
        .where(Storefront.subdistrict_id == here, Storefront.closed_at.is_(None))
        .where(Storefront.door.op("&&")(box))
        .limit(most)
    )
    zone = session.scalar(
        select(Storefront.duty_zone).where(
            Storefront.subdistrict_id == here, Storefront.id == storefront_id
        )
    )
    return Surroundings(
        [Street(name, plane.flat(line), 2 * kerb_m) for name, line, kerb_m in streets],
        [(kind, plane.flat(shape)) for kind, shape in grounds],
        [(number, plane.flat(door)) for number, door in doors],
        plane.flat(zone) if zone is not None else None,
    )
