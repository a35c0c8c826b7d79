"""What merchants say of their own shops, as rows. Never edited, never a patrol's visit."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base, Tenant, tenant_fk


class SelfCheck(Tenant, Base):
    """A filled self-check. Its id is the form's or the phone's; its hash tells a replay."""

    __tablename__ = "self_check"
    __table_args__ = (
        tenant_fk("storefront_id", "storefront"),
        tenant_fk("tenancy_id", "tenancy"),
        tenant_fk("person_id", "person"),
        UniqueConstraint("subdistrict_id", "storefront_id", "on_day", "nth"),
        CheckConstraint("nth > 0", name="nth"),
        CheckConstraint("wrong >= 0", name="wrong"),
        Index(None, "subdistrict_id", "tenancy_id", "on_day", "nth"),
    )

    storefront_id: Mapped[uuid.UUID]
    tenancy_id: Mapped[uuid.UUID]
    person_id: Mapped[uuid.UUID]
    on_day: Mapped[date]  # in our streets
    nth: Mapped[int]  # of that day at that storefront
    checked_at: Mapped[datetime]
    received_at: Mapped[datetime]
    form: Mapped[str]  # version of the checklist
    items: Mapped[list[str]] = mapped_column(ARRAY(Text))  # what was asked
    not_applicable: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    wrong: Mapped[int]
    on_time: Mapped[bool]
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary)


class SelfFinding(Tenant, Base):
    """Something that a merchant found at the own shop: theirs to put right, no case."""

    __tablename__ = "self_finding"
    __table_args__ = (
        tenant_fk("self_check_id", "self_check"),
        tenant_fk("storefront_id", "storefront"),
        tenant_fk("tenancy_id", "tenancy"),
        UniqueConstraint("subdistrict_id", "self_check_id", "item"),
        Index(None, "subdistrict_id", "tenancy_id"),
        Index(None, "subdistrict_id", "storefront_id"),
    )

    self_check_id: Mapped[uuid.UUID]
    storefront_id: Mapped[uuid.UUID]
    tenancy_id: Mapped[uuid.UUID]
    item: Mapped[str]
    note: Mapped[str | None]
    fix_on: Mapped[date | None]  # "I put it right until …"
    found_at: Mapped[datetime]
    photos: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))  # hashes


class SelfFix(Tenant, Base):
    """The merchant says that it is put right. Its id is the finding's: said once."""

    __tablename__ = "self_fix"
    __table_args__ = (tenant_fk("id", "self_finding"), tenant_fk("person_id", "person"))

    person_id: Mapped[uuid.UUID]
    fixed_at: Mapped[datetime]
    note: Mapped[str | None]
    photos: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))


class SelfHelp(Tenant, Base):
    """The merchant asked for help, and what became of it. Its id is the finding's: asked once."""

    __tablename__ = "self_help"
    __table_args__ = (tenant_fk("id", "self_finding"), tenant_fk("person_id", "person"))

    person_id: Mapped[uuid.UUID]
    asked_at: Mapped[datetime]
    case_id: Mapped[uuid.UUID | None]
    case_number: Mapped[str | None]
