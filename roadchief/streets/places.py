"""Blocks, grids, organisations, stations and permit areas, entered. Verbs never commit."""

import uuid
from datetime import date, datetime
from typing import Any

import shapely
from sqlalchemy.orm import Session

from roadchief.streets.models import Grid, Organisation, PermitArea, Station, StreetBlock
from roadchief.streets.place_register import enter


def open_block(
    session: Session,
    *,
    name: str,
    theme: str | None,
    by: uuid.UUID | None,
    at: datetime,
    area: shapely.Polygon | None = None,
) -> StreetBlock:
    return enter(session, StreetBlock, name=name, theme=theme, area=area, by=by, at=at)


def open_grid(
    session: Session,
    *,
    code: str,
    name: str,
    area: shapely.Polygon,
    by: uuid.UUID | None,
    at: datetime,
) -> Grid:
    return enter(session, Grid, code=code, name=name, area=area, by=by, at=at)


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
    return enter(
        session,
        Organisation,
        name=name,
        kind=kind,
        parent_id=parent.id if parent else None,
        guided_by_id=guided_by.id if guided_by else None,
        office_phone=office_phone,
        by=by,
        at=at,
    )


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
    return enter(
        session,
        Station,
        name=name,
        kind=kind,
        place=place,
        hours=hours,
        functions=functions,
        phone=phone,
        organisation_id=organisation.id if organisation else None,
        by=by,
        at=at,
    )


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
    return enter(
        session,
        PermitArea,
        name=name,
        kind=kind,
        area=area,
        windows=windows,
        valid_from=valid_from,
        valid_to=valid_to,
        trade=trade,
        by=by,
        at=at,
    )
