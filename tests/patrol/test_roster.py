"""The week's plan: frequency of each role, leave and stand-ins, gaps and overlaps told."""

from collections import Counter
from datetime import date, timedelta

from roadchief.patrol import rules
from roadchief.patrol.planning import roster
from roadchief.patrol.planning.roster import Away, Segment, Walker, Week

MONDAY = date(2026, 11, 2)
DAYS = [MONDAY + timedelta(days=n) for n in range(5)]
SEGMENTS = [
    Segment("a", "崂山路", 1, True),
    Segment("b", "崂山路", 2, False),
    Segment("c", "潍坊路", 1, False),
]
ALL = ("a", "b", "c")


def plan(*walkers: Walker, away: tuple[Away, ...] = (), monday: date = MONDAY) -> Week:
    return roster.plan(
        monday,
        SEGMENTS,
        walkers,
        away,
        rules.frequencies(),
        is_workday=lambda day: day.weekday() < 5,
    )


def test_every_segment_each_working_day_and_key_roads_twice() -> None:
    week = plan(Walker("chen", "patroller", ALL))
    seen = Counter((walk.on, one) for walk in week.walks for one in walk.segments)
    for day in DAYS:
        assert [seen[day, one] for one in "abc"] == [2, 1, 1]
    assert {(walk.begins.hour, walk.ends.hour) for walk in week.walks if "a" in walk.segments} == {
        (7, 9),
        (16, 18),
    }
    assert week.gaps == []
    assert week.overlaps == []


def test_one_daily_walker_a_segment_the_nearest_role_first() -> None:
    week = plan(Walker("duan", "segment_chief", ALL), Walker("chen", "patroller", ("a",)))
    by = {(one, walk.person_id) for walk in week.walks for one in walk.segments}
    assert by == {("a", "chen"), ("b", "duan"), ("c", "duan")}


def test_several_of_one_role_share_the_work() -> None:
    week = plan(Walker("chen", "patroller", ALL), Walker("li", "patroller", ALL))
    assert {walk.person_id for walk in week.walks} == {"chen", "li"}


def test_the_rhythm_of_the_higher_chiefs() -> None:
    second = plan(Walker("zhou", "chief_l2", ALL))
    assert len(second.walks) == 2
    assert {one for walk in second.walks for one in walk.segments} == set(ALL)
    month: set[object] = set()
    for number in range(4):
        week = plan(Walker("wang", "chief_l1", ALL), monday=MONDAY + timedelta(weeks=number))
        assert len(week.walks) == 1
        month |= set(week.walks[0].segments)
    assert month == set(ALL)
    walks = [
        len(plan(Walker("zong", "chief_general", ALL), monday=MONDAY + timedelta(weeks=n)).walks)
        for n in range(4)
    ]
    assert sorted(walks) == [0, 0, 1, 1]


def test_a_stand_in_takes_over_and_it_is_said() -> None:
    leave = Away("chen", DAYS[1], DAYS[2], "li")
    week = plan(Walker("chen", "patroller", ("b",)), away=(leave,))
    who = {walk.on: (walk.person_id, walk.stands_in_for_id) for walk in week.walks}
    assert who[DAYS[0]] == ("chen", None)
    assert who[DAYS[1]] == who[DAYS[2]] == ("li", "chen")


def test_nobody_there_is_a_gap_with_its_reason() -> None:
    week = plan(Walker("chen", "patroller", ("b",)), away=(Away("chen", DAYS[0], DAYS[0]),))
    why = {(gap.on, gap.segment_id): gap.why for gap in week.gaps}
    assert why[DAYS[0], "b"] == "away"
    assert why[DAYS[0], "c"] == "nobody"
    assert (DAYS[1], "b") not in why


def test_an_absent_stand_in_is_no_help() -> None:
    away = (Away("chen", DAYS[0], DAYS[0], "li"), Away("li", DAYS[0], DAYS[0]))
    week = plan(Walker("chen", "patroller", ("b",)), away=away)
    assert DAYS[0] not in {walk.on for walk in week.walks}


def test_no_walks_on_days_off() -> None:
    week = roster.plan(
        MONDAY,
        SEGMENTS,
        [Walker("chen", "patroller", ALL)],
        [],
        rules.frequencies(),
        is_workday=lambda day: day == DAYS[2],
    )
    assert {walk.on for walk in week.walks} == {DAYS[2]}


def test_two_people_on_one_segment_at_once_are_told() -> None:
    week = plan(Walker("chen", "patroller", ("b",)))
    walk = week.walks[0]
    other = roster.Walk("li", "patroller", walk.on, walk.begins, walk.ends, ("b",))
    assert [one.why for one in roster.overlaps([walk, other])] == ["segment"]
