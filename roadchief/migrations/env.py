"""Alembic's entry: runs as the owner, gives up rather than wait long for a lock."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import create_engine, pool, text

import roadchief.accounts.models
import roadchief.accounts.notice_models
import roadchief.blobs.models
import roadchief.codes.models
import roadchief.events
import roadchief.holidays
import roadchief.insight.models
import roadchief.issues.figures.models
import roadchief.issues.models
import roadchief.issues.retention
import roadchief.issues.voices
import roadchief.patrol.models
import roadchief.patrol.plan_models
import roadchief.patrol.selfchecks.models
import roadchief.streets.importing.models
import roadchief.streets.models
import roadchief.streets.shopkeepers  # noqa: F401
from roadchief.db import Base, Shape, with_driver

OF_EXPRESSIONS = {"ix_storefront_square"}  # indexes that migrations alone describe
LOCK_TIMEOUT = "5s"  # a waiting ALTER TABLE stops every reader behind it


def ours(_object: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Only what our models describe: extensions and the job queue have tables of their own."""
    if kind == "index" and reflected and name in OF_EXPRESSIONS:
        return False
    return kind != "table" or not reflected or name in Base.metadata.tables


def render(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    if kind == "type" and isinstance(item, Shape):
        autogen.imports.add("from roadchief.db import Shape")
        return f'Shape("{item.geometry_type}")'
    return False


def tell(ctx: Any, step: Any, heads: Any, run_args: Any) -> None:
    """Called by name of argument, after each step."""
    say = context.config.attributes.get("say")
    if say:
        say(step.up_revision_id)


def run() -> None:
    engine = create_engine(with_driver(context.config.attributes["url"]), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=ours,
            render_item=render,
            transaction_per_migration=True,
            on_version_apply=tell,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
