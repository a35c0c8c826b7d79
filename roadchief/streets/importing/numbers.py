"""Human numbers for many new doors at once: counted on from what is in use. *Pure.*"""

from collections.abc import Sequence
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from roadchief.streets import naming
from roadchief.streets.importing import columns
from roadchief.streets.importing.columns import Column


class HumanNumbers:
    """Gives out WF-LSL-0639-2 after WF-LSL-0639-1; a number is never used again.

    Shared by the threads that write; `used` may be told again when others gave some out.
    """

    def __init__(self, short_name: str, roads: Sequence[str]) -> None:
        """`roads` are the names of the segments' roads; the last stem is for doors on none."""
        self._stems = columns.of([naming.road_stem(short_name, road) for road in [*roads, ""]])
        self._highest: dict[str, int] = {}
        self._turn = Lock()

    def used(self, highest: dict[str, int]) -> None:
        """The highest last part in use, by all that stands before it."""
        with self._turn:
            for stem, last in highest.items():
                self._highest[stem] = max(self._highest.get(stem, 0), last)

    def stems(self, segment: NDArray[np.int64], house_numbers: Column) -> Column:
        """What the numbers of these doors begin with, as WF-LSL-0639-. Segment -1 is none."""
        # Index -1 of an array is its last, but Arrow does not count from the end.
        place = np.where(segment < 0, len(self._stems) - 1, segment)
        known = house_numbers.dictionary_encode()
        doors = columns.of([naming.door_code(text) for text in known.dictionary.to_pylist()])
        return columns.joined(
            [self._stems.take(pa.array(place)), doors.take(known.indices), ""], "-"
        )

    def give(self, stems: Column) -> Column:
        """The next free number of each stem, in the order of the rows."""
        known = stems.dictionary_encode()
        of_stem = known.indices.to_numpy(zero_copy_only=False)
        counts = np.bincount(of_stem, minlength=len(known.dictionary))
        with self._turn:
            before = np.zeros(len(counts), dtype=np.int64)
            for at, stem in enumerate(known.dictionary.to_pylist()):
                before[at] = self._highest.get(stem, 0)
                self._highest[stem] = int(before[at] + counts[at])
        order = np.argsort(of_stem, kind="stable")
        begins = np.concatenate([[0], np.cumsum(counts)[:-1]])
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order)) - begins[of_stem[order]]
        last = pc.cast(pa.array(before[of_stem] + rank + 1), pa.string())
        return columns.joined([stems, last])
