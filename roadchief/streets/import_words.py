"""What the import page calls kinds, datums and fields, in the reader's language."""

from flask_babel import gettext

from roadchief.lib.coords import Datum


def kind_words(what: str) -> str:
    return {
        "roads": gettext("道路"),
        "storefronts": gettext("铺位"),
        "boundaries": gettext("边界"),
    }.get(what, what)


def datum_words(datum: Datum) -> str:
    return {
        Datum.WGS84: "WGS-84 / CGCS2000",
        Datum.GCJ02: gettext("GCJ-02（高德、腾讯）"),
        Datum.BD09: gettext("BD-09（百度）"),
    }[datum]


def field_words(field: str) -> str:
    """Our fields in the reader's language; a column of the file keeps its own name."""
    return {
        "source_id": gettext("编号"),
        "id": gettext("编号"),
        "name": gettext("名称"),
        "name_en": gettext("英文名"),
        "kind": gettext("道路等级"),
        "business_type": gettext("业态"),
        "road": gettext("路名"),
        "house_number": gettext("门牌号"),
        "address": gettext("地址"),
        "lon": gettext("经度"),
        "lat": gettext("纬度"),
        "wkt": gettext("位置（WKT）"),
        "geometry": gettext("位置"),
        "code": gettext("街镇代码"),
    }.get(field, field)
