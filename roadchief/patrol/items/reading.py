"""An item as a phone sent it, read and bounded before anything is asked or written. *Pure.*

Odd positions, accuracies and clocks are read as absent: they are graded later, never refused.
Odd ids, kinds and required fields are refused, each item for itself.
"""

import hashlib
import json
import math
import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from roadchief.lib.text import clean
from roadchief.patrol.items import moments
from roadchief.patrol.items.answers import Refused

KINDS = {
    *("shift_start", "shift_close", "check_in", "self_check", "finding", "missed", "other_shop"),
    *("handover", "handover_read", "track", "explain"),
}
MOST_BYTES = 64 * 1024
MOST_TRACK_BYTES = 256 * 1024
MOST_PHOTOS = 12
SHA256 = re.compile(r"[0-9a-f]{64}")
SOURCES = {"camera", "gallery", "scan_frame"}


@dataclass(frozen=True)
class Photo:
    sha256: str
    source: str


@dataclass(frozen=True)
class Item:
    """The envelope; `body` is as sent and read by whoever handles the kind."""

    id: uuid.UUID
    kind: str
    person_id: uuid.UUID
    device_id: uuid.UUID
    seq: int
    shift_id: uuid.UUID | None
    nonce: str | None
    stamp: moments.Stamp
    body: dict[str, Any]
    photos: tuple[Photo, ...]
    sha256: str


def canonical(said: Any) -> bytes:
    """The bytes that are hashed, the same on the phone: sorted keys, no blanks, UTF-8."""
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def hash_of(said: Any) -> str | None:
    """None where the content cannot even be written down again."""
    try:
        return hashlib.sha256(canonical(said)).hexdigest()
    except (ValueError, TypeError, RecursionError):
        return None


def id_of(said: Any) -> str | None:
    """The id for an answer, as sent, whatever else is wrong."""
    given = said.get("id") if isinstance(said, dict) else None
    return clean(given)[:64] if isinstance(given, str) else None


def read(said: Any) -> Item:
    """Raises Refused with what is wrong."""
    if not isinstance(said, dict):
        raise Refused("unreadable")
    try:
        raw = canonical(said)
    except (ValueError, TypeError, RecursionError) as error:
        raise Refused("unreadable") from error
    kind = said.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise Refused("unknown_kind")
    if len(raw) > (MOST_TRACK_BYTES if kind == "track" else MOST_BYTES):
        raise Refused("too_large")
    item_id = needed_id(said, "id")
    if item_id.version != 7:
        raise Refused("bad_id")
    body = said.get("body")
    seq = said.get("seq")
    if not isinstance(body, dict):
        raise Refused("bad_field", field="body")
    if isinstance(seq, bool) or not isinstance(seq, int) or not 0 <= seq < 2**31:
        raise Refused("bad_field", field="seq")
    return Item(
        id=item_id,
        kind=kind,
        person_id=needed_id(said, "person_id"),
        device_id=needed_id(said, "device_id"),
        seq=seq,
        shift_id=optional_id(said, "shift_id"),
        nonce=line(said, "nonce", 64),
        stamp=moments.read_stamp(said.get("times")),
        body=body,
        photos=_photos(said.get("photos")),
        sha256=hashlib.sha256(raw).hexdigest(),
    )


def needed_id(row: dict[str, Any], name: str) -> uuid.UUID:
    found = optional_id(row, name)
    if found is None:
        raise Refused("bad_id" if name == "id" else "bad_field", field=name)
    return found


def optional_id(row: dict[str, Any], name: str) -> uuid.UUID | None:
    given = row.get(name)
    if given is None or given == "":
        return None
    try:
        return uuid.UUID(given)
    except (ValueError, AttributeError, TypeError) as error:
        raise Refused("bad_id" if name == "id" else "bad_field", field=name) from error


def line(row: dict[str, Any], name: str, most: int) -> str | None:
    """A line of text, cleaned; None when empty."""
    given = row.get(name)
    if given is None:
        return None
    if not isinstance(given, str):
        raise Refused("bad_field", field=name)
    found = clean(given[: most * 4])
    if len(found) > most:
        raise Refused("bad_field", field=name)
    return found or None


def needed_line(row: dict[str, Any], name: str, most: int) -> str:
    found = line(row, name, most)
    if not found:
        raise Refused("needs_because" if name == "because" else "bad_field", field=name)
    return found


def storable(said: Any) -> Any:
    """The same for a JSON column: it holds no NaN, no NUL and no half of a character."""
    if isinstance(said, dict):
        return {_word(name): storable(value) for name, value in said.items()}
    if isinstance(said, list):
        return [storable(value) for value in said]
    if isinstance(said, float) and not math.isfinite(said):
        return str(said)
    if isinstance(said, int) and abs(said) > 10**300:
        return "inf"
    return _word(said) if isinstance(said, str) else said


def _word(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _photos(given: Any) -> tuple[Photo, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MOST_PHOTOS:
        raise Refused("bad_field", field="photos")
    found: dict[str, Photo] = {}
    for row in given:
        sha256 = row.get("sha256") if isinstance(row, dict) else None
        if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
            raise Refused("bad_field", field="photos")
        source = row.get("source", "camera")
        found[sha256] = Photo(sha256, source if source in SOURCES else "gallery")
    return tuple(found.values())


def instant_text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
