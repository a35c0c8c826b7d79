"""What phones send besides check-ins: shifts, misses, findings, notes, tracks, explanations.

Each kind is read and judged first (`prepare`: Refused, or an answer) and takes effect after its
receipt was written, so that a replay has no effect.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from roadchief import events, jobs
from roadchief.db import new_id, tenant_of
from roadchief.patrol.checklists import questions
from roadchief.patrol.items import answers, moments
from roadchief.patrol.items.answers import Refused
from roadchief.patrol.items.reading import (
    Item,
    instant_text,
    line,
    needed_id,
    needed_line,
    optional_id,
)
from roadchief.patrol.models import (
    CheckIn,
    Finding,
    Handover,
    HandoverReading,
    MissedVisit,
    OtherShop,
)
from roadchief.patrol.phone import checkins, whereabouts
from roadchief.patrol.phone.judging import Batch, letter_of
from roadchief.patrol.plan_models import Review
from roadchief.patrol.planning import shifts
from roadchief.streets import standards
from roadchief.streets.models import RoadSegment

SUSPECT = "insight.turnover"  # the work above us that asks whether the shop changed hands
MISSES = {"closed", "demolished", "refused", "unsafe", "other"}

events.declare(
    {
        "patrol.missed": "a visit could not be made, with the reason",
        "patrol.other_shop": "another shop than the register's was seen at a storefront",
        "patrol.handed_over": "a note was left for the next shift",
        "patrol.handover_read": "somebody read a handover note",
        "patrol.explained": "a patroller explained a doubtful check-in",
    }
)

Effect = Callable[[Session], None]


@dataclass(frozen=True)
class Ready:
    """A judged item: what it is told, and what happens once its receipt is written."""

    item: Item
    answer: dict[str, Any]
    effect: Effect
    keep_body: bool = True


def moment_of(item: Item, batch: Batch) -> moments.Moment:
    shift = batch.ground.shift_of(item)
    return moments.moment(
        item.stamp, received_at=batch.at, shift_starts_at=shift.starts_at if shift else None
    )


def answer_to(item: Item, when: moments.Moment, flags: list[str], **more: Any) -> dict[str, Any]:
    return answers.stored(
        str(item.id),
        item.sha256,
        occurred_at=instant_text(when.at),
        flags=[*when.flags, *flags],
        **more,
    )


def _shift_start(session: Session, item: Item, batch: Batch) -> Ready:
    shift, when = needed_shift(item, batch), moment_of(item, batch)
    flags = [] if item.nonce == shift.nonce else ["nonce_other"]
    if unread_handovers(session, shift.id, item.person_id):
        flags.append("handover_unread")

    def effect(session: Session) -> None:
        shifts.begin(session, shift.id, by=item.person_id, at=when.at)

    return Ready(item, answer_to(item, when, flags), effect)


def _shift_close(session: Session, item: Item, batch: Batch) -> Ready:
    shift, when = needed_shift(item, batch), moment_of(item, batch)

    def effect(session: Session) -> None:
        shifts.close(session, shift.id, by=item.person_id, at=when.at)
        here = tenant_of(session)
        jobs.later(session, checkins.WEIGH, subdistrict_id=here, item_id=str(item.id))

    return Ready(item, answer_to(item, when, []), effect)


def _finding(session: Session, item: Item, batch: Batch) -> Ready:
    when = moment_of(item, batch)
    code = questions.check_item(item.body.get("item"), letter_of(item, batch.by)).code
    note = line(item.body, "note", questions.MOST_NOTE)
    inspection_code = line(item.body, "inspection_code", 40)
    segment_id = optional_id(item.body, "segment_id")
    shop = None
    flags: list[str] = []
    if segment_id is None or whereabouts.speaks_of_a_shop(item.body):
        shop, _, flags = whereabouts.place_of(item, batch.ground)
        segment_id = shop.segment_id
    elif not _segment(session, segment_id):
        raise Refused("no_segment")
    check_in_id = optional_id(item.body, "check_in_id")
    finding_id = new_id()

    def effect(session: Session) -> None:
        row = Finding(
            subdistrict_id=tenant_of(session),
            id=finding_id,
            source_id=item.id,
            check_in_id=check_in_id,
            storefront_id=shop.id if shop else None,
            segment_id=segment_id,
            item=code,
            severity=standards.items()[code].severity,
            note=note,
            inspection_code=inspection_code,
            person_id=item.person_id,
            occurred_at=when.at,
            photos=[photo.sha256 for photo in item.photos],
        )
        checkins.add_finding(session, row, by=item.person_id, at=batch.at)

    return Ready(item, answer_to(item, when, flags, findings=[str(finding_id)]), effect)


def _missed(session: Session, item: Item, batch: Batch) -> Ready:
    shop, _, flags = whereabouts.place_of(item, batch.ground)
    when = moment_of(item, batch)
    because = item.body.get("because")
    if because not in MISSES:
        raise Refused("needs_because")
    note = (needed_line if because == "other" else line)(item.body, "note", 500)

    def effect(session: Session) -> None:
        row = MissedVisit(
            subdistrict_id=tenant_of(session),
            id=item.id,
            shift_id=item.shift_id,
            storefront_id=shop.id,
            segment_id=shop.segment_id,
            person_id=item.person_id,
            because=because,
            note=note,
            occurred_at=when.at,
        )
        _add(session, row, "patrol.missed", item, batch.at, because=because)

    return Ready(item, answer_to(item, when, flags), effect)


def _other_shop(session: Session, item: Item, batch: Batch) -> Ready:
    """What sign and licence say today; whether that is another shop is asked at once."""
    shop, _, flags = whereabouts.place_of(item, batch.ground)
    when = moment_of(item, batch)
    sign, code = line(item.body, "sign_name", 60), line(item.body, "uscc", 40)
    note = line(item.body, "note", 500)
    if not (sign or code):
        raise Refused("needs_other_shop")

    def effect(session: Session) -> None:
        row = OtherShop(
            subdistrict_id=tenant_of(session),
            id=item.id,
            shift_id=item.shift_id,
            storefront_id=shop.id,
            segment_id=shop.segment_id,
            person_id=item.person_id,
            sign_name=sign,
            uscc=code.replace(" ", "").upper() if code else None,
            note=note,
            occurred_at=when.at,
        )
        _add(session, row, "patrol.other_shop", item, batch.at, storefront=str(shop.id))
        here = tenant_of(session)
        jobs.later(session, SUSPECT, subdistrict_id=here, storefront_id=str(shop.id))

    return Ready(item, answer_to(item, when, flags), effect)


def _handover(session: Session, item: Item, batch: Batch) -> Ready:
    when = moment_of(item, batch)
    segment_id, words = needed_id(item.body, "segment_id"), needed_line(item.body, "text", 2000)
    if not _segment(session, segment_id):
        raise Refused("no_segment")

    def effect(session: Session) -> None:
        row = Handover(
            subdistrict_id=tenant_of(session),
            id=item.id,
            shift_id=item.shift_id,
            segment_id=segment_id,
            person_id=item.person_id,
            text=words,
            written_at=when.at,
        )
        _add(session, row, "patrol.handed_over", item, batch.at, segment=str(segment_id))

    return Ready(item, answer_to(item, when, []), effect)


def _handover_read(session: Session, item: Item, batch: Batch) -> Ready:
    when, note_id = moment_of(item, batch), needed_id(item.body, "handover_id")
    note = session.get(Handover, (tenant_of(session), note_id))
    if note is None:
        raise Refused("no_handover")

    def effect(session: Session) -> None:
        session.execute(
            insert(HandoverReading)
            .values(
                subdistrict_id=tenant_of(session),
                id=new_id(),
                handover_id=note.id,
                person_id=item.person_id,
                read_at=when.at,
            )
            .on_conflict_do_nothing()
        )
        tell(session, "patrol.handover_read", note, item, batch.at)

    return Ready(item, answer_to(item, when, []), effect)


def _explain(session: Session, item: Item, batch: Batch) -> Ready:
    when, words = moment_of(item, batch), needed_line(item.body, "text", 1000)
    check_in_id = needed_id(item.body, "check_in_id")
    visit = session.get(CheckIn, (tenant_of(session), check_in_id))
    if visit is None or visit.person_id != item.person_id:
        raise Refused("no_check_in")

    def effect(session: Session) -> None:
        said = {"explanation": words, "explained_at": when.at}
        session.execute(
            insert(Review)
            .values(
                subdistrict_id=tenant_of(session),
                id=visit.id,
                segment_id=visit.segment_id,
                state="waiting",
                sampled=False,
                signals=[],
                opened_at=batch.at,
                **said,
            )
            .on_conflict_do_update(index_elements=["subdistrict_id", "id"], set_=said)
        )
        # What was sent back comes before the reviewer again.
        session.execute(
            update(Review)
            .where(Review.subdistrict_id == tenant_of(session), Review.id == visit.id)
            .where(Review.state == "sent_back")
            .values(state="waiting")
        )
        tell(session, "patrol.explained", visit, item, batch.at, text=words)

    return Ready(item, answer_to(item, when, []), effect)


UNREAD = text(
    """
