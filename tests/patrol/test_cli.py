"""Patrol on the command line: a week is planned once, the month comes as page and table."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select

from roadchief import blobs, holidays
from roadchief.blobs.models import Likeness
from roadchief.cli import main
from roadchief.db import Database
from roadchief.lib import clock
from roadchief.patrol.doubts import backfill
from roadchief.patrol.plan_models import Shift
from tests import makers, pictures
from tests.conftest import WEIFANG, make_settings
from tests.patrol.conftest import make_beat
from tests.patrol.phone import photo


@pytest.fixture
def database(fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A street whose patroller answers for it, and one honest visit of today."""
    made = Database(make_settings(fresh_url, tmp_path))
    at = clock.now()
    with made.transaction(WEIFANG) as session:
        beat = make_beat(session, at=at)
        walker = makers.make_person(session, "王小明")
        post = makers.make_post(session, walker, role="patroller", title="巡查员")
        makers.make_assignment(session, post, beat.segment)
        beat.send(beat.phone.check_in(beat.shops[0].id), at=at)
    monkeypatch.setenv("ROADCHIEF_DATABASE_URL", fresh_url)
    monkeypatch.setenv("ROADCHIEF_VAR_DIR", str(tmp_path))
    yield made
    made.engine.dispose()


def run(*words: str) -> tuple[int, str]:
    answer = CliRunner().invoke(main, ["patrol", *words])
    return answer.exit_code, answer.output


def shifts(database: Database) -> int:
    with database.transaction(WEIFANG) as session:
        return len(session.scalars(select(Shift.id)).all())


def test_a_week_is_planned_once(database: Database) -> None:
    before = shifts(database)
    code, said = run("plan", "--subdistrict", str(WEIFANG))
    assert code == 0, said
    made = shifts(database) - before
    assert made >= 3
    assert f"新排 {made} 个班次" in said
    assert "新排 0 个班次" in run("plan", "--subdistrict", str(WEIFANG))[1]
    assert shifts(database) == before + made


def test_a_named_week_is_that_week(database: Database) -> None:
    day = clock.local_date(clock.now()) + timedelta(days=70)
    code, said = run("plan", "--subdistrict", str(WEIFANG), "--week", day.isoformat())
    assert code == 0, said
    assert said.startswith((day - timedelta(days=day.weekday())).isoformat())


def test_a_holiday_entered_since_is_not_planned(database: Database) -> None:
    day = clock.local_date(clock.now()) + timedelta(days=70)
    monday = day - timedelta(days=day.weekday())
    holiday = [monday + timedelta(days=n) for n in range(5)]
    with database.transaction(WEIFANG) as session:
        table = "".join(
            f"[{year}]\noff={[[str(one)] * 2 for one in holiday if one.year == year]}\n"
            for year in sorted({one.year for one in holiday})
        )
        holidays.enter_years(session, table, at=clock.now())
    before = shifts(database)
    code, said = run("plan", "--subdistrict", str(WEIFANG), "--week", monday.isoformat())
    assert code == 0, said
    assert shifts(database) == before
    after = monday + timedelta(days=7)
    assert run("plan", "--subdistrict", str(WEIFANG), "--week", after.isoformat())[0] == 0
    assert shifts(database) > before


def test_the_month_as_words_page_and_table(database: Database, tmp_path: Path) -> None:
    pdf, table = tmp_path / "month.pdf", tmp_path / "month.csv"
    month = f"{clock.local(clock.now()):%Y-%m}"  # on the 1st the default is the one before
    code, said = run(
        *("report", "--subdistrict", str(WEIFANG), "--month", month),
        *("--pdf", str(pdf), "--csv", str(table)),
    )
    assert code == 0, said
    assert "应到 3，已核验 1" in said
    page = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()
    assert "月报" in page or "巡查" in page
    with table.open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) > 1


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "--subdistrict", "12"),
        ("plan", "--subdistrict", str(WEIFANG), "--week", "2026-13-01"),
        ("report", "--subdistrict", str(WEIFANG), "--month", "gestern"),
        ("report", "--subdistrict", "310115999"),
        ("plan", "--subdistrict", "310115999"),
        ("report", "--subdistrict", str(WEIFANG), "--pdf", "/nowhere/there/x.pdf"),
    ],
)
def test_odd_words_are_refused_in_words(database: Database, words: tuple[str, ...]) -> None:
    answer = CliRunner().invoke(main, ["patrol", *words])
    assert answer.exit_code != 0
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.output
    assert answer.output.strip()


def broken_off(*_given: object) -> bool:
    raise KeyboardInterrupt


def test_photos_kept_before_are_hashed_and_the_next_run_goes_on(
    database: Database, fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = make_settings(fresh_url, tmp_path)
    at = clock.now()
    with database.transaction(WEIFANG) as session:
        beat = make_beat(session, at=at)
        for seed in range(3):
            data = pictures.jpeg(seed=seed)
            item = beat.phone.check_in(beat.shops[0].id, given={"photos": [photo(data)]})
            beat.send(item, at=at)
            blobs.store(session, data, by=None, at=at, settings=given)
        session.execute(delete(Likeness))
    place = ("photos", "--subdistrict", str(WEIFANG))
    with monkeypatch.context() as patched:
        patched.setattr(backfill, "_hash", broken_off)
        code, said = run(*place)
    assert code == 130
    assert "已算 0 张，文件缺失或打不开 0 张，还剩 3 张" in said
    assert "已算 2 张，文件缺失或打不开 0 张，还剩 1 张" in run(*place, "--most", "2")[1]
    assert "已算 1 张，文件缺失或打不开 0 张，还剩 0 张" in run(*place)[1]
    assert "已算 0 张" in run(*place)[1]
    code, said = run("photos", "--subdistrict", "310115999")
    assert code == 2, said


def test_old_visits_are_counted_first_and_forgotten_on_demand(database: Database) -> None:
    old = clock.now() - timedelta(days=900)
    with database.transaction(WEIFANG) as session:
        beat = make_beat(session, at=old)
        beat.send(beat.phone.check_in(beat.shops[1].id), at=old)
    code, said = run("forget", "--subdistrict", str(WEIFANG))
    assert (code, said) == (0, "到期：位置 1 条，照片 0 张（加 --apply 才删除）\n")
    code, said = run("forget", "--subdistrict", str(WEIFANG), "--apply")
    assert code == 0
    assert said.endswith("已删除：位置 1 条，照片 0 张\n")
    assert "位置 0 条" in run("forget", "--subdistrict", str(WEIFANG))[1]
    assert run("forget", "--subdistrict", "310115999")[0] != 0
