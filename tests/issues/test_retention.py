"""How long cases are kept: whole families go, nothing of them stays but a line."""

import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from roadchief.accounts.notice_models import Notice
from roadchief.blobs.models import Blob
from roadchief.config import Settings
from roadchief.db import Database, new_id
from roadchief.issues import cases, cli, jobs, retention
from roadchief.issues.citizens import feedback
from roadchief.issues.models import Case, CasePhoto, CaseStep
from roadchief.issues.retention import CaseGone, Terms
from roadchief.issues.voices import Receipt, Voice
from roadchief.lib import clock
from tests.issues import ground
from tests.issues.ground import World

HERE = 310115004
TERMS = Terms(closed=5, cancelled=1)
YEAR = timedelta(days=366)


@pytest.fixture
def world(database: Database) -> World:
    with database.transaction(HERE) as session:
        return ground.build(session)


def made(session: Session, world: World, state: str, years: float, **given: Any) -> Case:
    """A case that ended so long ago, or runs."""
    case = ground.file_case(session, world, category="ZX08", at=clock.now(), source="staff")
    session.flush()
    case.state = state
    if years:
        case.ended_at = clock.now() - years * YEAR
    for name, value in given.items():
        setattr(case, name, value)
    session.flush()
    return case


def due(session: Session, at: datetime | None = None) -> set[str]:
    return {one.number for one in retention.due(session, TERMS, at=at or clock.now())}


@pytest.mark.parametrize(
    ("state", "kind", "years", "gone"),
    [
        ("closed", "fixed_by_unit", 4.9, False),
        ("closed", "fixed_by_unit", 5.1, True),
        ("closed", "withdrawn", 0.9, False),
        ("closed", "withdrawn", 1.1, True),
        ("rejected", None, 1.1, True),
        ("reopened", None, 0, False),
        ("duplicate", None, 9, True),
    ],
)
def test_terms(
    database: Database, world: World, state: str, kind: str | None, years: float, gone: bool
) -> None:
    with database.transaction(HERE) as session:
        case = made(session, world, state, years, closing_kind=kind)
        assert due(session) == ({case.number} if gone else set())
        assert retention.erase(session, case.id, TERMS, at=clock.now()) == int(gone)


def test_a_family_goes_together_or_not_at_all(database: Database, world: World) -> None:
    with database.transaction(HERE) as session:
        root = made(session, world, "closed", 6)
        part = made(session, world, "closed", 2, parent_id=root.id)
        copy = made(session, world, "duplicate", 2, master_id=part.id)
        assert due(session) == set()
        assert retention.erase(session, root.id, TERMS, at=clock.now()) == 0
        part.ended_at = clock.now() - 5.5 * YEAR
        session.flush()
        assert due(session) == {root.number}
        running = made(session, world, "assigned", 0, parent_id=root.id)
        assert due(session) == set()
        running.parent_id = None
        session.flush()
        ids = {root.id, part.id, copy.id}
        assert retention.erase(session, root.id, TERMS, at=clock.now()) == 3
        assert not set(session.scalars(select(Case.id))) & ids
        assert set(session.scalars(select(CaseGone.id))) == ids


def test_nothing_of_it_stays_but_a_line(
    database: Database, world: World, settings: Settings
) -> None:
    with database.transaction(HERE) as session:
        at = clock.now()
        case = made(
            session, world, "closed", 6, words="隔壁王阿姨说的", closing_kind="fixed_by_unit"
        )
        other = made(session, world, "assigned", 0, again_of_id=case.id)
        handed = feedback.hand_receipt(session, case, kind="reporter", at=at, settings=settings)
        feedback.say(session, case, "more", "还有", receipt=handed.receipt, at=at)
        own, shared, patrols = (ground.make_photo(session, seed) for seed in range(3))
        cases.add_photos(session, case, (own, shared), part="citizen", at=at)
        cases.add_photos(session, case, (patrols,), part="patrol", at=at)
        cases.add_photos(session, other, (shared,), part="citizen", at=at)
        notice = Notice(
            subdistrict_id=HERE,
            id=new_id(),
            kind="issues.citizen",
            subject_id=case.id,
            once=uuid.uuid4(),
            recipient="x@demo.invalid",
            address="x@demo.invalid",
            words={},
            at=at,
        )
        session.add(notice)
        session.flush()
        number, case_id, code = case.number, case.id, handed.receipt.code
        assert retention.erase(session, case_id, TERMS, at=at) == 1
        session.expire_all()
        for table in (CaseStep, CasePhoto, Receipt, Voice):
            left = session.scalars(select(table.case_id)).all()  # type: ignore[attr-defined]
            assert case_id not in left, table
        assert feedback.place_of(session, code) is None
        assert session.scalars(select(Notice)).all() == []
        line = session.scalars(select(CaseGone)).one()
        assert (line.number, line.category, line.because) == (number, "ZX08", "closed")
        assert "王阿姨" not in str(vars(line))
        states = {row.id: row.state for row in session.scalars(select(Blob))}
        assert states == {own: "erased", shared: "kept", patrols: "kept"}
        assert session.get_one(Case, (HERE, other.id), populate_existing=True).again_of_id is None
        # Its number is never given again.
        assert ground.file_case(session, world, at=at).number != number


