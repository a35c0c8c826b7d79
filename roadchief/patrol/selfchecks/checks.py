"""Merchants check their own shops: filed once, put right, help asked for. Verbs never commit.

What a merchant finds is never held against the shop: no finding, no case, no deduction. A case
comes only of a wish for help, through `on_help`. A self-check is no evidence of a visit.
"""

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import in_turn, new_id, savepoint, tenant_of
from roadchief.errors import BadInput, Conflict, NotFound, RuleBroken
from roadchief.lib import clock
from roadchief.patrol import rules
from roadchief.patrol.selfchecks import rhythm
from roadchief.patrol.selfchecks.models import SelfCheck, SelfFinding, SelfFix, SelfHelp
from roadchief.streets import shopkeepers, standards
from roadchief.streets.shopkeepers import Shop

MOST_NOTE = 300

events.declare(
    {
        "patrol.self_checked": "a merchant checked the own shop, on time or not",
        "patrol.self_fixed": "a merchant put right what a self-check had found",
        "patrol.self_help_asked": "a merchant asked for help with what a self-check had found",
    }
)


class Helped(NamedTuple):
    """The case that a wish for help became."""

    case_id: uuid.UUID
    number: str


# Called with each wish for help, in its transaction; app.py puts the maker of cases here.
# on_help(session, *, finding_id, storefront_id, item, by, at, note, photos) -> (case id, number)
on_help: list[Callable[..., tuple[uuid.UUID, str]]] = []


class OtherSheet(Conflict):
    zh = "这张自查表已用同一编号提交过不同的内容，没有覆盖。请打开新表重新填写"
    en = "another content was filed under this id and was not replaced: open a new form"


class EnoughToday(RuleBroken):
    zh = "今天已自查 {most} 次，明天再来"
    en = "{most} self-checks were filed today already: come back tomorrow"


@dataclass(frozen=True)
class Wrong:
    """One thing found, with what the merchant means to do about it. Photos by hash."""

    item: str
    note: str | None = None
    fix_on: date | None = None
    help: bool = False
    photos: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A filled form."""

    id: uuid.UUID
    storefront_id: uuid.UUID
    form: str
    items: tuple[str, ...]
    wrong: tuple[Wrong, ...] = ()
    not_applicable: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def sha256(self) -> bytes:
        """Of what was said; flags are ours and may differ when it is sent again."""
        said = asdict(self) | {"flags": None, "items": None}
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).digest()


def figures() -> dict[str, Any]:
    """How often, how many a day, how long a promise may run."""
    every = rules.frequencies()["merchant"]
    return rules.section("self_check") | {"every_days": max(1, every.days // every.times)}


def own_shop(session: Session, person_id: uuid.UUID, storefront_id: uuid.UUID) -> Shop:
    """The shop, if this person runs it now; anybody else's is not found."""
    for shop in shopkeepers.shops_of(session, person_id):
        if shop.storefront_id == storefront_id:
            return shop
    raise NotFound


def file(
    session: Session,
    sheet: Sheet,
    *,
    by: uuid.UUID,
    at: datetime,
    checked_at: datetime | None = None,
) -> tuple[SelfCheck, bool]:
    """(the self-check, whether it is new). The same sheet again is the same row."""
    shop = own_shop(session, by, sheet.storefront_id)
    # Two at once at one shop take turns: the number of the day is counted, and kept unique.
    in_turn(session, f"patrol.self_check.{shop.storefront_id}")
    known = session.get(SelfCheck, (tenant_of(session), sheet.id))
    if known is not None:
        return _same(known, sheet, by), False
    row = _row(session, sheet, shop, by=by, at=at, checked_at=checked_at or at)
    found = [(_finding(row, wrong), wrong) for wrong in sheet.wrong]
    try:
        with savepoint(session):
            session.add(row)
            session.flush()
            session.add_all([finding for finding, _ in found])
            session.flush()
    except IntegrityError as error:
        raise OtherSheet from error  # the id is that of another shop's sheet, filed just now
    events.record(
        session,
        "patrol.self_checked",
        subject=row,
        by=by,
        at=at,
        storefront=str(row.storefront_id),
        tenancy=str(row.tenancy_id),
        wrong=row.wrong,
        on_time=row.on_time,
        form=row.form,
    )
    for finding, wrong in found:
        if wrong.help:
            _help(session, finding, by=by, at=at)
    return row, True


def put_right(
    session: Session,
    finding_id: uuid.UUID,
    *,
    by: uuid.UUID,
    at: datetime,
    note: str | None = None,
    photos: tuple[str, ...] = (),
) -> SelfFix:
    """The merchant says that it is done; said again it changes nothing."""
    finding = own_finding(session, finding_id, by)
    in_turn(session, f"patrol.self_finding.{finding_id}")
    known = session.get(SelfFix, (tenant_of(session), finding_id))
    if known is not None:
        return known
    row = SelfFix(
        subdistrict_id=finding.subdistrict_id,
        id=finding_id,
        person_id=by,
        fixed_at=at,
        note=note,
        photos=list(photos),
    )
    session.add(row)
    session.flush()
    events.record(
        session,
        "patrol.self_fixed",
        subject=finding,
        by=by,
        at=at,
        storefront=str(finding.storefront_id),
        tenancy=str(finding.tenancy_id),
        item=finding.item,
        in_time=finding.fix_on is None or clock.local_date(at) <= finding.fix_on,
    )
    return row


