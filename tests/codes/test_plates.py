"""Plates: every act of their life, mounting by distance, one live plate a storefront, races."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import shapely
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from roadchief import blobs
from roadchief.codes import batches, mounting, plates, sealing, tokens
from roadchief.codes.lifecycle import ACTS, ANSWERS, ON_THE_WALL, STATES, acts_from, judge_place
from roadchief.codes.lifecycle import Tolerance as Within
from roadchief.codes.models import CodeDirectory, Plate, PlateEvent
from roadchief.codes.plates import Minted, Position, Target
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.streets.models import Storefront
from tests import makers, pictures
from tests.conftest import WEIFANG, YANGJING, make_settings
from tests.races import at_once

AT = makers.NOON + timedelta(hours=1)
SITE = tokens.site("https://lz.gov.cn")
DOOR = shapely.Point(121.5187, 31.2291)
METRE = 1 / 95_000  # of longitude, at this latitude


def mint_one(session: Session, **target: object) -> Minted:
    made = plates.mint(
        session,
        [Target(**target)],
        where=SITE,
        batch_id=None,
        by=None,
        at=AT,  # type: ignore[arg-type]
    )
    return made[0]


def a_photo(session: Session, settings: Settings, seed: int = 0) -> uuid.UUID:
    data = pictures.jpeg(seed=seed)
    return blobs.store(session, data, by=None, at=AT, settings=settings).id


@pytest.fixture
def shop(session: Session) -> Storefront:
    makers.make_subdistrict(session)
    return makers.make_storefront(session)


def test_every_state_can_be_reached_and_left_only_by_the_table() -> None:
    reached = {"generated"} | {act.leads for act in ACTS.values()}
    assert reached == set(STATES)
    assert acts_from("replaced") == []
    assert acts_from("retired") == []
    assert acts_from("active") == ["suspend", "report_damaged", "report_lost", "replace", "retire"]
    assert ANSWERS < ON_THE_WALL


@pytest.mark.parametrize(
    ("distance_m", "accuracy_m", "inside", "why"),
    [
        (0, 5, True, "inside"),
        (35, 5, True, "inside"),
        (35.1, 5, False, "far"),
        (89, 60, True, "inside"),
        (10, 61, False, "vague"),
        (None, 5, False, "no_position"),
        (10, None, False, "no_position"),
        (10, -1, False, "no_position"),
    ],
)
def test_a_mounted_plate_is_judged_by_its_distance(
    distance_m: float | None, accuracy_m: float | None, inside: bool, why: str
) -> None:
    verdict = judge_place(distance_m, accuracy_m, Within(30, 60))
    assert (verdict.inside, verdict.why) == (inside, why)


def test_minted_plates_have_numbers_in_turn_and_only_hashes_are_kept(
    session: Session, shop: Storefront
) -> None:
    first = plates.mint(
        session, [Target(), Target(shop.id)], where=SITE, batch_id=None, by=None, at=AT
    )
    second = mint_one(session)
    assert [one.number for one in (*first, second)] == ["WF-000001", "WF-000002", "WF-000003"]
    kept = session.scalars(select(CodeDirectory.token_hash)).all()
    assert {tokens.digest(one.token) for one in (*first, second)} == set(kept)
    for table in ("plate", "code_directory", "plate_event", "event", "print_batch"):
        dumped = session.execute(text(f"SELECT string_agg(t::text, '') FROM {table} t")).scalar()
        assert second.token not in (dumped or "")


def test_two_sub_districts_with_one_short_name_get_different_numbers(
    session: Session, database: Database, shop: Storefront
) -> None:
    ours = mint_one(session).number
    with database.transaction(YANGJING) as other:
        makers.make_subdistrict(other, YANGJING, short_name="WF")
        theirs = mint_one(other).number
    assert ours == "WF-000001"
    assert theirs == "WF013-000001"


def test_the_directory_and_the_life_cannot_be_rewritten(session: Session, shop: Storefront) -> None:
    mint_one(session, storefront_id=shop.id)
    for act in (
        "UPDATE plate_event SET because = 'x'",
        "DELETE FROM plate_event",
        "UPDATE code_directory SET number = 'x'",
        "DELETE FROM code_directory",
    ):
        with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
            session.execute(text(act))


def test_an_act_needs_its_state_and_its_reason(session: Session, shop: Storefront) -> None:
    plate = plates.find(session, mint_one(session, storefront_id=shop.id).plate_id)
    with pytest.raises(plates.ReasonNeeded):
        plates.move(session, plate, "retire", by=None, at=AT)
    with pytest.raises(plates.NotFromHere) as refused:
        plates.move(session, plate, "resume", by=None, at=AT, because="x")
    assert "已生成" in refused.value.say("zh")
    plates.move(session, plate, "retire", by=None, at=AT, because="印坏了")
    assert plate.state == "retired"
    session.flush()
    steps = session.scalars(
        select(PlateEvent.act).where(PlateEvent.plate_id == plate.id).order_by(PlateEvent.id)
    )
    assert list(steps) == ["mint", "retire"]


def mount(
    session: Session, settings: Settings, plate: Plate, shop: Storefront, **given: object
) -> str:
    values: dict[str, object] = {
        "to": shop,
        "position": Position(DOOR, 8.0),
        "photo_id": a_photo(session, settings),
        "by": makers.make_person(session).id,
        "at": AT,
    }
    return mounting.mount(session, plate, **(values | given))  # type: ignore[arg-type]


def test_a_plate_is_active_once_mounted_at_its_door(
    session: Session, settings: Settings, shop: Storefront
) -> None:
    plate = plates.find(session, mint_one(session, storefront_id=shop.id).plate_id)
    assert mount(session, settings, plate, shop) == "active"
    assert plate.mounted_accuracy_m == 8.0
    assert plate.photo_id is not None
    bound = session.scalars(select(PlateEvent).where(PlateEvent.act == "bind")).one()
    assert bound.distance_m == pytest.approx(0, abs=10)
    assert bound.photo_id == plate.photo_id


def test_mounting_needs_a_photo_and_far_from_the_door_a_reason(
    session: Session, settings: Settings, shop: Storefront
) -> None:
    plate = plates.find(session, mint_one(session, storefront_id=shop.id).plate_id)
    far = Position(shapely.Point(DOOR.x + 200 * METRE, DOOR.y), 8.0)
    with pytest.raises(mounting.PhotoNeeded):
        mount(session, settings, plate, shop, photo_id=None)
    with pytest.raises(mounting.TooFar) as refused:
        mount(session, settings, plate, shop, position=far)
    assert "201 m" in refused.value.say("zh")
    with pytest.raises(mounting.TooFar, match="no position"):
        mount(session, settings, plate, shop, position=None)
    assert plate.state == "generated"
    assert mount(session, settings, plate, shop, position=far, because="定位漂移") == "bound"
    plates.move(session, plate, "confirm", by=None, at=AT)
    assert plate.state == "active"


def test_a_printed_plate_hangs_only_where_its_print_says(
    session: Session, settings: Settings, shop: Storefront
) -> None:
    other = makers.make_storefront(session, house_number="529号")
    plate = plates.find(session, mint_one(session, storefront_id=shop.id).plate_id)
    with pytest.raises(mounting.OtherPlace) as refused:
        mount(session, settings, plate, other)
    assert "崂山路527号" in refused.value.say("zh")
    blank = plates.find(session, mint_one(session).plate_id)
    assert mount(session, settings, blank, other) == "active"
    assert blank.storefront_id == other.id


def test_the_new_plate_replaces_the_old_one_for_ever(
    session: Session, settings: Settings, shop: Storefront
) -> None:
    old = plates.find(session, mint_one(session, storefront_id=shop.id).plate_id)
    mount(session, settings, old, shop)
    plates.move(session, old, "report_damaged", by=None, at=AT, because="开裂")
    new = plates.find(session, mint_one(session, storefront_id=shop.id).plate_id)
    mount(session, settings, new, shop)
    session.refresh(old)
    assert (old.state, new.state) == ("replaced", "active")
    with pytest.raises(plates.NotFromHere):
        plates.move(session, old, "resume", by=None, at=AT, because="又找到了")


def test_the_database_itself_allows_one_live_plate_a_storefront(
    session: Session, settings: Settings, shop: Storefront
) -> None:
    one = mint_one(session, storefront_id=shop.id)
    two = mint_one(session, storefront_id=shop.id)
    mount(session, settings, plates.find(session, one.plate_id), shop)
    with pytest.raises(DBAPIError, match="uq_plate_live_storefront"), session.begin_nested():
        session.execute(
            text("UPDATE plate SET state = 'active' WHERE id = :id"), {"id": two.plate_id}
        )


def test_a_batch_seals_its_tokens_until_it_is_delivered(
    session: Session, settings: Settings, shop: Storefront
) -> None:
    batch, minted = batches.order(
        session,
        batches.storefronts_without(session).targets,
        title="崂山路",
        layout="plate",
        sheet=None,
        where=SITE,
        settings=settings,
        by=None,
        at=AT,
    )
    sealed = sealing.unseal(settings, WEIFANG, batch.id)
    assert [one.token for one in sealed] == [one.token for one in minted]
    raw = (sealing.folder(settings, WEIFANG, batch.id) / "tokens.sealed").read_bytes()
    assert minted[0].token.encode() not in raw
    again = batches.storefronts_without(session)
    assert (len(again.targets), again.passed_over) == (0, 1)
    with pytest.raises(batches.NothingToMint):
        batches.order(
            session,
            again.targets,
            title="",
            layout="plate",
            sheet=None,
            where=SITE,
            settings=settings,
            by=None,
            at=AT,
        )
    sealing.destroy(settings, WEIFANG, batch.id)
    with pytest.raises(sealing.NoLongerSealed):
        sealing.unseal(settings, WEIFANG, batch.id)


# Races, on real connections.


@pytest.mark.parametrize("blank", [True, False])
def test_two_who_mount_at_once_get_one_live_plate(
    real: Database, tmp_path: Path, blank: bool
) -> None:
    """Two plates for one shop, and one plate bound by two people: one wins, the other is told."""
    database, settings = real, make_settings("", tmp_path)
    with database.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
        shop = makers.make_storefront(session)
        person = makers.make_person(session).id
        photo = a_photo(session, settings)
        target = {} if blank else {"storefront_id": shop.id}
        two = [mint_one(session, **target).plate_id for _ in range(2)]

    def mounting_of(plate_id: uuid.UUID) -> Callable[[Session], object]:
        return lambda session: mounting.mount(
            session,
            plates.find(session, plate_id),
            to=session.get_one(Storefront, (WEIFANG, shop.id)),
            position=Position(DOOR, 8.0),
            photo_id=photo,
            by=person,
            at=AT,
        )

    ends = at_once(database, *(mounting_of(plate_id) for plate_id in (two[0], two[0])))
    assert ends.count("done") == 1
    ends = at_once(database, *(mounting_of(plate_id) for plate_id in (two[1], two[1], two[0])))
    assert ends.count("done") == 1
    with database.transaction(WEIFANG) as session:
        live = session.scalar(
            select(func.count()).select_from(Plate).where(Plate.state.in_(ON_THE_WALL))
        )
        assert live == 1


def test_two_offices_that_mint_at_once_do_not_mint_twice(real: Database, tmp_path: Path) -> None:
    database, settings = real, make_settings("", tmp_path)
    with database.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
        segment = makers.make_segment(session)
        for number in range(5):
            makers.make_storefront(session, segment, house_number=f"{number}号")

    def order(session: Session) -> None:
        batches.order(
            session,
            batches.storefronts_without(session).targets,
            title="路",
            layout="plate",
            sheet=None,
            where=SITE,
            settings=settings,
            by=None,
            at=AT,
        )

    assert at_once(database, order, order) == ["NothingToMint", "done"]
    with database.transaction(WEIFANG) as session:
        assert session.scalar(select(func.count()).select_from(Plate)) == 5
