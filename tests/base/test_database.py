"""Tenants, savepoints, shapes and history, as the database itself keeps them."""

from datetime import UTC, datetime

import pytest
import shapely
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from roadchief import events, jobs
from roadchief.db import enter_tenant, savepoint
from roadchief.streets.models import Road, RoadSegment
from tests import makers
from tests.conftest import WEIFANG, YANGJING

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
events.declare({"test.happened": "for tests"})


def test_a_shape_comes_back_as_it_went_in(session: Session) -> None:
    segment = makers.make_segment(session)
    session.expunge_all()
    found = session.scalars(select(RoadSegment)).one()
    assert found.line.equals(makers.LAOSHAN)
    assert found.id == segment.id


def test_height_is_dropped_at_the_bridge(session: Session) -> None:
    line = shapely.LineString([(121.5, 31.2, 4), (121.6, 31.2, 5)])
    makers.make_segment(session, line=line)
    session.expunge_all()
    assert not session.scalars(select(RoadSegment)).one().line.has_z


def test_another_subdistricts_rows_do_not_exist(session: Session) -> None:
    makers.make_road(session)
    session.flush()
    enter_tenant(session, YANGJING)
    assert session.scalar(select(func.count()).select_from(Road)) == 0
    enter_tenant(session, None)
    assert session.scalar(select(func.count()).select_from(Road)) == 0


def test_a_row_cannot_be_written_for_another_subdistrict(session: Session) -> None:
    enter_tenant(session, YANGJING)
    with pytest.raises(ProgrammingError, match="row-level security"):
        makers.make_road(session, subdistrict_id=WEIFANG)


def test_history_cannot_be_edited(session: Session) -> None:
    road = makers.make_road(session)
    events.record(session, "test.happened", subject=road, by=None, at=NOON, why="because")
    session.flush()
    with pytest.raises(ProgrammingError, match="permission denied"), savepoint(session):
        session.execute(text("UPDATE event SET name = 'x'"))
    with pytest.raises(ProgrammingError, match="permission denied"), savepoint(session):
        session.execute(text("DELETE FROM event"))


def test_an_undeclared_event_is_refused(session: Session) -> None:
    road = makers.make_road(session)
    with pytest.raises(LookupError):
        events.record(session, "test.nobody_knows", subject=road, by=None, at=NOON)


def test_a_job_goes_with_its_savepoint(session: Session) -> None:
    with pytest.raises(RuntimeError), savepoint(session):
        jobs.later(session, "streets.import", run_id="gone")
        raise RuntimeError
    jobs.later(session, "streets.import", run_id="kept")
    kept = session.execute(text("SELECT args->>'run_id' FROM procrastinate_jobs")).scalars().all()
    assert kept == ["kept"]


def test_every_tenant_table_has_its_policy(session: Session) -> None:
    unprotected = session.execute(
        text(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE a.attname = 'subdistrict_id' AND c.relkind = 'r' AND NOT c.relrowsecurity"
        )
    ).scalars()
    # Directories find the tenant before anybody is known; plate_number keeps numbers apart.
    assert set(unprotected) == {
        "login_directory",
        "code_directory",
        "plate_number",
        "receipt_directory",
        "sign_in_link",
    }
