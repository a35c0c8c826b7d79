"""The ground: places that stay (roads, segments, storefronts) and who is there for a while.

A storefront (铺位) is permanent and will carry the plate; a merchant runs it through a tenancy.
"""

import uuid
from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base, Tenant, line, multipolygon, point, polygon, tenant_fk
from roadchief.streets.place_models import (
    Grid,
    Organisation,
    PermitArea,
    Station,
    StreetBlock,
)

__all__ = [
    "Assignment",
    "BackgroundShape",
    "Grid",
    "Merchant",
    "Organisation",
    "PermitArea",
    "Road",
    "RoadSegment",
    "SegmentSuccession",
    "Station",
    "Storefront",
    "StorefrontSuccession",
    "StreetBlock",
    "Subdistrict",
    "Tenancy",
]
SIDES = "side IN ('left', 'right')"


class Subdistrict(Base):
    """A 街道 or 镇: the tenant. Shared by all, small. `id` is the 9-digit statistical code."""

    __tablename__ = "subdistrict"
    __table_args__ = (
        CheckConstraint("id BETWEEN 100000000 AND 999999999", name="code"),
        Index("ix_subdistrict_area", "area", postgresql_using="gist"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    short_name: Mapped[str]  # in human numbers, such as WF
    ring: Mapped[str | None]  # 精品城区 city, 现代城镇 town, 美丽乡村 country
    area: Mapped[multipolygon | None]
    area_source: Mapped[str | None]


class Road(Tenant, Base):
    """A named road, as far as it lies in one sub-district."""

    __tablename__ = "road"
    __table_args__ = (
        UniqueConstraint("subdistrict_id", "source", "source_id"),
        Index(None, "subdistrict_id", "name"),
    )

    name: Mapped[str]
    name_en: Mapped[str | None]
    initials: Mapped[str]  # of the pinyin, lower case: lsl
    kind: Mapped[str]  # primary, secondary, tertiary, residential, …
    source: Mapped[str]
    source_id: Mapped[str]
    row_hash: Mapped[int | None] = mapped_column(BigInteger)  # of the imported lines
    closed_at: Mapped[datetime | None]


class RoadSegment(Tenant, Base):
    """The unit of duty: a road between two junctions. The line runs in house-number order."""

    __tablename__ = "road_segment"
    __table_args__ = (
        tenant_fk("road_id", "road"),
        tenant_fk("block_id", "street_block"),
        tenant_fk("grid_id", "grid"),
        UniqueConstraint("subdistrict_id", "code"),
        CheckConstraint("kerb_m > 0 AND kerb_m < 100", name="kerb"),
        Index("ix_road_segment_line", "line", postgresql_using="gist"),
        Index(None, "subdistrict_id", "road_id", "seq"),
    )

    road_id: Mapped[uuid.UUID]
    code: Mapped[str]
    name: Mapped[str]
    seq: Mapped[int]
    line: Mapped[line]
    length_m: Mapped[float]
    from_name: Mapped[str | None]
    to_name: Mapped[str | None]
    block_id: Mapped[uuid.UUID | None]
    grid_id: Mapped[uuid.UUID | None]
    key_road: Mapped[bool] = mapped_column(default=False)
    kerb_m: Mapped[float] = mapped_column(default=6.0)  # centre line to kerb
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class SegmentSuccession(Tenant, Base):
    """A closed segment and one that took its place: cut, split or merged."""

    __tablename__ = "segment_succession"
    __table_args__ = (
        tenant_fk("before_id", "road_segment"),
        tenant_fk("after_id", "road_segment"),
        UniqueConstraint("subdistrict_id", "before_id", "after_id"),
        Index(None, "subdistrict_id", "after_id"),
    )

    before_id: Mapped[uuid.UUID]
    after_id: Mapped[uuid.UUID]
    at: Mapped[datetime]
    because: Mapped[str]


class Storefront(Tenant, Base):
    """铺位: door, frontage, duty zone; its place along a segment, and a second one at corners."""

    __tablename__ = "storefront"
    __table_args__ = (
        tenant_fk("segment_id", "road_segment"),
        tenant_fk("second_segment_id", "road_segment"),
        UniqueConstraint("subdistrict_id", "source", "source_id"),
        UniqueConstraint("subdistrict_id", "human_number"),
        CheckConstraint(SIDES, name="side"),
        CheckConstraint("second_side IN ('left', 'right')", name="second_side"),
        CheckConstraint("accuracy_m >= 0", name="accuracy"),
        CheckConstraint(
            "(segment_id IS NULL) = (side IS NULL) AND (segment_id IS NULL) = (measure_m IS NULL)",
            name="placed",
        ),
        Index("ix_storefront_door", "door", postgresql_using="gist"),
        Index("ix_storefront_duty_zone", "duty_zone", postgresql_using="gist"),
        Index("ix_storefront_walk", "subdistrict_id", "segment_id", "side", "measure_m"),
        Index(
            "ix_storefront_second",
            "subdistrict_id",
            "second_segment_id",
            postgresql_where=text("second_segment_id IS NOT NULL"),
        ),
        Index("ix_storefront_pieces", "pieces", postgresql_using="gin"),
    )

    door: Mapped[point]
    frontage: Mapped[line | None]
    duty_zone: Mapped[polygon | None]
    duty_zone_drawn: Mapped[bool] = mapped_column(default=False)  # by hand: never recomputed
    house_number: Mapped[str]
    address: Mapped[str]
    name: Mapped[str | None]  # as on the sign; None: empty unit
    business_type: Mapped[str | None]
    segment_id: Mapped[uuid.UUID | None]
    side: Mapped[str | None]
    measure_m: Mapped[float | None]
    second_segment_id: Mapped[uuid.UUID | None]
    second_side: Mapped[str | None]
    second_measure_m: Mapped[float | None]
    human_number: Mapped[str | None]  # WF-LSL-0639-1, printed on the plate, not a secret
    initials: Mapped[str | None]  # of the sign's pinyin: gxzdp
    # Two-character pieces of sign and address, because trigrams cannot find two characters.
    pieces: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    source: Mapped[str]
    source_id: Mapped[str]
    source_datum: Mapped[str]
    accuracy_m: Mapped[float | None]
    row_hash: Mapped[int | None] = mapped_column(
        BigInteger
    )  # of the imported row, so that the same file changes nothing
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class StorefrontSuccession(Tenant, Base):
    """A closed storefront and one that took its place: split or merged."""

    __tablename__ = "storefront_succession"
    __table_args__ = (
        tenant_fk("before_id", "storefront"),
        tenant_fk("after_id", "storefront"),
        UniqueConstraint("subdistrict_id", "before_id", "after_id"),
        Index(None, "subdistrict_id", "after_id"),
    )

    before_id: Mapped[uuid.UUID]
    after_id: Mapped[uuid.UUID]
    at: Mapped[datetime]
    because: Mapped[str]


class Merchant(Tenant, Base):
    """商户: a business. Several shops may share one credit code; a new one may have none yet."""

    __tablename__ = "merchant"
    __table_args__ = (
        Index(None, "subdistrict_id", "uscc"),
        Index(None, "subdistrict_id", "name", "id"),
        Index("ix_merchant_pieces", "pieces", postgresql_using="gin"),
    )

    name: Mapped[str]
    uscc: Mapped[str | None]
    uscc_warning: Mapped[str | None]  # a doubtful code is noted, never refused (§7.2)
    kind: Mapped[str]  # company, sole_trader, other
    phone: Mapped[str | None]
    initials: Mapped[str | None]  # of the name's pinyin
    pieces: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))


