"""The district and one segment as sheets: what their map pages tell, ready to be saved."""

import uuid
from collections import Counter, defaultdict
from datetime import datetime

import shapely
from flask_babel import gettext
from sqlalchemy.orm import Session

from roadchief.lib import clock
from roadchief.maps import frontages, hours, sights, wording
from roadchief.maps.frontages import NOTHING, Fronts, Sight
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


def segment(
    session: Session,
    segment_id: uuid.UUID,
    *,
    at: datetime,
    sight: Sight | None = None,
    language: str = "zh",
) -> Sheet:
    """One segment: its storefronts in walking order, up the left side and down the right. With a
    `sight` each by its last visit and its open cases, else as everybody sees them."""
    found, road = catalog.segment(session, segment_id)
    state = MARKS.get(catalog.segment_states(session, at=at).get(segment_id, ""), "none")
    chiefs = sights.in_public(catalog.charge(session, at=at, segment_id=segment_id))
    who = "、".join(dict.fromkeys(one.person for one in chiefs)) or gettext("暂无路长")
    sides = catalog.walk(session, segment_id)
    walked = [*sides.get("left", []), *reversed(sides.get("right", []))]
    fronts = (
        frontages.look(
            session, segment_id, [shop.id for shop in walked], sight, at=at, language=language
        )
        if sight
        else None
    )
    line = shapely.to_geojson(found.line)
    shapes = [shape(line, key=str(found.id), state=state, title=found.name, lines=[who])]
    rows = []
    for shop in walked:
        row = _line(shop, fronts)
        rows.append(row)
        if shop.door is not None:
            place = shapely.to_geojson(shop.door)
            lines = [row.sub]
            shapes.append(
                shape(
                    place, key=row.key, state=row.state, sign=row.sign, title=row.title, lines=lines
                )
            )
    says = fronts.says if fronts else gettext("%(n)s 间铺位", n=len(rows))
    return Sheet(
        name="segment",
        title=found.name,
        says=says + gettext(" · 路长：%(who)s", who=who),
        rows=rows,
        shapes=shapes,
        legend=_signs(fronts),
        empty=gettext("没有铺位"),
        more={"road": road, "segment": found, "sides": sides, "fronts": fronts},
    )


def _signs(fronts: Fronts | None) -> list[tuple[str, str, str]]:
    if fronts and fronts.visits:
        every = fronts.every
        return [
            ("ok", SIGNS["ok"], gettext("%(n)s 天内到过", n=every)),
            ("due", SIGNS["due"], gettext("快到期")),
            ("late", SIGNS["late"], gettext("超过 %(n)s 天未到", n=every)),
            ("none", SIGNS["none"], gettext("还没有到过")),
        ]
    return [("ok", SIGNS["ok"], gettext("在营")), ("none", SIGNS["none"], gettext("空置"))]


def _line(shop: Storefront, fronts: Fronts | None) -> Row:
    front = fronts.of(shop.id) if fronts else NOTHING
    state = "ok" if shop.name else "none"
    if front.sign:
        state = front.state
    place = f"{shop.measure_m:.0f} m" if shop.measure_m is not None else ""
    parts = (shop.address or shop.house_number, "" if front.told else place, front.told)
    sub = " · ".join(part for part in parts if part)
    return Row(str(shop.id), state, SIGNS[state], shop.name or gettext("空置铺位"), sub)


OPEN = {True: ("ok", "●"), False: ("none", "○"), None: ("due", "◇")}


def stations(session: Session, *, at: datetime, code: int | None = None) -> Sheet:
    """Service stations, those open now first. `code`: of whom a touch asks for the rest."""
    rows, shapes = [], []
    for one in catalog.stations(session):
        sight = wording.station_sight(one, at)
        state, sign = OPEN[hours.open_at(one.hours, clock.local(at))]
        word = sight.mark.word if sight.mark else gettext("没有登记开放时间")
        key = str(one.id)
        rows.append(Row(key, state, sign, one.name, " · ".join((sight.kind, *sight.lines)), word))
        place = shapely.to_geojson(one.place)
        more = f"/map/stations/{key}.json?s={code}" if code else ""
        lines = [sight.kind, word, *sight.lines]
        shapes.append(
            shape(place, key=key, state=state, sign=sign, title=one.name, lines=lines, more=more)
        )
    is_open = sum(1 for row in rows if row.state == "ok")
    rows.sort(
        key=lambda row: ([state for state, _sign in OPEN.values()].index(row.state), row.title)
    )
    return Sheet(
        name="stations",
        title=gettext("服务站点"),
        says=gettext("%(n)s 个服务站，%(open)s 个现在开放", n=len(rows), open=is_open),
        rows=rows,
        shapes=shapes,
        legend=[
            (*OPEN[True], gettext("开放中")),
            (*OPEN[False], gettext("现在不开放")),
            (*OPEN[None], gettext("没有登记开放时间")),
        ],
        empty=gettext("还没有登记服务站。在“管理”里登记后，显示在这里。"),
    )
