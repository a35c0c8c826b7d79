"""The citizen's pages without script: three taps, a receipt, the story, and every odd input."""

import re
import uuid
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select

from roadchief.codes import plates, tokens
from roadchief.db import Database
from roadchief.issues import cases, categories, handling, publishing
from roadchief.issues.models import Case, CasePhoto, CaseStep
from roadchief.issues.voices import Receipt, Voice
from roadchief.lib import clock
from tests import pictures
from tests.issues import ground
from tests.issues.ground import CENTRE, World

HERE = 310115004


@pytest.fixture
def world(database: Database) -> World:
    with database.transaction(HERE) as session:
        return ground.build(session)


def form(world: World, **given: object) -> dict[str, object]:
    values: dict[str, object] = {
        "id": str(uuid.uuid4()),
        "s": str(HERE),
        "storefront": str(world.shop.id),
        "category": "ZX02",
        "words": "纸箱堆在盲道上",
    }
    return values | given


def code_of(answer: object) -> str:
    return str(answer.headers["Location"]).rsplit("/", 1)[1].split("?")[0]  # type: ignore[attr-defined]


def pin_of(client: FlaskClient, code: str) -> str:
    page = client.get(f"/follow/{code}").get_data(as_text=True)
    found = re.search(r'<dd class="code">(\d{6})</dd>', page)
    assert found
    return found[1]


def the_case(database: Database) -> Case:
    with database.transaction(HERE) as session:
        return session.scalars(select(Case).order_by(Case.number.desc())).first()  # type: ignore[return-value]


def test_a_report_is_sent_and_shows_its_receipt_once(
    client: FlaskClient, database: Database, world: World
) -> None:
    page = client.get(f"/report?s={HERE}").get_data(as_text=True)
    for tile in categories.tiles():
        assert tile.zh in page
    answer = client.post("/report", data=form(world))
    assert answer.status_code == 303
    code = code_of(answer)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{10}", code)
    assert len(pin_of(client, code)) == 6
    case = the_case(database)
    assert (case.storefront_id, case.source, case.state) == (world.shop.id, "citizen", "reported")
    stored = str([vars(row) for row in _receipts(database)])
    assert pin_of(client, code) not in stored


def test_a_report_asks_the_database_eight_times(
    client: FlaskClient, database: Database, world: World
) -> None:
    """However many cases there are; a citizen waits for each of them."""
    client.post("/report", data=form(world))
    asked: list[str] = []

    def note(_c: object, _cursor: object, sql: str, *_rest: object) -> None:
        if not sql.startswith(("SET ", "SAVEPOINT", "RELEASE", "SELECT current_setting")):
            asked.append(sql)

    values = form(world, confirmed="1")
    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert client.post("/report", data=values).status_code == 303
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert 0 < len(asked) <= 8, asked


def _receipts(database: Database) -> list[Receipt]:
    with database.transaction(HERE) as session:
        return list(session.scalars(select(Receipt)))


def test_the_same_form_sent_twice_is_one_case(
    client: FlaskClient, database: Database, world: World
) -> None:
    values = form(world)
    first, second = client.post("/report", data=values), client.post("/report", data=values)
    assert code_of(first) == code_of(second)
    with database.transaction(HERE) as session:
        assert len(session.scalars(select(Case)).all()) == 1


def test_a_browser_that_reports_all_day_still_opens_its_receipts(
    client: FlaskClient, world: World
) -> None:
    """A station writes for many people; browsers drop a cookie that outgrows 4 kB."""
    with client.session_transaction() as browser:
        browser["sent-cases"] = {str(uuid.uuid4()): f"{n:010d}" for n in range(90)}
    answer = client.post("/report", data=form(world))
    assert "<dd" in client.get(f"/follow/{code_of(answer)}").text
    assert max(len(cookie) for cookie in answer.headers.getlist("Set-Cookie")) < 2000
    with client.session_transaction() as browser:
        assert code_of(answer) in browser["sent-cases"].values()


@pytest.mark.parametrize("act", ["more", "answer"])
def test_saying_nothing_is_told_by_the_field(client: FlaskClient, world: World, act: str) -> None:
    code = code_of(client.post("/report", data=form(world)))
    answer = client.post(f"/follow/{code}/{act}", data={"words": " \n "})
    assert answer.status_code == 422
    assert "请填写" in answer.text


