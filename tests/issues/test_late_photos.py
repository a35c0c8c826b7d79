"""Photos that a phone sends after its finding are in the case all the same."""

import hashlib
import threading
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from roadchief import blobs
from roadchief.accounts.models import Post
from roadchief.config import Settings
from roadchief.db import Database, new_id
from roadchief.issues import cases
from roadchief.issues.models import Case, CasePhoto, CasePhotoPromise
from roadchief.issues.sources import patrolled, promises
from roadchief.lib import clock
from tests import makers, pictures
from tests.cast import Cast, sign_in
from tests.conftest import make_settings
from tests.issues import ground
from tests.issues.ground import World
from tests.patrol.phone import Phone

HERE = 310115004
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def world(database: Database, cast: Cast) -> World:
    with database.transaction(HERE) as session:
        world = ground.build(session)
        person = cast["patroller"].person.id
        post = session.scalars(select(Post).where(Post.person_id == person)).one()
        makers.make_assignment(session, post, world.segment)
    return world


def photo(seed: int) -> tuple[bytes, str]:
    data = pictures.jpeg(seed=seed)
    return data, hashlib.sha256(data).hexdigest()


def find(database: Database, world: World, cast: Cast, *hashes: str, item: str = "WS01") -> None:
    with database.transaction(HERE) as session:
        patrolled.take_finding(
            session,
            storefront_id=world.shop.id,
            segment_id=world.segment.id,
            item=item,
            by=cast["patroller"].person.id,
            at=clock.now(),
            note="垃圾",
            photos=list(hashes),
            source_id=new_id(),
        )


def put(client: FlaskClient, data: bytes, mark: str) -> int:
    answer = client.put(f"/api/v1/blobs/{mark}", data=data, content_type="image/jpeg", headers=OURS)
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    return answer.status_code


def photos_of(database: Database) -> list[CasePhoto]:
    with database.transaction(HERE) as session:
        return list(session.scalars(select(CasePhoto)))


def test_a_photo_that_comes_later_joins_the_case(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    (early, first), (late, second) = photo(1), photo(2)
    sign_in(client, cast["patroller"])
    put(client, early, first)
    find(database, world, cast, first, second)
    assert len(photos_of(database)) == 1
    with database.transaction(HERE) as session:
        case_id = session.scalars(select(Case.id)).one()
        assert promises.waiting_for(session, case_id) == 1
    assert "还有 1 张照片" in client.get(f"/desk/cases/{case_id}").get_data(as_text=True)
    assert put(client, late, second) == 201
    assert put(client, late, second) == 200  # sent again: the answer was lost
    rows = photos_of(database)
    assert [row.part for row in rows] == ["staff", "staff"]
    assert {row.case_id for row in rows} == {case_id}
    page = client.get(f"/desk/cases/{case_id}").get_data(as_text=True)
    assert "张照片在手机上" not in page
    assert page.count("现场照片") == 2


def test_through_the_phones_own_way(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    data, mark = photo(3)
    sign_in(client, cast["patroller"])
    phone = Phone(cast["patroller"].person.id, clock.now())
    body = {"segment_id": str(world.segment.id), "item": "WS01", "note": "井盖缺失"}
    item = phone.item("finding", body, photos=[{"sha256": mark, "source": "camera"}])
    answer = client.post("/api/v1/sync", json={"items": [item]}, headers=OURS)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.get_json()["answers"][0]["status"] == "stored", answer.get_json()
    assert photos_of(database) == []
    put(client, data, mark)
    assert len(photos_of(database)) == 1


def test_one_photo_of_two_findings_joins_both_and_a_closed_case_too(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    data, mark = photo(4)
    sign_in(client, cast["patroller"])
    find(database, world, cast, mark)
    find(database, world, cast, mark, item="ZX02")
    with database.transaction(HERE) as session:
        row = session.scalars(select(Case).where(Case.category == "WS01")).one()
        row.state, row.ended_at = "closed", clock.now()
    put(client, data, mark)
    assert len({row.case_id for row in photos_of(database)}) == 2


def test_a_photo_of_the_same_trouble_seen_again(
    client: FlaskClient, cast: Cast, database: Database, world: World
) -> None:
    (one, first), (two, second) = photo(5), photo(6)
    sign_in(client, cast["patroller"])
    find(database, world, cast, first)
    find(database, world, cast, second)
    put(client, one, first)
    put(client, two, second)
    rows = photos_of(database)
    assert len(rows) == 2
    assert len({row.case_id for row in rows}) == 1
    assert sorted(row.part for row in rows) == ["patrol", "staff"]


def test_promises_that_nobody_keeps_are_forgotten(
    database: Database, cast: Cast, world: World
) -> None:
    find(database, world, cast, photo(7)[1])
    with database.transaction(HERE) as session:
        assert promises.forget_old(session, at=clock.now() + timedelta(days=59)) == 0
        assert promises.forget_old(session, at=clock.now() + timedelta(days=61)) == 1
        assert session.scalars(select(CasePhotoPromise)).all() == []


def test_finding_and_photo_at_the_same_moment_miss_each_other_never(
    real: Database, fresh_url: str, tmp_path: Any
) -> None:
    settings: Settings = make_settings(fresh_url, tmp_path)
    with real.transaction(HERE) as session:
        world = ground.build(session)
        person = makers.make_person(session).id
    if promises.arrived not in blobs.on_arrival:
        blobs.on_arrival.append(promises.arrived)
    for seed in range(10, 22):
        data, mark = photo(seed)
        start = threading.Barrier(2)

        def finding(mark: str = mark, start: threading.Barrier = start) -> None:
            start.wait()
            with real.transaction(HERE) as session:
                patrolled.take_finding(
                    session,
                    storefront_id=world.shop.id,
                    segment_id=None,
                    item="WS01",
                    by=person,
                    at=clock.now(),
                    note=None,
                    photos=[mark],
                    source_id=new_id(),
                )

        def upload(data: bytes = data, mark: str = mark, start: threading.Barrier = start) -> None:
            developed = blobs.develop(data, settings=settings)
            start.wait()
            with real.transaction(HERE) as session:
                blob = blobs.keep(session, developed, by=person, at=clock.now(), settings=settings)
                blobs.tell_arrival(session, blob, at=clock.now())

        threads = [threading.Thread(target=one) for one in (finding, upload)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with real.transaction(HERE) as session:
        case = cases.find(session, session.scalars(select(Case.id)).one())
        assert len(session.scalars(select(CasePhoto)).all()) == 12, case.number
