"""Several people at once, on real connections: one wins, the others are told, nobody crashes."""

import threading
from collections.abc import Callable

from sqlalchemy.orm import Session

from roadchief.db import Database
from roadchief.errors import Refusal
from tests.conftest import WEIFANG

Act = Callable[[Session], object]


def at_once(database: Database, *acts: Act) -> list[str]:
    """How each act ended; anything but a refusal is raised."""
    ends: list[str] = []
    faults: list[BaseException] = []
    start = threading.Barrier(len(acts))

    def run(act: Act) -> None:
        start.wait()
        try:
            with database.transaction(WEIFANG) as session:
                act(session)
            ends.append("done")
        except Refusal as refusal:
            ends.append(type(refusal).__name__)
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return sorted(ends)
