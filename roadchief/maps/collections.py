"""Collections of features that other programs read: what each is made of, and who may read it.

One row here is one OGC API collection, one GeoJSON source and one layer of an export. Packages
above add theirs with `register`. SQL is written here alone; what a client says is bound.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from roadchief.accounts.access import Actor, may


def _nothing(_actor: Actor | None) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Field:
    """A property: how it is read, what it is, and its title in both languages."""

    sql: str
    kind: str  # string, number, integer, boolean, date-time, date
    zh: str
    en: str


@dataclass(frozen=True)
class Collection:
    """`source` is FROM with joins and WHERE naming :here; `key` a UUID column with an index."""

    name: str
    zh: str
    en: str
    source: str
    key: str
    shape: str
    geometry: str  # Point, LineString, Polygon, MultiPolygon
    fields: Mapping[str, Field]
    begins: str | None = None  # instants between which a feature exists
    ends: str | None = None
    public: bool = True
    action: str | None = None
    first: str = ""  # a WITH clause that `source` names
    values: Callable[[Actor | None], Mapping[str, Any]] = field(default=_nothing)  # narrow the rows

    def may_be_read_by(self, actor: Actor | None) -> bool:
        """Public to all; otherwise the action, in the actor's own sub-district."""
        if self.public:
            return True
        return actor is not None and self.action is not None and may(actor, self.action).allowed


COLLECTIONS: dict[str, Collection] = {}


def register(collection: Collection) -> None:
    """Make a collection known; a name is taken once."""
    if collection.name in COLLECTIONS:
        raise ValueError(f"collection {collection.name} is there already")
    if not collection.public and collection.action is None:
        raise ValueError(f"collection {collection.name} does not say who may read it")
    COLLECTIONS[collection.name] = collection


def readable(actor: Actor | None) -> list[Collection]:
    return [one for one in COLLECTIONS.values() if one.may_be_read_by(actor)]


def _text(sql: str, zh: str, en: str) -> Field:
    return Field(sql, "string", zh, en)


NAME = {"name": _text("t.name", "名称", "name")}
KIND = {"kind": _text("t.kind", "类型", "kind")}
LIFE = {
    "opened_at": Field("t.opened_at", "date-time", "启用时间", "opened"),
    "closed_at": Field("t.closed_at", "date-time", "停用时间", "closed"),
}
SEGMENT = (
    "road_segment t JOIN road r ON r.subdistrict_id = :here AND r.id = t.road_id "
    "LEFT JOIN street_block b ON b.subdistrict_id = :here AND b.id = t.block_id "
    "WHERE t.subdistrict_id = :here"
)
STOREFRONT = (
    "storefront t LEFT JOIN road_segment s ON s.subdistrict_id = :here AND s.id = t.segment_id "
    "LEFT JOIN road r ON r.subdistrict_id = :here AND r.id = s.road_id "
    "WHERE t.subdistrict_id = :here"
)
DOOR = {
    **NAME,
    "address": _text("t.address", "地址", "address"),
    "house_number": _text("t.house_number", "门牌号", "house number"),
    "human_number": _text("t.human_number", "编号", "number"),
    "business_type": _text("t.business_type", "业态", "trade"),
    "road": _text("r.name", "道路", "road"),
    "segment": _text("s.code", "路段", "segment"),
    "side": _text("t.side", "侧", "side"),
    "measure_m": Field("t.measure_m", "number", "距起点（米）", "metres from the start"),
}
for _one in (
    Collection(
        "segments",
        "路段",
        "Road segments",
        SEGMENT,
        "t.id",
        "t.line",
        "LineString",
        {
            "code": _text("t.code", "编号", "code"),
            "road": _text("r.name", "道路", "road"),
            **NAME,
            "from_name": _text("t.from_name", "起", "from"),
            "to_name": _text("t.to_name", "止", "to"),
            "length_m": Field("t.length_m", "number", "长度（米）", "length in metres"),
            "block": _text("b.name", "街区", "block"),
            **LIFE,
        },
        "t.opened_at",
        "t.closed_at",
    ),
    Collection(
        "storefronts",
        "铺位",
        "Storefronts",
        STOREFRONT,
        "t.id",
        "t.door",
        "Point",
        {**DOOR, **LIFE},
        "t.opened_at",
        "t.closed_at",
    ),
    Collection(
        "duty_zones",
        "门前责任区",
        "Duty zones",
        STOREFRONT + " AND t.duty_zone IS NOT NULL",
        "t.id",
        "t.duty_zone",
        "Polygon",
        {**DOOR, "drawn": Field("t.duty_zone_drawn", "boolean", "人工绘制", "drawn by hand")},
        "t.opened_at",
        "t.closed_at",
        public=False,
        action="streets.read",
    ),
    Collection(
        "stations",
        "服务站",
        "Service stations",
        "station t WHERE t.subdistrict_id = :here AND t.closed_at IS NULL",
        "t.id",
        "t.place",
        "Point",
        {
            **NAME,
            **KIND,
            "hours": _text("t.hours", "开放时间", "hours"),
            "phone": _text("t.phone", "电话", "phone"),
        },
    ),
    Collection(
        "permit_areas",
        "许可区域",
        "Permit areas",
        "permit_area t WHERE t.subdistrict_id = :here AND t.closed_at IS NULL",
        "t.id",
        "t.area",
        "Polygon",
        {
            **NAME,
            **KIND,
            "trade": _text("t.trade", "业态", "trade"),
            "valid_from": Field("t.valid_from", "date", "有效期起", "valid from"),
            "valid_to": Field("t.valid_to", "date", "有效期止", "valid to"),
        },
        "t.valid_from::timestamp AT TIME ZONE 'Asia/Shanghai'",
        "(t.valid_to + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'",
    ),
    Collection(
        "blocks",
        "街区",
        "Street blocks",
        "street_block t WHERE t.subdistrict_id = :here AND t.closed_at IS NULL "
        "AND t.area IS NOT NULL",
        "t.id",
        "t.area",
        "Polygon",
        {**NAME, "theme": _text("t.theme", "主题", "theme")},
    ),
    Collection(
        "grids",
        "责任网格",
        "Grids",
        "grid t WHERE t.subdistrict_id = :here AND t.closed_at IS NULL",
        "t.id",
        "t.area",
        "Polygon",
        {"code": _text("t.code", "编号", "code"), **NAME},
    ),
    Collection(
        "buildings",
        "建筑与水绿",
        "Buildings, greens and water",
        "background_shape t WHERE t.subdistrict_id = :here",
        "t.id",
        "t.shape",
        "MultiPolygon",
        {**KIND, **NAME},
    ),
):
    register(_one)
