"""What citizens hold and say: receipts, ratings, answers. All of it can be masked. And the keys

of other systems.
"""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base, Tenant, tenant_fk


class Receipt(Tenant, Base):
    """回执: proves that somebody reported or follows a case. PIN and link are kept as hashes."""

    __tablename__ = "receipt"
    __table_args__ = (
        tenant_fk("case_id", "case_file"),
        UniqueConstraint("subdistrict_id", "code"),
        CheckConstraint("contact_proven_at IS NULL OR contact IS NOT NULL", name="proven"),
        Index(None, "subdistrict_id", "case_id"),
    )

    case_id: Mapped[uuid.UUID]
    code: Mapped[str]
    kind: Mapped[str]  # reporter, follower
    pin_hash: Mapped[bytes] = mapped_column(LargeBinary)
    link_hash: Mapped[bytes] = mapped_column(LargeBinary)
    contact: Mapped[str | None]  # a phone number or an address; used once it is proven
    contact_proven_at: Mapped[datetime | None]
    language: Mapped[str] = mapped_column(default="zh", server_default="zh")  # of the report
    mail_stopped_at: Mapped[datetime | None]  # "no more mail about this case"
    typist_id: Mapped[uuid.UUID | None]  # entered for somebody else: not asked for a rating
    made_at: Mapped[datetime]
    hidden_at: Mapped[datetime | None]  # "hide my details"
    masked_at: Mapped[datetime | None]


class ReceiptDirectory(Base):
    """Finds the sub-district of a receipt. Shared, no row security: it says nothing else."""

    __tablename__ = "receipt_directory"

    code: Mapped[str] = mapped_column(primary_key=True)
    subdistrict_id: Mapped[int]


class Voice(Tenant, Base):
    """Words of a citizen or merchant on a case: an answer, an addition, an objection."""

    __tablename__ = "voice"
    __table_args__ = (
        tenant_fk("case_id", "case_file"),
        tenant_fk("receipt_id", "receipt"),
        Index(None, "subdistrict_id", "case_id"),
    )

    case_id: Mapped[uuid.UUID]
    receipt_id: Mapped[uuid.UUID | None]
    person_id: Mapped[uuid.UUID | None]
    kind: Mapped[str]  # answer, more, worse, objection, reopen, rating
    words: Mapped[str]
    at: Mapped[datetime]
    masked_at: Mapped[datetime | None]


class Rating(Tenant, Base):
    """Really solved? Once for each closing and receipt."""

    __tablename__ = "rating"
    __table_args__ = (
        tenant_fk("case_id", "case_file"),
        tenant_fk("receipt_id", "receipt"),
        UniqueConstraint("subdistrict_id", "receipt_id", "closing"),
        Index(None, "subdistrict_id", "case_id"),
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
    )

    case_id: Mapped[uuid.UUID]
    receipt_id: Mapped[uuid.UUID]
    closing: Mapped[int]
    solved: Mapped[bool]
    stars: Mapped[int | None]
    at: Mapped[datetime]


class ApiKey(Tenant, Base):
    """Another system that may file cases. Only a hash of its key is kept."""

    __tablename__ = "api_key"
    __table_args__ = (
        UniqueConstraint("subdistrict_id", "key_hash"),
        tenant_fk("follows_id", "api_key"),
        CheckConstraint("limit_a_minute BETWEEN 1 AND 6000", name="limit"),
    )

    name: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(default="", server_default="")  # its last four letters
    limit_a_minute: Mapped[int] = mapped_column(default=120, server_default="120")
    follows_id: Mapped[uuid.UUID | None]  # the key in whose place this one was made
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  # in the future: replaced, and works on until then
