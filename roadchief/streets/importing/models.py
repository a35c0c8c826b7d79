"""The record of imports."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base, Tenant


class ImportRun(Tenant, Base):
    """One file taken in: what was asked, how far it came, and the report."""

    __tablename__ = "import_run"
    __table_args__ = (
        CheckConstraint(
            "state IN ('previewed', 'waiting', 'running', 'done', 'stopped', 'refused')",
            name="state",
        ),
        Index(None, "subdistrict_id", "started_at"),
    )

    what: Mapped[str]  # roads, storefronts, boundaries, osm
    file_name: Mapped[str]
    file_sha256: Mapped[str]
    source: Mapped[str]
    options: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    rows_done: Mapped[int] = mapped_column(default=0)
    report: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    by: Mapped[uuid.UUID | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
