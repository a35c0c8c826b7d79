"""Reads of the dashboards: shares a week and a block, in a fixed number of questions."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.insight import sums, weekly
from roadchief.insight.goals import NOTHING, Measure, goals, indicators, themes
from roadchief.insight.sums import Kept
from roadchief.insight.weekly import WEEK, Cells, Span
from roadchief.lib import clock
from roadchief.streets.models import StreetBlock, Subdistrict

EARLIEST = date(2000, 1, 3)
WEEKS = 8


@dataclass(frozen=True)
class Group:
    """A block, or the whole: each indicator over all weeks, or at the end where it is a state."""

    id: uuid.UUID | None
    name: str
    theme: str | None
    measures: dict[str, Measure]


@dataclass(frozen=True)
class Board:
    """What the page of a sub-district shows."""

    span: Span
    total: Group
    weekly: dict[str, list[Measure]]
    blocks: list[Group]
    kept: Kept | None = None


def span(asked: str | None, *, at: datetime) -> Span:
    """The weeks up to the day asked for; what is odd, or not yet, is up to today."""
    today = clock.local_date(at)
    try:
        last = date.fromisoformat((asked or "").strip()[:10])
    except ValueError:
        last = today
    last = min(max(last, EARLIEST + WEEKS * WEEK), today)
    return Span(last - timedelta(days=last.weekday()) - (WEEKS - 1) * WEEK, at)


def board(session: Session, over: Span) -> Board:
    """Everything of the page; the blocks by their names, what lies in none of them last."""
    cells, kept = _cells(session, over)
    here = tenant_of(session)
    known = {
        row.id: row
        for row in session.scalars(
            select(StreetBlock).where(
                StreetBlock.subdistrict_id == here, StreetBlock.closed_at.is_(None)
            )
        )
    }
    grouped: dict[uuid.UUID | None, list[dict[str, Measure]]] = {
        key: [{} for _ in range(WEEKS)] for key in (*known, None)
    }
    whole: list[dict[str, Measure]] = [{} for _ in range(WEEKS)]
    for (week, block), found in cells.items():
        for name, measure in found.items():
            for home in (whole[week], grouped[block if block in known else None][week]):
                home[name] = home.get(name, NOTHING) + measure
    blocks = [
        Group(key, row.name, row.theme, _fold(grouped[key]))
        for key, row in sorted(known.items(), key=lambda one: (one[1].name, one[0]))
    ]
    beyond = _fold(grouped[None])
    if any(measure.whole for measure in beyond.values()):
        blocks.append(Group(None, "", None, beyond))
    series = {name: [week.get(name, NOTHING) for week in whole] for name in indicators()}
    return Board(over, Group(None, "", None, _fold(whole)), series, blocks, kept)


def totals(session: Session, over: Span) -> Group:
    """One row of the roll-up: this sub-district's sums, nobody's name."""
    here = tenant_of(session)
    weeks: list[dict[str, Measure]] = [{} for _ in range(WEEKS)]
    for (week, _block), found in _cells(session, over)[0].items():
        for name, measure in found.items():
            weeks[week][name] = weeks[week].get(name, NOTHING) + measure
    place = session.get(Subdistrict, here)
    return Group(None, place.name if place else str(here), None, _fold(weeks))


def shown() -> list[str]:
    """Every indicator that a goal or a theme names, in that order."""
    named = [name for _words, shows in goals().values() for name in shows]
    return list(dict.fromkeys([*named, *(name for shows in themes().values() for name in shows)]))


def _cells(session: Session, over: Span) -> tuple[Cells, Kept | None]:
    """Every week and block; with what was kept, where there is too much to ask at every view."""
    found = weekly.light(session, over)
    kept = sums.kept(session, over) if sums.many(session) else None
    for key, more in (kept.cells if kept else weekly.heavy(session, over)).items():
        found[key] |= more
    return found, kept


def _fold(weeks: list[dict[str, Measure]]) -> dict[str, Measure]:
    """What happened adds up; what is a state is as it stood last."""
    folded = {}
    for name, indicator in indicators().items():
        if indicator.stock:
            folded[name] = weeks[-1].get(name, NOTHING)
        else:
            folded[name] = sum((week.get(name, NOTHING) for week in weeks), NOTHING)
    return folded
