"""Jobs in the caller's transaction: the job exists if and only if the fact does.

PostgreSQL is the queue (procrastinate). Packages declare tasks with `@task(...)` in their
jobs.py; the worker imports these modules, the web process needs only the name.
"""

from collections.abc import Callable
from typing import Any

import procrastinate
from sqlalchemy.orm import Session

from roadchief.db import driver_connection

queue = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def task(name: str, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Declare a function as the work behind `name`."""
    return queue.task(name=name, **options)


def later(session: Session, name: str, **arguments: Any) -> int:
    """Queue the work `name`; it starts once the caller's transaction is committed."""
    deferrer = queue.configure_task(
        name,
        allow_unknown=True,
        connection=driver_connection(session),  # type: ignore[call-arg]
    )
    return int(deferrer.defer(**arguments))
