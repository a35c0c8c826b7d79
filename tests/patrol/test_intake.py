"""Every answer of the sync, every kind of item, every odd body: nothing lost, nothing twice."""

import json
import math
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from roadchief.db import new_id
from roadchief.errors import TooLarge
from roadchief.events import Event
from roadchief.patrol.checklists import questions
from roadchief.patrol.models import (
    CheckIn,
    Finding,
    Handover,
    MissedVisit,
    OtherShop,
    PatrolItem,
)
from roadchief.patrol.phone import checkins, download, intake
from roadchief.patrol.plan_models import Review
from roadchief.patrol.selfchecks.models import SelfCheck
from roadchief.streets import shopkeepers, tenancies
from tests import makers
from tests.patrol.conftest import Beat
from tests.patrol.phone import DOOR, Phone, actor, bad, off, photo, sha

Count = Callable[[str], int]


def test_a_visit_is_stored_judged_and_told(beat: Beat, count: Count) -> None:
    item = beat.phone.check_in(beat.shops[0].id, given=beat.in_shift(), checklist=bad("WS01"))
    (answer,) = beat.send(item)
    assert (answer["status"], answer["http"]) == ("stored", 201)
    assert (answer["id"], answer["body_sha256"]) == (item["id"], sha(item))
    assert answer["outcome"]["verdict"] == "verified"
    assert answer["outcome"]["say"]["zh"] == "离门前线 6 米，定位精度 ±12 米，允许 42 米"
    assert answer["grade"] == "good"
    assert answer["flags"] == []
    row = beat.session.scalars(select(CheckIn)).one()
    assert (row.outcome, row.rule, row.radius_m, row.limit_m) == ("verified", "reach-1", 30, 42)
    assert row.distance_m == pytest.approx(6, abs=0.1)
    assert row.shift_id == beat.shift.id
    assert row.segment_id == beat.segment.id
    assert row.occurred_at == beat.at
    finding = beat.session.scalars(select(Finding)).one()
    assert (finding.item, finding.severity, finding.check_in_id) == ("WS01", "L", row.id)
    assert count("patrol_item") == 1


def test_one_event_and_one_job_an_item(beat: Beat, count: Count) -> None:
    before = count("procrastinate_jobs")
    items = [beat.phone.check_in(shop.id) for shop in beat.shops]
    for _ in range(3):
        beat.send(*items)
    told = beat.session.scalars(
        select(Event.subject_id).where(Event.name == "patrol.checked_in")
    ).all()
    assert sorted(map(str, told)) == sorted(item["id"] for item in items)
    assert count("procrastinate_jobs") - before == len(items)


def test_the_same_again_is_the_same_answer(beat: Beat, count: Count) -> None:
    items = [
        beat.phone.check_in(beat.shops[0].id, checklist=bad("WS01", "ZX02")),
        beat.phone.item("missed", {"storefront_id": str(beat.shops[1].id), "because": "closed"}),
        beat.phone.item("shift_start", {}, **beat.in_shift()),
    ]
    first = beat.send(*items)
    tables = ["patrol_item", "check_in", "finding", "missed_visit", "event", "procrastinate_jobs"]
    before = {table: count(table) for table in tables}
    again = beat.send(*reversed(items), at=beat.at + timedelta(days=3))
    assert {table: count(table) for table in tables} == before
    for one, other in zip(first, reversed(again), strict=True):
        assert (other["status"], other["http"]) == ("already_stored", 200)
        differs = {"status", "http"}
        assert {k: v for k, v in one.items() if k not in differs} == {
            k: v for k, v in other.items() if k not in differs
        }


def test_the_same_id_with_another_body_conflicts(beat: Beat) -> None:
    item = beat.phone.check_in(beat.shops[0].id)
    beat.send(item)
    for other in (
        item | {"body": item["body"] | {"how": "typed"}},
        item | {"seq": 77},
        item | {"kind": "missed", "body": {"storefront_id": str(beat.shops[0].id)}},
    ):
        (answer,) = beat.send(other)
        assert (answer["status"], answer["http"]) == ("conflict", 409)
    assert beat.session.scalars(select(CheckIn.how)).one() == "scan"


