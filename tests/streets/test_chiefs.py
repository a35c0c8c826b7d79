"""Appointments at the edges of time, and on what is closed."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.errors import BadInput, WrongState
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


def test_a_stand_in_goes_by_itself_and_may_come_again(session: Session) -> None:
    segment = street(session)
    held = chiefs.appoint_chief(session, makers.make_post(session), to=segment, by=None, at=AT)
    post, week = makers.make_post(session, role="deputy_chief"), AT + timedelta(days=7)
    given = {"to": segment, "by": None, "acting_for": held}
    chiefs.appoint_chief(session, post, at=AT, until=week, **given)  # type: ignore[arg-type]
    with pytest.raises(chiefs.AlreadyAppointed):
        chiefs.appoint_chief(session, post, at=AT + timedelta(days=6), **given)  # type: ignore[arg-type]
    chiefs.relieve_chief(session, held, by=None, at=AT, because="休假")
    assert catalog.segment_states(session, at=AT + timedelta(days=6))[segment.id] == "acting"
    assert catalog.segment_states(session, at=week)[segment.id] == "gap"
    chiefs.appoint_chief(session, post, at=week, until=week + timedelta(days=1), **given)  # type: ignore[arg-type]


def test_a_stand_in_may_be_relieved_before_the_end(session: Session) -> None:
    segment = street(session)
    row = chiefs.appoint_chief(
        session, makers.make_post(session), to=segment, by=None, at=AT, until=AT + timedelta(days=7)
    )
    chiefs.relieve_chief(session, row, by=None, at=AT + timedelta(days=1), because="回岗")
    with pytest.raises(WrongState):
        chiefs.relieve_chief(session, row, by=None, at=AT + timedelta(days=2), because="回岗")


def test_a_stand_ins_end_goes_along_when_the_segment_is_split(session: Session) -> None:
    segment, week = street(session), AT + timedelta(days=7)
    post = makers.make_post(session)
    chiefs.appoint_chief(session, post, to=segment, by=None, at=AT, until=week)
    register.split_segment(session, segment, at_measure_m=200, by=segment.id, at=AT, because="太长")
    rows = session.scalars(select(Assignment).where(Assignment.segment_id != segment.id)).all()
    assert [row.ends_at for row in rows] == [week, week]


def test_nobody_stands_in_for_another_street_or_for_themselves(session: Session) -> None:
    segment, other = street(session), makers.make_segment(session)
    post = makers.make_post(session)
    held = chiefs.appoint_chief(session, post, to=other, by=None, at=AT)
    for candidate, to in ((makers.make_post(session), segment), (post, other)):
        with pytest.raises(chiefs.NotInTheirPlace):
            chiefs.appoint_chief(session, candidate, to=to, by=None, at=AT, acting_for=held)
    with pytest.raises(BadInput):
        chiefs.appoint_chief(session, post, to=segment, by=None, at=AT, until=AT)
