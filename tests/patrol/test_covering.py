"""Coverage from the rows: bands apart, freshness, length of the union, and real walks."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import shapely

from roadchief.lib import clock
from roadchief.lib.geo import Plane, length_m
from roadchief.patrol import rules
from roadchief.patrol.coverage import covering, measures
from roadchief.patrol.coverage.measures import Point
from roadchief.patrol.phone import tracks
from roadchief.patrol.presence import reach
from roadchief.patrol.reports import assessment, monthly
from tests import makers
from tests.patrol.conftest import Beat
from tests.patrol.phone import Phone


def visit(beat: Beat, shop: int, days: float, **given: object) -> None:
    at = beat.at - timedelta(days=days)
    phone = Phone(beat.person_id, at)
    beat.send(phone.check_in(beat.shops[shop].id, **given), at=at)  # type: ignore[arg-type]


def look(beat: Beat, days: float = 14, **given: object) -> covering.Covered:
    since = beat.at - timedelta(days=days)
    at = beat.at + timedelta(minutes=1)
    return covering.look(beat.session, [beat.segment.id], since=since, at=at, **given)  # type: ignore[arg-type]


def test_each_storefront_is_in_one_band(beat: Beat) -> None:
    makers.make_storefront(beat.session, beat.segment, measure_m=5.0)
    visit(beat, 0, 2)
    visit(beat, 0, 1, accuracy=90)  # weak later: it stays verified
    visit(beat, 1, 3, accuracy=90)
    visit(beat, 2, 30)
    body = {"storefront_id": str(beat.shops[2].id), "because": "closed"}
    beat.send(beat.phone.item("missed", body))
    found = look(beat)
    assert found.bands == measures.Bands(due=4, verified=1, provisional=1, excused=1)
    states = [row.state for row in found.shops]
    assert sorted(states[:2]) == ["", "provisional"]  # never visited so that it counts
    assert states[2:] == ["excused", "verified"]
    assert found.freshness.never == 2
    assert found.freshness.oldest_days == pytest.approx(30, abs=0.01)
    assert found.freshness.median_days == pytest.approx(16, abs=0.01)
    assert len(look(beat, size=2).shops) == 2


def test_all_streets_say_the_same_as_each_of_them(beat: Beat) -> None:
    """Asked at once and asked one by one: two questions, one answer."""
    makers.make_storefront(beat.session, beat.segment, measure_m=5.0)
    visit(beat, 0, 2)
    visit(beat, 0, 1, accuracy=90)
    visit(beat, 1, 3, accuracy=90)
    visit(beat, 1, 40)
    visit(beat, 2, 30)
    body = {"storefront_id": str(beat.shops[2].id), "because": "closed"}
    beat.send(beat.phone.item("missed", body))
    since, at = beat.at - timedelta(days=14), beat.at + timedelta(minutes=1)
    each = look(beat)
    for found in (
        covering.look(beat.session, None, since=since, at=at),
        covering.glance(beat.session, None, since=since, at=at, size=9, streets=9),
    ):
        assert (found.bands, found.freshness) == (each.bands, each.freshness)
        assert found.shops == each.shops
    assert {row.state for row in each.shops} == {"verified", "provisional", "excused", ""}


def test_a_glance_says_the_same_of_fewer_streets(beat: Beat) -> None:
    visit(beat, 0, 1)
    visit(beat, 1, 30)
    for name in ("甲路", "乙路"):
        makers.make_segment(beat.session, name=name)
    since, at = beat.at - timedelta(days=14), beat.at + timedelta(minutes=1)
    for own in (None, [beat.segment.id]):
        whole = covering.look(beat.session, own, since=since, at=at)
        found = covering.glance(beat.session, own, since=since, at=at, size=2, streets=1)
        assert (found.bands, found.freshness) == (whole.bands, whole.freshness)
        assert found.shops == whole.shops[:2]
        assert found.segments == whole.segments[:1]
        assert found.effort is None


def test_nothing_is_no_share(beat: Beat) -> None:
    found = covering.look(beat.session, [], since=beat.at, at=beat.at)
    assert (found.bands.share, found.length_share, found.shops) == (None, None, [])
    assert found.freshness == measures.Freshness(None, None, None, 0)


def test_length_is_the_union_of_frontages_and_walks(beat: Beat) -> None:
    for shop in range(3):
        for days in (1, 2):
            visit(beat, shop, days)
    (row,) = look(beat).segments
    assert row.covered_m == pytest.approx(24, abs=0.2)  # three fronts of eight metres, ten apart
    line, ms = beat.segment.line, beat.at.timestamp() * 1000
    points = []
    for step in range(41):
        there = line.interpolate(step / 80, normalized=True)
        points.append([ms - 1_200_000 + step * 15_000, there.y, there.x, 8])
    beat.send(beat.phone.item("track", {"points": points}, **beat.in_shift()))
    (row,) = look(beat).segments
    assert row.covered_m == pytest.approx(beat.segment.length_m / 2, rel=0.02)
    assert look(beat).length_share == pytest.approx(0.5, rel=0.02)
    assert look(beat, days=0.0001).length_share == 0


def test_regularity_and_the_month(beat: Beat) -> None:
    for days in (1, 8, 15, 22):
        visit(beat, 0, days)
    since = beat.at - timedelta(days=60)
    for shop in beat.shops:
        shop.opened_at = since
    beat.session.flush()
    assert covering.regularity(beat.session, None, since=since, at=beat.at) == pytest.approx(0)
    month = monthly.look(beat.session, None, beat.at.date().replace(day=1), at=beat.at)
    assert month.visits == 1
    assert month.result.of_100 is not None
    page = monthly.look(beat.session, None, month.first, at=beat.at, shops=0)
    assert (page.covered.bands, page.covered.shops) == (month.covered.bands, [])
    assert len(month.covered.shops) == 3


def test_the_first_morning_of_a_month_reads_no_zeros(beat: Beat) -> None:
    """On the 1st at 08:00 the report is of the month that ended; the new one has no shares yet."""
    visit(beat, 0, 5)
    first = datetime(2026, 12, 1, tzinfo=UTC)
    eight = first.replace(hour=0)  # 08:00 in Shanghai
    assert monthly.first_of(None, at=eight) == date(2026, 11, 1)
    assert monthly.first_of(None, at=eight + timedelta(days=1)) == date(2026, 12, 1)
    begins = monthly.look(beat.session, None, date(2026, 12, 1), at=eight)
    assert (begins.covered.bands.due, begins.share, begins.length_share) == (3, None, None)
    assert (begins.result.of_100, begins.result.possible) == (None, 0)
    second = monthly.look(beat.session, None, date(2026, 12, 1), at=eight + timedelta(days=1))
    assert (second.share, second.result.of_100 is not None) == (0, True)


def test_a_few_days_are_held_against_as_many_days_before(beat: Beat) -> None:
    """Six findings in 91 days, then two in eight: nobody has hunted less than before."""
    at = datetime(2026, 11, 9, tzinfo=clock.SHANGHAI)
    of_rows = [SimpleNamespace(found=6, back=0)]
    plan, records = SimpleNamespace(planned=0), SimpleNamespace(visits=0, good=0, false_ones=0)
    covered = covering.look(beat.session, None, since=at - timedelta(days=8), at=at)
    figures = monthly._figures(
        covered,
        plan,
        records,
        [SimpleNamespace(found=2, back=0)],
        of_rows,
        span=timedelta(days=8),
    )
    assert figures.baseline_per_km == pytest.approx(6 * 8 / 91 / (beat.segment.length_m / 1000))
    assert assessment._against_baseline(figures.findings_per_km, figures.baseline_per_km) == 1


def test_raw_points_go_and_what_they_covered_stays(beat: Beat) -> None:
    line, ms = beat.segment.line, beat.at.timestamp() * 1000
    points = [
        [ms - 600_000 + n * 10_000, p.y, p.x, 8]
        for n in range(50)
        for p in [line.interpolate(n / 100, normalized=True)]
    ]
    beat.send(beat.phone.item("track", {"points": points}, **beat.in_shift()))
    assert tracks.forget(beat.session, at=beat.at + timedelta(days=29)) == 0
    assert tracks.forget(beat.session, at=beat.at + timedelta(days=31)) == 1
    assert look(beat).length_share == pytest.approx(0.49, abs=0.02)


def geolife(path: Path) -> list[Point]:
    """Latitude, longitude, 0, feet, days, date, time: as the files of that project are."""
    found = []
    for row in csv.reader(path.read_text().splitlines()[6:]):
        at = datetime.fromisoformat(f"{row[5]}T{row[6]}+00:00")
        found.append(Point(at.timestamp(), float(row[1]), float(row[0]), 10.0))
    return found


@pytest.mark.parametrize("name", ["geolife_000_20081024020959", "geolife_000_20081028003826"])
def test_real_tracks_cover_what_was_walked(strangers: Callable[[str], Path], name: str) -> None:
    track = geolife(strangers(f"C_gps/{name}.plt"))
    rule = tracks.rule()
    on_foot = measures.walked_m(track, rule)
    whole = length_m(shapely.LineString([(p.lon, p.lat) for p in track]))
    assert 0 < on_foot < whole  # these people also rode
    # A street laid along a real stretch on foot is covered; one 60 m beside it is not.
    walked = measures.pieces(track, rule)
    runs: list[list[Point]] = [[walked[0][0]]]
    for one, other in walked:
        if runs[-1][-1] is not one:
            runs.append([one])
        runs[-1].append(other)
    run = max(runs, key=lambda row: len({(p.lon, p.lat) for p in row}))
    street = shapely.LineString([(p.lon, p.lat) for p in run])
    plane = Plane.around(street)
    flat = plane.flat(street).simplify(15)
    lines = {
        "walked": plane.round(flat),
        "beside": plane.round(shapely.affinity.translate(flat, 400, 400)),
    }
    found = measures.stretches(track, lines, rule)
    share = measures.covered_share([(a, b) for key, a, b in found if key == "walked"], flat.length)
    beside = measures.covered_share([(a, b) for key, a, b in found if key == "beside"], flat.length)
    assert share > 0.6
    assert beside < 0.5 * share
    assert measures.stretches(track, lines, rule) == found


@pytest.mark.parametrize("name", ["geolife_000_20081024020959", "geolife_000_20081028003826"])
def test_real_fixes_are_judged_by_where_they_are(
    strangers: Callable[[str], Path], name: str
) -> None:
    track = geolife(strangers(f"C_gps/{name}.plt"))
    door = shapely.Point(track[0].lon, track[0].lat)
    rule = rules.reach()
    for point in track[:: max(1, len(track) // 400)]:
        verdict = reach.judge(reach.Fix(point.lon, point.lat, point.accuracy_m), door, None, rule)
        assert verdict.distance_m is not None
        wanted = reach.verdict(verdict.distance_m, point.accuracy_m, None, rule)
        assert verdict.outcome == wanted.outcome
        assert (verdict.outcome == "verified") == (verdict.distance_m <= 40)
