"""What the public may see of a case: released words and photos, with numbers masked."""

import re
import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.errors import NotFound
from roadchief.issues.cases import MOST_WORDS, Who, add_step
from roadchief.issues.models import Case, CasePhoto

# Whose photos prove that something was fixed.
PROOF = ("merchant", "unit", "chief", "centre", "patrol")
# Digits with whatever people put between them, also full-width ones.
DIGIT = "[0-9０-９]"
BETWEEN = r"[\s\-－—.·]{0,2}"
# Longest first: an ID number holds what looks like a phone number.
IDENTITY = re.compile(rf"(?<!{DIGIT})(?:{DIGIT}{BETWEEN}){{17}}[0-9０-９XxＸｘ](?!{DIGIT})")
MOBILE = re.compile(
    rf"(?<!{DIGIT})(?:[+＋]?[8８]{BETWEEN}[6６]{BETWEEN})?"
    rf"[1１]{BETWEEN}[3-9３-９]{BETWEEN}(?:{DIGIT}{BETWEEN}){{8}}{DIGIT}(?!{DIGIT})"
)
LANDLINE = re.compile(
    rf"(?<!{DIGIT})[0０]{DIGIT}{{2,3}}{BETWEEN}[2-9２-９](?:{DIGIT}{BETWEEN}){{6}}{DIGIT}(?!{DIGIT})"
)
ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·\s]?[A-Z0-9]{5,6}"
)
MARK = "〔已隐去〕"

events.declare(
    {
        "issues.released": "words or photos of a case were made public",
        "issues.withdrawn": "a public photo or words were taken back",
    }
)


def masked(text: str) -> str:
    """Free text without phone and ID numbers, mail addresses and number plates."""
    for pattern in (IDENTITY, MOBILE, LANDLINE, ADDRESS, PLATE):
        text = pattern.sub(MARK, text)
    return text


def preview(words: str) -> str:
    """What would be public: shown before it is."""
    return masked(words)[:MOST_WORDS]


def release_words(session: Session, case: Case, words: str, *, who: Who, at: datetime) -> None:
    """Public from now on; the reporter's own words stay on the desk."""
    case.public_words = preview(words) or None
    case.updated_at = at
    add_step(session, case, "release", case.state, who, at=at, data={"what": "words"})
    events.record(session, "issues.released", subject=case, by=who.person, at=at, what="words")


def find_photo(session: Session, case: Case, photo_id: uuid.UUID) -> CasePhoto:
    row = session.scalar(
        select(CasePhoto)
        .where(CasePhoto.subdistrict_id == case.subdistrict_id)
        .where(CasePhoto.case_id == case.id, CasePhoto.id == photo_id)
        .with_for_update()
    )
    if row is None:
        raise NotFound
    return row


def release_photo(
    session: Session,
    case: Case,
    row: CasePhoto,
    *,
    public_photo_id: uuid.UUID,
    who: Who,
    at: datetime,
) -> None:
    """One public version at a time: the blurred copy, or the photo where nobody is seen."""
    row.public_photo_id, row.released_at, row.released_by = public_photo_id, at, who.person
    row.withdrawn_at = None
    case.updated_at = at
    add_step(session, case, "release", case.state, who, at=at, data={"what": "photo"})
    events.record(session, "issues.released", subject=case, by=who.person, at=at, what="photo")


def withdraw_photo(session: Session, case: Case, row: CasePhoto, *, who: Who, at: datetime) -> None:
    """Its public address answers 410 from now on."""
    row.withdrawn_at = at
    case.updated_at = at
    add_step(session, case, "withdraw_photo", case.state, who, at=at)
    events.record(session, "issues.withdrawn", subject=case, by=who.person, at=at)


def public_photos(session: Session, case_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[CasePhoto]]:
    """Released photos of many cases in one query."""
    found: dict[uuid.UUID, list[CasePhoto]] = {}
    if not case_ids:
        return found
    rows = session.scalars(
        select(CasePhoto)
        .where(CasePhoto.subdistrict_id == session.info["subdistrict_id"])
        .where(CasePhoto.case_id.in_(case_ids))
        .where(CasePhoto.released_at.is_not(None), CasePhoto.withdrawn_at.is_(None))
        .order_by(CasePhoto.added_at)
    )
    for row in rows:
        found.setdefault(row.case_id, []).append(row)
    return found
