"""Case numbers, and what a new case must know of those before it: one round trip."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.lib import clock

REPEAT_DAYS = 30
# Above this many citizens' reports about one shop in ten minutes they are held. [D]
HELD_ABOVE, HELD_WINDOW = 10, timedelta(minutes=10)
# The counter's row is locked from here to the commit, so everything else is asked beside it.
TAKE = text(
    """
INSERT INTO case_counter (subdistrict_id, month, last) VALUES (:here, :month, 1)
ON CONFLICT (subdistrict_id, month) DO UPDATE SET last = case_counter.last + 1
RETURNING last,
  (SELECT count(*) FROM (SELECT 1 FROM case_file WHERE subdistrict_id = :here
    AND storefront_id = :shop AND source = 'citizen' AND reported_at > :lately
    LIMIT :most) x) >= :most AS flood,
  EXISTS (SELECT 1 FROM case_file WHERE subdistrict_id = :here AND storefront_id = :shop
    AND category = :category AND state = 'closed' AND ended_at > :before
    AND source <> 'merchant') AS repeat,
  (SELECT json_agg("table") FROM holiday_year) AS years
"""
)


@dataclass(frozen=True)
class Taken:
    """A number such as 2611-0148, never given twice; and what was there before.

    `flood`: so many reports about this shop just now that new ones are looked at first. `repeat`:
    the same class was closed here less than 30 days ago, and not at the merchant's own wish.
    `years`: working days entered by hand.
    """

    number: str
    flood: bool
    repeat: bool
    years: tuple[str, ...]


def take(
    session: Session, *, storefront_id: uuid.UUID | None, category: str, at: datetime
) -> Taken:
    """The next number of the month, with what stands beside it."""
    month = clock.local(at).strftime("%y%m")
    row = session.execute(
        TAKE,
        {
            "here": tenant_of(session),
            "month": month,
            "shop": storefront_id,
            "category": category,
            "lately": at - HELD_WINDOW,
            "most": HELD_ABOVE,
            "before": at - timedelta(days=REPEAT_DAYS),
        },
    ).one()
    return Taken(f"{month}-{row.last:04d}", row.flood, row.repeat, tuple(row.years or ()))
