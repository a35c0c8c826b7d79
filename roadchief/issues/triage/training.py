"""How triage learns: a linear model over pieces of text, kept as plain numbers.

Numbers, not a pickle: the file can be read by anybody, loads without code of its own, and every
suggestion can be traced to the pieces that speak for it. It holds pieces of one to three
characters and their weights, so no report can be read back from it.
"""

import csv
import itertools
import json
import tomllib
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
PHRASES = FOLDER / "phrases.toml"
MODEL = FOLDER / "model.json"
HELD_BACK = 0.25
MOST_PIECES = 2200
SEED = 20261124
STEPS = 3  # learned from most, counted on the rest, learned from all
Sample = tuple[str, str]


class NothingToLearn(ValueError):
    """Too few rows, or one label only."""


@dataclass(frozen=True)
class Learned:
    """A model as plain numbers, and how it did on rows it had not seen."""

    model: dict[str, Any]
    rows: int
    labels: int
    held_back: int
    right: int
    baseline: int

    @property
    def accuracy(self) -> float | None:
        return self.right / self.held_back if self.held_back else None


def own_phrases() -> list[Sample]:
    """Sentences made of our own phrases: (text, category)."""
    raw = tomllib.loads(PHRASES.read_text(encoding="utf-8"))
    frames = list(itertools.product(raw["frames"]["before"], raw["frames"]["after"]))
    found = []
    for code, phrases in raw["phrases"].items():
        for number, phrase in enumerate(phrases):
            for step in range(5):
                before, after = frames[(number * 7 + step * 11) % len(frames)]
                found.append((before + phrase + after, code))
    return found


def read_samples(path: Path, *, text: Sequence[str], label: str) -> list[Sample]:
    """Labelled rows of a CSV: the named text columns joined, and the label's column."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = {*text, label} - set(rows.fieldnames or ())
        if missing:
            raise NothingToLearn(f"no column {', '.join(sorted(missing))}")
        found = [
            (" ".join(row.get(column) or "" for column in text).strip(), (row[label] or "").strip())
            for row in rows
        ]
    return [(words, code) for words, code in found if words and code]


def learn(
    samples: Sequence[Sample],
    *,
    held_back: float = HELD_BACK,
    tell: Callable[[], object] = lambda: None,
) -> Learned:
    """Learn from three quarters, count on the rest, then learn from all for the kept model.

    `tell` is called after each of the STEPS.
    """
    from sklearn.model_selection import train_test_split

    labels = Counter(code for _, code in samples)
    if len(labels) < 2 or len(samples) < 8:
        raise NothingToLearn("at least 8 rows with two labels are needed")
    right = baseline = tested = 0
    if held_back:
        known, unseen = train_test_split(list(samples), test_size=held_back, random_state=SEED)
        if len({code for _, code in known}) > 1:
            model = _fit(known)
            tell()
            often = Counter(code for _, code in known).most_common(1)[0][0]
            tested = len(unseen)
            right = sum(best(model, words) == code for words, code in unseen)
            baseline = sum(often == code for _, code in unseen)
            tell()
    model = _fit(samples)
    tell()
    return Learned(model, len(samples), len(labels), tested, right, baseline)


def best(model: dict[str, Any], words: str) -> str | None:
    from roadchief.issues.triage import suggesting

    found = suggesting.judge(model, words, most=1)
    return found[0].code if found else None


def save(model: dict[str, Any], path: Path = MODEL) -> None:
    text = json.dumps(model, ensure_ascii=False, separators=(",", ":"))
    making = path.with_suffix(".making")
    making.write_text(text, encoding="utf-8")
    making.replace(path)


def _fit(samples: Sequence[Sample]) -> dict[str, Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    pieces = TfidfVectorizer(
        analyzer="char", ngram_range=(1, 3), max_features=MOST_PIECES, sublinear_tf=True
    )
    matrix = pieces.fit_transform(words for words, _ in samples)
    line = LogisticRegression(C=20.0, max_iter=400)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # many labels on few rows: the count tells
        line.fit(matrix, [code for _, code in samples])
    weights, rest = line.coef_, line.intercept_
    if len(line.classes_) == 2:  # one row stands for both
        import numpy

        weights, rest = numpy.vstack([-weights, weights]), numpy.append(-rest, rest)
    names = pieces.get_feature_names_out()
    return {
        "classes": [str(one) for one in line.classes_],
        "rest": [round(float(one), 4) for one in rest],
        "pieces": {
            str(name): [
                round(float(pieces.idf_[n]), 3),
                [round(float(w), 2) for w in weights[:, n]],
            ]
            for n, name in enumerate(names)
        },
    }
