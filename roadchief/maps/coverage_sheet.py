"""Coverage and freshness: which segments have shops that nobody saw for long, oldest first."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext
from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.errors import NotFound
from roadchief.maps.duty_layers import OWN
from roadchief.maps.sheets import SIGNS, Row, Sheet, shape
from roadchief.patrol import rules
from roadchief.patrol.coverage import covering
from roadchief.patrol.planning import due
from roadchief.patrol.standing import LAST, LATELY, LATELY_OR_LAST
from roadchief.streets import catalog
from roadchief.streets.charge import RUNNING

OLDEST = 12
SUMS = """count(*)::int AS shops, count(*) FILTER (WHERE v.last_at IS NULL)::int AS never,
    count(*) FILTER (WHERE coalesce(v.last_at, f.opened_at) < :since)::int AS late,
    min(coalesce(v.last_at, f.opened_at)) AS oldest"""
# Of each segment in reach: its shops, those never seen, and since when the oldest waits.
SEGMENTS = text(
    f"""
WITH {RUNNING}
SELECT s.id, s.name, ST_AsGeoJSON(s.line, 5) AS shape, n.shops, n.never, n.late, n.oldest
FROM road_segment s JOIN LATERAL (
  SELECT {SUMS} FROM storefront f {LAST}
  WHERE f.subdistrict_id = :here AND f.segment_id = s.id AND f.closed_at IS NULL) n ON true
WHERE s.subdistrict_id = :here AND s.closed_at IS NULL AND {OWN}
ORDER BY n.late > 0 DESC, n.late DESC, n.oldest NULLS LAST, s.name, s.id
"""
)
# The same for whoever sees everywhere: what was seen lately is gathered once.
ALL_SEGMENTS = text(
    f"""
WITH {LATELY}, n AS MATERIALIZED (
  SELECT f.segment_id, {SUMS}
  FROM (SELECT f.id, f.segment_id, f.opened_at, coalesce(l.last_at, v.last_at) AS last_at
    FROM storefront f {LATELY_OR_LAST}
    WHERE f.subdistrict_id = :here AND f.segment_id IS NOT NULL AND f.closed_at IS NULL) f
  CROSS JOIN LATERAL (SELECT f.last_at) v
  GROUP BY f.segment_id
)
SELECT s.id, s.name, ST_AsGeoJSON(s.line, 5) AS shape, coalesce(n.shops, 0) AS shops,
  coalesce(n.never, 0) AS never, coalesce(n.late, 0) AS late, n.oldest
FROM road_segment s LEFT JOIN n ON n.segment_id = s.id
WHERE s.subdistrict_id = :here AND s.closed_at IS NULL
ORDER BY coalesce(n.late, 0) > 0 DESC, coalesce(n.late, 0) DESC, n.oldest NULLS LAST, s.name, s.id
"""
)


def _every() -> tuple[int, int]:
    figures = rules.section("visits")
    return figures["scan_every_days"], figures["soon_days"]


def legend(every: int) -> list[tuple[str, str, str]]:
    return [
        ("ok", SIGNS["ok"], gettext("都在 %(n)s 天内到过", n=every)),
        ("due", SIGNS["due"], gettext("快到期")),
        ("late", SIGNS["late"], gettext("有铺位超过 %(n)s 天未到（数字：间）", n=every)),
        ("none", SIGNS["none"], gettext("路段没有铺位；铺位还没有到过")),
    ]


def coverage(session: Session, values: Mapping[str, Any], *, at: datetime) -> Sheet:
    every, soon = _every()
    asked = {"here": tenant_of(session), "at": at, "since": at - timedelta(days=every), **values}
    found = session.execute(ALL_SEGMENTS if values["everywhere"] else SEGMENTS, asked).all()
    rows, shapes, late, waiting = [], [], 0, 0
    for one in found:
        state, words = _judge(one, at, every, soon)
        late += state == "late"
        waiting += one.late
        # Since when the oldest waits; where nobody was ever, that is since it opened.
        days = max(0, (at - one.oldest).days) if one.oldest and one.never < one.shops else None
        key = str(one.id)
        rows.append(
            Row(
                key,
                state,
                SIGNS[state],
                one.name,
                words,
                "" if days is None else gettext("%(n)s 天", n=days),
                f"/map/coverage?segment={key}",
            )
        )
        more = f"/map/coverage/{key}.json"
        number = {"number": one.late} if state == "late" and one.late else {}
        shapes.append(
            shape(
                one.shape, key=key, state=state, title=one.name, lines=[words], more=more, **number
            )
        )
    return Sheet(
        name="coverage",
        title=gettext("覆盖和新鲜度"),
        says=_says(found, late, waiting, every),
        rows=rows,
        shapes=shapes,
        legend=legend(every),
        empty=gettext("还没有由您负责的路段。任命或导入道路后，这里按最久未到排列。"),
    )


def _says(found: Sequence[Any], late: int, waiting: int, every: int) -> str:
    """What the picture comes to; that all were seen only where somebody has seen them."""
    never, streets = sum(one.never for one in found), sum(one.shops > 0 for one in found)
    if not streets:
        return gettext("%(n)s 段还没有铺位", n=len(found))
    if not late and never:
        return gettext("没有逾期的路段；%(shops)s 间铺位还没有到过", shops=never)
    if not late:
        return gettext("%(n)s 段都在 %(days)s 天内到过", n=streets, days=every)
    return gettext(
        "%(n)s 段中 %(late)s 段、共 %(shops)s 间铺位超过 %(days)s 天未到",
        n=len(found),
        late=late,
        shops=waiting,
        days=every,
    )


def _judge(one: Any, at: datetime, every: int, soon: int) -> tuple[str, str]:
    if not one.shops:
        return "none", gettext("没有铺位")
    words = gettext("%(n)s 间铺位", n=one.shops)
    if one.late > one.never:
        words += " · " + gettext("%(n)s 间超过 %(days)s 天未到", n=one.late, days=every)
    if one.never:
        words += " · " + gettext("从未到过 %(n)s 间", n=one.never)
    state = due.MARKS[due.judge(one.oldest, at=at, every_days=every, soon_days=soon).state]
    # Not late yet, and nobody was there: that is no visit.
    return ("none" if one.never == one.shops and not one.late else state), words


def oldest(
    session: Session,
    segment_id: uuid.UUID,
    mine: Sequence[uuid.UUID] | None,
    *,
    at: datetime,
    language: str,
) -> tuple[str, list[Row]]:
    """(the segment's name, its shops, the longest unseen first); out of reach is not found."""
    if mine is not None and segment_id not in mine:
        raise NotFound
    segment, _road = catalog.segment(session, segment_id)
    every, soon = _every()
    since = at - timedelta(days=every)
    seen = covering.look(session, [segment_id], since=since, at=at, size=OLDEST)
    rows = []
    for shop in seen.shops:
        judged = due.judge(shop.last_at, at=at, every_days=every, soon_days=soon)
        state = due.MARKS[judged.state]
        rows.append(
            Row(
                str(shop.id),
                state,
                SIGNS[state],
                shop.name or gettext("空置铺位"),
                f"{shop.address} · {judged.say(language, every_days=every)}",
                gettext("从未到过") if judged.days is None else gettext("%(n)s 天", n=judged.days),
                f"/map/storefronts/{shop.id}",
            )
        )
    return segment.name, rows
