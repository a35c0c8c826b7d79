"""The demo's plates: minted, printed, mounted by the patroller, one damaged, one replaced.

Tokens exist nowhere but on plates; so that a reader can scan something, the demo writes its own
to var/demo-plates.json.
"""

import io
import json
import uuid
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image, ImageDraw
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import blobs
from roadchief.accounts.models import Post
from roadchief.codes import batches, mounting, plates, tokens
from roadchief.codes.plates import Minted, Position, Target
from roadchief.config import Settings
from roadchief.db import tenant_of
from roadchief.lib import geo
from roadchief.streets import shopkeepers
from roadchief.streets.models import Merchant, Road, RoadSegment, Storefront, Tenancy

WAITING_ROAD = "潍坊路"  # the office mints and prints this one itself
PHOTO = (960, 720)
SETTLED = timedelta(days=2)  # after the demo's people took up their posts


def hang_plates(session: Session, *, at: datetime, settings: Settings) -> list[dict[str, str]]:
    """Plates for all roads but one; what is needed to try them, a line a plate."""
    by = _person(session, "patroller")
    if by is None:
        return []  # a sub-district without people of its own
    where = tokens.site(settings.public_url)
    choice = batches.storefronts_without(session)
    waiting = _shops_of(session, WAITING_ROAD)
    targets = [one for one in choice.targets if one.storefront_id not in waiting]
    made = plates.mint(session, targets, where=where, batch_id=None, by=None, at=at)
    photo = blobs.store(session, _photo(), by=by, at=at, settings=settings)
    shops = {
        row.id: row
        for row in session.scalars(
            select(Storefront).where(Storefront.subdistrict_id == tenant_of(session))
        )
    }
    told = []
    for number, one in enumerate(made):
        shop = shops[one.target.storefront_id]  # type: ignore[index]
        plate = plates.find(session, one.plate_id)
        hour = at + timedelta(minutes=3 * number)
        mounting.mount(
            session,
            plate,
            to=shop,
            position=Position(geo.point(lon=shop.door.x, lat=shop.door.y), 6.0 + number % 9),
            photo_id=photo.id,
            by=by,
            at=hour,
        )
        mounting.release_photo(session, plate, by=by, at=hour)
        told.append(_line(one, shop, where, "active"))
    if len(made) > 2:
        _misfortunes(session, made, shops, told, photo.id, by=by, at=at, settings=settings)
    _name_shopkeepers(session, at=at)
    return told


def _misfortunes(
    session: Session,
    made: list[Minted],
    shops: dict[uuid.UUID, Storefront],
    told: list[dict[str, str]],
    photo_id: uuid.UUID,
    *,
    by: uuid.UUID,
    at: datetime,
    settings: Settings,
) -> None:
    """The second plate is cracked, the third was replaced by a new one."""
    later = at + timedelta(days=9)
    where = tokens.site(settings.public_url)
    cracked, old = (plates.find(session, made[place].plate_id) for place in (1, 2))
    plates.move(session, cracked, "report_damaged", by=by, at=later, because="右下角开裂")
    plates.move(session, old, "report_damaged", by=by, at=later, because="被车擦碰，看不清")
    shop = shops[made[2].target.storefront_id]  # type: ignore[index]
    target = Target(storefront_id=shop.id, replaces_id=old.id)
    new = plates.mint(session, [target], where=where, batch_id=None, by=by, at=later)[0]
    mounting.mount(
        session,
        plates.find(session, new.plate_id),
        to=shop,
        position=Position(geo.point(lon=shop.door.x, lat=shop.door.y), 7.0),
        photo_id=photo_id,
        by=by,
        at=later + timedelta(days=1),
    )
    told[1]["state"], told[2]["state"] = "damaged", "replaced"
    told.append(_line(new, shop, where, "active"))


def _line(one: Minted, shop: Storefront, where: tokens.Site, state: str) -> dict[str, str]:
    return {
        "number": one.number,
        "name": shop.name or "",
        "address": shop.address,
        "state": state,
        "url": tokens.plate_text(where, one.token),
    }


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    """Mode 0600: whoever reads it can scan every plate of the demo, or open its receipts."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    part = path.with_suffix(".part")
    part.touch(mode=0o600)
    text = json.dumps(known + rows, ensure_ascii=False, indent=1)
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def move_rows(path: Path, public_url: str) -> None:
    """The demo may be served at another address than the one it was made for: plates lead there."""
    if not path.exists():
        return
    where = tokens.site(public_url)
    rows = json.loads(path.read_text(encoding="utf-8"))
    path.unlink()
    for row in rows:
        row["url"] = where.prefix + row["url"].rpartition("/")[2]
    write_rows(path, rows)


def _person(session: Session, role: str) -> uuid.UUID | None:
    return session.scalars(
        select(Post.person_id)
        .where(Post.subdistrict_id == tenant_of(session), Post.role == role)
        .order_by(Post.id)
        .limit(1)
    ).first()


def _shops_of(session: Session, road: str) -> set[uuid.UUID]:
    here = tenant_of(session)
    found = session.scalars(
        select(Storefront.id)
        .join(
            RoadSegment,
            (RoadSegment.subdistrict_id == here) & (RoadSegment.id == Storefront.segment_id),
        )
        .join(Road, (Road.subdistrict_id == here) & (Road.id == RoadSegment.road_id))
        .where(Storefront.subdistrict_id == here, Road.name == road)
    )
    return set(found)


def _name_shopkeepers(session: Session, *, at: datetime) -> None:
    """The demo's merchant runs the first shop that is let."""
    here = tenant_of(session)
    person = _person(session, "merchant")
    merchant = session.scalars(
        select(Merchant)
        .join(Tenancy, (Tenancy.subdistrict_id == here) & (Tenancy.merchant_id == Merchant.id))
        .join(
            Storefront,
            (Storefront.subdistrict_id == here) & (Storefront.id == Tenancy.storefront_id),
        )
        .where(Merchant.subdistrict_id == here, Tenancy.ends_on.is_(None))
        .where(Storefront.closed_at.is_(None), Storefront.segment_id.is_not(None))
        .order_by(Storefront.address)
        .limit(1)
    ).first()
    if merchant and person:
        shopkeepers.name(session, merchant, person_id=person, by=None, at=at)


def _photo() -> bytes:
    """A shop front as a drawing: the demo shows no real street and no real face."""
    picture = Image.new("RGB", PHOTO, "#CFDDE4")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 560, 960, 720), fill="#B9BFC2")
    draw.rectangle((120, 140, 840, 600), fill="#F4F1EA")
    draw.rectangle((120, 140, 840, 230), fill="#0B5CAD")
    draw.rectangle((170, 280, 520, 560), fill="#BFD6E6", outline="#6B7C86", width=6)
    draw.rectangle((580, 280, 760, 600), fill="#8EA3AE", outline="#6B7C86", width=6)
    draw.rectangle((780, 380, 822, 440), fill="#FFFFFF", outline="#16222B", width=3)
    for row in range(5):
        for column in range(5):
            if (row * 3 + column * 7) % 4 < 2:
                x, y = 787 + column * 6, 387 + row * 6
                draw.rectangle((x, y, x + 5, y + 5), fill="#16222B")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88)
    return out.getvalue()
