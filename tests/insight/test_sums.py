"""Sums kept ahead: they are what asking every row, plainly and slowly, gives."""

import random
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

import roadchief.blobs.models  # noqa: F401  (plates name its table)
from roadchief.cli import main
from roadchief.codes.lifecycle import ANSWERS
from roadchief.codes.models import Plate, PlateEvent
from roadchief.db import Database, tenant_of
from roadchief.insight import cli, dashboards, nightly, sums, weekly
from roadchief.insight.goals import NOTHING, Measure
from roadchief.insight.models import BoardWeek
from roadchief.insight.weekly import Span
from roadchief.lib import clock
from roadchief.patrol.models import Finding
from roadchief.patrol.plan_models import Review
from roadchief.streets.models import Merchant, Storefront, StreetBlock, Tenancy
from tests import makers, races
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG, YANGJING
from tests.insight.test_dashboards import LONG_AGO, NOW, World

# One moment, one storefront at a time: slow, and plain enough to be believed.
OPEN_THEN = """
SELECT f.id, s.block_id FROM storefront f
JOIN road_segment s ON s.subdistrict_id = f.subdistrict_id AND s.id = f.segment_id
WHERE f.subdistrict_id = :here AND f.opened_at < :end
  AND (f.closed_at IS NULL OR f.closed_at >= :end)
"""
VISITED = """
SELECT EXISTS (SELECT FROM check_in c LEFT JOIN review w ON w.id = c.id
  WHERE c.subdistrict_id = :here AND c.storefront_id = :shop
  AND c.occurred_at < :end AND c.occurred_at >= :end - interval '14 days'
  AND c.purpose <> 'self_check' AND (w.state IS NULL OR w.state NOT IN ('refused', 'removed'))
  AND (c.outcome = 'verified' OR w.state = 'approved'))
"""
LET = """
SELECT EXISTS (SELECT FROM tenancy WHERE storefront_id = :shop AND starts_on <= :day
  AND (ends_on IS NULL OR ends_on >= :day))
"""
STATES_THEN = """
SELECT DISTINCT ON (p.id) e.to_state FROM plate p JOIN plate_event e ON e.plate_id = p.id
WHERE p.storefront_id = :shop AND p.kind = 'shop' AND e.at < :end ORDER BY p.id, e.at DESC
"""
STREETS_THEN = """
SELECT id, road_id, block_id FROM road_segment WHERE subdistrict_id = :here
AND opened_at <= :end AND (closed_at IS NULL OR closed_at > :end)
"""
IN_CHARGE_THEN = """
SELECT a.segment_id, a.road_id, a.block_id FROM assignment a JOIN post p ON p.id = a.post_id
WHERE a.subdistrict_id = :here AND p.role <> 'patroller' AND a.starts_at <= :end
AND (a.ends_at IS NULL OR a.ends_at > :end) AND (p.ends_at IS NULL OR p.ends_at > :end)
"""
GRADED = """
SELECT s.block_id, c.grade, EXISTS (SELECT FROM finding g WHERE g.source_id = c.id
  AND g.severity IN ('S', 'X')) AS bad
FROM check_in c LEFT JOIN review w ON w.id = c.id JOIN road_segment s ON s.id = c.segment_id
WHERE c.subdistrict_id = :here AND c.occurred_at >= :since AND c.occurred_at < :end
  AND c.purpose <> 'self_check' AND (w.state IS NULL OR w.state NOT IN ('refused', 'removed'))
  AND (c.outcome = 'verified' OR w.state = 'approved')
"""


