"""Photos that look like an older one: a hint with both photos, never a verdict."""

import hashlib
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image, ImageEnhance
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from roadchief import blobs
from roadchief.accounts.models import Post
from roadchief.blobs import likeness
from roadchief.blobs.models import Likeness
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.demo import twinning
from roadchief.lib import photos
from roadchief.patrol.doubts import backfill, review, signals, twins, weighing
from roadchief.patrol.models import CheckIn
from roadchief.patrol.plan_models import Review
from tests import makers, pictures
from tests.cast import Cast, sign_in
from tests.conftest import make_settings
from tests.patrol.conftest import Beat, make_beat
from tests.patrol.phone import Phone, photo

HERE = 310115004
DAY = timedelta(days=1)


@pytest.fixture
def place(settings: Settings, tmp_path: Path) -> Settings:
    return make_settings(settings.database_url, tmp_path)


def scene(seed: int) -> bytes:
    return pictures.jpeg(seed=seed)


def taken_again(data: bytes) -> bytes:
    """The same picture off a screen: smaller, darker, another compression."""
    image = pictures.opened(data).resize((500, 375))
    return pictures.encoded(ImageEnhance.Brightness(image).enhance(0.85), "JPEG", quality=60)


def visit(
    beat: Beat, shop: int, data: bytes, place: Settings | None, *, days: int = 0, **more: Any
) -> uuid.UUID:
    """A visit so many days ago, with a photo that has come (or not, without `place`)."""
    at = beat.at - days * DAY
    phone = Phone(beat.person_id, at)
    source = more.get("source", "camera")
    item = phone.check_in(beat.shops[shop].id, given={"photos": [photo(data, source)]})
    beat.send(item, at=at)
    if place is not None:
        blobs.store(beat.session, data, by=beat.person_id, at=at, settings=place)
    return uuid.UUID(item["id"])


def hints(session: Session, visit_id: uuid.UUID) -> list[dict[str, Any]]:
    row = session.get(Review, (HERE, visit_id), populate_existing=True)
    return [one for one in row.signals if one["kind"] in twins.KINDS] if row else []


# The hash.


def test_what_scales_darkens_and_compresses_hardly_changes_it() -> None:
    for seed in range(4):
        one, other = photos.look(scene(seed)), photos.look(taken_again(scene(seed)))
        assert (one ^ other).bit_count() <= 3
        assert photos.develop(scene(seed)).likeness ^ one < 1 << 64
        assert (photos.develop(scene(seed)).likeness ^ one).bit_count() <= 1


def test_other_pictures_are_far_away() -> None:
    found = [photos.look(scene(seed)) for seed in range(12)]
    apart = [(one ^ other).bit_count() for n, one in enumerate(found) for other in found[:n]]
    assert min(apart) > 12


def test_plain_pictures_say_nothing() -> None:
    for colour in ("black", "white", "#888"):
        wall = pictures.encoded(Image.new("RGB", (640, 480), colour), "JPEG")
        assert not likeness.telling(photos.look(wall))
    assert likeness.telling(photos.look(scene(1)))


@given(some.integers(0, likeness.WHOLE), some.sets(some.integers(0, 63), max_size=7))
def test_whatever_is_seven_bits_away_shares_a_probe(bits: int, turned: set[int]) -> None:
    other = bits
    for one in turned:
        other ^= 1 << one
    ours, theirs = likeness.probes(bits), likeness.probes(other)
    assert any(their[0] in our for our, their in zip(ours, theirs, strict=True))


def test_signed_as_the_database_holds_it() -> None:
    assert likeness.signed(0) == 0
    assert likeness.signed((1 << 63) - 1) == (1 << 63) - 1
    assert likeness.signed(1 << 63) == -(1 << 63)
    assert likeness.signed(likeness.WHOLE) == -1


# The search.


