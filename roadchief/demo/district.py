"""A district of any size for load work: a chessboard of streets, doors by COPY."""

import random
from datetime import datetime

import numpy as np
import shapely
from rich.progress import Progress
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from roadchief.db import Database, driver_connection, new_id, tenant_of, to_hex
from roadchief.lib.text import initials, pieces
from roadchief.streets import register
from roadchief.streets.models import RoadSegment, Subdistrict

WEST, SOUTH = 121.60, 31.00  # farmland and sea: the streets are invented
STEP_DEG = 0.004
DOORS_A_SEGMENT = 120
STAGED = 50_000  # rows a statement, so that none runs into the time limit
WORDS = "桂香知味蓝湾晨光老灶禾田春信同福青石云栖小满谷雨拾光顺和裕民得闲南枝四喜白果鹿鸣"
TRADES = ("面馆", "理发店", "水果店", "五金店", "咖啡", "茶饮", "便利店", "小吃", "花店", "药房")
COLUMNS = (
    "subdistrict_id, id, door, house_number, address, name, business_type, segment_id, side, "
    "measure_m, human_number, pieces, initials, duty_zone_drawn, source, source_id, source_datum, "
    "opened_at"
)

TAKE = f"INSERT INTO storefront ({COLUMNS}) SELECT {COLUMNS} FROM stage"
STAGE = "CREATE TEMP TABLE IF NOT EXISTS stage (LIKE storefront) ON COMMIT DROP"


def make(database: Database, code: int, storefronts: int, *, at: datetime) -> int:
    """Streets by the register's verbs, doors by COPY; the same district for the same size."""
    streets = max(2, round((storefronts / DOORS_A_SEGMENT / 2) ** 0.5) + 1)
    with database.transaction(code) as session:
        if session.scalar(select(Subdistrict.id).where(Subdistrict.id == code)):
            _clear(session)
        session.merge(
            Subdistrict(id=code, name=f"试验街道{code % 1000}", short_name="SY", area=None)
        )
        session.flush()
        _lay_streets(session, streets, at=at)
    with database.transaction(code) as session, Progress() as progress:
        bar = progress.add_task("storefronts", total=storefronts)
        segments = session.scalars(
            select(RoadSegment).where(RoadSegment.subdistrict_id == code).order_by(RoadSegment.code)
        ).all()
        each = -(-storefronts // len(segments))
        dice = np.random.default_rng(code)
        words = random.Random(code)
        left, staged = storefronts, 0
        # COPY knows no row-level security, so it goes by way of a table of this transaction.
        session.execute(text(STAGE))
        session.execute(text("TRUNCATE stage"))
        with driver_connection(session).cursor() as cursor:
            for segment in segments:
                count = min(each, left)
                with cursor.copy(f"COPY stage ({COLUMNS}) FROM STDIN") as copy:
                    for row in _doors(segment, count, dice, words, at):
                        copy.write_row(row)
                left -= count
                staged += count
                progress.advance(bar, count)
                if staged >= STAGED or not left:
                    cursor.execute(TAKE)
                    cursor.execute("TRUNCATE stage")
                    staged = 0
    return storefronts - left


def _lay_streets(session: Session, streets: int, *, at: datetime) -> None:
    far = (streets - 0.5) * STEP_DEG
    lines = []
    for number in range(streets):
        off = number * STEP_DEG
        east = shapely.LineString([(WEST - 0.001, SOUTH + off), (WEST + far, SOUTH + off)])
        south = shapely.LineString([(WEST + off, SOUTH + far), (WEST + off, SOUTH - 0.001)])
        lines += [(f"东西{number + 1}路", east), (f"南北{number + 1}路", south)]
    for name, line in lines:
        road = register.open_road(
            session, name=name, kind="tertiary", source="load", source_id=name, by=None, at=at
        )
        crossing = [(other, shape) for other, shape in lines if other[:2] != name[:2]]
        register.cut_road(session, road, [line], crossing, by=None, at=at)


def _doors(
    segment: RoadSegment, count: int, dice: np.random.Generator, words: random.Random, at: datetime
) -> list[tuple[object, ...]]:
    measures = np.sort(dice.uniform(0.05, 0.95, count))
    points = shapely.get_coordinates(
        shapely.line_interpolate_point(segment.line, measures, normalized=True)
    )
    heading = np.array(segment.line.coords[-1]) - np.array(segment.line.coords[0])
    left = np.array([-heading[1], heading[0]]) / np.hypot(*heading) * 0.00012
    road = segment.name.split("（")[0]
    rows: list[tuple[object, ...]] = []
    for number, ((lon, lat), measure) in enumerate(zip(points, measures, strict=True)):
        side = 1 if number % 2 else -1
        door = shapely.Point(lon + side * left[0], lat + side * left[1])
        sign = words.choice(WORDS) + words.choice(WORDS) + words.choice(TRADES)
        house = f"{number + 1}号"
        rows.append(
            (
                segment.subdistrict_id,
                new_id(),
                to_hex(door),
                house,
                f"{road}{house}",
                sign,
                "小店",
                segment.id,
                "left" if side > 0 else "right",
                measure * segment.length_m,
                f"SY-{segment.code}-{number + 1:04d}",
                pieces(sign, f"{road}{house}", initials(sign)),
                initials(sign),
                False,
                "load",
                f"{segment.code}-{number}",
                "wgs84",
                at,
            )
        )
    return rows


def _clear(session: Session) -> None:
    """Load districts are remade; nothing else refers to them. A big one takes its time."""
    session.execute(text("SET LOCAL statement_timeout = 0"))
    for table in ("storefront", "assignment", "road_segment", "road"):
        session.execute(
            text(f"DELETE FROM {table} WHERE subdistrict_id = :here"),
            {"here": tenant_of(session)},
        )
