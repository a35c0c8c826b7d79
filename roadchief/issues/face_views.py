"""What a scan says of cases: verified ones to everybody, all running ones to staff.

Unverified complaints are not shown in public (domain.md §4.4), nor are words or reporters; also
not to the merchant, who is told of a case when a person has decided so.
"""

import uuid
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.accounts.access import Actor, may
from roadchief.codes.faces import Line, Part
from roadchief.codes.scans import Seen
from roadchief.db import tenant_of
from roadchief.issues import categories, reach
from roadchief.issues.models import Case
from roadchief.issues.moves import STATES
from roadchief.lib import clock
from roadchief.web.pages import language

MOST = 5
UNVERIFIED = frozenset({"reported", "verifying"})
STAFF = frozenset({"patroller", "chief", "department"})


def running(
    session: Session, seen: Seen, audience: str, actor: Actor | None, at: datetime
) -> Part | None:
    """The shop's running cases, newest first; None where there is nothing to say."""
    if seen.storefront_id is None:
        return None
    public = audience not in STAFF
    wanted = (
        select(Case.id, Case.category, Case.state, Case.reported_at, Case.due_at)
        .where(Case.subdistrict_id == tenant_of(session), Case.ended_at.is_(None))
        .where(Case.storefront_id == seen.storefront_id, Case.master_id.is_(None))
        .order_by(Case.reported_at.desc())
        .limit(MOST)
    )
    if public:
        wanted = wanted.where(
            Case.state.not_in(UNVERIFIED), Case.category.in_(categories.public_codes())
        )
    rows = session.execute(wanted).all()
    if not rows:
        return None
    may_open: set[uuid.UUID] = set()
    if not public and actor is not None and may(actor, "issues.desk").allowed:
        scope = reach.scope_of(session, actor, at=at)
        may_open = reach.among(session, [row.id for row in rows], scope)
    lines = [_line(row, at=at, public=public, opens=row.id in may_open) for row in rows]
    return Part(gettext("正在办理 %(n)s 件", n=len(rows)), lines, "message-report")


def _line(row: Any, *, at: datetime, public: bool, opens: bool) -> Line:
    late = row.due_at is not None and row.due_at < at
    day = clock.local(row.reported_at).strftime("%m-%d")
    state = STATES[row.state][0 if language() == "zh" else 1]
    return Line(
        categories.find(row.category).say(language()),
        href=url_for("desk.case", case_id=row.id) if opens else None,
        note=gettext("%(day)s 收到 → %(state)s", day=day, state=state),
        state="late" if late and not public else "due",
    )