def slowly(session: Session, over: Span) -> weekly.Cells:
    """Week by week and shop by shop."""
    here, found = tenant_of(session), {}
    for week, end in enumerate(over.ends):
        since = weekly.midnight(over.mondays[week])
        cells: dict[Any, dict[str, list[int]]] = {}

        def add(block: Any, name: str, part: bool, cells: Any = cells) -> None:
            pair = cells.setdefault(block, {}).setdefault(name, [0, 0])
            pair[0], pair[1] = pair[0] + int(part), pair[1] + 1

        moment = {"here": here, "end": end, "day": clock.local_date(end), "since": since}
        for shop in session.execute(text(OPEN_THEN), moment).all():
            one = moment | {"shop": shop.id}
            add(shop.block_id, "visits", session.execute(text(VISITED), one).scalar_one())
            add(shop.block_id, "occupied", session.execute(text(LET), one).scalar_one())
            states = session.scalars(text(STATES_THEN), one).all()
            add(shop.block_id, "plates", any(state in ANSWERS for state in states))
        for visit in session.execute(text(GRADED), moment).all():
            add(visit.block_id, "safe", not visit.bad)
            if visit.grade:
                add(visit.block_id, "clean", visit.grade in ("best", "good"))
        held = {key for row in session.execute(text(IN_CHARGE_THEN), moment) for key in row if key}
        for street in session.execute(text(STREETS_THEN), moment).all():
            add(street.block_id, "chiefs", bool(held.intersection(street)))
        for block, pairs in cells.items():
            found[week, block] = {name: Measure(*pair) for name, pair in pairs.items()}
    return found


class Chance(World):
    """A world in which everything that can differ does."""

    def __init__(self, session: Session, seed: int) -> None:
        super().__init__(session, shops=16)
        self.dice = random.Random(seed)
        other = self.add(StreetBlock, name=f"乙街区{seed}", theme=None, area=None)
        second = makers.make_segment(
            session, block_id=other.id, opened_at=self.ago(30, 90), code=uuid.uuid4().hex[:8]
        )
        self.segment.closed_at = self.dice.choice([None, self.ago(5, 30)])
        for segment, count in ((second, 10), (self.beyond, 4)):
            for n in range(count):
                opened = self.dice.choice([LONG_AGO, self.ago(1, 60)])
                shop = makers.make_storefront(
                    session, segment, house_number=f"{n}弄", opened_at=opened
                )
                shop.closed_at = self.dice.choice([None, None, opened + (NOW - opened) / 2])
                self.shops.append(shop)
        merchant = self.add(Merchant, name="桂香", uscc=None, kind="sole_trader", phone=None)
        for shop in self.shops:
            self.visits(shop)
            self.tenancies(shop, merchant)
            self.plates(shop)
        for segment in (self.segment, second, self.beyond):
            role = self.dice.choice(["chief_l2", "patroller"])
            post = makers.make_post(session, starts_at=LONG_AGO, role=role)
            start = self.ago(20, 70)
            end = self.dice.choice([None, start + timedelta(days=15)])
            makers.make_assignment(session, post, segment, starts_at=start, ends_at=end)
        session.flush()

    def ago(self, least: float, most: float) -> datetime:
        return NOW - timedelta(days=self.dice.uniform(least, most))

    def visits(self, shop: Storefront) -> None:
        for _ in range(self.dice.randrange(5)):
            days = self.dice.choice([self.dice.uniform(0, 75), 10.0, 3 + 4 / 24])  # also on a seam
            kind = self.dice.choice(["verified", "verified", "weak"])
            grade = self.dice.choice(["best", "good", "poor", None])
            purpose = self.dice.choice(["patrol", "patrol", "self_check"])
            made = self.visit(shop, days, outcome=kind, grade=grade, purpose=purpose)
            if self.dice.random() < 0.4:
                self.review(made)
            if self.dice.random() < 0.4:
                self.finding(made)

    def review(self, made: Any) -> None:
        state = self.dice.choice(["approved", "refused", "removed", "waiting"])
        about = {"segment_id": made.segment_id, "opened_at": made.occurred_at}
        self.add(Review, id=made.id, state=state, signals=[], **about)

    def finding(self, made: Any) -> None:
        self.add(
            Finding,
            source_id=made.id,
            check_in_id=made.id,
            storefront_id=made.storefront_id,
            segment_id=made.segment_id,
            item="WS01",
            severity=self.dice.choice("SXLM"),
            person_id=self.person.id,
            occurred_at=made.occurred_at,
        )

    def tenancies(self, shop: Storefront, merchant: Merchant) -> None:
        starts = self.ago(60, 100).date()
        while starts < NOW.date() and self.dice.random() < 0.8:
            ends = starts + timedelta(days=self.dice.randrange(40))
            ends_on = ends if ends < NOW.date() else None
            self.add(
                Tenancy,
                storefront_id=shop.id,
                merchant_id=merchant.id,
                sign_name="桂香",
                starts_on=starts,
                ends_on=ends_on,
            )
            starts = ends + timedelta(days=1 + self.dice.randrange(20))

    def plates(self, shop: Storefront) -> None:
        for _ in range(self.dice.randrange(3)):
            plate = self.add(
                Plate,
                kind="shop",
                storefront_id=shop.id,
                token_hash=uuid.uuid4().bytes,
                number=uuid.uuid4().hex[:10],
                state="retired",
                state_at=LONG_AGO,
                made_at=LONG_AGO,
            )
            states = ["generated", "delivered", "bound", "active", "damaged", "lost", "retired"]
            at, before = self.ago(40, 90), None
            for state in states[: self.dice.randrange(1, 8)]:
                self.add(
                    PlateEvent, plate_id=plate.id, act="x", from_state=before, to_state=state, at=at
                )
                at, before = at + timedelta(days=self.dice.uniform(0, 12)), state


