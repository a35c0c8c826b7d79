"""Two visits of the demo whose photos are nearly one: what a reviewer is asked to look at."""

import hashlib
import io
import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from PIL import Image, ImageDraw, ImageEnhance
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import blobs
from roadchief.accounts.access import Actor
from roadchief.config import Settings
from roadchief.db import new_id, tenant_of
from roadchief.patrol.doubts import twins
from roadchief.patrol.models import CheckIn
from roadchief.patrol.phone import intake
from roadchief.streets.models import Storefront

SIZE = (960, 720)


def show_twins(session: Session, *, now: datetime, settings: Settings) -> int:
    """An old photo used again next door a day later; how many hints came of it."""
    seen = session.execute(
        select(CheckIn.person_id, CheckIn.storefront_id)
        .where(CheckIn.subdistrict_id == tenant_of(session), CheckIn.outcome == "verified")
        .order_by(CheckIn.occurred_at.desc())
        .limit(1)
    ).first()
    if seen is None:
        return 0
    shop = session.get_one(Storefront, (tenant_of(session), seen.storefront_id))
    other = session.scalars(
        select(Storefront)
        .where(Storefront.subdistrict_id == shop.subdistrict_id)
        .where(Storefront.segment_id == shop.segment_id, Storefront.id != shop.id)
        .where(Storefront.closed_at.is_(None))
        .order_by(Storefront.measure_m)
    ).first()
    if other is None:
        return 0
    picture = _front()
    again = ImageEnhance.Brightness(picture.resize((800, 600))).enhance(0.9)
    by = Actor(seen.person_id, "", shop.subdistrict_id, frozenset({"patroller"}))
    _visit(session, shop, _jpeg(picture, 85), by=by, at=now - timedelta(days=2), settings=settings)
    last = _visit(
        session, other, _jpeg(again, 70), by=by, at=now - timedelta(days=1), settings=settings
    )
    return twins.compare(session, last, at=now)


def _visit(
    session: Session, shop: Storefront, data: bytes, *, by: Actor, at: datetime, settings: Settings
) -> uuid.UUID:
    fix = {"lon": shop.door.x, "lat": shop.door.y, "accuracy_m": 9, "at": at.isoformat()}
    sha256 = hashlib.sha256(data).hexdigest()
    item: dict[str, Any] = {
        "id": str(new_id()),
        "kind": "check_in",
        "person_id": str(by.person_id),
        "device_id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(by.person_id))),
        "seq": int(at.timestamp()) % 2**31,
        "times": {"wall": at.isoformat(), "offset_ms": 0, "uncertainty_ms": 60},
        "body": {"storefront_id": str(shop.id), "how": "typed", "number": shop.human_number}
        | {"fix": fix},
        "photos": [{"sha256": sha256, "bytes": len(data), "source": "camera"}],
    }
    (answer,) = intake.take(session, [item], by=by, at=at)
    if answer["http"] not in (200, 201):
        raise ValueError(f"the demo's own item was not taken: {answer}")
    blobs.store(session, data, by=by.person_id, at=at, settings=settings)
    return uuid.UUID(answer["id"])


def _front() -> Any:
    """A shop front of coloured boxes: the demo shows no real street."""
    dice, picture = random.Random(4), Image.new("RGB", SIZE, "#CFDDE4")
    draw = ImageDraw.Draw(picture)
    for row in range(6):
        for column in range(8):
            shade = dice.randint(20, 235)
            box = (column * 120, row * 120, column * 120 + 118, row * 120 + 118)
            draw.rectangle(box, fill=(shade, (shade * 3) % 256, 255 - shade))
    draw.rectangle((0, 0, SIZE[0], 110), fill="#8A2B1E")
    draw.rectangle((380, 330, 560, 720), fill="#4A5B66")
    return picture


def _jpeg(picture: Any, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()
