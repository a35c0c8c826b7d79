"""The way of a case, through the verbs: what is written, what is refused, what stays."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from roadchief.db import savepoint
from roadchief.errors import BadInput, NotFound
from roadchief.issues import adjusting, cases, clocks, handling, merging, moves, opening, spots
from roadchief.issues.cases import Who
from roadchief.issues.models import Case, CasePause, CaseStep
from roadchief.issues.refusals import (
    MergeCycle,
    NoSuchCase,
    NotNow,
    OutsideHere,
    PageIsOld,
    Permitted,
    TooManyChildren,
)
from roadchief.lib import clock
from roadchief.streets import places
from tests import makers
from tests.issues import ground
from tests.issues.ground import CENTRE, CHIEF, TUESDAY, World

HOUR = timedelta(hours=1)


@pytest.fixture
def world(session: Session) -> World:
    return ground.build(session)


def wall(at: object) -> str:
    return clock.local(at).strftime("%m-%d %H:%M")  # type: ignore[arg-type]


def verbs(session: Session, case: Case) -> list[str]:
    rows = session.scalars(
        select(CaseStep.verb).where(CaseStep.case_id == case.id).order_by(CaseStep.seq)
    )
    return list(rows)


def test_a_report_knows_its_place_and_clocks(session: Session, world: World) -> None:
    case = ground.file_case(session, world)
    assert case.number == "2611-0001"
    assert case.state == "reported"
    assert (case.storefront_id, case.segment_id) == (world.shop.id, world.segment.id)
    assert case.tenancy_id == world.tenancy.id
    assert wall(case.due_at) == "11-24 16:00"
    assert (
        wall(case.response_due_at) == "11-24 13:30" or wall(case.response_due_at) == "11-24 14:00"
    )
    assert ground.file_case(session, world).number == "2611-0002"


def test_the_merchant_is_told_first_fixes_and_it_is_closed(session: Session, world: World) -> None:
    case = ground.opened(session, world)
    assert case.state == "notified_merchant"
    assert wall(case.merchant_due_at) == "11-24 16:00"
    later = TUESDAY + HOUR
    with pytest.raises(BadInput):
        handling.fix(session, case, who=world.shopkeeper, at=later, photo_ids=())
    photo = ground.make_photo(session)
    handling.fix(session, case, who=world.shopkeeper, at=later, photo_ids=(photo,), words="搬走了")
    assert case.state == "submitted"
    cases.move(session, case, "check", who=CHIEF, at=later)
    handling.close(
        session, case, who=CHIEF, at=later + 30 * HOUR, kind="fixed_by_merchant", words="已清空"
    )
    assert case.state == "closed"
    # The unit's clock never ran: the merchant had it, then it waited to be checked.
    assert case.on_time is True
    assert verbs(session, case) == ["report", "open", "notify", "fix", "check", "close"]


def test_a_department_does_the_work_and_the_case_is_reopened_once_more(
    session: Session, world: World
) -> None:
    case = ground.opened(session, world, category="ZX08")
    assert (case.state, case.unit_id) == ("assigned", world.squad.id)
    at = TUESDAY + HOUR
    handling.accept(session, case, who=world.unit, at=at)
    assert case.holder_id == world.officer
    photo = ground.make_photo(session)
    handling.submit(session, case, who=world.unit, at=at, words="已劝离", photo_ids=(photo,))
    cases.move(session, case, "check", who=CENTRE, at=at)
    handling.send_back(session, case, who=CENTRE, at=at, words="仍在")
    assert case.state == "reopened"
    handling.accept(session, case, who=world.unit, at=at)
    handling.submit(session, case, who=world.unit, at=at, words="再次劝离", photo_ids=(photo,))
    handling.close(session, case, who=CENTRE, at=at, kind="fixed_by_unit", words="现场已无")
    assert (case.closings, case.on_time) == (1, True)
    due = case.due_at
    # The unit's clock goes on from where it stood at closing: due moves by the time between.
    handling.reopen(session, case, who=CHIEF, at=at + 24 * HOUR, words="又来了")
    assert (case.state, case.reopened, case.closing_kind) == ("reopened", 1, None)
    assert due
    assert case.due_at
    assert case.ended_at is None
    assert case.due_at - TUESDAY == timedelta(hours=2) + 24 * HOUR


def test_a_colleague_of_the_same_unit_takes_a_case_over(session: Session, world: World) -> None:
    case = ground.opened(session, world, category="ZX08")
    at = TUESDAY + HOUR
    handling.accept(session, case, who=world.unit, at=at)
    colleague = makers.make_person(session, "方圆")
    makers.make_post(session, colleague, role="officer", organisation_id=world.squad.id)
    with pytest.raises(NotNow) as refused:
        handling.take_over(session, case, who=world.unit, at=at)
    assert refused.value.say("zh") == "已由您办理"
    step = handling.take_over(session, case, who=Who(moves.UNIT, colleague.id), at=at)
    assert (case.holder_id, case.state) == (colleague.id, "in_progress")
    assert step.data == {"before": str(world.officer)}
    assert not step.public


def test_danger_waits_for_no_merchant(session: Session, world: World) -> None:
    case = ground.file_case(session, world, category="ZX02", words="煤气瓶倒在门口，有煤气味")
    assert case.danger
    opening.open_case(session, case, who=CENTRE, at=TUESDAY)
    assert case.state == "assigned"
    other = ground.opened(session, world, category="WS06", words="")
    assert other.state == "notified_merchant"


def test_nobody_responsible_is_a_queue_of_its_own(session: Session, world: World) -> None:
    case = ground.opened(session, world, category="BJ02")
    assert (case.state, case.unit_id) == ("open", None)
    assert case.routed_by == "none:construction"


def test_an_abolished_unit_is_given_nothing(session: Session, world: World) -> None:
    world.squad.closed_at = TUESDAY
    session.flush()
    case = ground.opened(session, world, category="ZX08")
    assert (case.state, case.unit_id) == ("open", None)
    with pytest.raises(BadInput):
        opening.dispatch(session, case, who=CENTRE, to=world.squad.id, at=TUESDAY)
    with pytest.raises(BadInput):
        opening.dispatch(session, case, who=CENTRE, to=uuid.uuid4(), at=TUESDAY)


def test_a_move_from_an_old_page_is_refused_with_what_happened(
    session: Session, world: World
) -> None:
    case = ground.opened(session, world, category="ZX08")
    seen = case.version
    handling.accept(session, case, who=world.unit, at=TUESDAY, seen=seen)
    with pytest.raises(PageIsOld) as caught:
        adjusting.give_back(session, case, who=world.unit, at=TUESDAY, words="不归我们", seen=seen)
    assert "接收" in caught.value.say("zh")
    # A comment from an old page is kept and puts nothing back.
    adjusting.note(session, case, who=world.unit, at=TUESDAY, words="电话联系过")
    assert case.state == "in_progress"


def test_a_move_that_the_table_forbids_leaves_no_trace(session: Session, world: World) -> None:
    case = ground.opened(session, world, category="ZX08")
    before = verbs(session, case)
    for verb, who in (("close", world.unit), ("fix", world.shopkeeper), ("accept", CENTRE)):
        with pytest.raises(NotNow):
            cases.move(session, case, verb, who=who, at=TUESDAY)
    assert verbs(session, case) == before
    assert case.state == "assigned"


def test_steps_cannot_be_edited(session: Session, world: World) -> None:
    ground.file_case(session, world)
    session.flush()
    with pytest.raises(ProgrammingError, match="permission denied"), savepoint(session):
        session.execute(text("UPDATE case_step SET verb = 'x'"))
    with pytest.raises(ProgrammingError, match="permission denied"), savepoint(session):
        session.execute(text("DELETE FROM case_step"))


def test_time_is_given_once_and_no_more_than_the_limit(session: Session, world: World) -> None:
    case = ground.opened(session, world, category="LH01")
    assert case.unit_id == world.green.id
    green = Who("unit", world.officer)
    due = case.due_at
    with pytest.raises(BadInput):
        adjusting.ask_time(session, case, who=green, amount=9, at=TUESDAY, words="等苗木")
    adjusting.ask_time(session, case, who=green, amount=2, at=TUESDAY, words="等苗木")
    assert case.due_at == due
    adjusting.grant_time(session, case, who=CENTRE, at=TUESDAY)
    assert wall(case.due_at) == "12-01 17:30"
    with pytest.raises(BadInput):
        adjusting.ask_time(session, case, who=green, amount=1, at=TUESDAY, words="再等")


def test_deferring_stops_the_clock_and_returns_to_the_same_state(
    session: Session, world: World
) -> None:
    case = ground.opened(session, world, category="LH01")
    adjusting.defer(session, case, who=CENTRE, at=TUESDAY, words="等待道路大修")
    assert (case.state, case.came_from) == ("deferred", "assigned")
    assert case.paused_at == TUESDAY
    adjusting.resume(session, case, who=CENTRE, at=TUESDAY + timedelta(days=7))
    assert (case.state, case.paused_at) == ("assigned", None)
    assert wall(case.due_at) == "12-04 17:30"


def test_a_question_counts_as_citizen_time(session: Session, world: World) -> None:
    case = ground.opened(session, world, category="ZX08")
    adjusting.ask(session, case, who=world.unit, at=TUESDAY, words="是哪个路口？")
    assert case.paused_at
    assert case.contacted_at == TUESDAY
    with pytest.raises(NotNow):
        adjusting.ask(session, case, who=world.unit, at=TUESDAY, words="再问")
    adjusting.answered(session, case, who=Who("citizen"), at=TUESDAY + HOUR)
    assert case.paused_at is None
    assert case.due_at == TUESDAY + 3 * HOUR


def test_a_parent_closes_with_its_last_child_and_reopens_with_one(
    session: Session, world: World
) -> None:
    case = ground.opened(session, world, category="ZX08")
    handling.accept(session, case, who=world.unit, at=TUESDAY)
    children = [
        adjusting.split(session, case, who=world.unit, category=code, words="分开办", at=TUESDAY)
        for code in ("WS07", "BJ02")
    ]
    photo = ground.make_photo(session)
    handling.submit(session, case, who=world.unit, at=TUESDAY, words="好了", photo_ids=(photo,))
    with pytest.raises(NotNow) as caught:
        handling.close(session, case, who=CENTRE, at=TUESDAY, kind="fixed_by_unit", words="好")
    assert children[0].number in caught.value.say("zh")
    with pytest.raises(TooManyChildren):
        adjusting.split(session, children[0], who=CENTRE, category="WS01", words="x", at=TUESDAY)
    for child in children:
        if child.state == "assigned":
            handling.accept(session, child, who=Who("unit", world.officer), at=TUESDAY)
            handling.submit(
                session,
                child,
                who=Who("unit", world.officer),
                at=TUESDAY,
                words="清了",
                photo_ids=(ground.make_photo(session),),
            )
        kind = "fixed_by_unit" if child.state == "submitted" else "not_ours"
        handling.close(session, child, who=CENTRE, at=TUESDAY, kind=kind, words="完成")
    assert case.state == "closed"
    handling.reopen(session, children[0], who=CHIEF, at=TUESDAY + HOUR, words="又有了")
    assert case.state == "reopened"


def test_merging_keeps_the_earliest_receipt_and_can_be_undone(
    session: Session, world: World
) -> None:
    first = ground.file_case(session, world, at=TUESDAY - HOUR)
    second = ground.opened(session, world)
    merging.merge(session, first, into=second.id, who=CENTRE, at=TUESDAY, words="同一件")
    assert (first.state, first.master_id) == ("duplicate", second.id)
    assert second.begun_at == TUESDAY - HOUR
    assert second.followers == 1
    with pytest.raises(MergeCycle):
        merging.merge(session, second, into=first.id, who=CENTRE, at=TUESDAY, words="反向")
    merging.unmerge(session, first, who=CENTRE, at=TUESDAY + HOUR, words="不是同一件")
    assert (first.state, first.master_id) == ("reported", None)
    assert second.followers == 0


def test_alike_cases_are_found_with_reasons(session: Session, world: World) -> None:
    there = ground.file_case(session, world, words="纸箱堆在盲道上")
    other = ground.file_case(session, world, category="ZX05", words="共享单车乱停")
    found = merging.alike(
        session,
        category="ZX02",
        place=there.place,
        storefront_id=world.shop.id,
        words="盲道上有很多纸箱",
        at=TUESDAY,
        public=False,
    )
    assert [one.id for one in found] == [there.id]
    assert "同一铺位" in found[0].zh
    assert other.id not in {one.id for one in found}
    stranger = merging.alike(
        session,
        category="ZX02",
        place=there.place,
        storefront_id=None,
        words="井口水泥块挡路",
        at=TUESDAY,
        public=True,
    )
    assert [one.words for one in stranger] in ([], [""])  # raw words are never public


@pytest.mark.parametrize("metres", [5, 20, 40])
def test_distance_decides_by_category(session: Session, world: World, metres: int) -> None:
    spot = spots.of_point(session, lon=121.5190, lat=31.2275, at=TUESDAY)
    there = ground.file_case(session, world, category="BJ02", spot=spot, words="路面大坑")
    assert there.place
    near = type(there.place)(there.place.x, there.place.y + metres / 111_000)
    found = merging.alike(
        session,
        category="BJ02",
        place=near,
        storefront_id=None,
        words="路面有坑",
        at=TUESDAY,
        public=False,
    )
    assert bool(found) == (metres < 15)


def test_places(session: Session, world: World) -> None:
    zone = spots.of_point(session, lon=121.5187, lat=31.2291, at=TUESDAY)
    assert zone.storefront_id == world.shop.id
    street = spots.of_point(session, lon=121.51925, lat=31.2278, at=TUESDAY)
    assert (street.storefront_id, street.segment_id) == (None, world.segment.id)
    with pytest.raises(OutsideHere):
        spots.of_point(session, lon=121.60, lat=31.2291, at=TUESDAY)
    shifted = spots.of_point(
        session, lon=121.5187 + 0.00434, lat=31.2291 - 0.00212, at=TUESDAY, datum="gcj02"
    )
    assert shifted.lon == pytest.approx(121.5187, abs=2e-4)
    for lon, lat in ((float("nan"), 31.0), (121.0, float("inf")), (999.0, 31.0), (121.5, -91.0)):
        with pytest.raises(BadInput):
            spots.of_point(session, lon=lon, lat=lat, at=TUESDAY)
    with pytest.raises(BadInput):
        spots.of_point(session, lon=121.5187, lat=31.2291, at=TUESDAY, datum="mars")
    with pytest.raises(NotFound):
        spots.of_storefront(session, uuid.uuid4(), at=TUESDAY)


def test_permitted_outdoor_trade_does_not_become_a_case(session: Session, world: World) -> None:
    places.open_permit_area(
        session,
        name="崂山路外摆位",
        kind="outdoor",
        area=ground.ZONE,
        windows=[{"days": [1, 2, 3, 4, 5, 6, 7], "from": "09:00", "to": "12:00"}],
        valid_from=TUESDAY.date() - timedelta(days=30),
        valid_to=TUESDAY.date() + timedelta(days=30),
        by=None,
        at=TUESDAY,
    )
    inside = ground.file_case(session, world, category="ZX01", words="桌子摆出来")
    with pytest.raises(Permitted):
        opening.open_case(session, inside, who=CENTRE, at=TUESDAY)
    opening.open_case(
        session, inside, who=CENTRE, at=TUESDAY, words="超出画线两米", despite_permit=True
    )
    late = ground.file_case(session, world, category="ZX01", at=TUESDAY + 3 * HOUR)
    assert late.permit is None
    other = ground.file_case(session, world, category="ZX02")
    opening.open_case(session, other, who=CENTRE, at=TUESDAY)


def test_another_category_counts_from_receipt_and_keeps_pauses(
    session: Session, world: World
) -> None:
    case = ground.opened(session, world, category="ZX08")
    adjusting.recategorise(
        session, case, who=CENTRE, category="WS07", at=TUESDAY + HOUR, words="其实是涂鸦"
    )
    assert (case.category, case.unit_id) == ("WS07", world.green.id)
    assert wall(case.due_at) == "11-26 17:30"
    handling.accept(session, case, who=world.unit, at=TUESDAY + HOUR)
    adjusting.recategorise(
        session, case, who=CENTRE, category="ZX08", at=TUESDAY + HOUR, words="又改回"
    )
    assert case.unit_id == world.green.id  # not away from a person who accepted
    with pytest.raises(BadInput):
        adjusting.recategorise(session, case, who=CENTRE, category="ZZ99", at=TUESDAY, words="没有")


def test_forty_reports_about_one_shop_ring_once(session: Session, world: World) -> None:
    told = [
        ground.opened(session, world, at=TUESDAY + timedelta(seconds=15 * n)) for n in range(40)
    ]
    rows = session.scalars(
        select(CaseStep.data["rings"].as_boolean()).where(CaseStep.verb == "notify")
    ).all()
    assert len(told) == 40
    assert sum(rows) == 1


def test_words_are_bounded_and_odd_ones_do_no_harm(session: Session, world: World) -> None:
    case = ground.file_case(session, world, words="长" * 100_000)
    assert len(case.words) == cases.MOST_WORDS
    for words in ("<script>alert(1)</script>", "😀🏮", "𠮷野家㐂", "   "):
        assert ground.file_case(session, world, words=words).words == words


def test_a_number_that_is_not_there(session: Session, world: World) -> None:
    with pytest.raises(NoSuchCase):
        cases.find_by_number(session, "2611-9999")
    with pytest.raises(NoSuchCase):
        cases.locked(session, uuid.uuid4())


def test_two_pauses_in_one_minute_count_once(session: Session, world: World) -> None:
    case = ground.opened(session, world, category="ZX08")
    for _ in range(2):
        clocks.pause(session, case, "waiting", because="两次", at=TUESDAY)
    plan = clocks.reckon(session, case, at=TUESDAY + HOUR)
    assert plan.paused
    assert plan.left == timedelta(hours=2)
    rows = session.scalars(select(CasePause).where(CasePause.case_id == case.id)).all()
    assert len(rows) == 2
