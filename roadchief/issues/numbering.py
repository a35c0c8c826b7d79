"""Case numbers, and whether the same trouble came back."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.issues.models import Case
from roadchief.lib import clock

REPEAT_DAYS = 30


def next_number(session: Session, at: datetime) -> str:
    """Such as 2611-0148: month and counting number, never given twice."""
    month = clock.local(at).strftime("%y%m")
    last = session.execute(
        text(
            "INSERT INTO case_counter (subdistrict_id, month, last) VALUES (:here, :month, 1) "
            "ON CONFLICT (subdistrict_id, month) DO UPDATE SET last = case_counter.last + 1 "
            "RETURNING last"
        ),
        {"here": tenant_of(session), "month": month},
    ).scalar_one()
    return f"{month}-{last:04d}"


def is_repeat(session: Session, case: Case) -> bool:
    """The same class at the same storefront was closed less than 30 days ago."""
    if case.storefront_id is None:
        return False
    return bool(
        session.execute(
            text(
                "SELECT EXISTS (SELECT 1 FROM case_file WHERE subdistrict_id = :here "
                "AND storefront_id = :shop AND category = :category AND state = 'closed' "
                "AND ended_at > CAST(:at AS timestamptz) - make_interval(days => :days))"
            ),
            {
                "here": case.subdistrict_id,
                "shop": case.storefront_id,
                "category": case.category,
                "at": case.reported_at,
                "days": REPEAT_DAYS,
            },
        ).scalar()
    )
