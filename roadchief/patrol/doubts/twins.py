"""Photos of visits that look like an older one: found, told as a hint, shown side by side.

Never a verdict: the same shop from the same spot may look the same. A person looks at both.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from roadchief import blobs, jobs
from roadchief.blobs import likeness
from roadchief.db import tenant_of
from roadchief.lib import clock
from roadchief.patrol.doubts import signals, weighing
from roadchief.patrol.models import CheckIn
from roadchief.patrol.plan_models import Review
from roadchief.patrol.rules import section

TASK = "patrol.twins"
KINDS = ("near_photo", "near_photo_own")
MOST_YOUNGER = 10
SHOWN = ("camera", "gallery")  # the frame of a scan shows a plate, and plates look alike

# The photos of a visit that have come, with their blobs.
OWN = text(
    """
SELECT b.id, encode(p.sha256, 'hex') AS sha256 FROM item_photo p
JOIN blob b ON b.subdistrict_id = :here AND b.source_sha256 = encode(p.sha256, 'hex')
  AND b.state = 'kept'
WHERE p.subdistrict_id = :here AND p.item_id = :visit AND p.source = ANY(:sources)
ORDER BY p.id
"""
)
# Other visits that promised one of these photos; of two at one moment the smaller id is older.
OTHERS = text(
    """
SELECT b.id AS blob_id, b.source_sha256 AS sha256, c.id AS visit_id, c.storefront_id,
  c.occurred_at, f.address, (c.occurred_at, c.id) < (:moment, :visit) AS older
FROM blob b
JOIN item_photo p ON p.subdistrict_id = :here AND p.sha256 = decode(b.source_sha256, 'hex')
  AND p.source = ANY(:sources)
JOIN check_in c ON c.subdistrict_id = :here AND c.id = p.item_id AND c.id <> :visit
  AND c.occurred_at BETWEEN :since AND :until
JOIN storefront f ON f.subdistrict_id = :here AND f.id = c.storefront_id
WHERE b.subdistrict_id = :here AND b.id = ANY(:blobs) AND b.source_sha256 <> :own_sha
"""
)
VISITS_OF = text(
    """
SELECT c.id FROM item_photo p JOIN check_in c ON c.subdistrict_id = :here AND c.id = p.item_id
WHERE p.subdistrict_id = :here AND p.sha256 = decode(:sha256, 'hex')
"""
)
PAIR = text(
    """
SELECT c.id, c.occurred_at, f.name, f.address, n.name AS person FROM check_in c
JOIN storefront f ON f.subdistrict_id = :here AND f.id = c.storefront_id
JOIN person n ON n.subdistrict_id = :here AND n.id = c.person_id
WHERE c.subdistrict_id = :here AND c.id = ANY(:visits)
"""
)


@dataclass(frozen=True)
class Match:
    """A photo of this visit (by hash), one of another visit that looks like it, and the bits."""

    photo: str
    row: Any
    bits: int


@dataclass(frozen=True)
class Pair:
    """Two photos side by side: of the visit, and the older one with its visit."""

    own: uuid.UUID | None
    other: uuid.UUID | None
    visit: Any
    bits: int


def look_later(session: Session, blob: blobs.Blob, *, at: datetime) -> int:
    """A photo came: compare it once that is committed. Visits see to theirs when weighed."""
    return jobs.later(session, TASK, subdistrict_id=tenant_of(session), sha256=blob.source_sha256)


def compare_photo(session: Session, sha256: str, *, at: datetime) -> int:
    """Every visit that promised this photo; how many hints were given."""
    values = {"here": tenant_of(session), "sha256": sha256}
    return sum(compare(session, visit, at=at) for visit in session.scalars(VISITS_OF, values).all())


def compare(session: Session, visit_id: uuid.UUID, *, at: datetime) -> int:
    """Look at the photos of one visit; a hint is put before a reviewer once for each photo.

    A visit that arrives late may be the older one of two: then it is the younger that is told of.
    """
    visit = session.get(CheckIn, (tenant_of(session), visit_id))
    if visit is None or visit.purpose == "self_check":
        return 0
    matches = _matches(session, visit)
    told = _tell(session, visit, _hints(visit, matches), at=at)
    # From the oldest on: whoever compares two visits at once locks their reviews in one order.
    younger = {one.row.visit_id: one.row.occurred_at for one in matches if not one.row.older}
    for other_id in sorted(younger, key=lambda key: (younger[key], key))[:MOST_YOUNGER]:
        other = session.get_one(CheckIn, (visit.subdistrict_id, other_id))
        told += _tell(session, other, _hints(other, _matches(session, other)), at=at)
    return told


def _matches(session: Session, visit: CheckIn) -> list[Match]:
    """Every photo of another visit that looks like one of this visit's."""
    figures, here = section("twins"), tenant_of(session)
    rows = session.execute(OWN, {"here": here, "visit": visit.id, "sources": list(SHOWN)}).all()
    found = []
    for row in rows:
        alike = likeness.near(session, row.id, most=figures["near_bits"])
        distance = {one.id: one.distance for one in alike}
        if not distance:
            continue
        back = timedelta(days=figures["back_days"])
        values = {
            "here": here,
            "visit": visit.id,
            "moment": visit.occurred_at,
            "since": visit.occurred_at - back,
            "until": visit.occurred_at + back,
            "sources": list(SHOWN),
            "blobs": list(distance),
            "own_sha": row.sha256,
        }
        others = session.execute(OTHERS, values)
        found += [Match(row.sha256, other, distance[other.blob_id]) for other in others]
    return found


