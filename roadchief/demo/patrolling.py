"""Ten working days of patrol, through the same door that phones use, and this week's plan."""

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import holidays
from roadchief.accounts.access import Actor
from roadchief.accounts.models import Post
from roadchief.db import new_id, tenant_of
from roadchief.demo.loading import segments_of
from roadchief.lib import clock
from roadchief.lib.geo import Plane
from roadchief.patrol.doubts import weighing
from roadchief.patrol.phone import intake
from roadchief.patrol.planning import roster, shifts, weeks
from roadchief.streets import chiefs, standards
from roadchief.streets.models import Road, RoadSegment, Storefront

BEATS = ("崂山路", "羽山路")
DAYS = 13
SHOPS_A_DAY = 36
WALKING_MPS, EVERY_S = 1.2, 15  # between two shops, and between two points of the way
SEEN = ("WS01", "WS05", "ZX02", "ZX05", "ZX07", "WS03", "ZP01")

Fix = tuple[datetime, shapely.Point]


def walk_a_fortnight(session: Session, posts: dict[str, Post], *, now: datetime) -> int:
    """The patroller's past walks and the plan of this week and the next; visits made."""
    post = posts.get("patroller")
    road = session.scalars(
        select(Road).where(Road.subdistrict_id == tenant_of(session), Road.name.in_(BEATS))
    ).first()
    if post is None or road is None:
        return 0
    began = now - timedelta(days=DAYS)
    chiefs.appoint_chief(session, post, to=road, by=None, at=began)
    segments = segments_of(session, road)
    shops = _shops(session, segments)
    dice, made = random.Random(tenant_of(session)), 0
    days, calendar = [began + timedelta(days=n) for n in range(DAYS)], holidays.calendar(session)
    for number, day in enumerate(one for one in days if calendar.is_workday(_local(one))):
        first = number * SHOPS_A_DAY % max(1, len(shops))
        seen = (shops + shops)[first : first + min(SHOPS_A_DAY, len(shops))]
        made += _walk(session, post, segments, seen, day, dice)
    monday = roster.monday_of(_local(now))
    for week in (monday, monday + timedelta(days=7)):
        weeks.lay(session, week, None, by=None, at=now, days=calendar)
    return made


def _walk(
    session: Session,
    post: Post,
    segments: list[RoadSegment],
    shops: list[Storefront],
    day: datetime,
    dice: random.Random,
) -> int:
    """One morning: start, visits, a miss, a note, close, all sent in when it is over."""
    at = weeks.instant(_local(day), datetime.strptime("09:30", "%H:%M").time())  # noqa: DTZ007
    shift = shifts.plan(
        session,
        person_id=post.person_id,
        segments=segments,
        starts_at=at,
        ends_at=at + timedelta(hours=2),
        by=None,
        at=at - timedelta(days=1),
    )
    phone = _Phone(post.person_id, str(shift.id), shift.nonce)
    items = [phone.item("shift_start", {}, at)]
    way: list[Fix] = []
    for shop in shops:
        at += timedelta(seconds=dice.randint(70, 190))
        items.append(phone.visit(shop, at, dice))
        way += _way(way[-1] if way else None, shop, at, dice)
    items.append(phone.item("track", {"points": [_point(fix) for fix in way]}, at))
    note = {
        "segment_id": str(segments[0].id),
        "text": "今天看了外摆时段，个别店家门口有堆物，已口头提醒。",
    }
    items += [phone.item("handover", note, at), phone.item("shift_close", {}, at)]
    by = Actor(post.person_id, "", tenant_of(session), frozenset({"patroller"}))
    received = at + timedelta(minutes=20)
    for first in range(0, len(items), intake.MOST):
        batch: list[Any] = items[first : first + intake.MOST]
        for answer in intake.take(session, batch, by=by, at=received):
            if answer["http"] not in (200, 201):
                raise ValueError(f"the demo's own item was not taken: {answer}")
            weighing.weigh(session, uuid.UUID(answer["id"]), at=received, draw=dice.random)
    return len(shops)


