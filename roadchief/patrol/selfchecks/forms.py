"""A self-check as a form or a phone sends it, read and bounded before anything is written."""

import uuid
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from roadchief.db import new_id
from roadchief.errors import BadInput
from roadchief.lib.text import clean
from roadchief.patrol.checklists import questions
from roadchief.patrol.selfchecks.checks import MOST_NOTE, Sheet, Wrong, check_promise
from roadchief.streets import standards
from roadchief.web.forms import date_field, optional_text


def form_of(session: Session, version: str | None) -> questions.Form:
    """The form in force, or the older one that somebody began with; unknown ones are refused."""
    present = questions.in_force(session, standards.MERCHANT)
    version = clean(version or "")[:60]
    if not version or version == present.version:
        return present
    older = questions.of_version(session, standards.MERCHANT, version)
    if older is None:
        raise BadInput(
            field="检查表版本 form",
            reason_zh="没有这个版本，请打开新表",
            reason_en="unknown version",
        )
    return older


def chosen(form: questions.Form, said: list[str]) -> list[standards.Item]:
    """The items that were ticked, each once, in the order of the form."""
    unknown = [code for code in said if code not in form.items]
    if unknown:
        raise BadInput(
            field="检查项 item",
            reason_zh=f"{unknown[0][:20]} 不在本表范围内",
            reason_en=f"{unknown[0][:20]} is not on this form",
        )
    return [standards.items()[code] for code in form.items if code in set(said)]


def read(
    form: questions.Form,
    given: Mapping[str, str],
    items: list[standards.Item],
    photos: dict[str, tuple[str, ...]],
    *,
    storefront_id: uuid.UUID,
    today: date,
) -> Sheet:
    """The whole sheet of a page's form; `photos` are hashes by item."""
    return Sheet(
        id=read_id(given.get("id", "")),
        storefront_id=storefront_id,
        form=form.version,
        items=form.items,
        wrong=tuple(_wrong(item, given, photos.get(item.code, ()), today) for item in items),
    )


def read_id(said: str) -> uuid.UUID:
    """The form's own id, made when the page was drawn; without one it is new."""
    if not said:
        return new_id()
    try:
        found = uuid.UUID(said)
    except ValueError as error:
        raise _bad_id() from error
    if found.version != 7:
        raise _bad_id()
    return found


def _wrong(
    item: standards.Item, given: Mapping[str, str], photos: tuple[str, ...], today: date
) -> Wrong:
    way = given.get(f"way-{item.code}", "self")
    if way not in {"self", "help"}:
        raise BadInput(field=item.zh, reason_zh="请选择怎么办", reason_en="choose what to do")
    fix_on = None
    if way == "self" and given.get(f"fix_on-{item.code}", "").strip():
        fix_on = date_field(given, f"fix_on-{item.code}", label=f"{item.zh} 整改日期")
        check_promise(fix_on, today=today)
    note = optional_text(given, f"note-{item.code}", label=f"{item.zh} 说明", limit=MOST_NOTE)
    return Wrong(item.code, note, fix_on, way == "help", photos)


def promise_of(item: standards.Item, today: date) -> date:
    """What the form proposes: the item's own limit, in whole days."""
    days = item.limit.amount if item.limit.clock == "wd" else 0
    return today + timedelta(days=days)


def wrong_of(row: Any) -> dict[str, Any]:
    """The extra fields of a phone's answer, where they are sound; odd ones count as absent."""
    fix_on = None
    if isinstance(row.get("fix_on"), str):
        try:
            fix_on = date.fromisoformat(row["fix_on"])
        except ValueError:
            fix_on = None
    return {"fix_on": fix_on, "help": row.get("help") is True}


def _bad_id() -> BadInput:
    return BadInput(field="编号 id", reason_zh="应为 UUIDv7", reason_en="must be a UUIDv7")