def _hints(visit: CheckIn, matches: list[Match]) -> list[dict[str, Any]]:
    """One signal for each photo that looks like one of an older visit: of the nearest, the last."""
    own_bits, best = section("twins")["own_bits"], dict[str, Match]()
    for one in sorted(matches, key=lambda one: (one.bits, -one.row.occurred_at.timestamp())):
        here = one.row.storefront_id == visit.storefront_id
        if one.row.older and not (here and one.bits > own_bits):
            best.setdefault(one.photo, one)
    return [_signal(visit, one) for one in best.values()]


def pairs(session: Session, rows: Sequence[dict[str, Any]]) -> list[Pair]:
    """What the reviewer sees side by side, for the hints of one review."""
    told = [row for row in rows if row["kind"] in KINDS]
    if not told:
        return []
    photos = blobs.find_many(
        session, [row[name] for row in told for name in ("photo", "other_photo")]
    )
    visits = [uuid.UUID(row["other"]) for row in told]
    known = {
        row.id: row for row in session.execute(PAIR, {"here": tenant_of(session), "visits": visits})
    }
    return [
        Pair(
            _id(photos.get(row["photo"])),
            _id(photos.get(row["other_photo"])),
            known.get(uuid.UUID(row["other"])),
            int(row["bits"]),
        )
        for row in told
    ]


def _signal(visit: CheckIn, match: Match) -> dict[str, Any]:
    own = match.row.storefront_id == visit.storefront_id
    return signals.signal(
        "near_photo_own" if own else "near_photo",
        photo=match.photo,
        other=str(match.row.visit_id),
        other_photo=match.row.sha256,
        bits=match.bits,
        day=f"{clock.local(match.row.occurred_at):%Y-%m-%d}",
        place=match.row.address,
    )


def _tell(session: Session, visit: CheckIn, found: list[dict[str, Any]], *, at: datetime) -> int:
    """Open a review, or add to the one that waits. What was decided already stays as it is."""
    if not found:
        return 0
    review = session.scalar(
        select(Review)
        .where(Review.subdistrict_id == tenant_of(session), Review.id == visit.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if review is None:
        weighing.open_review(session, visit, found, sampled=False, at=at)
        return len(found)
    if review.state not in ("waiting", "sent_back"):
        return 0
    known = {row.get("photo") for row in review.signals if row["kind"] in KINDS}
    new = [row for row in found if row["photo"] not in known]
    if new:
        review.signals = [*review.signals, *new]
        session.flush()
    return len(new)


def _id(blob: blobs.Blob | None) -> uuid.UUID | None:
    return blob.id if blob else None
