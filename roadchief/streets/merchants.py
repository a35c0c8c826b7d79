"""Merchants as the office sees them: found, looked at, corrected. Verbs never commit.

Who may act for a merchant is in `shopkeepers`, where it trades in `tenancies`.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.accounts.models import Person, Post
from roadchief.db import tenant_of
from roadchief.errors import BadInput, NotFound
from roadchief.lib.text import clean, pieces
from roadchief.streets.models import Merchant, Storefront, Tenancy
from roadchief.streets.shopkeepers import Shopkeeper
from roadchief.streets.tenancies import make_merchant_findable, note_code

KINDS = ("company", "sole_trader", "other")
MOST_HITS = 500  # a search that finds more wants more letters
CODE_LENGTH = 20  # 18 where all is well
LAST_CODE = "Z" * CODE_LENGTH

events.declare(
    {"streets.merchant_corrected": "a merchant's name, credit code or phone was corrected"}
)

# By name or initials, by the sign over a door where it trades now, or by the credit code.
HITS = """
SELECT m.id, m.name, m.uscc, m.uscc_warning, count(*) OVER () AS total FROM merchant m JOIN (
  SELECT id FROM search_merchants(:here, :parts, :likeness, :most) AS named(id)
  UNION
  SELECT t.merchant_id FROM search_storefronts(:here, :parts, :likeness, :most) AS door(id)
  JOIN tenancy t ON t.subdistrict_id = :here AND t.storefront_id = door.id AND t.ends_on IS NULL
  UNION
  (SELECT id FROM merchant WHERE subdistrict_id = :here AND uscc >= :code AND uscc <= :last
   LIMIT :most)
) hit ON hit.id = m.id
WHERE m.subdistrict_id = :here ORDER BY m.name, m.id LIMIT :size OFFSET :skip
"""
ALL = """
SELECT m.id, m.name, m.uscc, m.uscc_warning, 0 AS total FROM merchant m
WHERE m.subdistrict_id = :here ORDER BY m.name, m.id LIMIT :size OFFSET :skip
"""


@dataclass(frozen=True)
class Keeper:
    """A person who acts for a merchant, or did."""

    row: Shopkeeper
    name: str
    login: str
    state: str


@dataclass(frozen=True)
class Candidate:
    """A person whom the office might name."""

    id: uuid.UUID
    name: str
    login: str
    state: str
    is_merchant: bool


def page(
    session: Session, *, asked: str, number: int, size: int
) -> tuple[list[Row[Any]], int, dict[uuid.UUID, list[Row[Any]]]]:
    """Merchants by name, how many there are, and where those of this page trade now."""
    wanted = clean(asked).lower()[:60]
    values: dict[str, Any] = {
        "here": tenant_of(session),
        "size": size,
        "skip": (number - 1) * size,
    }
    if wanted:
        rows = list(session.execute(text(HITS), values | _search(wanted)))
        total = rows[0].total if rows else 0
    else:
        rows = list(session.execute(text(ALL), values))
        total = session.scalar(
            select(func.count()).where(Merchant.subdistrict_id == tenant_of(session))
        )
    return rows, total or 0, _trading(session, [row.id for row in rows])


def of_person(
    session: Session, person_id: uuid.UUID
) -> tuple[list[Row[Any]], int, dict[uuid.UUID, list[Row[Any]]]]:
    """The merchants that a person may act for now, as `page` has them."""
    rows = session.execute(
        select(Merchant.id, Merchant.name, Merchant.uscc, Merchant.uscc_warning)
        .join(
            Shopkeeper,
            (Shopkeeper.subdistrict_id == Merchant.subdistrict_id)
            & (Shopkeeper.merchant_id == Merchant.id),
        )
        .where(Merchant.subdistrict_id == tenant_of(session))
        .where(Shopkeeper.person_id == person_id, Shopkeeper.ends_at.is_(None))
        .order_by(Merchant.name, Merchant.id)
        .limit(MOST_HITS)
    )
    found: list[Any] = list(rows)
    return found, len(found), _trading(session, [row.id for row in found])


def find(session: Session, merchant_id: uuid.UUID) -> Merchant:
    found = session.get(Merchant, (tenant_of(session), merchant_id))
    if found is None:
        raise NotFound
    return found


def shops(session: Session, merchant_id: uuid.UUID) -> list[tuple[Tenancy, Storefront]]:
    """Where the merchant trades and traded, the running first."""
    rows = session.execute(
        select(Tenancy, Storefront)
        .join(
            Storefront,
            (Storefront.subdistrict_id == Tenancy.subdistrict_id)
            & (Storefront.id == Tenancy.storefront_id),
        )
        .where(Tenancy.subdistrict_id == tenant_of(session), Tenancy.merchant_id == merchant_id)
        .order_by(Tenancy.ends_on.desc().nulls_first(), Tenancy.starts_on.desc())
        .limit(200)
    )
    return [(row[0], row[1]) for row in rows]


def keepers(session: Session, merchant_id: uuid.UUID) -> list[Keeper]:
    """Who may act for the merchant, and who no longer may."""
    rows = session.execute(
        select(Shopkeeper, Person.name, Person.login, Person.state)
        .join(
            Person,
            (Person.subdistrict_id == Shopkeeper.subdistrict_id)
            & (Person.id == Shopkeeper.person_id),
        )
        .where(Shopkeeper.subdistrict_id == tenant_of(session))
        .where(Shopkeeper.merchant_id == merchant_id)
        .order_by(Shopkeeper.ends_at.desc().nulls_first(), Shopkeeper.starts_at)
        .limit(100)
    )
    return [Keeper(*row) for row in rows]


def candidates(session: Session, asked: str, *, at: datetime, most: int = 20) -> list[Candidate]:
    """People by name or login who may still sign in; those with a merchant's post first."""
    wanted = clean(asked)[:60]
    if not wanted:
        return []
    is_merchant = (
        select(Post.id)
        .where(Post.subdistrict_id == Person.subdistrict_id, Post.person_id == Person.id)
        .where(Post.role == "merchant", Post.starts_at <= at)
        .where(Post.ends_at.is_(None) | (Post.ends_at > at))
        .exists()
    )
    rows = session.execute(
        select(Person.id, Person.name, Person.login, Person.state, is_merchant)
        .where(Person.subdistrict_id == tenant_of(session), Person.state != "retired")
        .where(
            Person.name.contains(wanted, autoescape=True)
            | Person.login.contains(wanted.lower(), autoescape=True)
        )
        .order_by(is_merchant.desc(), Person.name, Person.id)
        .limit(most)
    )
    return [Candidate(*row) for row in rows]


