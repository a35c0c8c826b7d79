"""What each frontage of a segment says to those who answer for it: last visit and its grade, open
cases. The same marks on the strip, in the list beside it, on the map and in a saved file."""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext
from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.lib import geo
from roadchief.maps.duty_layers import IN_REACH
from roadchief.maps.sheets import SIGNS
from roadchief.patrol import rules
from roadchief.patrol.planning import due
from roadchief.patrol.standing import COUNTS, REVIEW
from roadchief.streets import standards
from roadchief.streets.models import Storefront

NUMBER = re.compile(r"(\d{1,6})", re.ASCII)
VISITS = text(
    f"""
SELECT f.id, v.last_at, v.grade FROM storefront f LEFT JOIN LATERAL (
  SELECT c.occurred_at AS last_at, c.grade FROM check_in c {REVIEW}
  WHERE c.subdistrict_id = :here AND c.storefront_id = f.id AND c.occurred_at <= :at AND {COUNTS}
  ORDER BY c.occurred_at DESC LIMIT 1) v ON true
WHERE f.subdistrict_id = :here AND f.id = ANY(:shops)
"""
)
# Those of the street itself come without a storefront.
CASES = text(
    f"""
SELECT c.storefront_id, count(*)::int AS open,
  count(*) FILTER (WHERE :at > c.due_at AND c.paused_at IS NULL)::int AS late
FROM case_file c WHERE c.subdistrict_id = :here AND c.segment_id = :segment
  AND c.ended_at IS NULL AND {IN_REACH} GROUP BY c.storefront_id
"""
)


@dataclass(frozen=True)
class Front:
    """State and sign are those of the last visit; the words tell it, its grade and the cases."""

    state: str
    sign: str
    visited: str = ""
    grade: str = ""
    cases: int = 0
    late: int = 0

    @property
    def told(self) -> str:
        """One line; empty where there is nothing to tell."""
        return " · ".join(part for part in (self.visited, self.grade, self.cases_told) if part)

    @property
    def cases_told(self) -> str:
        if not self.cases:
            return ""
        if self.late:
            return gettext("%(n)s 件在办，%(late)s 件逾期", n=self.cases, late=self.late)
        return gettext("%(n)s 件在办", n=self.cases)


@dataclass(frozen=True)
class Sight:
    """What somebody may know of a segment: when its shops were seen; whose cases (None: none)."""

    visits: bool
    reach: Mapping[str, Any] | None


@dataclass(frozen=True)
class Fronts:
    """Of a segment: `says` is the sentence above, `street` has the cases of no storefront."""

    by_shop: Mapping[uuid.UUID, Front]
    says: str
    street: Front
    visits: bool
    cases: bool
    every: int

    def of(self, shop_id: uuid.UUID) -> Front:
        return self.by_shop.get(shop_id, NOTHING)


NOTHING = Front("none", "")


def look(
    session: Session,
    segment_id: uuid.UUID,
    shops: Iterable[uuid.UUID],
    sight: Sight,
    *,
    at: datetime,
    language: str,
) -> Fronts:
    """Two questions, whatever the number of shops."""
    wanted, visits, reach = list(shops), sight.visits, sight.reach
    figures = rules.section("visits")
    every, soon = figures["scan_every_days"], figures["soon_days"]
    here = {"here": tenant_of(session), "at": at}
    seen = session.execute(VISITS, {**here, "shops": wanted}).all() if visits and wanted else []
    cases = session.execute(CASES, {**here, "segment": segment_id, **reach}).all() if reach else []
    found = {row.id: _visited(row, at, every, soon, language) for row in seen}
    for row in cases:
        was = found.get(row.storefront_id, NOTHING)
        found[row.storefront_id] = Front(
            was.state, was.sign, was.visited, was.grade, row.open, row.late
        )
    street = found.pop(None, NOTHING)
    says = _says(found, len(wanted), every, visits) + _cases_say([*found.values(), street], reach)
    return Fronts(found, says, street, visits, reach is not None, every)


def _visited(row: Any, at: datetime, every: int, soon: int, language: str) -> Front:
    judged = due.judge(row.last_at, at=at, every_days=every, soon_days=soon)
    state = due.MARKS[judged.state]
    if judged.days is None:
        words = gettext("还没有到过")
    elif judged.days == 0:
        words = gettext("今天到过")
    else:
        words = gettext("%(n)s 天前到过", n=judged.days)
    grade = standards.GRADES.get(row.grade)
    word = "" if grade is None else grade[0 if language == "zh" else 1]
    return Front(state, SIGNS[state], words, gettext("评为 %(grade)s", grade=word) if word else "")


def _says(found: Mapping[Any, Front], count: int, every: int, visits: bool) -> str:
    said = gettext("%(n)s 间铺位", n=count)
    if not visits:
        return said
    states = [one.state for one in found.values() if one.sign]
    late, never = states.count("late"), states.count("none")
    if late:
        said += gettext("，%(n)s 间超过 %(days)s 天未到", n=late, days=every)
    if never:
        said += gettext("，%(n)s 间还没有到过", n=never)
    if count and not late and not never:
        said += gettext("，都在 %(days)s 天内到过", days=every)
    return said


def _cases_say(fronts: Iterable[Front], reach: Mapping[str, Any] | None) -> str:
    if reach is None:
        return ""
    known = list(fronts)
    count, late = sum(one.cases for one in known), sum(one.late for one in known)
    if not count:
        return gettext("；没有在办案件")
    if late:
        return gettext("；%(n)s 件案件在办，%(late)s 件逾期", n=count, late=late)
    return gettext("；%(n)s 件案件在办", n=count)


WIDTHS_M = (4.0, 6.0, 9.0, 14.0, 20.0)


def width_of(shop: Storefront) -> int:
    """1 to 6, by the metres of its front; 1 where the front is not known."""
    front_m = geo.length_m(shop.frontage) if shop.frontage is not None else 0.0
    return 1 + sum(front_m >= step for step in WIDTHS_M)


def side_numbers(shops: Sequence[Storefront]) -> str:
    """`odd` or `even` where all house numbers of a side are; else empty."""
    found = [NUMBER.match(shop.house_number) for shop in shops]
    rests = {int(one[1]) % 2 if one else -1 for one in found}
    return "odd" if rests == {1} else "even" if rests == {0} else ""
