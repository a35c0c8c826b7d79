"""The sub-district's own rules of routing: kept in order, tried, and told where they are broken."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from roadchief.db import Database
from roadchief.issues.models import Case, RoutingRule
from roadchief.issues.office import own_rules
from roadchief.issues.office.own_rules import Draft
from roadchief.lib import clock
from roadchief.streets.models import Organisation
from tests.cast import Cast, sign_in
from tests.issues import ground
from tests.issues.ground import World

HERE = 310115004


@pytest.fixture
def world(database: Database) -> World:
    with database.transaction(HERE) as session:
        return ground.build(session)


def names(database: Database) -> list[str]:
    with database.transaction(HERE) as session:
        return [row.name for row in own_rules.listing(session)]


def ids(database: Database) -> dict[str, uuid.UUID]:
    with database.transaction(HERE) as session:
        return {row.name: row.id for row in session.scalars(select(RoutingRule))}


def test_rules_are_added_moved_tried_and_removed(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    sign_in(client, cast["operator"])
    assert "还没有本街道规则" in client.get("/admin/routing").get_data(as_text=True)
    green, squad = str(world.green.id), str(world.squad.id)
    for form in (
        {"name": "崂山路摊贩归绿化", "unit": green, "what": "c:ZX08", "segment": world.segment.id},
        {"name": "秩序归执法", "unit": squad, "what": "g:order"},
        {"name": "其余", "unit": green, "let": "yes"},
    ):
        answer = client.post("/admin/routing", data=form)
        assert answer.status_code == 303, answer.get_data(as_text=True)[-800:]
    assert names(database) == ["崂山路摊贩归绿化", "秩序归执法", "其余"]
    # Which rule, and why.
    place = f"try=ZX08&segment={world.segment.id}"
    page = client.get(f"/admin/routing?{place}").get_data(as_text=True)
    assert "绿化市容管理所</b> — 按本街道规则“崂山路摊贩归绿化”" in page
    page = client.get("/admin/routing?try=ZX08").get_data(as_text=True)
    assert "综合行政执法队</b> — 按本街道规则“秩序归执法”" in page
    assert "按类别牵头部门" in client.get("/admin/routing?try=WS01").get_data(as_text=True)
    # A case that is opened now goes there.
    with database.transaction(HERE) as session:
        case = ground.opened(session, world, category="ZX08", at=clock.now(), source="staff")
        row = session.get_one(Case, (HERE, case.id))
        assert (row.unit_id, row.routed_by) == (world.green.id, "own:崂山路摊贩归绿化")
    known = ids(database)
    client.post(f"/admin/routing/{known['其余']}/up")
    client.post(f"/admin/routing/{known['其余']}/up")
    client.post(f"/admin/routing/{known['其余']}/up")  # the first stays first
    assert names(database) == ["其余", "崂山路摊贩归绿化", "秩序归执法"]
    client.post(f"/admin/routing/{known['其余']}/down")
    assert names(database) == ["崂山路摊贩归绿化", "其余", "秩序归执法"]
    assert client.post(f"/admin/routing/{known['其余']}/remove").status_code == 303
    assert names(database) == ["崂山路摊贩归绿化", "秩序归执法"]
    for path in (f"{known['其余']}/remove", f"{uuid.uuid4()}/up", f"{known['秩序归执法']}/dance"):
        assert client.post(f"/admin/routing/{path}").status_code == 404
    assert client.get("/admin/routing?lang=en").status_code == 200


def test_rules_that_do_nothing_are_shown(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    by = cast["operator"].person.id
    with database.transaction(HERE) as session:

        def add(name: str, unit: uuid.UUID, category: str | None) -> None:
            draft = Draft(name, unit, category, None, None, None, None)
            own_rules.add(session, draft, by=by, at=clock.now())

        add("全归执法", world.squad.id, None)
        add("轮不到", world.squad.id, "ZX08")
        add("单位没了", world.green.id, None)
        session.get_one(Organisation, (HERE, world.green.id)).closed_at = clock.now()
    sign_in(client, cast["operator"])
    page = client.get("/admin/routing").get_data(as_text=True)
    assert page.count("不起作用") == 2
    assert "永远轮不到" in page
    assert "单位已撤销" in page
    assert "指向已撤销单位" in client.get("/admin/pipes").get_data(as_text=True)


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "长" * 41},
        {"unit": ""},
        {"unit": str(uuid.uuid4())},
        {"what": "c:ZZ99"},
        {"what": "g:nothing"},
        {"segment": "x"},
        {"segment": str(uuid.uuid4())},
        {"grid": str(uuid.uuid4())},
    ],
)
def test_odd_rules_are_refused(
    client: FlaskClient, cast: Cast, database: Database, world: World, change: dict[str, str]
) -> None:
    sign_in(client, cast["admin"])
    form = {"name": "规则", "unit": str(world.squad.id), "what": "c:ZX08"} | change
    answer = client.post("/admin/routing", data=form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert names(database) == []
    for query in ("try=ZZ99", "try=ZX08&segment=x"):
        assert client.get(f"/admin/routing?{query}").status_code == 422


def test_a_rule_is_stored_once(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    sign_in(client, cast["admin"])
    form = {"name": "堆物归执法", "unit": str(world.squad.id), "what": "c:ZX08"}
    assert client.post("/admin/routing", data=form).status_code == 303
    answer = client.post("/admin/routing", data=form | {"name": "又一条"})
    assert answer.status_code == 409
    assert "已有同样的规则“堆物归执法”" in answer.get_data(as_text=True)
    assert client.post("/admin/routing", data=form | {"let": "no"}).status_code == 303
    assert names(database) == ["堆物归执法"] * 2


def test_two_who_move_and_add_at_once_leave_one_order(real: Database) -> None:
    with real.transaction(HERE) as session:
        world = ground.build(session)
        for n in range(4):
            draft = Draft(f"规则{n}", world.squad.id, f"ZX0{n + 1}", None, None, None, None)
            own_rules.add(session, draft, by=world.officer, at=clock.now())
    known, start = ids(real), threading.Barrier(3)
    faults: list[Exception] = []

    def act(what: Callable[[Any], object]) -> None:
        start.wait()
        try:
            with real.transaction(HERE) as session:
                what(session)
        except Exception as fault:
            faults.append(fault)

    rest = {"by": world.officer, "at": clock.now()}
    fresh = Draft("新", world.squad.id, None, None, None, None, None)
    works: tuple[Callable[[Any], object], ...] = (
        lambda session: own_rules.move(session, known["规则3"], up=True, **rest),
        lambda session: own_rules.move(session, known["规则2"], up=False, **rest),
        lambda session: own_rules.add(session, fresh, **rest),
    )
    threads = [threading.Thread(target=act, args=(one,)) for one in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(names(real)) == sorted([*known, "新"])


def test_another_sub_districts_rules_are_not_found(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    with database.transaction(HERE) as session:
        draft = Draft("规则", world.squad.id, None, None, None, None, None)
        row = own_rules.add(session, draft, by=world.officer, at=clock.now())
    sign_in(client, cast.elsewhere["admin"])
    assert "规则</b>" not in client.get("/admin/routing").get_data(as_text=True)
    for act in ("up", "remove"):
        assert client.post(f"/admin/routing/{row.id}/{act}").status_code == 404
    assert names(database) == ["规则"]
