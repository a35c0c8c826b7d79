"""How far from the frontage still counts as there, segment by segment, with its history.

The figure of `rules.toml` applies until somebody sets another for a segment. Each change is a new
row with its reason and the moment from which it counts; the last one said that counts at a moment
is in force. A visit is judged by the radius of its own moment, also when it arrives late.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.accounts.models import Person
from roadchief.db import in_turn, new_id, tenant_of
from roadchief.errors import BadInput, Conflict, RuleBroken
from roadchief.patrol import rules
from roadchief.patrol.plan_models import RadiusChange
from roadchief.patrol.presence.reach import CONTRADICTED, VERIFIED, WEAK, verdict
from roadchief.patrol.rules import Reach
from roadchief.streets import register
from roadchief.streets.models import RoadSegment

LEAST_M, MOST_M = 10.0, 100.0
FARTHEST = timedelta(days=90)
MOST_SHOWN = 50
OUTCOMES = (VERIFIED, WEAK, CONTRADICTED)

events.declare(
    {"patrol.radius_set": "the presence radius of a segment was set, from when and with the reason"}
)

# The radius of one segment at :walk_at, for joins; `{segment}` is the column with its id.
JOINED = """
LEFT JOIN LATERAL (SELECT r.radius_m FROM radius_change r WHERE r.subdistrict_id = :here
  AND r.segment_id = {segment} AND r.from_at <= :walk_at
  ORDER BY r.set_at DESC, r.id DESC LIMIT 1) r ON true
"""
OF_SEGMENTS = text(
    """
SELECT DISTINCT ON (r.segment_id) r.segment_id, r.radius_m FROM radius_change r
WHERE r.subdistrict_id = :here AND r.segment_id = ANY(:segments) AND r.from_at <= :at
ORDER BY r.segment_id, r.set_at DESC, r.id DESC
"""
)


LATELY = timedelta(days=30)
MEASURED = text(
    """
SELECT distance_m, accuracy_m, count(*) AS visits FROM check_in
WHERE subdistrict_id = :here AND segment_id = :segment AND occurred_at > :since
  AND purpose <> 'self_check' GROUP BY distance_m, accuracy_m LIMIT 20000
