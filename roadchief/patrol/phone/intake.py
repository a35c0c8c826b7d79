"""Taking in what phones send: an answer for each item, nothing lost, nothing twice.

An item and all that follows from it is one transaction; its id is unique in the database, so
two phones, two tabs or a repeated request cannot do it twice. Where all is well a batch is
written at once; where one item fails, each is tried for itself and its neighbours stand.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from roadchief.accounts.access import TABLE, Actor
from roadchief.db import savepoint, tenant_of
from roadchief.errors import TooLarge
from roadchief.patrol.checklists import questions
from roadchief.patrol.items import answers, reading
from roadchief.patrol.items.answers import Refused
from roadchief.patrol.items.reading import Item
from roadchief.patrol.phone import acts, checkins, judging, selfchecks, tracks, whereabouts
from roadchief.streets import shopkeepers

MOST = 50
WALKERS = TABLE["patrol.walk"]
VISITS = {"check_in"}
ACTS = acts.KINDS | {"track": tracks.take, "self_check": selfchecks.take}
SINCE = timedelta(days=2)
log = structlog.get_logger("roadchief.patrol")

RECEIPT = text(
    """
INSERT INTO patrol_item
  (subdistrict_id, id, kind, body_sha256, person_id, device_id, seq, received_at, answer, body)
VALUES (:here, :id, :kind, decode(:sha, 'hex'), :person, :device, :seq, :at,
        CAST(:answer AS jsonb), CAST(:body AS jsonb))
ON CONFLICT (subdistrict_id, id) DO NOTHING RETURNING id
"""
)
KEPT = text(
    """
SELECT i.id, encode(i.body_sha256, 'hex') AS sha, i.answer, r.because
FROM patrol_item i LEFT JOIN review r
  ON r.subdistrict_id = :here AND r.id = i.id AND r.state = 'removed'
WHERE i.subdistrict_id = :here AND i.id = ANY(:ids)
"""
)
MISSING = text(
    """
