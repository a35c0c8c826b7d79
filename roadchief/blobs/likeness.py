"""Photos that look alike: 64 bits of each (dHash), found again by their quarters.

Two photos whose hashes differ in at most seven bits have one quarter of 16 bits that differs in at
most one: so each quarter is looked up as it is and with each of its bits turned, by index, and
the few that are found are counted out. A picture of nearly nothing (a wall, the night) has hardly
a bit set; such hashes say nothing and are not compared.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from roadchief.blobs.models import Likeness
from roadchief.db import tenant_of

BITS, BANDS = 64, 4
MOST_BITS = 7  # further apart the quarters no longer find all
PLAIN = 8  # with fewer bits set, or fewer not set, a picture is too plain to compare
MANY, FEW = 20_000, 50  # rows of one quarter that are counted out; the nearest that are told
WHOLE = (1 << BITS) - 1

_QUARTERS = "\n  UNION ALL ".join(
    f"(SELECT id, bits FROM photo_likeness WHERE subdistrict_id = :here "
    f"AND band_{number} = ANY(:band_{number}) LIMIT :many)"
    for number in range(1, BANDS + 1)
)
NEAR = text(
    f"""
SELECT DISTINCT d.id, d.distance FROM (
  SELECT c.id, bit_count((c.bits # :bits)::bit(64)) AS distance FROM (
  {_QUARTERS}) c
) d WHERE d.distance <= :most AND d.id <> :own ORDER BY d.distance, d.id DESC LIMIT :few
"""
)


@dataclass(frozen=True)
class Alike:
    """Another photo, and in how many of the 64 bits it differs."""

    id: uuid.UUID
    distance: int


def record(session: Session, blob_id: uuid.UUID, bits: int) -> None:
    """Keep the hash of a photo (64 bits, not below zero)."""
    row = {"bits": signed(bits)}
    session.execute(
        insert(Likeness)
        .values(subdistrict_id=tenant_of(session), id=blob_id, **row)
        .on_conflict_do_update(index_elements=["subdistrict_id", "id"], set_=row)
    )


def near(session: Session, own: uuid.UUID, *, most: int) -> list[Alike]:
    """Photos that look like this one, the nearest first; none where it is not hashed or plain."""
    row = session.get(Likeness, (tenant_of(session), own))
    if row is None or not telling(row.bits):
        return []
    values = {
        "here": tenant_of(session),
        "own": own,
        "bits": row.bits,
        "most": min(most, MOST_BITS),
        "many": MANY,
        "few": FEW,
        **{f"band_{number}": found for number, found in enumerate(probes(row.bits), 1)},
    }
    return [Alike(*found) for found in session.execute(NEAR, values)]


def telling(bits: int) -> bool:
    """Is there enough in the picture to compare?"""
    return PLAIN <= (bits & WHOLE).bit_count() <= BITS - PLAIN


def probes(bits: int) -> Sequence[list[int]]:
    """For each quarter, from the highest: its value, and that with each of its bits turned."""
    width = BITS // BANDS
    found = []
    for number in reversed(range(BANDS)):
        value = (bits & WHOLE) >> (number * width) & ((1 << width) - 1)
        found.append([value, *(value ^ (1 << bit) for bit in range(width))])
    return found


def signed(bits: int) -> int:
    """As PostgreSQL's bigint holds it."""
    return bits - (1 << BITS) if bits >> (BITS - 1) else bits