"""
)


class ChangedMeanwhile(Conflict):
    zh = "刚刚有人改过这段路的半径，请看过现在的值再改"
    en = "somebody changed the radius of this segment just now: look at it first"


class NoChange(RuleBroken):
    zh = "与现在的半径相同，没有改动"
    en = "this is the present radius: nothing was changed"


@dataclass(frozen=True)
class Entry:
    """A line of the history. `radius_m` None: back to the figure of the rules."""

    row: RadiusChange
    by: str | None


@dataclass(frozen=True)
class Held:
    """What a segment has: the radius in force, one that is to come, and all changes."""

    radius_m: float
    own: bool
    pending: RadiusChange | None
    history: list[Entry]

    @property
    def seen(self) -> uuid.UUID | None:
        """The newest change: who sets another must have looked at it."""
        return self.history[0].row.id if self.history else None


def in_force(changes: Sequence[tuple[datetime, float | None]], at: datetime) -> float | None:
    """Of changes in the order in which they were said: the last that counts at `at`."""
    counting = [radius for from_at, radius in changes if from_at <= at]
    return counting[-1] if counting else None


def of_segments(
    session: Session, segments: list[uuid.UUID], *, at: datetime
) -> dict[uuid.UUID, float | None]:
    """Own figures of these segments; those that go by the rules are absent or None."""
    values = {"here": tenant_of(session), "segments": segments, "at": at}
    return {row.segment_id: row.radius_m for row in session.execute(OF_SEGMENTS, values)}


def look(session: Session, segment_id: uuid.UUID, *, at: datetime) -> Held:
    """Newest change first."""
    rows = session.execute(
        select(RadiusChange, Person.name)
        .outerjoin(
            Person,
            (Person.subdistrict_id == RadiusChange.subdistrict_id)
            & (Person.id == RadiusChange.set_by),
        )
        .where(RadiusChange.subdistrict_id == tenant_of(session))
        .where(RadiusChange.segment_id == segment_id)
        .order_by(RadiusChange.set_at.desc(), RadiusChange.id.desc())
        .limit(MOST_SHOWN)
    ).all()
    history = [Entry(row, name) for row, name in rows]
    own = in_force([(one.row.from_at, one.row.radius_m) for one in reversed(history)], at)
    newest = history[0].row if history else None
    return Held(
        radius_m=rules.reach().radius_m if own is None else own,
        own=own is not None,
        pending=newest if newest is not None and newest.from_at > at else None,
        history=history,
    )


def set_radius(
    session: Session,
    segment_id: uuid.UUID,
    *,
    to: float | None,
    from_at: datetime | None,
    by: uuid.UUID | None,
    at: datetime,
    because: str,
    seen: uuid.UUID | None = None,
    looked: bool = False,
) -> RadiusChange:
    """Another radius from `from_at` (None: from now); None for `to` goes back to the rules.

    A change that is still to come is replaced by a later word. With `looked`, `seen` must be the
    newest change that there is: of two at once one is told.
    """
    register.find_segment(session, segment_id)
    _check(to, from_at, at=at)
    in_turn(session, f"patrol.radius.{segment_id}")
    held = look(session, segment_id, at=at)
    now_m = held.radius_m if held.own else None
    if looked and held.seen != seen:
        raise ChangedMeanwhile
    if held.pending is None and to == now_m:
        raise NoChange
    row = RadiusChange(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        segment_id=segment_id,
        radius_m=to,
        because=because,
        set_by=by,
        set_at=at,
        from_at=from_at or at,
    )
    session.add(row)
    session.flush()
    events.record(
        session,
        "patrol.radius_set",
        subject=row,
        by=by,
        at=at,
        segment=str(segment_id),
        radius_m=to,
        before_m=now_m,
        from_at=row.from_at.isoformat(),
    )
    return row


def carry_over(
    session: Session, before: list[RoadSegment], after: list[RoadSegment], *, at: datetime
) -> None:
    """Segments that take the place of others go on with the widest radius of these, and with its
    history, so that a visit which arrives late is judged as it would have been."""
    if not before or not after:
        return
    held = [look(session, one.id, at=at) for one in before]
    giver = max(held, key=lambda one: one.radius_m)
    for segment in after:
        session.add_all(
            RadiusChange(
                subdistrict_id=segment.subdistrict_id,
                id=new_id(),
                segment_id=segment.id,
                radius_m=one.row.radius_m,
                because=one.row.because,
                set_by=one.row.set_by,
                set_at=one.row.set_at,
                from_at=one.row.from_at,
            )
            for one in reversed(giver.history)
        )
    session.flush()


def reckon_again(
    session: Session, segment_id: uuid.UUID, radius_m: float, *, at: datetime
) -> dict[str, int]:
    """How the visits of the last 30 days would be judged by this radius: count by outcome."""
    values = {"here": tenant_of(session), "segment": segment_id, "since": at - LATELY}
    found: dict[str, int] = dict.fromkeys(OUTCOMES, 0)
    for row in session.execute(MEASURED, values):
        outcome = verdict(row.distance_m, row.accuracy_m, radius_m, rules.reach()).outcome
        found[outcome] += row.visits
    return found


def example(rule: Reach, radius_m: float, accuracies: Sequence[float] = (10, 20, 35, 50)) -> Any:
    """What a radius means: accuracy of the fix, verified up to, contradicted beyond, in metres."""
    return [
        (
            accuracy,
            radius_m + min(accuracy, rule.widening_m),
            radius_m + 2 * accuracy,
        )
        for accuracy in accuracies
    ]


def _check(to: float | None, from_at: datetime | None, *, at: datetime) -> None:
    if to is not None and not LEAST_M <= to <= MOST_M:
        raise BadInput(
            field="半径 radius",
            reason_zh=f"应为 {LEAST_M:.0f} 到 {MOST_M:.0f} 米",
            reason_en=f"{LEAST_M:.0f} to {MOST_M:.0f} m",
        )
    if from_at is not None and not at <= from_at <= at + FARTHEST:
        raise BadInput(
            field="生效时间 from",
            reason_zh=f"应在现在之后，{FARTHEST.days} 天以内",
            reason_en=f"from now, within {FARTHEST.days} days",
        )
