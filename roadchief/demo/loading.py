"""The seed becomes a neighbourhood, through the same verbs that people use."""

import json
import random
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.ops import substring
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.config import ROOT
from roadchief.db import new_id, tenant_of
from roadchief.demo import drawing
from roadchief.lib.geo import Plane, as_multipolygon
from roadchief.streets import naming, places, placing, register, storefronts, tenancies
from roadchief.streets.models import (
    BackgroundShape,
    Organisation,
    Road,
    RoadSegment,
    StreetBlock,
    Subdistrict,
)

SEED = ROOT / "geodata" / "seed"
SOURCE = "seed"


def read_seed(name: str, folder: Path = SEED) -> dict[str, Any]:
    found = json.loads((folder / name).read_text(encoding="utf-8"))
    return dict(found)


def load_ground(session: Session, seed: dict[str, Any], *, at: datetime) -> None:
    """Sub-district, roads and segments, blocks, grids, organisations, stations, background."""
    here = tenant_of(session)
    facts = next(row for row in seed["subdistricts"] if row["code"] == here)
    area = as_multipolygon(shapely.Polygon(facts["outline"]))
    session.merge(
        Subdistrict(
            id=here,
            name=facts["name"],
            short_name=facts["short"],
            ring=facts["ring"],
            area=area,
            area_source=SOURCE,
        )
    )
    session.flush()
    blocks = _load_blocks(session, seed, at=at)
    _load_roads(session, seed, area, blocks, at=at)
    _load_organisations(session, seed, at=at)
    _load_stations(session, seed, at=at)
    _load_grids(session, area, at=at)
    session.flush()


def load_storefronts(
    session: Session, seed: dict[str, Any], names: dict[str, Any], *, at: datetime
) -> int:
    """Fronts, the buildings behind them, slabs in the yards, merchants and tenancies."""
    here = tenant_of(session)
    dice = random.Random(here)
    rows: list[tuple[drawing.Row, Road]] = []
    for shops in (row for row in seed["shops"] if row["code"] == here):
        road = session.scalars(
            select(Road).where(Road.subdistrict_id == here, Road.name == shops["road"])
        ).one()
        facts = next(row for row in seed["roads"] if row["name"] == road.name)
        odd, even = sorted(facts["first"], key=lambda number: number % 2 == 0)
        first = {1: odd, -1: even}
        for segment in segments_of(session, road):
            found = drawing.rows_along(
                segment.line, front_m=facts["front_m"], share=shops["share"], first=first, dice=dice
            )
            rows += [(row, road) for row in found]
    doors = [
        storefronts.Door(
            place=front.door,
            frontage=front.line,
            house_number=f"{front.number}号",
            address=f"{road.name}{front.number}号",
            source=SOURCE,
            source_id=f"{road.name}-{front.number}-{front.side}-{front.measure_m:.0f}-{number}",
        )
        for number, (row, road) in enumerate(rows)
        for front in row.fronts
    ]
    opened = storefronts.open_storefronts(
        session, doors, storefronts.ground(session), by=None, at=at
    )
    _let(session, opened, names, dice, on=at.date(), at=at)
    _load_background(session, seed, [row.building for row, _ in rows], dice)
    _load_permits(session, seed, at=at)
    return len(opened)


def segments_of(session: Session, road: Road) -> list[RoadSegment]:
    return list(
        session.scalars(
            select(RoadSegment)
            .where(RoadSegment.subdistrict_id == road.subdistrict_id)
            .where(RoadSegment.road_id == road.id, RoadSegment.closed_at.is_(None))
            .order_by(RoadSegment.seq)
        )
    )


def _load_blocks(session: Session, seed: dict[str, Any], *, at: datetime) -> dict[str, StreetBlock]:
    """By the name of each road that belongs to it."""
    found: dict[str, StreetBlock] = {}
    for facts in (row for row in seed["blocks"] if row["code"] == tenant_of(session)):
        block = places.open_block(session, name=facts["name"], theme=facts["theme"], by=None, at=at)
        found |= dict.fromkeys(facts["roads"], block)
    session.flush()
    return found


def _load_roads(
    session: Session,
    seed: dict[str, Any],
    area: shapely.MultiPolygon,
    blocks: dict[str, StreetBlock],
    *,
    at: datetime,
) -> None:
    lines = {row["name"]: shapely.LineString(row["line"]) for row in seed["roads"]}
    for facts in seed["roads"]:
        line = lines[facts["name"]]
        if Plane.around(area).flat(line.intersection(area)).length < 60:
            continue
        road = register.open_road(
            session,
            name=facts["name"],
            name_en=facts["name_en"],
            kind=facts["kind"],
            source=SOURCE,
            source_id=facts["name"],
            by=None,
            at=at,
        )
        others = [(name, other) for name, other in lines.items() if name != facts["name"]]
        block = blocks.get(facts["name"])
        register.cut_road(
            session,
            road,
            [line],
            others,
            by=None,
            at=at,
            kerb_m=facts["kerb_m"],
            key_road=facts["key"],
            block_id=block.id if block else None,
        )