def test_the_database_keeps_the_quarters_and_finds_the_near_ones(
    session: Session, place: Settings
) -> None:
    makers.make_subdistrict(session)
    base = 0xF00F_1234_8ABC_0FF1
    ids = []
    for number, bits in enumerate((base, base ^ 0b111, base ^ 0x8001_8001_8001_8001, ~base)):
        blob = blobs.store(session, scene(number), by=None, at=makers.NOON, settings=place)
        likeness.record(session, blob.id, bits & likeness.WHOLE)
        ids.append(blob.id)
    row = session.get_one(Likeness, (HERE, ids[0]), populate_existing=True)
    assert (row.band_1, row.band_2, row.band_3, row.band_4) == (0xF00F, 0x1234, 0x8ABC, 0x0FF1)
    assert likeness.near(session, ids[0], most=7) == [likeness.Alike(ids[1], 3)]
    assert likeness.near(session, ids[0], most=2) == []
    assert likeness.near(session, uuid.uuid4(), most=7) == []


# The hint.


def test_a_photo_of_another_shop_is_put_before_a_reviewer(beat: Beat, place: Settings) -> None:
    old = visit(beat, 0, scene(1), place, days=3)
    new = visit(beat, 1, taken_again(scene(1)), place)
    assert twins.compare(beat.session, new, at=beat.at) == 1
    (hint,) = hints(beat.session, new)
    assert (hint["kind"], hint["other"], hint["place"]) == (
        "near_photo",
        str(old),
        beat.shops[0].address,
    )
    assert signals.say(hint, "zh").startswith(
        "照片与 2026-10-30 崂山路527号 的到访几乎相同（64 位中差"
    )
    assert signals.needs_review([hint])
    # A hint: the visit stands as it was judged, and the older one is left alone.
    assert beat.session.get_one(CheckIn, (HERE, new)).outcome == "verified"
    assert twins.compare(beat.session, old, at=beat.at) == 0
    # Looked at again, nothing is told twice.
    assert twins.compare(beat.session, new, at=beat.at) == 0
    assert len(hints(beat.session, new)) == 1


def test_it_joins_a_review_that_waits_and_spares_what_was_decided(
    beat: Beat, place: Settings
) -> None:
    session = beat.session
    visit(beat, 0, scene(1), place, days=3)
    waiting = visit(beat, 1, taken_again(scene(1)), place)
    weighing.open_review(
        session,
        session.get_one(CheckIn, (HERE, waiting)),
        [signals.signal("fix_old")],
        sampled=False,
        at=beat.at,
    )
    assert twins.compare(session, waiting, at=beat.at) == 1
    row = session.get_one(Review, (HERE, waiting), populate_existing=True)
    assert [one["kind"] for one in row.signals] == ["fix_old", "near_photo"]
    other = makers.make_person(session)
    review.decide(session, waiting, "approved", by=other.id, at=beat.at, because=None)
    decided = visit(beat, 2, taken_again(scene(1)), place)
    weighing.open_review(
        session, session.get_one(CheckIn, (HERE, decided)), [], sampled=True, at=beat.at
    )
    review.decide(session, decided, "approved", by=other.id, at=beat.at, because=None)
    assert twins.compare(session, decided, at=beat.at) == 0


def test_the_same_shop_again_needs_more_likeness(beat: Beat, place: Settings) -> None:
    visit(beat, 0, scene(2), place, days=7)
    new = visit(beat, 0, taken_again(scene(2)), place)
    twins.compare(beat.session, new, at=beat.at)
    assert [hint["kind"] for hint in hints(beat.session, new)] == ["near_photo_own"]


def test_other_photos_scan_frames_and_later_visits_are_no_twins(
    beat: Beat, place: Settings
) -> None:
    visit(beat, 0, scene(1), place, days=3)
    frame = visit(beat, 1, taken_again(scene(1)), place, source="scan_frame")
    other = visit(beat, 1, scene(9), place)
    late = visit(beat, 2, scene(7), place, days=9)
    visit(beat, 0, taken_again(scene(7)), place, days=4)
    for one in (frame, other, late):
        twins.compare(beat.session, one, at=beat.at)
        assert not hints(beat.session, one)


