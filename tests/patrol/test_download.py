"""What a phone takes along: the walk in order, what is due, and a list that then stands."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from roadchief.errors import NotFound
from roadchief.patrol.doubts import review, weighing
from roadchief.patrol.phone import download
from roadchief.patrol.plan_models import ShiftStop
from roadchief.patrol.planning import shifts
from roadchief.patrol.presence import radius
from tests import makers
from tests.patrol.conftest import Beat
from tests.patrol.phone import Phone, actor


def fetch(beat: Beat, **given: Any) -> dict[str, Any]:
    at = given.pop("at", beat.at)
    return download.shift(beat.session, beat.shift.id, beat.person_id, at=at)


def test_it_holds_what_a_day_without_signal_needs(beat: Beat) -> None:
    found = fetch(beat)
    assert found["shift"]["nonce"] == beat.shift.nonce
    assert [stop["storefront_id"] for stop in found["stops"]] == [
        str(shop.id) for shop in beat.shops
    ]
    stop = found["stops"][0]
    assert (stop["due"], stop["last_at"], stop["radius_m"]) == ("unknown", None, 30)
    assert stop["number"] == beat.shops[0].human_number
    assert len(stop["frontage"]) == 2
    assert len(found["checklist"]["items"]) == 32
    assert {"who", "photo", "limit", "severity"} <= set(found["checklist"]["items"][0])
    assert found["roads"][0]["line"]
    assert found["tracks_kept_days"] == 30


def test_due_follows_the_last_visit_that_counts(beat: Beat) -> None:
    first, second, third = beat.shops
    for shop, days, metres in ((first, 1, 6), (second, 20, 6), (third, 1, 500)):
        at = beat.at - timedelta(days=days)
        phone = Phone(beat.person_id, at)
        beat.send(phone.check_in(shop.id, metres=metres), at=at)
    found = {stop["storefront_id"]: stop for stop in fetch(beat)["stops"]}
    assert found[str(first.id)]["due"] == "done"
    assert found[str(second.id)]["due"] == "overdue"
    assert found[str(second.id)]["why"]["zh"] == "20 天前到过，每 14 天一次"
    assert found[str(third.id)]["due"] == "unknown"  # a visit from elsewhere does not count


def test_the_list_stands_from_the_first_call_on(beat: Beat) -> None:
    fetch(beat)
    makers.make_storefront(beat.session, beat.segment, name="新店", measure_m=5.0)
    fetch(beat)
    rows = beat.session.scalars(select(ShiftStop).order_by(ShiftStop.seq)).all()
    assert [row.storefront_id for row in rows] == [shop.id for shop in beat.shops]


def test_a_second_phone_goes_on_where_the_first_one_died(beat: Beat) -> None:
    first, second, _third = beat.shops
    assert fetch(beat)["taken"] == []
    visit = beat.phone.check_in(first.id, given=beat.in_shift())
    miss = {"storefront_id": str(second.id), "because": "closed"}
    beat.send(visit, beat.phone.item("missed", miss, **beat.in_shift()))
    taken = {row["storefront_id"]: row for row in fetch(beat)["taken"]}
    assert taken[str(first.id)]["outcome"] == "verified"
    assert taken[str(first.id)]["id"] == visit["id"]
    assert (taken[str(second.id)]["kind"], taken[str(second.id)]["because"]) == ("missed", "closed")
    assert len(taken) == 2


def test_it_is_for_the_shifts_own_person(beat: Beat) -> None:
    other = makers.make_person(beat.session, "别人")
    with pytest.raises(NotFound):
        download.shift(beat.session, beat.shift.id, other.id, at=beat.at)
    with pytest.raises(NotFound):
        download.shift(beat.session, uuid.uuid4(), beat.person_id, at=beat.at)
    assert download.shifts(beat.session, other.id, at=beat.at) == []
    (row,) = download.shifts(beat.session, beat.person_id, at=beat.at)
    assert (row["id"], row["segments"]) == (str(beat.shift.id), [beat.segment.name])


def test_a_segments_own_radius_goes_along_and_decides(beat: Beat) -> None:
    radius.set_radius(
        beat.session,
        beat.segment.id,
        to=50,
        from_at=None,
        by=None,
        at=beat.at,
        because="高楼遮挡",
    )
    assert fetch(beat)["stops"][0]["radius_m"] == 50
    (answer,) = beat.send(beat.phone.check_in(beat.shops[0].id, metres=55))
    assert (answer["outcome"]["verdict"], answer["outcome"]["limit_m"]) == ("verified", 62)


def test_nobody_is_asked_to_read_their_own_note(beat: Beat) -> None:
    body = {"segment_id": str(beat.segment.id), "text": "留给下一班"}
    beat.send(beat.phone.item("handover", body, **beat.in_shift()))
    assert [row["read"] for row in fetch(beat)["handovers"]] == [True]


def test_handovers_say_whether_they_were_read(beat: Beat) -> None:
    other = makers.make_person(beat.session, "上一班")
    body = {"segment_id": str(beat.segment.id), "text": "灯箱松动"}
    note = Phone(other.id, beat.at).item("handover", body)
    beat.send(note, by=actor(other.id))
    assert [row["read"] for row in fetch(beat)["handovers"]] == [False]
    start = beat.phone.item("shift_start", {}, **beat.in_shift())
    assert beat.send(start)[0]["flags"] == ["handover_unread"]
    beat.send(beat.phone.item("handover_read", {"handover_id": note["id"]}))
    assert [row["read"] for row in fetch(beat)["handovers"]] == [True]


def test_somebody_may_set_out_without_a_plan(beat: Beat) -> None:
    (row,) = [
        one for one in download.beats(beat.session, at=beat.at) if one["id"] == str(beat.segment.id)
    ]
    assert row["stops"] == 3
    own = shifts.open_own(
        beat.session, beat.person_id, [beat.segment.id], by=beat.person_id, at=beat.at
    )
    assert download.shift(beat.session, own.id, beat.person_id, at=beat.at)["stops"]
    with pytest.raises(NotFound):
        shifts.open_own(beat.session, beat.person_id, [uuid.uuid4()], by=beat.person_id, at=beat.at)


def test_what_was_sent_back_comes_along(beat: Beat) -> None:
    item = beat.phone.check_in(beat.shops[0].id, metres=300)
    beat.send(item)
    key = uuid.UUID(item["id"])
    weighing.weigh(beat.session, key, at=beat.at, draw=lambda: 0.999)
    chief = makers.make_person(beat.session, "周建国").id
    review.decide(beat.session, key, "sent_back", by=chief, at=beat.at, because="请说明")
    (row,) = fetch(beat)["sent_back"]
    assert (row["check_in_id"], row["because"]) == (item["id"], "请说明")
    beat.send(beat.phone.item("explain", {"check_in_id": item["id"], "text": "漂移"}))
    assert fetch(beat)["sent_back"] == []


def test_the_number_of_questions_does_not_grow(beat: Beat, queries: Any) -> None:
    fetch(beat)
    with queries() as few:
        fetch(beat)
    for number in range(40):
        makers.make_storefront(beat.session, beat.segment, measure_m=float(number))
    with queries() as many:
        fetch(beat)
    assert len(many) == len(few) <= 10
