"""The signed list of a shift's plates: the phone recognises and refuses plates without signal.

Payload (JSON): version, sub-district, shift, issued, expires, key id, and a row for each plate of
the beat: [SHA-256 of the token in hex, storefront id or null, number, state]. Dead plates are in it
too, so that a replaced plate is refused by name and not merely unknown.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from roadchief.codes import keys
from roadchief.codes.keys import plain64
from roadchief.codes.models import Plate
from roadchief.config import Settings
from roadchief.db import tenant_of
from roadchief.streets.models import Storefront

VERSION = 1
LONGEST = timedelta(hours=72)
SHAKEN = timedelta(hours=1)


@dataclass(frozen=True)
class Manifest:
    """`payload` is base64url of the JSON; the signature is over its ASCII bytes."""

    payload: str
    key_id: str
    signature: str

    def as_json(self) -> dict[str, str]:
        return {"payload": self.payload, "key_id": self.key_id, "signature": self.signature}


def plates_of(session: Session, segment_ids: Sequence[uuid.UUID]) -> list[list[Any]]:
    """Every plate that hangs, hung or will hang on these segments, in one query."""
    here = tenant_of(session)
    rows = session.execute(
        select(Plate.token_hash, Plate.storefront_id, Plate.number, Plate.state)
        .outerjoin(
            Storefront,
            (Storefront.subdistrict_id == here) & (Storefront.id == Plate.storefront_id),
        )
        .where(Plate.subdistrict_id == here)
        .where(
            or_(
                Storefront.segment_id.in_(segment_ids),
                Storefront.second_segment_id.in_(segment_ids),
                Plate.segment_id.in_(segment_ids),
            )
        )
        .order_by(Plate.number)
    )
    return [
        [
            row.token_hash.hex(),
            str(row.storefront_id) if row.storefront_id else None,
            row.number,
            row.state,
        ]
        for row in rows
    ]


def issue(
    session: Session,
    segment_ids: Sequence[uuid.UUID],
    *,
    shift_id: uuid.UUID,
    until: datetime,
    settings: Settings,
    at: datetime,
) -> Manifest:
    """Good until the shift's end, 72 hours at most; one hour while a leak is being mended."""
    longest = SHAKEN if keys.is_shaken(settings, at=at) else LONGEST
    current = next(one for one in keys.known(settings, at=at) if one.state == "current")
    payload = {
        "v": VERSION,
        "subdistrict": tenant_of(session),
        "shift": str(shift_id),
        "issued": at.isoformat(),
        "expires": max(at, min(until, at + longest)).isoformat(),
        "key_id": current.key_id,
        "plates": plates_of(session, segment_ids),
    }
    text = plain64(json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode())
    key_id, signature = keys.sign(settings, text.encode("ascii"), at=at)
    return Manifest(text, key_id, signature)


def public_keys(settings: Settings, *, at: datetime) -> dict[str, Any]:
    """What phones keep: the keys they may believe, and those they must not."""
    return {
        "keys": [
            {"key_id": one.key_id, "state": one.state, "public": one.public, "until": one.until}
            for one in keys.believed(settings, at=at)
        ],
        "leaked": [one.key_id for one in keys.known(settings, at=at) if one.state == "leaked"],
    }
