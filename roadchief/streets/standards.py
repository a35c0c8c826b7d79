"""What a street is held to: 42 items, who may check them, how bad, whose, how soon. *Pure.*

The lists are data in standards.toml. Patrol is not inspection: an item that only E may check
needs an enforcement visit with its 检查码 (inspection code).
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("standards.toml")
PATROL, MERCHANT, ENFORCEMENT = "P", "M", "E"
CLOCKS = {
    "wh": ("工作时", "working hours"),
    "wd": ("工作日", "working days"),
    "h": ("小时", "hours"),
}
GRADES: dict[str, tuple[str, str]] = {
    "best": ("优", "excellent"),
    "good": ("良", "good"),
    "fair": ("中", "fair"),
    "poor": ("差", "poor"),
    "danger": ("危", "danger"),
}


@dataclass(frozen=True)
class Limit:
    """How long there is to put it right: `amount` of a clock (wh, wd or h)."""

    amount: int
    clock: str

    def say(self, language: str) -> str:
        return f"{self.amount} {CLOCKS[self.clock][0 if language == 'zh' else 1]}"


@dataclass(frozen=True)
class Department:
    code: str
    zh: str
    en: str

    def say(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Severity:
    """`points` are taken when a finding is not put right in time."""

    code: str
    zh: str
    en: str
    points: int
    photo: str


@dataclass(frozen=True)
class Item:
    """One line of the checklist.

    `who` are the letters of those who may check it; `patrol_only` narrows what a patrol may say.
    `department` leads, after the merchant where `merchant_first`; `helpers` are called as needed.
    `photo` is `required` or `optional` for a finding.
    """

    code: str
    zh: str
    en: str
    group: str
    who: tuple[str, ...]
    severity: str
    department: str
    helpers: tuple[str, ...]
    merchant_first: bool
    limit: Limit
    photo: str
    patrol_only: tuple[str, str] | None
    first: tuple[str, str] | None  # what is done before anything else

    @property
    def public(self) -> bool:
        """Seen from the street, so that anybody may report it."""
        return PATROL in self.who

    @property
    def needs_inspection_code(self) -> bool:
        """Nobody but an enforcement visit may find it."""
        return self.who == (ENFORCEMENT,)

    def say(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


def items() -> dict[str, Item]:
    """All 42, in the order of the list."""
    return dict(_read()[0])


def departments() -> dict[str, Department]:
    return dict(_read()[1])


def severities() -> dict[str, Severity]:
    """From light to danger."""
    return dict(_read()[2])


def groups() -> dict[str, tuple[str, str]]:
    """Names of the groups, Chinese and English."""
    return dict(_read()[3])


def version() -> str:
    return str(_raw()["version"])


def fallback() -> str:
    """The department that leads where nobody else does."""
    return str(_raw()["fallback"])


def items_for(who: str) -> dict[str, Item]:
    """What P, M or E may check."""
    return {code: item for code, item in items().items() if who in item.who}


def grade(found: Iterable[str]) -> str:
    """The grade of one visit from the codes of its findings: the worst one decides."""
    severity = {items()[code].severity for code in found}
    for letter, name in (("X", "danger"), ("S", "poor"), ("M", "fair"), ("L", "good")):
        if letter in severity:
            return name
    return "best"


@cache
def _raw() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def _read() -> tuple[
    dict[str, Item], dict[str, Department], dict[str, Severity], dict[str, tuple[str, str]]
]:
    raw = _raw()
    offices = {code: Department(code, **row) for code, row in raw["departments"].items()}
    grades = {code: Severity(code, **row) for code, row in raw["severities"].items()}
    named = {code: (row["zh"], row["en"]) for code, row in raw["groups"].items()}
    found = [_item(row, grades, raw["fallback"]) for row in raw["items"]]
    for item in found:
        unknown = {item.department, *item.helpers} - set(offices)
        if unknown or item.group not in named or item.limit.clock not in CLOCKS:
            raise ValueError(f"standards.toml: {item.code} names what is not listed")
    if len({item.code for item in found}) != len(found):
        raise ValueError("standards.toml: a code stands twice")
    return {item.code: item for item in found}, offices, grades, named


def _item(row: dict[str, Any], grades: dict[str, Severity], fallback_code: str) -> Item:
    acting = [code for code in row["lead"] if code != "merchant"] or [fallback_code]
    amount, clock = row["limit"].split()
    return Item(
        code=row["code"],
        zh=row["zh"],
        en=row["en"],
        group=row["group"],
        who=tuple(row["who"]),
        severity=row["severity"],
        department=acting[0],
        helpers=tuple(acting[1:]),
        merchant_first=row["lead"][0] == "merchant",
        limit=Limit(int(amount), clock),
        photo=row.get("photo", grades[row["severity"]].photo),
        patrol_only=_pair(row.get("patrol_only")),
        first=_pair(row.get("first")),
    )


def _pair(row: dict[str, str] | None) -> tuple[str, str] | None:
    return (row["zh"], row["en"]) if row else None
