"""What a person or a citizen was told, and how it reached them."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base, Tenant, tenant_fk


class Notice(Tenant, Base):
    """One thing told to one recipient, once: the unique key says so.

    `recipient` is the person's id or the citizen's address; the address itself is forgotten
    after a while, and the recipient's name in the key with it.
    """

    __tablename__ = "notice"
    __table_args__ = (
        tenant_fk("to", "person"),
        UniqueConstraint("subdistrict_id", "kind", "once", "recipient"),
        Index(None, "subdistrict_id", "to", "at"),
        Index("ix_notice_unread", "subdistrict_id", "to", postgresql_where=text("read_at IS NULL")),
        Index(
            "ix_notice_address",
            "subdistrict_id",
            "address",
            postgresql_where=text("address IS NOT NULL"),
        ),
        Index(
            "ix_notice_citizen",
            "subdistrict_id",
            "subject_id",
            postgresql_where=text('"to" IS NULL'),
        ),
    )

    kind: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    once: Mapped[uuid.UUID]
    recipient: Mapped[str]
    to: Mapped[uuid.UUID | None]
    address: Mapped[str | None]
    words: Mapped[dict[str, str]] = mapped_column(JSONB)
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class Delivery(Tenant, Base):
    """A notice on its way by mail or hook. `unsure`: handed over, but nobody said it arrived."""

    __tablename__ = "delivery"
    __table_args__ = (
        tenant_fk("notice_id", "notice"),
        UniqueConstraint("subdistrict_id", "notice_id", "channel"),
        CheckConstraint("channel IN ('mail', 'hook')", name="channel"),
        CheckConstraint(
            "state IN ('waiting', 'sending', 'sent', 'unsure', 'given_up')", name="state"
        ),
        Index(
            "ix_delivery_due",
            "subdistrict_id",
            "next_at",
            postgresql_where=text("state IN ('waiting', 'sending')"),
        ),
    )

    notice_id: Mapped[uuid.UUID]
    channel: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    trouble: Mapped[str | None]


class MailAddress(Base):
    """How often an address was asked to prove itself, and whether it is off everywhere.

    Shared by all sub-districts, no row security: `key` is a keyed hash, nothing else is said.
    """

    __tablename__ = "mail_address"
    __table_args__ = (CheckConstraint("(off_at IS NULL) = (off_because IS NULL)", name="off"),)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    hour_at: Mapped[datetime]
    in_hour: Mapped[int]
    day_at: Mapped[datetime]
    in_day: Mapped[int]
    off_at: Mapped[datetime | None]
    off_because: Mapped[str | None]  # bounced, refused
