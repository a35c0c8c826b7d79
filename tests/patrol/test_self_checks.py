"""Self-checks: once for each id, own shops alone, never held against anybody."""

import re
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from roadchief.accounts.models import Post
from roadchief.accounts.notice_models import Notice
from roadchief.db import Database, new_id
from roadchief.errors import BadInput, NotFound
from roadchief.events import Event
from roadchief.issues.models import Case, CasePhoto
from roadchief.lib import clock
from roadchief.patrol.checklists import questions
from roadchief.patrol.models import CheckIn, Finding
from roadchief.patrol.phone import download, intake
from roadchief.patrol.selfchecks import checks, reminding
from roadchief.patrol.selfchecks import forms as self_forms
from roadchief.patrol.selfchecks import reading as self_reading
from roadchief.patrol.selfchecks.checks import Sheet, Wrong
from roadchief.patrol.selfchecks.models import SelfCheck, SelfFinding, SelfFix, SelfHelp
from roadchief.streets import shopkeepers, standards, tenancies
from roadchief.streets.models import Merchant
from tests import makers, pictures
from tests.cast import Cast, sign_in
from tests.issues import ground
from tests.issues.ground import TUESDAY, World
from tests.patrol.conftest import Beat
from tests.patrol.phone import Phone, actor
from tests.races import at_once

HERE = 310115004
M_ITEMS = tuple(standards.items_for("M"))


@pytest.fixture
def world(session: Session) -> World:
    return ground.build(session)


def sheet(world: World, *wrong: Wrong, **given: Any) -> Sheet:
    values: dict[str, Any] = {
        "id": new_id(),
        "storefront_id": world.shop.id,
        "form": standards.version(),
        "items": M_ITEMS,
        "wrong": wrong,
    }
    return Sheet(**(values | given))


def names(session: Session) -> list[str]:
    rows = session.scalars(select(Event.name).where(Event.name.like("patrol.self%")))
    return sorted(rows)


def test_all_in_order_is_one_row_and_one_event(session: Session, world: World) -> None:
    filled = sheet(world)
    row, fresh = checks.file(session, filled, by=world.keeper, at=TUESDAY)
    assert fresh
    assert (row.wrong, row.on_time, row.nth, row.on_day) == (0, True, 1, date(2026, 11, 24))
    assert (row.form, len(row.items)) == (standards.version(), len(M_ITEMS))
    event = session.scalars(select(Event).where(Event.name == "patrol.self_checked")).one()
    assert (event.data["on_time"], event.data["wrong"]) == (True, 0)
    # Sent again: the same row, nothing told twice.
    again, fresh = checks.file(session, filled, by=world.keeper, at=TUESDAY)
    assert (again.id, fresh) == (row.id, False)
    assert names(session) == ["patrol.self_checked"]


def test_the_same_id_with_another_content_is_told(session: Session, world: World) -> None:
    filled = sheet(world)
    checks.file(session, filled, by=world.keeper, at=TUESDAY)
    other = sheet(world, Wrong("WS01"), id=filled.id)
    with pytest.raises(checks.OtherSheet):
        checks.file(session, other, by=world.keeper, at=TUESDAY)
    assert not session.scalars(select(SelfFinding)).all()


def test_what_was_found_is_theirs_and_no_case(session: Session, world: World) -> None:
    checks.file(
        session,
        sheet(world, Wrong("ZX02", "两箱货", date(2026, 11, 25)), Wrong("XF03")),
        by=world.keeper,
        at=TUESDAY,
    )
    found = self_reading.found(session, world.tenancy.id)
    assert {(row.item, row.fix_on) for row in found} == {
        ("ZX02", date(2026, 11, 25)),
        ("XF03", None),
    }
    for table in (Case, Finding, CheckIn):
        assert not session.scalars(select(table)).all()


def test_only_ones_own_shop(session: Session, world: World) -> None:
    stranger = makers.make_person(session, "路人")
    with pytest.raises(NotFound):
        checks.file(session, sheet(world), by=stranger.id, at=TUESDAY)
    other = makers.make_storefront(session, world.segment, house_number="529号")
    with pytest.raises(NotFound):
        checks.file(session, sheet(world, storefront_id=other.id), by=world.keeper, at=TUESDAY)


