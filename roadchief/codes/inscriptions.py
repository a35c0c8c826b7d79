"""What each plate and sign of a batch says, read from the ground in two queries a block."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.accounts.access import ROLES
from roadchief.codes import tokens
from roadchief.codes.artwork import PlateFace, SignFace
from roadchief.codes.models import Plate
from roadchief.codes.sealing import Secret
from roadchief.codes.tokens import Site
from roadchief.db import tenant_of
from roadchief.lib import clock
from roadchief.streets import catalog
from roadchief.streets.models import Road, RoadSegment, Storefront, StreetBlock, Subdistrict

BLOCK = 1000
SCOPE = "道路红线内及沿街铺位门前责任区"
STANDARD = "门前三包 · 市容环境卫生责任区标准"


def faces(
    session: Session, secrets: Sequence[Secret], *, where: Site, phone: str, at: datetime
) -> Iterator[PlateFace | SignFace]:
    """In the order of `secrets`, each with the address that its symbol says."""
    office = _office(session)
    for start in range(0, len(secrets), BLOCK):
        some = secrets[start : start + BLOCK]
        shops = _shops(session, [uuid.UUID(one.plate_id) for one in some if one.kind == "shop"])
        for one in some:
            text = tokens.plate_text(where, one.token)
            if one.kind == "sign":
                segment_id = _segment_of(session, one)
                yield sign_face(
                    session,
                    segment_id,
                    text=text,
                    number=one.number,
                    host=where.host,
                    phone=phone,
                    at=at,
                )
                continue
            row = shops.get(uuid.UUID(one.plate_id))
            yield PlateFace(
                text=text,
                number=one.number,
                # The unit is printed, not the merchant: tenants change, the plate stays (§4.3).
                title="",
                road=(row.road or "") if row else "",
                house_number=(row.house_number or "") if row else "",
                human_number=(row.human_number or "") if row else "",
                block=row.block if row else None,
                host=where.host,
                phone=phone,
                office=office,
            )


def _office(session: Session) -> str:
    name = session.scalar(select(Subdistrict.name).where(Subdistrict.id == tenant_of(session)))
    return name or ""


def _shops(session: Session, plate_ids: list[uuid.UUID]) -> dict[uuid.UUID, Any]:
    here = tenant_of(session)
    if not plate_ids:
        return {}
    rows = session.execute(
        select(
            Plate.id,
            Road.name.label("road"),
            Storefront.house_number,
            Storefront.human_number,
            StreetBlock.name.label("block"),
        )
        .outerjoin(
            Storefront,
            (Storefront.subdistrict_id == here) & (Storefront.id == Plate.storefront_id),
        )
        .outerjoin(
            RoadSegment,
            (RoadSegment.subdistrict_id == here) & (RoadSegment.id == Storefront.segment_id),
        )
        .outerjoin(Road, (Road.subdistrict_id == here) & (Road.id == RoadSegment.road_id))
        .outerjoin(
            StreetBlock,
            (StreetBlock.subdistrict_id == here) & (StreetBlock.id == RoadSegment.block_id),
        )
        .where(Plate.subdistrict_id == here, Plate.id.in_(plate_ids))
    )
    return {row.id: row for row in rows}


def _segment_of(session: Session, one: Secret) -> uuid.UUID:
    plate = session.get_one(Plate, (tenant_of(session), uuid.UUID(one.plate_id)))
    if plate.segment_id is None:
        raise LookupError(f"sign {plate.number} has no segment")
    return plate.segment_id


def sign_face(
    session: Session,
    segment_id: uuid.UUID,
    *,
    text: str,
    number: str,
    host: str,
    phone: str,
    at: datetime,
) -> SignFace:
    """A public sign from today's assignments; only office phones, never a private one (§2.5)."""
    segment, road = catalog.segment(session, segment_id)
    said = on_sign(session, segment_id, phone=phone, at=at)
    block = (
        session.get(StreetBlock, (segment.subdistrict_id, segment.block_id))
        if segment.block_id
        else None
    )
    return SignFace(
        text=text,
        number=number,
        road=road.name,
        segment=segment.code,
        from_to=f"{segment.from_name or '起点'} → {segment.to_name or '终点'}",
        length_m=round(segment.length_m),
        chiefs=tuple((role, person) for role, person in said["chiefs"]),
        phone=said["phone"],
        scope=SCOPE,
        standard=STANDARD,
        host=host,
        date=clock.local_date(at).isoformat(),
        block=block.name if block else None,
        office=_office(session),
    )


def on_signs(
    session: Session, segment_ids: Sequence[uuid.UUID], *, phone: str, at: datetime
) -> dict[uuid.UUID, dict[str, Any]]:
    """What signs say of people, in one question: kept when printed, compared afterwards."""
    found: dict[uuid.UUID, list[Any]] = {one: [] for one in segment_ids}
    if segment_ids:
        for row in catalog.charge(session, at=at, among=list(segment_ids)):
            found[row.segment_id].append(row)
    return {one: _said(rows, phone) for one, rows in found.items()}


def on_sign(session: Session, segment_id: uuid.UUID, *, phone: str, at: datetime) -> dict[str, Any]:
    return on_signs(session, [segment_id], phone=phone, at=at)[segment_id]


def _said(rows: Sequence[Any], phone: str) -> dict[str, Any]:
    chiefs = [[row.title or ROLES[row.role][0], row.person] for row in rows if not row.acting]
    office = next((row.office_phone for row in rows if row.office_phone), None)
    return {"chiefs": chiefs[:6], "phone": office or phone}
