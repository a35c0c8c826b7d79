"""Reads for the office: counts, lists, one plate's file, alarms, signs out of date."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from roadchief.accounts.models import Person
from roadchief.codes.inscriptions import on_signs
from roadchief.codes.lifecycle import ON_THE_WALL, OVER, STATES
from roadchief.codes.models import Plate, PlateAlarm, ScanMonth
from roadchief.db import tenant_of
from roadchief.lib.text import clean, pieces
from roadchief.streets.models import RoadSegment, Storefront

PAGE = 50
ALARMS: dict[str, tuple[str, str]] = {
    "far": ("远离门口扫码", "scanned far from the door"),
    "burst": ("短时间大量扫码", "a burst of scans"),
    "dead": ("停用码牌被扫", "a dead plate was scanned"),
    "reported": ("有人报告码牌有问题", "somebody reported the plate"),
}


@dataclass(frozen=True)
class RoadCount:
    """How far a road is with its plates."""

    id: uuid.UUID
    name: str
    shops: int
    with_plate: int
    live: int


def counts(session: Session) -> dict[str, int]:
    """Plates by state, in the order of their life."""
    rows = session.execute(
        select(Plate.state, func.count().label("plates"))
        .where(Plate.subdistrict_id == tenant_of(session))
        .group_by(Plate.state)
    )
    found = {row.state: row.plates for row in rows}
    return {state: found.get(state, 0) for state in STATES}


# Each table is grouped by itself before they meet: one pass each, whatever the statistics say.
ROADS = text(
    """
WITH shops AS MATERIALIZED (
  SELECT segment_id, count(*) AS shops FROM storefront
  WHERE subdistrict_id = :here AND closed_at IS NULL AND segment_id IS NOT NULL GROUP BY 1
), made AS MATERIALIZED (
  SELECT f.segment_id, count(DISTINCT f.id) AS with_plate,
         count(*) FILTER (WHERE p.state = ANY(:live)) AS live
  FROM plate p JOIN storefront f ON f.subdistrict_id = :here AND f.id = p.storefront_id
  WHERE p.subdistrict_id = :here AND p.state <> ALL(:over) AND f.closed_at IS NULL GROUP BY 1
)
SELECT r.id, r.name, sum(shops.shops)::int AS shops,
       coalesce(sum(made.with_plate), 0)::int AS with_plate,
       coalesce(sum(made.live), 0)::int AS live
