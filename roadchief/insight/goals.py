"""What dashboards show, from goals.toml, and how a share is read. *Pure but for the file.*"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FEWEST = 10  # under so many a share says nothing
SAME = 0.01  # a change of less than a point is none


@dataclass(frozen=True)
class Indicator:
    """A share: of what, which way is good, and the page that opens it."""

    name: str
    zh: str
    en: str
    better: str
    opens: str
    action: str
    stock: bool = False

    def say(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Measure:
    """`part` of `whole`; two of them add up."""

    part: int = 0
    whole: int = 0

    def __add__(self, other: "Measure") -> "Measure":
        return Measure(self.part + other.part, self.whole + other.whole)

    @property
    def share(self) -> float | None:
        """None where there is nothing, or too little to speak of a share."""
        return min(self.part / self.whole, 1.0) if self.whole >= FEWEST else None


Measures = Mapping[str, Measure]
NOTHING = Measure()


@cache
def indicators() -> dict[str, Indicator]:
    return {name: Indicator(name, **row) for name, row in _raw()["indicators"].items()}


@cache
def goals() -> dict[str, tuple[tuple[str, str], tuple[str, ...]]]:
    """Goal: its words and the indicators that it shows."""
    return {
        name: ((row["zh"], row["en"]), tuple(row["shows"])) for name, row in _raw()["goals"].items()
    }


@cache
def themes() -> dict[str, tuple[str, ...]]:
    """Each of the six themes and its indicators; none: nothing is kept for it yet."""
    return {name: tuple(shows) for name, shows in _raw()["themes"].items()}


def score(theme: str, measures: Measures) -> float | None:
    """Mean of the theme's shares that say something, turned so that 1 is good; None: no data."""
    known = [
        good
        for name in themes()[theme]
        if (good := goodness(name, measures.get(name, NOTHING))) is not None
    ]
    return sum(known) / len(known) if known else None


def goodness(name: str, measure: Measure) -> float | None:
    share = measure.share
    if share is None:
        return None
    return share if indicators()[name].better == "high" else 1 - share


def change(name: str, series: Iterable[Measure]) -> tuple[str, float] | None:
    """("better" | "worse" | "same", difference) of the last known share to the first one."""
    known = [share for one in series if (share := one.share) is not None]
    if len(known) < 2:
        return None
    by = known[-1] - known[0]
    if abs(by) < SAME:
        return "same", by
    return ("better" if (by > 0) == (indicators()[name].better == "high") else "worse"), by


@cache
def _raw() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("goals.toml").read_text(encoding="utf-8"))
