"""From a scan to the wall: which place, how far, which photo; and from the wall to the office."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import shapely
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from roadchief import blobs, events
from roadchief.codes import plates, scans
from roadchief.codes.lifecycle import ACTS, ON_THE_WALL, WHY, Tolerance, judge_place
from roadchief.codes.models import Plate
from roadchief.codes.plates import Position, SomebodyWasFirst
from roadchief.codes.scans import Seen
from roadchief.config import Settings
from roadchief.db import tenant_of
from roadchief.errors import BadInput, NotFound, RuleBroken, WrongState
from roadchief.lib import geo
from roadchief.lib.photos import Box, Developed
from roadchief.streets.models import RoadSegment, Storefront

events.declare(
    {
        "codes.mounted": "a plate was bound to its storefront or segment",
        "codes.photo_released": "the photo of a mounted plate may be shown to everybody",
    }
)

NEAR_M = 80.0
FEW = 5
STAFF_ACTS = {"damaged": "report_damaged", "lost": "report_lost"}


class PhotoNeeded(BadInput):
    def __init__(self) -> None:
        super().__init__(
            field="照片 photo", reason_zh="请拍摄已安装的码牌", reason_en="photograph the plate"
        )


class OtherPlace(RuleBroken):
    """A plate says its address in print, so it cannot hang anywhere else."""

    zh = "码牌 {number} 印的是“{printed}”，不能装在“{address}”"
    en = "plate {number} says {printed} in print: it cannot hang at {address}"


class TooFar(RuleBroken):
    """Mounting away from the door needs a reason; the office then looks at it."""

    zh = "{why_zh}（{distance}，允许 {limit_m:.0f} 米）。若确在现场，请写明原因"
    en = "{why_en} ({distance}, {limit_m:.0f} m allowed): if you are there, say why"


NEAREST = text(
    """
SELECT f.id, f.name, f.address, f.human_number,
       ST_Distance(f.door::geography, CAST(:place AS geometry)::geography) AS distance_m,
       EXISTS (SELECT 1 FROM plate p WHERE p.subdistrict_id = :here AND p.storefront_id = f.id
               AND p.state IN ('bound', 'active', 'suspended')) AS has_plate
FROM storefront f
WHERE f.subdistrict_id = :here AND f.closed_at IS NULL
  AND f.door && ST_Expand(CAST(:place AS geometry), :degrees)
