"""What a shift has done already, from whichever phone: a second one goes on where one died."""

import uuid
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.patrol.items.reading import instant_text

TAKEN = text(
    """
SELECT storefront_id, 'check_in' AS kind, id, occurred_at, outcome, NULL AS because
FROM check_in WHERE subdistrict_id = :here AND shift_id = :shift
UNION ALL
SELECT storefront_id, 'missed', id, occurred_at, NULL, because
FROM missed_visit WHERE subdistrict_id = :here AND shift_id = :shift
ORDER BY occurred_at, id
"""
)


def taken(session: Session, shift_id: uuid.UUID) -> list[dict[str, Any]]:
    """Visits and reasons of this shift, the earliest first."""
    rows = session.execute(TAKEN, {"here": tenant_of(session), "shift": shift_id})
    return [
        {
            "storefront_id": str(row.storefront_id),
            "kind": row.kind,
            "id": str(row.id),
            "at": instant_text(row.occurred_at),
            "outcome": row.outcome,
            "because": row.because,
        }
        for row in rows
    ]
