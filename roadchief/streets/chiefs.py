"""Who answers for which streets: appointing and relieving. Verbs never commit."""

import uuid
from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.accounts.access import CHIEFS, ON_SEGMENT
from roadchief.accounts.models import Post
from roadchief.db import new_id, savepoint, tenant_of
from roadchief.errors import BadInput, Conflict, NotFound, RuleBroken, WrongState
from roadchief.streets.models import Assignment, Road, RoadSegment, StreetBlock

MAY_ANSWER = CHIEFS | ON_SEGMENT | {"patroller"}
SCOPES = {Road: "road_id", RoadSegment: "segment_id", StreetBlock: "block_id"}

events.declare(
    {
        "streets.chief_appointed": "a post was made to answer for a road, segment or block",
        "streets.chief_relieved": "an assignment was ended",
    }
)


class NotAChief(RuleBroken):
    zh = "“{title}”不是路长类岗位，不能负责道路"
    en = "{title} is not a post that answers for streets"


class ScopeClosed(WrongState):
    zh = "“{name}”已停用，不能任命"
    en = "{name} is closed: nobody can be appointed to it"


class NotInTheirPlace(RuleBroken):
    zh = "只能代理负责同一范围的另一个岗位"
    en = "one stands in only for another post that answers, or answered, for the same streets"


class AlreadyAppointed(Conflict):
    zh = "此岗位已负责该范围"
    en = "this post already answers for it"


class AlreadyRelieved(WrongState):
    zh = "此任命已结束"
    en = "this assignment has ended already"


def appoint_chief(
    session: Session,
    post: Post,
    *,
    to: Road | RoadSegment | StreetBlock,
    by: uuid.UUID | None,
    at: datetime,
    acting_for: Assignment | None = None,
    until: datetime | None = None,
) -> Assignment:
    """Several chiefs on one road are normal; the same post twice at one time is refused by the
    database. With `until` it ends by itself, as a stand-in's should."""
    _hold(session, post, to, at=at, until=until)
    if acting_for is not None:
        _check_stands_in(post, to, acting_for)
    row = Assignment(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        post_id=post.id,
        starts_at=at,
        ends_at=until,
        acting_for_id=acting_for.id if acting_for else None,
        **{SCOPES[type(to)]: to.id},
    )
    try:
        with savepoint(session):
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise AlreadyAppointed from error
    events.record(
        session,
        "streets.chief_appointed",
        subject=to,
        by=by,
        at=at,
        post=str(post.id),
        acting=acting_for is not None,
        until=until.isoformat() if until else None,
    )
    return row


def _hold(
    session: Session,
    post: Post,
    to: Road | RoadSegment | StreetBlock,
    *,
    at: datetime,
    until: datetime | None,
) -> None:
    """Post and place under lock: two appointments of one post take turns, it is not ended
    meanwhile, and the place is not closed or split under the appointment."""
    session.refresh(post, with_for_update={"key_share": True})
    if post.role not in MAY_ANSWER:
        raise NotAChief(title=post.title)
    if not post.holds_at(at):
        raise WrongState
    if until is not None and until <= at:
        raise BadInput(field="到期 until", reason_zh="应晚于今天", reason_en="later than today")
    session.refresh(to, with_for_update={"read": True})
    if to.closed_at is not None:
        raise ScopeClosed(name=to.name)


def _check_stands_in(post: Post, to: Road | RoadSegment | StreetBlock, other: Assignment) -> None:
    """The one stood in for answers for the same, or for the road or block that it lies in; or did,
    for a vacant post has a stand-in too."""
    around = {to.id}
    if isinstance(to, RoadSegment):
        around |= {to.road_id} | ({to.block_id} if to.block_id else set())
    scope = other.road_id or other.segment_id or other.block_id
    if other.post_id == post.id or scope not in around:
        raise NotInTheirPlace


def relieve_chief(
    session: Session, assignment: Assignment, *, by: uuid.UUID | None, at: datetime, because: str
) -> None:
    """Ends it once; the second of two people who press at once is told."""
    ended = session.execute(
        update(Assignment)
        .where(Assignment.subdistrict_id == assignment.subdistrict_id)
        .where(Assignment.id == assignment.id)
        .where(or_(Assignment.ends_at.is_(None), Assignment.ends_at > at))
        .values(ends_at=func.greatest(at, Assignment.starts_at), ended_because=because)
    )
    if ended.rowcount != 1:  # type: ignore[attr-defined]
        raise AlreadyRelieved
    events.record(
        session, "streets.chief_relieved", subject=assignment, by=by, at=at, because=because
    )


def find(session: Session, assignment_id: uuid.UUID) -> Assignment:
    row = session.scalar(
        select(Assignment).where(
            Assignment.subdistrict_id == tenant_of(session), Assignment.id == assignment_id
        )
    )
    if row is None:
        raise NotFound
    return row
