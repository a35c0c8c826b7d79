"""What a segment belongs to and how wide it is: block, grid, kerb, key road. Never commits."""

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from roadchief import events
from roadchief.errors import BadInput
from roadchief.streets import duty_zones, register
from roadchief.streets.models import Grid, Road, RoadSegment, StreetBlock

NARROWEST_M, WIDEST_M = 1.0, 60.0

events.declare({"streets.segment_described": "a segment's block, grid, kerb or ends were changed"})


def describe(
    session: Session,
    segment: RoadSegment,
    *,
    block: StreetBlock | None,
    grid: Grid | None,
    kerb_m: float,
    key_road: bool,
    from_name: str | None,
    to_name: str | None,
    by: uuid.UUID,
    at: datetime,
) -> RoadSegment:
    """Another kerb moves the computed duty zones of its storefronts."""
    if not NARROWEST_M <= kerb_m <= WIDEST_M:
        raise BadInput(
            field="路缘 kerb",
            reason_zh=f"应为 {NARROWEST_M:.0f}–{WIDEST_M:.0f} 米",
            reason_en=f"{NARROWEST_M:.0f} to {WIDEST_M:.0f} m",
        )
    segment = register.locked(session, segment.id)
    wider = kerb_m != segment.kerb_m
    road = session.get_one(Road, (segment.subdistrict_id, segment.road_id))
    segment.block_id = block.id if block else None
    segment.grid_id = grid.id if grid else None
    segment.kerb_m, segment.key_road = kerb_m, key_road
    segment.from_name, segment.to_name = from_name, to_name
    segment.name = register.segment_name(road.name, from_name, to_name)
    session.flush()
    if wider:
        duty_zones.lay_all(session, segment)
    events.record(
        session, "streets.segment_described", subject=segment, by=by, at=at, kerb_m=kerb_m
    )
    return segment