def _way(last: Fix | None, shop: Storefront, at: datetime, dice: random.Random) -> list[Fix]:
    """From where one stood to this door: standing first, then on foot, a point every now and then.
    What nobody can walk in that time is left out, as a phone in a pocket leaves it out."""
    plane = Plane(lon=shop.door.x, lat=shop.door.y)
    there = plane.round(shapely.Point(dice.gauss(0, 2), dice.gauss(4, 2)))
    if last is None:
        return [(at, there)]
    since, here = last
    left_s = (at - since).total_seconds()
    walk_s = plane.flat(here).distance(plane.flat(there)) / WALKING_MPS
    if walk_s > left_s:
        return [(at, there)]
    found = []
    for passed_s in range(EVERY_S, int(left_s), EVERY_S):
        share = max(0.0, (passed_s - (left_s - walk_s)) / walk_s) if walk_s else 0.0
        lon, lat = here.x + (there.x - here.x) * share, here.y + (there.y - here.y) * share
        found.append((since + timedelta(seconds=passed_s), shapely.Point(lon, lat)))
    return [*found, (at, there)]


def _point(fix: Fix) -> list[float]:
    """As phones send it: milliseconds, latitude, longitude, accuracy."""
    at, place = fix
    return [round(at.timestamp() * 1000), round(place.y, 6), round(place.x, 6), 8]


class _Phone:
    """Items as the app on a phone makes them."""

    def __init__(self, person_id: uuid.UUID, shift_id: str, nonce: str) -> None:
        self.person_id, self.shift_id, self.nonce = person_id, shift_id, nonce
        self.device_id, self.seq = uuid.uuid5(uuid.NAMESPACE_OID, str(person_id)), 0

    def item(self, kind: str, body: dict[str, Any], at: datetime) -> dict[str, Any]:
        self.seq += 1
        return {
            "id": str(new_id()),
            "kind": kind,
            "person_id": str(self.person_id),
            "device_id": str(self.device_id),
            "seq": self.seq,
            "shift_id": self.shift_id,
            "nonce": self.nonce,
            "times": {"wall": at.isoformat(), "offset_ms": 0, "uncertainty_ms": 60},
            "body": body,
            "photos": [],
        }

    def visit(self, shop: Storefront, at: datetime, dice: random.Random) -> dict[str, Any]:
        """Mostly at the door; now and then closed, with a poor fix, or from across the road."""
        chance = dice.random()
        if chance < 0.04:
            body: dict[str, Any] = {"storefront_id": str(shop.id), "because": "closed"}
            return self.item("missed", body, at)
        accuracy = dice.choice((6, 8, 12, 15, 22)) if chance > 0.1 else 85
        away = dice.gauss(6, 4) if chance > 0.06 or chance < 0.05 else 240
        plane = Plane(lon=shop.door.x, lat=shop.door.y)
        there = plane.round(shapely.Point(dice.gauss(0, 3), away))
        bad = dice.sample(SEEN, 1) if dice.random() < 0.12 else []
        answers = [{"item": code, "result": "bad" if code in bad else "good"} for code in SEEN]
        body = {
            "storefront_id": str(shop.id),
            "how": "typed",
            "number": shop.human_number,
            "fix": {
                "lon": there.x,
                "lat": there.y,
                "accuracy_m": accuracy,
                "at": at.isoformat(),
            },
            "checklist": {"version": standards.version(), "answers": answers},
            "took_ms": dice.randint(20_000, 60_000),
        }
        return self.item("check_in", body, at)


def _shops(session: Session, segments: list[RoadSegment]) -> list[Storefront]:
    rows = session.scalars(
        select(Storefront)
        .where(Storefront.subdistrict_id == tenant_of(session), Storefront.closed_at.is_(None))
        .where(Storefront.segment_id.in_([one.id for one in segments]))
        .order_by(Storefront.segment_id, Storefront.side, Storefront.measure_m)
    )
    return list(rows)


def _local(at: datetime) -> Any:
    return clock.local_date(at)
