"""A file as a stream of batches, whatever its format. Memory stays flat."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from roadchief.streets.importing.checking import Places
from roadchief.streets.importing.columns import Column

BATCH = 20_000


@dataclass(frozen=True)
class Batch:
    """Some rows of a file. `first` is the number of the first one as a person counts."""

    first: int
    places: Places
    columns: dict[str, Column]
    on_line: NDArray[np.int64] | None = None  # where rows and lines are not the same
    notes: Mapping[str, int] = field(default_factory=dict)  # what its reader has to say of it

    @property
    def lines(self) -> NDArray[np.int64]:
        """The line or number of each row as a person finds it in the file."""
        if self.on_line is not None:
            return self.on_line
        return np.arange(self.first, self.first + len(self), dtype=np.int64)

    def sample(self, count: int) -> "Batch":
        """Some of its rows, from all over it: files are often sorted by district."""
        chosen = np.arange(0, len(self), max(1, -(-len(self) // count)))
        columns = {name: column.take(chosen) for name, column in self.columns.items()}
        return Batch(self.first, self.places[chosen], columns, self.lines[chosen])

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True)
class Source:
    """An opened file: what it says of itself, and its rows."""

    path: Path
    kind: str
    columns: list[str]
    encoding: str | None
    has_shapes: bool
    notes: tuple[str, ...]
    batches: Callable[[], Iterator[Batch]]