def test_a_photo_that_comes_after_its_visit_is_compared_when_it_comes(
    beat: Beat, place: Settings
) -> None:
    visit(beat, 0, scene(1), place, days=3)
    data = taken_again(scene(1))
    new = visit(beat, 1, data, None)
    assert twins.compare(beat.session, new, at=beat.at) == 0
    blobs.store(beat.session, data, by=beat.person_id, at=beat.at, settings=place)
    sha256 = hashlib.sha256(data).hexdigest()
    assert twins.compare_photo(beat.session, sha256, at=beat.at) == 1
    assert twins.compare_photo(beat.session, "0" * 64, at=beat.at) == 0


def test_the_reviewer_sees_both_photos(
    client: FlaskClient, cast: Cast, database: Database, settings: Settings
) -> None:
    with database.transaction(HERE) as session:
        beat = make_beat(session)
        post = select(Post).where(Post.person_id == cast["chief_l2"].person.id)
        makers.make_assignment(session, session.scalars(post).one(), beat.segment)
        visit(beat, 0, scene(1), settings, days=3)
        new = visit(beat, 1, taken_again(scene(1)), settings)
        twins.compare(session, new, at=beat.at)
    sign_in(client, cast["chief_l2"])
    assert "几乎相同" in client.get("/chief/reviews").text
    page = client.get(f"/chief/reviews/{new}").text
    assert "看着几乎一样的照片" in page
    assert 'alt="这次"' in page
    assert 'alt="以前的到访"' in page
    assert "2026-10-30" in page


def test_old_photos_are_hashed_in_portions_and_a_broken_run_goes_on(
    real: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = make_settings("", tmp_path)
    monkeypatch.setattr(backfill, "PORTION", 2)
    with real.transaction(HERE) as session:
        beat = make_beat(session)
        for number in range(5):
            visit(beat, 0, scene(20 + number), here, days=number)
        blobs.store(session, scene(30), by=None, at=beat.at, settings=here)  # of no visit
        session.execute(delete(Likeness))
        assert backfill.left(session) == 5
    run = backfill.portions(real, HERE, settings=here)
    assert next(run) == backfill.Portion(2, 0)
    run.close()  # killed
    with real.transaction(HERE) as session:
        assert backfill.left(session) == 3
        gone = session.scalars(
            select(blobs.Blob).where(
                blobs.Blob.source_sha256 == hashlib.sha256(scene(24)).hexdigest()
            )
        ).one()
    blobs.path(gone, "thumb", here).unlink()
    rest = list(backfill.portions(real, HERE, settings=here))
    assert sum(one.hashed for one in rest) == 2
    assert sum(one.lacking for one in rest) == 1
    assert [one.hashed for one in backfill.portions(real, HERE, settings=here, most=1)] == [0]


def test_the_demo_shows_one(session: Session, place: Settings) -> None:
    beat = make_beat(session)
    assert twinning.show_twins(session, now=beat.at, settings=place) == 0  # nobody walked yet
    visit(beat, 0, scene(1), None, days=1)
    assert twinning.show_twins(session, now=beat.at, settings=place) == 1


def test_an_older_visit_that_arrives_late_tells_of_the_younger_one(
    beat: Beat, place: Settings
) -> None:
    young = visit(beat, 1, taken_again(scene(1)), place)
    assert twins.compare(beat.session, young, at=beat.at) == 0
    old = visit(beat, 0, scene(1), place, days=3)
    assert twins.compare(beat.session, old, at=beat.at) == 1
    assert not hints(beat.session, old)
    (hint,) = hints(beat.session, young)
    assert hint["other"] == str(old)
    assert twins.compare(beat.session, old, at=beat.at) == 0
