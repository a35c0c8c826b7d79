"""Plates: minted, moved through their life, mounted, replaced. Verbs never commit.

One live plate a storefront, and never a token twice: the database's indexes decide (domain.md
§4.5). A tenancy that changes does not touch the plate.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.codes import tokens
from roadchief.codes.lifecycle import ACTS, STATES, Act
from roadchief.codes.models import CodeDirectory, Plate, PlateEvent
from roadchief.codes.tokens import Site
from roadchief.db import new_id, savepoint, tenant_of
from roadchief.errors import BadInput, Conflict, NotFound, WrongState
from roadchief.lib.text import clean
from roadchief.streets.models import Subdistrict

events.declare(
    {
        "codes.minted": "plates were minted for the sign maker",
        "codes.moved": "a plate went from one state to another",
    }
)


class NotFromHere(WrongState):
    zh = "码牌 {number} 处于“{state_zh}”状态，不能{act_zh}"
    en = "plate {number} is {state_en}: it cannot be set to {act_en}"


class ReasonNeeded(BadInput):
    def __init__(self) -> None:
        super().__init__(field="原因 reason", reason_zh="请说明原因", reason_en="say why")


class SomebodyWasFirst(Conflict):
    zh = "此处已有另一块在用码牌，或该码牌刚被他人绑定"
    en = "another plate is live here, or somebody has just bound this one"


@dataclass(frozen=True)
class Target:
    """What a plate is minted for: a storefront, a segment's public sign, or nothing yet."""

    storefront_id: uuid.UUID | None = None
    segment_id: uuid.UUID | None = None
    replaces_id: uuid.UUID | None = None
    printed: dict[str, Any] | None = None


@dataclass(frozen=True)
class Minted:
    """A new plate and its token, which exists nowhere else: seal or print it now."""

    plate_id: uuid.UUID
    number: str
    token: str
    target: Target


@dataclass(frozen=True)
class Position:
    """Where a phone says it is (WGS-84)."""

    place: shapely.Point
    accuracy_m: float


def mint(
    session: Session,
    targets: Sequence[Target],
    *,
    where: Site,
    batch_id: uuid.UUID | None,
    by: uuid.UUID | None,
    at: datetime,
) -> list[Minted]:
    """One plate a target, in their order; set-based, so 100,000 take seconds."""
    if not targets:
        return []
    prefix, first = _take_numbers(session, len(targets))
    made = [
        Minted(new_id(), f"{prefix}-{first + place:06d}", tokens.mint(where.random_characters), one)
        for place, one in enumerate(targets)
    ]
    _enter(session, made, batch_id=batch_id, at=at)
    note_steps(session, [(one.plate_id, None) for one in made], "mint", "generated", by=by, at=at)
    return made


def _enter(
    session: Session, made: Sequence[Minted], *, batch_id: uuid.UUID | None, at: datetime
) -> None:
    """Directory and plates, two statements however many there are."""
    here = tenant_of(session)
    hashes = [tokens.digest(one.token) for one in made]
    session.execute(
        insert(CodeDirectory),
        [
            {
                "token_hash": secret,
                "number": one.number,
                "subdistrict_id": here,
                "plate_id": one.plate_id,
            }
            for one, secret in zip(made, hashes, strict=True)
        ],
    )
    rows = [
        {
            "subdistrict_id": here,
            "id": one.plate_id,
            "kind": "sign" if one.target.segment_id else "shop",
            "number": one.number,
            "token_hash": secret,
            "storefront_id": one.target.storefront_id,
            "segment_id": one.target.segment_id,
            "replaces_id": one.target.replaces_id,
            "batch_id": batch_id,
            "state": "generated",
            "state_at": at,
            "made_at": at,
            "photo_public": False,
            "printed": one.target.printed or {},
        }
        for one, secret in zip(made, hashes, strict=True)
    ]
    session.execute(insert(Plate), rows)