SELECT w.sha FROM unnest(CAST(:wanted AS text[])) AS w(sha)
WHERE NOT EXISTS (SELECT FROM blob b WHERE b.subdistrict_id = :here AND b.source_sha256 = w.sha)
"""
)


@dataclass
class Answers:
    """One answer a place in the batch."""

    said: dict[int, dict[str, Any]] = field(default_factory=dict)
    items: dict[int, Item] = field(default_factory=dict)

    def put(self, place: int, answer: dict[str, Any]) -> None:
        self.said[place] = answer

    def refuse(self, place: int, refused: Refused) -> None:
        item = self.items[place]
        self.put(place, refused.answer(str(item.id), item.sha256))


def take(session: Session, items: list[Any], *, by: Actor, at: datetime) -> list[dict[str, Any]]:
    """Take in at most 50 items of one person. The answers stand in the order of the items."""
    if len(items) > MOST:
        raise TooLarge(limit=f"{MOST} 条 items")
    found = Answers()
    for place, said in enumerate(items):
        try:
            found.items[place] = _readable(said, by)
        except Refused as refused:
            found.put(place, refused.answer(reading.id_of(said), reading.hash_of(said)))
    # Locks are taken in the order of ids, so that two batches never wait for each other.
    order = sorted(found.items, key=lambda place: found.items[place].id)
    visits = [place for place in order if found.items[place].kind in VISITS]
    others = [place for place in order if found.items[place].kind not in VISITS]
    batch = _look(session, list(found.items.values()), by=by, at=at)
    _take_visits(session, visits, found, batch)
    for place in others:
        _take_act(session, place, found, batch)
    _tell_again(session, found)
    _name_missing(session, found)
    return [found.said[place] for place in range(len(items))]


def _readable(said: Any, by: Actor) -> Item:
    item = reading.read(said)
    if item.person_id != by.person_id:
        raise Refused("other_person", status="paused")
    if item.kind != "self_check" and not by.roles & WALKERS:
        raise Refused("not_a_patroller")
    return item


def _look(session: Session, items: list[Item], *, by: Actor, at: datetime) -> judging.Batch:
    """All that the items speak of, in a fixed number of questions."""
    own: frozenset[Any] = frozenset()
    if any(item.kind == "self_check" for item in items):
        shops = shopkeepers.shops_of(session, by.person_id)
        own = frozenset(shop.storefront_id for shop in shops)
    forms = any(item.body.get("checklist") is not None for item in items)
    return judging.Batch(
        by=by,
        at=at,
        ground=whereabouts.look(session, items),
        versions=questions.known_versions(session) if forms else {},
        last=whereabouts.last_stamps(
            session,
            [item for item in items if item.kind in VISITS],
            person_id=by.person_id,
            since=at - SINCE,
        ),
        own_shops=own,
    )


def _take_visits(session: Session, places: list[int], found: Answers, batch: judging.Batch) -> None:
    """All at once; should that fail, one by one."""
    ready: dict[int, judging.Ready] = {}
    for place in places:
        try:
            ready[place] = judging.prepare(found.items[place], batch)
        except Refused as refused:
            found.refuse(place, refused)
    # An id that stands twice in one batch is written once; its twin is told so afterwards.
    first = {one.item.id: place for place, one in reversed(ready.items())}
    once = [ready[place] for place in sorted(first.values(), key=lambda one: ready[one].item.id)]
    try:
        with savepoint(session):
            fresh = checkins.write(session, once, by=batch.by, at=batch.at)
    except OperationalError:
        raise  # the database itself: nothing of this request is acknowledged
    except Exception as error:
        log.warning("batch_failed", reason=type(error).__name__, items=len(once))
        fresh = {one.item.id for one in once if _write_alone(session, one, found, batch, first)}
    for identity, place in first.items():
        if identity in fresh:
            found.put(place, ready[place].answer)


def _write_alone(
    session: Session,
    ready: judging.Ready,
    found: Answers,
    batch: judging.Batch,
    first: dict[Any, int],
) -> bool:
    """One visit for itself. A fault of ours is answered as such, and its neighbours stand."""
    try:
        with savepoint(session):
            return bool(checkins.write(session, [ready], by=batch.by, at=batch.at))
    except OperationalError:
        raise
    except Exception as error:
        _fail(first[ready.item.id], found, error)
        return False


def _take_act(session: Session, place: int, found: Answers, batch: judging.Batch) -> None:
    """Any other kind: its receipt first, which decides who of two is first, then its effect."""
    item = found.items[place]
    try:
        with savepoint(session):
            ready = ACTS[item.kind](session, item, batch)
            if _write_receipt(session, ready, batch):
                ready.effect(session)
                session.flush()
                checkins.promise(session, [item], at=batch.at)
                found.put(place, ready.answer)
    except Refused as refused:
        found.refuse(place, refused)
    except OperationalError:
        raise
    except Exception as error:
        _fail(place, found, error)


def _write_receipt(session: Session, ready: acts.Ready, batch: judging.Batch) -> bool:
    item = ready.item
    body = json.dumps(reading.storable(item.body)) if ready.keep_body else None
    values = {
        "here": tenant_of(session),
        "id": item.id,
        "kind": item.kind,
        "sha": item.sha256,
        "person": item.person_id,
        "device": item.device_id,
        "seq": item.seq,
        "at": batch.at,
        "answer": json.dumps(ready.answer),
        "body": body,
    }
    return session.execute(RECEIPT, values).first() is not None


def _fail(place: int, found: Answers, error: Exception) -> None:
    item = found.items[place]
    log.error("item_failed", item=str(item.id), kind=item.kind, exc_info=error)
    permanent = isinstance(error, DBAPIError) and type(error.orig).__name__ == "DataError"
    refused = Refused("unreadable") if permanent else Refused("our_fault", status="retry")
    found.refuse(place, refused)


def _tell_again(session: Session, found: Answers) -> None:
    """Items that were there before: the same answer, or what stands against them."""
    known = [place for place in found.items if place not in found.said or _replaces(found, place)]
    if not known:
        return
    ids = list({found.items[place].id for place in known})
    rows = session.execute(KEPT, {"here": tenant_of(session), "ids": ids})
    kept = {row.id: row for row in rows}
    for place in known:
        item, row = found.items[place], kept.get(found.items[place].id)
        if row is None:
            if place not in found.said:
                found.refuse(place, Refused("our_fault", status="retry"))
        elif row.sha != item.sha256:
            found.refuse(place, Refused("other_body", status="conflict"))
        elif row.because is not None:
            found.refuse(place, Refused("removed", status="gone", because=row.because))
        else:
            found.put(place, answers.again(row.answer))


def _replaces(found: Answers, place: int) -> bool:
    """A refusal does not outlive a receipt: the item may have been right when it first came."""
    return found.said[place]["status"] == "refused"


def _name_missing(session: Session, found: Answers) -> None:
    """Which promised photos are not here yet; asked once for all items."""
    promised = {
        place: [photo.sha256 for photo in found.items[place].photos]
        for place, answer in found.said.items()
        if answer["status"] in {"stored", "already_stored"} and found.items[place].photos
    }
    if not promised:
        return
    wanted = sorted({sha for hashes in promised.values() for sha in hashes})
    values = {"here": tenant_of(session), "wanted": wanted}
    missing = set(session.scalars(MISSING, values))
    for place, hashes in promised.items():
        absent = [sha for sha in hashes if sha in missing]
        found.said[place] = found.said[place] | {"missing_blobs": absent}
