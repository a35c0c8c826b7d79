"""Which column is what: guessed from the usual names, shown, and changeable. *Pure.*"""

import re
import unicodedata
from collections.abc import Iterable

# What people add to a heading: a unit or datum in brackets, a star for "must be filled in".
ADDED = re.compile(r"[(（\[【].*?[)）\]】]|[\s*＊:：]+")

# Field: names as they occur, most telling first. OSM's own keys stand among them.
NAMES: dict[str, tuple[str, ...]] = {
    "source_id": (
        "编号",
        "店铺编号",
        "铺位编号",
        "商户编号",
        "门店编号",
        "沿街商铺编号",
        "单位编号",
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
        "门店名称",
        "商铺名称",
        "店招名称",
        "店招",
        "招牌",
        "字号",
        "单位名称",
        "经营户名称",
        "市场主体名称",
        "企业名称",
        "道路名称",
        "道路名",
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
        "经营类型",
        "行业",
        "行业类别",
        "行业类型",
        "经营范围",
        "shop",
        "amenity",
        "category",
        "type",
        "kind",
    ),
    "road": (
        "路名",
        "道路",
        "所在道路",
        "所属道路",
        "所属路段",
        "街道名",
        "street",
        "addr:street",
        "addr_street",
        "road",
    ),
    "house_number": (
        "门牌号",
        "门牌",
        "门牌号码",
        "门号",
        "号码",
        "housenumber",
        "addr:housenumber",
        "addr_housenumber",
        "number",
    ),
    "address": (
        "地址",
        "详细地址",
        "经营地址",
        "经营场所",
        "门店地址",
        "店铺地址",
        "住所",
        "address",
        "addr:full",
        "addr",
    ),
    "lon": (
        "经度",
        "经度坐标",
        "x坐标",
        "坐标x",
        "lon",
        "lng",
        "longitude",
        "x",
        "point_x",
        "coord_x",
    ),
    "lat": ("纬度", "纬度坐标", "y坐标", "坐标y", "lat", "latitude", "y", "point_y", "coord_y"),
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
    by_name: dict[str, str] = {}
    for heading in columns:
        by_name.setdefault(_bare(heading), heading)
    found: dict[str, str] = {}
    for field in WANTED[what]:
        for name in NAMES[field]:
            column = by_name.get(name)
            if column is not None and column not in found.values():
                found[field] = column
                break
    return found


def _bare(column: str) -> str:
    """A heading without what people add: 经度（WGS84）* is 经度."""
    whole = unicodedata.normalize("NFKC", column).strip().lower()
    return ADDED.sub("", whole) or whole


def unknown_fields(mapping: dict[str, str], what: str) -> list[str]:
    return [field for field in mapping if field not in WANTED[what]]
