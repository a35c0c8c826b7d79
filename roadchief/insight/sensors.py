"""Alarms of sensors and cameras (川沙's 智慧街区): kept once, judged by rules, some become cases.

A machine's alarm is a report, never a finding: a person verifies the case like any other.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import shapely
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.codes import plates
from roadchief.db import in_turn, new_id, savepoint, tenant_of
from roadchief.errors import BadInput, Conflict, NotFound
from roadchief.insight.models import Signal
from roadchief.insight.rules import rules
from roadchief.issues import cases, spots
from roadchief.lib import geo
from roadchief.lib.text import clean

LONGEST_REF, LONGEST_NOTE = 120, 500
AHEAD, OLDEST = timedelta(minutes=10), timedelta(days=7)

events.declare({"insight.signal": "a sensor or camera raised an alarm"})


class OtherBody(Conflict):
    zh = "编号 {ref} 的信号已收到，但内容不同"
    en = "signal {ref} was received before with other contents"


@dataclass(frozen=True)
class Alarm:
    """What a sender says, read and bounded."""

    ref: str
    device: str
    kind: str
    at: datetime
    lon: float | None = None
    lat: float | None = None
    storefront_id: uuid.UUID | None = None
    number: str | None = None  # a plate's number, where sensors are mounted beside plates
    note: str = ""


def _bad(name: str, zh: str, en: str) -> BadInput:
    return BadInput(field=name, reason_zh=zh, reason_en=en)


def read(body: Any, *, at: datetime) -> Alarm:
    """An alarm from JSON; raises BadInput naming the field."""
    if not isinstance(body, dict):
        raise _bad("body", "应为 JSON 对象", "a JSON object")
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in rules()["sensors"]:
        known = ", ".join(sorted(rules()["sensors"]))
        raise _bad("kind", f"应为 {known} 之一", f"one of {known}")
    lon, lat = _number(body, "lon", 180), _number(body, "lat", 90)
    if (lon is None) != (lat is None):
        raise _bad("lon, lat", "须同时给出", "give both")
    alarm = Alarm(
        ref=_text(body, "id", LONGEST_REF),
        device=_text(body, "device", LONGEST_REF),
        kind=kind,
        at=_moment(body.get("at"), at),
        lon=lon,
        lat=lat,
        storefront_id=_key(body.get("storefront_id")),
        number=_text(body, "plate_number", 40) if body.get("plate_number") else None,
        note=_text(body, "note", LONGEST_NOTE) if body.get("note") else "",
    )
    if alarm.lon is None and alarm.storefront_id is None and alarm.number is None:
        raise _bad(
            "lon, lat", "须给出坐标、铺位或码牌编号", "a position, storefront or plate number"
        )
    return alarm


def _text(body: dict[str, Any], name: str, most: int) -> str:
    found = body.get(name)
    said = clean(found) if isinstance(found, str) else ""
    if not said or len(said) > most:
        raise _bad(name, f"应为 1 至 {most} 个字的文本", f"a text of 1 to {most} characters")
    return said


def _number(body: dict[str, Any], name: str, most: float) -> float | None:
    found = body.get(name)
    if found is None:
        return None
    fine = isinstance(found, int | float) and not isinstance(found, bool)
    if not fine or not abs(found) <= most:  # no NaN, and no whole number beyond all floats
        raise _bad(name, "不是有效坐标", "not a coordinate")
    return float(found)


def _key(found: Any) -> uuid.UUID | None:
    if found is None:
        return None
    try:
        return uuid.UUID(found)
    except (ValueError, AttributeError, TypeError) as error:
        raise _bad("storefront_id", "不是有效编号", "not an id") from error


def _moment(found: Any, at: datetime) -> datetime:
    if found is None:
        return at
    try:
        moment = datetime.fromisoformat(found)
    except (ValueError, TypeError) as error:
        raise _bad("at", "应为 ISO 8601 时间", "an ISO 8601 time") from error
    if moment.tzinfo is None:
        raise _bad("at", "须注明时区", "say the time zone")
    if not at - OLDEST <= moment <= at + AHEAD:
        raise _bad("at", "应在最近 7 天内", "within the last seven days")
    return moment.astimezone(at.tzinfo)


def take(session: Session, alarm: Alarm, *, source: str, at: datetime) -> tuple[Signal, bool]:
    """Keep an alarm, and open a case where the rules say so. (the signal, was it new?)

    The same id and contents again answer with what was kept; other contents are a conflict.
    """
    # Alarms of one device wait in turn, so that two at once open one case.
    in_turn(session, f"signal.{source}.{alarm.device}.{alarm.kind}")
    known = _known(session, source, alarm.ref)
    if known is not None:
        return _same(known, alarm), False
    spot = _spot(session, alarm, at)
    row = Signal(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        source=source,
        source_ref=alarm.ref,
        device=alarm.device,
        kind=alarm.kind,
        at=alarm.at,
        received_at=at,
        place=_place(spot),
        storefront_id=spot.storefront_id,
        outcome="noted",
        body=_body(alarm),
    )
    _judge(session, row, alarm, spot, at)
    try:
        with savepoint(session):
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise OtherBody(ref=alarm.ref) from error
    name, kind = "insight.signal", alarm.kind
    events.record(session, name, subject=row, by=None, at=at, kind=kind, outcome=row.outcome)
    return row, True


def _known(session: Session, source: str, ref: str) -> Signal | None:
    return session.scalar(
        select(Signal)
        .where(Signal.subdistrict_id == tenant_of(session))
        .where(Signal.source == source, Signal.source_ref == ref)
    )


def _same(known: Signal, alarm: Alarm) -> Signal:
    if known.body != _body(alarm):
        raise OtherBody(ref=alarm.ref)
    return known


def _body(alarm: Alarm) -> dict[str, Any]:
    return {
        "device": alarm.device,
        "kind": alarm.kind,
        "lon": alarm.lon,
        "lat": alarm.lat,
        "storefront_id": str(alarm.storefront_id) if alarm.storefront_id else None,
        "plate_number": alarm.number,
        "note": alarm.note,
    }


def _spot(session: Session, alarm: Alarm, at: datetime) -> spots.Spot:
    storefront_id = alarm.storefront_id
    if storefront_id is None and alarm.number:
        storefront_id = plates.by_number(session, alarm.number).storefront_id
        if storefront_id is None:
            raise NotFound
    if storefront_id is not None:
        return spots.of_storefront(session, storefront_id, at=at)
    if alarm.lon is None or alarm.lat is None:
        raise NotFound
    return spots.of_point(session, lon=alarm.lon, lat=alarm.lat, at=at)


def _place(spot: spots.Spot) -> shapely.Point | None:
    if spot.lon is None or spot.lat is None:
        return None
    return geo.point(lon=spot.lon, lat=spot.lat)


def _judge(session: Session, row: Signal, alarm: Alarm, spot: spots.Spot, at: datetime) -> None:
    """A case for the first alarm; more of the same device within the quiet time are counted."""
    rule = rules()["sensors"][alarm.kind]
    since = alarm.at - timedelta(minutes=rule["quiet_minutes"])
    former = session.scalar(
        select(Signal)
        .where(Signal.subdistrict_id == row.subdistrict_id)
        .where(Signal.source == row.source, Signal.device == alarm.device)
        .where(Signal.kind == alarm.kind, Signal.case_id.is_not(None), Signal.at > since)
        .order_by(Signal.at.desc())
        .limit(1)
    )
    if former is not None:
        row.case_id, row.outcome = former.case_id, "counted"
        return
    if not rule.get("category"):
        return
    words = rule["zh"] + (f"：{alarm.note}" if alarm.note else "")
    case = cases.report(
        session,
        category=rule["category"],
        words=f"{words}（设备 {alarm.device}）",
        spot=spot,
        source="sensor",
        by=None,
        at=at,
        source_ref=f"{row.source}:{alarm.ref}",
    )
    row.case_id, row.outcome = case.id, "case"
