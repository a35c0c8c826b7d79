"""A patrol day: where it walked, and its visits in order with their verdicts."""

import math
import uuid
from collections.abc import Iterable, Sequence
from statistics import median_low
from typing import Any

import shapely
from flask_babel import gettext
from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.lib import clock
from roadchief.maps.sheets import SIGNS, Row, Sheet, shape
from roadchief.patrol.chief import board
from roadchief.patrol.phone import tracks
from roadchief.patrol.planning import shifts
from roadchief.streets.models import RoadSegment

MOST = 600  # visits of a shift
FAR_M = 5000  # a fix farther than this from the beat is a fault of the phone
LEAP_MPS, LEAP_M = 8.0, 100.0  # faster than this nobody walks: the line breaks
DEGREE_M = 111_320.0
OUTCOMES = {"verified": "ok", "weak": "due", "contradicted": "late"}
TRACKS = text(
    "SELECT t.points FROM track t WHERE t.subdistrict_id = :here AND t.shift_id = :id "
    "ORDER BY t.starts_at, t.id LIMIT 200"
)
VISITS = text(
    f"""
SELECT c.id, c.occurred_at, c.outcome, c.distance_m, f.name, f.address,
  ST_AsGeoJSON(f.door, 6) AS shape
FROM check_in c JOIN storefront f ON f.subdistrict_id = :here AND f.id = c.storefront_id
WHERE c.subdistrict_id = :here AND c.shift_id = :id ORDER BY c.occurred_at, c.id LIMIT {MOST}
"""
)
Fix = tuple[float, float, float]  # seconds, longitude, latitude


def outcome_word(outcome: str) -> str:
    words = {
        "verified": gettext("已核验"),
        "weak": gettext("待佐证"),
        "contradicted": gettext("位置不符"),
    }
    return words[outcome]


def patrol(session: Session, shift_id: uuid.UUID, mine: Sequence[uuid.UUID] | None) -> Sheet:
    """Not found unless the shift walks one of these segments (None: all)."""
    shift, beat = shifts.find(session, shift_id), shifts.segments_of(session, shift_id)
    if beat or mine is not None:  # who sees all also sees a shift whose streets were taken away
        board.check_shift(session, shift_id, mine)
    values = {"here": tenant_of(session), "id": shift_id}
    lines, strayed = walked(session.scalars(TRACKS, values), _middle(beat))
    shapes = [_street(one) for one in beat]
    if lines:
        geometry = {"type": "MultiLineString", "coordinates": lines}
        shapes.append(
            shape(geometry, key="track", state="walk", sign="━", title=gettext("走过的路线"))
        )
    rows = []
    for number, one in enumerate(session.execute(VISITS, values), 1):
        row, drawn = _visit(number, one)
        rows.append(row)
        shapes.append(drawn)
    return Sheet(
        name="patrol",
        title=gettext("巡查的一天"),
        says=gettext(
            "%(at)s %(title)s：到访 %(n)s 次",
            at=clock.local(shift.starts_at).strftime("%Y-%m-%d %H:%M"),
            title=shift.title or "",
            n=len(rows),
        ),
        rows=rows,
        shapes=shapes,
        legend=[
            *((state, SIGNS[state], outcome_word(name)) for name, state in OUTCOMES.items()),
            ("walk", "━", gettext("走过的路线")),
            ("beat", "┅", gettext("本班路段")),
        ],
        empty=gettext("这一班还没有到访记录。手机同步后显示在这里。"),
        notice=_notice(bool(lines), strayed, bool(rows), bool(beat)),
    )


def _notice(drawn: bool, strayed: int, visited: bool, streets: bool) -> str:
    if strayed and not streets:
        return gettext("这一班没有路段；%(n)s 个定位点离其余的太远，没有画。", n=strayed)
    if strayed:
        return gettext("%(n)s 个定位点离本班路段太远，没有画。", n=strayed)
    if visited and not drawn:
        return gettext("没有轨迹：没有打开定位，或已过保存期。")
    return ""


def walked(
    pieces: Iterable[Sequence[Sequence[float]]], middle: tuple[float, float] | None
) -> tuple[list[list[list[float]]], int]:
    """(lines, number of fixes left out): broken where nobody could have walked or nothing is
    known for long. Without a beat the fixes have a middle of their own."""
    fixes = sorted((p[0] / 1000, p[2], p[1]) for piece in pieces for p in piece)
    if middle is None and fixes:
        middle = (median_low([fix[1] for fix in fixes]), median_low([fix[2] for fix in fixes]))
    near = [fix for fix in fixes if middle is None or metres(fix[1:], middle) <= FAR_M]
    gap_s = tracks.rule().gap_s
    lines: list[list[list[float]]] = []
    last: Fix | None = None
    for fix in near:
        if last is None or _broken(last, fix, gap_s):
            lines.append([])
        lines[-1].append([round(fix[1], 6), round(fix[2], 6)])
        last = fix
    return [line for line in lines if len(line) > 1], len(fixes) - len(near)


def metres(one: Sequence[float], other: Sequence[float]) -> float:
    """Near enough for streets, and large for what is far."""
    east = (one[0] - other[0]) * math.cos(math.radians((one[1] + other[1]) / 2))
    return math.hypot(east, one[1] - other[1]) * DEGREE_M


def _broken(last: Fix, fix: Fix, gap_s: float) -> bool:
    seconds, far = fix[0] - last[0], metres(last[1:], fix[1:])
    return seconds > gap_s or far > max(LEAP_M, LEAP_MPS * seconds)


def _middle(beat: Sequence[RoadSegment]) -> tuple[float, float] | None:
    if not beat:
        return None
    centre = shapely.unary_union([one.line for one in beat]).centroid
    return (centre.x, centre.y)


def _street(one: RoadSegment) -> dict[str, Any]:
    geometry = {"type": "LineString", "coordinates": [[p[0], p[1]] for p in one.line.coords]}
    return shape(geometry, key=str(one.id), state="beat", sign="┅", title=one.name)


def _visit(number: int, one: Any) -> tuple[Row, dict[str, Any]]:
    state = OUTCOMES[one.outcome]
    title = f"{number}. {one.name or gettext('空置铺位')}"
    words = f"{clock.local(one.occurred_at):%H:%M} · {outcome_word(one.outcome)}"
    if one.distance_m is not None:
        words += " · " + gettext("距门 %(n)s 米", n=round(one.distance_m))
    key = str(one.id)
    lines = [one.address, words]
    return (
        Row(key, state, SIGNS[state], title, f"{one.address} · {words}"),
        shape(one.shape, key=key, state=state, title=title, lines=lines, number=number),
    )
