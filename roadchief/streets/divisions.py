"""Statistical codes of sub-districts: does a code belong to a name? *Pure.* (domain.md §7.4)"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from roadchief.streets.naming import same_place

FILE = Path(__file__).with_name("divisions.toml")


@dataclass(frozen=True)
class Doubt:
    """Something that does not fit. A warning: codes change with each edition of the list."""

    zh: str
    en: str


@cache
def known() -> dict[int, str]:
    with FILE.open("rb") as file:
        return {int(code): name for code, name in tomllib.load(file)["known"].items()}


def doubts(code: int, name: str) -> list[Doubt]:
    """What is doubtful about a code and a name; empty where they fit."""
    listed = known().get(code)
    if listed and same_place(listed, name):
        return []
    found = []
    if listed:
        said = f"{code} 在统计代码中是“{listed}”，不是“{name}”"
        found.append(Doubt(said, f"{code} is {listed}, not {name}"))
    for other, other_name in known().items():
        if same_place(other_name, name):
            said = f"“{name}”的统计代码应为 {other}，不是 {code}"
            found.append(Doubt(said, f"the code of {name} should be {other}, not {code}"))
    return found or _unlisted(code, name)


def _unlisted(code: int, name: str) -> list[Doubt]:
    """By the last three figures: 001–099 sub-districts, 100–399 towns, then farms and zones."""
    last = code % 1000
    if last >= 400:
        said = f"{code} 末三位为 {last}，一般是农场、开发区，不是街镇"
        return [Doubt(said, f"{code} ends in {last}: usually a farm or zone, no town")]
    if (last < 100) == name.endswith("街道"):
        return []
    zh, en = ("街道", "sub-district") if last < 100 else ("镇乡", "town")
    said = f"{code} 末三位为 {last:03d}，一般是{zh}，与名称“{name}”不符"
    return [Doubt(said, f"{code} ends in {last:03d}: usually a {en}, unlike {name}")]
