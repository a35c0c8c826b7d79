"""回复模板: words that are written often, with places that the case fills in."""

import re
import tomllib
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import new_id, savepoint, tenant_of
from roadchief.errors import Conflict, NotFound
from roadchief.issues import categories, moves
from roadchief.issues.models import Case, ReplyTemplate
from roadchief.issues.refusals import bad
from roadchief.issues.voices import Receipt
from roadchief.lib import clock

FILE = Path(__file__).with_name("replies.toml")
LANGUAGES = ("zh", "en")
MOST_NAME, MOST_TEXT, MOST = 40, 700, 300
# What a template may name, in both languages. Nothing that a citizen wrote is among it.
WORDS: dict[str, tuple[str, str]] = {
    "number": ("案件编号", "number of the case"),
    "category": ("类别", "category"),
    "place": ("地点", "place"),
    "unit": ("责任单位", "unit"),
    "due": ("办结期限", "due"),
    "reported": ("收到时间", "received"),
    "today": ("今天", "today"),
    "phone": ("服务电话", "office phone"),
}
PLACE = re.compile(r"\{([^{}]*)\}")
# Moves whose words a person writes.
VERBS = tuple(
    move.verb
    for move in moves.MOVES
    if moves.REASON in move.needs or move.verb in ("open", "dispatch", "inspect")
)

events.declare(
    {
        "issues.reply_kept": "a text for replies was made or changed",
        "issues.reply_ended": "a text for replies is used no more",
    }
)


class ChangedMeanwhile(Conflict):
    zh = "模板“{name}”已被他人修改或停用，请刷新后再试"
    en = "the template {name} was changed or ended by somebody else: reload and try again"


@dataclass(frozen=True)
class Draft:
    """A template as somebody wrote it, checked."""

    name: str
    language: str
    verb: str | None
    category: str | None
    text: str


@dataclass(frozen=True)
class Filled:
    """A template with the words of one case in it: exactly what will be sent."""

    id: uuid.UUID
    name: str
    language: str
    verb: str | None
    words: str


def drafted(given: dict[str, str]) -> Draft:
    """Read from a form; an unknown place, verb or category is refused by name."""
    name, words = given.get("name", ""), given.get("text", "")
    language, verb, category = (given.get(key, "") for key in ("language", "verb", "category"))
    if not name or len(name) > MOST_NAME:
        raise bad("名称 name", f"请填写，最多 {MOST_NAME} 个字", f"1 to {MOST_NAME} characters")
    if not words or len(words) > MOST_TEXT:
        raise bad("内容 text", f"请填写，最多 {MOST_TEXT} 个字", f"1 to {MOST_TEXT} characters")
    if language not in LANGUAGES:
        raise bad("语言 language", "请选择中文或英文", "Chinese or English")
    if verb and verb not in VERBS:
        raise bad("用于 verb", "没有这个操作", "there is no such move")
    if category and category not in categories.known():
        raise bad("类别 category", "没有这个类别", "there is no such category")
    unknown = [place for place in PLACE.findall(words) if place not in WORDS]
    if unknown:
        known = " ".join(f"{{{one}}}" for one in WORDS)
        raise bad(
            "内容 text",
            f"没有占位符 {{{unknown[0][:30]}}}，可用：{known}",
            f"there is no {{{unknown[0][:30]}}}; known are {known}",
        )
    return Draft(name, language, verb or None, category or None, words)


def keep(
    session: Session,
    draft: Draft,
    *,
    by: uuid.UUID | None,
    at: datetime,
    instead_of: uuid.UUID | None = None,
) -> ReplyTemplate:
    """A new template, or one in place of another. One of a name and language at a time."""
    if instead_of is not None:
        end(session, instead_of, by=by, at=at, quietly=True)
        session.flush()
    row = ReplyTemplate(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        name=draft.name,
        language=draft.language,
        verb=draft.verb,
        category=draft.category,
        text=draft.text,
        made_at=at,
        made_by=by,
    )
    try:
        with savepoint(session):
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise bad("名称 name", "已有同名模板", "there is one of this name") from error
    events.record(session, "issues.reply_kept", subject=row, by=by, at=at, name=row.name)
    return row


