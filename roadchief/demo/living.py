"""People of every role, who answers for what, and a fortnight of life."""

import hashlib
import hmac
import itertools
import json
import os
import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.accounts import access, passwords, people
from roadchief.accounts.models import Post
from roadchief.config import Settings
from roadchief.db import tenant_of
from roadchief.demo.loading import segments_of
from roadchief.home import start_of
from roadchief.streets import alterations, chiefs, storefronts, tenancies
from roadchief.streets.models import Organisation, Road, Storefront

OFFICES = {"officer": "enforcement_squad", "operator": "operation_centre"}
FORTNIGHT = timedelta(days=14)


@dataclass(frozen=True)
class DemoPerson:
    """What var/demo-people.json tells; the password is this installation's own."""

    role: str
    name: str
    login: str
    password: str
    totp: str | None
    subdistrict: int
    start: str


def demo_people(names: dict[str, Any], key: bytes) -> list[DemoPerson]:
    """Everybody of the seed. Secrets follow from `key`, so a killed run can be repeated."""
    found = []
    for code, rows in names["people"].items():
        for role, name, _title, _capacity in rows:
            login = f"{role.replace('_', '-')}.{code[-3:]}"
            needs_code = role in access.SECOND_FACTOR
            found.append(
                DemoPerson(
                    role=role,
                    name=name,
                    login=login,
                    password=_derived(key, f"{login} password"),
                    totp=_totp(key, login) if needs_code else None,
                    subdistrict=int(code),
                    start=start_of(frozenset({role})),
                )
            )
    return found


def installation_key(folder: Path) -> bytes:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "demo-key"
    if not path.exists():
        _write_private(path, secrets.token_hex(32))
    return path.read_bytes()


def write_people(path: Path, found: list[DemoPerson]) -> None:
    _write_private(path, json.dumps([vars(row) for row in found], ensure_ascii=False, indent=1))


def settle_people(
    session: Session,
    found: list[DemoPerson],
    names: dict[str, Any],
    *,
    at: datetime,
    settings: Settings,
) -> dict[str, Post]:
    """Persons with password, second factor and post; returns the post of each role."""
    posts = {}
    here = tenant_of(session)
    known = session.scalars(select(Organisation).where(Organisation.subdistrict_id == here))
    offices = {row.kind: row.id for row in known}
    facts = {row[0]: row for row in names["people"][str(tenant_of(session))]}
    for row in (one for one in found if one.subdistrict == tenant_of(session)):
        _role, name, title, capacity = facts[row.role]
        person = people.invite(session, name=name, login=row.login, by=None, at=at).person
        person.password_hash = passwords.hash_password(row.password, settings)
        person.password_set_at, person.state = at, "active"
        if row.totp:
            people.confirm_second_factor(session, person, row.totp, at=at, settings=settings)
        level = int(row.role[-1]) if row.role[-1].isdigit() else None
        posts[row.role] = people.appoint(
            session,
            person,
            role=row.role,
            capacity=capacity,
            title=title,
            level=level,
            # Chiefs are reached by their office's phone: their own number is nobody's business.
            organisation_id=offices.get(OFFICES.get(row.role, "office")),
            by=None,
            at=at,
        )
    return posts


def put_in_charge(session: Session, posts: dict[str, Post], *, at: datetime) -> None:
    """Chiefs for roads and segments; a deputy acting for one; gaps left to be seen."""
    here = tenant_of(session)
    roads = {
        road.name: road for road in session.scalars(select(Road).where(Road.subdistrict_id == here))
    }
    for role, names in (
        ("chief_l2", ("崂山路", "羽山路")),
        ("chief_l1", ("潍坊路", "民生路", "张杨路")),
        ("chief_l3", ("福山路", "桃林路")),
        ("segment_chief", ("浦电路",)),
    ):
        for name in names:
            if role in posts and name in roads:
                chiefs.appoint_chief(session, posts[role], to=roads[name], by=None, at=at)
    core = roads.get("崂山路") or roads.get("羽山路")
    if core and "segment_chief" in posts:
        for segment in segments_of(session, core)[:2]:
            chiefs.appoint_chief(session, posts["segment_chief"], to=segment, by=None, at=at)
    for name in ("向城路", "南泉路", "巨野路"):
        if "deputy_chief" in posts and name in roads:
            _act_for(session, posts, roads[name], at=at)