def test_so_many_a_day_and_again_tomorrow(session: Session, world: World) -> None:
    most = checks.figures()["most_a_day"]
    for _ in range(most):
        checks.file(session, sheet(world), by=world.keeper, at=TUESDAY)
    with pytest.raises(checks.EnoughToday) as caught:
        checks.file(session, sheet(world), by=world.keeper, at=TUESDAY)
    assert caught.value.say("zh") == "今天已自查 3 次，明天再来"
    checks.file(session, sheet(world), by=world.keeper, at=TUESDAY + timedelta(days=1))


def test_late_ones_are_kept_as_late(session: Session, world: World) -> None:
    checks.file(session, sheet(world), by=world.keeper, at=TUESDAY)
    row, _ = checks.file(session, sheet(world), by=world.keeper, at=TUESDAY + timedelta(days=8))
    assert not row.on_time


def test_put_right_is_said_once(session: Session, world: World) -> None:
    checks.file(
        session,
        sheet(world, Wrong("WS01", fix_on=date(2026, 11, 25))),
        by=world.keeper,
        at=TUESDAY,
    )
    finding = session.scalars(select(SelfFinding)).one()
    for _ in range(2):
        checks.put_right(session, finding.id, by=world.keeper, at=TUESDAY, note="扫了")
    assert len(session.scalars(select(SelfFix)).all()) == 1
    event = session.scalars(select(Event).where(Event.name == "patrol.self_fixed")).one()
    assert event.data["in_time"] is True
    stranger = makers.make_person(session, "路人")
    with pytest.raises(NotFound):
        checks.put_right(session, finding.id, by=stranger.id, at=TUESDAY)


def test_help_becomes_one_case_with_a_unit_and_no_limit_for_the_merchant(
    session: Session, world: World, app: Flask
) -> None:
    filled = sheet(world, Wrong("WS01", "垃圾桶满了", help=True))
    checks.file(session, filled, by=world.keeper, at=TUESDAY)
    checks.file(session, filled, by=world.keeper, at=TUESDAY)
    finding = session.scalars(select(SelfFinding)).one()
    checks.ask_help(session, finding.id, by=world.keeper, at=TUESDAY)
    case = session.scalars(select(Case)).one()
    assert (case.source, case.state, case.merchant_due_at) == ("merchant", "assigned", None)
    assert case.unit_id == world.green.id
    helped = session.scalars(select(SelfHelp)).one()
    assert (helped.case_id, helped.case_number) == (case.id, case.number)
    assert not case.repeat


def test_a_wish_joins_the_case_that_runs_already(
    session: Session, world: World, app: Flask
) -> None:
    case = ground.opened(session, world, at=TUESDAY, category="WS01")
    checks.file(session, sheet(world, Wrong("WS01", help=True)), by=world.keeper, at=TUESDAY)
    assert session.scalars(select(Case.id)).all() == [case.id]
    assert session.scalars(select(SelfHelp)).one().case_number == case.number


def test_a_new_tenant_begins_clean(session: Session, world: World) -> None:
    checks.file(session, sheet(world, Wrong("WS01")), by=world.keeper, at=TUESDAY)
    finding = session.scalars(select(SelfFinding)).one()
    tenancies.end(
        session,
        world.tenancy,
        world.shop,
        on=date(2026, 11, 24),
        by=None,
        at=TUESDAY,
        because="搬走",
    )
    follower = makers.make_person(session, "新店主")
    merchant = tenancies.open_merchant(session, name="新店")
    tenancies.start(
        session, world.shop, merchant, sign_name="新店", on=date(2026, 11, 24), by=None, at=TUESDAY
    )
    shopkeepers.name(session, merchant, person_id=follower.id, by=None, at=TUESDAY)
    standing = self_reading.of_storefront(session, world.shop.id, at=TUESDAY + timedelta(days=3))
    assert standing is not None
    assert (standing.row.last_id, standing.row.open, standing.turn.first) == (None, 0, True)
    with pytest.raises(NotFound):
        checks.ask_help(session, finding.id, by=follower.id, at=TUESDAY)


def test_nothing_is_edited_or_erased(session: Session, world: World) -> None:
    checks.file(session, sheet(world, Wrong("WS01")), by=world.keeper, at=TUESDAY)
    for act in ("UPDATE self_check SET wrong = 0", "DELETE FROM self_finding"):
        with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
            session.execute(text(act))


