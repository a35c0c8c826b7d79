"""Photos by content: one row and one file, whoever sends them and however often."""

import errno
import hashlib
import os
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief import blobs, doctor
from roadchief.blobs import Blob, jobs
from roadchief.blobs.finding import shelf
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.errors import BadInput, NotFound, Refusal, status_of
from roadchief.events import Event
from roadchief.lib.photos import Box
from tests import makers, pictures
from tests.conftest import WEIFANG, YANGJING, make_settings
from tests.makers import NOON

WHO = uuid.UUID("01900000-0000-7000-8000-000000000007")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def place(settings: Settings, tmp_path: Path) -> Settings:
    return make_settings(settings.database_url, tmp_path)


def files(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.var_dir.rglob("*") if path.is_file())


def kept(session: Session, data: bytes, settings: Settings) -> Blob:
    return blobs.store(session, data, by=WHO, at=NOON, settings=settings)


def test_a_photo_is_kept_with_what_the_camera_said(session: Session, place: Settings) -> None:
    exif = pictures.exif(taken="2026:11:02 11:58:00", gps=True)
    data = pictures.jpeg(800, 600, exif=exif)
    row = kept(session, data, place)
    assert (row.width_px, row.height_px, row.source_format) == (800, 600, "JPEG")
    assert row.taken_at == NOON - timedelta(minutes=2)
    assert row.taken_place is not None
    assert row.taken_place.x == pytest.approx(121.5187, abs=1e-4)
    file = blobs.path(row, "full", place)
    assert sha256(file.read_bytes()) == row.sha256
    assert file.parts[-3:-1] == (str(WEIFANG), row.sha256[:2])
    assert files(place) == sorted(
        [f"{row.sha256}.jpg", f"{row.sha256}-screen.jpg", f"{row.sha256}-thumb.jpg"]
    )
    assert sha256(data) == row.source_sha256
    assert data not in file.read_bytes()


def test_where_a_citizens_camera_was_is_not_kept(session: Session, place: Settings) -> None:
    data = pictures.jpeg(exif=pictures.exif(gps=True))
    assert blobs.store(session, data, by=None, at=NOON, settings=place).taken_place is None


def test_sent_again_it_is_the_same_photo(session: Session, place: Settings) -> None:
    data = pictures.jpeg()
    first, again = kept(session, data, place), kept(session, data, place)
    assert first.id == again.id
    assert len(files(place)) == 3
    names = session.scalars(select(Event.name).where(Event.subject_id == first.id)).all()
    assert names == ["photo.kept"]


