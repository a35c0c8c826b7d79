"""The rim: security headers, forms, limits, health, logs. Views live in the packages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from flask import current_app
from sqlalchemy.orm import Session

from roadchief.config import Settings
from roadchief.db import Database


def settings() -> Settings:
    return cast(Settings, current_app.extensions["roadchief.settings"])


def database() -> Database:
    return cast(Database, current_app.extensions["roadchief.database"])


@contextmanager
def tenant_transaction(subdistrict_id: int | None) -> Iterator[Session]:
    """One act of a view: rows of this sub-district alone, committed at the end."""
    with database().transaction(subdistrict_id) as session:
        yield session