def test_older_forms_are_taken_and_unknown_ones_refused(session: Session, world: World) -> None:
    questions.publish(
        session, audience="M", version="M-1", items=["WS01", "XF03"], by=None, at=TUESDAY
    )
    questions.publish(session, audience="M", version="M-2", items=["WS01"], by=None, at=TUESDAY)
    assert self_forms.form_of(session, None).version == "M-2"
    assert self_forms.form_of(session, "M-1").items == ("WS01", "XF03")
    assert len(self_forms.form_of(session, standards.version()).items) == len(M_ITEMS)
    with pytest.raises(BadInput):
        self_forms.form_of(session, "M-3")
    assert [one.code for one in self_forms.chosen(self_forms.form_of(session, "M-1"), ["XF03"])]
    with pytest.raises(BadInput):
        self_forms.chosen(self_forms.form_of(session, "M-2"), ["XF03"])


def test_the_phone_of_a_patroller_takes_it_along_as_a_line(beat: Beat) -> None:
    session = beat.session
    keeper = makers.make_person(session, "店主")
    merchant = tenancies.open_merchant(session, name="桂香")
    tenancies.start(
        session, beat.shops[0], merchant, sign_name="桂香", on=beat.at.date(), by=None, at=beat.at
    )
    shopkeepers.name(session, merchant, person_id=keeper.id, by=None, at=beat.at)
    filled = Sheet(new_id(), beat.shops[0].id, standards.version(), M_ITEMS, (Wrong("WS01"),))
    checks.file(session, filled, by=keeper.id, at=beat.at)
    found = download.shift(session, beat.shift.id, beat.person_id, at=beat.at)
    told = {stop["storefront_id"]: stop for stop in found["stops"]}
    first, second = told[str(beat.shops[0].id)], told[str(beat.shops[1].id)]
    assert first["self_check"]["wrong"] == 1
    assert second["self_check"] is None
    # It is no visit: the shop is as unseen as before.
    assert (first["due"], first["last_at"]) == ("unknown", None)


def test_two_at_once_are_one(real: Database) -> None:
    with real.transaction(HERE) as session:
        world = ground.build(session)
    filled = sheet(world)

    def send(session: Session) -> None:
        checks.file(session, filled, by=world.keeper, at=TUESDAY)

    assert at_once(real, send, send, send) == ["done"] * 3
    others = [sheet(world) for _ in range(5)]
    ends = at_once(
        real,
        *(
            lambda session, one=one: checks.file(session, one, by=world.keeper, at=TUESDAY)
            for one in others
        ),
    )
    assert ends == ["EnoughToday"] * 3 + ["done"] * 2
    with real.transaction(HERE) as session:
        assert sorted(session.scalars(select(SelfCheck.nth))) == [1, 2, 3]


# The pages.


@pytest.fixture
def shop(database: Database, cast: Cast) -> World:
    """The cast takes its places: the merchant in the shop, a chief on the street."""
    with database.transaction(HERE) as session:
        world = ground.build(session)
        merchant = session.get_one(Merchant, (HERE, world.merchant.id))
        shopkeepers.name(
            session, merchant, person_id=cast["merchant"].person.id, by=None, at=clock.now()
        )
        chief = select(Post).where(Post.person_id == cast["chief_l2"].person.id)
        makers.make_assignment(session, session.scalars(chief).one(), world.segment)
    return world


@pytest.fixture
def merchant(client: FlaskClient, cast: Cast, shop: World) -> FlaskClient:
    sign_in(client, cast["merchant"])
    return client


def address(world: World) -> str:
    return f"/merchant/self-checks/{world.shop.id}"


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found
    return found[1]


def test_two_taps_when_all_is_well(merchant: FlaskClient, shop: World) -> None:
    own = merchant.get("/merchant/").text
    assert f'href="{address(shop)}"' in own
    page = merchant.get(address(shop)).text
    given = {"id": hidden(page, "id"), "form": hidden(page, "form")}
    for _ in range(2):  # pressed twice
        answer = merchant.post(address(shop), data=given)
        assert (answer.status_code, answer.location) == (303, address(shop))
    page = merchant.get(address(shop)).text
    assert "全部正常" in page
    assert page.count("mark ok") >= 2
    conflict = merchant.post(address(shop), data=given | {"item": "WS01"})
    assert conflict.status_code == 409
    assert "没有覆盖" in conflict.text


