"""Features of a collection: filtered by box, time and property, page by page. Reads only.

Pages follow the key, so the last page of a million features costs what the first one does.
"""

import json
import math
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.errors import BadInput, NotFound
from roadchief.lib import clock
from roadchief.maps.collections import Collection, Field

MOST, USUAL = 10_000, 100
DECIMALS = 7
DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)
SPHERE_M = 6_378_137.0  # of web Mercator
HALF_WORLD_M = math.pi * SPHERE_M
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
# Address of a reference system → (EPSG, latitude first?). 4490 is China's CGCS2000.
SYSTEMS: dict[str, tuple[int, bool]] = {
    CRS84: (4326, False),
    EPSG + "4326": (4326, True),
    EPSG + "4490": (4490, True),
    EPSG + "3857": (3857, False),
}
NAIVE_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Wanted:
    """What a client asks of a collection. Times are instants; `box` is lon/lat, WGS-84."""

    limit: int = USUAL
    after: uuid.UUID | None = None
    box: tuple[float, float, float, float] | None = None
    since: datetime | None = None
    until: datetime | None = None
    timed: bool = False
    equals: Mapping[str, str] = field(default_factory=dict)
    crs: str = CRS84
    only: uuid.UUID | None = None
    values: Mapping[str, Any] = field(default_factory=dict)  # what narrows rows to the reader's
    at: datetime | None = None  # now, where the source asks for it


@dataclass(frozen=True)
class Found:
    """One page: GeoJSON features, and the key after which the next page begins."""

    features: list[dict[str, Any]]
    next_after: uuid.UUID | None


def bad(name: str, zh: str, en: str) -> BadInput:
    return BadInput(field=name, reason_zh=zh, reason_en=en)


def read_box(given: str, crs: str = CRS84) -> tuple[float, float, float, float]:
    """`west,south,east,north` (or with heights, which are ignored) in `crs`, as lon/lat."""
    try:
        numbers = [float(one) for one in given.split(",")]
    except ValueError as error:
        raise bad("bbox", "应为四个数", "four numbers") from error
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(math.isfinite(one) for one in numbers):
        raise bad("bbox", "应为四个有限的数", "four finite numbers")
    if crs not in SYSTEMS:
        raise bad("bbox-crs", "不支持的坐标系", "unknown reference system")
    code, latitude_first = SYSTEMS[crs]
    west, south, east, north = numbers
    if latitude_first:
        west, south, east, north = south, west, north, east
    if west > east or south > north:
        raise bad("bbox", "西南角应在东北角之前（不支持跨 180° 经线）", "crossed corners")
    if code == 3857:
        return _unproject(west, south, east, north)
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise bad("bbox", "超出经纬度范围", "outside the world")
    return west, south, east, north


def _unproject(*corners: float) -> tuple[float, float, float, float]:
    """Of web Mercator. Its world ends at ±180° by rounding alone: what lies beyond is cut off."""
    held = [min(max(one, -HALF_WORLD_M), HALF_WORLD_M) for one in corners]
    if held[0] == held[2] != corners[0] or held[1] == held[3] != corners[1]:
        raise bad("bbox", "超出经纬度范围", "outside the world")
    west, east = (math.degrees(one / SPHERE_M) for one in held[::2])
    south, north = (math.degrees(math.atan(math.sinh(one / SPHERE_M))) for one in held[1::2])
    return max(west, -180.0), south, min(east, 180.0), north


def read_time(given: str) -> tuple[datetime | None, datetime | None]:
    """An instant, a day, or `begin/end` with `..` or nothing for open (RFC 3339)."""
    if "/" not in given:
        begin, end = _instant(given)
        return begin, end
    first, _, second = given.partition("/")
    if "/" in second:
        raise bad("datetime", "最多一个“/”", "one slash at most")
    since = None if first in {"", ".."} else _instant(first)[0]
    until = None if second in {"", ".."} else _instant(second)[1]
    if since is None and until is None:
        return None, None
    if since and until and since > until:
        raise bad("datetime", "起点晚于终点", "it ends before it begins")
    return since, until


def _instant(given: str) -> tuple[datetime, datetime]:
    """First and last moment that the text stands for; without a zone it is the streets' time."""
    try:
        if NAIVE_DAY.fullmatch(given):
            moment = datetime.combine(date.fromisoformat(given), time.min)
            return _utc(moment), _utc(moment + (DAY - MICROSECOND))
        moment = datetime.fromisoformat(given)
        return _utc(moment), _utc(moment)
    except ValueError as error:
        raise bad("datetime", "应为 RFC 3339 时间", "an RFC 3339 time") from error


def _utc(moment: datetime) -> datetime:
    """Never beyond the times that there are."""
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=clock.SHANGHAI)
    try:
        return zoned.astimezone(UTC)
    except OverflowError:
        early, late = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        return early if moment.year == 1 else late


def page(session: Session, collection: Collection, wanted: Wanted) -> Found:
    """One page in the order of the key."""
    sql, values = question(collection, wanted)
    rows = session.execute(text(sql), {"here": tenant_of(session), **values}).mappings().all()
    more = len(rows) > wanted.limit
    rows = rows[: wanted.limit]
    found = [_feature(collection, row) for row in rows]
    return Found(found, rows[-1]["id"] if more else None)


