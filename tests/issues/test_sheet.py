"""The case sheet: what it says, on which pages, with any letters, and for whom."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pypdfium2
import pytest
import shapely
import zxingcpp
from flask.testing import FlaskClient
from sqlalchemy import select

from roadchief import blobs
from roadchief.accounts.models import Post
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.issues import cases, handling
from roadchief.issues.models import Case
from roadchief.lib import clock
from roadchief.streets.models import BackgroundShape
from tests import makers, pictures
from tests.cast import Cast, sign_in
from tests.issues import ground
from tests.issues.ground import CENTRE, CHIEF, World

HERE = 310115004


@pytest.fixture
def world(database: Database, cast: Cast) -> World:
    with database.transaction(HERE) as session:
        world = ground.build(session)
        post = session.scalars(
            select(Post).where(Post.person_id == cast["officer"].person.id)
        ).one()
        post.organisation_id = world.squad.id
    return world


def made(database: Database, world: World, **given: Any) -> Case:
    with database.transaction(HERE) as session:
        return ground.opened(session, world, at=clock.now(), **given)


def opened(client: FlaskClient, case: Case, query: str = "") -> pypdfium2.PdfDocument:
    answer = client.get(f"/desk/cases/{case.id}.pdf{query}")
    assert answer.status_code == 200
    assert answer.content_type == "application/pdf"
    return pypdfium2.PdfDocument(answer.data)


def text_of(file: pypdfium2.PdfDocument) -> str:
    found = "\n".join(page.get_textpage().get_text_bounded() for page in file)
    return re.sub(r"\s+", "", found)


def images_of(file: pypdfium2.PdfDocument) -> int:
    kind = pypdfium2.raw.FPDF_PAGEOBJ_IMAGE
    return sum(len(list(page.get_objects(filter=[kind], max_depth=3))) for page in file)


def test_the_sheet_says_what_the_page_says(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    case = made(database, world, category="ZX08", words="三辆共享单车倒在盲道上")
    sign_in(client, cast["operator"])
    file = opened(client, case)
    said = text_of(file)
    assert len(file) == 1
    for words in (
        case.number,
        "案件单",
        "三辆共享单车倒在盲道上",
        "综合行政执法队",
        "崂山路527号",
        "办结期限",
        "立案",
        "经办人",
        "第1页，共1页",
        f"/desk/cases/{case.id}",
    ):
        assert words in said, words
    # The symbol is read from the page as it is printed.
    picture = file[0].render(scale=3).to_pil()
    assert [one.text for one in zxingcpp.read_barcodes(picture)] == [
        f"http://127.0.0.1:8000/desk/cases/{case.id}"
    ]
    english = text_of(opened(client, case, "?lang=en"))
    assert "Casesheet" in english
    assert "page1of1" in english
    page = client.get(f"/desk/cases/{case.id}?lang=zh").get_data(as_text=True)
    assert f"/desk/cases/{case.id}.pdf" in page


def test_the_map_is_drawn_from_our_own_streets(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    case = made(database, world, category="ZX08")
    sign_in(client, cast["operator"])
    file = opened(client, case)
    assert images_of(file) == 0  # lines, no tiles
    assert "崂山路位置示意" in text_of(file) or text_of(file).count("崂山路") >= 2
    with database.transaction(HERE) as session:
        row = session.get_one(Case, (HERE, case.id))
        row.place = None
    assert "未定位" in text_of(opened(client, case))


def test_grounds_beside_the_drawing_and_odd_ones_do_no_harm(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    case = made(database, world, category="ZX08")
    door = (121.5187, 31.2291)
    with database.transaction(HERE) as session:
        for number, (east, north) in enumerate(((0.0, 0.0), (0.0021, 0.0), (-0.0021, 0.0005))):
            x, y = door[0] + east, door[1] + north
            house = shapely.box(x, y, x + 1e-4, y + 1e-4)
            session.add(
                BackgroundShape(
                    subdistrict_id=HERE,
                    kind="building",
                    shape=shapely.MultiPolygon([house]),
                    source="test",
                    source_id=str(number),
                )
            )
    sign_in(client, cast["operator"])
    assert len(opened(client, case)) >= 1


def test_out_of_reach_is_not_found(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    other = made(database, world, category="LH01")
    sign_in(client, cast["officer"])
    assert client.get(f"/desk/cases/{other.id}.pdf").status_code == 404
    assert client.get(f"/desk/cases/{uuid.uuid4()}.pdf").status_code == 404


def test_rare_letters_signs_and_writing_from_the_right(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    words = "𠮷野家门口 <b>&amp;</b> 😀\n第二行\n\nمطعم الصين\nשלום\x07\u200b 龘䶮 e\u0301"
    case = made(database, world, category="ZX08", words=words)
    sign_in(client, cast["operator"])
    said = text_of(opened(client, case))
    for part in ("野家门口<b>&amp;</b>", "第二行", "龘䶮", "é"):
        assert part in said, part


def test_a_very_long_text_runs_over_pages(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    case = made(database, world, category="ZX08")
    with database.transaction(HERE) as session:
        row = cases.locked(session, case.id)
        row.words = "长" * 60_000 + "a" * 39_990 + "到底了"
        row.address = "很长的地址" * 40
    sign_in(client, cast["operator"])
    file = opened(client, case)
    assert len(file) > 20
    said = text_of(file)
    assert "到底了" in said
    assert f"第{len(file)}页，共{len(file)}页" in said
    assert said.count("长") >= 60_000


@pytest.mark.parametrize("number", [1, 5, 31])
def test_photos_two_to_a_row_and_missing_ones_said(
    client: FlaskClient,
    cast: Cast,
    database: Database,
    world: World,
    settings: Settings,
    number: int,
) -> None:
    case = made(database, world, category="ZX08")
    with database.transaction(HERE) as session:
        kept = [
            blobs.keep(
                session,
                blobs.develop(pictures.jpeg(seed=seed), settings=settings),
                by=None,
                at=clock.now(),
                settings=settings,
            ).id
            for seed in range(number)
        ]
        lost = ground.make_photo(session, seed=99)
        row = cases.locked(session, case.id)
        cases.add_photos(session, row, (*kept, lost), part="unit", at=clock.now())
    sign_in(client, cast["operator"])
    file = opened(client, case)
    assert images_of(file) == number
    assert "照片文件不在本机" in text_of(file)
    assert "单位" in text_of(file)


def test_a_reopened_case_shows_both_closings(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    case = made(database, world, category="ZX08")
    with database.transaction(HERE) as session:
        row, at = cases.locked(session, case.id), clock.now()
        rest = {"who": world.unit, "at": at}
        handling.accept(session, row, **rest)
        photo = ground.make_photo(session)
        handling.submit(session, row, words="已清", photo_ids=(photo,), **rest)
        cases.move(session, row, "check", who=CHIEF, at=at)
        handling.close(
            session, row, who=CHIEF, at=at, kind="fixed_by_unit", words="好", photo_ids=()
        )
        handling.reopen(session, row, who=CENTRE, at=at, words="又来了", photo_ids=())
    sign_in(client, cast["operator"])
    said = text_of(opened(client, case))
    for words in ("重开次数1", "结案次数1", "又来了", "已清", "重新打开"):
        assert words in said, words


def test_the_sheet_asks_a_constant_number_of_questions(
    client: FlaskClient, cast: Cast, database: Database, world: World, queries: Callable[[], Any]
) -> None:
    case = made(database, world, category="ZX08")
    sign_in(client, cast["operator"])
    opened(client, case)
    with queries() as few:
        opened(client, case)
    with database.transaction(HERE) as session:
        row = cases.locked(session, case.id)
        photos = tuple(ground.make_photo(session, seed) for seed in range(6))
        cases.add_photos(session, row, photos, part="unit", at=clock.now())
        for number in range(6):
            makers.make_storefront(session, world.segment, house_number=f"{600 + number}号")
    with queries() as many:
        opened(client, case)
    assert len(many) == len(few)