def test_something_wrong_with_photo_date_and_help(
    merchant: FlaskClient, shop: World, database: Database
) -> None:
    page = merchant.get(address(shop)).text
    step = merchant.get(
        f"{address(shop)}/wrong",
        query_string={"id": hidden(page, "id"), "item": ["XF01", "WS01"]},
    ).text
    assert hidden(step, "id") == hidden(page, "id")
    assert step.index("WS01") < step.index("XF01")  # the order of the form
    assert re.search(r'name="way-XF01" value="help" checked', step)  # danger: help is proposed
    today = clock.local_date(clock.now())
    answer = merchant.post(
        address(shop),
        data={
            "id": hidden(step, "id"),
            "form": hidden(step, "form"),
            "item": ["WS01", "XF01"],
            "way-WS01": "self",
            "fix_on-WS01": today.isoformat(),
            "note-WS01": "烟头",
            "photo-WS01": (BytesIO(pictures.jpeg(seed=5)), "a.jpg"),
            "way-XF01": "help",
            "photo-XF01": (BytesIO(pictures.jpeg(seed=6)), "b.jpg"),
        },
    )
    assert answer.status_code == 303
    page = merchant.get(address(shop)).text
    assert "烟头" in page
    assert page.count('alt="自查照片"') == 2
    with database.transaction(HERE) as session:
        case = session.scalars(select(Case)).one()
        assert (case.category, case.source) == ("XF01", "merchant")
        assert session.scalars(select(CasePhoto.case_id)).all() == [case.id]
        finding = session.scalars(select(SelfFinding).where(SelfFinding.item == "WS01")).one()
    assert f"#{case.number}" in page
    assert case.number in merchant.get("/merchant/").text
    done = merchant.post(f"/merchant/self-findings/{finding.id}/fixed", data={"note": "扫干净了"})
    assert done.status_code == 303
    assert "扫干净了" in merchant.get(address(shop)).text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"item": "ZX01"}, "不在本表范围内"),
        ({"item": "WS01", "fix_on-WS01": "2020-01-01"}, "今天起 30 天以内"),
        ({"item": "WS01", "fix_on-WS01": "morgen"}, "应为日期"),
        ({"item": "WS01", "way-WS01": "x"}, "请选择怎么办"),
        ({"item": "WS01", "note-WS01": "很" * 301}, "最多 300 个字"),
        ({"item": "WS01", "photo-WS01": (BytesIO(b"GIF89a"), "a.jpg")}, "照片"),
        ({"id": "x"}, "UUIDv7"),
        ({"id": str(uuid.uuid4())}, "UUIDv7"),
        ({"form": "of tomorrow"}, "没有这个版本"),
        ({"form": "\x00x"}, "没有这个版本"),
        ({"item": ["WS01"] * 3, "way-WS01": ""}, "请选择怎么办"),
        ({"item": "WS01", "fix_on-WS01": "9999-12-31"}, "今天起 30 天以内"),
        ({"item": "WS01", "fix_on-WS01": "0001-01-01"}, "今天起 30 天以内"),
        ({"item": "\x00"}, "不在本表范围内"),
    ],
)
def test_odd_input_is_named_and_changes_nothing(
    merchant: FlaskClient, shop: World, database: Database, given: dict[str, Any], said: str
) -> None:
    answer = merchant.post(address(shop), data=given)
    assert answer.status_code == 422
    assert said in answer.text
    with database.transaction(HERE) as session:
        assert not session.scalars(select(SelfCheck)).all()


def test_others_shops_are_not_found(merchant: FlaskClient, shop: World, database: Database) -> None:
    with database.transaction(HERE) as session:
        other = makers.make_storefront(session, shop.segment, house_number="529号")
        checks.file(session, sheet(shop, Wrong("WS01")), by=shop.keeper, at=clock.now())
        finding = session.scalars(select(SelfFinding)).one()
    for path in (f"/merchant/self-checks/{other.id}", f"/merchant/self-checks/{uuid.uuid4()}"):
        assert merchant.get(path).status_code == 404
        assert merchant.get(f"{path}/wrong?item=WS01").status_code == 404
        assert merchant.post(path).status_code == 404
    assert merchant.post(f"/merchant/self-findings/{uuid.uuid4()}/fixed").status_code == 404
    assert merchant.post(f"/merchant/self-findings/{finding.id}/help").status_code == 303


