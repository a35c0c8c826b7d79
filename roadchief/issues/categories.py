"""What a case may be about: 42 items of frontage duty, facilities, ideas. *Pure.*

Items come from streets.standards; what they lack for cases, and everything else, is data in
categories.toml.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from roadchief.issues.deadlines import Limit
from roadchief.streets import standards
from roadchief.streets.standards import Item

FILE = Path(__file__).with_name("categories.toml")
NEAR_M = 25.0  # [D] of the same matter, where the category says nothing else
LONGEST_HOURS_B = 8  # working-hour limits are quick street matters (class B)
Words = tuple[str, str]


@dataclass(frozen=True)
class Category:
    """One kind of case. `rank` is the class A (danger) to E (wish)."""

    code: str
    zh: str
    en: str
    group: str
    icon: str
    rank: str
    department: str
    helpers: tuple[str, ...]
    limit: Limit
    response: Limit
    merchant_first: bool
    public: bool
    reportable: bool
    needs_photo: bool
    needs_code: bool
    near_m: float
    opening: Words
    closing: Words
    stop: Words | None = None

    @property
    def danger(self) -> bool:
        return self.rank == "A"

    def say(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Tile:
    """A picture of the citizen's page."""

    code: str
    zh: str
    en: str

    def say(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


@cache
def known() -> dict[str, Category]:
    """All categories by code, in the order of the lists."""
    raw = _raw()
    found = [_of_item(item) for item in standards.items().values()]
    for group, rows in (("facility", "facilities"), ("idea", "ideas"), ("other", "others")):
        found += [_of_row(row, group) for row in raw[rows]]
    for category in found:
        unknown = {category.department, *category.helpers} - set(standards.departments())
        if unknown:
            raise ValueError(f"categories.toml: {category.code} names {unknown}")
    return {category.code: category for category in found}


def find(code: str) -> Category:
    """The category, or `other` for a code that is no longer in the lists."""
    return known().get(code) or known()["QT01"]


@cache
def public_codes() -> tuple[str, ...]:
    """What pages without sign-in may show."""
    return tuple(code for code, category in known().items() if category.public)


def reportable() -> list[Category]:
    """What a citizen may choose."""
    return [category for category in known().values() if category.reportable]


def tiles() -> list[Tile]:
    return [Tile(**row) for row in _raw()["tiles"]]


def groups() -> dict[str, Words]:
    return {code: (row["zh"], row["en"]) for code, row in _raw()["groups"].items()}


def danger_words(text: str) -> list[str]:
    """Words in a text that raise urgency at once."""
    folded = text.lower()
    return [word for word in _raw()["danger"]["words"] if word in folded]


def version() -> str:
    """Which lists a case's limit was taken from."""
    return f"{standards.version()}/{_raw()['version']}"


@cache
def _raw() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def _of_item(item: Item) -> Category:
    raw = _raw()
    group = raw["groups"][item.group]
    own = raw["items"].get(item.code, {})
    limit = Limit(item.limit.amount, item.limit.clock)
    rank = _rank(item)
    return Category(
        code=item.code,
        zh=item.zh,
        en=item.en,
        group=item.group,
        icon=own.get("icon", group["icon"]),
        rank=rank,
        department=item.department,
        helpers=item.helpers,
        limit=limit,
        response=_limit(raw["classes"][rank]["response"]),
        # Whoever may put it right himself is told first; danger is nobody's to wait for.
        merchant_first=(item.merchant_first or standards.MERCHANT in item.who) and rank != "A",
        public=item.public and not own.get("private", False),
        reportable=item.public,
        needs_photo=True,
        needs_code=item.needs_inspection_code,
        near_m=float(own.get("near_m", NEAR_M)),
        opening=_pair(own.get("opening", group["opening"])),
        closing=_pair(own.get("closing", group["closing"])),
    )


def _rank(item: Item) -> str:
    if item.severity == "X":
        return "A"
    if item.limit.clock in {"h", "wh"} and item.limit.amount <= LONGEST_HOURS_B:
        return "B"
    return "C" if item.limit.amount <= 5 else "D"


def _of_row(row: dict[str, Any], group_code: str) -> Category:
    raw = _raw()
    group, rank = raw["groups"][group_code], row["class"]
    return Category(
        code=row["code"],
        zh=row["zh"],
        en=row["en"],
        group=group_code,
        icon=row.get("icon", group["icon"]),
        rank=rank,
        department=row["department"],
        helpers=tuple(row.get("helpers", ())),
        limit=_limit(row.get("limit", raw["classes"][rank]["limit"])),
        response=_limit(raw["classes"][rank]["response"]),
        merchant_first=False,
        public=not row.get("private", False),
        reportable=True,
        needs_photo=group_code == "facility",
        needs_code=False,
        near_m=float(row.get("near_m", NEAR_M)),
        opening=_pair(row.get("opening", group["opening"])),
        closing=_pair(row.get("closing", group["closing"])),
        stop=_pair(row["stop"]) if "stop" in row else None,
    )


def _limit(text: str) -> Limit:
    amount, clock = text.split()
    return Limit(float(amount), clock)


def _pair(row: list[str]) -> Words:
    return row[0], row[1]