class Tenancy(Tenant, Base):
    """A merchant in a storefront, from day to day. One at a time; the database sees to it."""

    __tablename__ = "tenancy"
    __table_args__ = (
        tenant_fk("storefront_id", "storefront"),
        tenant_fk("merchant_id", "merchant"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="period"),
        Index(
            "uq_tenancy_running",
            "subdistrict_id",
            "storefront_id",
            unique=True,
            postgresql_where=text("ends_on IS NULL"),
        ),
        Index(None, "subdistrict_id", "merchant_id"),
        Index(None, "subdistrict_id", "storefront_id", "starts_on"),
    )

    storefront_id: Mapped[uuid.UUID]
    merchant_id: Mapped[uuid.UUID]
    sign_name: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    ended_because: Mapped[str | None]


class Assignment(Tenant, Base):
    """A post answers for a road, a segment or a block, from–to; perhaps acting for another.

    Two chiefs on one road are normal (双路长制); nobody on a segment is a gap. One post never
    answers twice at one time for one place: the database sees to it, also where an end is set.
    """

    __tablename__ = "assignment"
    __table_args__ = (
        tenant_fk("post_id", "post"),
        tenant_fk("road_id", "road"),
        tenant_fk("segment_id", "road_segment"),
        tenant_fk("block_id", "street_block"),
        tenant_fk("acting_for_id", "assignment"),
        CheckConstraint("num_nonnulls(road_id, segment_id, block_id) = 1", name="one_scope"),
        CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", name="period"),
        Index("ix_assignment_post", "subdistrict_id", "post_id"),
        *(Index(None, "subdistrict_id", f"{scope}_id") for scope in ("road", "segment", "block")),
        *(
            ExcludeConstraint(
                ("subdistrict_id", "="),
                ("post_id", "="),
                (f"{scope}_id", "="),
                (func.tstzrange(text("starts_at"), text("ends_at")), "&&"),
                name=f"ex_assignment_{scope}",
                where=text(f"{scope}_id IS NOT NULL"),
                using="gist",
            )
            for scope in ("road", "segment", "block")
        ),
    )

    post_id: Mapped[uuid.UUID]
    road_id: Mapped[uuid.UUID | None]
    segment_id: Mapped[uuid.UUID | None]
    block_id: Mapped[uuid.UUID | None]
    acting_for_id: Mapped[uuid.UUID | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]


class BackgroundShape(Tenant, Base):
    """Buildings, greens and water behind the map."""

    __tablename__ = "background_shape"
    __table_args__ = (
        CheckConstraint("kind IN ('building', 'green', 'water')", name="kind"),
        UniqueConstraint("subdistrict_id", "source", "source_id"),
        Index("ix_background_shape_shape", "shape", postgresql_using="gist"),
    )

    kind: Mapped[str]
    shape: Mapped[multipolygon]
    name: Mapped[str | None]
    source: Mapped[str]
    source_id: Mapped[str]
