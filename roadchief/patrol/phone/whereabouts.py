"""What a batch of items speaks of: shifts, storefronts and forms, each asked for once."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.codes import tokens
from roadchief.codes.lifecycle import ANSWERS
from roadchief.db import from_hex, tenant_of
from roadchief.patrol.items import moments
from roadchief.patrol.items.answers import Refused
from roadchief.patrol.items.reading import SHA256, Item, line, optional_id
from roadchief.patrol.presence import radius

SHOPS = text(
    """
SELECT f.id, f.segment_id, coalesce(f.frontage, f.door) AS shape, f.closed_at,
  (SELECT jsonb_agg(jsonb_build_array(r.from_at, r.radius_m) ORDER BY r.set_at, r.id)
   FROM radius_change r WHERE r.subdistrict_id = :here AND r.segment_id = f.segment_id) AS radii
FROM storefront f
WHERE f.subdistrict_id = :here AND f.id = ANY(:ids)
"""
)
PLATES = text(
    """
SELECT token_hash, storefront_id, state FROM plate
WHERE subdistrict_id = :here AND token_hash = ANY(:digests)
"""
)
NUMBERS = text(
    """
SELECT number, storefront_id, state FROM plate
WHERE subdistrict_id = :here AND number = ANY(:numbers)
UNION ALL
SELECT human_number, id, 'active' FROM storefront
WHERE subdistrict_id = :here AND human_number = ANY(:numbers)
"""
)
SHIFTS = text(
    "SELECT id, person_id, starts_at, ends_at, nonce, state FROM shift "
    "WHERE subdistrict_id = :here AND id = ANY(:ids)"
)
# The last check-in of each page among the person's latest: clocks are compared along one page.
STAMPS = text(
    """
SELECT DISTINCT ON (device_session) device_session, device_wall, device_mono_ms
FROM (SELECT device_session, device_wall, device_mono_ms, occurred_at FROM check_in
      WHERE subdistrict_id = :here AND person_id = :person AND occurred_at > :since
      ORDER BY occurred_at DESC LIMIT 200) x
WHERE device_session = ANY(:sessions) ORDER BY device_session, occurred_at DESC
"""
)


@dataclass(frozen=True)
class Shop:
    """As much of a storefront as a verdict needs."""

    id: uuid.UUID
    segment_id: uuid.UUID | None
    shape: BaseGeometry
    radii: tuple[tuple[datetime, float | None], ...] = ()

    def radius_at(self, at: datetime) -> float | None:
        """The segment's own figure at the moment of the visit; None: as the rules say."""
        return radius.in_force(self.radii, at)


@dataclass(frozen=True)
class ShiftFacts:
    id: uuid.UUID
    person_id: uuid.UUID
    starts_at: datetime
    ends_at: datetime
    nonce: str
    state: str


@dataclass
class Ground:
    """Found once for a batch."""

    shops: dict[uuid.UUID, Shop] = field(default_factory=dict)
    plates: dict[bytes, tuple[uuid.UUID | None, str]] = field(default_factory=dict)
    numbers: dict[str, tuple[uuid.UUID | None, str]] = field(default_factory=dict)
    shifts: dict[uuid.UUID, ShiftFacts] = field(default_factory=dict)

    def shift_of(self, item: Item) -> ShiftFacts | None:
        """The item's shift; refused where it is nobody's or somebody else's."""
        if item.shift_id is None:
            return None
        found = self.shifts.get(item.shift_id)
        if found is None:
            raise Refused("no_shift")
        if found.person_id != item.person_id:
            raise Refused("other_shift")
        return found

    def shop(self, shop_id: uuid.UUID | None) -> Shop:
        found = self.shops.get(shop_id) if shop_id else None
        if found is None:
            raise Refused("no_place")
        return found


def digest_of(body: dict[str, Any]) -> bytes | None:
    """The hash of the scanned plate, from the hash or from the token itself."""
    said = body.get("plate_digest")
    if isinstance(said, str) and SHA256.fullmatch(said):
        return bytes.fromhex(said)
    token = body.get("token")
    if isinstance(token, str):
        plain = tokens.normalise(token[:200].rstrip("/").rsplit("/", 1)[-1])
        return tokens.digest(plain) if plain else None
    return None


