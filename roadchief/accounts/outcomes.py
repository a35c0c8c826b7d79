"""How a delivery went. *Pure.*"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias


@dataclass(frozen=True)
class Sent:
    """Taken, and said so."""


@dataclass(frozen=True)
class Later:
    """Not taken now; worth another try."""

    trouble: str


@dataclass(frozen=True)
class Unsure:
    """Handed over, but the answer is missing: another try might tell somebody twice."""

    trouble: str


@dataclass(frozen=True)
class Never:
    """Refused for good. `bounced`: there is no such box, so that writing again is of no use."""

    trouble: str
    bounced: bool = False


Outcome: TypeAlias = Sent | Later | Unsure | Never
# How long to wait after each try that failed; after the last, it is given up.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 1440))


def wait_after(tries: int) -> timedelta | None:
    """Before the next try, when `tries` have failed; None: no more."""
    return WAITS[tries - 1] if tries <= len(WAITS) else None
