"""A phone for tests: makes items as the app on a phone does."""

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any

import shapely

from roadchief.accounts.access import Actor
from roadchief.db import new_id
from roadchief.lib.geo import Plane
from roadchief.patrol.items.reading import canonical
from tests.conftest import WEIFANG

DOOR = shapely.Point(121.5187, 31.2291)


def actor(person_id: uuid.UUID, *roles: str) -> Actor:
    return Actor(person_id, "陈晓雯", WEIFANG, frozenset(roles or {"patroller"}), True)


def off(metres: float, *, of: shapely.Point = DOOR) -> dict[str, float]:
    """A place so many metres north of another, as a phone says it."""
    there = Plane(lon=of.x, lat=of.y).round(shapely.Point(0, metres))
    return {"lon": there.x, "lat": there.y}


class Phone:
    """One device of one person. `offset_s`: how far the server's clock is ahead of it."""

    def __init__(self, person_id: uuid.UUID, at: datetime, *, offset_s: float = 0) -> None:
        self.person_id, self.at, self.offset_s = person_id, at, offset_s
        self.device_id, self.page, self.seq = uuid.uuid4(), uuid.uuid4().hex, 0

    def item(self, kind: str, body: dict[str, Any], **given: Any) -> dict[str, Any]:
        self.seq += 1
        wall = self.at - timedelta(seconds=self.offset_s)
        return {
            "id": str(new_id()),
            "kind": kind,
            "person_id": str(self.person_id),
            "device_id": str(self.device_id),
            "seq": self.seq,
            "shift_id": None,
            "nonce": None,
            "times": {
                "wall": wall.isoformat(),
                "mono_ms": self.seq * 1000,
                "session": self.page,
                "offset_ms": round(self.offset_s * 1000),
                "uncertainty_ms": 80,
                "offset_age_ms": 1000,
            },
            "app_version": "test",
            "body": body,
            "photos": [],
        } | given

    def check_in(
        self,
        storefront_id: uuid.UUID,
        *,
        metres: float = 6,
        accuracy: Any = 12,
        given: dict[str, Any] | None = None,
        **body: Any,
    ) -> dict[str, Any]:
        fix = off(metres) | {"accuracy_m": accuracy, "at": self.at.isoformat()}
        said = {"storefront_id": str(storefront_id), "how": "scan", "fix": fix} | body
        return self.item("check_in", said, **(given or {}))


def bad(*codes: str, version: str = "rc-standard-2026.1") -> dict[str, Any]:
    return {
        "version": version,
        "answers": [{"item": code, "result": "bad"} for code in codes],
    }


def photo(data: bytes, source: str = "camera") -> dict[str, Any]:
    sha256 = hashlib.sha256(data).hexdigest()
    return {"sha256": sha256, "bytes": len(data), "source": source}


def sha(item: Any) -> str:
    return hashlib.sha256(canonical(item)).hexdigest()
