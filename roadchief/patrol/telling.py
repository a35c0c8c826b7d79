"""Who is told what: a patroller of a decision, chiefs of late, missed and short shifts."""

import uuid
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.accounts import notices
from roadchief.accounts.access import CHIEFS
from roadchief.db import tenant_of
from roadchief.lib import clock
from roadchief.patrol.models import CheckIn
from roadchief.streets.charge import REACHED
from roadchief.streets.models import Storefront

notices.declare(Path(__file__).with_name("notices.toml"))

TOLD = {
    "sent_back": ("退回，请说明", "sent back, please explain"),
    "refused": ("认定不实", "found untrue"),
    "removed": ("已删除", "removed"),
}
SHIFT = text(
    """
SELECT s.id, s.title, s.starts_at, n.name AS person, s.person_id FROM shift s
JOIN person n ON n.subdistrict_id = :here AND n.id = s.person_id
WHERE s.subdistrict_id = :here AND s.id = :shift
"""
)
# The chiefs who answer for what the shift walks; not the walker.
IN_CHARGE = text(
    REACHED + "SELECT DISTINCT c.person_id FROM reached c JOIN shift_beat b "
    "ON b.subdistrict_id = :here AND b.segment_id = c.segment_id AND b.shift_id = :shift "
    "WHERE c.role = ANY(:roles) AND c.person_id <> :walker"
)


def tell_decision(
    session: Session, visit: CheckIn, decision: str, *, at: datetime, because: str | None
) -> None:
    """The person whose visit it was; an approval needs no message."""
    if decision not in TOLD:
        return
    shop = session.get_one(Storefront, (tenant_of(session), visit.storefront_id))
    zh, en = TOLD[decision]
    notices.tell(
        session,
        to=visit.person_id,
        address=None,
        kind="patrol.decided",
        subject_id=visit.id,
        words={
            "decision": zh,
            "decision_en": en,
            "place": shop.address,
            "at": _local(visit.occurred_at),
            "because": because or "",
            "path": "/patrol/",
        },
        at=at,
        once=uuid.uuid5(visit.id, decision),
    )


def tell_alert(
    session: Session,
    alert_id: uuid.UUID,
    shift_id: uuid.UUID,
    what: tuple[str, str],
    *,
    at: datetime,
) -> None:
    """Every chief who answers for a segment of the shift, once an alert."""
    here = tenant_of(session)
    shift = session.execute(SHIFT, {"here": here, "shift": shift_id}).one()
    values = {
        "here": here,
        "at": at,
        "segments": None,
        "shift": shift_id,
        "roles": sorted(CHIEFS),
        "walker": shift.person_id,
    }
    notices.tell_many(
        session,
        session.scalars(IN_CHARGE, values).all(),
        kind="patrol.alert",
        subject_id=alert_id,
        words={
            "person": shift.person,
            "what": what[0],
            "what_en": what[1],
            "shift": shift.title,
            "at": _local(shift.starts_at),
            "path": "/chief/",
        },
        at=at,
    )


def _local(at: datetime) -> str:
    return f"{clock.local(at):%Y-%m-%d %H:%M}"
