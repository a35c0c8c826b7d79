"""A storefront is altered: split, merged, moved, given another front. Verbs never commit.

Split and merged storefronts are closed; succession rows say what took their place.
"""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import shapely
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import new_id
from roadchief.errors import BadInput, RuleBroken
from roadchief.lib.geo import Plane, length_m
from roadchief.streets import duty_zones, fronts, human_numbers, new_doors, storefronts, tenancies
from roadchief.streets.models import Storefront, StorefrontSuccession
from roadchief.streets.new_doors import LONGEST_M
from roadchief.streets.storefronts import Door

FARTHEST_MOVE_M = 300.0  # a door farther away is another storefront
SHORTEST_FRONT_M = 0.5
FRONT_FROM_DOOR_M = 30.0

events.declare(
    {
        "streets.storefront_split": "a storefront became several",
        "streets.storefronts_merged": "several storefronts became one",
        "streets.storefront_moved": "a storefront's door was set to another place",
        "streets.storefront_refronted": "a storefront's front or side was changed",
        "streets.storefront_corrected": "a storefront's number, address or trade was corrected",
    }
)


class TooFarAway(RuleBroken):
    zh = "新位置距原门口 {distance_m:.0f} 米，超过 {limit_m:.0f} 米：请停用后另行登记"
    en = (
        "the new place is {distance_m:.0f} m from the door, more than {limit_m:.0f} m: close this "
        "storefront and enter another"
    )


def split_storefront(
    session: Session,
    storefront: Storefront,
    into: Sequence[Door],
    *,
    by: uuid.UUID | None,
    at: datetime,
    because: str,
) -> list[Storefront]:
    """Several storefronts in place of one; its tenancy ends, history stays."""
    if len(into) < 2:
        raise BadInput(field="铺位 storefronts", reason_zh="至少两间", reason_en="two or more")
    rows = _replace(session, [storefront], into, by=by, at=at, because=because)
    events.record(
        session,
        "streets.storefront_split",
        subject=storefront,
        by=by,
        at=at,
        because=because,
        into=[row.human_number for row in rows],
    )
    return rows


def merge_storefronts(
    session: Session,
    rows: Sequence[Storefront],
    into: Door,
    *,
    by: uuid.UUID | None,
    at: datetime,
    because: str,
) -> Storefront:
    """One storefront in place of several; their tenancies end."""
    if len({row.id for row in rows}) < 2:
        raise BadInput(field="铺位 storefronts", reason_zh="至少两间", reason_en="two or more")
    (merged,) = _replace(session, rows, [into], by=by, at=at, because=because)
    events.record(
        session,
        "streets.storefronts_merged",
        subject=merged,
        by=by,
        at=at,
        because=because,
        out_of=[row.human_number for row in rows],
    )
    return merged


def move_door(
    session: Session,
    storefront: Storefront,
    to: shapely.Point,
    *,
    datum: str,
    by: uuid.UUID,
    at: datetime,
    because: str,
) -> Storefront:
    """The door to another place: segment, side, measure, front, zone follow; the number stays."""
    ground = storefronts.ground(session)
    door = Door(place=to, house_number=storefront.house_number, address=storefront.address)
    placed = storefronts.place(ground, [door])
    segments = storefronts.segments_of(ground, placed)
    if storefront.segment_id is not None:
        segments.add(storefront.segment_id)
    (storefront,) = storefronts.hold(session, segments, [storefront.id])
    away = Plane.around(to).flat(storefront.door).distance(Plane.around(to).flat(to))
    if away > FARTHEST_MOVE_M:
        raise TooFarAway(distance_m=away, limit_m=FARTHEST_MOVE_M)
    was, before = duty_zones.Spot.of(storefront), storefront.door
    width = length_m(storefront.frontage) if storefront.frontage else fronts.USUAL_WIDTH_M
    storefronts.set_place(storefront, ground, placed, 0, door=replace(door, width_m=width))
    storefront.source_datum, storefront.duty_zone = datum, None
    storefront.duty_zone_drawn = False
    session.flush()
    duty_zones.lay_beside(session, [storefront], was=[was])
    events.record(
        session,
        "streets.storefront_moved",
        subject=storefront,
        by=by,
        at=at,
        because=because,
        was=[before.x, before.y],
        moved_m=round(away, 1),
    )
    return storefront