def test_chiefs_see_their_own_streets_alone(
    client: FlaskClient, cast: Cast, shop: World, database: Database
) -> None:
    with database.transaction(HERE) as session:
        checks.file(session, sheet(shop, Wrong("WS01", "烟头")), by=shop.keeper, at=clock.now())
        elsewhere = makers.make_segment(session)
        far = makers.make_storefront(session, elsewhere, house_number="1号")
    sign_in(client, cast["chief_l2"])
    page = client.get(f"/chief/self-checks?segment={shop.segment.id}").text
    assert "发现 1 项" in page
    assert "还有 1 件在整改" in page
    page = client.get(f"/chief/self-checks/{shop.shop.id}").text
    assert "烟头" in page
    assert "已整改</summary>" not in page
    assert client.get(f"/chief/self-checks?segment={elsewhere.id}").status_code == 404
    assert client.get(f"/chief/self-checks/{far.id}").status_code == 404
    assert client.get("/chief/self-checks?segment=x").status_code == 422


def test_the_pages_ask_few_questions(
    merchant: FlaskClient, shop: World, database: Database, queries: Callable[[], Any]
) -> None:
    with database.transaction(HERE) as session:
        for back in range(8):
            at = clock.now() - timedelta(days=7 * back)
            checks.file(session, sheet(shop, Wrong("WS01")), by=shop.keeper, at=at)
    merchant.get(address(shop))
    with queries() as seen:
        assert merchant.get(address(shop)).status_code == 200
    assert len(seen) <= 10


def test_reminders_are_gentle(session: Session, world: World) -> None:
    checks.file(session, sheet(world), by=world.keeper, at=TUESDAY)
    told = [
        reminding.remind(session, at=TUESDAY + timedelta(days=days, minutes=turn))
        for days in range(20)
        for turn in range(2)  # twice a day: nobody is told twice
    ]
    assert [number // 2 for number, people in enumerate(told) if people] == [7, 10]
    said = session.scalars(select(Notice).order_by(Notice.at)).all()
    assert said[0].words["said"] == "今天该自查了，两分钟就好"
    assert said[1].words["said"] == "已过 3 天（12月1日），补一次就好"
    assert said[0].words["path"] == address(world)
    # Whoever checks is left in peace.
    checks.file(session, sheet(world), by=world.keeper, at=TUESDAY + timedelta(days=20))
    assert not reminding.remind(session, at=TUESDAY + timedelta(days=20))


def test_help_asked_thrice_at_once_is_one_case(real: Database, app: Flask) -> None:
    with real.transaction(HERE) as session:
        world = ground.build(session)
        checks.file(session, sheet(world, Wrong("WS01")), by=world.keeper, at=TUESDAY)
        finding = session.scalars(select(SelfFinding.id)).one()

    def ask(session: Session) -> None:
        checks.ask_help(session, finding, by=world.keeper, at=TUESDAY)
        checks.put_right(session, finding, by=world.keeper, at=TUESDAY)

    assert at_once(real, ask, ask, ask) == ["done"] * 3
    with real.transaction(HERE) as session:
        assert len(session.scalars(select(Case)).all()) == 1
        assert len(session.scalars(select(SelfFix)).all()) == 1


def test_a_phone_may_file_it_too_promise_and_wish_included(
    session: Session, world: World, app: Flask
) -> None:
    phone = Phone(world.keeper, TUESDAY)
    answers = [
        {"item": "WS01", "result": "bad", "note": "烟头", "fix_on": "2026-11-25"},
        {"item": "XF01", "result": "bad", "help": True, "fix_on": "soon"},
        {"item": "WS02", "result": "good"},
        {"item": "YY02", "result": "na"},
    ]
    body = {
        "storefront_id": str(world.shop.id),
        "checklist": {"version": standards.version(), "answers": answers},
    }
    item = phone.item("self_check", body)
    by = actor(world.keeper, "merchant")
    first, again = (intake.take(session, [item], by=by, at=TUESDAY)[0] for _ in range(2))
    assert (first["status"], again["status"]) == ("stored", "already_stored")
    row = session.scalars(select(SelfCheck)).one()
    assert (row.items, row.not_applicable, row.wrong) == (["WS01", "XF01", "WS02"], ["YY02"], 2)
    found = {one.item: one.fix_on for one in session.scalars(select(SelfFinding))}
    assert found == {"WS01": date(2026, 11, 25), "XF01": None}
    assert session.scalars(select(Case.category)).all() == ["XF01"]
    # The same id from the page says something else: told, and nothing replaced.
    with pytest.raises(checks.OtherSheet):
        checks.file(session, sheet(world, id=row.id), by=world.keeper, at=TUESDAY)
    others = [phone.item("self_check", body) for _ in range(3)]
    states = [one["status"] for one in intake.take(session, others, by=by, at=TUESDAY)]
    assert states == ["stored", "stored", "refused"]
