"""Reads of blocks, grids, organisations, stations and permit areas."""

import uuid
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.streets.models import Grid, Organisation, PermitArea, Station, StreetBlock

Row = TypeVar("Row", StreetBlock, Grid, Organisation, Station, PermitArea)
# Columns that name an organisation.
LINKS = {Organisation: ("parent_id", "guided_by_id"), Station: ("organisation_id",)}


def page(
    session: Session, kind: type[Row], *, asked: str, closed: bool, number: int, size: int
) -> tuple[list[Row], int]:
    """By name (grids by code), those whose name holds `asked`."""
    wanted = select(kind).where(kind.subdistrict_id == tenant_of(session))
    wanted = wanted.where(kind.closed_at.is_not(None) if closed else kind.closed_at.is_(None))
    if asked:
        wanted = wanted.where(kind.name.contains(asked, autoescape=True))
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    order: list[Any] = [Grid.code] if kind is Grid else [kind.name]
    rows = session.scalars(wanted.order_by(*order, kind.id).limit(size).offset((number - 1) * size))
    return list(rows), total


def names_of(session: Session, kind: Any, rows: Sequence[Any]) -> dict[uuid.UUID, str]:
    """Names of the organisations that rows refer to."""
    keys = {getattr(row, column) for row in rows for column in LINKS.get(kind, ())} - {None}
    if not keys:
        return {}
    found = session.execute(
        select(Organisation.id, Organisation.name).where(
            Organisation.subdistrict_id == tenant_of(session), Organisation.id.in_(keys)
        )
    )
    return {row[0]: row[1] for row in found}


def below(session: Session, organisation_id: uuid.UUID) -> list[Organisation]:
    """Open organisations directly below one, or guided by it."""
    rows = session.scalars(
        select(Organisation)
        .where(Organisation.subdistrict_id == tenant_of(session))
        .where(Organisation.closed_at.is_(None))
        .where(
            (Organisation.parent_id == organisation_id)
            | (Organisation.guided_by_id == organisation_id)
        )
        .order_by(Organisation.name)
        .limit(200)
    )
    return list(rows)


def choices(session: Session) -> tuple[list[StreetBlock], list[Grid]]:
    """Open blocks and grids, for a choice."""
    blocks = select(StreetBlock).where(StreetBlock.subdistrict_id == tenant_of(session))
    grids = select(Grid).where(Grid.subdistrict_id == tenant_of(session))
    return (
        list(session.scalars(blocks.where(StreetBlock.closed_at.is_(None)).order_by("name"))),
        list(session.scalars(grids.where(Grid.closed_at.is_(None)).order_by("code"))),
    )


def counts(session: Session) -> dict[str, int]:
    """Open places of each kind, by table."""
    tables = (StreetBlock, Grid, Organisation, Station, PermitArea)
    asked = [
        select(func.count())
        .select_from(table)
        .where(table.subdistrict_id == tenant_of(session), table.closed_at.is_(None))
        .scalar_subquery()
        for table in tables
    ]
    row = session.execute(select(*asked)).one()
    return {table.__tablename__: row[at] for at, table in enumerate(tables)}
