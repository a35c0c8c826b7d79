"""The same matter twice: found, offered, merged, and taken apart again."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import shapely
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.issues import categories, clocks, moves
from roadchief.issues.cases import Who, locked, move
from roadchief.issues.models import Case, CaseStep
from roadchief.issues.opening import end_merchants_time
from roadchief.issues.refusals import MergeCycle, bad
from roadchief.lib.text import pieces

CLOSED_LATELY = timedelta(days=7)  # [D] also offered, so that it may be reopened instead
MOST = 5
# Words that share less than this much of their pieces do not speak of the same thing; reports
# without words are judged by place and class alone.
ALIKE = 0.12
DEGREE_M = 111_320.0

NEAR = text(
    """
SELECT c.id, c.number, c.category, c.state, c.address, c.words, c.public_words, c.reported_at,
  c.ended_at, c.storefront_id, c.followers, c.closing_kind,
  ST_Distance(CAST(c.place AS geography), CAST(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)
    AS geography)) AS metres
FROM case_file c
WHERE c.subdistrict_id = :here AND c.master_id IS NULL AND c.state <> 'rejected'
  AND (c.ended_at IS NULL OR c.ended_at > :lately)
  AND c.place && ST_Expand(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), :box)
  AND c.category = ANY(:classes)
  AND (c.storefront_id = :shop OR ST_DWithin(CAST(c.place AS geography),
    CAST(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) AS geography), :reach))
  AND (CAST(:not_this AS uuid) IS NULL OR c.id <> :not_this)
ORDER BY (c.storefront_id IS NOT DISTINCT FROM CAST(:shop AS uuid)) DESC, metres, c.reported_at DESC
LIMIT 40
"""
)


@dataclass(frozen=True)
class Alike:
    """A case that may be the same matter; `why` are the reasons in both languages."""

    id: uuid.UUID
    number: str
    category: str
    state: str
    address: str
    words: str
    reported_at: datetime
    metres: float
    same_place: bool
    likeness: float
    followers: int
    zh: str
    en: str


def alike(
    session: Session,
    *,
    category: str,
    place: shapely.Point | None,
    storefront_id: uuid.UUID | None,
    words: str,
    at: datetime,
    public: bool,
    not_this: uuid.UUID | None = None,
) -> list[Alike]:
    """Cases of the same class here: open or lately closed, likeliest first.

    For the public only what is public, with released words; for the desk the raw ones.
    """
    kind = categories.find(category)
    classes = [kind.code] if kind.group != "other" else list(categories.known())
    if public:
        classes = [code for code in classes if code in categories.public_codes()]
    if place is None or not classes:
        return []
    values = {
        "here": tenant_of(session),
        "lon": place.x,
        "lat": place.y,
        "box": max(kind.near_m, 25.0) / DEGREE_M * 1.3,
        "reach": kind.near_m,
        "classes": classes,
        "shop": storefront_id,
        "lately": at - CLOSED_LATELY,
        "not_this": not_this,
    }
    mine = set(pieces(words))
    found = [_judged(row, mine, storefront_id, public) for row in session.execute(NEAR, values)]
    kept = [one for one in found if one.likeness >= ALIKE or not mine or one.likeness < 0]
    return sorted(kept, key=lambda one: (-one.likeness, one.metres))[:MOST]


def likeness(mine: set[str], theirs: set[str]) -> float:
    """Shared pieces by the shorter text: 0 to 1; -1 where one of them says nothing."""
    if not mine or not theirs:
        return -1.0
    return len(mine & theirs) / min(len(mine), len(theirs))


def merge(
    session: Session,
    case: Case,
    *,
    into: uuid.UUID,
    who: Who,
    at: datetime,
    words: str,
    seen: int | None = None,
) -> CaseStep:
    """The copy points to the master, which keeps the earliest receipt. Nothing is lost.

    Both rows are locked in order of id, so that two who merge them into each other cannot wait
    for one another: the second finds a master that is itself a copy, and is refused.
    """
    ids = sorted((case.id, into))
    rows = {key: locked(session, key) for key in ids}
    copy, master = rows[case.id], rows[into]
    if master.id == copy.id or master.master_id is not None or master.state == "duplicate":
        raise MergeCycle(number=master.number)
    if who.part == moves.UNIT and master.unit_id != copy.unit_id:
        raise bad("并入 target", "只能并入本单位在办的案件", "only into a case that your unit has")
    has_copies = session.scalar(
        select(Case.id)
        .where(Case.subdistrict_id == copy.subdistrict_id, Case.master_id == copy.id)
        .limit(1)
    )
    if has_copies:
        raise MergeCycle(number=copy.number)
    came_from, begun = copy.state, copy.begun_at
    step = move(
        session,
        copy,
        "duplicate",
        who=who,
        at=at,
        words=words,
        seen=seen,
        data={"master": master.number, "begun_at": begun.isoformat()},
    )
    copy.master_id, copy.came_from = master.id, came_from
    end_merchants_time(session, copy, at=at)
    clocks.pause(session, copy, "ended", because=f"并入 {master.number}", at=at)
    clocks.reckon(session, copy, at=at)
    if begun < master.begun_at:
        master.begun_at = begun
        clocks.reckon(session, master, at=at)
    master.followers += copy.followers + 1
    master.updated_at = at
    return step


def unmerge(
    session: Session, case: Case, *, who: Who, at: datetime, words: str, seen: int | None = None
) -> CaseStep:
    """The copy is a case of its own again, with its own clock, wherever the master stands."""
    master = locked(session, case.master_id) if case.master_id else None
    step = move(session, case, "unmerge", who=who, at=at, words=words, seen=seen)
    case.master_id = case.came_from = None
    clocks.go_on(session, case, "ended", at=at)
    clocks.reckon(session, case, at=at)
    if master:
        master.followers = max(0, master.followers - case.followers - 1)
        master.updated_at = at
    return step


def _judged(row: Any, mine: set[str], storefront_id: uuid.UUID | None, public: bool) -> Alike:
    shown = (row.public_words or "") if public else row.words
    same = storefront_id is not None and row.storefront_id == storefront_id
    score = likeness(mine, set(pieces(row.words)))
    where_zh = "同一铺位" if same else f"相距 {row.metres:.0f} 米"
    where_en = "same storefront" if same else f"{row.metres:.0f} m away"
    state = moves.STATES[row.state]
    words_zh = f"、用词相近 {score:.0%}" if score > ALIKE else ""
    words_en = f", words alike {score:.0%}" if score > ALIKE else ""
    return Alike(
        id=row.id,
        number=row.number,
        category=row.category,
        state=row.state,
        address=row.address,
        words=shown,
        reported_at=row.reported_at,
        metres=row.metres,
        same_place=same,
        likeness=score,
        followers=row.followers,
        zh=f"同类、{where_zh}{words_zh}、{state[0]}",
        en=f"same class, {where_en}{words_en}, {state[1]}",
    )
