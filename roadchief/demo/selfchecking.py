"""Some weeks of self-checks by the demo's merchant, through the verb that the page calls."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.db import new_id
from roadchief.patrol.selfchecks import checks
from roadchief.patrol.selfchecks.checks import Sheet, Wrong
from roadchief.patrol.selfchecks.models import SelfFinding
from roadchief.streets import shopkeepers, standards

# Days ago, item and note of what was found, days until it was put right (None: still open).
WEEKS: tuple[tuple[int, str | None, str, int | None], ...] = (
    (30, None, "", None),
    (23, "WS01", "门口有烟头，已扫", 0),
    (16, None, "", None),
    (6, "ZP01", "店招右侧灯箱有一个字不亮，已约师傅", None),
)


def check_some_weeks(session: Session, person_id: uuid.UUID | None, *, now: datetime) -> int:
    """How many were filed. The shop has just been opened where the demo begins later."""
    shops = shopkeepers.shops_of(session, person_id) if person_id else []
    if not shops or person_id is None:
        return 0
    items = tuple(standards.items_for(standards.MERCHANT))
    for days, item, note, mended in WEEKS:
        at = now - timedelta(days=days, hours=2)
        fix_on = at.date() + timedelta(days=7)
        wrong = (Wrong(item, note, fix_on),) if item else ()
        sheet = Sheet(new_id(), shops[0].storefront_id, standards.version(), items, wrong)
        row, _ = checks.file(session, sheet, by=person_id, at=at)
        if item and mended is not None:
            _put_right(session, row.id, by=person_id, at=at + timedelta(days=mended, hours=1))
    return len(WEEKS)


def _put_right(session: Session, sheet_id: uuid.UUID, *, by: uuid.UUID, at: datetime) -> None:
    found = session.scalars(select(SelfFinding).where(SelfFinding.self_check_id == sheet_id))
    for finding in found:
        checks.put_right(session, finding.id, by=by, at=at)
