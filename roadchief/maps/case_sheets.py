"""Cases on the map: as they stood on a day of the last ninety, and two periods side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import gettext
from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.errors import NotFound
from roadchief.issues import categories, moves
from roadchief.lib import clock
from roadchief.maps.duty_layers import IN_REACH, LIGHT
from roadchief.maps.sheets import Row, Sheet, shape

DAYS = 90
MOST = 2000  # drawn at once; the rest is said
SHANGHAI = "AT TIME ZONE 'Asia/Shanghai'"
# Lights are those of the moment looked at; what one may see is always that of now.
LIGHT_THEN = LIGHT.replace(":at", ":moment")
LIGHTS = {
    "green": ("ok", "●"),
    "yellow": ("due", "◆"),
    "red": ("late", "▲"),
    "black": ("black", "■"),
    "paused": ("none", "‖"),
    "none": ("none", "○"),
}
ON_DAY = text(
    f"""
SELECT c.id, c.number, c.category, c.state, c.address, c.due_at, {LIGHT_THEN} AS light,
  ST_AsGeoJSON(c.place, 5) AS shape, count(*) OVER () AS total
FROM case_file c
WHERE c.subdistrict_id = :here AND c.reported_at <= :moment
  AND (c.ended_at IS NULL OR c.ended_at > :moment) AND {IN_REACH}
ORDER BY c.due_at NULLS LAST, c.id LIMIT {MOST}
"""
)
ONE = text(
    f"""
SELECT c.id, c.number, c.category, c.state, c.address, c.due_at, c.reported_at, {LIGHT} AS light,
  c.ended_at FROM case_file c WHERE c.subdistrict_id = :here AND c.id = :id AND {IN_REACH}
"""
)
# What each day changes: filed, ended, and how many more are past their time.
NUMBERS = text(
    f"""
WITH k AS (SELECT (c.reported_at {SHANGHAI})::date AS filed, (c.ended_at {SHANGHAI})::date AS done,
    CASE WHEN c.due_at <= :at AND (c.ended_at IS NULL OR c.ended_at > c.due_at)
      THEN (c.due_at {SHANGHAI})::date END AS late
  FROM case_file c WHERE c.subdistrict_id = :here AND {IN_REACH}
    AND (c.ended_at IS NULL OR (c.ended_at {SHANGHAI})::date >= :first))
SELECT day, sum(filed)::int AS filed, sum(ended)::int AS ended, sum(late)::int AS late FROM (
  SELECT greatest(filed, CAST(:first AS date) - 1) AS day, 1 AS filed, 0 AS ended, 0 AS late FROM k
  UNION ALL SELECT done, 0, 1, 0 FROM k WHERE done IS NOT NULL
  UNION ALL SELECT greatest(late, CAST(:first AS date) - 1), 0, 0, 1 FROM k WHERE late IS NOT NULL
  UNION ALL SELECT done, 0, 0, -1 FROM k WHERE late IS NOT NULL AND done IS NOT NULL
) q GROUP BY day ORDER BY day
"""
)
PERIODS = text(
    f"""
SELECT s.id, s.name, ST_AsGeoJSON(s.line, 5) AS shape,
  count(*) FILTER (WHERE c.reported_at >= :since AND c.reported_at < :until)::int AS now,
  count(*) FILTER (WHERE c.reported_at >= :with_since AND c.reported_at < :with_until)::int AS was
FROM case_file c JOIN road_segment s ON s.subdistrict_id = :here AND s.id = c.segment_id
WHERE c.subdistrict_id = :here AND {IN_REACH}
  AND ((c.reported_at >= :since AND c.reported_at < :until)
    OR (c.reported_at >= :with_since AND c.reported_at < :with_until))
