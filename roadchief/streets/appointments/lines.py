"""One line of an office's list: who, which post, which streets. *Pure.*"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from roadchief.accounts.access import CAPACITIES, ROLES
from roadchief.lib.text import clean

FILE = Path(__file__).with_name("words.toml")
MOST_LINES = 500  # [D] taken in within one request: some seven seconds
LONGEST_CELL = 300
MUST_HAVE = ("name", "role")
SEVERAL = re.compile(r"[、，,;；\n]+")
FORBIDDEN = frozenset({"merchant"})  # who speaks for a shop is named at the shop


@dataclass(frozen=True)
class Line:
    """As it was written; `number` is where a person finds it in the file."""

    number: int
    name: str
    login: str
    phone: str
    email: str
    role: str
    title: str
    capacity: str
    organisation: str
    roads: tuple[str, ...]
    segments: tuple[str, ...]
    block: str


@cache
def words() -> dict[str, Any]:
    with FILE.open("rb") as file:
        return tomllib.load(file)


def columns_of(headings: Iterable[str]) -> dict[str, str]:
    """Field to the heading that stands for it; the first of two that both do."""
    found: dict[str, str] = {}
    plain = {re.sub(r"[\s*＊]|\(.*?\)", "", clean(one)).lower(): one for one in headings}
    for field, names in words()["columns"].items():
        for name in names:
            if name in plain:
                found.setdefault(field, plain[name])
    return found


def read(number: int, cells: Mapping[str, str]) -> Line:
    """`cells` by field; what is absent is empty."""
    one = {field: clean(cells.get(field, ""))[:LONGEST_CELL] for field in words()["columns"]}
    return Line(
        number=number,
        name=one["name"].replace(" ", "") if not one["name"].isascii() else one["name"],
        login=one["login"].lower(),
        phone=one["phone"],
        email=one["email"],
        role=one["role"],
        title=one["title"],
        capacity=one["capacity"],
        organisation=one["organisation"],
        roads=_several(cells.get("road", "")),
        segments=_several(cells.get("segment", "")),
        block=one["block"],
    )


def role_of(word: str) -> str | None:
    """The post that a word means: its name in either language, its key, or a local word."""
    named = {name.lower(): key for key, names in ROLES.items() for name in (*names, key)}
    found = (named | words()["roles"]).get(word.lower())
    return None if found in FORBIDDEN else found


def capacity_of(word: str) -> str | None:
    """Of an empty cell: 干部, as most are."""
    if not word:
        return "cadre"
    named = {name.lower(): key for key, names in CAPACITIES.items() for name in (*names, key)}
    return named.get(word.lower())


def level_of(role: str) -> int | None:
    """Of the chiefs by level; the others have none."""
    return int(role[-1]) if role[-1].isdigit() else None


def _several(cell: str) -> tuple[str, ...]:
    parts = (clean(one) for one in SEVERAL.split(cell[:LONGEST_CELL]))
    return tuple(dict.fromkeys(one for one in parts if one))
