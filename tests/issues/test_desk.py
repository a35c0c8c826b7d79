"""The desk and the merchant's page: scope, moves by form, bulk, and what is never shown."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
import shapely
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.accounts.models import Post
from roadchief.db import Database
from roadchief.issues import adjusting, cases, handling, opening, spots
from roadchief.issues.figures import periods
from roadchief.issues.models import Case, CasePhoto
from roadchief.lib import clock
from roadchief.streets import shopkeepers
from roadchief.streets.models import Merchant
from tests import makers, pictures
from tests.cast import Cast, sign_in
from tests.issues import ground
from tests.issues.ground import CENTRE, World

HERE = 310115004
FAR = shapely.LineString([(121.5300, 31.2300), (121.5320, 31.2300)])


@pytest.fixture
def world(database: Database, cast: Cast) -> World:
    """The cast takes its places: the officer in the squad, the merchant in the shop."""
    with database.transaction(HERE) as session:
        world = ground.build(session)
        post = session.scalars(
            select(Post).where(Post.person_id == cast["officer"].person.id)
        ).one()
        post.organisation_id = world.squad.id
        chief = select(Post).where(Post.person_id == cast["chief_l2"].person.id)
        makers.make_assignment(session, session.scalars(chief).one(), world.segment)
        merchant = session.get_one(Merchant, (HERE, world.merchant.id))
        shopkeepers.name(
            session, merchant, person_id=cast["merchant"].person.id, by=None, at=clock.now()
        )
    return world


def made(database: Database, world: World, **given: Any) -> Case:
    with database.transaction(HERE) as session:
        return ground.opened(session, world, at=clock.now(), **given)


def again(database: Database, case: Case) -> Case:
    with database.transaction(HERE) as session:
        return session.get_one(Case, (HERE, case.id), populate_existing=True)


def picture(seed: int = 0) -> tuple[BytesIO, str]:
    return BytesIO(pictures.jpeg(seed=seed)), "a.jpg"


def test_an_officer_sees_the_own_units_cases_alone(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    mine = made(database, world, category="ZX08")
    other = made(database, world, category="LH01")
    sign_in(client, cast["officer"])
    page = client.get("/desk/").get_data(as_text=True)
    assert mine.number in page
    assert other.number not in page
    assert client.get(f"/desk/cases/{mine.id}").status_code == 200
    for path in (f"/desk/cases/{other.id}", f"/desk/cases/{uuid.uuid4()}"):
        assert client.get(path).status_code == 404
    answer = client.post(f"/desk/cases/{other.id}/do/note", data={"words": "x"})
    assert answer.status_code == 404
    assert other.number not in str(client.get("/desk/cases.geojson").get_json())
    assert other.number not in client.get("/desk/export.csv").get_data(as_text=True)


@pytest.mark.parametrize("role", ["chief_l2", "segment_chief"])
def test_a_chief_has_the_cases_of_the_own_streets_alone(
    client: FlaskClient, cast: Cast, database: Database, world: World, role: str
) -> None:
    mine = made(database, world, category="ZX08")
    with database.transaction(HERE) as session:
        post = session.scalars(select(Post).where(Post.person_id == cast[role].person.id)).one()
        if role != "chief_l2":
            makers.make_assignment(session, post, world.segment)
        far = makers.make_segment(session, name="浦电路", line=FAR, code="PD1")
        row = session.get_one(Case, (HERE, made(database, world, category="LH01").id))
        row.segment_id, other = far.id, row
        row = session.get_one(Case, (HERE, made(database, world, category="LH01").id))
        row.segment_id, nowhere = None, row
    sign_in(client, cast[role])
    page = client.get("/desk/").get_data(as_text=True)
    assert mine.number in page
    assert client.get(f"/desk/cases/{mine.id}").status_code == 200
    for case in (other, nowhere):
        assert case.number not in page
        assert client.get(f"/desk/cases/{case.id}").status_code == 404
        answer = client.post(f"/desk/cases/{case.id}/do/note", data={"words": "x"})
        assert answer.status_code == 404
        assert case.number not in client.get("/desk/export.csv").get_data(as_text=True)
    client.post("/sign-out")
    sign_in(client, cast["chief_general"])
    for case in (mine, other, nowhere):
        assert client.get(f"/desk/cases/{case.id}").status_code == 200


def test_the_whole_way_through_the_pages(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    with database.transaction(HERE) as session:
        case = ground.file_case(session, world, category="ZX08", at=clock.now())
    sign_in(client, cast["operator"])
    assert "待受理" in client.get("/desk/").get_data(as_text=True)

    def do(verb: str, **data: Any) -> Any:
        version = again(database, case).version
        return client.post(f"/desk/cases/{case.id}/do/{verb}", data={"version": version, **data})

    assert do("inspect").status_code == 303
    assert do("open").status_code == 303
    assert again(database, case).state == "assigned"
    client.post("/sign-out")
    sign_in(client, cast["officer"])
    assert do("accept").status_code == 303
    refused = do("submit", words="已劝离")
    assert refused.status_code == 422
    assert "已劝离" in refused.get_data(as_text=True)  # what was written is kept
    assert do("submit", words="已劝离", photos=[picture()]).status_code == 303
    assert do("close", kind="fixed_by_unit", words="好").status_code == 409
    client.post("/sign-out")
    sign_in(client, cast["chief_l2"])
    assert do("check").status_code == 303
    assert do("close", kind="fixed_by_unit", words="现场已无").status_code == 303
    assert again(database, case).state == "closed"
    assert do("reopen", words="又来了").status_code == 303
    page = client.get(f"/desk/cases/{case.id}").get_data(as_text=True)
    for word in ("已劝离", "现场已无", "又来了"):
        assert word in page
    assert client.get(f"/desk/cases/{case.id}/print").status_code == 200
    english = client.get(f"/desk/cases/{case.id}?lang=en").get_data(as_text=True)
    for word in ("the lead department of the category", "system", "hours", "citizen"):
        assert word in english
    assert "按类别牵头部门" not in english
    assert "list:enforcement" not in page + english
    assert "按类别牵头部门" in page


def test_no_unit_class_or_closing_is_chosen_beforehand(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    """Else a quick press gives the case to the first of the list, or the merchant the credit."""
    case = made(database, world, category="ZX02")
    sign_in(client, cast["operator"])
    page = client.get(f"/desk/cases/{case.id}").get_data(as_text=True)
    for name in ("unit", "category", "kind"):
        assert f'<select name="{name}" required><option value="">请选择</option>' in page
    version = again(database, case).version
    for verb in ("dispatch", "close", "recategorise"):
        sent = {"version": version, "words": "好", "unit": "", "category": "", "kind": ""}
        assert client.post(f"/desk/cases/{case.id}/do/{verb}", data=sent).status_code == 422


def test_an_old_page_moves_nothing(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    case = made(database, world, category="ZX08")
    sign_in(client, cast["officer"])
    data = {"version": case.version, "words": "不归我们管"}
    client.post(f"/desk/cases/{case.id}/do/accept", data={"version": case.version})
    answer = client.post(f"/desk/cases/{case.id}/do/return", data=data)
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "不归我们管" in page
    assert "接收" in page
    assert again(database, case).state == "in_progress"


@pytest.mark.parametrize(
    ("verb", "data", "status"),
    [
        ("dance", {}, 409),
        ("rate", {}, 409),
        ("dispatch", {"unit": "x"}, 422),
        ("dispatch", {"unit": str(uuid.uuid4())}, 422),
        ("close", {"kind": "nonsense", "words": "x"}, 422),
        ("recategorise", {"category": "ZZ99", "words": "x"}, 422),
        ("recategorise", {"category": "WS01", "words": "长" * 5000}, 422),
        ("duplicate", {"target": "2611-9999", "words": "x"}, 404),
        ("note", {"words": "   "}, 422),
        ("note", {"words": "a\x00b"}, 303),
        ("split", {"category": "", "words": "x"}, 422),
    ],
)
def test_odd_forms_are_refused(
    client: FlaskClient,
    cast: Cast,
    database: Database,
    world: World,
    verb: str,
    data: dict[str, str],
    status: int,
) -> None:
    case = made(database, world, category="BJ02")
    sign_in(client, cast["operator"])
    answer = client.post(f"/desk/cases/{case.id}/do/{verb}", data=data)
    assert answer.status_code == status


def test_the_merchant_fixes_with_a_photo_and_sees_nothing_raw(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    case = made(database, world, words="隔壁301王阿姨说纸箱堵门，电话13800138000")
    sign_in(client, cast["merchant"])
    page = client.get("/merchant/").get_data(as_text=True)
    assert case.number in page
    for secret in ("王阿姨", "13800138000", "301"):
        assert secret not in page
    assert clock.local(case.reported_at).strftime("%Y-%m-%d %H:%M") not in page
    data = {"version": case.version}
    assert client.post(f"/merchant/cases/{case.id}/fix", data=data).status_code == 422
    data = {"version": case.version, "photos": [picture()]}
    assert client.post(f"/merchant/cases/{case.id}/fix", data=data).status_code == 303
    assert again(database, case).state == "submitted"


def test_the_merchant_may_object_and_never_reaches_a_neighbours_case(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    case = made(database, world)
    with database.transaction(HERE) as session:
        neighbour = ground.build_second(session, world)
        theirs = ground.file_case(session, world, at=clock.now(), spot=neighbour, words="隔壁的事")
        opening.open_case(session, theirs, who=CENTRE, at=clock.now())
    sign_in(client, cast["merchant"])
    assert theirs.number not in client.get("/merchant/").get_data(as_text=True)
    for verb in ("fix", "object"):
        answer = client.post(f"/merchant/cases/{theirs.id}/{verb}", data={"words": "x"})
        assert answer.status_code == 404
    assert client.post(f"/merchant/cases/{case.id}/close", data={}).status_code == 404
    answer = client.post(f"/merchant/cases/{case.id}/object", data={"words": "不是我们的"})
    assert answer.status_code == 303
    assert again(database, case).state == "open"


def test_bulk_does_what_it_can_and_names_the_rest(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    ready = [made(database, world, category="ZX08") for _ in range(4)]
    refused = made(database, world, category="ZX02")
    sign_in(client, cast["officer"])
    ids = [str(row.id) for row in (*ready, refused)]
    form = {"verb": "accept", "case": ids}
    # First what would happen, and nothing does.
    page = client.post("/desk/bulk", data=form).get_data(as_text=True)
    assert "将执行 4 件" in page
    assert "已派遣 → <b>处置中" in page
    assert {again(database, row).state for row in ready} == {"assigned"}
    seen = dict(re.findall(r'name="(seen-[^"]+)" value="(\d+)"', page))
    assert len(seen) == 4
    # One moves on before it is confirmed: it is refused by name, the others are done.
    late = ready[0]
    client.post(f"/desk/cases/{late.id}/do/accept", data={"version": again(database, late).version})
    page = client.post("/desk/bulk", data=form | seen | {"sure": "1"}).get_data(as_text=True)
    assert re.search(r">\s*3 <small>", page)
    assert late.number in page
    assert {again(database, row).state for row in ready} == {"in_progress"}
    assert refused.number not in page
    assert client.post("/desk/bulk", data={"verb": "close", "case": ids}).status_code == 422


def test_a_photo_is_public_only_after_release(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    case = made(database, world, category="ZX08")
    with database.transaction(HERE) as session:
        row = cases.locked(session, case.id)
        blob = ground.make_photo(session)
        cases.add_photos(session, row, (blob,), part="citizen", at=clock.now())
        session.flush()
        taken = session.scalars(select(CasePhoto)).one()
    sign_in(client, cast["operator"])
    base = f"/desk/cases/{case.id}/photos/{taken.id}"
    assert client.get(base).status_code == 200
    assert client.post(f"{base}/release").status_code == 303
    with database.transaction(HERE) as session:
        assert session.scalars(select(CasePhoto)).one().released_at
    assert client.post(f"{base}/withdraw").status_code == 303
    assert client.post(f"{base}/dance").status_code == 404
    assert client.get(f"/desk/cases/{case.id}/photos/{uuid.uuid4()}").status_code == 404


def test_filters_views_search_and_exports_agree(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    one = made(database, world, category="ZX08", words="=cmd()")
    other = made(database, world, category="BJ02", words="路面大坑")
    sign_in(client, cast["operator"])
    for query, there in (
        ("category=ZX08", True),
        ("category=BJ02", False),
        (f"q={one.number}", True),
        ("q=大坑", False),
        ("state=assigned", True),
        ("tab=no_unit", False),
        ("category=nonsense&state=x&unit=y&segment=z&page=-1", True),
    ):
        page = client.get(f"/desk/?{query}").get_data(as_text=True)
        assert (f"#{one.number}" in page) == there, query
        exported = client.get(f"/desk/export.csv?{query}").get_data(as_text=True)
        assert (one.number in exported) == there, query
    assert other.number in client.get("/desk/?q=大坑").get_data(as_text=True)
    saved = client.post("/desk/views", data={"name": "夜间油烟", "category": "ZX08"})
    assert saved.status_code == 303
    assert "夜间油烟" in client.get("/desk/").get_data(as_text=True)
    assert client.get("/desk/export.xlsx").get_data()[:2] == b"PK"
    assert client.get("/desk/export.pdf").status_code == 404


def test_the_queue_asks_a_constant_number_of_questions(
    client: FlaskClient,
    cast: Cast,
    database: Database,
    world: World,
    queries: Callable[[], Any],
) -> None:
    sign_in(client, cast["operator"])
    made(database, world)
    with queries() as few:
        client.get("/desk/")
    for _ in range(12):
        made(database, world)
    with queries() as many:
        client.get("/desk/")
    assert len(many) == len(few)
    assert len(few) <= 9


def test_a_report_asks_few_questions(
    session: Session, cast: Cast, world: World, queries: Callable[[], Any]
) -> None:
    with queries() as seen:
        ground.file_case(session, world, at=clock.now())
        session.flush()
    assert len(seen) <= 8


def test_statistics(
    client: FlaskClient, cast: Cast, database: Database, world: World, session: Session
) -> None:
    for _ in range(11):
        made(database, world, category="ZX08")
    sign_in(client, cast["operator"])
    page = client.get("/desk/figures").get_data(as_text=True)
    assert "综合行政执法队" in page
    at = clock.now()
    since, until = periods.period({}, at=at)
    with database.transaction(HERE) as inner:
        found = periods.report(inner, since, until, at=at + timedelta(days=3))
    assert found.total.cases == 11
    assert found.total.late == 11
    assert found.total.rate("on_time") == 0
    assert [row.cases for row in found.cuts["unit"]] == [11]
    few = periods.Figure("", "", *([3] * 10))
    assert few.rate("solved") is None
    for odd in (
        "from=x&to=y",
        "from=2031-01-01&to=2026-01-01",
        "from=0001-01-01",
        "to=0001-01-01",
        "to=9999-12-31",
    ):
        assert client.get(f"/desk/figures?{odd}").status_code == 200


def test_the_place_of_a_case_is_set_at_the_desk_and_plain_words_stand_beside_it(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    with database.transaction(HERE) as session:
        spot = spots.nowhere("菜场后门")
        case = ground.file_case(session, world, category="ZX08", spot=spot, at=clock.now())
    sign_in(client, cast["operator"])
    path = f"/desk/cases/{case.id}"
    page = client.get(path).text
    assert "还没有定到图上" in page
    for words in ("<dd>市民</dd>", "2 小时</dd>"):
        assert words in page, words
    assert "请点地图或写门牌" in client.post(f"{path}/do/relocate", data={"place": "没有"}).text
    sent = {"place": f"{world.shop.address}对面"}
    assert client.post(f"{path}/do/relocate", data=sent).status_code == 303
    row = again(database, case)
    assert (row.segment_id, row.storefront_id) == (world.segment.id, None)
    page = client.get(path).text
    assert "还没有定到图上" not in page
    assert "定位置" in page
    client.post(f"{path}/do/open", data={})
    page = client.get(path).text
    assert "按类别牵头部门</dd>" in page
    assert "list:" not in page
    # Changed to another category: the story names it, not its code.
    sent = {"category": "LH01", "words": "是绿化"}
    assert client.post(f"{path}/do/recategorise", data=sent).status_code == 303
    assert "是绿化，毁绿、占绿" in client.get(path).text


def test_a_merchant_keeps_refused_words_and_reads_what_became_of_it(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    case = made(database, world)
    sign_in(client, cast["merchant"])
    page = client.get("/merchant/").text
    assert "照片（必需" in page
    assert 'href="/patrol/"' not in page  # a merchant walks no shift
    path = f"/merchant/cases/{case.id}"
    refused = client.post(f"{path}/fix", data={"words": "箱子都搬进去了"}).text
    assert 'value="箱子都搬进去了"' in refused
    assert "“照片”填写有误" in refused
    assert client.post(f"{path}/object", data={"words": "不是我家的"}).status_code == 303
    with database.transaction(HERE) as session:
        row = cases.locked(session, case.id)
        adjusting.contact(session, row, who=CENTRE, at=clock.now(), words="张女士您好")
        handling.close(
            session, row, who=CENTRE, at=clock.now(), kind="not_found", words="确不是该店所放"
        )
    page = client.get("/merchant/").text
    for words in ("您提出了异议", "不是我家的", "确不是该店所放"):
        assert words in page, words
    assert "张女士" not in page


def test_an_officer_sends_several_back_and_joins_two_of_the_own_unit(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    rows = [made(database, world, category="ZX08", words="路口摆摊卖水果") for _ in range(4)]
    foreign = made(database, world, category="LH01")
    sign_in(client, cast["officer"])
    page = client.get("/desk/").text
    offered = re.findall(
        r'<option value="(\w+)">', page.split('name="verb"')[1].split("</select>")[0]
    )
    assert offered == ["accept", "take_over", "transfer", "return", "note"]
    form = {"verb": "return", "words": "不属本中队", "case": [str(row.id) for row in rows[:2]]}
    page = client.post("/desk/bulk", data=form).text
    seen = dict(re.findall(r'name="(seen-[^"]+)" value="(\d+)"', page))
    page = client.post("/desk/bulk", data=form | seen | {"sure": "1"}).text
    assert rows[0].number in page
    assert f"/desk/cases/{rows[0].id}" not in page  # it is the centre's now
    assert {again(database, row).state for row in rows[:2]} == {"open"}
    copy, master = rows[2:]
    path = f"/desk/cases/{copy.id}"
    assert f"#{master.number}" in client.get(path).text  # offered as perhaps the same
    for target, status in ((foreign.number, 404), (master.number, 303)):
        sent = {"target": target, "words": "同一个摊", "version": again(database, copy).version}
        assert client.post(f"{path}/do/duplicate", data=sent).status_code == status
    assert again(database, copy).master_id == master.id
