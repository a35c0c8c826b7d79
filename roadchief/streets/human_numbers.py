"""Human numbers of storefronts (WF-LSL-0639-1): counted on, one after the other."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.db import in_turn, tenant_of
from roadchief.streets.models import Storefront

AT_ONCE = 20  # copies of one number asked for in one query


def take_turn(session: Session) -> None:
    """Two who count at once would reach the same: the second waits for the first's commit."""
    in_turn(session, "storefront.human_number")


def free(session: Session, stems: Sequence[str]) -> list[str]:
    """The next free number of each stem, in order; whoever asks has taken the turn."""
    used: dict[str, set[int]] = {}
    asked: dict[str, int] = {}
    numbers = []
    for stem in stems:
        copy = 1
        while True:
            if copy > asked.get(stem, 0):
                _ask(
                    session, {one for one in stems if one == stem or one not in asked}, asked, used
                )
            if copy not in used[stem]:
                break
            copy += 1
        used[stem].add(copy)
        numbers.append(f"{stem}-{copy}")
    return numbers


def _ask(
    session: Session, stems: set[str], asked: dict[str, int], used: dict[str, set[int]]
) -> None:
    """Which of the next copies are taken. Equality alone: its index works under row security."""
    wanted: dict[str, tuple[str, int]] = {}
    for stem in stems:
        first = asked.get(stem, 0) + 1
        asked[stem] = first + AT_ONCE - 1
        used.setdefault(stem, set())
        for copy in range(first, first + AT_ONCE):
            wanted[f"{stem}-{copy}"] = (stem, copy)
    rows = session.scalars(
        select(Storefront.human_number)
        .where(Storefront.subdistrict_id == tenant_of(session))
        .where(Storefront.human_number.in_(list(wanted)))
    )
    for number in rows:
        stem, copy = wanted[str(number)]
        used[stem].add(copy)
