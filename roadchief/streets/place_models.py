"""What lies around the streets: blocks, grids, organisations, stations, permit areas.

A name is taken as long as its place is open; a closed place stays as history.
"""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base, Tenant, point, polygon, tenant_fk


def _one_open(table: str, column: str) -> Index:
    return Index(
        f"uq_{table}_open",
        "subdistrict_id",
        column,
        unique=True,
        postgresql_where=text("closed_at IS NULL"),
    )


class StreetBlock(Tenant, Base):
    """街区: a core road with both its sides; one of the six themes (domain.md §1.3)."""

    __tablename__ = "street_block"
    __table_args__ = (_one_open("street_block", "name"),)

    name: Mapped[str]
    theme: Mapped[str | None]
    area: Mapped[polygon | None]
    closed_at: Mapped[datetime | None]


class Grid(Tenant, Base):
    """责任网格, independent of blocks and segments (domain.md §6.5)."""

    __tablename__ = "grid"
    __table_args__ = (
        _one_open("grid", "code"),
        Index("ix_grid_area", "area", postgresql_using="gist"),
    )

    code: Mapped[str]
    name: Mapped[str]
    area: Mapped[polygon]
    closed_at: Mapped[datetime | None]


class Organisation(Tenant, Base):
    """An office, department, alliance or association (kinds: domain.md §1.2, §6.5)."""

    __tablename__ = "organisation"
    __table_args__ = (
        tenant_fk("parent_id", "organisation"),
        tenant_fk("guided_by_id", "organisation"),
        _one_open("organisation", "name"),
    )

    kind: Mapped[str]
    name: Mapped[str]
    parent_id: Mapped[uuid.UUID | None]
    guided_by_id: Mapped[uuid.UUID | None]
    office_phone: Mapped[str | None]
    closed_at: Mapped[datetime | None]


class PermitArea(Tenant, Base):
    """外摆位, 疏导点 …: where and when outdoor trade is lawful (domain.md §0.8)."""

    __tablename__ = "permit_area"
    __table_args__ = (
        tenant_fk("storefront_id", "storefront"),
        CheckConstraint("valid_to >= valid_from", name="period"),
        Index("ix_permit_area_area", "area", postgresql_using="gist"),
        Index(None, "subdistrict_id", "storefront_id"),
    )

    kind: Mapped[str]
    name: Mapped[str]
    area: Mapped[polygon]
    windows: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)  # [{days:[1..7], from, to}]
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    trade: Mapped[str | None]
    storefront_id: Mapped[uuid.UUID | None]
    closed_at: Mapped[datetime | None]


class Station(Tenant, Base):
    """党群服务站, 便民服务站, 骑手驿站."""

    __tablename__ = "station"
    __table_args__ = (
        tenant_fk("organisation_id", "organisation"),
        Index("ix_station_place", "place", postgresql_using="gist"),
    )

    name: Mapped[str]
    kind: Mapped[str]
    place: Mapped[point]
    hours: Mapped[str]
    functions: Mapped[list[str]] = mapped_column(ARRAY(String))
    organisation_id: Mapped[uuid.UUID | None]
    phone: Mapped[str | None]
    closed_at: Mapped[datetime | None]
