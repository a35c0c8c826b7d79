"""Two people at once, on two real connections: one wins, the other is told why."""

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from roadchief.app import create_app
from roadchief.db import Database
from roadchief.issues import board, cases, clocks, handling, merging, opening
from roadchief.issues.citizens import feedback
from roadchief.issues.models import Case, CaseStep, SavedView
from roadchief.issues.voices import Rating
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG, make_settings
from tests.issues import ground
from tests.issues.ground import CENTRE, TUESDAY, World
from tests.races import at_once

Act = Callable[[Session], object]
WAIT_LONG = "SET LOCAL lock_timeout = '60s'"


@pytest.fixture
def world(real: Database) -> World:
    with real.transaction(WEIFANG) as session:
        return ground.build(session)


@pytest.fixture(autouse=True)
def patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the other takes longer than two seconds: here all wait their turn."""
    if "busy_case" not in request.node.name:
        monkeypatch.setattr(
            clocks, "wait_briefly", lambda session: session.execute(text(WAIT_LONG))
        )


def make(real: Database, world: World, **given: object) -> Case:
    with real.transaction(WEIFANG) as session:
        return ground.opened(session, world, **given)


def read(real: Database, case: Case) -> Case:
    with real.transaction(WEIFANG) as session:
        return cases.find(session, case.id)


def test_two_officers_accept_at_once(real: Database, world: World) -> None:
    case = make(real, world, category="ZX08")

    def accepting(session: Session) -> None:
        row = cases.locked(session, case.id)
        handling.accept(session, row, who=world.unit, at=TUESDAY, seen=case.version)

    assert at_once(real, accepting, accepting) == ["PageIsOld", "done"]
    assert read(real, case).state == "in_progress"


def test_a_report_sent_twice_at_once_is_one_case(
    real: Database, world: World, fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second tap while the first is on its way: both look, neither finds, one writes."""
    app = create_app(make_settings(fresh_url, tmp_path), real)
    app.config.update(WTF_CSRF_ENABLED=False)
    looked, look = threading.Barrier(2), feedback.sent_before
    looks = iter(range(2))

    def both_look(session: Session, case_id: uuid.UUID) -> Case | None:
        found = look(session, case_id)
        if next(looks, None) is not None:
            looked.wait(timeout=60)
        return found

    monkeypatch.setattr(feedback, "sent_before", both_look)
    form = {"id": str(uuid.uuid4()), "storefront": str(world.shop.id), "category": "ZX02"}
    ends: list[tuple[int, str]] = []

    def send() -> None:
        answer = app.test_client().post("/report", data=form)
        ends.append((answer.status_code, answer.headers.get("Location", "")[:8]))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == [(303, "/follow/")] * 2
    with real.transaction(WEIFANG) as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 1


