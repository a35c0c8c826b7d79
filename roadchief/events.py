"""What happened, as rows: they can be counted, replayed and shown, and are never edited."""

import uuid
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from roadchief.db import Base, Tenant, tenant_of

# Every event that may be recorded, with what it means. tests/test_docs.py holds the README to it.
KNOWN: dict[str, str] = {}


class Event(Tenant, Base):
    """One fact of the past. `by` is a person's id, or None where a machine acted."""

    __tablename__ = "event"
    __table_args__ = (
        Index(None, "subdistrict_id", "subject_id", "at"),
        Index(None, "subdistrict_id", "name", "at"),
    )

    name: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    by: Mapped[uuid.UUID | None]
    at: Mapped[datetime]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Subject(Protocol):
    """Whatever has a name in the database and an id."""

    __tablename__: Any
    id: Any


def declare(names: dict[str, str]) -> None:
    """Make events known: a package does this once beside its verbs."""
    KNOWN.update(names)


def record(
    session: Session,
    name: str,
    /,
    *,
    subject: Subject,
    by: uuid.UUID | None,
    at: datetime,
    **data: Any,
) -> Event:
    """Add one event about `subject` in the caller's transaction."""
    if name not in KNOWN:
        raise LookupError(f"event {name} is not declared")
    row = Event(
        subdistrict_id=tenant_of(session),
        name=name,
        subject_kind=str(subject.__tablename__),
        subject_id=subject.id,
        by=by,
        at=at,
        data=data,
    )
    session.add(row)
    return row
