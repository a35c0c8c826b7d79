"""A case is reported, found, locked and moved. Verbs never commit.

Every move goes through `move`: the row is locked, the table is asked, a step is written.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from roadchief import events, holidays
from roadchief.db import new_id, savepoint, tenant_of
from roadchief.issues import categories, clocks, moves, numbering, telling, workflow
from roadchief.issues.models import Case, CasePhoto, CaseStep
from roadchief.issues.refusals import NoSuchCase, NotNow, PageIsOld, SomebodyWorksOnIt
from roadchief.issues.spots import Spot
from roadchief.issues.workflow import Facts
from roadchief.lib import clock
from roadchief.lib.text import pieces

MOST_WORDS = 4000
QUIET = {"note", "contact", "remind", "rate", "answer", "follow", "report"}  # make no page old

events.declare(
    {
        "issues.reported": "somebody reported a case",
        "issues.moved": "a case was moved: the verb, from and to are told",
        "issues.closed": "a case was closed, with its kind",
        "issues.reopened": "a closed case was opened again",
    }
)


@dataclass(frozen=True)
class Who:
    """Who acts, and in which part. `person` is None for citizens and the machine."""

    part: str
    person: uuid.UUID | None = None


SYSTEM = Who(moves.SYSTEM)


def report(
    session: Session,
    *,
    category: str,
    words: str,
    spot: Spot,
    source: str,
    by: uuid.UUID | None,
    at: datetime,
    id: uuid.UUID | None = None,
    source_ref: str | None = None,
    photo_ids: tuple[uuid.UUID, ...] = (),
    held: bool = False,
) -> Case:
    """A new case, received at `at`: its clocks run from now. The caller sees to repeats of `id`."""
    case = drawn(
        category, words, spot, at=at, id=id, source=source, source_ref=source_ref, held=held
    )
    case.subdistrict_id = tenant_of(session)
    taken = numbering.take(session, storefront_id=case.storefront_id, category=case.category, at=at)
    holidays.know(session, taken.years)
    case.number, case.repeat = taken.number, taken.repeat
    # Too many about one shop in a moment: kept, but they ring nobody until somebody looked.
    case.held = held or (taken.flood and source == "citizen")
    case.pieces = pieces(case.number, case.address, spot.sign_name, case.words)
    kind = categories.find(case.category)
    urgent = categories.known()["AQ00"].response if case.danger else kind.response
    case.response_due_at = clocks.after(session, at, urgent, at=at)
    clocks.reckon(session, case, at=at, fresh=True)
    session.add(case)
    part = moves.CITIZEN if by is None else "staff"
    add_step(session, case, "report", None, Who(part, by), at=at, data={"source": source})
    add_photos(session, case, photo_ids, part=part, at=at)
    events.record(session, "issues.reported", subject=case, by=by, at=at, category=case.category)
    session.flush()
    return case


def drawn(
    category: str,
    words: str,
    spot: Spot,
    *,
    at: datetime,
    id: uuid.UUID | None,
    source: str,
    source_ref: str | None,
    held: bool,
) -> Case:
    """The row as it begins, without what only the database knows."""
    kind = categories.find(category)
    return Case(
        id=id or new_id(),
        category=kind.code,
        state="reported",
        source=source,
        source_ref=source_ref,
        danger=kind.danger or bool(categories.danger_words(words)),
        held=held,
        words=words[:MOST_WORDS],
        place=spot.point,
        accuracy_m=spot.accuracy_m,
        datum=spot.datum,
        address=spot.address[:200],
        storefront_id=spot.storefront_id,
        tenancy_id=spot.tenancy_id,
        segment_id=spot.segment_id,
        grid_id=spot.grid_id,
        permit=next((one.name for one in spot.permits if one.open), None),
        limit_amount=kind.limit.amount,
        limit_clock=kind.limit.clock,
        limit_version=categories.version(),
        begun_at=at,
        reported_at=at,
        updated_at=at,
        version=1,
        steps=0,
        extra_amount=0,
        closings=0,
        reopened=0,
        followers=0,
    )


def find(session: Session, case_id: uuid.UUID) -> Case:
    row = session.scalar(
        select(Case).where(Case.subdistrict_id == tenant_of(session), Case.id == case_id)
    )
    if row is None:
        raise NoSuchCase
    return row


def find_by_number(session: Session, number: str) -> Case:
    row = session.scalar(
        select(Case).where(Case.subdistrict_id == tenant_of(session), Case.number == number[:20])
    )
    if row is None:
        raise NoSuchCase
    return row


def locked(session: Session, case_id: uuid.UUID) -> Case:
    """The case, ours until the commit. A busy one is waited for briefly, then that is said.

    Its parent and master are locked with it, in order of id: whoever changes it twice holds them
    anyway (the foreign keys see to that), and two who come from two children would wait for each
    other.
    """
    here = tenant_of(session)
    own = select(Case.id, Case.parent_id, Case.master_id).where(
        Case.subdistrict_id == here, Case.id == case_id
    )
    family = own.cte("family")
    wanted = (
        select(Case)
        .where(Case.subdistrict_id == here)
        .where(
            Case.id.in_(
                select(family.c.id).union(select(family.c.parent_id), select(family.c.master_id))
            )
        )
        .order_by(Case.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    try:
        with savepoint(session):
            clocks.wait_briefly(session)
            rows = {row.id: row for row in session.scalars(wanted)}
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise SomebodyWorksOnIt(number=find(session, case_id).number) from error
        raise
    if case_id not in rows:
        raise NoSuchCase
    return rows[case_id]


def facts_of(session: Session, case: Case, person: uuid.UUID | None = None) -> Facts:
    """What the rules look at, in one query; `person` is who asks."""
    row = session.execute(
        FACTS,
        {
            "here": case.subdistrict_id,
            "id": case.id,
            "shop": case.storefront_id,
            "tenancy": case.tenancy_id,
        },
    ).one()
    kind = categories.find(case.category)
    return Facts(
        state=case.state,
        came_from=case.came_from,
        has_unit=case.unit_id is not None,
        mine=person is not None and case.holder_id == person,
        has_keeper=row.keeper,
        open_children=tuple(row.children or ()),
        time_asked=case.asked_amount is not None,
        waiting=row.waiting,
        needs_photo=kind.needs_photo,
        needs_code=kind.needs_code,
    )


FACTS = text(
    """
