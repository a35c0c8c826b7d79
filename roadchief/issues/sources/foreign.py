"""How other systems tell their cases: several civic CSVs, our own columns, Open311 JSON."""

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from roadchief.streets.importing.tables import guess_encoding

csv.field_size_limit(10_000_000)


class Unknown(ValueError):
    """A file of no form that we know; the text says what was looked for."""


@dataclass(frozen=True)
class Foreign:
    """One case as another system tells it."""

    ref: str
    at: str
    words: str
    ended: str = ""
    address: str = ""
    lon: str = ""
    lat: str = ""
    code: str = ""
    reply: str = ""


Row = dict[str, str]
# By a column that only this form has: how a row reads. First match wins.
FORMS: dict[str, tuple[str, Callable[[Row], Foreign]]] = {
    "case_enquiry_id": (
        "boston",
        lambda r: Foreign(
            ref=r["case_enquiry_id"],
            at=r["open_dt"],
            ended=r["closed_dt"],
            words=f"{r['case_title']}. {r['reason']}",
            address=r["location"],
            lon=r["longitude"],
            lat=r["latitude"],
            reply=r["closure_reason"],
        ),
    ),
    "Unique Key": (
        "nyc",
        lambda r: Foreign(
            ref=r["Unique Key"],
            at=r["Created Date"],
            ended=r["Closed Date"],
            words=f"{r['Complaint Type']}. {r['Descriptor']}",
            address=r["Incident Address"],
            lon=r["Longitude"],
            lat=r["Latitude"],
            reply=r["Resolution Description"],
        ),
    ),
    "first_seen_at_timestamp": (
        "stuttgart",
        lambda r: Foreign(
            ref=f"{r['first_seen_at_timestamp']} {r['lat']} {r['lon']} {r['category']}",
            at=r["first_seen_at_timestamp"],
            words=r["category"],
            address=r["location"],
            lon=r["lon"],
            lat=r["lat"],
        ),
    ),
    "留言编号": (
        "messages",
        lambda r: Foreign(
            ref=r["留言编号"],
            at=r["留言时间"],
            ended=r.get("答复时间", ""),
            words=f"{r['留言主题']}。{r['留言详情']}",
            reply=r.get("答复意见", ""),
        ),
    ),
    "reported_at": (
        "plain",
        lambda r: Foreign(
            ref=r["id"],
            at=r["reported_at"],
            ended=r.get("closed_at", ""),
            words=r.get("words", ""),
            address=r.get("address", ""),
            lon=r.get("lon", ""),
            lat=r.get("lat", ""),
            code=r.get("category", ""),
        ),
    ),
}
# Columns of Chinese work-order systems (12345, 网格化), by any of their usual names.
NAMES = {
    "ref": ("工单编号", "案件编号", "任务号", "案卷号", "编号"),
    "at": ("受理时间", "上报时间", "发现时间", "创建时间", "来电时间"),
    "ended": ("办结时间", "结案时间", "完成时间"),
    "words": ("诉求内容", "问题描述", "案件描述", "内容", "描述"),
    "address": ("地址", "地点", "事发地址", "发生地址", "位置描述"),
    "lon": ("经度", "lon", "lng", "longitude"),
    "lat": ("纬度", "lat", "latitude"),
    "code": ("类别代码", "类别编码"),
    "reply": ("答复内容", "处理结果", "办理结果", "答复意见"),
}
TIMES = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%m/%d/%Y %I:%M:%S %p", "%Y/%m/%d")


def read(path: Path, *, encoding: str | None = None) -> tuple[str, Iterator[Foreign]]:
    """The form's name and its rows; raises Unknown. UTF-8, UTF-16 and GB18030 are told apart."""
    if path.suffix.lower() == ".json":
        return "open311", _from_json(path)
    file = path.open(encoding=encoding or guess_encoding(path), newline="")
    try:
        rows = csv.DictReader(file, delimiter=_separator(file))
        names = [name.strip() for name in rows.fieldnames or ()]
    except csv.Error as error:
        file.close()
        raise Unknown(f"{path.name}: {error}") from error
    rows.fieldnames = names
    for column, (name, reader) in FORMS.items():
        if column in names:
            return name, (reader(_filled(row)) for row in rows)
    found = {part: next((one for one in said if one in names), "") for part, said in NAMES.items()}
    if all(found[part] for part in ("ref", "at", "words")):
        return "workorders", (_named(_filled(row), found) for row in rows)
    file.close()
    wanted = "; ".join("/".join(NAMES[part]) for part in ("ref", "at", "words"))
    raise Unknown(
        f"none of the columns {', '.join(FORMS)} is in {path.name}, nor together {wanted}"
    )


def _separator(file: Any) -> str:
    first = file.readline()
    file.seek(0)
    return max((",", ";", "\t"), key=first.count)


def _filled(row: Mapping[str | None, Any]) -> Row:
    return {k: v or "" for k, v in row.items() if k}


def _named(row: Row, found: Mapping[str, str]) -> Foreign:
    return Foreign(**{part: row[name].strip() for part, name in found.items() if name})


def instant(given: str, zone: ZoneInfo) -> datetime | None:
    plain = given.strip()[:40]
    if not plain:
        return None
    try:
        found = datetime.fromisoformat(plain.replace("Z", "+00:00"))
    except ValueError:
        found = _odd_time(plain)
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    if not 1970 <= found.year <= 2100:
        raise ValueError(f"no usable time: {plain!r}")
    return found.astimezone(UTC)


def _odd_time(plain: str) -> datetime:
    for form in TIMES:
        try:
            return datetime.strptime(plain, form)  # noqa: DTZ007 (the zone is put on by the caller)
        except ValueError:
            continue
    raise ValueError(f"no usable time: {plain!r}")


def degrees(given: str, most: float) -> float | None:
    try:
        found = float(given)
    except ValueError:
        return None
    return found if math.isfinite(found) and abs(found) <= most and found != 0 else None


def _from_json(path: Path) -> Iterator[Foreign]:
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise Unknown(f"{path.name} is not JSON: {error}") from error
    rows = found.get("service_requests", found) if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unknown(f"{path.name} holds no list of service requests")
    return (_from_request(row) for row in rows)


def _from_request(row: dict[str, Any]) -> Foreign:
    def said(name: str) -> str:
        value = row.get(name)
        return "" if value is None else str(value)

    return Foreign(
        ref=said("service_request_id"),
        at=said("requested_datetime"),
        ended=said("updated_datetime") if row.get("status") == "closed" else "",
        words="。".join(part for part in (said("service_name"), said("description")) if part),
        address=said("address"),
        lon=said("long"),
        lat=said("lat"),
        code=said("service_code"),
        reply=said("status_notes"),
    )