FROM shops JOIN road_segment s ON s.subdistrict_id = :here AND s.id = shops.segment_id
JOIN road r ON r.subdistrict_id = :here AND r.id = s.road_id
LEFT JOIN made ON made.segment_id = shops.segment_id
WHERE r.closed_at IS NULL GROUP BY r.id, r.name ORDER BY r.name
"""
)


def roads(session: Session) -> list[RoadCount]:
    """How many storefronts of each road have a plate, and how many hang."""
    values = {
        "here": tenant_of(session),
        "live": sorted(ON_THE_WALL),
        "over": sorted(OVER),
    }
    return [RoadCount(*row) for row in session.execute(ROADS, values)]


def listing(
    session: Session, *, state: str | None, wanted: str | None, number: int
) -> tuple[Sequence[Any], int]:
    """Plates with their address: by state, by number or by a piece of the address."""
    here = tenant_of(session)
    chosen = (
        select(Plate, Storefront.address, Storefront.name, RoadSegment.name.label("segment"))
        .outerjoin(
            Storefront,
            (Storefront.subdistrict_id == here) & (Storefront.id == Plate.storefront_id),
        )
        .outerjoin(
            RoadSegment,
            (RoadSegment.subdistrict_id == here) & (RoadSegment.id == Plate.segment_id),
        )
        .where(Plate.subdistrict_id == here)
    )
    state = state if state in STATES else None
    asked = clean(wanted or "")[:40]
    if asked:
        total, found = _found(session, asked, state, number)
        rows = session.execute(chosen.where(Plate.id.in_(found)).order_by(Plate.number)).all()
        return rows, total
    if state:
        chosen = chosen.where(Plate.state == state)
    total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
    rows = session.execute(
        chosen.order_by(Plate.number).limit(PAGE).offset((number - 1) * PAGE)
    ).all()
    return rows, total


def _found(
    session: Session, asked: str, state: str | None, number: int
) -> tuple[int, list[uuid.UUID]]:
    """How many there are, and those of one page."""
    escaped = asked.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    hits = session.execute(
        text(
            "SELECT plate_id, hits FROM search_plates("
            ":here, :parts, :likeness, :state, :most, CAST(:skip AS int))"
        ),
        {
            "here": tenant_of(session),
            "parts": pieces(asked),
            "likeness": f"%{escaped}%",
            "state": state,
            "most": PAGE,
            "skip": (number - 1) * PAGE,
        },
    ).all()
    return (hits[0].hits if hits else 0), [row.plate_id for row in hits]


def months(session: Session, plate_id: uuid.UUID) -> list[tuple[date, dict[str, int]]]:
    """Scans a month by kind of viewer, newest first."""
    rows = session.execute(
        select(ScanMonth.month, ScanMonth.audience, ScanMonth.scans)
        .where(ScanMonth.subdistrict_id == tenant_of(session), ScanMonth.plate_id == plate_id)
        .order_by(ScanMonth.month.desc(), ScanMonth.audience)
        .limit(60)
    )
    found: dict[date, dict[str, int]] = {}
    for month, audience, scans in rows:
        found.setdefault(month, {})[audience] = scans
    return list(found.items())


def alarms(session: Session, *, open_only: bool = True) -> Sequence[Any]:
    here = tenant_of(session)
    wanted = (
        select(PlateAlarm, Plate.number, Plate.state, Storefront.address, Person.name)
        .join(Plate, (Plate.subdistrict_id == here) & (Plate.id == PlateAlarm.plate_id))
        .outerjoin(
            Storefront,
            (Storefront.subdistrict_id == here) & (Storefront.id == Plate.storefront_id),
        )
        .outerjoin(Person, (Person.subdistrict_id == here) & (Person.id == PlateAlarm.settled_by))
        .where(PlateAlarm.subdistrict_id == here)
        .order_by(PlateAlarm.settled_at.desc().nulls_first(), PlateAlarm.last_at.desc())
        .limit(100)
    )
    if open_only:
        wanted = wanted.where(PlateAlarm.settled_at.is_(None))
    return session.execute(wanted).all()


def unconfirmed(session: Session) -> Sequence[Any]:
    """Plates mounted away from the door or without a position: the office looks at them."""
    here = tenant_of(session)
    return session.execute(
        select(Plate, Storefront.address)
        .outerjoin(
            Storefront,
            (Storefront.subdistrict_id == here) & (Storefront.id == Plate.storefront_id),
        )
        .where(Plate.subdistrict_id == here, Plate.state == "bound")
        .order_by(Plate.state_at)
        .limit(100)
    ).all()


def at_closed_doors(session: Session) -> Sequence[Any]:
    """Live plates of storefronts that were split, merged or closed: to be replaced."""
    here = tenant_of(session)
    return session.execute(
        select(Plate, Storefront.address)
        .join(
            Storefront,
            (Storefront.subdistrict_id == here) & (Storefront.id == Plate.storefront_id),
        )
        .where(Plate.subdistrict_id == here, Plate.state.in_(ON_THE_WALL))
        .where(Storefront.closed_at.is_not(None))
        .order_by(Plate.number)
        .limit(100)
    ).all()


@dataclass(frozen=True)
class OldSign:
    """A public sign whose print no longer says who answers."""

    plate_id: uuid.UUID
    number: str
    segment_id: uuid.UUID
    segment: str
    printed: list[list[str]]
    now: list[list[str]]


def signs_out_of_date(session: Session, *, phone: str, at: datetime) -> list[OldSign]:
    """domain.md §2.5: flagged when assignments or the office's phone changed since printing."""
    here = tenant_of(session)
    rows = session.execute(
        select(Plate, RoadSegment.id, RoadSegment.name)
        .join(
            RoadSegment, (RoadSegment.subdistrict_id == here) & (RoadSegment.id == Plate.segment_id)
        )
        .where(Plate.subdistrict_id == here, Plate.kind == "sign")
        .where(Plate.state.in_(ON_THE_WALL | {"printed", "delivered"}))
        .order_by(Plate.number)
        .limit(500)
    ).all()
    found = []
    said = on_signs(session, [row[1] for row in rows], phone=phone, at=at)
    for plate, segment_id, segment in rows:
        now = said[segment_id]
        if plate.printed and plate.printed != now:
            found.append(
                OldSign(
                    plate.id,
                    plate.number,
                    segment_id,
                    segment,
                    plate.printed.get("chiefs", []),
                    now["chiefs"],
                )
            )
    return found