def live_a_fortnight(session: Session, names: dict[str, Any], *, at: datetime) -> None:
    """Turnover, a closed front, a merged pair: each on its day before `at`."""
    rows: list[Any] = list(
        session.scalars(
            select(Storefront)
            .where(Storefront.subdistrict_id == tenant_of(session))
            .where(Storefront.segment_id.is_not(None), Storefront.name.is_not(None))
            .order_by(Storefront.segment_id, Storefront.side, Storefront.measure_m)
        )
    )
    for number, row in enumerate(rows[4::23][:6]):
        then = at - timedelta(days=13 - 2 * number)
        _change_hands(session, row, names["words"][-1 - number], then)
    closing = rows[11]
    when = at - timedelta(days=6)
    storefronts.close_storefront(session, closing, by=None, at=when, because="楼宇改造")
    pair = next(
        (one, other)
        for one, other in itertools.pairwise(rows)
        if (one.segment_id, one.side) == (other.segment_id, other.side)
        and one.frontage.distance(other.frontage) < 1e-5
    )
    _merge(session, pair, at - timedelta(days=3))


def _merge(session: Session, pair: tuple[Any, Any], at: datetime) -> None:
    one, other = pair
    ends = [one.frontage.coords[0], other.frontage.coords[-1]]
    front = shapely.LineString(ends)
    door = storefronts.Door(
        place=front.centroid,
        frontage=front,
        house_number=one.house_number,
        address=one.address,
        name=None,
        business_type=one.business_type,
        source="seed",
        source_id=f"merged-{one.id}",
    )
    sign = one.name or "新店"
    merged = alterations.merge_storefronts(
        session, list(pair), door, by=None, at=at, because="两间打通经营"
    )
    merchant = tenancies.open_merchant(session, name=sign)
    tenancies.start(session, merged, merchant, sign_name=sign, on=at.date(), by=None, at=at)


def _change_hands(session: Session, row: Storefront, word: str, at: datetime) -> None:
    running = tenancies.running(session, row)
    if running:
        tenancies.end(session, running, row, on=at.date(), by=None, at=at, because="租约到期")
    merchant = tenancies.open_merchant(session, name=f"{word}生活馆")
    tenancies.start(
        session,
        row,
        merchant,
        sign_name=f"{word}生活馆",
        on=at.date(),
        by=None,
        at=at,
        business_type="服饰",
    )


def _act_for(session: Session, posts: dict[str, Post], road: Road, *, at: datetime) -> None:
    """The chief was there, was relieved, and the deputy acts."""
    for segment in segments_of(session, road):
        if "chief_l3" not in posts:
            return
        before = chiefs.appoint_chief(session, posts["chief_l3"], to=segment, by=None, at=at)
        later = at + timedelta(hours=1)
        chiefs.relieve_chief(session, before, by=None, at=later, because="借调学习")
        chiefs.appoint_chief(
            session, posts["deputy_chief"], to=segment, by=None, at=later, acting_for=before
        )


def _derived(key: bytes, what: str) -> str:
    return hmac.new(key, what.encode(), hashlib.sha256).hexdigest()[:20]


def _totp(key: bytes, login: str) -> str:
    return b32encode(hmac.new(key, login.encode(), hashlib.sha256).digest()[:20]).decode()


def _write_private(path: Path, text: str) -> None:
    making = path.with_name(path.name + ".making")
    making.unlink(missing_ok=True)
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    making.rename(path)