def test_a_twin_inside_one_batch(beat: Beat, count: Count) -> None:
    item = beat.phone.check_in(beat.shops[0].id)
    other = item | {"seq": 99}
    answers = beat.send(item, item, other)
    assert [one["status"] for one in answers] == ["stored", "already_stored", "conflict"]
    assert count("check_in") == 1


def test_a_bad_item_never_spoils_its_neighbours(beat: Beat, count: Count) -> None:
    good = [beat.phone.check_in(shop.id) for shop in beat.shops]
    missing = beat.phone.check_in(uuid.uuid4())
    answers = beat.send(good[0], missing, None, good[1], {"id": "x"}, 5, good[2])
    assert [one["status"] for one in answers] == [
        *("stored", "refused", "refused", "stored", "refused", "refused", "stored"),
    ]
    assert answers[1]["reason"]["code"] == "no_place"
    assert count("check_in") == 3


def test_a_fault_of_ours_on_item_two_of_five(beat: Beat, count: Count) -> None:
    def breaks(_session: Any, *, item: str, **_facts: Any) -> None:
        if item == "ZX02":
            raise RuntimeError("the maker of cases fails")

    items = [
        beat.phone.check_in(beat.shops[n % 3].id, checklist=bad("ZX02" if n == 1 else "WS01"))
        for n in range(5)
    ]
    checkins.on_finding.append(breaks)
    try:
        answers = beat.send(*items)
    finally:
        checkins.on_finding.remove(breaks)
    assert [one["status"] for one in answers] == ["stored", "retry", "stored", "stored", "stored"]
    assert answers[1]["http"] == 503
    assert (count("check_in"), count("finding")) == (4, 4)
    (later,) = beat.send(items[1])
    assert later["status"] == "stored"
    assert (count("check_in"), count("finding")) == (5, 5)


def test_findings_reach_the_makers_of_cases(beat: Beat) -> None:
    seen: list[dict[str, Any]] = []
    make = lambda _session, **facts: seen.append(facts)  # noqa: E731
    checkins.on_finding.append(make)
    try:
        sent = photo(b"one")
        item = beat.phone.check_in(
            beat.shops[0].id, checklist=bad("ZX02"), given={"photos": [sent]}
        )
        beat.send(item)
        beat.send(item)
    finally:
        checkins.on_finding.remove(make)
    (facts,) = seen
    assert (facts["item"], facts["storefront_id"]) == ("ZX02", beat.shops[0].id)
    assert facts["photos"] == [sent["sha256"]]
    assert str(facts["source_id"]) == item["id"]


def test_another_persons_item_waits_for_that_person(beat: Beat, count: Count) -> None:
    item = beat.phone.check_in(beat.shops[0].id)
    other = makers.make_person(beat.session, "别人")
    (answer,) = beat.send(item, by=actor(other.id))
    assert (answer["status"], answer["http"]) == ("paused", 401)
    assert count("check_in") == 0
    assert beat.send(item)[0]["status"] == "stored"


def test_whoever_does_not_patrol_is_refused(beat: Beat) -> None:
    (answer,) = beat.send(
        beat.phone.check_in(beat.shops[0].id), by=actor(beat.person_id, "merchant")
    )
    assert answer["reason"]["code"] == "not_a_patroller"


def test_what_was_removed_is_gone(beat: Beat) -> None:
    item = beat.phone.check_in(beat.shops[0].id)
    beat.send(item)
    beat.session.add(
        Review(
            subdistrict_id=310115004,
            id=uuid.UUID(item["id"]),
            segment_id=None,
            state="removed",
            sampled=False,
            signals=[],
            opened_at=beat.at,
            because="误扫",
        )
    )
    beat.session.flush()
    (answer,) = beat.send(item)
    assert (answer["status"], answer["http"]) == ("gone", 410)
    assert "误扫" in answer["reason"]["zh"]