def test_another_browser_needs_the_pin(app: Flask, client: FlaskClient, world: World) -> None:
    code = code_of(client.post("/report", data=form(world)))
    pin = pin_of(client, code)
    stranger = app.test_client()
    assert "纸箱" not in stranger.get(f"/follow/{code}").get_data(as_text=True)
    wrong = stranger.post("/follow/", data={"code": code, "pin": "no"})
    unknown = stranger.post("/follow/", data={"code": "0123456789", "pin": pin})
    assert wrong.status_code == unknown.status_code == 404
    spoken = f"{code[:5].lower()}-{code[5:].lower()}"
    told = stranger.post("/follow/", data={"code": "2611-0001", "pin": pin}).text
    assert "这是案件号" in told
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in pin)  # as a Chinese keyboard types it
    assert stranger.post("/follow/", data={"code": spoken, "pin": f"{wide} "}).status_code == 303
    assert "纸箱" in stranger.get(f"/follow/{code}").get_data(as_text=True)


def test_guessing_pins_is_stopped_by_receipt_and_by_network(
    app: Flask, client: FlaskClient, world: World
) -> None:
    code = code_of(client.post("/report", data=form(world)))
    thief = app.test_client()
    answers = [
        thief.post("/follow/", data={"code": code, "pin": f"{n:06d}"}).status_code for n in range(8)
    ]
    assert answers[:5] == [404] * 5
    assert answers[5:] == [429] * 3
    # One try a receipt, over all receipts: the network is stopped.
    others = [
        thief.post("/follow/", data={"code": f"{n:010d}", "pin": "123456"}).status_code
        for n in range(40)
    ]
    assert others[0] == 404
    assert others[-1] == 429


def test_a_link_opens_the_receipt_and_leaves_the_address(
    app: Flask, client: FlaskClient, world: World
) -> None:
    code = code_of(client.post("/report", data=form(world)))
    page = client.get(f"/follow/{code}").get_data(as_text=True)
    link = re.search(r'href="(/follow/[^"]+k=[^"]+)"', page)
    assert link
    other = app.test_client()
    answer = other.get(link[1].replace("&amp;", "&"))
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/follow/{code}")
    assert "纸箱" in other.get(f"/follow/{code}").get_data(as_text=True)
    assert app.test_client().get(f"/follow/{code}?k=wrong").status_code == 404


def test_a_plate_knows_the_place(client: FlaskClient, database: Database, world: World) -> None:
    token = _mounted(database, world)
    page = client.get(f"/report?plate={token}").get_data(as_text=True)
    assert "崂山路527号" in page
    values = form(world, plate=token)
    del values["storefront"]
    assert client.post("/report", data=values).status_code == 303
    assert the_case(database).storefront_id == world.shop.id


def _mounted(database: Database, world: World) -> str:
    """A plate that was minted and hung at the shop."""
    at = clock.now()
    with database.transaction(HERE) as session:
        minted = plates.mint(
            session,
            [plates.Target(storefront_id=world.shop.id)],
            where=tokens.site("https://lz.gov.cn"),
            batch_id=None,
            by=None,
            at=at,
        )[0]
        plates.find(session, minted.plate_id).state = "active"
        return minted.token


def test_a_touch_on_the_map(client: FlaskClient, database: Database, world: World) -> None:
    values = form(world, lon="121.5187", lat="31.2291", accuracy_m="12")
    del values["storefront"]
    assert client.post("/report", data=values).status_code == 303
    assert the_case(database).storefront_id == world.shop.id


@pytest.mark.parametrize(
    "odd",
    [
        {"category": "NOPE"},
        {"category": ""},
        {"category": "JY02"},
        {"words": "长" * 100_000},
        {"storefront": "", "lon": "nan", "lat": "31"},
        {"storefront": "", "lon": "121.5", "lat": "inf"},
        {"storefront": "", "lon": "abc", "lat": "31"},
        {"storefront": "", "lon": "1e999", "lat": "31"},
        {"storefront": "", "lon": "100", "lat": "31"},
        {"storefront": "", "lon": "121.5187", "lat": "31.2291", "datum": "mars"},
        {"storefront": ""},
        {"contact": "not a contact"},
        {"storefront": "", "said": "很" * 900},
    ],
)
def test_bad_input_is_told_and_nothing_is_lost(
    client: FlaskClient, database: Database, world: World, odd: dict[str, str]
) -> None:
    answer = client.post("/report", data=form(world, **odd))
    assert answer.status_code in (400, 404, 422), answer.status_code
    if "words" not in odd and answer.status_code != 404:
        assert "纸箱堆在盲道上" in answer.get_data(as_text=True)
    with database.transaction(HERE) as session:
        assert session.scalars(select(Case)).first() is None


