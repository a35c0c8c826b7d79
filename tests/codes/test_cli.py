"""Plates on the command line: a foreign file is checked against what the database knows."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from roadchief import jobs as queue
from roadchief.cli import main
from roadchief.codes import batches, cli, counting, jobs, plates, printing, sealing, tokens
from roadchief.codes.artwork import PlateFace
from roadchief.codes.plates import Target
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.lib import clock
from tests import makers
from tests.conftest import WEIFANG, make_settings

URL = "https://lz.gov.cn"
SITE = tokens.site(URL)


@pytest.fixture
def minted(
    fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[plates.Minted]]:
    database = Database(make_settings(fresh_url, tmp_path))
    with database.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
        made = plates.mint(
            session, [Target()] * 3, where=SITE, batch_id=None, by=None, at=makers.NOON
        )
    monkeypatch.setenv("ROADCHIEF_DATABASE_URL", fresh_url)
    monkeypatch.setenv("ROADCHIEF_PUBLIC_URL", URL)
    monkeypatch.setenv("ROADCHIEF_VAR_DIR", str(tmp_path))
    yield made
    database.engine.dispose()


def face(text: str, number: str) -> PlateFace:
    return PlateFace(
        text=text,
        number=number,
        title="",
        road="崂山路",
        house_number="527号",
        human_number="",
        block=None,
        host=SITE.host,
        phone="021-12345",
    )


def printed(out: Path, *faces: PlateFace) -> Path:
    printing.make_pdf(list(faces), "plate", None, out, workers=1)
    return out


def check(path: Path, *more: str) -> tuple[int, str]:
    answer = CliRunner().invoke(main, ["codes", "check-print", str(path), *more])
    return answer.exit_code, answer.output


def test_our_own_print_is_good(minted: list[plates.Minted], tmp_path: Path) -> None:
    faces = [face(tokens.plate_text(SITE, one.token), one.number) for one in minted]
    assert check(printed(tmp_path / "a.pdf", *faces))[0] == 0


def test_a_swapped_symbol_is_found_in_any_file(minted: list[plates.Minted], tmp_path: Path) -> None:
    one, two, three = minted
    faces = [
        face(tokens.plate_text(SITE, two.token), one.number),
        face(tokens.plate_text(SITE, one.token), two.number),
        face(tokens.plate_text(SITE, three.token), three.number),
    ]
    code, said = check(printed(tmp_path / "a.pdf", *faces))
    assert code == 1
    assert f"第 1 页：此处应是 {two.number}" in said
    assert f"第 2 页：此处应是 {one.number}" in said
    assert "第 3 页" not in said


def test_a_forged_or_foreign_symbol_is_found(minted: list[plates.Minted], tmp_path: Path) -> None:
    forged = face(tokens.plate_text(SITE, tokens.mint()), minted[0].number)
    foreign = face(f"HTTPS://EVIL.CN/C/{minted[0].token}", minted[0].number)
    path = printed(tmp_path / "a.pdf", forged, foreign)
    code, said = check(path)
    assert code == 1
    assert "不是本系统生成的码" in said
    assert "不是 lz.gov.cn 的码" in said
    assert check(path, "--unknown")[0] == 0


def test_a_file_that_is_no_pdf_is_refused_in_one_line(
    minted: list[plates.Minted], tmp_path: Path
) -> None:
    odd = tmp_path / "odd.pdf"
    odd.write_bytes(b"%PDF-1.7 not really")
    code, said = check(odd)
    assert code == 2
    assert "Traceback" not in said


@pytest.fixture
def ordered(minted: list[plates.Minted]) -> tuple[Database, Settings, uuid.UUID]:
    database, settings = cli._surroundings()
    with database.transaction(WEIFANG) as session:
        batch, _ = batches.order(
            session,
            [Target()] * 3,
            title="空白",
            layout="plate",
            sheet=None,
            where=SITE,
            settings=settings,
            by=None,
            at=clock.now(),
        )
    return database, settings, batch.id


def state(database: Database, batch_id: uuid.UUID) -> str:
    with database.transaction(WEIFANG) as session:
        return batches.find(session, batch_id).state


def test_a_print_that_is_broken_off_goes_on_and_is_made_once(
    ordered: tuple[Database, Settings, uuid.UUID],
) -> None:
    database, settings, batch_id = ordered

    def broken_off(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(printing.PrintInterrupted):
        jobs.run(database, settings, WEIFANG, batch_id, tell=broken_off)
    assert state(database, batch_id) == "stopped"
    made = jobs.run(database, settings, WEIFANG, batch_id)
    assert state(database, batch_id) == "ready"
    before = made.stat().st_mtime_ns
    assert jobs.run(database, settings, WEIFANG, batch_id).stat().st_mtime_ns == before
    database.engine.dispose()


@pytest.mark.parametrize("sheet", [None, "svg"])
def test_command_and_worker_do_not_print_one_batch_at_once(
    ordered: tuple[Database, Settings, uuid.UUID], sheet: str | None
) -> None:
    database, settings, batch_id = ordered
    with database.transaction(WEIFANG) as session:
        batches.find(session, batch_id).sheet = sheet
    out = sealing.folder(settings, WEIFANG, batch_id) / jobs.file_name(sheet)
    queue.provide(database, settings)
    with printing.parts_of(out):
        jobs.print_batch(subdistrict_id=WEIFANG, batch_id=str(batch_id))
        assert state(database, batch_id) == "running"
        assert not out.exists()
    jobs.print_batch(subdistrict_id=WEIFANG, batch_id=str(batch_id))
    assert state(database, batch_id) == "ready"
    queue._surroundings.clear()
    database.engine.dispose()


def test_a_batch_whose_job_was_given_up_stops(
    ordered: tuple[Database, Settings, uuid.UUID],
) -> None:
    database, _settings, batch_id = ordered
    later = clock.now() + timedelta(hours=2)
    assert counting.end_orphans(database, at=later) == 0  # its job waits
    with database.transaction(WEIFANG) as session:
        session.execute(text("UPDATE procrastinate_jobs SET status = 'failed'"))
    assert counting.end_orphans(database, at=clock.now()) == 0  # perhaps by a command
    assert counting.end_orphans(database, at=later) == 1
    assert state(database, batch_id) == "stopped"
    database.engine.dispose()