SELECT count(*) FROM handover h
JOIN shift_beat b ON b.subdistrict_id = :here AND b.shift_id = :shift
  AND b.segment_id = h.segment_id
WHERE h.subdistrict_id = :here AND h.person_id <> :person
  AND h.written_at > (SELECT starts_at FROM shift WHERE subdistrict_id = :here AND id = :shift)
                     - interval '3 days'
  AND NOT EXISTS (SELECT FROM handover_reading r WHERE r.subdistrict_id = :here
                  AND r.handover_id = h.id AND r.person_id = :person)
"""
)


def unread_handovers(session: Session, shift_id: uuid.UUID, person_id: uuid.UUID) -> int:
    """Notes of the last days on this shift's segments that this person has not read."""
    values = {"here": tenant_of(session), "shift": shift_id, "person": person_id}
    return int(session.scalar(UNREAD, values) or 0)


def needed_shift(item: Item, batch: Batch) -> whereabouts.ShiftFacts:
    found = batch.ground.shift_of(item)
    if found is None:
        raise Refused("no_shift")
    return found


def _segment(session: Session, segment_id: uuid.UUID) -> bool:
    wanted = select(RoadSegment.id).where(
        RoadSegment.subdistrict_id == tenant_of(session), RoadSegment.id == segment_id
    )
    return session.scalar(wanted) is not None


def _add(session: Session, row: Any, name: str, item: Item, at: datetime, **facts: Any) -> None:
    session.add(row)
    session.flush()
    tell(session, name, row, item, at, **facts)


def tell(session: Session, name: str, subject: Any, item: Item, at: datetime, **facts: Any) -> None:
    events.record(
        session, name, subject=subject, by=item.person_id, at=at, source=str(item.id), **facts
    )


KINDS: dict[str, Callable[[Session, Item, Batch], Ready]] = {
    "shift_start": _shift_start,
    "shift_close": _shift_close,
    "finding": _finding,
    "missed": _missed,
    "other_shop": _other_shop,
    "handover": _handover,
    "handover_read": _handover_read,
    "explain": _explain,
}
