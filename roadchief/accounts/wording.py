"""How a notice reads: kinds with a title and a text in both languages, from data. *Pure.*"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
LANGUAGES = ("zh", "en")
LONGEST_WORD, LONGEST_TITLE = 2000, 200
PATH = re.compile(r"/(?![/\\])[\x21-\x7e]{0,400}")  # of our own site, nothing else


class BadWording(Exception):
    """A data file that we cannot use; the text says where."""


@dataclass(frozen=True)
class Wording:
    """One kind of notice; placeholders are names in braces and nothing cleverer."""

    title: dict[str, str]
    text: dict[str, str]


@dataclass(frozen=True)
class Told:
    """A notice as it is read."""

    title: str
    text: str
    path: str | None


def parse(source: str) -> dict[str, Wording]:
    """The kinds of a TOML text. Raises BadWording."""
    try:
        tables = tomllib.loads(source)
        return {kind: _wording(kind, table) for kind, table in tables.items()}
    except (tomllib.TOMLDecodeError, KeyError, AttributeError, TypeError) as error:
        raise BadWording(str(error)) from error


def load(path: Path) -> dict[str, Wording]:
    return parse(path.read_text(encoding="utf-8"))


def say(wording: Wording, words: dict[str, str], language: str) -> Told:
    """The notice in one language. A word that is missing is left out, never a fault.

    Where a word differs by language it comes twice: `{step}` is `step_en` in English if given.
    """
    language = language if language in LANGUAGES else "zh"
    own = {name.removesuffix(f"_{language}"): word for name, word in words.items()}
    words = words | {name: word for name, word in own.items() if f"{name}_{language}" in words}
    title = " ".join(fill(wording.title[language], words).split())[:LONGEST_TITLE]
    return Told(title, fill(wording.text[language], words).strip(), words.get("path"))


def fill(text: str, words: dict[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: words.get(found[1], ""), text)


def sound(words: dict[str, str]) -> dict[str, str]:
    """Words as they are kept: texts of bounded length, a path only within our site."""
    kept = {name: str(word).replace("\0", "")[:LONGEST_WORD] for name, word in words.items()}
    if "path" in kept and not PATH.fullmatch(kept["path"]):
        del kept["path"]
    return kept


def _wording(kind: str, table: dict[str, dict[str, str]]) -> Wording:
    made = Wording(
        {one: table[one]["title"] for one in LANGUAGES},
        {one: table[one]["text"] for one in LANGUAGES},
    )
    for part in (made.title, made.text):
        names = [sorted(PLACEHOLDER.findall(part[one])) for one in LANGUAGES]
        if set(names[0]) != set(names[1]):
            raise BadWording(f"{kind}: Chinese and English name different words")
        for text in part.values():
            if "{" in PLACEHOLDER.sub("", text):
                raise BadWording(f"{kind}: {text!r} has a brace that is no word")
    return made