def without_zeros(cells: weekly.Cells, names: set[str]) -> dict[Any, Any]:
    """Nothing out of nothing is the same as no line."""
    kept = {
        key: {n: m for n, m in found.items() if n in names and m != NOTHING}
        for key, found in cells.items()
    }
    return {key: found for key, found in kept.items() if found}


@pytest.mark.parametrize("seed", range(6))
def test_live_and_kept_sums_are_what_asking_slowly_gives(
    session: Session, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    Chance(session, seed)
    over = dashboards.span(None, at=NOW)
    wanted = slowly(session, over)
    heavy = {"visits", "occupied", "plates", "safe", "clean"}
    assert without_zeros(weekly.heavy(session, over), heavy) == without_zeros(wanted, heavy)
    assert without_zeros(weekly.light(session, over), {"chiefs"}) == without_zeros(
        wanted, {"chiefs"}
    )
    live = dashboards.board(session, over)
    assert live.kept is None
    assert any(measure.whole for measure in live.total.measures.values())
    nightly.run(session, at=NOW)
    monkeypatch.setattr(sums, "LIVE_UNTIL", 3)
    kept = dashboards.board(session, over)
    assert kept.kept
    assert not kept.kept.missing
    assert (kept.total, kept.weekly, kept.blocks) == (live.total, live.weekly, live.blocks)
    assert dashboards.totals(session, over).measures == live.total.measures
    # One week kept by itself says what it says among the eight.
    sums.keep(session, sums.running(NOW))
    again = dashboards.board(session, over)
    assert (again.total, again.weekly, again.blocks) == (live.total, live.weekly, live.blocks)


def test_the_running_week_is_renewed_in_the_day_and_the_past_by_night(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(session)
    monkeypatch.setattr(sums, "LIVE_UNTIL", 11)
    nightly.run(session, at=NOW)
    for shop in world.shops[:5]:
        world.visit(shop, 0.001)
    for shop in world.shops[:7]:
        world.visit(shop, 20)  # came from a phone that was long without signal
    later = NOW + timedelta(hours=1)
    over = dashboards.span(None, at=later)

    def shown() -> list[Measure]:
        return dashboards.board(session, over).weekly["visits"]

    assert shown()[-1] == shown()[-3] == Measure(0, 12)
    sums.keep(session, sums.running(later))
    assert shown()[-1] == Measure(5, 12)
    assert shown()[-3] == Measure(0, 12)
    found = dashboards.board(session, over).kept
    assert found
    assert (found.oldest, found.newest) == (NOW, later)
    nightly.run(session, at=later)
    assert shown()[-3] == Measure(7, 12)


def test_weeks_that_nobody_kept_are_missing_and_no_zero(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(session)
    world.visit(world.shops[0], 1)
    monkeypatch.setattr(sums, "LIVE_UNTIL", 11)
    found = dashboards.board(session, dashboards.span(None, at=NOW))
    assert found.kept
    assert len(found.kept.missing) == 8
    assert found.total.measures["visits"] == NOTHING
    assert found.total.measures["chiefs"] == Measure(0, 2)  # asked at every view
    sums.keep(session, sums.running(NOW))
    found = dashboards.board(session, dashboards.span(None, at=NOW))
    assert found.kept
    assert len(found.kept.missing) == 7
    assert found.total.measures["visits"] == Measure(1, 12)


def test_stale_statistics_do_not_make_loops_within_loops(session: Session) -> None:
    World(session)
    planned: list[str] = []

    def note(_c: Any, _cursor: Any, sql: str, values: Any, _context: Any, _many: bool) -> None:
        if sql.lstrip().startswith("WITH") and "alike" in sql:
            rows = connection.exec_driver_sql(f"EXPLAIN {sql}", values)
            planned.extend(row[0] for row in rows)

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    weekly.heavy(session, dashboards.span(None, at=NOW))
    event.remove(connection, "before_cursor_execute", note)
    # The only loop left is that of the eight weeks, which nothing else can do.
    assert len([line for line in planned if "Nested Loop" in line]) == 1
    assert session.scalar(text("SHOW enable_nestloop")) == "on"


def test_only_big_places_are_renewed_in_the_day(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "LIVE_UNTIL", 13)
    for place, shops in ((WEIFANG, 12), (YANGJING, 15)):
        with database.transaction(place) as inside:
            World(inside, shops)
    assert sums.keep_running_weeks(database, at=NOW) == [YANGJING]
    with database.transaction(WEIFANG) as inside:
        assert inside.execute(text("SELECT count(*) FROM board_week")).scalar_one() == 0


def test_the_page_says_when_its_sums_were_made(
    client: FlaskClient,
    cast: Cast,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    queries: Callable[[], Any],
) -> None:
    sign_in(client, cast["chief_general"])
    assert 'id="kept"' not in client.get("/chief/district").get_data(as_text=True)
    with database.transaction(WEIFANG) as inside:
        World(inside)
    monkeypatch.setattr(sums, "LIVE_UNTIL", 11)
    first = client.get("/chief/district").get_data(as_text=True)
    assert "有 8 周还没有算过" in first
    assert "最新的一周算于" not in first
    nightly.run_all(database, at=clock.now())
    with queries() as seen:
        said = client.get("/chief/district").get_data(as_text=True)
    assert "最新的一周算于" in said
    assert "周还没有算过" not in said
    assert not [one for one in seen.statements if "check_in" in one or "plate_event" in one]
    english = client.get("/chief/district?lang=en").get_data(as_text=True)
    assert "reckoned ahead" in english
    assert client.get("/chief/districts").status_code == 200


def test_two_runs_that_meet_keep_one_set(real: Database) -> None:
    with real.transaction(WEIFANG) as session:
        World(session)

    def keep(session: Session) -> None:
        sums.keep(session, dashboards.span(None, at=NOW))

    assert races.at_once(real, keep, keep, keep) == ["done", "done", "done"]
    with real.transaction(WEIFANG) as session:
        weeks = session.execute(text("SELECT count(DISTINCT monday) FROM board_week"))
        assert weeks.scalar_one() == 8


def test_one_sub_district_that_fails_keeps_no_other_from_its_night(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction(None) as session:
        for code in (WEIFANG, YANGJING):
            makers.make_subdistrict(session, code)
    whole = nightly.run

    def run(session: Session, **given: Any) -> nightly.Report:
        if tenant_of(session) == WEIFANG:
            raise ArithmeticError("odd rows")
        return whole(session, **given)

    monkeypatch.setattr(nightly, "run", run)
    with pytest.raises(ExceptionGroup) as told:
        nightly.run_all(database, at=NOW)
    assert "odd rows" in str(told.value.exceptions)
    with database.transaction(YANGJING) as session:
        assert session.scalars(select(BoardWeek.monday)).all()


def test_the_command_tells_each_sub_district_and_may_be_broken_off(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction(None) as session:
        for code in (WEIFANG, YANGJING):
            makers.make_subdistrict(session, code)
    monkeypatch.setattr(cli, "Database", lambda _settings: database)
    places = len(database.tenants())
    answer = CliRunner().invoke(main, ["insight", "run"])
    assert answer.exit_code == 0, answer.output
    assert f"{WEIFANG}: " in answer.stdout
    assert f"{places} sub-districts reckoned" in answer.stdout
    steps = []

    def broken_off(*_given: object, **_more: object) -> None:
        steps.append(1)
        if len(steps) > 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(nightly, "_find_clusters", broken_off)
    answer = CliRunner().invoke(main, ["insight", "run"])
    assert answer.exit_code == 130
    assert f"1 of {places} are done" in answer.stdout
