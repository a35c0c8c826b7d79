"""Ids of a file and of the database by their hash: some bytes a row, for a million rows. *Pure.*"""

from collections.abc import Iterable
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.int64]


class Keys:
    """Which ids came before. Sorted runs, the smaller merged as they add up."""

    def __init__(self) -> None:
        self._runs: list[Hashes] = []

    def fresh(self, keys: Hashes) -> NDArray[np.bool_]:
        """True for the first row of each key, within these and all before; remembers them."""
        first = np.zeros(len(keys), dtype=bool)
        first[np.unique(keys, return_index=True)[1]] = True
        for run in self._runs:
            first &= ~_among(run, keys)[0]
        self._runs.append(np.sort(keys[first]))
        while len(self._runs) > 1 and len(self._runs[-2]) <= 2 * len(self._runs[-1]):
            last, before = self._runs.pop(), self._runs.pop()
            self._runs.append(np.sort(np.concatenate([before, last])))
        return first


class Known:
    """The content marks of rows that we have, by key. A row without a mark differs from any."""

    def __init__(self, rows: Iterable[tuple[int, int | None]]) -> None:
        flat = chain.from_iterable((key, -1 if mark is None else mark) for key, mark in rows)
        pairs = np.fromiter(flat, dtype=np.int64).reshape(-1, 2)
        pairs = pairs[np.argsort(pairs[:, 0])]
        self._keys, self._marks = pairs[:, 0].copy(), pairs[:, 1].copy()

    def compare(self, keys: Hashes, marks: Hashes) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which keys are known, and which of these have the same mark."""
        known, at = _among(self._keys, keys)
        same = known.copy()
        same[known] = self._marks[at[known]] == marks[known]
        return known, same


def _among(run: Hashes, keys: Hashes) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    if not len(run):
        return np.zeros(len(keys), dtype=bool), np.zeros(len(keys), dtype=np.int64)
    at = np.minimum(np.searchsorted(run, keys), len(run) - 1)
    return np.asarray(run[at] == keys), np.asarray(at)