SELECT EXISTS (SELECT 1 FROM tenancy t JOIN shopkeeper k ON k.subdistrict_id = t.subdistrict_id
    AND k.merchant_id = t.merchant_id AND k.ends_at IS NULL
    WHERE t.subdistrict_id = :here AND t.storefront_id = :shop AND t.id = :tenancy
      AND t.ends_on IS NULL) AS keeper,
  (SELECT array_agg(c.number ORDER BY c.number) FROM case_file c WHERE c.subdistrict_id = :here
    AND c.parent_id = :id AND c.ended_at IS NULL) AS children,
  EXISTS (SELECT 1 FROM case_pause p WHERE p.subdistrict_id = :here AND p.case_id = :id
    AND p.kind = 'waiting' AND p.ends_at IS NULL) AS waiting
"""
)


def move(
    session: Session,
    case: Case,
    verb: str,
    *,
    who: Who,
    at: datetime,
    words: str | None = None,
    public: bool = False,
    seen: int | None = None,
    data: dict[str, Any] | None = None,
) -> CaseStep:
    """Make one move of a locked case, or refuse it with the sentence why.

    `seen` is the version that the asker's page was drawn from: an older page moves nothing.
    """
    facts = facts_of(session, case, who.person)
    if seen is not None and seen != case.version and verb not in QUIET:
        raise PageIsOld(newer=newer_than(session, case, seen))
    verdict = workflow.judge(verb, {who.part}, facts)
    if not verdict.allowed:
        raise NotNow(verdict)
    before, after = case.state, workflow.target(verb, facts)
    if verb not in QUIET:
        case.version += 1
        case.held = case.held and who.person is None  # somebody has looked
    case.state, case.updated_at = after, at
    if after in moves.ENDED and before not in moves.ENDED:
        case.ended_at = at
    elif after not in moves.ENDED:
        case.ended_at = case.masked_at = None  # what is said from now on is masked in its turn
    step = add_step(session, case, verb, before, who, at=at, words=words, public=public, data=data)
    events.record(
        session,
        "issues.moved",
        subject=case,
        by=who.person,
        at=at,
        verb=verb,
        before=before,
        after=after,
    )
    return step


def add_step(
    session: Session,
    case: Case,
    verb: str,
    before: str | None,
    who: Who,
    *,
    at: datetime,
    words: str | None = None,
    public: bool = False,
    data: dict[str, Any] | None = None,
) -> CaseStep:
    """The next line of the case's history. The unique number decides between two at once."""
    case.steps += 1
    step = CaseStep(
        subdistrict_id=case.subdistrict_id,
        id=new_id(),
        case_id=case.id,
        seq=case.steps,
        verb=verb,
        before=before,
        after=case.state,
        part=who.part,
        by=who.person,
        at=at,
        words=words,
        public=public,
        data=data or {},
    )
    session.add(step)
    telling.step_taken(session, case, step, at=at)
    return step


def add_photos(
    session: Session,
    case: Case,
    photo_ids: tuple[uuid.UUID, ...],
    *,
    part: str,
    at: datetime,
) -> None:
    """The same picture twice on one case is kept once."""
    known = set()
    if case.steps > 1 and photo_ids:
        rows = select(CasePhoto.photo_id).where(
            CasePhoto.subdistrict_id == case.subdistrict_id, CasePhoto.case_id == case.id
        )
        known = set(session.scalars(rows))
    for photo_id in dict.fromkeys(photo_ids):
        if photo_id not in known:
            session.add(
                CasePhoto(
                    subdistrict_id=case.subdistrict_id,
                    id=new_id(),
                    case_id=case.id,
                    photo_id=photo_id,
                    part=part,
                    added_at=at,
                )
            )


def newer_than(session: Session, case: Case, version: int) -> str:
    """The last moves after a version, as a sentence: who has to know what was missed."""
    rows = session.scalars(
        select(CaseStep)
        .where(CaseStep.subdistrict_id == case.subdistrict_id, CaseStep.case_id == case.id)
        .order_by(CaseStep.seq.desc())
        .limit(max(1, min(5, case.version - version)))
    ).all()
    named = {verb: move.zh for verb, move in moves.BY_VERB.items()}
    return "、".join(
        f"{clock.local(row.at):%H:%M} {named.get(row.verb, row.verb)}" for row in reversed(rows)
    )
