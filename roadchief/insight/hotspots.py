"""Segments with more cases than their neighbourhood explains: Getis-Ord Gi* by esda. *Pure.*"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from esda.getisord import G_Local
from libpysal.weights import KNN

NEIGHBOURS = 6
LEAST = 12  # segments below which a neighbourhood says nothing
METRES_A_DEGREE = 111_320.0


@dataclass(frozen=True)
class Heat:
    """`z` above 0 is hot; `p` says how often chance alone would do that."""

    z: float
    p: float


def heat(places: Sequence[tuple[float, float]], counts: Sequence[float]) -> list[Heat | None]:
    """Gi* of each segment from the counts of its nearest ones (itself too), by normal theory.

    Too few segments, or the same count everywhere: nothing can be said, None for each.
    """
    values = np.asarray(counts, dtype=float)
    if len(values) < LEAST or np.allclose(values, values[0]):
        return [None] * len(values)
    at = np.asarray(places, dtype=float)
    flat = at * [METRES_A_DEGREE * np.cos(np.radians(at[:, 1].mean())), METRES_A_DEGREE]
    # Two segments may meet in one point; a hair apart they still are neighbours.
    flat += np.arange(len(flat))[:, None] * 1e-6
    weights = KNN.from_array(flat, k=NEIGHBOURS, silence_warnings=True)
    found = G_Local(values, weights, transform="B", permutations=0, star=True)
    return [Heat(float(z), float(p)) for z, p in zip(found.Zs, found.p_norm, strict=True)]
