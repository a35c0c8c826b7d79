"""Blocks, grids, organisations, stations and permit areas: entered, changed, closed.

Verbs never commit. What is wrong with a value is said by one check for entering and changing.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import shapely
from sqlalchemy import func, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import in_turn, new_id, savepoint, tenant_of
from roadchief.errors import BadInput, Conflict, NotFound, RuleBroken, WrongState
from roadchief.lib.geo import Plane
from roadchief.lib.text import is_phone
from roadchief.streets import kinds, permits
from roadchief.streets.models import (
    Assignment,
    Grid,
    Organisation,
    PermitArea,
    RoadSegment,
    Station,
    StreetBlock,
)

Row = TypeVar("Row", StreetBlock, Grid, Organisation, Station, PermitArea)
Area = TypeVar("Area", StreetBlock, Grid)
Place = StreetBlock | Grid | Organisation | Station | PermitArea
THEMES = tuple(kinds.of("themes"))
LARGEST_PERMIT_M2 = 20_000.0
DEEPEST = 12  # organisations above one another

events.declare(
    {
        "streets.place_opened": "a block, grid, organisation, station or permit was entered",
        "streets.place_changed": "a block, grid, organisation, station or permit was changed",
        "streets.place_closed": "a block, grid, organisation, station or permit was closed",
        "streets.segments_gathered": "a block or grid took the segments within its area",
    }
)


class NameTaken(Conflict):
    zh = "“{name}”已存在"
    en = "{name} is there already"


class PlaceClosed(WrongState):
    zh = "“{name}”已停用"
    en = "{name} is closed"


class Circle(RuleBroken):
    zh = "上级不能是自己或自己的下级"
    en = "an organisation cannot stand above itself"


class NoArea(RuleBroken):
    zh = "“{name}”还没有画范围"
    en = "{name} has no area yet"


def enter(
    session: Session, of: type[Row], /, *, by: uuid.UUID | None, at: datetime, **values: Any
) -> Row:
    """A place of any kind; a name is taken once, the unique index decides. Stations and permits
    may share a name, but not the place too."""
    row = of(subdistrict_id=tenant_of(session), id=new_id())
    _put(session, row, values)
    if isinstance(row, Station):
        _not_there_yet(session, Station, Station.place, row.name, row.place)
    elif isinstance(row, PermitArea):
        _not_there_yet(session, PermitArea, PermitArea.area, row.name, row.area)
    _flush(session, row, new=True)
    name = _name_of(row)
    events.record(session, "streets.place_opened", subject=row, by=by, at=at, name=name)
    return row


def change(
    session: Session, row: Row, /, *, by: uuid.UUID | None, at: datetime, **values: Any
) -> Row:
    row = locked(session, type(row), row.id)
    before = {key: getattr(row, key) for key in values}
    with session.no_autoflush:
        _put(session, row, values)
    changed = sorted(key for key, was in before.items() if getattr(row, key) != was)
    if not changed:
        return row
    _flush(session, row, new=False)
    events.record(session, "streets.place_changed", subject=row, by=by, at=at, changed=changed)
    return row


def close(session: Session, row: Row, *, by: uuid.UUID, at: datetime, because: str) -> None:
    """History stays. Segments leave a closed block or grid; its chiefs are relieved."""
    row = locked(session, type(row), row.id)
    if isinstance(row, StreetBlock | Grid):
        column = "block_id" if isinstance(row, StreetBlock) else "grid_id"
        session.execute(
            update(RoadSegment)
            .where(RoadSegment.subdistrict_id == tenant_of(session))
            .where(getattr(RoadSegment, column) == row.id, RoadSegment.closed_at.is_(None))
            .values({column: None})
        )
    if isinstance(row, StreetBlock):
        session.execute(
            update(Assignment)
            .where(Assignment.subdistrict_id == tenant_of(session))
            .where(Assignment.block_id == row.id)
            .where(or_(Assignment.ends_at.is_(None), Assignment.ends_at > at))
            .values(ends_at=func.greatest(at, Assignment.starts_at), ended_because=because)
        )
    row.closed_at = at
    session.flush()
    events.record(session, "streets.place_closed", subject=row, by=by, at=at, because=because)


def gather_segments(session: Session, row: Area, *, by: uuid.UUID, at: datetime) -> int:
    """Open segments whose middle lies within the area belong to it from now on."""
    row = locked(session, type(row), row.id)
    if row.area is None:
        raise NoArea(name=row.name)
    box = func.ST_MakeEnvelope(*shapely.bounds(row.area), 4326)
    near = session.scalars(
        select(RoadSegment)
        .where(RoadSegment.subdistrict_id == tenant_of(session), RoadSegment.closed_at.is_(None))
        .where(RoadSegment.line.op("&&")(box))
        .order_by(RoadSegment.id)
        .with_for_update(key_share=True)
    )
    inside = [one for one in near if row.area.covers(one.line.interpolate(0.5, normalized=True))]
    column = "block_id" if isinstance(row, StreetBlock) else "grid_id"
    for segment in inside:
        setattr(segment, column, row.id)
    session.flush()
    name = "streets.segments_gathered"
    events.record(session, name, subject=row, by=by, at=at, segments=len(inside))
    return len(inside)


def find(session: Session, kind: type[Row], place_id: uuid.UUID) -> Row:
    row = session.get(kind, (tenant_of(session), place_id))
    if row is None:
        raise NotFound
    return row


def locked(session: Session, kind: type[Row], place_id: uuid.UUID) -> Row:
    """Open, under lock."""
    row = session.scalar(
        select(kind)
        .where(kind.subdistrict_id == tenant_of(session), kind.id == place_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound
    if row.closed_at is not None:
        raise PlaceClosed(name=row.name)
    return row


def _put(session: Session, row: Place, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        setattr(row, key, value)
    if isinstance(row, StreetBlock) and row.theme is not None and row.theme not in THEMES:
        raise BadInput(
            field="主题 theme", reason_zh="不在六个街区之内", reason_en="not one of the six"
        )
    area = getattr(row, "area", None)
    if area is not None and (not area.is_valid or area.is_empty):
        raise BadInput(
            field="范围 area", reason_zh="边线自相交或为空", reason_en="not a valid area"
        )
    phone = getattr(row, "office_phone", None) or getattr(row, "phone", None)
    if phone and not is_phone(phone):
        raise BadInput(field="电话 phone", reason_zh="不是电话号码", reason_en="no phone number")
    if isinstance(row, PermitArea):
        _check_permit(row)
    if isinstance(row, Organisation) and (row.parent_id or row.guided_by_id):
        _check_tree(session, row)


def _check_permit(row: PermitArea) -> None:
    for zh, en in permits.problems(row.windows):
        raise BadInput(field="时段 windows", reason_zh=zh, reason_en=en)
    if row.valid_to < row.valid_from:
        raise BadInput(
            field="有效期 valid", reason_zh="止早于起", reason_en="ends before it begins"
        )
    size = Plane.around(row.area).flat(row.area).area
    if size > LARGEST_PERMIT_M2:
        raise BadInput(
            field="范围 area",
            reason_zh=f"{size:.0f} 平方米，过大",
            reason_en=f"{size:.0f} m² is too large",
        )


def _check_tree(session: Session, row: Organisation) -> None:
    """Two who hang offices under each other at once take turns."""
    in_turn(session, "organisation.tree")
    if row.guided_by_id == row.id:
        raise Circle
    above, steps = row.parent_id, 0
    while above is not None:
        if above == row.id or steps > DEEPEST:
            raise Circle
        above = session.scalar(
            select(Organisation.parent_id).where(
                Organisation.subdistrict_id == tenant_of(session), Organisation.id == above
            )
        )
        steps += 1


def _not_there_yet(
    session: Session, kind: type[Station] | type[PermitArea], drawn: Any, name: str, shape: Any
) -> None:
    """Entering takes turns, so that of one form sent twice the second finds the first."""
    in_turn(session, f"{kind.__tablename__}.entered")
    same = select(kind.id).where(
        kind.subdistrict_id == tenant_of(session),
        kind.closed_at.is_(None),
        kind.name == name,
        func.ST_Equals(drawn, literal(shape, drawn.type)),
    )
    if session.scalar(same.limit(1)):
        raise NameTaken(name=name)


def _flush(session: Session, row: Place, *, new: bool) -> None:
    name = _name_of(row)
    try:
        with savepoint(session):
            if new:
                session.add(row)
            session.flush()
    except IntegrityError as error:
        raise NameTaken(name=name) from error


def _name_of(row: Place) -> str:
    """What must be its own: a grid's code, else the name."""
    return row.code if isinstance(row, Grid) else row.name