GROUP BY s.subdistrict_id, s.id, s.name, s.line ORDER BY s.name, s.id
"""
)


@dataclass(frozen=True)
class Day:
    """A day in numbers: filed and ended on it, open and late at its end."""

    on: date
    filed: int
    ended: int
    open: int
    late: int


def category_word(code: str, language: str) -> str:
    known = categories.known().get(code)
    return code if known is None else (known.zh if language == "zh" else known.en)


def state_word(state: str, language: str) -> str:
    zh, en = moves.STATES.get(state, (state, state))
    return zh if language == "zh" else en


def light_word(light: str) -> str:
    words = {
        "green": gettext("按时"),
        "yellow": gettext("快到期"),
        "red": gettext("逾期"),
        "black": gettext("严重逾期"),
        "paused": gettext("已暂停"),
    }
    return words.get(light, gettext("无时限"))


def numbers(session: Session, values: Mapping[str, Any], *, at: datetime) -> list[Day]:
    """Ninety days, oldest first, in one question."""
    today = clock.local_date(at)
    first = today - timedelta(days=DAYS - 1)
    rows = session.execute(
        NUMBERS, {"here": tenant_of(session), "at": at, "first": first, **values}
    )
    by_day = {row.day: row for row in rows}
    before = by_day.get(first - timedelta(days=1))
    is_open, late = (before.filed - before.ended, before.late) if before else (0, 0)
    found = []
    for n in range(DAYS):
        on = first + timedelta(days=n)
        row = by_day.get(on)
        filed, ended = (row.filed, row.ended) if row else (0, 0)
        is_open, late = is_open + filed - ended, late + (row.late if row else 0)
        found.append(Day(on, filed, ended, is_open, late))
    return found


def weeks(days: list[Day]) -> list[Day]:
    """The same by calendar weeks, newest first: sums of what came and went, the end of the rest."""
    found: dict[date, Day] = {}
    for day in days:
        monday = day.on - timedelta(days=day.on.weekday())
        was = found.get(monday, Day(monday, 0, 0, 0, 0))
        found[monday] = Day(
            monday, was.filed + day.filed, was.ended + day.ended, day.open, day.late
        )
    return sorted(found.values(), key=lambda one: one.on, reverse=True)


def cases(
    session: Session, values: Mapping[str, Any], *, on: date, at: datetime, language: str
) -> Sheet:
    """Cases that were running at the end of that day (today: now)."""
    moment = min(at, end_of(on))
    bound = {"here": tenant_of(session), "at": at, "moment": moment, **values}
    found = session.execute(ON_DAY, bound).all()
    total = found[0].total if found else 0
    rows, shapes = [], []
    for one in found:
        state, sign = LIGHTS.get(one.light, ("none", "○"))
        title = category_word(one.category, language)
        words = f"{one.address or gettext('没有地址')} · {light_word(one.light)}"
        key = str(one.id)
        rows.append(Row(key, state, sign, title, words, one.number, f"/desk/cases/{key}"))
        if one.shape:
            more = f"/map/cases/{key}.json"
            shapes.append(
                shape(
                    one.shape,
                    key=key,
                    state=state,
                    sign=sign,
                    title=title,
                    lines=[words],
                    more=more,
                )
            )
    late = sum(1 for one in found if one.light in ("red", "black"))
    says = gettext("%(day)s：%(n)s 件在办，%(late)s 件逾期", day=on.isoformat(), n=total, late=late)
    notice = ""
    if total > MOST:
        notice = gettext("图上画最急的 %(n)s 件，共 %(total)s 件。", n=MOST, total=total)
    return Sheet(
        name="cases",
        title=gettext("案件和灯"),
        says=says,
        rows=rows,
        shapes=shapes,
        legend=[(*LIGHTS[one], light_word(one)) for one in LIGHTS],
        empty=gettext("这一天没有在办的案件。"),
        notice=notice,
        total=total,
    )


def case_lines(
    session: Session, case_id: Any, values: Mapping[str, Any], *, at: datetime, language: str
) -> dict[str, Any]:
    """What a touch on a case tells: no reporter, no words of citizens."""
    bound = {"here": tenant_of(session), "id": case_id, "at": at, **values}
    one = session.execute(ONE, bound).one_or_none()
    if one is None:
        raise NotFound
    stands = state_word(one.state, language)
    lines = [one.number, one.address]
    if one.ended_at is None:
        state, sign = LIGHTS.get(one.light, ("none", "○"))
        stands += f" · {light_word(one.light)}"
    else:
        state, sign = "ok", "✓"
    if one.due_at:
        due_at = clock.local(one.due_at).strftime("%Y-%m-%d %H:%M")
        lines.append(gettext("到期 %(at)s", at=due_at))
    return {
        "title": category_word(one.category, language),
        "lines": lines,
        "mark": {"state": state, "sign": sign, "word": stands},
        "address": f"/desk/cases/{case_id}",
    }


@dataclass(frozen=True)
class Periods:
    """Two periods of the same length; both ends belong to them."""

    since: date
    until: date
    with_since: date

    @property
    def with_until(self) -> date:
        return self.with_since + (self.until - self.since)


def compare(session: Session, values: Mapping[str, Any], wanted: Periods, *, at: datetime) -> Sheet:
    """Cases a segment in both periods, the greatest difference first."""
    bound = {
        "here": tenant_of(session),
        "at": at,
        "since": start_of(wanted.since),
        "until": end_of(wanted.until),
        "with_since": start_of(wanted.with_since),
        "with_until": end_of(wanted.with_until),
        **values,
    }
    found = sorted(session.execute(PERIODS, bound), key=lambda one: (one.was - one.now, one.name))
    rows, shapes = [], []
    for one in found:
        change = one.now - one.was
        state, sign = ("late", "▲") if change > 0 else ("ok", "▼") if change < 0 else ("none", "＝")
        words = gettext("%(was)s 件 → %(now)s 件", was=one.was, now=one.now)
        key = str(one.id)
        more = f"{change:+d}" if change else "0"
        rows.append(Row(key, state, sign, one.name, words, more, f"/map/segments/{key}"))
        shapes.append(
            shape(
                one.shape, key=key, state=state, sign=sign, title=one.name, lines=[words], mark=True
            )
        )
    was, now = sum(one.was for one in found), sum(one.now for one in found)
    notice = ""
    if found and not (was and now):
        which = gettext("前一时段") if now else gettext("后一时段")
        notice = gettext("%(which)s没有案件，差别只说明有没有记录。", which=which)
    return Sheet(
        name="compare",
        title=gettext("前后对比"),
        says=gettext("前 %(was)s 件，后 %(now)s 件", was=was, now=now),
        rows=rows,
        shapes=shapes,
        legend=[
            ("late", "▲", gettext("增加")),
            ("ok", "▼", gettext("减少")),
            ("none", "＝", gettext("持平")),
        ],
        empty=gettext("两个时段都没有案件。换一个时段再看。"),
        notice=notice,
    )


def start_of(on: date) -> datetime:
    return datetime.combine(on, time(), clock.SHANGHAI)


def end_of(on: date) -> datetime:
    return start_of(on) + timedelta(days=1)
