"""How long cases are kept: closed ones five years, cancelled ones one [D]; then they are deleted.

Parts and copies go with their case, and none of them before all of them may. Photos go too, but
not those that came with a patrol: its evidence has a term of its own. A line of each case stays.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, Session

from roadchief import blobs, events
from roadchief.db import Base, Tenant, tenant_of
from roadchief.issues.models import Case, CasePhoto

MOST, LOOKED_AT = 500, 10_000  # those whose parts still run are passed over
OF_PATROLS = ("patrol", "staff")
CLOSED, CANCELLED = "closed", "cancelled"

events.declare({"issues.erased": "an old case was deleted for good, with its parts and copies"})


class CaseGone(Tenant, Base):
    """What stays of a deleted case: that there was one, of which class, and how it ended."""

    __tablename__ = "case_gone"
    __table_args__ = (UniqueConstraint("subdistrict_id", "number"),)

    number: Mapped[str]
    category: Mapped[str]
    state: Mapped[str]
    closing_kind: Mapped[str | None]
    reported_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    because: Mapped[str]
    gone_at: Mapped[datetime]


@dataclass(frozen=True)
class Terms:
    """Years after the end."""

    closed: int
    cancelled: int

    def __post_init__(self) -> None:
        if min(self.closed, self.cancelled) < 1:
            raise ValueError("at least one year")


@dataclass(frozen=True)
class Family:
    """A case with its parts and copies: they are deleted together."""

    root: uuid.UUID
    number: str
    because: str
    ended_at: datetime
    members: tuple[uuid.UUID, ...]


# A copy has no term of its own: it goes with its case.
OLD = """(c.ended_at IS NOT NULL AND (c.state = 'duplicate'
  OR c.ended_at < CAST(:at AS timestamptz) - make_interval(years => CASE
    WHEN c.state = 'rejected' OR c.closing_kind = 'withdrawn' THEN :cancelled ELSE :closed END)))"""
DUE = text(
    f"""
WITH RECURSIVE roots AS (
  SELECT c.id, c.number, c.ended_at,
    c.state = 'rejected' OR c.closing_kind IS NOT DISTINCT FROM 'withdrawn' AS cancelled
  FROM case_file c WHERE c.subdistrict_id = :here AND c.parent_id IS NULL AND c.master_id IS NULL
    AND c.ended_at < CAST(:at AS timestamptz) - interval '1 year' AND {OLD}
    AND (CAST(:only AS uuid) IS NULL OR c.id = :only)
  ORDER BY c.ended_at, c.id LIMIT {LOOKED_AT}
), family AS (
  SELECT r.id AS root, r.id FROM roots r
  UNION
  SELECT f.root, c.id FROM family f JOIN case_file c ON c.subdistrict_id = :here
    AND (c.parent_id = f.id OR c.master_id = f.id)
)
SELECT r.id, r.number, r.ended_at, r.cancelled, array_agg(c.id ORDER BY c.id) AS members
FROM roots r JOIN family f ON f.root = r.id
JOIN case_file c ON c.subdistrict_id = :here AND c.id = f.id
GROUP BY r.id, r.number, r.ended_at, r.cancelled
HAVING bool_and({OLD} AND c.ended_at < CAST(:at AS timestamptz) - interval '1 year')
ORDER BY r.ended_at, r.id LIMIT :most
"""
)


def due(
    session: Session, terms: Terms, *, at: datetime, only: uuid.UUID | None = None
) -> list[Family]:
    """Families whose last term is over, the oldest first; a few hundred at a time."""
    rows = session.execute(
        DUE,
        {
            "here": tenant_of(session),
            "at": at,
            "closed": terms.closed,
            "cancelled": terms.cancelled,
            "only": only,
            "most": MOST,
        },
    )
    return [
        Family(
            row.id,
            row.number,
            CANCELLED if row.cancelled else CLOSED,
            row.ended_at,
            tuple(row.members),
        )
        for row in rows
    ]


def erase(session: Session, root: uuid.UUID, terms: Terms, *, at: datetime) -> int:
    """Delete one family for good, if it is still due now that it is ours; how many cases."""
    found = due(session, terms, at=at, only=root)
    if not found:
        return 0
    rows = _locked(session, found[0].members)
    again = due(session, terms, at=at, only=root)
    if not again or set(again[0].members) != set(found[0].members):
        return 0
    family, here = again[0], tenant_of(session)
    case = next(row for row in rows if row.id == root)
    events.record(
        session,
        "issues.erased",
        subject=case,
        by=None,
        at=at,
        number=family.number,
        because=family.because,
        cases=len(family.members),
    )
    photos = _photos(session, family.members)
    session.flush()
    for row in rows:
        session.expunge(row)
    gone = session.scalar(
        text("SELECT erase_cases(:here, :ids, :why)"),
        {"here": here, "ids": list(family.members), "why": family.because},
    )
    for blob in blobs.get_many(session, blobs.unused(session, photos)).values():
        blobs.erase(session, blob, by=None, at=at, because="retention")
    session.flush()
    return int(gone or 0)


def _locked(session: Session, ids: Sequence[uuid.UUID]) -> list[Case]:
    """In order of id, as everybody locks several."""
    return list(
        session.scalars(
            select(Case)
            .where(Case.subdistrict_id == tenant_of(session), Case.id.in_(ids))
            .order_by(Case.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _photos(session: Session, ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Photos of the family with their public copies, without those of patrols."""
    rows = session.execute(
        select(CasePhoto.photo_id, CasePhoto.public_photo_id).where(
            CasePhoto.subdistrict_id == tenant_of(session),
            CasePhoto.case_id.in_(ids),
            CasePhoto.part.not_in(OF_PATROLS),
        )
    )
    return sorted({one for row in rows for one in row if one is not None})
