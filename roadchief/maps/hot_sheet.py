"""Hot spots and risk of the last night's run, each with its reasons."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

import shapely
from flask_babel import gettext
from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.insight import hints, risk
from roadchief.maps.sheets import Row, Sheet, shape

HOT_Z, HIGH_POINTS = 1.96, 30
MOST = 300
RISKS = text(
    f"""
SELECT r.id, r.points, r.reasons, r.z, s.name, ST_AsGeoJSON(s.line, 5) AS shape
FROM segment_risk r JOIN road_segment s ON s.subdistrict_id = :here AND s.id = r.id
WHERE r.subdistrict_id = :here AND r.points > 0 AND s.closed_at IS NULL
  AND (CAST(:among AS uuid[]) IS NULL OR r.id = ANY(:among))
ORDER BY r.points DESC, s.name LIMIT {MOST}
"""
)


def hot(session: Session, among: Sequence[uuid.UUID] | None, *, language: str) -> Sheet:
    values = {"here": tenant_of(session), "among": None if among is None else list(among)}
    risks = session.execute(RISKS, values).all()
    spots = hints.hot_spots(session, among=among)
    rows, shapes = [], []
    for spot in spots:
        title = gettext("%(n)s 件集中在一处", n=spot.cases)
        words = gettext("半径 %(n)s 米", n=round(spot.radius_m))
        key = str(spot.id)
        rows.append(Row(key, "late", "◎", title, words))
        shapes.append(
            shape(
                shapely.to_geojson(spot.place),
                key=key,
                state="late",
                sign="◎",
                title=title,
                lines=[words],
                radius_m=max(15, round(spot.radius_m)),
            )
        )
    for one in risks:
        row, drawn = _risk(one, language)
        rows.append(row)
        shapes.append(drawn)
    return Sheet(
        name="hot",
        title=gettext("热点和风险"),
        says=gettext("%(n)s 处案件集中，%(m)s 段有风险", n=len(spots), m=len(risks)),
        rows=rows,
        shapes=shapes,
        legend=[
            ("late", "◎", gettext("案件集中处")),
            ("late", "▲", gettext("热点：比周边明显多")),
            ("due", "◆", gettext("风险 %(n)s 分以上", n=HIGH_POINTS)),
            ("none", "○", gettext("风险较低")),
        ],
        empty=gettext("还没有计算，或没有风险。每晚计算一次，明早再看。"),
    )


def _risk(one: Any, language: str) -> tuple[Row, dict[str, Any]]:
    hot_here = one.z is not None and one.z > HOT_Z
    high = one.points >= HIGH_POINTS
    state, sign = ("late", "▲") if hot_here else ("due", "◆") if high else ("none", "○")
    why = one.reasons if isinstance(one.reasons, list) else json.loads(one.reasons)
    lines = [f"{risk.Part(**part).say(language)} +{part['points']:g}" for part in why]
    key = str(one.id)
    points = gettext("%(n)s 分", n=round(one.points))
    return (
        Row(key, state, sign, one.name, " · ".join(lines), points, f"/map/segments/{key}"),
        shape(one.shape, key=key, state=state, sign=sign, title=one.name, lines=lines, mark=True),
    )
