"""Signals are explained, reviews are opened once, lots are drawn and compared."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from roadchief.accounts import notices
from roadchief.codes import plates, tokens
from roadchief.codes.models import PlateAlarm
from roadchief.codes.plates import Target
from roadchief.errors import BadInput, NotFound
from roadchief.patrol import rules
from roadchief.patrol.doubts import review, signals, weighing
from roadchief.patrol.doubts.signals import Figures, Visit
from roadchief.patrol.models import CheckIn
from roadchief.patrol.plan_models import Recheck, Review
from roadchief.patrol.presence import reach
from tests import makers
from tests.patrol.conftest import Beat
from tests.patrol.phone import Phone, actor, bad, off, photo

RULES = rules.section("signals")
FIGURES = Figures(**{name: RULES[name] for name in Figures.__dataclass_fields__})


def never() -> float:
    return 0.999


def always() -> float:
    return 0.0


def visit(minute: float, metres: float = 0, *, a: float = 10, shop: int = 0, **given: Any) -> Visit:
    place = off(metres)
    values: dict[str, Any] = {
        "id": uuid.uuid4(),
        "storefront_id": shop,
        "at": makers.NOON + timedelta(minutes=minute),
        "uncertainty_s": 0.0,
        "outcome": "verified",
        "lon": place["lon"],
        "lat": place["lat"],
        "accuracy_m": a,
        "device_id": 1,
    }
    return Visit(**(values | given))


def kinds(one: Visit, *around: Visit) -> list[str]:
    return [row["kind"] for row in signals.among(one, around, FIGURES)]


@pytest.mark.parametrize(
    ("metres", "minutes", "wanted"),
    [
        (100, 1, []),
        (330, 1, ["fast"]),  # at least 300 m in a minute
        (700, 1, ["too_fast"]),
        (3000, 1, ["impossible"]),
        (30, 0.01, []),  # both accuracies taken off, nothing is left
    ],
)
def test_speed_is_a_lower_bound(metres: float, minutes: float, wanted: list[str]) -> None:
    assert kinds(visit(minutes, metres, shop=1), visit(0)) == wanted


def test_doubtful_clocks_and_positions_excuse() -> None:
    far = visit(1, 700, shop=1, uncertainty_s=300.0)
    assert kinds(far, visit(0)) == []
    assert kinds(visit(1, 700, shop=1, a=200), visit(0, a=200)) == []
    assert kinds(visit(1, shop=1, lon=None, lat=None), visit(0)) == []


def test_the_very_same_fix_at_two_shops() -> None:
    one = visit(0)
    assert kinds(visit(5, shop=1), one) == ["same_fix"]
    assert kinds(visit(5, shop=0), one) == []


def test_people_are_no_clocks() -> None:
    even = [visit(n, n * 30, shop=n) for n in range(6)]
    assert "even_pace" in kinds(even[-1], *even)
    human = [visit(n + (0.3 if n % 2 else 0), n * 30, shop=n) for n in range(6)]
    assert "even_pace" not in kinds(human[-1], *human)


def test_verified_neighbours_on_both_sides_speak_for_a_weak_one() -> None:
    weak = visit(5, outcome="weak")
    assert signals.corroborated(weak, [visit(1), weak, visit(9)], 10)
    assert not signals.corroborated(weak, [visit(1), weak], 10)
    assert not signals.corroborated(weak, [visit(-6), weak, visit(9)], 10)


def test_every_signal_can_be_said() -> None:
    for kind in signals.KINDS:
        for language in ("zh", "en"):
            assert "{" not in signals.say({"kind": kind}, language)
    assert signals.say({"kind": "of tomorrow"}, "zh") == "of tomorrow"


def send(beat: Beat, item: dict[str, Any], **given: Any) -> uuid.UUID:
    (answer,) = beat.send(item, **given)
    assert answer["status"] == "stored", answer
    return uuid.UUID(item["id"])


def test_an_honest_visit_waits_for_nobody(beat: Beat) -> None:
    key = send(beat, beat.phone.check_in(beat.shops[0].id))
    weighing.weigh(beat.session, key, at=beat.at, draw=never)
    assert beat.session.scalar(select(func.count(Review.id))) == 0


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"metres": 300}, "elsewhere"),
        ({"accuracy": 90}, "weak_alone"),
        ({"how": "picked", "because": "码被撕"}, "picked"),
        ({"plate_digest": "0" * 64}, "plate_unknown"),
    ],
)
def test_a_doubtful_one_waits_once_and_says_why(
    beat: Beat, given: dict[str, Any], kind: str
) -> None:
    key = send(beat, beat.phone.check_in(beat.shops[0].id, **given))
    for _ in range(3):
        weighing.weigh(beat.session, key, at=beat.at, draw=never)
    row = beat.session.scalars(select(Review)).one()
    assert (row.state, row.sampled) == ("waiting", False)
    assert kind in [one["kind"] for one in row.signals]
    assert all(signals.say(one, "zh") for one in row.signals)


def test_a_weak_one_with_a_live_photo_is_only_sampled(beat: Beat) -> None:
    item = beat.phone.check_in(beat.shops[0].id, accuracy=90, given={"photos": [photo(b"front")]})
    key = send(beat, item)
    weighing.weigh(beat.session, key, at=beat.at, draw=never)
    assert beat.session.scalar(select(func.count(Review.id))) == 0
    weighing.weigh(beat.session, key, at=beat.at, draw=always)
    assert beat.session.scalars(select(Review.sampled)).one()


def test_a_shifted_datum_is_named_before_anybody_is(beat: Beat) -> None:
    from roadchief.lib.coords import Datum, from_wgs84
    from tests.patrol.phone import DOOR

    lon, lat = from_wgs84(DOOR.x, DOOR.y, Datum.GCJ02)
    fix = {"lon": float(lon), "lat": float(lat), "accuracy_m": 10}
    key = send(beat, beat.phone.check_in(beat.shops[0].id, fix=fix))
    weighing.weigh(beat.session, key, at=beat.at, draw=never)
    (one,) = beat.session.scalars(select(Review.signals)).one()
    assert one == {"kind": "frame", "frame": "GCJ-02"}


def test_two_accounts_and_one_photo_twice(beat: Beat) -> None:
    item = beat.phone.check_in(beat.shops[0].id, given={"photos": [photo(b"x")]})
    send(beat, item)
    other = makers.make_person(beat.session, "别人")
    phone = Phone(other.id, beat.at + timedelta(hours=2))
    phone.device_id = beat.phone.device_id
    later = phone.check_in(beat.shops[1].id, given={"photos": [photo(b"x")]})
    key = send(beat, later, by=actor(other.id), at=phone.at)
    weighing.weigh(beat.session, key, at=phone.at, draw=never)
    (found,) = beat.session.scalars(select(Review.signals).where(Review.id == key))
    assert {"two_accounts", "same_photo"} <= {one["kind"] for one in found}


def test_every_kept_verdict_can_be_computed_again(beat: Beat) -> None:
    for metres in (0, 20, 45, 80, 300):
        for accuracy in (None, 5, 30, 60, 300):
            send(beat, beat.phone.check_in(beat.shops[0].id, metres=metres, accuracy=accuracy))
    rows = beat.session.scalars(select(CheckIn)).all()
    assert len(rows) == 25
    for row in rows:
        again = reach.judge(
            reach.read_fix(row.fix), beat.shops[0].frontage, row.radius_m, rules.reach()
        )
        kept = weighing.verdict_of(row)
        assert (again.outcome, again.reason, again.rule) == (kept.outcome, kept.reason, kept.rule)
        assert again.distance_m == pytest.approx(kept.distance_m, abs=1e-6)


def drawn(beat: Beat) -> uuid.UUID:
    first = send(beat, beat.phone.check_in(beat.shops[0].id, checklist=bad("WS01")))
    weighing.weigh(beat.session, first, at=beat.at, draw=always)
    return first


@pytest.mark.parametrize(
    ("codes", "agreed", "differences"),
    [(["WS01"], True, []), (["ZX02"], False, ["WS01", "ZX02"]), ([], False, ["WS01"])],
)
def test_a_visit_drawn_by_lot_is_done_again_by_another(
    beat: Beat, codes: list[str], agreed: bool, differences: list[str]
) -> None:
    first = drawn(beat)
    other = makers.make_person(beat.session, "复核")
    phone = Phone(other.id, beat.at + timedelta(days=1))
    item = phone.check_in(beat.shops[0].id, recheck_of=str(first), checklist=bad(*codes))
    second = send(beat, item, by=actor(other.id), at=phone.at)
    for _ in range(2):
        weighing.weigh(beat.session, second, at=phone.at, draw=always)
    row = beat.session.scalars(select(Recheck)).one()
    assert (row.second_id, row.agreed, row.differences) == (second, agreed, differences)
    rate = review.disagreement(beat.session, since=beat.at, until=phone.at)
    assert (rate.drawn, rate.done, rate.differed) == (1, 1, 0 if agreed else 1)


def test_nobody_rechecks_the_own_visit(beat: Beat) -> None:
    first = drawn(beat)
    key = send(beat, beat.phone.check_in(beat.shops[0].id, recheck_of=str(first)))
    weighing.weigh(beat.session, key, at=beat.at, draw=never)
    assert beat.session.scalars(select(Recheck.second_id)).one() is None


def test_a_reviewer_decides_once_with_reasons(beat: Beat) -> None:
    key = send(beat, beat.phone.check_in(beat.shops[0].id, metres=300))
    weighing.weigh(beat.session, key, at=beat.at, draw=never)
    chief = makers.make_person(beat.session, "周建国").id

    def decide(decision: str, because: str | None = None, by: uuid.UUID = chief) -> None:
        review.decide(beat.session, key, decision, by=by, at=beat.at, because=because)

    with pytest.raises(review.NotYourOwn):
        decide("approved", by=beat.person_id)
    with pytest.raises(BadInput):
        decide("refused")
    with pytest.raises(BadInput):
        decide("x", "y")
    decide("sent_back", "请说明")
    assert notices.unread(beat.session, beat.person_id) == 1
    body = {"check_in_id": str(key), "text": "门口修路 绕到对面"}
    beat.send(beat.phone.item("explain", body))
    row, photos, kept = review.evidence(beat.session, key)
    beat.session.refresh(kept)
    assert (kept.state, kept.explanation, photos) == ("waiting", "门口修路 绕到对面", [])
    assert row.name == "店0"
    decide("approved")
    with pytest.raises(review.AlreadyDecided):
        decide("refused", "太晚")
    with pytest.raises(NotFound):
        review.decide(beat.session, uuid.uuid4(), "approved", by=chief, at=beat.at, because=None)


def test_photos_that_never_come_are_looked_into(beat: Beat) -> None:
    send(beat, beat.phone.check_in(beat.shops[0].id, given={"photos": [photo(b"lost")]}))
    soon, late = beat.at + timedelta(hours=71), beat.at + timedelta(hours=73)
    assert review.mark_missing_photos(beat.session, at=soon) == 0
    assert review.mark_missing_photos(beat.session, at=late) == 1
    assert review.mark_missing_photos(beat.session, at=late) == 0
    (found,) = review.queue(beat.session, None)
    assert found.signals == [{"kind": "photo_missing", "hours": 72}]
    assert review.waiting(beat.session, [beat.segment.id]).waiting == 1
    assert review.waiting(beat.session, [uuid.uuid4()]).waiting == 0


@pytest.mark.usefixtures("app")  # which knows all tables that a plate points to
def test_a_plate_seen_at_another_shop_is_an_alarm(beat: Beat) -> None:
    """The visit is where the patroller stood; the plate that hung there is told to the office."""
    target = Target(storefront_id=beat.shops[2].id)
    (made,) = plates.mint(
        beat.session,
        [target],
        where=tokens.site("https://lz.gov.cn"),
        batch_id=None,
        by=None,
        at=beat.at,
    )
    digest = tokens.digest(made.token).hex()
    said = {"how": "picked", "because": "牌与店不符", "seen_plate": digest}
    items = [
        beat.phone.check_in(beat.shops[0].id, **said),
        beat.phone.check_in(beat.shops[2].id, **said),  # its own plate is no copy
    ]
    assert [one["flags"] for one in beat.send(*items)] == [["plate_elsewhere"], []]
    for item in items:
        weighing.weigh(beat.session, uuid.UUID(item["id"]), at=beat.at, draw=never)
    alarm = beat.session.scalars(select(PlateAlarm)).one()
    assert (alarm.kind, alarm.plate_id, alarm.times) == ("far", made.plate_id, 1)
    assert alarm.facts["distance_m"] == 20
    assert alarm.facts["visit"] == items[0]["id"]
