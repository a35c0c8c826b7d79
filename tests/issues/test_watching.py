"""What happens without a person, and cases that come from elsewhere."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import shapely
from click.testing import CliRunner
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from roadchief import holidays
from roadchief.cli import main
from roadchief.db import Database
from roadchief.issues import adjusting, cases, cli, handling, telling, watching
from roadchief.issues.citizens import feedback
from roadchief.issues.models import Case, CaseStep
from roadchief.issues.sources import foreign, importing, patrolled
from roadchief.issues.triage import suggesting, training
from roadchief.issues.voices import Receipt
from roadchief.lib import coords, geo
from roadchief.lib.workdays import BadYear
from roadchief.streets.models import Subdistrict
from tests.conftest import WEIFANG, make_settings
from tests.issues import ground
from tests.issues.ground import CENTRE, TUESDAY, World

DAY = timedelta(days=1)
SETTINGS = make_settings("", Path("/nonexistent"))


@pytest.fixture
def world(session: Session) -> World:
    return ground.build(session)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """(kind, how many people) of every message that would be sent."""
    seen: list[tuple[str, int]] = []
    monkeypatch.setattr(
        telling,
        "senders",
        [
            lambda _s, kind, _c, _st, people, contacts, _at: seen.append(
                (kind, len(people) + len(contacts))
            )
        ],
    )
    return seen


def test_a_merchant_who_does_nothing_loses_the_case_to_the_unit_once(
    session: Session, world: World
) -> None:
    case = ground.opened(session, world)
    assert watching.due_merchants(session, at=TUESDAY) == []
    later = TUESDAY + timedelta(hours=8)
    assert watching.due_merchants(session, at=later) == [case.id]
    assert watching.merchant_is_late(session, case.id, at=later)
    assert (case.state, case.unit_id, case.merchant_due_at) == ("assigned", world.squad.id, None)
    assert not watching.merchant_is_late(session, case.id, at=later)
    # The unit's own time begins: the merchant's was a pause.
    assert case.paused_at is None
    assert case.due_at
    assert case.due_at > later


def test_lights_ring_once_each_in_hours_and_black_goes_to_the_chief(
    session: Session, world: World, told: list[tuple[str, int]]
) -> None:
    case = ground.opened(session, world, category="ZX02")
    watching.merchant_is_late(session, case.id, at=TUESDAY + timedelta(hours=8))
    told.clear()
    assert case.yellow_at
    assert case.due_at
    assert case.black_at
    for at, light in (
        (case.yellow_at - timedelta(minutes=1), None),
        (case.yellow_at + timedelta(minutes=1), "yellow"),
        (case.yellow_at + timedelta(minutes=2), None),
        (case.due_at + timedelta(minutes=1), "red"),
        (case.black_at + timedelta(minutes=1), "black"),
        (case.black_at + DAY, None),
    ):
        assert watching.tell_light(session, case.id, at=at) == light, at
    assert [kind for kind, _ in told].count("chief") == 1
    assert watching.changed_lights(session, at=case.black_at + DAY) == []


def test_nothing_rings_at_night_but_danger(session: Session, world: World) -> None:
    plain = ground.opened(session, world, category="ZX08")
    danger = ground.opened(session, world, category="ZX08", words="要掉下来了，砸到人")
    night = TUESDAY + timedelta(hours=12)
    assert watching.tell_light(session, plain.id, at=night) is None
    assert watching.tell_light(session, danger.id, at=night) == "black"


def test_a_paused_case_never_rings(session: Session, world: World) -> None:
    case = ground.opened(session, world, category="ZX08")
    adjusting.ask(session, case, who=world.unit, at=TUESDAY, words="在哪？")
    assert watching.changed_lights(session, at=TUESDAY + 3 * DAY) == []
    assert watching.tell_light(session, case.id, at=TUESDAY + 3 * DAY) is None
    assert watching.silent_questions(session, at=TUESDAY + 4 * DAY) == []
    assert watching.silent_questions(session, at=TUESDAY + 6 * DAY) == [case.id]
    assert adjusting.give_back_unanswered(session, case.id, at=TUESDAY + 6 * DAY)
    assert case.paused_at is None


def test_contacts_are_masked_180_days_after_the_last_closing(
    session: Session, world: World
) -> None:
    case = ground.file_case(session, world, words="我是301室，电话13800138000")
    feedback.hand_receipt(
        session, case, kind="reporter", at=TUESDAY, settings=SETTINGS, contact="13800138000"
    )
    adjusting.reject(session, case, who=CENTRE, at=TUESDAY, words="不属实")
    assert watching.to_mask(session, at=TUESDAY + 179 * DAY) == []
    handling.reopen(session, case, who=CENTRE, at=TUESDAY + DAY, words="复查")
    assert watching.to_mask(session, at=TUESDAY + 181 * DAY) == []
    assert not watching.mask(session, case.id, at=TUESDAY + 181 * DAY)
    photo = ground.make_photo(session)
    handling.accept(session, case, who=world.unit, at=TUESDAY + DAY)
    handling.submit(session, case, who=world.unit, at=TUESDAY + DAY, words="好", photo_ids=(photo,))
    handling.close(
        session, case, who=CENTRE, at=TUESDAY + 2 * DAY, kind="fixed_by_unit", words="好"
    )
    late = TUESDAY + 183 * DAY
    assert watching.to_mask(session, at=late) == [case.id]
    assert watching.mask(session, case.id, at=late)
    assert session.scalars(select(Receipt.contact)).one() is None
    assert "13800138000" not in case.words
    assert not any("1380" in piece for piece in case.pieces)
    assert not watching.mask(session, case.id, at=late)


def test_limits_change_by_command_with_a_preview(session: Session, world: World) -> None:
    case = ground.opened(session, world, category="ZX08")
    case.limit_amount = 8
    session.flush()
    assert [(row[0].id, row[2]) for row in watching.preview_limits(session, at=TUESDAY)] == [
        (case.id, "2 h")
    ]
    watching.recalculate(session, case.id, at=TUESDAY)
    assert case.due_at == TUESDAY + timedelta(hours=2)
    assert watching.preview_limits(session, at=TUESDAY) == []


def test_a_year_is_entered(session: Session) -> None:
    with pytest.raises(BadYear):
        holidays.enter_years(session, "[2028]\nwork=['2028-01-04']", at=TUESDAY)
    text = "[2028]\nsource='通知'\noff=[['2028-01-01','2028-01-03']]\nwork=['2028-01-08']"
    assert holidays.enter_years(session, text, at=TUESDAY) == [2028]
    assert holidays.enter_years(session, text, at=TUESDAY) == [2028]
    calendar = holidays.calendar(session)
    assert calendar.years[2028].announced
    assert calendar.years[2026].announced


def test_a_patrols_finding_becomes_one_case(session: Session, world: World) -> None:
    source, photo = uuid.uuid4(), ground.make_photo(session)

    def find(item: str, key: uuid.UUID) -> Case | None:
        return patrolled.raise_from_patrol(
            session,
            storefront_id=world.shop.id,
            item=item,
            by=world.officer,
            at=TUESDAY,
            note="门口纸箱",
            photo_ids=[photo],
            source_id=key,
        )

    case = find("ZX02", source)
    assert case
    assert (case.source, case.state) == ("patrol", "notified_merchant")
    assert find("ZX02", source) is case
    # Seen again on the next round: the running case, not a second one.
    assert find("ZX02", uuid.uuid4()) is case
    assert find("WS03", source) is not case
    assert session.scalar(select(func.count()).select_from(Case)) == 2
    patrolled.take_finding(
        session,
        storefront_id=None,
        segment_id=world.segment.id,
        item="ZX05",
        by=world.officer,
        at=TUESDAY,
        note=None,
        photos=["0" * 64],
        source_id=uuid.uuid4(),
    )
    assert session.scalar(select(func.count()).select_from(Case)) == 3


FILES = [
    ("D_civic/boston311_first30.csv", "boston", 30),
    ("D_civic/nyc311_30.csv", "nyc", 30),
    ("no_licence_stated/stuttgart_gelbe_karten_2023_03.csv", "stuttgart", 589),
    ("no_licence_stated/群众留言_答复_200.csv", "messages", 200),
]


def test_an_import_that_is_broken_off_tells_what_it_kept_and_goes_on(
    database: Database, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 4)
    path = tmp_path / "a.csv"
    path.write_text("reported_at,id\n" + "".join(f"2026-11-02,{n}\n" for n in range(10)))
    monkeypatch.setattr(cli, "_database", lambda: database)

    def broken_off(*given: object, **_more: object) -> None:
        if len(calls) == 1:
            raise KeyboardInterrupt
        calls.append(given)
        whole(*given)

    calls: list[object] = []
    whole = importing._take
    words = ["issues", "import", str(path), "--subdistrict", str(WEIFANG)]
    with monkeypatch.context() as patched:
        patched.setattr(importing, "_take", broken_off)
        told = CliRunner().invoke(main, words)
    assert told.exit_code == 130, told.output
    assert "4 rows: 4 new" in told.output
    again = CliRunner().invoke(main, words)
    assert again.exit_code == 0
    assert "10 rows: 6 new, 4 known already" in again.output


@pytest.mark.parametrize(("name", "form", "count"), FILES)
def test_files_of_strangers_are_taken_in_once(
    session: Session,
    database: Database,
    world: World,
    strangers: Callable[[str], Path],
    name: str,
    form: str,
    count: int,
) -> None:
    path = strangers(name)
    first = importing.take(database, path, subdistrict=WEIFANG, at=TUESDAY)
    assert first.rows == count
    assert first.refused == []
    assert first.new + first.known == count
    assert first.new >= count * 0.9
    second = importing.take(database, path, subdistrict=WEIFANG, at=TUESDAY)
    assert (second.new, second.known) == (0, count)
    rows = session.scalars(select(Case).where(Case.source == f"import:{form}")).all()
    assert len(rows) == first.new
    assert len({row.number for row in rows}) == first.new
    if form != "messages":
        assert sum(row.place is not None for row in rows) >= 0.8 * len(rows)
    assert any(row.state == "closed" for row in rows) == (form != "stuttgart")
    assert watching.changed_lights(session, at=TUESDAY) == []  # no old deadline rings


@pytest.mark.parametrize(
    "text",
    ["", "a,b\n1,2\n", "reported_at,id\nyesterday,1\n", "reported_at,id\n2026-01-01,\n"],
)
def test_a_file_of_no_use(database: Database, world: World, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8")
    try:
        report = importing.take(database, path, subdistrict=WEIFANG, at=TUESDAY)
    except foreign.Unknown:
        return
    assert report.new == 0
    assert len(report.refused) == 1


@pytest.mark.parametrize("text", ["{", "3", "[1]", '{"service_requests": 3}'])
def test_json_of_no_use(database: Database, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(foreign.Unknown):
        importing.take(database, path, subdistrict=WEIFANG, at=TUESDAY)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("中午一点楼道全是油烟，净化器好像没开", "YY02"),
        ("门口堆满纸箱，走不过去", "ZX02"),
        ("路灯好几天不亮了", "BJ04"),
        ("半夜音响太吵睡不着", "ZX09"),
    ],
)
def test_suggestions_come_with_reasons(words: str, code: str) -> None:
    found = suggesting.suggest(words)
    assert found[0].code == code
    assert found[0].why
    assert all(piece in words for piece in found[0].why)


@pytest.mark.parametrize("words", ["", "   ", "\x00", "𠮷" * 5000, "1234567890"])
def test_words_that_say_nothing(words: str) -> None:
    assert all(0 <= one.sure <= 1 for one in suggesting.suggest(words))


def test_training_counts_on_rows_it_has_not_seen(strangers: Callable[[str], Path]) -> None:
    path = strangers("D_civic/nyc311_30.csv")
    samples = training.read_samples(path, text=["Descriptor"], label="Complaint Type")
    learned = training.learn(samples)
    assert learned.held_back == 8
    assert learned.accuracy is not None
    with pytest.raises(training.NothingToLearn):
        training.read_samples(path, text=["nope"], label="Complaint Type")
    with pytest.raises(training.NothingToLearn):
        training.learn(samples[:4])


def test_steps_of_an_import_say_where_it_came_from(
    session: Session, database: Database, world: World, tmp_path: Path
) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(
        "id,reported_at,closed_at,category,words,address,lon,lat\n"
        "7,2026-11-20 10:00:00,2026-11-20 12:00:00,ZX02,纸箱,崂山路1号,121.5187,31.2291\n",
        encoding="utf-8",
    )
    importing.take(
        database, path, subdistrict=WEIFANG, at=TUESDAY, way=importing.Way(source="旧系统")
    )
    case = cases.find_by_number(session, "2611-0001")
    assert (case.state, case.on_time, case.category) == ("closed", True, "ZX02")
    step = session.scalars(select(CaseStep)).one()
    assert step.data["source"] == "import:旧系统"


def test_work_orders_in_gb18030_and_gcj02_find_their_street(
    session: Session, database: Database, world: World, tmp_path: Path
) -> None:
    path = tmp_path / "工单.csv"
    east, north = coords.from_wgs84(121.5187, 31.2291, coords.Datum.GCJ02)
    path.write_text(
        "工单编号;受理时间;诉求内容;地址;经度;纬度;办结时间;处理结果\n"
        f"A1;2026/11/20 10:00;纸箱堆在门口，㐂先生;崂山路1号;{east};{north};;已处理\n"
        f"A2;2026/11/20 10:05;远处;别处;{float(east) + 3};{north};2026/11/20 11:00;已办\n"
        "A3;2026/11/20 10:09;没有位置;;;;;\n",
        encoding="gb18030",
    )
    session.execute(
        update(Subdistrict)
        .where(Subdistrict.id == WEIFANG)
        .values(area=geo.as_multipolygon(shapely.box(121.50, 31.21, 121.54, 31.25)))
    )
    way = importing.Way(datum=coords.Datum.GCJ02)
    report = importing.take(database, path, subdistrict=WEIFANG, at=TUESDAY, way=way)
    assert (report.new, report.outside, report.nowhere, report.refused) == (3, 1, 1, [])
    first, second, third = session.scalars(select(Case).order_by(Case.number)).all()
    assert first.words == "纸箱堆在门口，㐂先生"
    assert first.place is not None
    assert (round(first.place.x, 5), round(first.place.y, 5)) == (121.5187, 31.2291)
    assert first.segment_id is not None
    assert (second.segment_id, second.state) == (None, "closed")
    assert (third.place, third.state) == (None, "reported")


def test_an_import_in_an_unknown_zone_takes_nothing(
    session: Session, database: Database, world: World, tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("id,reported_at\n1,2026-11-20 10:00\n", encoding="utf-8")
    with pytest.raises(KeyError):
        importing.take(
            database, path, subdistrict=WEIFANG, at=TUESDAY, way=importing.Way(zone="Asia/Nowhere")
        )
    assert session.scalar(select(func.count()).select_from(Case)) == 0


def test_messages_say_nothing_of_the_reporter_and_come_once(
    session: Session, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from roadchief.accounts import notices
    from roadchief.accounts.notices import Notice
    from roadchief.issues.mail import messages

    monkeypatch.setattr(telling, "senders", [messages.send])
    case = ground.opened(session, world, words="301室王阿姨 13800138000")
    rows = session.scalars(select(Notice)).all()
    assert [row.kind for row in rows] == ["issues.merchant"]
    said = str([vars(row) for row in rows])
    for secret in ("王阿姨", "13800138000"):
        assert secret not in said
    watching.merchant_is_late(session, case.id, at=TUESDAY + timedelta(hours=8))
    told = {row.kind: row for row in session.scalars(select(Notice))}
    assert sorted(told) == ["issues.merchant", "issues.unit"]
    for row in told.values():  # each in one language; what a place is called has but one
        zh, en = (notices.said(row, language) for language in ("zh", "en"))
        assert not re.search(r"[a-z]{3}", zh.title + zh.text)
        assert not re.search(r"[\u4e00-\u9fff]", (en.title + en.text).replace(case.address, ""))
