"""Late, missed and short shifts: after the grace, once, and closed with a reason."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from roadchief.accounts import notices
from roadchief.patrol.chief import alerts
from roadchief.patrol.phone import download
from roadchief.patrol.plan_models import PatrolAlert
from tests import makers
from tests.patrol.conftest import Beat

AT_FIRST = makers.NOON - timedelta(days=9)


def raised(beat: Beat, at: datetime) -> list[str]:
    alerts.raise_due(beat.session, at=at)
    return sorted(beat.session.scalars(select(PatrolAlert.kind)))


def start(beat: Beat, at: datetime) -> None:
    beat.phone.at = at
    beat.send(beat.phone.item("shift_start", {}, **beat.in_shift()), at=at)


def test_late_only_after_the_grace(beat: Beat) -> None:
    assert raised(beat, beat.shift.starts_at + timedelta(minutes=19)) == []
    assert raised(beat, beat.shift.starts_at + timedelta(minutes=21)) == ["late"]
    assert raised(beat, beat.shift.starts_at + timedelta(minutes=30)) == ["late"]


def test_whoever_began_is_not_late(beat: Beat) -> None:
    start(beat, beat.shift.starts_at + timedelta(minutes=5))
    assert raised(beat, beat.shift.starts_at + timedelta(minutes=40)) == []


def test_missed_when_it_is_over(beat: Beat) -> None:
    assert raised(beat, beat.shift.ends_at + timedelta(minutes=21)) == ["missed"]


def test_short_of_what_was_on_the_list(beat: Beat) -> None:
    download.shift(beat.session, beat.shift.id, beat.person_id, at=beat.at)
    start(beat, beat.at)
    beat.send(beat.phone.check_in(beat.shops[0].id, given=beat.in_shift()))
    over = beat.shift.ends_at + timedelta(hours=1)
    assert raised(beat, over) == ["short"]
    (row,) = alerts.open_alerts(beat.session, [beat.segment.id])
    assert row.facts == {"stops": 3, "passed": 1}


def test_misses_with_a_reason_are_passed(beat: Beat) -> None:
    download.shift(beat.session, beat.shift.id, beat.person_id, at=beat.at)
    start(beat, beat.at)
    items: list[Any] = [beat.phone.check_in(beat.shops[0].id, given=beat.in_shift())]
    for shop in beat.shops[1:]:
        body = {"storefront_id": str(shop.id), "because": "closed"}
        items.append(beat.phone.item("missed", body, **beat.in_shift()))
    beat.send(*items)
    assert raised(beat, beat.shift.ends_at + timedelta(hours=1)) == []


def test_an_alert_is_closed_once_with_its_reason(beat: Beat) -> None:
    raised(beat, beat.shift.ends_at + timedelta(hours=1))
    (row,) = alerts.open_alerts(beat.session, None)
    alerts.close(beat.session, row.id, by=beat.person_id, at=beat.at, because="台风停巡")
    with pytest.raises(alerts.AlreadyClosed):
        alerts.close(beat.session, row.id, by=beat.person_id, at=beat.at, because="再来")
    assert alerts.open_alerts(beat.session, None) == []
    assert raised(beat, beat.shift.ends_at + timedelta(hours=2)) == ["missed"]
    assert alerts.open_alerts(beat.session, None) == []


def test_the_chiefs_in_charge_are_told_once(beat: Beat) -> None:
    chief = makers.make_person(beat.session, "周建国")
    makers.make_assignment(
        beat.session,
        makers.make_post(beat.session, chief, starts_at=AT_FIRST),
        beat.segment,
        starts_at=AT_FIRST,
    )
    for minutes in (30, 40):
        raised(beat, beat.shift.starts_at + timedelta(minutes=minutes))
    assert notices.unread(beat.session, chief.id) == 1
    assert notices.unread(beat.session, beat.person_id) == 0


def test_its_id_sorts_by_time(beat: Beat) -> None:
    assert raised(beat, beat.shift.ends_at + timedelta(minutes=21)) == ["missed"]
    assert [one.version for one in beat.session.scalars(select(PatrolAlert.id))] == [7]