def test_what_is_known_is_not_opened_again(
    session: Session, place: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pictures.jpeg()
    kept(session, data, place)
    monkeypatch.setattr("roadchief.lib.photos.develop", lambda *_: pytest.fail("opened again"))
    kept(session, data, place)
    assert blobs.find(session, sha256(data)) is not None
    assert blobs.find(session, sha256(b"other")) is None


def test_two_files_of_one_picture_share_it(session: Session, place: Settings) -> None:
    data = pictures.jpeg()
    one, two = kept(session, data, place), kept(session, data + b"trailer", place)
    assert one.id != two.id
    assert one.sha256 == two.sha256
    assert len(files(place)) == 3


def test_a_lost_file_is_mended_by_sending_again(session: Session, place: Settings) -> None:
    data = pictures.jpeg()
    row = kept(session, data, place)
    blobs.path(row, "full", place).unlink()
    assert jobs.missing(session, settings=place) == [row.sha256]
    mended = blobs.receive(session, sha256(data), data, by=WHO, at=NOON, settings=place)
    assert mended.blob.id == row.id
    assert blobs.path(row, "full", place).exists()
    assert jobs.missing(session, settings=place) == []


@pytest.mark.parametrize(
    ("data", "reason", "zh"),
    [
        (b"", "empty", "空的"),
        (b"<svg/>", "unknown_format", "SVG"),
        (pictures.pixel_flood(), "too_many_pixels", "像素过大"),
        (pictures.moving("PNG"), "animated", "动图"),
        (pictures.jpeg()[:400], "broken", "损坏"),
    ],
)
def test_a_bad_photo_is_refused_with_its_reason(
    session: Session, place: Settings, data: bytes, reason: str, zh: str
) -> None:
    with pytest.raises(blobs.BadPhoto) as caught:
        kept(session, data, place)
    assert caught.value.facts["reason"] == reason
    assert zh in caught.value.say("zh")
    assert "photo" in caught.value.say("en")
    assert status_of(caught.value) == 422
    assert files(place) == []
    assert session.scalar(select(func.count()).select_from(Blob)) == 0


def test_a_heavy_photo_is_refused_before_it_is_opened(session: Session, place: Settings) -> None:
    heavy = b"\xff\xd8\xff" + b"\0" * place.photo_limit_bytes
    for refused in (
        lambda: kept(session, heavy, place),
        lambda: blobs.receive(session, sha256(heavy), heavy, by=WHO, at=NOON, settings=place),
    ):
        with pytest.raises(blobs.PhotoTooHeavy) as caught:
            refused()
        assert status_of(caught.value) == 413
        assert "12 MB" in caught.value.say("zh")


def test_bytes_at_the_address_of_their_hash(session: Session, place: Settings) -> None:
    data = pictures.jpeg()
    first = blobs.receive(session, sha256(data), data, by=WHO, at=NOON, settings=place)
    again = blobs.receive(session, sha256(data), data, by=WHO, at=NOON, settings=place)
    assert (first.fresh, again.fresh) == (True, False)
    assert first.blob.id == again.blob.id


def test_a_photo_cut_on_the_way_leaves_nothing(session: Session, place: Settings) -> None:
    data = pictures.jpeg()
    with pytest.raises(blobs.HashMismatch) as caught:
        blobs.receive(
            session, sha256(data), data[: len(data) // 2], by=WHO, at=NOON, settings=place
        )
    assert status_of(caught.value) == 422
    assert files(place) == []
    assert blobs.receive(session, sha256(data), data, by=WHO, at=NOON, settings=place).fresh


@pytest.mark.parametrize("address", ["", "xyz", "A" * 64, "a" * 63, "../../etc/passwd", "a\0" * 32])
def test_an_odd_address(session: Session, place: Settings, address: str) -> None:
    with pytest.raises(blobs.NotAddress) as caught:
        blobs.receive(session, address, b"x", by=WHO, at=NOON, settings=place)
    assert status_of(caught.value) == 400


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_full_disk_is_said_and_nothing_is_acknowledged(
    session: Session, place: Settings, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(_number: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(blobs.NoRoom) as caught:
            kept(session, pictures.jpeg(), place)
    assert status_of(caught.value) == 503
    assert errno.errorcode[number] in caught.value.say("zh")
    assert files(place) == []
    assert session.scalar(select(func.count()).select_from(Blob)) == 0
    assert kept(session, pictures.jpeg(), place).width_px == 640


def test_a_persons_day_has_a_limit(session: Session, settings: Settings, tmp_path: Path) -> None:
    data, other = pictures.jpeg(seed=1), pictures.jpeg(seed=2)
    place = Settings(
        **{**make_settings(settings.database_url, tmp_path).__dict__}
        | {"photo_day_quota_bytes": len(data) + 10}
    )
    kept(session, data, place)
    with pytest.raises(blobs.DayQuotaSpent) as caught:
        kept(session, other, place)
    assert status_of(caught.value) == 429
    kept(session, data, place)  # known bytes cost nothing
    blobs.store(session, other, by=None, at=NOON, settings=place)
    assert len(session.scalars(select(Blob)).all()) == 2
    third = pictures.jpeg(seed=3)
    blobs.store(session, third, by=WHO, at=NOON + timedelta(days=1, hours=1), settings=place)


def test_a_blurred_copy_leaves_the_photo_as_it_is(session: Session, place: Settings) -> None:
    row = kept(session, pictures.jpeg(1600, 1200), place)
    before = blobs.path(row, "full", place).read_bytes()
    boxes = [Box(0.2, 0.2, 0.3, 0.3)]
    copy = blobs.blurred(session, row, boxes, by=WHO, at=NOON, settings=place)
    again = blobs.blurred(session, row, boxes, by=WHO, at=NOON, settings=place)
    assert copy.id == again.id != row.id
    assert copy.derived_from == row.id
    assert blobs.path(row, "full", place).read_bytes() == before
    assert blobs.path(copy, "full", place).read_bytes() != before
    assert (copy.width_px, copy.height_px) == (1600, 1200)
    for odd in ([], [Box(0, 0, 0, 0)], [Box(0.1, 0.1, float("nan"), 1)], boxes * 51):
        with pytest.raises(BadInput):
            blobs.blurred(session, row, odd, by=WHO, at=NOON, settings=place)


def test_an_erased_photo_is_gone_for_everybody(session: Session, place: Settings) -> None:
    data = pictures.jpeg()
    row = kept(session, data, place)
    blobs.erase(session, row, by=WHO, at=NOON, because="期满")
    session.flush()
    assert blobs.find(session, row.source_sha256) is None
    with pytest.raises(NotFound):
        blobs.get(session, row.id)
    later = time.time() + 3600
    assert len(jobs.sweep(session, before=later, settings=place)) == 3
    assert jobs.missing(session, settings=place) == []
    assert kept(session, data, place).id == row.id
    assert blobs.get(session, row.id).state == "kept"
    assert len(files(place)) == 3


def test_the_sweep_leaves_what_is_wanted_or_young(session: Session, place: Settings) -> None:
    row = kept(session, pictures.jpeg(), place)
    shelf(WEIFANG, place).put({"0" * 64 + ".jpg": b"nobody's"})
    assert jobs.sweep(session, before=time.time() - 60, settings=place) == []
    assert jobs.sweep(session, before=time.time() + 60, settings=place) == ["0" * 64 + ".jpg"]
    assert blobs.path(row, "thumb", place).exists()


def test_the_nightly_job_sweeps_every_sub_district(
    database: Database, place: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from roadchief import jobs as queue

    with database.transaction(None) as session:
        makers.make_subdistrict(session)
        makers.make_subdistrict(session, YANGJING)
    for code in (WEIFANG, YANGJING):
        shelf(code, place).put({"0" * 64 + ".jpg": b"x"})
        os.utime(shelf(code, place).path("0" * 64 + ".jpg"), (1, 1))
    monkeypatch.setattr(queue, "_surroundings", [queue.Surroundings(database, place)])
    jobs.sweep_all(timestamp=0)
    assert files(place) == []


def test_another_sub_district_does_not_have_it(database: Database, place: Settings) -> None:
    data = pictures.jpeg()
    with database.transaction(WEIFANG) as session:
        row = kept(session, data, place)
    with database.transaction(YANGJING) as session:
        assert blobs.find(session, sha256(data)) is None
        with pytest.raises(NotFound):
            blobs.get(session, row.id)
        assert kept(session, data, place).id != row.id


@pytest.fixture
def real(fresh_url: str, tmp_path: Path) -> Iterator[tuple[Database, Settings]]:
    settings = make_settings(fresh_url, tmp_path)
    database = Database(settings)
    yield database, settings
    database.engine.dispose()


def test_two_uploads_at_once_are_one_photo(real: tuple[Database, Settings]) -> None:
    """Both have developed it and neither sees the other's row: the unique key decides."""
    database, settings = real
    developed = blobs.develop(pictures.jpeg(), settings=settings)
    start, ends = threading.Barrier(6), list[uuid.UUID | str]()

    def send() -> None:
        try:
            with database.transaction(WEIFANG) as session:
                session.connection()
                start.wait()
                row = blobs.keep(session, developed, by=WHO, at=NOON, settings=settings)
                time.sleep(0.05)  # keep the row uncommitted while the others arrive
                ends.append(row.id)
        except Refusal as refusal:
            ends.append(refusal.code)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ends) == 6
    assert len(set(ends)) == 1
    with database.transaction(WEIFANG) as session:
        assert session.scalar(select(func.count()).select_from(Blob)) == 1
        assert session.scalar(select(func.count()).select_from(Event)) == 1
    assert len(files(settings)) == 3


def test_who_loses_the_race_to_a_rollback_still_keeps(real: tuple[Database, Settings]) -> None:
    database, settings = real
    developed = blobs.develop(pictures.jpeg(), settings=settings)
    written, ended = threading.Event(), []

    def fails() -> None:
        try:
            with database.transaction(WEIFANG) as session:
                blobs.keep(session, developed, by=WHO, at=NOON, settings=settings)
                written.set()
                time.sleep(0.2)
                raise RuntimeError
        except RuntimeError:
            ended.append("failed")

    thread = threading.Thread(target=fails)
    thread.start()
    written.wait()
    with database.transaction(WEIFANG) as session:
        blobs.keep(session, developed, by=WHO, at=NOON, settings=settings)
    thread.join()
    with database.transaction(WEIFANG) as session:
        row = session.scalars(select(Blob)).one()
        assert blobs.path(row, "full", settings).exists()
    assert ended == ["failed"]


def test_the_doctor_names_photos_without_files(real: tuple[Database, Settings]) -> None:
    database, settings = real
    with database.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
        row = blobs.store(session, pictures.jpeg(), by=None, at=NOON, settings=settings)
    assert doctor.look_at_photos(settings).fine
    blobs.path(row, "full", settings).unlink()
    finding = doctor.look_at_photos(settings)
    assert (finding.fine, finding.seen[:2]) == (False, "1 ")
