"""Doors to be: the parts of one storefront, the whole of several, one by its house number."""

import uuid
from collections.abc import Sequence
from datetime import datetime

import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.errors import Conflict, RuleBroken
from roadchief.lib.geo import Plane, length_m
from roadchief.streets import fronts, human_numbers, storefronts, zones
from roadchief.streets.models import RoadSegment, Storefront
from roadchief.streets.storefronts import Door, Ground

LONGEST_M = 200.0  # of a front


class NotSideBySide(RuleBroken):
    zh = "要合并的铺位须在同一路段同一侧"
    en = "storefronts to be merged lie on the same side of the same segment"


class BadFront(RuleBroken):
    zh = "门面线不合理：{reason_zh}"
    en = "this front cannot be right: {reason_en}"


class DoorThere(Conflict):
    zh = "此处已登记“{address}”"
    en = "{address} is entered at this very place already"


def open_one(session: Session, door: Door, *, by: uuid.UUID | None, at: datetime) -> Storefront:
    """Enter one door; the same address at the same point stands there once."""
    human_numbers.take_turn(session)
    same = select(Storefront.id).where(
        Storefront.subdistrict_id == tenant_of(session),
        Storefront.closed_at.is_(None),
        Storefront.address == door.address,
        Storefront.door.op("&&")(
            func.ST_SetSRID(func.ST_MakePoint(door.place.x, door.place.y), 4326)
        ),
    )
    if session.scalar(same.limit(1)):
        raise DoorThere(address=door.address)
    (row,) = storefronts.open_storefronts(
        session, [door], storefronts.ground(session), by=by, at=at
    )
    return row


def parts(storefront: Storefront, ground: Ground, house_numbers: Sequence[str]) -> list[Door]:
    """Doors side by side along the front of one storefront, one for each house number."""
    front = storefront.frontage or usual_front(storefront, ground)
    road = storefront.address.removesuffix(storefront.house_number)
    return [
        Door(
            place=piece.interpolate(0.5, normalized=True),
            house_number=number,
            address=f"{road}{number}",
            frontage=piece,
            business_type=storefront.business_type,
            datum=storefront.source_datum,
            accuracy_m=storefront.accuracy_m,
        )
        for number, piece in zip(
            house_numbers, fronts.divided(front, len(house_numbers)), strict=True
        )
    ]


def whole(rows: Sequence[Storefront], ground: Ground, house_number: str) -> Door:
    """One door for storefronts side by side: the front from end to end, the first one's place."""
    if len({(row.segment_id, row.side) for row in rows}) > 1:
        raise NotSideBySide
    first = rows[0]
    known = [row.frontage or usual_front(row, ground) for row in rows]
    front = fronts.joined(known)
    if length_m(front) > LONGEST_M:
        raise BadFront(
            reason_zh=f"合并后门面长 {length_m(front):.0f} 米，铺位不相邻",
            reason_en=f"the merged front would be {length_m(front):.0f} m long: not neighbours",
        )
    road = first.address.removesuffix(first.house_number)
    return Door(
        place=front.interpolate(0.5, normalized=True),
        house_number=house_number,
        address=f"{road}{house_number}",
        frontage=front,
        business_type=first.business_type,
        datum=first.source_datum,
        accuracy_m=max((row.accuracy_m for row in rows if row.accuracy_m), default=None),
    )


def usual_front(
    storefront: Storefront, ground: Ground, width_m: float = fronts.USUAL_WIDTH_M
) -> shapely.LineString:
    line = next((row.line for row in ground.segments if row.id == storefront.segment_id), None)
    if line is None:
        raise BadFront(
            reason_zh="铺位不在路段上，又没有门面线，请先画门面",
            reason_en="on no segment and without a front: draw its front first",
        )
    return zones.frontage(storefront.door, line, width_m)


def guess(
    session: Session, segment: RoadSegment, house_number: str, *, side: str | None
) -> fronts.Guess | None:
    """Where a door of this number should be on a segment, out of the doors that are known."""
    rows = session.execute(
        select(Storefront.house_number, Storefront.side, Storefront.measure_m, Storefront.door)
        .where(Storefront.subdistrict_id == tenant_of(session))
        .where(Storefront.segment_id == segment.id, Storefront.closed_at.is_(None))
    )
    plane = Plane.around(segment.line)
    street = plane.flat(segment.line)
    known = [
        fronts.Neighbour(row[0], row[1], row[2], float(street.distance(plane.flat(row[3]))))
        for row in rows
    ]
    return fronts.guess_by_number(house_number, segment.line, segment.kerb_m, known, side=side)