def ask_help(session: Session, finding_id: uuid.UUID, *, by: uuid.UUID, at: datetime) -> SelfHelp:
    """A case by the verbs of cases; asked again it is the same one."""
    return _help(session, own_finding(session, finding_id, by), by=by, at=at)


def own_finding(session: Session, finding_id: uuid.UUID, person_id: uuid.UUID) -> SelfFinding:
    """Of a shop that this person runs now, found in the present tenancy."""
    finding = session.get(SelfFinding, (tenant_of(session), finding_id))
    if finding is None:
        raise NotFound
    shop = own_shop(session, person_id, finding.storefront_id)
    if shop.tenancy_id != finding.tenancy_id:
        raise NotFound
    return finding


def check_promise(fix_on: date | None, *, today: date) -> None:
    """A day that has not passed and is not too far."""
    most = figures()["promise_days"]
    if fix_on is not None and not 0 <= (fix_on - today).days <= most:
        raise BadInput(
            field="整改日期 date",
            reason_zh=f"应为今天起 {most} 天以内",
            reason_en=f"from today, within {most} days",
        )


def _help(session: Session, finding: SelfFinding, *, by: uuid.UUID, at: datetime) -> SelfHelp:
    in_turn(session, f"patrol.self_finding.{finding.id}")
    known = session.get(SelfHelp, (finding.subdistrict_id, finding.id))
    if known is not None:
        return known
    made = None
    for make in on_help:
        made = Helped(
            *make(
                session,
                finding_id=finding.id,
                storefront_id=finding.storefront_id,
                item=finding.item,
                by=by,
                at=at,
                note=finding.note,
                photos=finding.photos,
            )
        )
    row = SelfHelp(
        subdistrict_id=finding.subdistrict_id,
        id=finding.id,
        person_id=by,
        asked_at=at,
        case_id=made.case_id if made else None,
        case_number=made.number if made else None,
    )
    session.add(row)
    session.flush()
    events.record(
        session,
        "patrol.self_help_asked",
        subject=finding,
        by=by,
        at=at,
        item=finding.item,
        case=made.number if made else None,
    )
    return row


def _same(known: SelfCheck, sheet: Sheet, by: uuid.UUID) -> SelfCheck:
    if known.body_sha256 != sheet.sha256 or known.person_id != by:
        raise OtherSheet
    return known


def _row(
    session: Session, sheet: Sheet, shop: Shop, *, by: uuid.UUID, at: datetime, checked_at: datetime
) -> SelfCheck:
    day, given = clock.local_date(checked_at), figures()
    mine = (SelfCheck.subdistrict_id == tenant_of(session)) & (
        SelfCheck.storefront_id == shop.storefront_id
    )
    nth = 1 + (
        session.scalar(select(func.max(SelfCheck.nth)).where(mine, SelfCheck.on_day == day)) or 0
    )
    if nth > given["most_a_day"]:
        raise EnoughToday(most=given["most_a_day"])
    before = session.scalar(
        select(func.max(SelfCheck.on_day)).where(
            mine, SelfCheck.tenancy_id == shop.tenancy_id, SelfCheck.on_day <= day
        )
    )
    return SelfCheck(
        subdistrict_id=tenant_of(session),
        id=sheet.id,
        storefront_id=shop.storefront_id,
        tenancy_id=shop.tenancy_id,
        person_id=by,
        on_day=day,
        nth=nth,
        checked_at=checked_at,
        received_at=at,
        form=sheet.form,
        items=list(sheet.items),
        not_applicable=list(sheet.not_applicable),
        wrong=len(sheet.wrong),
        on_time=rhythm.on_time(before, day, every_days=given["every_days"]),
        flags=list(sheet.flags),
        body_sha256=sheet.sha256,
    )


def _finding(row: SelfCheck, wrong: Wrong) -> SelfFinding:
    if wrong.item not in standards.items_for(standards.MERCHANT):
        raise BadInput(
            field="检查项 items",
            reason_zh=f"{wrong.item[:20]} 不在商户自查范围内",
            reason_en=f"{wrong.item[:20]} is not part of a self-check",
        )
    return SelfFinding(
        subdistrict_id=row.subdistrict_id,
        id=new_id(),
        self_check_id=row.id,
        storefront_id=row.storefront_id,
        tenancy_id=row.tenancy_id,
        item=wrong.item,
        note=wrong.note,
        fix_on=wrong.fix_on,
        found_at=row.checked_at,
        photos=list(wrong.photos),
    )
