"""The kinds of blocks, organisations, stations, permits and roads: a data file. *Pure.*"""

import tomllib
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("kinds.toml")
Words = dict[str, tuple[str, str]]


@cache
def of(what: str) -> Words:
    """Key to (Chinese, English), in the order of the file; `what` is a table of it."""
    with FILE.open("rb") as file:
        table = tomllib.load(file)[what]
    return {key: (words[0], words[1]) for key, words in table.items()}


def word(what: str, key: str | None, language: str) -> str:
    """The name of a kind; a key of a sub-district's own is shown as it is."""
    if not key:
        return "—"
    return of(what).get(key, (key, key))[0 if language == "zh" else 1]