def one(session: Session, collection: Collection, wanted: Wanted) -> dict[str, Any]:
    found = page(session, collection, wanted).features
    if not found:
        raise NotFound
    return found[0]


def question(collection: Collection, wanted: Wanted) -> tuple[str, dict[str, Any]]:
    """The SQL and its values; every text of the client's is a bound value."""
    values: dict[str, Any] = {"most": wanted.limit + 1, **wanted.values}
    if ":at" in collection.source + collection.first:
        values["at"] = wanted.at
    conditions = []
    if wanted.only:
        conditions.append(f"{collection.key} = :only")
        values["only"] = wanted.only
    if wanted.after:
        conditions.append(f"{collection.key} > :after")
        values["after"] = wanted.after
    if wanted.box:
        box = "ST_MakeEnvelope(:west, :south, :east, :north, 4326)"
        # The box beside the exact test: its index works under row-level security.
        conditions.append(f"{collection.shape} && {box}")
        conditions.append(f"ST_Intersects({collection.shape}, {box})")
        values |= dict(zip(("west", "south", "east", "north"), wanted.box, strict=True))
    conditions += _in_time(collection, wanted, values)
    for number, (name, value) in enumerate(sorted(wanted.equals.items())):
        conditions.append(_equal(collection.fields[name], f"equal_{number}", value, values))
    code, latitude_first = SYSTEMS[wanted.crs]
    shape = collection.shape if code == 4326 else f"ST_Transform({collection.shape}, {code})"
    shape = f"ST_FlipCoordinates({shape})" if latitude_first else shape
    columns = ", ".join(f'{one.sql} AS "{name}"' for name, one in collection.fields.items())
    decimals = 3 if code == 3857 else DECIMALS
    sql = (
        f"{collection.first} SELECT {collection.key} AS id, {columns}, "
        f"ST_AsGeoJSON({shape}, {decimals}) AS geometry_ FROM {collection.source}"
        + "".join(f" AND {condition}" for condition in conditions)
        + f" ORDER BY {collection.key} LIMIT :most"
    )
    return sql, values


def _in_time(collection: Collection, wanted: Wanted, values: dict[str, Any]) -> list[str]:
    """Without a time: what exists now. With one: what existed at some moment of it."""
    if collection.begins is None:
        return []
    if not wanted.timed:
        return [] if wanted.only or collection.ends is None else [f"{_open(collection)}"]
    conditions = []
    if wanted.until is not None:
        conditions.append(f"{collection.begins} <= :until")
        values["until"] = wanted.until
    if wanted.since is not None:
        end = collection.ends or collection.begins
        sign = ">" if collection.ends else ">="
        conditions.append(f"({end} IS NULL OR {end} {sign} :since)")
        values["since"] = wanted.since
    return conditions


def _open(collection: Collection) -> str:
    return f"({collection.ends} IS NULL OR {collection.ends} > now())"


def _equal(field: Field, name: str, given: str, values: dict[str, Any]) -> str:
    """Compared as what it is, not as it is written: 12 is 12.00, a moment is one in every zone."""
    kind = field.kind
    if kind in {"date", "date-time"}:
        values[f"{name}_from"], values[f"{name}_to"] = _moments(given, kind)
        return f"({field.sql}) BETWEEN :{name}_from AND :{name}_to"
    if kind in {"number", "integer"}:
        values[name] = _number(given)
        return f"({field.sql})::float8 = CAST(:{name} AS float8)"
    if kind == "boolean" and given.lower() not in {"true", "false"}:
        raise bad("filter", "应为 true 或 false", "true or false")
    if "\x00" in given:
        raise bad("filter", "含有不可见字符", "a NUL character")
    values[name] = given.lower() if kind == "boolean" else given
    return f"({field.sql})::text = :{name}"


def _moments(given: str, kind: str) -> tuple[Any, Any]:
    if kind == "date-time":
        return _instant(given)
    try:
        day = date.fromisoformat(given)
    except ValueError as error:
        raise bad("filter", "应为日期，如 2026-11-02", "a date such as 2026-11-02") from error
    return day, day


def _number(given: str) -> float:
    try:
        number = float(given)
    except ValueError as error:
        raise bad("filter", "应为数字", "a number") from error
    if not math.isfinite(number):
        raise bad("filter", "应为数字", "a number")
    return number


def _feature(collection: Collection, row: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": str(row["id"]),
        "geometry": json.loads(row["geometry_"]) if row["geometry_"] else None,
        "properties": {name: plain(row[name]) for name in collection.fields},
    }


def plain(value: Any) -> Any:
    """What JSON can say of a value."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    return value


def every(session: Session, collection: Collection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """All features, page by page, for exports."""
    after: uuid.UUID | None = wanted.after
    while True:
        step = Wanted(**{**vars(wanted), "after": after, "limit": MOST})
        found = page(session, collection, step)
        yield from found.features
        if found.next_after is None:
            return
        after = found.next_after
