"""Which column is what: guessed from the usual names, shown, and changeable. *Pure.*"""

from collections.abc import Iterable

# Field: names as they occur, most telling first. OSM's own keys stand among them.
NAMES: dict[str, tuple[str, ...]] = {
    "source_id": (
        "编号",
        "店铺编号",
        "铺位编号",
        "商户编号",
        "门店编号",
        "建筑编号",
        "序号",
        "id",
        "osm_id",
        "source_id",
        "uuid",
        "objectid",
        "code",
    ),
    "name": (
        "店名",
        "商户名称",
        "店铺名称",
        "店招",
        "道路名称",
        "名称",
        "路名称",
        "name",
        "shop_name",
        "title",
    ),
    "name_en": ("英文名", "name_en", "name:en", "english"),
    "kind": ("道路等级", "highway", "等级", "fclass", "road_class", "kind"),
    "business_type": (
        "业态",
        "类别",
        "类型",
        "经营类别",
        "shop",
        "amenity",
        "category",
        "type",
        "kind",
    ),
    "road": ("路名", "道路", "街道名", "street", "addr:street", "addr_street", "road"),
    "house_number": (
        "门牌号",
        "门牌",
        "号码",
        "housenumber",
        "addr:housenumber",
        "addr_housenumber",
        "number",
    ),
    "address": ("地址", "详细地址", "经营地址", "address", "addr:full", "addr"),
    "lon": ("经度", "lon", "lng", "longitude", "x", "point_x", "coord_x"),
    "lat": ("纬度", "lat", "latitude", "y", "point_y", "coord_y"),
    "wkt": ("wkt", "geometry", "geom", "the_geom", "空间位置"),
    "code": ("街镇代码", "行政区划代码", "区划代码", "代码", "code", "adcode", "gb"),
}
WANTED: dict[str, tuple[str, ...]] = {
    "roads": ("source_id", "name", "name_en", "kind", "wkt"),
    "storefronts": (
        "source_id",
        "name",
        "business_type",
        "road",
        "house_number",
        "address",
        "lon",
        "lat",
        "wkt",
    ),
    "boundaries": ("name", "code", "wkt"),
}


def guess(columns: Iterable[str], what: str) -> dict[str, str]:
    """Field to column, for the fields that `what` wants. A column serves one field."""
    by_name = {column.strip().lower(): column for column in columns}
    found: dict[str, str] = {}
    for field in WANTED[what]:
        for name in NAMES[field]:
            column = by_name.get(name)
            if column is not None and column not in found.values():
                found[field] = column
                break
    return found


def unknown_fields(mapping: dict[str, str], what: str) -> list[str]:
    return [field for field in mapping if field not in WANTED[what]]