def note_steps(
    session: Session,
    plates: Sequence[tuple[uuid.UUID, str | None]],
    act: str,
    to_state: str,
    *,
    by: uuid.UUID | None,
    at: datetime,
    because: str | None = None,
) -> None:
    """The same step in the life of many plates."""
    if plates:
        session.execute(
            insert(PlateEvent),
            [
                {
                    "subdistrict_id": tenant_of(session),
                    "id": new_id(),
                    "plate_id": plate_id,
                    "act": act,
                    "from_state": before,
                    "to_state": to_state,
                    "by": by,
                    "at": at,
                    "because": because,
                }
                for plate_id, before in plates
            ],
        )


def _take_numbers(session: Session, count: int) -> tuple[str, int]:
    """Consecutive numbers of this sub-district. The counter's row makes minters wait in turn."""
    here = tenant_of(session)
    statement = text(
        "INSERT INTO plate_number (subdistrict_id, prefix, last) VALUES (:here, :prefix, :count) "
        "ON CONFLICT (subdistrict_id) DO UPDATE SET last = plate_number.last + :count "
        "RETURNING prefix, last"
    )
    short = session.scalar(select(Subdistrict.short_name).where(Subdistrict.id == here))
    if short is None:
        raise NotFound
    try:
        with savepoint(session):
            row = session.execute(statement, {"here": here, "prefix": short, "count": count}).one()
    except IntegrityError:
        # Another sub-district has the same short name: ours is told apart by its code.
        wider = f"{short}{here % 1000:03d}"
        row = session.execute(statement, {"here": here, "prefix": wider, "count": count}).one()
    return row.prefix, row.last - count + 1


def find(session: Session, plate_id: uuid.UUID) -> Plate:
    row = session.get(Plate, (tenant_of(session), plate_id))
    if row is None:
        raise NotFound
    return row


def by_number(session: Session, number: str) -> Plate:
    """By the number printed on it, as typed."""
    row = session.scalar(
        select(Plate).where(
            Plate.subdistrict_id == tenant_of(session),
            Plate.number == clean(number).upper()[:40],
        )
    )
    if row is None:
        raise NotFound
    return row


def move(
    session: Session,
    plate: Plate,
    act: str,
    *,
    by: uuid.UUID | None,
    at: datetime,
    because: str | None = None,
    photo_id: uuid.UUID | None = None,
) -> PlateEvent:
    """One act of lifecycle.ACTS. Of two people who act at once, the second is told."""
    rule = ACTS[act]
    if rule.reason and not because:
        raise ReasonNeeded
    return step(session, plate, act, by=by, at=at, because=because, photo_id=photo_id)


def step(
    session: Session,
    plate: Plate,
    act: str,
    *,
    by: uuid.UUID | None,
    at: datetime,
    because: str | None,
    photo_id: uuid.UUID | None = None,
    position: Position | None = None,
    distance_m: float | None = None,
) -> PlateEvent:
    """The conditional update behind every act, and its row of history."""
    rule, before = ACTS[act], plate.state
    try:
        with savepoint(session):
            moved = session.execute(
                update(Plate)
                .where(Plate.subdistrict_id == plate.subdistrict_id, Plate.id == plate.id)
                .where(Plate.state == before, Plate.state.in_(rule.starts))
                .values(state=rule.leads, state_at=at)
            )
    except IntegrityError as error:  # another plate has come alive at the same place
        raise SomebodyWasFirst from error
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        session.refresh(plate)
        raise _not_from(plate, rule)
    session.refresh(plate)
    row = PlateEvent(
        subdistrict_id=plate.subdistrict_id,
        id=new_id(),
        plate_id=plate.id,
        act=act,
        from_state=before,
        to_state=rule.leads,
        by=by,
        at=at,
        because=because,
        photo_id=photo_id,
        place=position.place if position else None,
        accuracy_m=position.accuracy_m if position else None,
        distance_m=distance_m,
    )
    session.add(row)
    events.record(session, "codes.moved", subject=plate, by=by, at=at, act=act, to=rule.leads)
    return row


def _not_from(plate: Plate, rule: Act) -> NotFromHere:
    names = STATES[plate.state]
    return NotFromHere(
        number=plate.number,
        state_zh=names[0],
        state_en=names[1],
        act_zh=rule.label[0],
        act_en=rule.label[1],
    )