def same_code(session: Session, merchant: Merchant) -> list[Merchant]:
    """Others with the same credit code: branches share one, or somebody was typed twice."""
    if merchant.uscc is None:
        return []
    return list(
        session.scalars(
            select(Merchant)
            .where(Merchant.subdistrict_id == tenant_of(session), Merchant.uscc == merchant.uscc)
            .where(Merchant.id != merchant.id)
            .order_by(Merchant.name)
            .limit(20)
        )
    )


def correct(
    session: Session,
    merchant: Merchant,
    *,
    name: str,
    uscc: str | None,
    kind: str,
    phone: str | None,
    by: uuid.UUID,
    at: datetime,
) -> None:
    """A doubtful credit code is noted, never refused; what it was stays in the event."""
    if kind not in KINDS:
        raise BadInput(field="类型 kind", reason_zh="没有这种类型", reason_en="no such kind")
    session.refresh(merchant, with_for_update=True)
    before = {"name": merchant.name, "uscc": merchant.uscc, "kind": merchant.kind}
    merchant.name, merchant.kind, merchant.phone = name, kind, phone
    note_code(merchant, uscc)
    make_merchant_findable(merchant)
    events.record(
        session, "streets.merchant_corrected", subject=merchant, by=by, at=at, before=before
    )


def _search(wanted: str) -> dict[str, Any]:
    escaped = wanted.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    code = wanted.upper().replace(" ", "")[:CODE_LENGTH]
    is_code = code.isascii() and code.isalnum() and len(code) >= 2
    return {
        "parts": pieces(wanted) or [wanted],
        "likeness": f"%{escaped.replace(' ', '%')}%",
        # A range, because `<` may use the index under row security and LIKE may not.
        "code": code if is_code else LAST_CODE,
        "last": (code + LAST_CODE)[:CODE_LENGTH] if is_code else "",
        "most": MOST_HITS,
    }


def _trading(session: Session, keys: list[uuid.UUID]) -> dict[uuid.UUID, list[Row[Any]]]:
    """(merchant_id, sign_name, address) of running tenancies, by merchant."""
    found: dict[uuid.UUID, list[Row[Any]]] = {key: [] for key in keys}
    rows: Any = session.execute(
        select(Tenancy.merchant_id, Tenancy.sign_name, Storefront.address)
        .join(
            Storefront,
            (Storefront.subdistrict_id == Tenancy.subdistrict_id)
            & (Storefront.id == Tenancy.storefront_id),
        )
        .where(Tenancy.subdistrict_id == tenant_of(session), Tenancy.merchant_id.in_(keys))
        .where(Tenancy.ends_on.is_(None))
        .order_by(Storefront.address)
    )
    for row in rows:
        found[row.merchant_id].append(row)
    return found