def test_a_view_saved_twice_at_once_is_one_view(
    real: Database, fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(fresh_url, tmp_path)
    app = create_app(settings, real)
    app.config.update(WTF_CSRF_ENABLED=False)
    player = Cast(real, settings)["patroller"]
    met, known = threading.Barrier(2), board.views_of

    def both_look(session: Session, person_id: uuid.UUID) -> list[SavedView]:
        found = known(session, person_id)
        with suppress(threading.BrokenBarrierError):
            met.wait(timeout=1)  # who must wait for the other does not come
        return found

    monkeypatch.setattr(board, "views_of", both_look)
    clients = [app.test_client() for _ in range(2)]
    for client in clients:
        assert sign_in(client, player).status_code == 302
    ends: list[int] = []

    def save(client: FlaskClient) -> None:
        ends.append(client.post("/desk/views", data={"name": "夜间油烟"}).status_code)

    threads = [threading.Thread(target=save, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == [303, 303]


def test_closing_and_sending_back_at_once(real: Database, world: World) -> None:
    case = make(real, world)
    with real.transaction(WEIFANG) as session:
        photo = ground.make_photo(session)
        row = cases.locked(session, case.id)
        handling.fix(session, row, who=world.shopkeeper, at=TUESDAY, photo_ids=(photo,))

    def closing(session: Session) -> None:
        row = cases.locked(session, case.id)
        handling.close(session, row, who=CENTRE, at=TUESDAY, kind="fixed_by_merchant", words="好")

    def returning(session: Session) -> None:
        row = cases.locked(session, case.id)
        handling.send_back(session, row, who=CENTRE, at=TUESDAY, words="没好")

    assert at_once(real, closing, returning) == ["NotNow", "done"]


def test_two_who_say_not_solved_reopen_once(real: Database, world: World) -> None:
    case = make(real, world)
    settings = make_settings("", Path("/nonexistent"))
    with real.transaction(WEIFANG) as session:
        row = cases.locked(session, case.id)
        receipts = [
            feedback.hand_receipt(
                session, row, kind="follower", at=TUESDAY, settings=settings
            ).receipt
            for _ in range(2)
        ]
        photo = ground.make_photo(session)
        handling.fix(session, row, who=world.shopkeeper, at=TUESDAY, photo_ids=(photo,))
        handling.close(session, row, who=CENTRE, at=TUESDAY, kind="fixed_by_merchant", words="好")

    def unhappy(receipt: object) -> Act:
        def act(session: Session) -> None:
            row = cases.locked(session, case.id)
            feedback.rate(
                session,
                row,
                receipt,  # type: ignore[arg-type]
                solved=False,
                stars=1,
                words="还在",
                at=TUESDAY,
            )

        return act

    assert at_once(real, *map(unhappy, receipts)) == ["NotNow", "done"]
    assert read(real, case).reopened == 1


def test_one_receipt_rates_a_closing_once(real: Database, world: World) -> None:
    case = make(real, world)
    settings = make_settings("", Path("/nonexistent"))
    with real.transaction(WEIFANG) as session:
        row = cases.locked(session, case.id)
        receipt = feedback.hand_receipt(
            session, row, kind="reporter", at=TUESDAY, settings=settings
        ).receipt
        photo = ground.make_photo(session)
        handling.fix(session, row, who=world.shopkeeper, at=TUESDAY, photo_ids=(photo,))
        handling.close(session, row, who=CENTRE, at=TUESDAY, kind="fixed_by_merchant", words="好")

    def happy(session: Session) -> None:
        row = cases.locked(session, case.id)
        feedback.rate(session, row, receipt, solved=True, stars=5, words="", at=TUESDAY)

    assert at_once(real, happy, happy) == ["AlreadyRated", "done"]
    with real.transaction(WEIFANG) as session:
        assert session.scalar(select(func.count()).select_from(Rating)) == 1


def test_two_merged_into_each_other_at_once(real: Database, world: World) -> None:
    one, other = (make(real, world, category="WS07") for _ in range(2))

    def merging_(copy: Case, master: Case) -> Act:
        def act(session: Session) -> None:
            row = session.get_one(Case, (WEIFANG, copy.id))
            merging.merge(session, row, into=master.id, who=CENTRE, at=TUESDAY, words="同一件")

        return act

    assert at_once(real, merging_(one, other), merging_(other, one)) == ["MergeCycle", "done"]


def test_numbers_are_given_once(real: Database, world: World) -> None:
    def reporting(session: Session) -> None:
        ground.file_case(session, world)

    assert at_once(real, *[reporting] * 8) == ["done"] * 8
    with real.transaction(WEIFANG) as session:
        numbers = session.scalars(select(Case.number)).all()
    assert len(set(numbers)) == 8


def test_who_waits_for_a_busy_case_is_told_within_seconds(real: Database, world: World) -> None:
    case = make(real, world, category="ZX08")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with real.transaction(WEIFANG) as session:
            cases.locked(session, case.id)
            held.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(5)
    began = time.perf_counter()

    def second(session: Session) -> None:
        cases.locked(session, case.id)

    assert at_once(real, second) == ["SomebodyWorksOnIt"]
    assert time.perf_counter() - began < 9  # the lock is held for ten
    done.set()
    thread.join()


def test_children_that_close_at_once_close_their_parent_once(real: Database, world: World) -> None:
    from roadchief.issues import adjusting

    parent = make(real, world, category="ZX08")
    children = []
    with real.transaction(WEIFANG) as session:
        row = cases.locked(session, parent.id)
        children = [
            adjusting.split(session, row, who=CENTRE, category="BJ02", words="分", at=TUESDAY)
            for _ in range(2)
        ]

    def closing(child: Case) -> Act:
        def act(session: Session) -> None:
            row = cases.locked(session, child.id)
            handling.close(session, row, who=CENTRE, at=TUESDAY, kind="not_ours", words="移交")

        return act

    ends = at_once(real, *map(closing, children))
    # Both see the other open only if neither had committed: then the parent stays for a person.
    assert ends == ["done", "done"]
    with real.transaction(WEIFANG) as session:
        row = cases.find(session, parent.id)
        closings = session.scalars(
            select(CaseStep).where(CaseStep.case_id == parent.id, CaseStep.verb == "close")
        ).all()
        assert row.state == "closed"
        assert len(closings) == 1


def test_the_same_matter_opened_twice(real: Database, world: World) -> None:
    with real.transaction(WEIFANG) as session:
        case = ground.file_case(session, world, at=TUESDAY - timedelta(minutes=5))

    def taking_up(session: Session) -> None:
        row = cases.locked(session, case.id)
        opening.open_case(session, row, who=CENTRE, at=TUESDAY, seen=1)

    assert at_once(real, taking_up, taking_up) == ["PageIsOld", "done"]