def _load_organisations(session: Session, seed: dict[str, Any], *, at: datetime) -> None:
    lists = [row["list"] for row in seed["organisations"] if row["code"] == tenant_of(session)]
    found: dict[str, Organisation] = {}
    for number, (name, kind, parent) in enumerate(lists[0] if lists else []):
        found[name] = places.open_organisation(
            session,
            name=name,
            kind=kind,
            parent=found.get(parent),
            by=None,
            at=at,
            office_phone=f"021-5{tenant_of(session) % 1000:03d}{number:04d}",
        )


def _load_stations(session: Session, seed: dict[str, Any], *, at: datetime) -> None:
    for facts in (row for row in seed["stations"] if row["code"] == tenant_of(session)):
        places.open_station(
            session,
            name=facts["name"],
            kind=facts["kind"],
            hours=facts["hours"],
            place=shapely.Point(facts["place"]),
            functions=facts["functions"],
            by=None,
            at=at,
        )


def _load_grids(session: Session, area: shapely.MultiPolygon, *, at: datetime) -> None:
    """Two by two grids, only to have some: real ones are imported."""
    west, south, east, north = area.bounds
    middle_x, middle_y = (west + east) / 2, (south + north) / 2
    boxes = [
        (west, middle_y, middle_x, north),
        (middle_x, middle_y, east, north),
        (west, south, middle_x, middle_y),
        (middle_x, south, east, middle_y),
    ]
    for number, box in enumerate(boxes, start=1):
        part = as_multipolygon(area.intersection(shapely.box(*box)))
        places.open_grid(
            session,
            code=f"G{number:02d}",
            name=f"第{number}综合网格",
            by=None,
            at=at,
            area=max(part.geoms, key=lambda shape: shape.area),
        )


def _let(
    session: Session,
    opened: list[Any],
    names: dict[str, Any],
    dice: random.Random,
    *,
    on: date,
    at: datetime,
) -> None:
    """Merchants move in; one in fourteen fronts stays empty."""
    rare = [*names["rare"], names["long"]]
    for number, row in enumerate(opened):
        if dice.random() < 1 / 14:
            continue
        word, (trade, kind) = dice.choice(names["words"]), dice.choice(names["trades"])
        sign = rare[number // 37] if number % 37 == 5 and number // 37 < len(rare) else word + trade
        merchant = tenancies.open_merchant(
            session, name=sign, uscc=_uscc(dice) if dice.random() < 0.85 else None
        )
        began = date.fromordinal(on.toordinal() - dice.randint(40, 2000))
        tenancies.start(
            session, row, merchant, sign_name=sign, on=began, by=None, at=at, business_type=kind
        )


def _uscc(dice: random.Random) -> str:
    """An invented code that passes both check characters (domain.md §7.2)."""
    subject = "MA" + "".join(dice.choice("0123456789ABCDEFGH") for _ in range(6))
    first_17 = "92310115" + subject + naming.subject_check(subject)
    return first_17 + naming.uscc_check(first_17)


def _load_background(
    session: Session, seed: dict[str, Any], fronts: list[shapely.Polygon], dice: random.Random
) -> None:
    here = tenant_of(session)
    area = session.get_one(Subdistrict, here).area
    greens = [shapely.Polygon(ring) for ring in seed["greens"]]
    water = [shapely.Polygon(ring) for ring in seed["water"]]
    streets = [shapely.LineString(row["line"]) for row in seed["roads"]]
    slabs = drawing.slabs(area, streets, [*fronts, *greens, *water], dice)
    kinds = [("building", [*fronts, *slabs]), ("green", greens), ("water", water)]
    for kind, shapes in kinds:
        for number, shape in enumerate(shapes):
            if not shape.intersects(area) or shape.is_empty:
                continue
            session.add(
                BackgroundShape(
                    subdistrict_id=here,
                    id=new_id(),
                    kind=kind,
                    shape=as_multipolygon(shape),
                    source=SOURCE,
                    source_id=f"{kind}-{number}",
                )
            )
    session.flush()


def _load_permits(session: Session, seed: dict[str, Any], *, at: datetime) -> None:
    for facts in (row for row in seed["permits"] if row["code"] == tenant_of(session)):
        road = session.scalars(
            select(Road).where(
                Road.subdistrict_id == tenant_of(session), Road.name == facts["road"]
            )
        ).one()
        segment = max(segments_of(session, road), key=lambda row: row.length_m)
        places.open_permit_area(
            session,
            name=facts["name"],
            kind=facts["kind"],
            area=_beside(segment, facts),
            windows=facts["windows"],
            valid_from=date(at.year, 1, 1),
            valid_to=date(at.year, 12, 31),
            trade=facts["trade"],
            by=None,
            at=at,
        )


def _beside(segment: RoadSegment, facts: dict[str, Any]) -> shapely.Polygon:
    """A strip of pavement between two measures."""
    plane = Plane.around(segment.line)
    street = plane.flat(segment.line)
    low, high = (min(facts[key], street.length - 10) for key in ("from_m", "to_m"))
    side = 1 if facts["side"] == placing.LEFT else -1
    part = substring(street, min(low, high - 20), high)
    near, far = (
        part.offset_curve(side * off) for off in (segment.kerb_m + 0.6, segment.kerb_m + 3.4)
    )
    ring = np.vstack([near.coords, np.array(far.coords)[::-1]])
    return plane.round(shapely.Polygon(ring).buffer(0))