def refront(
    session: Session,
    storefront: Storefront,
    *,
    front: shapely.LineString | None,
    width_m: float | None,
    side: str | None,
    by: uuid.UUID,
    at: datetime,
    because: str,
) -> Storefront:
    """A drawn front, or one of `width_m` along the street; and on which side of it."""
    (storefront,) = storefronts.hold_with_segment(session, [storefront.id])
    was = duty_zones.Spot.of(storefront)
    if front is None and width_m is not None:
        front = new_doors.usual_front(storefront, storefronts.ground(session), width_m)
    if front is not None:
        _check_front(front, storefront.door)
        storefront.frontage = front
    if side is not None and storefront.segment_id is not None:
        storefront.side = side
    session.flush()
    duty_zones.lay_beside(session, [storefront], was=[was])
    events.record(
        session,
        "streets.storefront_refronted",
        subject=storefront,
        by=by,
        at=at,
        because=because,
        side=storefront.side,
        width_m=round(length_m(storefront.frontage), 1) if storefront.frontage else None,
    )
    return storefront


def correct(
    session: Session,
    storefront: Storefront,
    *,
    house_number: str,
    address: str,
    business_type: str | None,
    by: uuid.UUID,
    at: datetime,
) -> Storefront:
    """What was written wrongly. The human number stays: it is printed on the plate.

    An address that was left as it is and ends with the former number goes along with the new one.
    """
    storefront = storefronts.locked(session, storefront.id)
    was = {"house_number": storefront.house_number, "address": storefront.address}
    if address == storefront.address and address.endswith(storefront.house_number or " "):
        address = address.removesuffix(storefront.house_number) + house_number
    storefront.house_number, storefront.address = house_number, address
    storefront.business_type = business_type
    tenancies.make_findable(storefront)
    events.record(
        session, "streets.storefront_corrected", subject=storefront, by=by, at=at, was=was
    )
    return storefront


def _replace(
    session: Session,
    before: Sequence[Storefront],
    doors: Sequence[Door],
    *,
    by: uuid.UUID | None,
    at: datetime,
    because: str,
) -> list[Storefront]:
    """Close and open in one act: every lock is taken first, in the order of the house."""
    human_numbers.take_turn(session)
    ground = storefronts.ground(session)
    placed = storefronts.place(ground, doors)
    segments = storefronts.segments_of(ground, placed)
    segments |= {row.segment_id for row in before if row.segment_id}
    held = storefronts.hold(session, segments, [row.id for row in before])
    for row in held:
        storefronts.close_held(session, row, by=by, at=at, because=because)
    after = storefronts.enter(session, doors, ground, placed, by=by, at=at)
    for old in held:
        for new in after:
            session.add(
                StorefrontSuccession(
                    subdistrict_id=old.subdistrict_id,
                    id=new_id(),
                    before_id=old.id,
                    after_id=new.id,
                    at=at,
                    because=because,
                )
            )
    session.flush()
    return after


def _check_front(front: shapely.LineString, door: shapely.Point) -> None:
    width = length_m(front)
    if not SHORTEST_FRONT_M <= width <= LONGEST_M or not front.is_simple:
        raise new_doors.BadFront(
            reason_zh=f"长 {width:.1f} 米，应为 {SHORTEST_FRONT_M}–{LONGEST_M:.0f} 米且不自交",
            reason_en=f"{width:.1f} m, should be {SHORTEST_FRONT_M} to {LONGEST_M:.0f} m "
            "and not cross itself",
        )
    plane = Plane.around(door)
    away = plane.flat(front).distance(plane.flat(door))
    if away > FRONT_FROM_DOOR_M:
        raise new_doors.BadFront(
            reason_zh=f"离店门 {away:.0f} 米", reason_en=f"it is {away:.0f} m from the door"
        )