def test_the_database_itself_refuses_what_is_too_young(database: Database, world: World) -> None:
    with database.transaction(HERE) as session:
        young = made(session, world, "closed", 0.5)
        running = made(session, world, "assigned", 0)
        root = made(session, world, "closed", 6)
        made(session, world, "closed", 6, parent_id=root.id)
        ids = [young.id, running.id, root.id]
    for wanted, place, why in (
        (ids[0], HERE, "less than a year"),
        (ids[1], HERE, "less than a year"),
        (ids[2], HERE, "left behind"),
        (ids[2], 310115013, "another sub-district"),
    ):
        with pytest.raises(DBAPIError, match=why), database.transaction(HERE) as session:
            session.execute(
                text("SELECT erase_cases(:place, :ids, 'x')"), {"place": place, "ids": [wanted]}
            )
    with database.transaction(HERE) as session:
        assert len(session.scalars(select(Case)).all()) == 4


def test_terms_are_at_least_a_year() -> None:
    with pytest.raises(ValueError, match="one year"):
        Terms(closed=0, cancelled=1)


def test_one_that_was_reopened_meanwhile_stays(database: Database, world: World) -> None:
    with database.transaction(HERE) as session:
        case = made(session, world, "closed", 6)
        assert due(session)
        session.execute(update(Case).values(state="reopened", ended_at=None))
        assert retention.erase(session, case.id, TERMS, at=clock.now()) == 0


def test_every_table_that_points_to_cases_is_thought_of(database: Database, world: World) -> None:
    with database.transaction(HERE) as session:
        tables = session.scalars(
            text(
                "SELECT DISTINCT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' "
                "AND confrelid IN ('case_file'::regclass, 'receipt'::regclass)"
            )
        ).all()
        body = session.scalar(text("SELECT prosrc FROM pg_proc WHERE proname = 'erase_cases'"))
    for table in tables:
        assert f"DELETE FROM {table} " in body or f"UPDATE {table} " in body, table


def test_at_night_family_by_family(
    real: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that are due, though they are found by portions."""
    monkeypatch.setattr(retention, "MOST", 1)
    with real.transaction(HERE) as session:
        world = ground.build(session)
        for _ in range(2):
            made(session, world, "closed", 6)
        made(session, world, "closed", 4)
    assert jobs.forget_old(real, settings, at=clock.now()) == 2
    assert jobs.forget_old(real, settings, at=clock.now()) == 0
    with real.transaction(HERE) as session:
        assert len(session.scalars(select(Case)).all()) == 1


def test_the_command_shows_first(
    real: Database, fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with real.transaction(HERE) as session:
        world = ground.build(session)
        case = made(session, world, "closed", 6)
        made(session, world, "duplicate", 5, master_id=case.id)
        number = case.number
    monkeypatch.setenv("ROADCHIEF_DATABASE_URL", fresh_url)
    monkeypatch.setenv("ROADCHIEF_VAR_DIR", str(tmp_path))
    shown = CliRunner().invoke(cli.group, ["forget", "--subdistrict", str(HERE)])
    assert shown.exit_code == 0, shown.output
    assert f"{number} and 1 more  closed" in shown.output
    assert "2 would be deleted" in shown.output
    done = CliRunner().invoke(cli.group, ["forget", "--subdistrict", str(HERE), "--apply"])
    assert "2 deleted" in done.output, done.output
    with real.transaction(HERE) as session:
        assert session.scalars(select(Case)).all() == []
