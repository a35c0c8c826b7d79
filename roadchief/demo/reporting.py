"""Cases of every state in the demo, each brought there by the verbs that people use."""

import io
import uuid
from datetime import datetime, timedelta

from PIL import Image, ImageDraw
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import blobs
from roadchief.accounts.models import Post
from roadchief.config import Settings
from roadchief.db import tenant_of
from roadchief.issues import adjusting, cases, handling, merging, moves, opening, spots
from roadchief.issues.cases import Who
from roadchief.issues.citizens import again, feedback
from roadchief.issues.mail import messages, subscribing
from roadchief.issues.models import Case
from roadchief.issues.office import replies
from roadchief.streets import shopkeepers
from roadchief.streets.models import Storefront

# Reserved names (RFC 2606): nothing that the demo writes arrives anywhere.
BOX = "li@demo.invalid"
CONFIRMED = {"in_progress", "closed", "reopened", "again"}
CENTRE, CHIEF = Who(moves.CENTRE), Who(moves.CHIEF)
# Category, the citizen's words, days ago, and how far it has come.
STORIES: tuple[tuple[str, str, float, str], ...] = (
    ("ZX02", "纸箱堆在盲道上，老人走不过去", 0.05, "reported"),
    ("WS03", "垃圾袋放在路边两天了", 0.3, "verifying"),
    ("BJ02", "路面有个大坑，电动车差点摔倒", 0.9, "open"),
    ("ZX02", "门口堆满货", 0.02, "notified"),
    ("ZX08", "晚上有烧烤摊，烟很大", 1.1, "assigned"),
    ("WS07", "卷帘门被喷漆涂鸦", 2.2, "in_progress"),
    ("XF04", "电瓶车推进店里充电", 1.4, "submitted"),
    ("ZX08", "流动摊贩占道卖水果", 2.0, "checking"),
    ("LH01", "绿化带被踩出一条路", 5.0, "deferred"),
    ("ZX05", "共享单车堆成山", 4.0, "reopened"),
    ("ZX08", "摊贩占道", 6.0, "closed"),
    ("YJ01", "建议在路口加几张休息椅", 7.0, "rejected"),
    ("ZX02", "盲道上有纸箱", 0.04, "duplicate"),
    ("ZP02", "招牌松了，风一吹就晃，要掉下来", 0.1, "danger"),
    ("BJ04", "路灯不亮，晚上很黑", 3.0, "no_unit"),
    ("ZX09", "半夜音响太吵睡不着", 2.5, "asked"),
)


def report_cases(session: Session, *, now: datetime, settings: Settings) -> list[dict[str, str]]:
    """The stories of one sub-district, with their receipts; none where nobody can handle them."""
    replies.begin_with(session, by=None, at=now)
    officer, chief = _person(session, "officer"), _person(session, "chief_l2")
    if officer is None or chief is None:
        return []
    told: list[dict[str, str]] = []
    shops = _shops(session)
    own = shopkeepers.shops_of(session, _person(session, "merchant") or officer)
    before, after = (
        blobs.store(session, _photo(boxes), by=officer, at=now, settings=settings).id
        for boxes in (3, 0)
    )
    first: Case | None = None
    for number, (category, words, days, end) in enumerate(STORIES):
        at = now - timedelta(days=days)
        shop = own[0].storefront_id if own and end == "notified" else shops[number * 3]
        if end == "duplicate" and first and first.storefront_id:
            shop = first.storefront_id
        case = cases.report(
            session,
            category=category,
            words=words,
            spot=spots.of_storefront(session, shop, at=at),
            source="citizen",
            by=None,
            at=at,
            photo_ids=(before,),
        )
        handed = _hand(session, case, end, at=at, settings=settings)
        first = first or case
        _bring(session, case, end, officer, after, at=at, first=first)
        told.append(_as_line(case, handed))
    told.append(_reported_again(session, shops[40], officer, after, now=now, settings=settings))
    return told


def _hand(
    session: Session, case: Case, end: str, *, at: datetime, settings: Settings
) -> feedback.Handed:
    """A receipt; some left an address, and some of these confirmed it."""
    contact = BOX if end in CONFIRMED | {"open"} else None
    handed = feedback.hand_receipt(
        session, case, kind="reporter", at=at, settings=settings, contact=contact
    )
    if end in CONFIRMED:
        subscribing.confirm(session, case, handed.receipt, at=at)
        messages.welcome(session, case, handed.receipt, at=at)
    return handed


