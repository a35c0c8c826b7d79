"""Appointments at the edges of time, and on what is closed."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.errors import WrongState
from roadchief.streets import catalog, chiefs, register
from roadchief.streets.models import Assignment, RoadSegment
from tests import makers

AT = makers.NOON + timedelta(hours=1)


def street(session: Session) -> RoadSegment:
    makers.make_subdistrict(session)
    return makers.make_segment(session)


@pytest.mark.parametrize("begins_after_h", [0, 48])
def test_an_appointment_may_be_taken_back_before_its_time(
    session: Session, begins_after_h: int
) -> None:
    segment = street(session)
    begins = AT + timedelta(hours=begins_after_h)
    row = chiefs.appoint_chief(session, makers.make_post(session), to=segment, by=None, at=begins)
    chiefs.relieve_chief(session, row, by=None, at=AT, because="写错了")
    assert catalog.segment_states(session, at=begins)[segment.id] == "gap"


def test_who_begins_next_week_begins_then_at_both_halves(session: Session) -> None:
    segment = street(session)
    week = AT + timedelta(days=7)
    chiefs.appoint_chief(session, makers.make_post(session), to=segment, by=None, at=week)
    halves = register.split_segment(
        session, segment, at_measure_m=200, by=segment.id, at=AT, because="太长"
    )
    running = session.scalars(select(Assignment).where(Assignment.ends_at.is_(None))).all()
    assert {(row.segment_id, row.starts_at) for row in running} == {(h.id, week) for h in halves}


def test_nobody_is_appointed_to_a_closed_segment(session: Session) -> None:
    segment = street(session)
    register.close_segment(session, segment, by=segment.id, at=AT, because="拆除")
    with pytest.raises(WrongState):
        chiefs.appoint_chief(session, makers.make_post(session), to=segment, by=None, at=AT)
