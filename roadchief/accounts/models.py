"""Persons, their posts, and the rows behind signing in."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base, Tenant, tenant_fk


class Person(Tenant, Base):
    """Somebody who may sign in. Names are one field (domain.md §7.3)."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("subdistrict_id", "login"),
        CheckConstraint("state IN ('invited', 'active', 'retired')", name="state"),
    )

    name: Mapped[str]
    login: Mapped[str]  # normalised: lower case, NFKC
    email: Mapped[str | None]
    phone: Mapped[str | None]
    locale: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="invited")
    password_hash: Mapped[str | None]
    password_set_at: Mapped[datetime | None]
    totp_secret: Mapped[str | None]
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int | None]  # a code is good once: steps at or below are refused
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class Post(Tenant, Base):
    """What a person may do, and for how long: role × level × capacity × period.

    Level and title are the sub-district's own words (domain.md §0.2); `role` decides rights.
    Which streets a chief answers for is said by streets.Assignment.
    """

    __tablename__ = "post"
    __table_args__ = (
        tenant_fk("person_id", "person"),
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="period"),
        Index(None, "subdistrict_id", "person_id"),
        Index(None, "subdistrict_id", "role"),
    )

    person_id: Mapped[uuid.UUID]
    role: Mapped[str]
    level: Mapped[int | None]
    title: Mapped[str]
    capacity: Mapped[str]
    organisation_id: Mapped[uuid.UUID | None]  # streets.Organisation; a lower package, no key
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]

    def holds_at(self, at: datetime) -> bool:
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


class Invitation(Tenant, Base):
    """A link by which a person sets the first (or a new) password. Only its hash is kept."""

    __tablename__ = "invitation"
    __table_args__ = (
        tenant_fk("person_id", "person"),
        UniqueConstraint("subdistrict_id", "token_hash"),
    )

    person_id: Mapped[uuid.UUID]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInSession(Tenant, Base):
    """One signed-in browser. The cookie holds the token, we keep its hash."""

    __tablename__ = "sign_in_session"
    __table_args__ = (
        tenant_fk("person_id", "person"),
        UniqueConstraint("subdistrict_id", "token_hash"),
        Index(
            "ix_sign_in_session_open",
            "subdistrict_id",
            "person_id",
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    person_id: Mapped[uuid.UUID]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    second_factor: Mapped[bool] = mapped_column(default=False)
    device: Mapped[str]


class AccessKey(Tenant, Base):
    """What a person's own program (QGIS) reads with, as one post. Only its hash is kept."""

    __tablename__ = "access_key"
    __table_args__ = (
        tenant_fk("person_id", "person"),
        tenant_fk("post_id", "post"),
        UniqueConstraint("subdistrict_id", "token_hash"),
        Index(None, "subdistrict_id", "person_id"),
    )

    person_id: Mapped[uuid.UUID]
    post_id: Mapped[uuid.UUID]
    name: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str]  # its last four signs, to tell one from another
    second_factor: Mapped[bool]  # of whoever made it
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class LoginDirectory(Base):
    """Finds the sub-district of a login before anybody is signed in. Shared, no row security."""

    __tablename__ = "login_directory"

    login: Mapped[str] = mapped_column(primary_key=True)
    subdistrict_id: Mapped[int]
    person_id: Mapped[uuid.UUID]


class SignInLink(Base):
    """An account of an identity provider and whose it is. Shared, as the directory of logins."""

    __tablename__ = "sign_in_link"
    __table_args__ = (
        tenant_fk("person_id", "person"),
        UniqueConstraint("issuer", "subdistrict_id", "person_id"),
    )

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    subdistrict_id: Mapped[int]
    person_id: Mapped[uuid.UUID]
    linked_at: Mapped[datetime]


class SignInAttempt(Base):
    """A failed sign-in, kept for the lockout window. `key` is a hash of login or address."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index(None, "key", "at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]
