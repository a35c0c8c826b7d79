"""XML of strangers, heard piece by piece: memory stays flat whatever the file holds.

openpyxl builds a tree and keeps an element for each row, so a workbook of a few megabytes may ask
it for gigabytes. Here nothing is kept but what a listener takes.
"""

from collections.abc import Iterator
from typing import IO, Protocol
from xml.parsers import expat

PIECE_BYTES = 64 * 1024
LONGEST_TAG_BYTES = 2**20
DEEPEST = 64
MOST_NAMES = 2_000  # expat remembers every name it met
MOST_TAGS, MOST_OTHER_TAGS = 60_000_000, 5_000_000
CELL_TAGS = {"c", "v", "f", "row", "si", "t", "r", "is"}
CELL_FACTS = {"r", "s", "t", "spans", "xml:space"}


class Unfit(ValueError):
    """XML that we do not read on: broken, or of one of the kinds below."""


class TooMuch(Unfit):
    """More than we keep in memory, or than a spreadsheet can have."""


class Foreign(Unfit):
    """What no program for spreadsheets writes."""


class Listener(Protocol):
    done: bool  # nothing more is wanted

    def start(self, name: str, facts: dict[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def text(self, said: str) -> None: ...


def listen(stream: IO[bytes], listener: Listener) -> Iterator[None]:
    """Tell a listener what the stream holds, and stop after each piece. Raises Unfit."""
    parser = expat.ParserCreate()
    watch = _Watch(listener)
    parser.StartElementHandler, parser.EndElementHandler = watch.start, watch.end
    parser.CharacterDataHandler, parser.DefaultHandler = watch.text, watch.other
    parser.StartDoctypeDeclHandler = watch.doctype
    parser.buffer_text = True
    try:
        while not listener.done and (piece := stream.read(PIECE_BYTES)):
            watch.unheard += len(piece)
            parser.Parse(piece, False)
            if watch.unheard > LONGEST_TAG_BYTES:
                raise Foreign("a tag without end")
            yield
        if not listener.done:
            parser.Parse(b"", True)
            yield
    except Unfit:
        raise
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last two: odd encodings
        raise Unfit(str(error)) from error


class _Watch:
    """Passes on what is heard, without prefixes, and keeps within bounds."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._names: set[str] = set()
        self._depth = self._tags = self._other_tags = 0
        self.unheard = 0  # bytes since something was heard

    def start(self, name: str, facts: dict[str, str]) -> None:
        self.unheard = 0
        self._depth += 1
        self._tags += 1
        if name not in CELL_TAGS or not facts.keys() <= CELL_FACTS:
            self._names.update(facts, (name,))
            self._other_tags += 1
            if len(self._names) > MOST_NAMES:
                raise Foreign("names")
        if self._depth > DEEPEST:
            raise Foreign("levels")
        if self._tags > MOST_TAGS or self._other_tags > MOST_OTHER_TAGS:
            raise TooMuch("tags")
        if not self._listener.done:
            self._listener.start(name if ":" not in name else name.rpartition(":")[2], facts)

    def end(self, name: str) -> None:
        self.unheard = 0
        self._depth -= 1
        if not self._listener.done:
            self._listener.end(name if ":" not in name else name.rpartition(":")[2])

    def text(self, said: str) -> None:
        self.unheard = 0
        if not self._listener.done:
            self._listener.text(said)

    def other(self, _said: str) -> None:
        self.unheard = 0

    def doctype(self, *_facts: object) -> None:
        """No spreadsheet has one; with it come entities, of other files and without end."""
        raise Foreign("DOCTYPE")
