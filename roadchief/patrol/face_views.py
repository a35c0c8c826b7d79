"""What a scan tells staff of visits: the last ones with their verdict. Citizens see none of it."""

from datetime import datetime

from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.accounts.access import Actor
from roadchief.codes.faces import Line, Part
from roadchief.codes.scans import Seen
from roadchief.db import tenant_of
from roadchief.lib import clock
from roadchief.patrol.models import CheckIn

MOST = 3
TOLD = frozenset({"patroller", "chief"})
STATES = {"verified": "ok", "weak": "due", "contradicted": "late"}


def visits(
    session: Session, seen: Seen, audience: str, actor: Actor | None, at: datetime
) -> Part | None:
    """The last visits, newest first."""
    if seen.storefront_id is None or audience not in TOLD:
        return None
    rows = session.execute(
        select(CheckIn.occurred_at, CheckIn.outcome, CheckIn.distance_m)
        .where(CheckIn.subdistrict_id == tenant_of(session))
        .where(CheckIn.storefront_id == seen.storefront_id, CheckIn.purpose != "self_check")
        .order_by(CheckIn.occurred_at.desc())
        .limit(MOST)
    ).all()
    words = {
        "verified": gettext("已核验"),
        "weak": gettext("待佐证"),
        "contradicted": gettext("位置不符"),
    }
    lines = [
        Line(
            words[row.outcome],
            note=clock.local(row.occurred_at).strftime("%Y-%m-%d %H:%M")
            + (f" · {row.distance_m:.0f} m" if row.distance_m is not None else ""),
            state=STATES[row.outcome],
        )
        for row in rows
    ]
    return Part(gettext("最近到访"), lines or [Line(gettext("还没有到过"), state="none")], "route")