@pytest.mark.parametrize(
    ("metres", "accuracy", "verdict"),
    [
        (6, 12, "verified"),
        (6, 80, "weak"),
        (45, 12, "weak"),
        (200, 12, "contradicted"),
        (200, None, "weak"),
        (200, math.nan, "weak"),
        (200, 0, "weak"),
        (200, -5, "weak"),
        (6, "12", "weak"),
        (6, 10**400, "weak"),
        (6, 1e308, "weak"),
    ],
)
def test_near_or_far_it_is_graded_not_refused(
    beat: Beat, metres: float, accuracy: Any, verdict: str
) -> None:
    item = beat.phone.check_in(beat.shops[0].id, metres=metres, accuracy=accuracy)
    (answer,) = beat.send(item)
    assert answer["status"] == "stored"
    assert answer["outcome"]["verdict"] == verdict
    json.dumps(answer, allow_nan=False)


@pytest.mark.parametrize(
    "fix", [None, 5, [], {}, {"lat": math.nan, "lon": math.nan, "accuracy_m": 5}, "\x00\ud800"]
)
def test_without_a_position_it_is_weak(beat: Beat, fix: Any) -> None:
    item = beat.phone.check_in(beat.shops[0].id)
    item["body"]["fix"] = fix
    (answer,) = beat.send(item)
    assert (answer["status"], answer["outcome"]["verdict"]) == ("stored", "weak")


def test_thirty_days_late_is_taken(beat: Beat) -> None:
    item = beat.phone.check_in(beat.shops[0].id, given=beat.in_shift())
    (answer,) = beat.send(item, at=beat.at + timedelta(days=30))
    assert (answer["status"], answer["flags"]) == ("stored", [])
    row = beat.session.scalars(select(CheckIn)).one()
    assert row.occurred_at == beat.at
    assert row.received_at == beat.at + timedelta(days=30)


def test_a_clock_an_hour_ahead_is_corrected(beat: Beat) -> None:
    phone = Phone(beat.person_id, beat.at, offset_s=-3600)
    (answer,) = beat.send(phone.check_in(beat.shops[0].id))
    assert answer["flags"] == ["clock_off"]
    assert beat.session.scalars(select(CheckIn)).one().occurred_at == beat.at


def test_an_uncorrected_clock_never_passes_receipt(beat: Beat) -> None:
    phone = Phone(beat.person_id, beat.at + timedelta(hours=1))
    item = phone.check_in(beat.shops[0].id)
    item["times"]["offset_ms"] = None
    (answer,) = beat.send(item)
    assert "clock_ahead" in answer["flags"]
    row = beat.session.scalars(select(CheckIn)).one()
    assert (row.occurred_at, row.uncertainty_s) == (beat.at, None)


