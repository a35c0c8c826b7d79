"""Blocks, grids, organisations, stations and permit areas, entered. Verbs never commit."""

import uuid
from datetime import date, datetime
from typing import Any, TypeVar

import shapely
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import new_id, savepoint, tenant_of
from roadchief.errors import BadInput, Conflict
from roadchief.streets import permits
from roadchief.streets.models import Grid, Organisation, PermitArea, Station, StreetBlock

Row = TypeVar("Row", StreetBlock, Grid, Organisation, Station, PermitArea)
THEMES = ("red", "beautiful", "honest", "lively", "charitable", "safe")

events.declare(
    {"streets.place_opened": "a block, grid, organisation, station or permit was entered"}
)


class NameTaken(Conflict):
    zh = "“{name}”已存在"
    en = "{name} is there already"


def open_block(
    session: Session,
    *,
    name: str,
    theme: str | None,
    by: uuid.UUID | None,
    at: datetime,
    area: shapely.Polygon | None = None,
) -> StreetBlock:
    if theme is not None and theme not in THEMES:
        raise BadInput(
            field="主题 theme", reason_zh="不在六个街区之内", reason_en="not one of the six"
        )
    row = StreetBlock(
        subdistrict_id=tenant_of(session), id=new_id(), name=name, theme=theme, area=area
    )
    return _enter(session, row, name, by=by, at=at)


def open_grid(
    session: Session,
    *,
    code: str,
    name: str,
    area: shapely.Polygon,
    by: uuid.UUID | None,
    at: datetime,
) -> Grid:
    row = Grid(subdistrict_id=tenant_of(session), id=new_id(), code=code, name=name, area=area)
    return _enter(session, row, code, by=by, at=at)


def open_organisation(
    session: Session,
    *,
    name: str,
    kind: str,
    by: uuid.UUID | None,
    at: datetime,
    parent: Organisation | None = None,
    guided_by: Organisation | None = None,
    office_phone: str | None = None,
) -> Organisation:
    row = Organisation(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        name=name,
        kind=kind,
        parent_id=parent.id if parent else None,
        guided_by_id=guided_by.id if guided_by else None,
        office_phone=office_phone,
    )
    return _enter(session, row, name, by=by, at=at)


def open_station(
    session: Session,
    *,
    name: str,
    kind: str,
    place: shapely.Point,
    hours: str,
    functions: list[str],
    by: uuid.UUID | None,
    at: datetime,
    organisation: Organisation | None = None,
    phone: str | None = None,
) -> Station:
    row = Station(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        name=name,
        kind=kind,
        place=place,
        hours=hours,
        functions=functions,
        phone=phone,
        organisation_id=organisation.id if organisation else None,
    )
    return _enter(session, row, name, by=by, at=at)


def open_permit_area(
    session: Session,
    *,
    name: str,
    kind: str,
    area: shapely.Polygon,
    windows: list[dict[str, Any]],
    valid_from: date,
    valid_to: date,
    by: uuid.UUID | None,
    at: datetime,
    trade: str | None = None,
) -> PermitArea:
    """Windows are `{days: [1..7], from: "17:00", to: "22:00"}`, local time."""
    for zh, en in permits.problems(windows):
        raise BadInput(field="时段 windows", reason_zh=zh, reason_en=en)
    if valid_to < valid_from:
        raise BadInput(
            field="有效期 valid", reason_zh="止早于起", reason_en="ends before it begins"
        )
    if not area.is_valid or area.is_empty:
        raise BadInput(
            field="范围 area", reason_zh="边线自相交或为空", reason_en="not a valid area"
        )
    row = PermitArea(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        name=name,
        kind=kind,
        area=area,
        windows=windows,
        valid_from=valid_from,
        valid_to=valid_to,
        trade=trade,
    )
    return _enter(session, row, name, by=by, at=at)


def _enter(session: Session, row: Row, name: str, *, by: uuid.UUID | None, at: datetime) -> Row:
    """A name is taken once: the unique key decides."""
    try:
        with savepoint(session):
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise NameTaken(name=name) from error
    events.record(session, "streets.place_opened", subject=row, by=by, at=at, name=name)
    return row
