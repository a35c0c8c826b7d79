"""Batches written beside the reading: the next is made while those before go into the database."""

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from roadchief.db import Database
from roadchief.streets.importing import stage
from roadchief.streets.importing.report import Report

# Connections; each batch is a transaction of its own. One core is left for the reading.
AT_ONCE = min(4, max(2, (os.cpu_count() or 1) - 1))
MOST_WAITING = AT_ONCE + 1  # batches in memory, so that it stays flat


class Writers:
    """Takes batches until the block ends; then all of them are written, or an error is raised.

    The report counts a batch when it is committed, so what it says is there.
    """

    def __init__(self, database: Database, subdistrict_id: int, report: Report, *, dry_run: bool):
        self._database, self._here = database, subdistrict_id
        self._report, self._dry_run = report, dry_run
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="import")
        self._under_way: deque[tuple[stage.Doors, Future[None]]] = deque()
        self._counted = False

    def __enter__(self) -> "Writers":
        return self

    def take(self, doors: stage.Doors, writing: stage.Writing) -> None:
        """Returns at once, unless enough batches are waiting already."""
        if self._dry_run or not len(doors.new):
            self._count(doors)
            return
        self._count_numbers(writing)
        while len(self._under_way) >= MOST_WAITING:
            self._finish_one()
        work = self._pool.submit(stage.write, self._database, self._here, doors, writing)
        self._under_way.append((doors, work))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            # Interrupted by hand: what is under way is still finished and counted.
            while self._under_way and (error is None or kind is KeyboardInterrupt):
                self._finish_one()
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _finish_one(self) -> None:
        doors, work = self._under_way[0]
        work.result()
        self._under_way.popleft()
        self._count(doors)

    def _count(self, doors: stage.Doors) -> None:
        self._report.added += doors.added
        self._report.changed += doors.changed
        self._report.unchanged += doors.unchanged

    def _count_numbers(self, writing: stage.Writing) -> None:
        """What is in use is asked before the first batch is written, and only if one is."""
        if not self._counted:
            with self._database.transaction(self._here) as session:
                writing.numbers.used(stage.highest_numbers(session))
            self._counted = True
