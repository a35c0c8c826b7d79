"""Two chiefs at once, on real connections: one wins, the other is told, nothing is done twice."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.db import Database
from roadchief.errors import Refusal
from roadchief.lib import clock
from roadchief.lib.workdays import Workdays
from roadchief.patrol.checklists import questions
from roadchief.patrol.chief import alerts
from roadchief.patrol.doubts import review, weighing
from roadchief.patrol.phone import download, intake
from roadchief.patrol.plan_models import Checklist, PatrolAlert, Recheck, Shift, ShiftStop
from roadchief.patrol.planning import roster, shifts, weeks
from tests import makers
from tests.conftest import WEIFANG
from tests.patrol.conftest import AT, Beat, make_beat
from tests.patrol.test_intake_races import at_once


@pytest.fixture
def street(real: Database) -> Beat:
    with real.transaction(WEIFANG) as session:
        beat = make_beat(session)
        session.expunge_all()
    return beat


def ends(real: Database, *acts: Callable[[Session], Any]) -> list[str]:
    def run(act: Callable[[Session], Any]) -> str:
        try:
            with real.transaction(WEIFANG) as session:
                act(session)
        except Refusal as refusal:
            return type(refusal).__name__
        return "done"

    found = at_once([lambda act=act: run(act) for act in acts])
    for one in found:
        assert isinstance(one, str), one
    return sorted(found)


def count(real: Database, model: Any) -> int:
    with real.transaction(WEIFANG) as session:
        return int(session.scalar(select(func.count()).select_from(model)) or 0)


def visited(real: Database, street: Beat, **given: Any) -> uuid.UUID:
    item = street.phone.check_in(street.shops[0].id, **given)
    with real.transaction(WEIFANG) as session:
        intake.take(session, [item], by=street.actor, at=AT)
    return uuid.UUID(item["id"])


def test_two_lay_the_same_week(real: Database, street: Beat) -> None:
    monday = roster.monday_of(clock.local_date(AT + timedelta(days=7)))
    with real.transaction(WEIFANG) as session:
        person = makers.make_person(session)
        post = makers.make_post(session, person, role="patroller")
        makers.make_assignment(session, post, session.merge(street.segment))

    def lay(session: Session) -> None:
        weeks.lay(session, monday, None, by=None, at=AT, days=Workdays())

    assert ends(real, lay, lay, lay) == ["done"] * 3
    assert count(real, Shift) == 1 + 5


def test_two_reviewers_decide_at_once(real: Database, street: Beat) -> None:
    key = visited(real, street, metres=300)
    with real.transaction(WEIFANG) as session:
        weighing.weigh(session, key, at=AT, draw=lambda: 0.999)
        chiefs = [makers.make_person(session, name).id for name in ("甲", "乙")]

    def decide(by: uuid.UUID, decision: str) -> Callable[[Session], None]:
        return lambda session: review.decide(
            session, key, decision, by=by, at=AT, because="看过照片"
        )

    found = ends(real, decide(chiefs[0], "approved"), decide(chiefs[1], "refused"))
    assert found == ["AlreadyDecided", "done"]


def test_a_visit_weighed_twice_at_once_opens_and_draws_once(real: Database, street: Beat) -> None:
    key = visited(real, street)

    def weigh(session: Session) -> None:
        weighing.weigh(session, key, at=AT, draw=lambda: 0.0)

    assert ends(real, weigh, weigh) == ["done", "done"]
    assert count(real, Recheck) == 1


def test_an_alert_is_raised_and_closed_once(real: Database, street: Beat) -> None:
    late = street.shift.ends_at + timedelta(hours=1)

    def watch(session: Session) -> None:
        alerts.raise_due(session, at=late)

    assert ends(real, watch, watch, watch) == ["done"] * 3
    assert count(real, PatrolAlert) == 1
    with real.transaction(WEIFANG) as session:
        key = session.scalars(select(PatrolAlert.id)).one()

    def close(session: Session) -> None:
        alerts.close(session, key, by=street.person_id, at=late, because="台风")

    assert ends(real, close, close) == ["AlreadyClosed", "done"]


def test_a_list_is_frozen_once_however_many_fetch_it(real: Database, street: Beat) -> None:
    def fetch(session: Session) -> None:
        download.shift(session, street.shift.id, street.person_id, at=AT)

    assert ends(real, fetch, fetch, fetch) == ["done"] * 3
    assert count(real, ShiftStop) == 3


def test_a_shift_is_approved_or_cancelled_once(real: Database, street: Beat) -> None:
    def cancel(session: Session) -> None:
        row = shifts.find(session, street.shift.id)
        shifts.cancel(session, row, by=street.person_id, at=AT, because="会议")

    assert ends(real, cancel, cancel) == ["ShiftOver", "done"]


def test_a_version_is_published_once(real: Database, street: Beat) -> None:
    def publish(session: Session) -> None:
        questions.publish(session, audience="P", version="2026-12", items=["WS01"], by=None, at=AT)

    assert ends(real, publish, publish) == ["VersionTaken", "done"]
    assert count(real, Checklist) == 1
