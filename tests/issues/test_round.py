"""The list for a round on foot: order, map, limits, and nothing out of reach."""

import uuid
from typing import Any

import pytest
import shapely
import zxingcpp
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from roadchief.accounts.models import Post
from roadchief.db import Database
from roadchief.issues.models import Case
from roadchief.issues.sheets import sketch, walking
from roadchief.lib import clock
from tests import makers
from tests.cast import Cast, sign_in
from tests.issues import ground
from tests.issues.ground import World
from tests.issues.test_sheet import images_of, pypdfium2, text_of

HERE = 310115004
FAR = shapely.LineString([(121.5300, 31.2300), (121.5320, 31.2300)])
SPOT = st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000))


@pytest.fixture
def world(database: Database, cast: Cast) -> World:
    with database.transaction(HERE) as session:
        world = ground.build(session)
        chief = select(Post).where(Post.person_id == cast["chief_l2"].person.id)
        makers.make_assignment(session, session.scalars(chief).one(), world.segment)
    return world


def made(database: Database, world: World, place: Any = None, **given: Any) -> Case:
    with database.transaction(HERE) as session:
        case = ground.opened(
            session, world, at=clock.now(), category="ZX08", source="staff", **given
        )
        if place is not None:
            case.place = shapely.Point(*place) if place else None
        return case


def listed(client: FlaskClient, *cases: Case, query: str = "") -> pypdfium2.PdfDocument:
    answer = client.post(f"/desk/round.pdf{query}", data={"case": [str(one.id) for one in cases]})
    assert answer.status_code == 200, answer.get_data(as_text=True)[:300]
    assert answer.content_type == "application/pdf"
    return pypdfium2.PdfDocument(answer.data)


def test_cases_stand_in_walking_order(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    places = [(121.5190, 31.2280), (121.5180, 31.2310), (121.5185, 31.2295), ()]
    rows = [made(database, world, place, words=f"第{n}件") for n, place in enumerate(places)]
    sign_in(client, cast["operator"])
    file = listed(client, *rows)
    said = text_of(file)
    order = [said.index(f"第{n}件") for n in (1, 2, 0, 3)]
    assert order == sorted(order)
    for row in rows:
        assert row.number in said
    for words in ("巡办清单（4件）", "崂山路", "□已处置", "综合行政执法队", "第1页，共"):
        assert words in said, words
    assert images_of(file) == 0
    codes = {
        one.text for page in file for one in zxingcpp.read_barcodes(page.render(scale=3).to_pil())
    }
    assert codes == {f"http://127.0.0.1:8000/desk/cases/{row.id}" for row in rows}
    assert "Roundlist(4cases)" in text_of(listed(client, *rows, query="?lang=en"))
    page = client.get("/desk/?lang=zh").get_data(as_text=True)
    assert 'formaction="/desk/round.pdf"' in page


def test_out_of_reach_is_not_on_it(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    mine, other = made(database, world), made(database, world)
    with database.transaction(HERE) as session:
        away = makers.make_segment(session, name="浦电路", line=FAR, code="PD1")
        session.get_one(Case, (HERE, other.id)).segment_id = away.id
    sign_in(client, cast["chief_l2"])
    said = text_of(listed(client, mine, other))
    assert mine.number in said
    assert other.number not in said
    for ids in ([str(other.id)], [str(uuid.uuid4())]):
        assert client.post("/desk/round.pdf", data={"case": ids}).status_code == 404


@pytest.mark.parametrize("ids", [[], ["x"], [str(uuid.uuid4()) for _ in range(61)]])
def test_none_or_too_many_are_refused(
    client: FlaskClient, cast: Cast, world: World, ids: list[str]
) -> None:
    sign_in(client, cast["operator"])
    assert client.post("/desk/round.pdf", data={"case": ids}).status_code == 422


def test_sixty_cases_one_far_away_and_long_words(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    rows = [made(database, world, (121.51 + n / 5000, 31.22), words="长" * 900) for n in range(59)]
    rows.append(made(database, world, (116.4, 39.9), words="北京"))
    sign_in(client, cast["operator"])
    file = listed(client, *rows)
    assert len(file) > 5
    said = text_of(file)
    assert said.rindex("北京") > said.rindex("长")  # far from all others: last, and not drawn


@given(st.lists(SPOT, max_size=14))
@settings(max_examples=60, deadline=None)
def test_each_place_once_and_no_stretch_is_better_turned(places: list[walking.Place]) -> None:
    way = walking.ordered(places)
    assert sorted(way) == list(range(len(places)))
    whole = walking.length(way, places)
    for i in range(1, len(way)):
        for j in range(i + 1, len(way)):
            turned = [*way[:i], *reversed(way[i : j + 1]), *way[j + 1 :]]
            assert walking.length(turned, places) >= whole - 1e-6


def test_a_straight_street_is_walked_along() -> None:
    places = [(float(x), 0.0) for x in (50, 10, 90, 30, 70)]
    assert [places[one][0] for one in walking.ordered(places)] == [10, 30, 50, 70, 90]


def test_marks_that_would_hide_each_other_share_one() -> None:
    places = [(0.0, 0.0), (3.0, 0.0), (90.0, 0.0), (93.0, 1.0), (95.0, 0.0), (0.0, 4.0)]
    marks = [sketch.told(numbers) for _place, numbers in sketch.shared(places)]
    assert marks == ["1,2,6", "3-5"]
