"""Merchants and their tenancies: who runs a storefront, from day to day. Verbs never commit.

The place stays; what a merchant did stays with the tenancy (domain.md §0.4).
"""

import uuid
from datetime import date, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import new_id, savepoint, tenant_of
from roadchief.errors import BadInput, Conflict, WrongState
from roadchief.lib import clock
from roadchief.lib.text import clean, initials, pieces
from roadchief.streets import naming
from roadchief.streets.models import Merchant, Storefront, Tenancy

EARLIEST = date(1900, 1, 1)  # the oldest shop signs of the city are about that old
LATEST_AHEAD = timedelta(days=366)  # a lease is signed at most this long before it begins

events.declare(
    {
        "streets.tenancy_started": "a merchant took a storefront",
        "streets.tenancy_ended": "a merchant left a storefront",
        "streets.sign_changed": "a shop goes on under another sign, with the same merchant",
    }
)


class AlreadyLet(Conflict):
    zh = "此铺位已有在营商户，请先结束原经营期"
    en = "somebody runs this storefront already: end that tenancy first"


def open_merchant(
    session: Session,
    *,
    name: str,
    uscc: str | None = None,
    kind: str = "sole_trader",
    phone: str | None = None,
) -> Merchant:
    """A doubtful credit code is noted, never refused (domain.md §7.2)."""
    merchant = Merchant(
        subdistrict_id=tenant_of(session), id=new_id(), name=name, kind=kind, phone=phone
    )
    note_code(merchant, uscc)
    make_merchant_findable(merchant)
    session.add(merchant)
    session.flush()
    return merchant


def note_code(merchant: Merchant, uscc: str | None) -> None:
    """The credit code as licences print it, with the doubt about it, if any."""
    verdict = naming.judge_uscc(uscc) if uscc else None
    merchant.uscc = clean(uscc).upper() if uscc else None
    merchant.uscc_warning = verdict.why_zh if verdict and not verdict.fine else None


def start(
    session: Session,
    storefront: Storefront,
    merchant: Merchant,
    *,
    sign_name: str,
    on: date,
    by: uuid.UUID | None,
    at: datetime,
    business_type: str | None = None,
) -> Tenancy:
    """One running tenancy a storefront: the database decides between two who start at once.

    The caller holds the storefront's lock.
    """
    _check_first_day(session, storefront, on=on, at=at)
    tenancy = Tenancy(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        storefront_id=storefront.id,
        merchant_id=merchant.id,
        sign_name=sign_name,
        starts_on=on,
    )
    try:
        with savepoint(session):
            session.add(tenancy)
            session.flush()
    except IntegrityError as error:
        raise AlreadyLet from error
    storefront.name = sign_name
    storefront.business_type = business_type or storefront.business_type
    make_findable(storefront)
    events.record(
        session, "streets.tenancy_started", subject=tenancy, by=by, at=at, sign_name=sign_name
    )
    return tenancy


def _check_first_day(session: Session, storefront: Storefront, *, on: date, at: datetime) -> None:
    if not EARLIEST <= on <= clock.local_date(at) + LATEST_AHEAD:
        raise BadInput(
            field="开始日期 start",
            reason_zh=f"应在 {EARLIEST} 之后、一年之内",
            reason_en=f"between {EARLIEST} and a year from today",
        )
    last_day = session.scalar(
        select(Tenancy.ends_on)
        .where(Tenancy.subdistrict_id == tenant_of(session))
        .where(Tenancy.storefront_id == storefront.id, Tenancy.ends_on > on)
        .limit(1)
    )
    if last_day:
        raise BadInput(
            field="开始日期 start",
            reason_zh=f"原经营期到 {last_day} 才结束",
            reason_en=f"the former tenancy ends on {last_day}",
        )


def end(
    session: Session,
    tenancy: Tenancy,
    storefront: Storefront,
    *,
    on: date,
    by: uuid.UUID | None,
    at: datetime,
    because: str,
) -> None:
    """The place stays, empty. Ended once; the second who presses is told."""
    if on < tenancy.starts_on:
        raise BadInput(field="结束日期 end", reason_zh="早于开始日期", reason_en="before it began")
    # The sign goes with the act, so the end cannot lie ahead.
    if on > max(clock.local_date(at), tenancy.starts_on):
        raise BadInput(field="结束日期 end", reason_zh="晚于今天", reason_en="later than today")
    ended = session.execute(
        update(Tenancy)
        .where(Tenancy.subdistrict_id == tenancy.subdistrict_id)
        .where(Tenancy.id == tenancy.id, Tenancy.ends_on.is_(None))
        .values(ends_on=on, ended_because=because)
    )
    if ended.rowcount != 1:  # type: ignore[attr-defined]
        raise WrongState
    storefront.name = None
    make_findable(storefront)
    events.record(session, "streets.tenancy_ended", subject=tenancy, by=by, at=at, because=because)


def change_sign(
    session: Session,
    tenancy: Tenancy,
    storefront: Storefront,
    *,
    sign_name: str,
    by: uuid.UUID | None,
    at: datetime,
    because: str,
) -> None:
    """The same merchant goes on under another sign: no new tenancy, so what was earned stays."""
    if tenancy.ends_on is not None:
        raise WrongState
    former, tenancy.sign_name = tenancy.sign_name, sign_name
    storefront.name = sign_name
    make_findable(storefront)
    events.record(
        session,
        "streets.sign_changed",
        subject=storefront,
        by=by,
        at=at,
        former=former,
        sign_name=sign_name,
        because=because,
    )


def running(session: Session, storefront: Storefront) -> Tenancy | None:
    return session.scalar(
        select(Tenancy)
        .where(Tenancy.subdistrict_id == storefront.subdistrict_id)
        .where(Tenancy.storefront_id == storefront.id, Tenancy.ends_on.is_(None))
    )


def make_findable(row: Storefront) -> None:
    """What search looks at: the sign's initials, and two-character pieces of all three."""
    row.initials = initials(row.name) if row.name else None
    row.pieces = pieces(row.name, row.address, row.initials)


def make_merchant_findable(row: Merchant) -> None:
    row.initials = initials(row.name)
    row.pieces = pieces(row.name, row.initials)