def seen_plate(body: dict[str, Any]) -> bytes | None:
    """The plate of another shop that hung where the person stood."""
    said = body.get("seen_plate")
    return bytes.fromhex(said) if isinstance(said, str) and SHA256.fullmatch(said) else None


def hung_elsewhere(item: Item, ground: Ground, shop: Shop) -> bytes | None:
    """That plate, if it is one of ours and belongs to another storefront."""
    digest = seen_plate(item.body)
    plate = ground.plates.get(digest) if digest else None
    return digest if plate and plate[0] and plate[0] != shop.id else None


def number_of(body: dict[str, Any]) -> str | None:
    """The number printed on a plate, as typed."""
    typed = line(body, "number", 40)
    return tokens.BETWEEN.sub("-", typed.upper()) if typed else None


def speaks_of_a_shop(body: dict[str, Any]) -> bool:
    """Is any of the four ways to name a storefront used?"""
    return any(body.get(name) for name in ("storefront_id", "plate_digest", "token", "number"))


def look(session: Session, items: list[Item]) -> Ground:
    """At most five questions, whatever the number of items."""
    here = tenant_of(session)
    ground = Ground()
    shift_ids = {item.shift_id for item in items if item.shift_id}
    if shift_ids:
        rows = session.execute(SHIFTS, {"here": here, "ids": list(shift_ids)})
        ground.shifts = {row.id: ShiftFacts(*row) for row in rows}
    _find_plates(session, items, ground)
    wanted = {row[0] for row in (*ground.plates.values(), *ground.numbers.values()) if row[0]}
    for item in items:
        try:
            said = optional_id(item.body, "storefront_id")
        except Refused:
            continue  # told to the item itself, when it is read
        if said:
            wanted.add(said)
    if wanted:
        for row in session.execute(SHOPS, {"here": here, "ids": list(wanted)}):
            radii = tuple((datetime.fromisoformat(on), to) for on, to in row.radii or ())
            ground.shops[row.id] = Shop(row.id, row.segment_id, from_hex(row.shape), radii)
    return ground


def _find_plates(session: Session, items: list[Item], ground: Ground) -> None:
    here = tenant_of(session)
    asked = (read(item.body) for item in items for read in (digest_of, seen_plate))
    digests = {found for found in asked if found}
    if digests:
        rows = session.execute(PLATES, {"here": here, "digests": list(digests)})
        ground.plates = {bytes(row.token_hash): (row.storefront_id, row.state) for row in rows}
    numbers = set()
    for item in items:
        try:
            if typed := number_of(item.body):
                numbers.add(typed)
        except Refused:
            continue
    if numbers:
        rows = session.execute(NUMBERS, {"here": here, "numbers": list(numbers)})
        ground.numbers = {row.number: (row.storefront_id, row.state) for row in rows}


def place_of(item: Item, ground: Ground) -> tuple[Shop, bytes | None, list[str]]:
    """The storefront an item speaks of: by its plate, else its number, else as picked."""
    flags: list[str] = []
    said = optional_id(item.body, "storefront_id")
    digest, number = digest_of(item.body), number_of(item.body)
    plate = ground.plates.get(digest) if digest else None
    if plate is None and number:
        plate = ground.numbers.get(number)
    if plate is None and (digest or number):
        flags.append("plate_unknown")
    if plate and plate[1] not in ANSWERS:
        flags.append("plate_dead")
    by_plate = plate[0] if plate else None
    if by_plate and said and by_plate != said:
        flags.append("plate_elsewhere")
    return ground.shop(by_plate or said), digest, flags


def last_stamps(
    session: Session, items: list[Item], *, person_id: uuid.UUID, since: datetime
) -> dict[str, moments.Stamp]:
    """The last check-in before these of each page that they come from."""
    sessions = {item.stamp.session for item in items if item.stamp.session}
    if not sessions:
        return {}
    values = {
        "here": tenant_of(session),
        "person": person_id,
        "since": since,
        "sessions": list(sessions),
    }
    return {
        row.device_session: moments.Stamp(
            row.device_wall, row.device_mono_ms, row.device_session, None, None
        )
        for row in session.execute(STAMPS, values)
    }