@pytest.mark.parametrize(
    "words",
    [
        "",
        "     ",
        "<script>alert(1)</script>",
        "a\x00b",
        "😀" * 50,
        "𠮷野家㐂龘",
        "\u202egnp.exe",
        "=1+1",
    ],
)
def test_odd_words_are_kept_harmless(
    client: FlaskClient, database: Database, world: World, words: str
) -> None:
    answer = client.post("/report", data=form(world, words=words))
    assert answer.status_code == 303
    page = client.get(f"/follow/{code_of(answer)}").get_data(as_text=True)
    assert "<script>alert" not in page
    kept = the_case(database).words
    assert "\x00" not in kept
    assert "\u202e" not in kept


def test_somebody_reported_this_follow_it(
    client: FlaskClient, database: Database, world: World
) -> None:
    client.post("/report", data=form(world))
    first = the_case(database)
    values = form(world, words="盲道上有纸箱")
    page = client.post("/report", data=values)
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "是同一件" in text
    assert "同一铺位" in text
    assert "纸箱堆在盲道上" not in text  # raw words of another person
    joined = client.post(f"/report/{first.id}/follow", data=values | {"worse": "1"})
    assert joined.status_code == 303
    with database.transaction(HERE) as session:
        assert len(session.scalars(select(Case)).all()) == 1
        assert session.get_one(Case, (HERE, first.id)).followers == 1
    again = client.post("/report", data=values | {"confirmed": "1"})
    assert again.status_code == 303
    assert the_case(database).id != first.id


def test_who_reported_first_sees_no_raw_photo_of_who_joins(
    app: Flask, client: FlaskClient, database: Database, world: World
) -> None:
    def picture(seed: int) -> list[tuple[BytesIO, str]]:
        return [(BytesIO(pictures.jpeg(seed=seed)), "a.jpg")]

    code = code_of(client.post("/report", data=form(world, photos=picture(1))))
    first = the_case(database)
    other = app.test_client()
    values = form(world, words="盲道上有纸箱", photos=picture(2))
    offered = other.post("/report", data=values).text
    photo = re.search(r'name="photo" value="([0-9a-f-]{36})"', offered)
    assert photo
    joined = other.post(f"/report/{first.id}/follow", data={"s": str(HERE), "photo": photo[1]})
    assert joined.status_code == 303
    with database.transaction(HERE) as session:
        assert len(session.scalars(select(CasePhoto)).all()) == 2
    assert client.get(f"/follow/{code}").text.count("/photo/") == 1
    with database.transaction(HERE) as session:
        row = cases.locked(session, first.id)
        theirs = session.scalars(select(CasePhoto).where(CasePhoto.photo_id == photo[1])).one()
        publishing.release_photo(
            session, row, theirs, public_photo_id=theirs.photo_id, who=CENTRE, at=clock.now()
        )
    assert client.get(f"/follow/{code}").text.count("/photo/") == 2


def test_released_words_help_to_judge(
    client: FlaskClient, database: Database, world: World
) -> None:
    client.post("/report", data=form(world))
    case = the_case(database)
    with database.transaction(HERE) as session:
        row = cases.locked(session, case.id)
        publishing.release_words(
            session, row, "纸箱堆在盲道上，电话13800138000", who=CENTRE, at=clock.now()
        )
    text = client.post("/report", data=form(world, words="盲道有箱子")).get_data(as_text=True)
    assert "纸箱堆在盲道上" in text
    assert "13800138000" not in text


def test_a_private_case_is_not_offered(
    client: FlaskClient, database: Database, world: World
) -> None:
    client.post("/report", data=form(world, category="ZX09", words="夜里音响太吵"))
    case = the_case(database)
    second = client.post("/report", data=form(world, category="ZX09", words="音响太吵"))
    assert second.status_code == 303
    assert client.post(f"/report/{case.id}/follow", data={"s": str(HERE)}).status_code == 404


def test_photos_are_kept_and_strange_files_refused(
    client: FlaskClient, database: Database, world: World
) -> None:
    picture = (BytesIO(pictures.jpeg()), "a.jpg")
    answer = client.post("/report", data=form(world, photos=[picture]))
    assert answer.status_code == 303
    with database.transaction(HERE) as session:
        row = session.scalars(select(CasePhoto)).one()
        assert row.released_at is None
    svg = (BytesIO(b"<svg onload=alert(1)></svg>"), "a.jpg")
    refused = client.post("/report", data=form(world, photos=[svg], confirmed="1"))
    assert refused.status_code == 422
    six = [(BytesIO(pictures.jpeg(seed=n)), f"{n}.jpg") for n in range(6)]
    refused = client.post("/report", data=form(world, photos=six, confirmed="1"))
    assert refused.status_code == 422


