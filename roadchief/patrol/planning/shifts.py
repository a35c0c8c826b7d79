"""Shifts: who walks which segments when. Made, begun, closed, cancelled, approved."""

import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.accounts.models import Person, Post
from roadchief.db import new_id, tenant_of
from roadchief.errors import BadInput, NotFound, RuleBroken, WrongState
from roadchief.patrol.plan_models import Shift, ShiftBeat
from roadchief.streets.models import RoadSegment

OWN_SHIFT = timedelta(hours=4)

events.declare(
    {
        "patrol.shift_planned": "a shift was planned",
        "patrol.shift_cancelled": "a planned shift will not take place",
        "patrol.shift_started": "a patroller began a shift",
        "patrol.shift_closed": "a patroller closed a shift",
        "patrol.shift_approved": "a chief approved a closed shift",
    }
)


class ShiftOver(WrongState):
    zh = "班次已结束或取消"
    en = "the shift is over or cancelled"


class OwnShift(RuleBroken):
    zh = "不能通过自己的班次"
    en = "nobody approves a shift of their own"


class NotClosedYet(WrongState):
    zh = "班次尚未结束，不能通过"
    en = "the shift is not closed yet"


def plan(
    session: Session,
    *,
    person_id: uuid.UUID,
    segments: Sequence[RoadSegment],
    starts_at: datetime,
    ends_at: datetime,
    by: uuid.UUID | None,
    at: datetime,
    stands_in_for_id: uuid.UUID | None = None,
    title: str | None = None,
) -> Shift:
    """A shift of one person over some segments, in walking order as given."""
    if not segments:
        raise BadInput(field="路段 segments", reason_zh="请选择路段", reason_en="choose some")
    if ends_at <= starts_at or ends_at - starts_at > timedelta(hours=16):
        raise BadInput(
            field="时间 time", reason_zh="应在 16 小时之内", reason_en="within 16 hours, please"
        )
    here = tenant_of(session)
    names = list(dict.fromkeys(row.name.split("（")[0] for row in segments))
    row = Shift(
        subdistrict_id=here,
        id=new_id(),
        person_id=person_id,
        stands_in_for_id=stands_in_for_id,
        title=title or "、".join(names[:3]) + ("等" if len(names) > 3 else ""),
        starts_at=starts_at,
        ends_at=ends_at,
        state="planned",
        nonce=secrets.token_urlsafe(12),
        made_by=by,
    )
    session.add(row)
    session.flush()
    session.add_all(
        ShiftBeat(subdistrict_id=here, id=new_id(), shift_id=row.id, segment_id=segment.id, seq=seq)
        for seq, segment in enumerate(segments)
    )
    session.flush()
    events.record(session, "patrol.shift_planned", subject=row, by=by, at=at, person=str(person_id))
    return row


def open_own(
    session: Session,
    person_id: uuid.UUID,
    segment_ids: Sequence[uuid.UUID],
    *,
    by: uuid.UUID,
    at: datetime,
) -> Shift:
    """A shift without a plan, from now on: somebody simply goes out."""
    rows = session.scalars(
        select(RoadSegment)
        .where(RoadSegment.subdistrict_id == tenant_of(session))
        .where(RoadSegment.id.in_(segment_ids), RoadSegment.closed_at.is_(None))
    ).all()
    by_id = {row.id: row for row in rows}
    segments = [by_id[one] for one in dict.fromkeys(segment_ids) if one in by_id]
    if len(segments) != len(set(segment_ids)):
        raise NotFound
    return plan(
        session,
        person_id=person_id,
        segments=segments,
        starts_at=at,
        ends_at=at + OWN_SHIFT,
        by=by,
        at=at,
    )


def find(session: Session, shift_id: uuid.UUID) -> Shift:
    row = session.get(Shift, (tenant_of(session), shift_id))
    if row is None:
        raise NotFound
    return row


def segments_of(session: Session, shift_id: uuid.UUID) -> list[RoadSegment]:
    """Of a shift, in walking order."""
    rows = session.scalars(
        select(RoadSegment)
        .join(
            ShiftBeat,
            (ShiftBeat.subdistrict_id == RoadSegment.subdistrict_id)
            & (ShiftBeat.segment_id == RoadSegment.id),
        )
        .where(ShiftBeat.subdistrict_id == tenant_of(session), ShiftBeat.shift_id == shift_id)
        .order_by(ShiftBeat.seq)
    )
    return list(rows)


def begin(session: Session, shift_id: uuid.UUID, *, by: uuid.UUID, at: datetime) -> None:
    """Once; told late, it is still noted. A cancelled shift that was walked counts."""
    _note(session, shift_id, "started_at", at, {"planned": "running", "cancelled": "running"})
    events.record(session, "patrol.shift_started", subject=find(session, shift_id), by=by, at=at)


def close(session: Session, shift_id: uuid.UUID, *, by: uuid.UUID, at: datetime) -> None:
    _note(session, shift_id, "closed_at", at, {"planned": "closed", "running": "closed"})
    events.record(session, "patrol.shift_closed", subject=find(session, shift_id), by=by, at=at)


def cancel(session: Session, shift: Shift, *, by: uuid.UUID, at: datetime, because: str) -> None:
    """A planned shift that will not be. One under way cannot be cancelled."""
    done = session.execute(
        update(Shift)
        .where(Shift.subdistrict_id == shift.subdistrict_id, Shift.id == shift.id)
        .where(Shift.state == "planned")
        .values(state="cancelled")
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise ShiftOver
    events.record(session, "patrol.shift_cancelled", subject=shift, by=by, at=at, because=because)


def approve(session: Session, shift: Shift, *, by: uuid.UUID, at: datetime) -> None:
    """A chief has read the summary of somebody else. The second of two at once is told."""
    if shift.person_id == by:
        raise OwnShift
    done = session.execute(
        update(Shift)
        .where(Shift.subdistrict_id == shift.subdistrict_id, Shift.id == shift.id)
        .where(Shift.state == "closed", Shift.approved_at.is_(None))
        .values(approved_at=at, approved_by=by)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise NotClosedYet
    events.record(session, "patrol.shift_approved", subject=shift, by=by, at=at)


def people(session: Session, roles: Sequence[str], *, at: datetime) -> list[Person]:
    """Who holds one of these posts now."""
    rows = session.scalars(
        select(Person)
        .join(Post, (Post.subdistrict_id == Person.subdistrict_id) & (Post.person_id == Person.id))
        .where(Person.subdistrict_id == tenant_of(session), Post.role.in_(roles))
        .where(Post.starts_at <= at, (Post.ends_at.is_(None)) | (Post.ends_at > at))
        .where(Person.state == "active")
        .order_by(Person.name)
        .distinct()
    )
    return list(rows)


def _note(
    session: Session, shift_id: uuid.UUID, field: str, at: datetime, moves: dict[str, str]
) -> None:
    """Set a time once, and move the state where it may move; both under the row's lock."""
    row = session.scalars(
        select(Shift)
        .where(Shift.subdistrict_id == tenant_of(session), Shift.id == shift_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if getattr(row, field) is None:
        setattr(row, field, at)
    row.state = moves.get(row.state, row.state)
    session.flush()
