"""A week's plan from how often each role walks, who answers for what, and who is away. *Pure.*

Daily walks need one person a segment: a patroller before a segment chief before a level-3 chief.
Higher chiefs walk by their own rhythm. Whoever is away is stood in for; where nobody stands in
there is a gap, and gaps and overlaps are told, never hidden.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from roadchief.patrol.rules import Frequency

DAILY = ("patroller", "segment_chief", "chief_l3")
WEEKLY = ("chief_l2", "chief_l1", "chief_general")
L1_WEEKS = 4  # every segment of the own road once in so many weeks


@dataclass(frozen=True)
class Segment:
    id: Hashable
    road_id: Hashable
    seq: int
    key: bool
    name: str = ""


@dataclass(frozen=True)
class Walker:
    """A person in a role, with the segments answered for."""

    person_id: Hashable
    role: str
    segments: tuple[Hashable, ...]


@dataclass(frozen=True)
class Away:
    """Days on which a person does not walk, and who does instead."""

    person_id: Hashable
    from_on: date
    to_on: date
    stand_in_id: Hashable | None = None


@dataclass(frozen=True)
class Walk:
    """A shift proposed: local times of one day."""

    person_id: Hashable
    role: str
    on: date
    begins: time
    ends: time
    segments: tuple[Hashable, ...]
    stands_in_for_id: Hashable | None = None

    def meets(self, other: "Walk") -> bool:
        return self.on == other.on and self.begins < other.ends and other.begins < self.ends


@dataclass(frozen=True)
class Gap:
    """A segment that nobody walks on a working day, and why."""

    on: date
    segment_id: Hashable
    why: str  # nobody, away


@dataclass(frozen=True)
class Overlap:
    """Two walks at one time: of one person (`person`), or over one segment (`segment`)."""

    one: Walk
    other: Walk
    why: str


@dataclass(frozen=True)
class Week:
    walks: list[Walk]
    gaps: list[Gap]
    overlaps: list[Overlap]


def plan(
    monday: date,
    segments: Sequence[Segment],
    walkers: Sequence[Walker],
    away: Sequence[Away],
    frequencies: Mapping[str, Frequency],
    *,
    is_workday: Callable[[date], bool],
) -> Week:
    """The week from `monday` on."""
    days = [day for n in range(7) if is_workday(day := monday + timedelta(days=n))]
    known = {one.id: one for one in segments}
    by_day = _share_out(segments, walkers)
    wanted: list[Walk] = []
    for walker, own in by_day:
        for day in days:
            wanted += _daily(walker, [known[one] for one in own], day, frequencies)
    for walker in walkers:
        own_segments = [known[one] for one in walker.segments if one in known]
        wanted += _by_rhythm(walker, own_segments, days, monday, frequencies)
    walks, dropped = _stand_in(wanted, away)
    return Week(walks, gaps(days, segments, walks, dropped), overlaps(walks))


def gaps(
    days: Iterable[date],
    segments: Sequence[Segment],
    walks: Sequence[Walk],
    dropped: Sequence[Walk] = (),
) -> list[Gap]:
    """Segments that no daily walk covers on a working day."""
    seen = {(walk.on, one) for walk in walks for one in walk.segments}
    lost = {(walk.on, one) for walk in dropped for one in walk.segments}
    return [
        Gap(day, segment.id, "away" if (day, segment.id) in lost else "nobody")
        for day in days
        for segment in segments
        if (day, segment.id) not in seen
    ]


def overlaps(walks: Sequence[Walk]) -> list[Overlap]:
    found = []
    by_day: dict[date, list[Walk]] = defaultdict(list)
    for walk in walks:
        by_day[walk.on].append(walk)
    for row in by_day.values():
        for one, other in itertools.combinations(row, 2):
            if not one.meets(other):
                continue
            if one.person_id == other.person_id:
                found.append(Overlap(one, other, "person"))
            elif set(one.segments) & set(other.segments):
                found.append(Overlap(one, other, "segment"))
    return found


def _share_out(
    segments: Sequence[Segment], walkers: Sequence[Walker]
) -> list[tuple[Walker, list[Hashable]]]:
    """One daily walker a segment: the nearest role, and of several the one with least so far."""
    order = sorted(segments, key=lambda one: (str(one.road_id), one.seq))
    own: dict[int, list[Hashable]] = defaultdict(list)
    for segment in order:
        able = [
            (DAILY.index(walker.role), len(own[place]), place)
            for place, walker in enumerate(walkers)
            if walker.role in DAILY and segment.id in walker.segments
        ]
        if able:
            own[min(able)[2]].append(segment.id)
    return [(walkers[place], ids) for place, ids in own.items() if ids]


def _daily(
    walker: Walker,
    own: Sequence[Segment],
    day: date,
    frequencies: Mapping[str, Frequency],
) -> list[Walk]:
    """Key roads morning and evening, the rest once."""
    frequency = frequencies[walker.role]
    key = tuple(one.id for one in own if one.key)
    plain = tuple(one.id for one in own if not one.key)
    found = []
    for windows, ids in ((frequency.key_windows, key), (frequency.windows, plain)):
        for begins, ends in windows if ids else ():
            found.append(_walk(walker, day, begins, ends, ids))
    return found


def _by_rhythm(
    walker: Walker,
    own: Sequence[Segment],
    days: Sequence[date],
    monday: date,
    frequencies: Mapping[str, Frequency],
) -> list[Walk]:
    """Chiefs of the higher levels: so many walks a week, together over what they must cover."""
    if walker.role not in WEEKLY or not own or not days:
        return []
    frequency = frequencies[walker.role]
    row = sorted(own, key=lambda one: (str(one.road_id), one.seq))
    week = monday.toordinal() // 7
    if frequency.cover == "any":
        if frequency.days > 7 and week % (frequency.days // 7):
            return []
        parts = [row[week % len(row) :][:3]]
    elif frequency.cover == "month":
        parts = [row[week % L1_WEEKS :: L1_WEEKS] or row[:1]]
    else:
        half = -(-len(row) // frequency.times)
        parts = [row[n * half : (n + 1) * half] for n in range(frequency.times)]
    found = []
    for number, part in enumerate(part for part in parts if part):
        day = days[min(len(days) - 1, 1 + 2 * number)]
        ids = tuple(one.id for one in part)
        found.append(_walk(walker, day, "14:00", "16:00", ids))
    return found


def _walk(walker: Walker, day: date, begins: str, ends: str, ids: tuple[Hashable, ...]) -> Walk:
    first, last = time.fromisoformat(begins), time.fromisoformat(ends)
    return Walk(walker.person_id, walker.role, day, first, last, ids)


def _stand_in(wanted: Sequence[Walk], away: Sequence[Away]) -> tuple[list[Walk], list[Walk]]:
    """Walks with whoever is there; those that nobody can take are dropped."""

    def absence(person_id: Hashable, day: date) -> Away | None:
        return next(
            (one for one in away if one.person_id == person_id and one.from_on <= day <= one.to_on),
            None,
        )

    kept, dropped = [], []
    for walk in wanted:
        missing = absence(walk.person_id, walk.on)
        if missing is None:
            kept.append(walk)
        elif missing.stand_in_id is not None and absence(missing.stand_in_id, walk.on) is None:
            kept.append(
                replace(walk, person_id=missing.stand_in_id, stands_in_for_id=walk.person_id)
            )
        else:
            dropped.append(walk)
    return kept, dropped


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def hours(walk: Walk) -> float:
    begins, ends = (datetime.combine(walk.on, one) for one in (walk.begins, walk.ends))
    return (ends - begins).total_seconds() / 3600
