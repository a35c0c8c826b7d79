"""The district and one segment as sheets: what their map pages tell, ready to be saved."""

import uuid
from collections import Counter, defaultdict
from datetime import datetime

import shapely
from flask_babel import gettext
from sqlalchemy.orm import Session

from roadchief.maps import sights
from roadchief.maps.sheets import SIGNS, Row, Sheet, shape
from roadchief.streets import catalog
from roadchief.streets.models import Storefront

MARKS = {"covered": "ok", "acting": "due", "gap": "late"}
ALL = 100_000  # no district has more segments


def district(session: Session, *, at: datetime) -> Sheet:
    """Every segment by who answers for it; those that nobody answers for come first."""
    states = catalog.segment_states(session, at=at)
    chiefs = defaultdict(list)
    for one in sights.in_public(catalog.charge(session, at=at)):
        chiefs[one.segment_id].append(one.person)
    rows, shapes = [], []
    for segment, *_ in catalog.segments(session, number=1, size=ALL):
        key, state = str(segment.id), MARKS[states.get(segment.id, "gap")]
        who = "、".join(dict.fromkeys(chiefs[segment.id])) or gettext("暂无路长")
        sub = gettext("%(m)s 米", m=round(segment.length_m))
        rows.append(Row(key, state, SIGNS[state], segment.name, f"{who} · {sub}"))
        line = shapely.to_geojson(segment.line)
        shapes.append(shape(line, key=key, state=state, title=segment.name, lines=[who, sub]))
    gaps = Counter(row.state for row in rows)["late"]
    return Sheet(
        name="district",
        title=gettext("街道地图"),
        says=gettext("%(n)s 段道路，%(gaps)s 段暂无路长", n=len(rows), gaps=gaps),
        rows=sorted(rows, key=lambda row: list(SIGNS).index(row.state), reverse=True),
        shapes=shapes,
        legend=[
            ("ok", SIGNS["ok"], gettext("有路长")),
            ("due", SIGNS["due"], gettext("代理")),
            ("late", SIGNS["late"], gettext("空缺")),
        ],
        empty=gettext("还没有道路。导入或画出道路后，这里列出每一段。"),
    )


def segment(session: Session, segment_id: uuid.UUID, *, at: datetime) -> Sheet:
    """One segment: its storefronts in walking order, up the left side and down the right."""
    found, _road = catalog.segment(session, segment_id)
    state = MARKS.get(catalog.segment_states(session, at=at).get(segment_id, ""), "none")
    chiefs = sights.in_public(catalog.charge(session, at=at, segment_id=segment_id))
    who = "、".join(dict.fromkeys(one.person for one in chiefs)) or gettext("暂无路长")
    sides = catalog.walk(session, segment_id)
    walked = [*sides.get("left", []), *reversed(sides.get("right", []))]
    line = shapely.to_geojson(found.line)
    shapes = [shape(line, key=str(found.id), state=state, title=found.name, lines=[who])]
    rows = []
    for shop in walked:
        rows.append(_line(shop))
        if shop.door is not None:
            lines = [shop.address or shop.house_number or ""]
            shapes.append(
                shape(
                    shapely.to_geojson(shop.door),
                    key=str(shop.id),
                    state="none" if not shop.name else "ok",
                    title=shop.name or gettext("空置铺位"),
                    lines=lines,
                )
            )
    return Sheet(
        name="segment",
        title=found.name,
        says=gettext("%(n)s 间铺位 · 路长：%(who)s", n=len(rows), who=who),
        rows=rows,
        shapes=shapes,
        legend=[
            ("ok", SIGNS["ok"], gettext("铺位（○ 空置）")),
            ("late", SIGNS["late"], gettext("空缺")),
        ],
        empty=gettext("没有铺位"),
    )


def _line(shop: Storefront) -> Row:
    state = "ok" if shop.name else "none"
    place = f"{shop.measure_m:.0f} m" if shop.measure_m is not None else ""
    sub = " · ".join(part for part in (shop.address or shop.house_number, place) if part)
    return Row(str(shop.id), state, SIGNS[state], shop.name or gettext("空置铺位"), sub)