def _reported_again(
    session: Session,
    shop: uuid.UUID,
    officer: uuid.UUID,
    photo: uuid.UUID,
    *,
    now: datetime,
    settings: Settings,
) -> dict[str, str]:
    """Closed some weeks ago, and back today: the receipt of the old case offered to say so."""
    old, at = None, now - timedelta(days=24)
    for when in (at, now - timedelta(hours=3)):
        case = cases.report(
            session,
            category="ZX05",
            words="共享单车又堆满人行道" if old else "共享单车堆满人行道",
            spot=spots.of_storefront(session, shop, at=when),
            source="citizen",
            by=None,
            at=when,
        )
        handed = _hand(session, case, "again", at=when, settings=settings)
        if old is None:
            _bring(session, case, "closed", officer, photo, at=when, first=case)
            old, line = case, _as_line(case, handed)
        else:
            again.link(session, case, of=old, at=when)
    return line


def _as_line(case: Case, handed: feedback.Handed) -> dict[str, str]:
    """For whoever wants to walk the citizen's way: kept for the demo alone."""
    return {
        "code": feedback.spoken(handed.receipt.code),
        "pin": handed.pin,
        "case": case.number,
        "state": case.state,
        "words": case.words,
    }


def _bring(
    session: Session,
    case: Case,
    end: str,
    officer: uuid.UUID,
    photo: uuid.UUID,
    *,
    at: datetime,
    first: Case,
) -> None:
    """As far as the story goes, a few minutes a step."""
    unit, minute = Who(moves.UNIT, officer), timedelta(minutes=12)
    if end == "reported":
        return
    cases.move(session, case, "inspect", who=CENTRE, at=at + minute)
    if end == "verifying":
        return
    if end == "rejected":
        adjusting.reject(
            session, case, who=CENTRE, at=at + minute, words="已列入明年计划，谢谢建议"
        )
        return
    if end == "duplicate":
        merging.merge(session, case, into=first.id, who=CENTRE, at=at + minute, words="同一件")
        return
    opening.open_case(session, case, who=CENTRE, at=at + 2 * minute)
    if case.state == "notified_merchant" and end != "notified":
        squad = _unit(session, officer)
        opening.dispatch(session, case, who=CENTRE, to=squad, at=at + 2 * minute, words="直接派遣")
    if end in {"open", "no_unit", "notified", "danger", "assigned"} or case.state == "open":
        return
    if end == "deferred":
        adjusting.defer(session, case, who=CENTRE, at=at + 3 * minute, words="等道路大修后补种")
        return
    handling.accept(session, case, who=unit, at=at + 3 * minute)
    if end == "asked":
        adjusting.ask(session, case, who=unit, at=at + 3 * minute, words="请问是哪一家、几点钟？")
    if end in {"in_progress", "asked"}:
        return
    handling.submit(
        session, case, who=unit, at=at + 4 * minute, words="已到场处置", photo_ids=(photo,)
    )
    if end != "submitted":
        _check(session, case, end, at=at)


def _check(session: Session, case: Case, end: str, *, at: datetime) -> None:
    """The chief looks on site."""
    minute = timedelta(minutes=12)
    cases.move(session, case, "check", who=CHIEF, at=at + 5 * minute)
    if end == "checking":
        return
    handling.close(
        session, case, who=CHIEF, at=at + 6 * minute, kind="fixed_by_unit", words="现场已恢复"
    )
    if end == "reopened":
        handling.reopen(session, case, who=CHIEF, at=at + 90 * minute, words="第二天又堆满了")


def _person(session: Session, role: str) -> uuid.UUID | None:
    return session.scalar(
        select(Post.person_id)
        .where(Post.subdistrict_id == tenant_of(session), Post.role == role)
        .limit(1)
    )


def _unit(session: Session, officer: uuid.UUID) -> uuid.UUID:
    found = session.scalar(
        select(Post.organisation_id)
        .where(Post.subdistrict_id == tenant_of(session), Post.person_id == officer)
        .limit(1)
    )
    if found is None:
        raise LookupError("the demo's officer belongs to no unit")
    return found


def _shops(session: Session) -> list[uuid.UUID]:
    rows = session.scalars(
        select(Storefront.id)
        .where(Storefront.subdistrict_id == tenant_of(session), Storefront.closed_at.is_(None))
        .where(Storefront.segment_id.is_not(None), Storefront.name.is_not(None))
        .order_by(Storefront.segment_id, Storefront.measure_m)
        .limit(200)
    )
    return list(rows)


def _photo(boxes: int) -> bytes:
    """Boxes on a pavement, drawn: the demo shows no real street and no real face."""
    picture = Image.new("RGB", (960, 720), "#C9D3CE")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 430, 960, 720), fill="#9AA5A0")
    draw.rectangle((0, 540, 960, 580), fill="#D8B24A")
    for left, top in ((300, 330), (420, 330), (360, 220))[:boxes]:
        draw.rectangle(
            (left, top, left + 115, top + 105), fill="#B98B58", outline="#6E5030", width=4
        )
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=88)
    return file.getvalue()
