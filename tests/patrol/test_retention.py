"""What is personal in old visits goes in time, and nothing else does."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from roadchief import blobs
from roadchief.blobs.models import Blob
from roadchief.config import Settings
from roadchief.db import Database, savepoint
from roadchief.issues import cases
from roadchief.lib import clock
from roadchief.patrol import retention
from roadchief.patrol.models import CheckIn, PatrolItem
from tests import pictures
from tests.conftest import WEIFANG, make_settings
from tests.issues import ground
from tests.patrol.conftest import Beat, make_beat
from tests.patrol.phone import bad, photo

DAY = timedelta(days=1)
NOW = clock.now()  # the database itself guards the last year, by its own clock


@pytest.fixture
def place(settings: Settings, tmp_path: Path) -> Settings:
    return make_settings(settings.database_url, tmp_path)


def beat_of(session: Session, *, days: int) -> Beat:
    return make_beat(session, at=NOW - days * DAY)


def visit(beat: Beat, shop: int = 0, **said: Any) -> uuid.UUID:
    item = beat.phone.check_in(beat.shops[shop].id, **said)
    beat.send(item)
    return uuid.UUID(item["id"])


def shown(beat: Beat, data: bytes, place: Settings, **said: Any) -> Blob:
    """A visit with a photo that has come."""
    visit(beat, given={"photos": [photo(data)]}, **said)
    return blobs.store(beat.session, data, by=beat.person_id, at=beat.at, settings=place)


def test_after_two_years_nobody_knows_where_somebody_stood(session: Session) -> None:
    beat = beat_of(session, days=731)
    old = visit(beat)
    finding = beat.phone.item(
        "finding", {"storefront_id": str(beat.shops[1].id), "item": "WS01", "fix": {"lon": 1}}
    )
    beat.send(finding)
    before = session.get_one(CheckIn, (beat.shift.subdistrict_id, old))
    assert before.place is not None
    outcome, distance_m = before.outcome, before.distance_m
    assert retention.due(session, at=NOW - 2 * DAY).places == 0
    assert retention.due(session, at=NOW).places == 2
    assert retention.forget_places(session, at=NOW) == 2
    session.expire_all()
    after = session.get_one(CheckIn, (beat.shift.subdistrict_id, old))
    assert (after.place, after.fix) == (None, None)
    assert (after.outcome, after.distance_m) == (outcome, distance_m)
    bodies = session.scalars(select(PatrolItem.body)).all()
    assert bodies
    assert not any("fix" in (body or {}) for body in bodies)
    assert retention.forget_places(session, at=NOW) == 0


def test_the_database_keeps_the_places_of_the_last_year_and_of_others(session: Session) -> None:
    beat = beat_of(session, days=300)
    assert visit(beat)
    here = beat.shift.subdistrict_id
    for tenant, days in ((here, 360), (here + 1, 800)):
        values = {"tenant": tenant, "before": NOW - days * DAY}
        with pytest.raises(DBAPIError, match=r"last year|another sub-district"), savepoint(session):
            session.execute(text("SELECT forget_places(:tenant, :before, 10)"), values)
    with pytest.raises(DBAPIError, match="permission denied"), savepoint(session):
        session.execute(text("UPDATE check_in SET place = NULL"))


def test_photos_go_after_a_year_and_those_that_prove_something_after_three(
    session: Session, place: Settings
) -> None:
    beat = beat_of(session, days=366)
    plain = shown(beat, pictures.jpeg(seed=1), place)
    proof = shown(beat, pictures.jpeg(seed=2), place, shop=1, checklist=bad("WS01"))
    assert retention.old_photos(session, at=NOW - 2 * DAY) == []
    assert retention.old_photos(session, at=NOW) == [plain.id]
    assert retention.old_photos(session, at=NOW + (1095 - 365) * DAY) == [plain.id, proof.id]
    assert retention.forget_photos(session, [plain.id], at=NOW) == 1
    session.flush()
    assert (plain.state, proof.state) == ("erased", "kept")
    assert retention.old_photos(session, at=NOW) == []


def test_a_photo_that_something_else_shows_stays(session: Session, place: Settings) -> None:
    beat = beat_of(session, days=400)
    again = pictures.jpeg(seed=3)
    shown(beat, again, place)
    beat.phone.at = NOW - 10 * DAY
    item = beat.phone.check_in(beat.shops[2].id, given={"photos": [photo(again)]})
    beat.send(item, at=NOW - 10 * DAY)
    assert retention.old_photos(session, at=NOW) == []
    cased = shown(beat, pictures.jpeg(seed=4), place, shop=1)
    assert retention.old_photos(session, at=NOW) == [cased.id]
    case = ground.file_case(session, ground.build(session))
    cases.add_photos(session, case, (cased.id,), part="patrol", at=NOW)
    assert retention.old_photos(session, at=NOW) == []
    assert retention.forget_photos(session, [cased.id], at=NOW) == 0


def test_all_of_it_goes_portion_by_portion(
    database: Database, place: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    with database.transaction(WEIFANG) as session:
        beat = beat_of(session, days=800)
        for shop in range(3):
            data = pictures.jpeg(seed=10 + shop, exif=pictures.exif(gps=True))
            assert shown(beat, data, place, shop=shop).taken_place
    told: list[tuple[int, int]] = []

    def tell(done: retention.Forgotten) -> None:
        told.append((done.places, done.photos))

    with database.transaction(WEIFANG) as session:
        assert retention.due(session, at=NOW) == retention.Forgotten(3, 3)
    assert retention.forget(database, WEIFANG, at=NOW, tell=tell) == retention.Forgotten(3, 3)
    assert told == [(2, 0), (3, 0), (3, 2), (3, 3)]
    assert retention.forget(database, WEIFANG, at=NOW) == retention.Forgotten(0, 0)
    with database.transaction(WEIFANG) as session:
        assert set(session.scalars(select(Blob.taken_place))) == {None}
