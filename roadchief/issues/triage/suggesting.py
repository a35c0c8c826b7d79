"""Category suggested from words, with the pieces that speak for it. A person decides. *Pure.*

Danger words are no matter of learning: they are listed in categories.toml and always count.
"""

import json
import math
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

MODEL = Path(__file__).with_name("model.json")
LONGEST = 3  # characters of a piece
SURE = 0.15  # below this nothing is suggested
MOST_READ = 1000  # characters of a text
OPENING = 40  # who writes much says first what it is about: these characters count more
TIMES = 4
OTHER = "QT01"


@dataclass(frozen=True)
class Suggestion:
    """`sure` from 0 to 1; `why` are the pieces with the most weight."""

    code: str
    sure: float
    why: tuple[str, ...]

    def __iter__(self) -> Any:
        return iter((self.code, self.sure, self.why))


def suggest(words: str) -> list[Suggestion]:
    """Up to three likely categories; none where the words say too little or nothing of a street."""
    found = judge(_kept(), words, most=3)
    if not found or found[0].code == OTHER:
        return []
    return [one for one in found if one.sure >= SURE and one.code != OTHER]


def judge(model: dict[str, Any], words: str, *, most: int) -> list[Suggestion]:
    """All classes scored by a sum of weights: each suggestion can be added up by hand."""
    weighed = _weighed(model, words.lower()[:MOST_READ])
    if not weighed:
        return []
    classes, rest = model["classes"], model["rest"]
    scores = [
        rest[n] + sum(value * model["pieces"][piece][1][n] for piece, value in weighed.items())
        for n in range(len(classes))
    ]
    top = max(scores)
    powers = [math.exp(score - top) for score in scores]
    whole = sum(powers)
    order = sorted(range(len(classes)), key=lambda n: -scores[n])[:most]
    return [Suggestion(classes[n], powers[n] / whole, _why(model, weighed, n)) for n in order]


def _weighed(model: dict[str, Any], text: str) -> dict[str, float]:
    """Known pieces of the text with their weight, as the model was learned."""
    folded = " ".join(text.split())
    seen = _pieces(folded)
    if len(folded) > OPENING:
        for piece, count in _pieces(folded[:OPENING]).items():
            seen[piece] += (TIMES - 1) * count
    found = {
        piece: (1 + math.log(count)) * model["pieces"][piece][0]
        for piece, count in seen.items()
        if piece in model["pieces"]
    }
    norm = math.sqrt(sum(value * value for value in found.values()))
    return {piece: value / norm for piece, value in found.items()} if norm else {}


def _pieces(text: str) -> Counter[str]:
    return Counter(
        text[start : start + length]
        for length in range(1, LONGEST + 1)
        for start in range(len(text) - length + 1)
    )


def _why(model: dict[str, Any], weighed: dict[str, float], n: int) -> tuple[str, ...]:
    """The longest pieces that speak most for class n, none inside another."""
    shares = sorted(
        ((value * model["pieces"][piece][1][n], piece) for piece, value in weighed.items()),
        reverse=True,
    )
    chosen: list[str] = []
    for share, piece in shares[:12]:
        plain = piece.strip()
        if share > 0 and len(plain) > 1 and not any(plain in one for one in chosen):
            chosen = [one for one in chosen if one not in plain] + [plain]
    return tuple(chosen[:4])


@cache
def _kept() -> dict[str, Any]:
    if not MODEL.exists():
        return {"classes": [], "rest": [], "pieces": {}}
    found: dict[str, Any] = json.loads(MODEL.read_text(encoding="utf-8"))
    return found