@pytest.mark.parametrize("wall", ["2010-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "x", None, 1e30])
def test_a_clock_of_2010_is_bounded_by_the_shift(beat: Beat, wall: Any) -> None:
    item = beat.phone.check_in(beat.shops[0].id, given=beat.in_shift())
    item["times"] |= {"wall": wall, "offset_ms": None}
    (answer,) = beat.send(item)
    assert answer["status"] == "stored"
    assert {"clock_unreliable", "clock_unreadable"} & set(answer["flags"])
    row = beat.session.scalars(select(CheckIn)).one()
    assert beat.shift.starts_at <= row.occurred_at <= beat.at


def test_a_clock_set_inside_a_page_is_noticed(beat: Beat) -> None:
    one = beat.phone.check_in(beat.shops[0].id)
    beat.send(one)
    other = beat.phone.check_in(beat.shops[1].id)
    other["times"]["wall"] = (beat.at - timedelta(minutes=30)).isoformat()
    assert "clock_jumped" in beat.send(other)[0]["flags"]


def test_a_retired_form_is_taken_and_marked(beat: Beat) -> None:
    for version in ("2026-1", "2026-2"):
        questions.publish(
            beat.session, audience="P", version=version, items=["WS01"], by=None, at=beat.at
        )
    for version, flag in (("2026-1", ["form_retired"]), ("2026-2", []), ("?", ["form_unknown"])):
        item = beat.phone.check_in(beat.shops[0].id, checklist=bad("WS01", version=version))
        (answer,) = beat.send(item)
        assert (answer["status"], answer["flags"]) == ("stored", flag)


@pytest.mark.parametrize(
    ("code", "roles", "inspection", "reason"),
    [
        ("ZP03", {"patroller"}, None, "not_yours_to_check"),
        ("FL04", {"patroller"}, None, "not_yours_to_check"),
        ("ZP03", {"patroller"}, "JC-2026-0001", "not_enforcement"),
        ("ZP03", {"officer"}, None, "not_yours_to_check"),
        ("ZP03", {"officer"}, "JC-2026-0001", None),
        ("WS01", {"officer"}, "JC-2026-0001", None),
        ("XX99", {"patroller"}, None, "unknown_item"),
    ],
)
def test_who_may_check_what(
    beat: Beat, code: str, roles: set[str], inspection: str | None, reason: str | None
) -> None:
    item = beat.phone.check_in(beat.shops[0].id, checklist=bad(code), inspection_code=inspection)
    (answer,) = beat.send(item, by=actor(beat.person_id, *roles))
    assert (answer["reason"] or {}).get("code") == reason


def test_a_merchant_checks_the_own_shop_alone(beat: Beat) -> None:
    session = beat.session
    keeper = makers.make_person(session, "店主")
    merchant = tenancies.open_merchant(session, name="桂香")
    tenancies.start(
        session, beat.shops[0], merchant, sign_name="桂香", on=beat.at.date(), by=None, at=beat.at
    )
    shopkeepers.name(session, merchant, person_id=keeper.id, by=None, at=beat.at)
    phone = Phone(keeper.id, beat.at)

    def check(number: int, code: str) -> Any:
        body = {
            "storefront_id": str(beat.shops[number].id),
            "how": "picked",
            "checklist": bad(code),
        }
        item = phone.item("self_check", body)
        first = beat.send(item, by=actor(keeper.id, "merchant"))[0]
        again = beat.send(item, by=actor(keeper.id, "merchant"))[0]
        assert again["status"] == {"stored": "already_stored"}.get(first["status"], "refused")
        return first

    assert check(0, "FL04")["status"] == "stored"
    assert check(0, "ZX01")["reason"]["code"] == "not_a_shopkeeper_item"
    assert check(1, "FL04")["reason"]["code"] == "not_your_shop"
    # The merchant's own word: no visit, no finding, and so no case.
    assert not session.scalars(select(CheckIn)).all()
    assert not session.scalars(select(Finding)).all()
    (row,) = session.scalars(select(SelfCheck))
    assert (row.storefront_id, row.wrong, row.form) == (beat.shops[0].id, 1, "rc-standard-2026.1")


def test_a_typed_number_finds_the_shop(beat: Beat) -> None:
    item = beat.phone.check_in(beat.shops[1].id, how="typed", number=beat.shops[0].human_number)
    (answer,) = beat.send(item)
    assert answer["flags"] == ["plate_elsewhere"]
    assert beat.session.scalars(select(CheckIn)).one().storefront_id == beat.shops[0].id


def test_an_unknown_plate_falls_back_to_what_was_picked(beat: Beat) -> None:
    item = beat.phone.check_in(beat.shops[1].id, plate_digest="0" * 64)
    assert beat.send(item)[0]["flags"] == ["plate_unknown"]
    del item["body"]["storefront_id"]
    assert beat.send(item | {"id": str(new_id())})[0]["reason"]["code"] == "no_place"


def test_picking_by_hand_needs_a_reason(beat: Beat) -> None:
    item = beat.phone.check_in(beat.shops[1].id, how="picked")
    assert beat.send(item)[0]["reason"]["code"] == "needs_because"
    item = beat.phone.check_in(beat.shops[1].id, how="picked", because="码被撕掉")
    assert beat.send(item)[0]["status"] == "stored"


def test_photos_are_promised_and_named_while_missing(beat: Beat, count: Count) -> None:
    photos = [photo(b"one"), photo(b"two", "scan_frame")]
    item = beat.phone.check_in(beat.shops[0].id, given={"photos": photos})
    (answer,) = beat.send(item)
    assert sorted(answer["missing_blobs"]) == sorted(one["sha256"] for one in photos)
    beat.send(item)
    assert count("item_photo") == 2


def test_a_shift_of_somebody_else(beat: Beat) -> None:
    other = makers.make_person(beat.session, "别人")
    item = Phone(other.id, beat.at).check_in(beat.shops[0].id, given=beat.in_shift())
    (answer,) = beat.send(item, by=actor(other.id))
    assert answer["reason"]["code"] == "other_shift"


def test_the_nonce_and_the_hours_of_a_shift(beat: Beat) -> None:
    item = beat.phone.check_in(beat.shops[0].id, given=beat.in_shift(nonce="guess"))
    assert beat.send(item)[0]["flags"] == ["nonce_other"]
    late = Phone(beat.person_id, beat.at + timedelta(days=2))
    item = late.check_in(beat.shops[0].id, given=beat.in_shift())
    assert beat.send(item, at=late.at)[0]["flags"] == ["outside_shift"]


def test_a_shift_begins_and_closes_once(beat: Beat) -> None:
    start = beat.phone.item("shift_start", {"fix": None}, **beat.in_shift())
    assert beat.send(start)[0]["status"] == "stored"
    beat.phone.at += timedelta(hours=1)
    close = beat.phone.item("shift_close", {}, **beat.in_shift())
    beat.send(close, at=beat.phone.at)
    beat.send(start, close, at=beat.phone.at)
    beat.session.refresh(beat.shift)
    assert (beat.shift.state, beat.shift.started_at) == ("closed", beat.at)
    assert beat.shift.closed_at == beat.at + timedelta(hours=1)


def test_a_miss_keeps_its_reason(beat: Beat) -> None:
    body = {"storefront_id": str(beat.shops[0].id), "because": "other"}
    assert beat.send(beat.phone.item("missed", body))[0]["status"] == "refused"
    body |= {"note": "门口在施工"}
    assert beat.send(beat.phone.item("missed", body))[0]["status"] == "stored"
    assert beat.session.scalars(select(MissedVisit.note)).all() == ["门口在施工"]


def test_another_shop_is_told_with_its_sign_or_its_licence(beat: Beat, count: Count) -> None:
    body = {"storefront_id": str(beat.shops[0].id), "sign_name": " ", "note": "卷帘门换了"}
    refused = beat.send(beat.phone.item("other_shop", body))[0]
    assert refused["reason"]["code"] == "needs_other_shop"
    body |= {"uscc": "92310115ma1te5t0x0 "}
    item = beat.phone.item("other_shop", body, **beat.in_shift())
    assert [beat.send(item)[0]["status"] for _ in range(2)] == ["stored", "already_stored"]
    row = beat.session.scalars(select(OtherShop)).one()
    assert (row.sign_name, row.uscc, row.note) == (None, "92310115MA1TE5T0X0", "卷帘门换了")
    wanted = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'insight.turnover'"
    assert beat.session.scalar(text(wanted)) == 1
    assert (row.occurred_at, row.person_id) == (beat.at, beat.person_id)
    # The next who comes is told that it was told.
    stops = download.shift(beat.session, beat.shift.id, beat.person_id, at=beat.at)["stops"]
    told = {stop["storefront_id"]: stop["other_shop"] for stop in stops}
    assert told[str(beat.shops[0].id)]["uscc"] == "92310115MA1TE5T0X0"
    assert told[str(beat.shops[1].id)] is None


def test_a_handover_is_read_by_the_next(beat: Beat, count: Count) -> None:
    body = {"segment_id": str(beat.segment.id), "text": "527号灯箱松动，请留意"}
    note = beat.phone.item("handover", body, **beat.in_shift())
    assert beat.send(note)[0]["status"] == "stored"
    other = makers.make_person(beat.session, "接班人")
    read = Phone(other.id, beat.at).item("handover_read", {"handover_id": note["id"]})
    for _ in range(2):
        beat.send(read, by=actor(other.id))
    assert count("handover_reading") == 1
    assert beat.session.scalars(select(Handover.person_id)).one() == beat.person_id
    nobody = beat.phone.item("handover_read", {"handover_id": str(uuid.uuid4())})
    assert beat.send(nobody)[0]["reason"]["code"] == "no_handover"


def test_a_finding_along_the_street(beat: Beat) -> None:
    body = {"segment_id": str(beat.segment.id), "item": "XF02", "note": "消火栓被围挡"}
    (answer,) = beat.send(beat.phone.item("finding", body))
    row = beat.session.scalars(select(Finding)).one()
    assert answer["findings"] == [str(row.id)]
    assert (row.storefront_id, row.severity) == (None, "S")
    body["segment_id"] = str(uuid.uuid4())
    assert beat.send(beat.phone.item("finding", body))[0]["reason"]["code"] == "no_segment"


def test_an_explanation_goes_to_the_reviewer(beat: Beat) -> None:
    visit = beat.phone.check_in(beat.shops[0].id, metres=300)
    beat.send(visit)
    body = {"check_in_id": visit["id"], "text": "定位漂到对面小区"}
    assert beat.send(beat.phone.item("explain", body))[0]["status"] == "stored"
    review = beat.session.scalars(select(Review)).one()
    assert (review.state, review.explanation) == ("waiting", "定位漂到对面小区")
    other = makers.make_person(beat.session, "别人")
    theirs = Phone(other.id, beat.at).item("explain", body)
    assert beat.send(theirs, by=actor(other.id))[0]["reason"]["code"] == "no_check_in"


def test_more_than_fifty_are_too_many(beat: Beat) -> None:
    with pytest.raises(TooLarge):
        beat.send(*([None] * (intake.MOST + 1)))


DEEP: Any = []
for _ in range(3000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": "x"}, "bad_id"),
        ({"id": None}, "bad_id"),
        ({"id": 5}, "bad_id"),
        ({"id": str(uuid.uuid4())}, "bad_id"),
        ({"kind": "x"}, "unknown_kind"),
        ({"kind": None}, "unknown_kind"),
        ({"kind": []}, "unknown_kind"),
        ({"person_id": 5}, "bad_field"),
        ({"device_id": "\x00"}, "bad_field"),
        ({"seq": -1}, "bad_field"),
        ({"seq": True}, "bad_field"),
        ({"seq": 2**40}, "bad_field"),
        ({"shift_id": "x"}, "bad_field"),
        ({"shift_id": str(uuid.uuid4())}, "no_shift"),
        ({"body": None}, "bad_field"),
        ({"body": []}, "bad_field"),
        ({"body": {"x": "a" * 70_000}}, "too_large"),
        ({"body": {"x": DEEP}}, "unreadable"),
        ({"body": {"storefront_id": 5}}, "bad_field"),
        ({"body": {"storefront_id": str(uuid.uuid4())}}, "no_place"),
        ({"body": {}}, "no_place"),
        ({"photos": 5}, "bad_field"),
        ({"photos": [{"sha256": "zz"}]}, "bad_field"),
        ({"photos": [{"sha256": "a" * 64}] * 13}, "bad_field"),
        ({"nonce": 5}, "bad_field"),
    ],
)
def test_odd_envelopes_are_refused_with_a_reason(
    beat: Beat, change: dict[str, Any], code: str
) -> None:
    item = beat.phone.check_in(beat.shops[0].id) | change
    good = beat.phone.check_in(beat.shops[0].id)
    answer, neighbour = beat.send(item, good)
    assert (answer["status"], answer["reason"]["code"]) == ("refused", code)
    assert answer["http"] == (413 if code == "too_large" else 422)
    assert neighbour["status"] == "stored"


@pytest.mark.parametrize(
    "times",
    [
        None,
        5,
        {},
        {"wall": "\x00", "session": "\x00\ud800", "mono_ms": math.nan},
        {"wall": "2026-11-02T04:00:00Z", "offset_ms": 10**400, "mono_ms": -1, "session": "x" * 999},
        {"wall": "9999-12-31T23:59:59Z", "offset_ms": 10**12},
        {"wall": "0001-01-01T00:00:00+14:00", "offset_ms": -(10**12)},
    ],
)
def test_odd_times_are_never_refused(beat: Beat, times: Any) -> None:
    item = beat.phone.check_in(beat.shops[0].id, given={"times": times})
    assert beat.send(item)[0]["status"] == "stored"


@pytest.mark.parametrize(
    "body",
    [
        {"because": "\x00\x00"},
        {"verdict_shown": {"x": "\x00", "\x00": math.inf}},
        {"took_ms": 10**18},
        {"took_ms": -5},
        {"number": "\x00"},
        {"token": "https://x.example/C/" + "Z" * 5000},
        {"fix": {"lat": 31.2291, "lon": 121.5187, "accuracy_m": 5, "datum": [], "at": {}}},
    ],
)
def test_odd_words_are_cleaned_and_kept(beat: Beat, body: dict[str, Any]) -> None:
    item = beat.phone.check_in(beat.shops[0].id, **body)
    assert beat.send(item)[0]["status"] == "stored"


def test_a_batch_asks_a_fixed_number_of_questions(beat: Beat, queries: Any) -> None:
    def asked(number: int) -> int:
        items = [
            beat.phone.check_in(
                beat.shops[n % 3].id,
                given=beat.in_shift(photos=[photo(b"%d" % n)]),
                checklist={"version": "rc-standard-2026.1", "answers": []},
            )
            for n in range(number)
        ]
        with queries() as seen:
            answers = beat.send(*items)
        assert {one["status"] for one in answers} == {"stored"}
        return len(seen)

    asked(1)  # rows of the test itself are loaded
    assert asked(2) == asked(50) <= 9


def test_the_place_said_in_another_datum_is_moved_once(beat: Beat) -> None:
    from roadchief.lib.coords import Datum, from_wgs84

    lon, lat = from_wgs84(DOOR.x, DOOR.y, Datum.GCJ02)
    fix = {"lon": float(lon), "lat": float(lat), "accuracy_m": 10, "datum": "gcj02"}
    (answer,) = beat.send(beat.phone.check_in(beat.shops[0].id, fix=fix))
    assert answer["outcome"]["verdict"] == "verified"
    untold = {name: value for name, value in fix.items() if name != "datum"}
    (answer,) = beat.send(beat.phone.check_in(beat.shops[0].id, fix=untold))
    assert answer["outcome"]["verdict"] == "contradicted"
    assert answer["outcome"]["reason"] == "frame_gcj02"


def test_a_track_is_kept_inside_the_shift_alone(beat: Beat, count: Count) -> None:
    line = beat.segment.line
    ms = beat.at.timestamp() * 1000
    points = []
    for step in range(60):
        there = line.interpolate(step / 120, normalized=True)
        points.append([ms - 600_000 + step * 10_000, there.y, there.x, 8])
    foreign = [[ms - 86_400_000, off(0)["lat"], off(0)["lon"], 8]]
    item = beat.phone.item("track", {"points": [*foreign, *points, "x", [None]]}, **beat.in_shift())
    (answer,) = beat.send(item)
    assert (answer["status"], answer["flags"]) == ("stored", ["outside_shift"])
    row = beat.session.execute(text("SELECT from_m, to_m FROM covered_stretch")).one()
    assert row.from_m == pytest.approx(0, abs=1)
    assert row.to_m == pytest.approx(beat.segment.length_m * 59 / 120, rel=0.02)
    kept = beat.session.execute(text("SELECT jsonb_array_length(points) FROM track")).scalar()
    assert kept == 60
    assert beat.session.scalars(select(PatrolItem.body)).one() is None
    beat.send(item)
    assert count("covered_stretch") == 1
    loose = beat.phone.item("track", {"points": points})
    assert beat.send(loose)[0]["reason"]["code"] == "no_shift"