def test_the_story_rating_and_reopening(
    client: FlaskClient, database: Database, world: World
) -> None:
    code = code_of(client.post("/report", data=form(world, category="ZX08", words="有摊贩")))
    case = the_case(database)
    at = clock.now()
    with database.transaction(HERE) as session:
        from roadchief.issues import opening

        row = cases.locked(session, case.id)
        opening.open_case(session, row, who=CENTRE, at=at)
        handling.accept(session, row, who=world.unit, at=at)
        photo = ground.make_photo(session)
        handling.submit(session, row, who=world.unit, at=at, words="已劝离", photo_ids=(photo,))
        handling.close(session, row, who=CENTRE, at=at, kind="fixed_by_unit", words="现场已无")
    page = client.get(f"/follow/{code}").get_data(as_text=True)
    assert "已劝离" in page
    assert "真的解决了吗" in page
    assert "许正" not in page
    assert "没有解决，重新打开继续处理</button>" in page  # the button says what follows
    answer = client.post(f"/follow/{code}/rate", data={"solved": "0", "words": "又来了"})
    assert answer.status_code == 303
    assert "案件已重新打开，会继续处理。" in client.get(answer.location).get_data(as_text=True)
    with database.transaction(HERE) as session:
        assert session.get_one(Case, (HERE, case.id)).state == "reopened"
    assert client.post(f"/follow/{code}/rate", data={"solved": "1"}).status_code == 409
    assert client.post(f"/follow/{code}/dance", data={}).status_code == 404
    assert client.post("/follow/ZZZZZZZZZZ/rate", data={}).status_code == 404


def test_withdraw_and_hide(client: FlaskClient, database: Database, world: World) -> None:
    code = code_of(client.post("/report", data=form(world, contact="13800138000")))
    assert client.post(f"/follow/{code}/hide", data={}).status_code == 303
    assert _receipts(database)[0].contact is None
    assert client.post(f"/follow/{code}/withdraw", data={}).status_code == 303
    case = the_case(database)
    assert (case.state, case.closing_kind) == ("closed", "withdrawn")
    page = client.get(f"/follow/{code}").text
    assert "反映已撤回" in page
    assert "问题真的解决了吗" not in page, "who took it back is not asked whether it is solved"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("电话13800138000谢谢", ["13800138000"]),
        ("１３８００１３８０００", ["１３８００１３８０００"]),
        ("138 0013 8000", ["138 0013 8000"]),
        ("+86 138-0013-8000", ["138-0013-8000"]),
        ("身份证310115199001011234", ["310115199001011234"]),
        ("31011519900101123X", ["31011519900101123X"]),
        ("021-58881234", ["58881234"]),
        ("写信 a.b@c.example.cn", ["a.b@c.example.cn"]),
        ("沪A·12345停在门口", ["12345"]),
        ("三个13800138000、１３９００１３９０００、+86 137 0013 7000", ["138", "１３９", "137"]),
    ],
)
def test_numbers_are_masked(text: str, hidden: list[str]) -> None:
    shown = publishing.masked(text)
    for part in hidden:
        assert part not in shown


@pytest.mark.parametrize(
    "text", ["崂山路527号门前", "5 箱 12 个 2026-11-24", "限 4 工作时", "2611-0148"]
)
def test_plain_numbers_stay(text: str) -> None:
    assert publishing.masked(text) == text


def test_a_thousand_reports_a_minute_are_limited(
    settings: object, database: Database, world: World
) -> None:
    from dataclasses import replace

    from roadchief.app import create_app

    app = create_app(replace(settings, testing=False), database)  # type: ignore[type-var]
    app.config.update(WTF_CSRF_ENABLED=False)
    client = app.test_client()
    codes = [client.post("/report", data={"category": "x"}).status_code for _ in range(40)]
    assert codes[0] == 422
    assert codes[-1] == 429


def test_the_position_may_be_asked_for_here(client: FlaskClient, world: World) -> None:
    assert "geolocation=(self)" in client.get(f"/report?s={HERE}").headers["Permissions-Policy"]


def test_an_addition_sent_twice_is_said_once(
    client: FlaskClient, database: Database, world: World
) -> None:
    code = code_of(client.post("/report", data=form(world)))
    for words in ("还有一股臭味", "还有一股臭味", "今天更多了"):
        assert client.post(f"/follow/{code}/more", data={"words": words}).status_code == 303
    with database.transaction(HERE) as session:
        said = session.scalars(select(Voice.words).where(Voice.kind == "more")).all()
        steps = session.scalars(select(CaseStep).where(CaseStep.verb == "more")).all()
    assert sorted(said) == ["今天更多了", "还有一股臭味"]
    assert len(steps) == 2
