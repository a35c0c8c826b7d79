"""A gentle word to merchants: on the day a self-check is due, once more some days later.

Told once for each turn, whoever asks how often; then silence until the next turn.
"""

import uuid
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from roadchief.accounts import notices
from roadchief.patrol.selfchecks import reading
from roadchief.patrol.selfchecks.checks import figures
from roadchief.patrol.selfchecks.reading import Standing
from roadchief.streets import shopkeepers

notices.declare(Path(__file__).parents[1] / "notices.toml")
FIRST = uuid.UUID(int=0)


def remind(session: Session, *, at: datetime) -> int:
    """How many people were told."""
    told, after = 0, FIRST
    while rows := reading.kept_after(session, after, at=at):
        after = rows[-1].row.storefront_id
        told += sum(_tell(session, one, at=at) for one in rows if _stage(one) is not None)
    return told


def _stage(one: Standing) -> str | None:
    """The day itself, and the one reminder after; whoever was missed by a day is told later."""
    again = figures()["again_days"]
    if one.turn.left > 0 or one.turn.left < -again - 1:
        return None
    return "due" if one.turn.left > -again else "again"


def _tell(session: Session, one: Standing, *, at: datetime) -> int:
    people = shopkeepers.keepers_of(session, one.row.storefront_id)
    return notices.tell_many(
        session,
        people,
        kind="patrol.self_check",
        subject_id=one.row.tenancy_id,
        words={
            "shop": one.row.sign_name,
            "said": one.turn.say("zh"),
            "said_en": one.turn.say("en"),
            "path": f"/merchant/self-checks/{one.row.storefront_id}",
        },
        at=at,
        once=uuid.uuid5(one.row.tenancy_id, f"{one.turn.due_on}:{_stage(one)}"),
    )
