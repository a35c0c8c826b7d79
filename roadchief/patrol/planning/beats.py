"""Which segments stood in a person's shifts: who stood in for somebody has no assignment there."""

import uuid
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.patrol.plan_models import Shift, ShiftBeat


def walked(
    session: Session, person_id: uuid.UUID, since: datetime, until: datetime
) -> Collection[uuid.UUID]:
    """Of shifts that began in the span, taken back ones left out."""
    return session.scalars(
        select(ShiftBeat.segment_id)
        .distinct()
        .join(
            Shift,
            (Shift.subdistrict_id == ShiftBeat.subdistrict_id) & (Shift.id == ShiftBeat.shift_id),
        )
        .where(Shift.subdistrict_id == tenant_of(session), Shift.person_id == person_id)
        .where(Shift.starts_at > since, Shift.starts_at <= until)
        .where(Shift.state != "cancelled")
    ).all()
