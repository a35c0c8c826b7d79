"""Sub-districts, the tenants: opened with a look at their code. Verbs never commit."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import savepoint
from roadchief.errors import BadInput, Conflict
from roadchief.lib.text import clean
from roadchief.streets import divisions
from roadchief.streets.divisions import Doubt
from roadchief.streets.models import Subdistrict

SHORT_NAME = re.compile(r"[A-Z]{1,6}")
RINGS = ("city", "town", "country")

events.declare(
    {
        "streets.subdistrict_opened": "a sub-district was entered",
        "streets.subdistrict_renamed": "a sub-district got another name or short name",
    }
)


class AlreadyOpen(Conflict):
    zh = "{code} 已是“{name}”；要改名请加 --rename"
    en = "{code} is {name} already; --rename changes its name"


@dataclass(frozen=True)
class Opened:
    """The sub-district, and what looks doubtful about its code and names."""

    row: Subdistrict
    doubts: list[Doubt]


class _Subject:
    """Events are about rows with a UUID; a sub-district's is its code."""

    def __init__(self, code: int) -> None:
        self.__tablename__, self.id = "subdistrict", uuid.UUID(int=code)


def open_subdistrict(
    session: Session,
    *,
    code: int,
    name: str,
    short_name: str,
    by: uuid.UUID | None,
    at: datetime,
    ring: str | None = None,
    rename: bool = False,
) -> Opened:
    """In a transaction of that sub-district. The same again changes nothing; a doubtful code is
    told, not refused."""
    name, short_name = clean(name), clean(short_name).upper()
    _check(name, short_name, ring)
    doubts = divisions.doubts(code, name) + _same_short_name(session, code, short_name)
    row = session.get(Subdistrict, code, with_for_update=True)
    if row is None:
        row = _insert(session, Subdistrict(id=code, name=name, short_name=short_name, ring=ring))
        _record(session, "streets.subdistrict_opened", row, by=by, at=at)
    elif (row.name, row.short_name) != (name, short_name):
        if not rename:
            raise AlreadyOpen(code=code, name=row.name)
        row.name, row.short_name, row.ring = name, short_name, ring or row.ring
        _record(session, "streets.subdistrict_renamed", row, by=by, at=at)
    return Opened(row, doubts)


def _check(name: str, short_name: str, ring: str | None) -> None:
    if not 2 <= len(name) <= 40:
        raise BadInput(field="名称 name", reason_zh="2–40 个字", reason_en="2 to 40 characters")
    if not SHORT_NAME.fullmatch(short_name):
        raise BadInput(
            field="简称 short", reason_zh="1–6 个字母，如 WF", reason_en="1 to 6 letters such as WF"
        )
    if ring is not None and ring not in RINGS:
        raise BadInput(
            field="圈层 ring", reason_zh="应为 city、town 或 country", reason_en="choose one"
        )


def _insert(session: Session, row: Subdistrict) -> Subdistrict:
    try:
        with savepoint(session):
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise AlreadyOpen(code=row.id, name=row.name) from error
    return row


def _same_short_name(session: Session, code: int, short_name: str) -> list[Doubt]:
    """Human numbers begin with it: two alike are mixed up on paper."""
    others = session.scalars(
        select(Subdistrict.name).where(Subdistrict.short_name == short_name, Subdistrict.id != code)
    )
    return [
        Doubt(f"简称 {short_name} 已由“{name}”使用", f"{name} has the short name {short_name} too")
        for name in others
    ]


def _record(
    session: Session, name: str, row: Subdistrict, *, by: uuid.UUID | None, at: datetime
) -> None:
    subject = _Subject(row.id)
    events.record(session, name, subject=subject, by=by, at=at, name=row.name, code=row.id)