def end(
    session: Session,
    reply_id: uuid.UUID,
    *,
    by: uuid.UUID | None,
    at: datetime,
    quietly: bool = False,
) -> None:
    """No more offered. Two who change one at once: the second is told."""
    row = session.scalar(
        select(ReplyTemplate)
        .where(ReplyTemplate.subdistrict_id == tenant_of(session), ReplyTemplate.id == reply_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound
    if row.ended_at is not None:
        raise ChangedMeanwhile(name=row.name)
    row.ended_at = at
    if not quietly:
        events.record(session, "issues.reply_ended", subject=row, by=by, at=at, name=row.name)


def listing(session: Session) -> list[ReplyTemplate]:
    """All that are in use, by move and name."""
    return list(
        session.scalars(
            select(ReplyTemplate)
            .where(ReplyTemplate.subdistrict_id == tenant_of(session))
            .where(ReplyTemplate.ended_at.is_(None))
            .order_by(ReplyTemplate.verb, ReplyTemplate.language.desc(), ReplyTemplate.name)
            .limit(MOST)
        )
    )


def begin_with(session: Session, *, by: uuid.UUID | None, at: datetime) -> int:
    """Take over the texts of our own list whose names are not there yet; how many."""
    known = {(row.language, row.name) for row in listing(session)}
    drafts = [draft for draft in standard() if (draft.language, draft.name) not in known]
    for draft in drafts:
        keep(session, draft, by=by, at=at)
    return len(drafts)


@cache
def standard() -> tuple[Draft, ...]:
    rows = tomllib.loads(FILE.read_text(encoding="utf-8"))["reply"]
    return tuple(
        drafted(
            {
                "name": row[f"name_{language}"],
                "language": language,
                "verb": row["verb"],
                "text": row[language],
            }
        )
        for row in rows
        for language in LANGUAGES
    )


def for_case(
    session: Session, case: Case, *, at: datetime, phone: str, unit: str | None
) -> list[Filled]:
    """What fits this case, filled; those in the reporter's language and of its class first."""
    rows = session.scalars(
        select(ReplyTemplate)
        .where(ReplyTemplate.subdistrict_id == case.subdistrict_id)
        .where(ReplyTemplate.ended_at.is_(None))
        .where(or_(ReplyTemplate.category.is_(None), ReplyTemplate.category == case.category))
        .order_by(ReplyTemplate.category.is_(None), ReplyTemplate.name)
        .limit(MOST)
    ).all()
    if not rows:
        return []
    spoken = session.scalar(
        select(Receipt.language)
        .where(Receipt.subdistrict_id == case.subdistrict_id, Receipt.case_id == case.id)
        .order_by(Receipt.made_at)
        .limit(1)
    )
    said = {one: facts_of(case, one, at=at, phone=phone, unit=unit) for one in LANGUAGES}
    filled = [
        Filled(row.id, row.name, row.language, row.verb, fill(row.text, said[row.language]))
        for row in rows
    ]
    return sorted(filled, key=lambda one: one.language != (spoken or "zh"))


def facts_of(
    case: Case, language: str, *, at: datetime, phone: str, unit: str | None
) -> dict[str, str]:
    zh = language == "zh"
    return {
        "number": case.number,
        "category": categories.find(case.category).say(language),
        "place": case.address or ("反映的地点" if zh else "the place"),
        "unit": unit or ("责任单位" if zh else "the unit in charge"),
        "due": f"{clock.local(case.due_at):%Y-%m-%d %H:%M}" if case.due_at else "—",
        "reported": f"{clock.local(case.reported_at):%Y-%m-%d %H:%M}",
        "today": f"{clock.local(at):%Y-%m-%d}",
        "phone": phone,
    }


def sample(language: str) -> dict[str, str]:
    """What a preview is filled with where there is no case."""
    zh = language == "zh"
    return {
        "number": "2611-0042",
        "category": categories.find("ZX02").say(language),
        "place": "崂山路527号",
        "unit": "综合行政执法队" if zh else "the enforcement squad",
        "due": "2026-11-30 17:30",
        "reported": "2026-11-30 09:12",
        "today": "2026-11-30",
        "phone": "021-12345",
    }


def fill(words: str, facts: dict[str, Any]) -> str:
    """Each place once; what stands in a fact is not read again."""
    return PLACE.sub(lambda found: str(facts.get(found[1], found[0])), words)