ORDER BY distance_m LIMIT :few
"""
)


def nearest(session: Session, place: shapely.Point | None) -> Sequence[Any]:
    """The storefronts around a phone, nearest first; none when it does not say where it is."""
    if place is None:
        return []
    values = {
        "here": tenant_of(session),
        "place": f"SRID=4326;{place.wkt}",
        "degrees": NEAR_M / 90_000,
        "few": FEW,
    }
    return session.execute(NEAREST, values).all()


def mount(
    session: Session,
    plate: Plate,
    *,
    to: Storefront | RoadSegment,
    position: Position | None,
    photo_id: uuid.UUID | None,
    by: uuid.UUID,
    at: datetime,
    because: str | None = None,
    tolerance: Tolerance | None = None,
) -> str:
    """Bind the plate where it now hangs; the state it reaches is the answer.

    Within tolerance it is active at once. Away from the door, or without a position, it needs a
    reason and waits as `bound` for the office. The plate that hung there before is replaced.
    """
    if photo_id is None:
        raise PhotoNeeded
    session.refresh(to, with_for_update={"read": True})  # not split or closed under our hands
    _check_printed(session, plate, to)
    if to.closed_at is not None:
        raise WrongState
    distance_m = _distance_m(to, position)
    accuracy_m = position.accuracy_m if position else None
    verdict = judge_place(distance_m, accuracy_m, tolerance or Tolerance())
    if not verdict.inside and not because:
        shown = "—" if distance_m is None else f"{distance_m:.0f} m"
        zh, en = WHY[verdict.why]
        raise TooFar(why_zh=zh, why_en=en, distance=shown, limit_m=verdict.limit_m)
    _replace_former(session, plate, to, by=by, at=at)
    plate = _attach(session, plate, to, position, photo_id)
    plates.step(
        session,
        plate,
        "bind",
        by=by,
        at=at,
        because=because,
        photo_id=photo_id,
        position=position,
        distance_m=distance_m,
    )
    if verdict.inside:
        plates.step(session, plate, "confirm", by=by, at=at, because=None)
    events.record(session, "codes.mounted", subject=plate, by=by, at=at, why=verdict.why)
    return plate.state


def _check_printed(session: Session, plate: Plate, to: Storefront | RoadSegment) -> None:
    """A blank plate may hang anywhere; a printed one only where its print says."""
    printed = plate.segment_id if plate.kind == "sign" else plate.storefront_id
    if plate.kind == "sign" and not isinstance(to, RoadSegment):
        raise OtherPlace(number=plate.number, printed="公示牌 sign", address=to.address)
    if printed is None or printed == to.id:
        return
    meant = (
        session.get_one(RoadSegment, (plate.subdistrict_id, printed)).name
        if plate.kind == "sign"
        else session.get_one(Storefront, (plate.subdistrict_id, printed)).address
    )
    here = to.address if isinstance(to, Storefront) else to.name
    raise OtherPlace(number=plate.number, printed=meant, address=here)


def _distance_m(to: Storefront | RoadSegment, position: Position | None) -> float | None:
    if position is None:
        return None
    at_shop = isinstance(to, Storefront)
    shape = (to.frontage or to.door) if isinstance(to, Storefront) else to.line
    found = geo.distance_m(position.place, shape)
    # Signs stand at the kerb, the segment's line runs in the middle of the road.
    return found if at_shop else max(0.0, found - to.kerb_m)  # type: ignore[union-attr]


def _replace_former(
    session: Session,
    plate: Plate,
    to: Storefront | RoadSegment,
    *,
    by: uuid.UUID,
    at: datetime,
) -> None:
    place = Plate.segment_id if isinstance(to, RoadSegment) else Plate.storefront_id
    former = session.scalars(
        select(Plate)
        .where(Plate.subdistrict_id == plate.subdistrict_id, place == to.id, Plate.id != plate.id)
        .where(Plate.state.in_(ON_THE_WALL))
        .with_for_update()
    ).all()
    for old in former:
        plates.step(session, old, "replace", by=by, at=at, because=f"→ {plate.number}")


def _attach(
    session: Session,
    plate: Plate,
    to: Storefront | RoadSegment,
    position: Position | None,
    photo_id: uuid.UUID,
) -> Plate:
    """Its place, in the row; of two who bind a blank plate at once only one finds it so."""
    values: dict[str, Any] = {
        "photo_id": photo_id,
        "photo_public": False,
        "mounted_place": position.place if position else None,
        "mounted_accuracy_m": position.accuracy_m if position else None,
    }
    if isinstance(to, Storefront):
        values["storefront_id"] = to.id
    done = session.execute(
        update(Plate)
        .where(Plate.subdistrict_id == plate.subdistrict_id, Plate.id == plate.id)
        .where(
            Plate.state == plate.state,
            Plate.storefront_id.is_not_distinct_from(plate.storefront_id),
        )
        .values(**values)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise SomebodyWasFirst
    session.refresh(plate)
    return plate


def mount_scanned(
    session: Session,
    plate: Plate,
    *,
    storefront_id: uuid.UUID | None,
    position: Position | None,
    photos: Sequence[Developed],
    because: str | None,
    by: uuid.UUID,
    at: datetime,
    settings: Settings,
) -> str:
    """Bind a scanned plate to the place in its print, or a blank one to the chosen storefront."""
    if not photos:
        raise PhotoNeeded
    to = _place_of(session, plate, storefront_id)
    photo = blobs.keep(session, photos[0], by=by, at=at, settings=settings)
    return mount(
        session,
        plate,
        to=to,
        position=position,
        photo_id=photo.id,
        by=by,
        at=at,
        because=because,
    )


def _place_of(
    session: Session, plate: Plate, storefront_id: uuid.UUID | None
) -> Storefront | RoadSegment:
    here = tenant_of(session)
    if plate.segment_id:
        return session.get_one(RoadSegment, (here, plate.segment_id))
    wanted = storefront_id or plate.storefront_id
    if wanted is None:
        raise BadInput(
            field="铺位 storefront", reason_zh="请选择铺位", reason_en="choose the storefront"
        )
    found = session.get(Storefront, (here, wanted))
    if found is None:
        raise NotFound
    return found


def report(
    session: Session,
    seen: Seen,
    what: str,
    *,
    words: str,
    by: uuid.UUID | None,
    at: datetime,
) -> None:
    """A citizen's word is an alarm for the office; staff change the plate's state as well."""
    scans.raise_alarm(session, seen.plate_id, "reported", at=at, what=what)
    act = STAFF_ACTS.get(what)
    plate = plates.find(session, seen.plate_id)
    if by and act and plate.state in ACTS[act].starts:
        plates.move(session, plate, act, by=by, at=at, because=words)


def release_photo(session: Session, plate: Plate, *, by: uuid.UUID, at: datetime) -> None:
    """Somebody looked at the photo: no faces, no number plates. Now citizens see it."""
    if plate.photo_id is None:
        raise NotFound
    plate.photo_public = True
    events.record(session, "codes.photo_released", subject=plate, by=by, at=at)


def blur_photo(
    session: Session,
    plate: Plate,
    boxes: list[Box],
    *,
    by: uuid.UUID,
    at: datetime,
    settings: Settings,
) -> None:
    """The plate shows a copy with these places made unreadable; the evidence stays as it was."""
    if plate.photo_id is None:
        raise NotFound
    photo = blobs.get(session, plate.photo_id)
    plate.photo_id = blobs.blurred(session, photo, boxes, by=by, at=at, settings=settings).id
