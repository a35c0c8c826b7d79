"""The figures of rules.toml, by name. *Pure.*"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("rules.toml")


@dataclass(frozen=True)
class Reach:
    """Figures of the presence verdict; `version` is stored with each verdict."""

    version: str
    radius_m: float
    good_accuracy_m: float
    widening_m: float
    blind_accuracy_m: float
    frame_near_m: float


@dataclass(frozen=True)
class Frequency:
    """So many walks in so many days, of what share of the beat."""

    times: int
    days: int
    cover: str
    workdays: bool
    windows: tuple[tuple[str, str], ...]
    key_windows: tuple[tuple[str, str], ...]


def section(name: str) -> dict[str, Any]:
    """One table of the file."""
    return dict(_raw()[name])


@cache
def reach() -> Reach:
    return Reach(**_raw()["reach"])


@cache
def frequencies() -> dict[str, Frequency]:
    """By role; a role that is `like` another has its figures."""
    raw = _raw()["frequency"]
    found = {}
    for role, given in raw.items():
        row = raw[given["like"]] if "like" in given else given
        found[role] = Frequency(
            times=row["times"],
            days=row.get("days", row.get("workdays", 1)),
            cover=row["cover"],
            workdays="workdays" in row,
            windows=_pairs(row.get("windows", [])),
            key_windows=_pairs(row.get("key_windows", row.get("windows", []))),
        )
    return found


def _pairs(rows: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((row[0], row[1]) for row in rows)


@cache
def _raw() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
