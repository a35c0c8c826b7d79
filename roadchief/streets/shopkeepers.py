"""Who speaks for a merchant: the people who sign in as 商户. Verbs never commit.

A person with the post `merchant` sees a shop only through a row here and a running tenancy.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from roadchief import events
from roadchief.accounts.models import Person
from roadchief.db import Base, Tenant, new_id, savepoint, tenant_fk, tenant_of
from roadchief.errors import Conflict, NotFound, WrongState
from roadchief.streets.models import Merchant, Storefront, Tenancy

events.declare(
    {
        "streets.shopkeeper_named": "a person may speak for a merchant",
        "streets.shopkeeper_dismissed": "a person no longer speaks for a merchant",
    }
)


class Shopkeeper(Tenant, Base):
    """A person speaks for a merchant, from–to. Several may; one person may for several."""

    __tablename__ = "shopkeeper"
    __table_args__ = (
        tenant_fk("merchant_id", "merchant"),
        tenant_fk("person_id", "person"),
        CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", name="period"),
        Index(
            "uq_shopkeeper_running",
            "subdistrict_id",
            "person_id",
            "merchant_id",
            unique=True,
            postgresql_where=text("ends_at IS NULL"),
        ),
        Index("ix_shopkeeper_merchant", "subdistrict_id", "merchant_id"),
    )

    merchant_id: Mapped[uuid.UUID]
    person_id: Mapped[uuid.UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_because: Mapped[str | None] = mapped_column(default=None)


class AlreadyNamed(Conflict):
    zh = "此人已是该商户的联系人"
    en = "this person speaks for the merchant already"


class Retired(WrongState):
    zh = "此人已停用，不能担任店主联系人"
    en = "this person is retired and cannot speak for a merchant"


@dataclass(frozen=True)
class Shop:
    """One shop that a person runs now."""

    storefront_id: uuid.UUID
    tenancy_id: uuid.UUID
    merchant_id: uuid.UUID
    sign_name: str
    address: str
    human_number: str | None


def name(
    session: Session,
    merchant: Merchant,
    *,
    person_id: uuid.UUID,
    by: uuid.UUID | None,
    at: datetime,
) -> Shopkeeper:
    """Two who name the same person at once: one wins, the index sees to it."""
    person = session.get(Person, (tenant_of(session), person_id))
    if person is None:
        raise NotFound
    if person.state == "retired":
        raise Retired
    row = Shopkeeper(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        merchant_id=merchant.id,
        person_id=person_id,
        starts_at=at,
    )
    try:
        with savepoint(session):
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise AlreadyNamed from error
    events.record(
        session,
        "streets.shopkeeper_named",
        subject=merchant,
        by=by,
        at=at,
        person=str(person_id),
    )
    return row


def find(session: Session, keeper_id: uuid.UUID) -> Shopkeeper:
    found = session.get(Shopkeeper, (tenant_of(session), keeper_id))
    if found is None:
        raise NotFound
    return found


def dismiss(
    session: Session,
    keeper: Shopkeeper,
    *,
    by: uuid.UUID | None,
    at: datetime,
    because: str,
) -> None:
    ended = session.execute(
        update(Shopkeeper)
        .where(Shopkeeper.subdistrict_id == keeper.subdistrict_id)
        .where(Shopkeeper.id == keeper.id, Shopkeeper.ends_at.is_(None))
        .values(ends_at=at, ended_because=because)
    )
    if ended.rowcount != 1:  # type: ignore[attr-defined]
        raise WrongState
    events.record(
        session, "streets.shopkeeper_dismissed", subject=keeper, by=by, at=at, because=because
    )


def shops_of(session: Session, person_id: uuid.UUID) -> list[Shop]:
    """The shops this person runs now, by address; a closed or left one is not among them."""
    rows = session.execute(
        select(
            Storefront.id,
            Tenancy.id,
            Tenancy.merchant_id,
            Tenancy.sign_name,
            Storefront.address,
            Storefront.human_number,
        )
        .select_from(Shopkeeper)
        .join(
            Tenancy,
            (Tenancy.subdistrict_id == Shopkeeper.subdistrict_id)
            & (Tenancy.merchant_id == Shopkeeper.merchant_id),
        )
        .join(
            Storefront,
            (Storefront.subdistrict_id == Tenancy.subdistrict_id)
            & (Storefront.id == Tenancy.storefront_id),
        )
        .where(Shopkeeper.subdistrict_id == tenant_of(session))
        .where(Shopkeeper.person_id == person_id, Shopkeeper.ends_at.is_(None))
        .where(Tenancy.ends_on.is_(None), Storefront.closed_at.is_(None))
        .order_by(Storefront.address)
    )
    return [Shop(*row) for row in rows]


def keepers_of(session: Session, storefront_id: uuid.UUID) -> list[uuid.UUID]:
    """The people who speak for whoever runs this storefront now."""
    found = session.scalars(
        select(Shopkeeper.person_id)
        .join(
            Tenancy,
            (Tenancy.subdistrict_id == Shopkeeper.subdistrict_id)
            & (Tenancy.merchant_id == Shopkeeper.merchant_id),
        )
        .where(Shopkeeper.subdistrict_id == tenant_of(session), Shopkeeper.ends_at.is_(None))
        .where(Tenancy.storefront_id == storefront_id, Tenancy.ends_on.is_(None))
        .distinct()
    )
    return list(found)


def runs(session: Session, *, person_id: uuid.UUID, storefront_id: uuid.UUID) -> bool:
    """Does this person speak for whoever runs this storefront now?"""
    return person_id in keepers_of(session, storefront_id)
