"""案件单: a case on A4, to sign and file. What it tells is what the asker's page tells."""

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image as Picture
from PIL import UnidentifiedImageError
from sqlalchemy.orm import Session

from roadchief import blobs, holidays
from roadchief.accounts.models import Person
from roadchief.config import Settings
from roadchief.issues import board, categories, clocks, deadlines, moves, routing, story
from roadchief.issues.models import Case
from roadchief.issues.sheets import surroundings
from roadchief.issues.sheets.surroundings import Surroundings
from roadchief.issues.sheets.words import CLOCKS, LIGHTS, PAUSES, SOURCES, say
from roadchief.issues.voices import Rating
from roadchief.lib import clock
from roadchief.streets.models import Organisation, Storefront, Subdistrict

Facts = list[tuple[str, str]]
PHOTO_PX = 900  # of the longer side: sharp at half the width of a page
PHOTO_QUALITY = 80


@dataclass(frozen=True)
class Shot:
    """One photo as it is printed, or None where its file is not here."""

    jpeg: bytes | None
    size: tuple[int, int]
    caption: str


@dataclass(frozen=True)
class Told:
    """One line of the story."""

    head: str
    words: str


@dataclass(frozen=True)
class Sheet:
    """All that the sheet says, in words: nothing is asked of the database after this."""

    title: str
    number: str
    office: str
    standing: str
    danger: bool
    address: str  # of the case on the desk, for the symbol
    facts: Facts
    times: Facts
    words: str
    public_words: str
    lines: list[Told]
    ratings: list[str]
    photos: list[Shot]
    seen: Surroundings | None
    accuracy_m: float | None
    attribution: str
    foot: str
    language: str


def gather(
    session: Session, case: Case, *, at: datetime, address: str, by: str, lang: str, known: Settings
) -> Sheet:
    """A fixed number of questions, whatever the case has lived through."""
    zh = lang == "zh"
    here, kind = case.subdistrict_id, categories.find(case.category)
    office = session.get_one(Subdistrict, here).name
    light = LIGHTS[board.light(case, at)]
    standing = f"{moves.STATES[case.state][0 if zh else 1]} · {light[0 if zh else 1]}"
    printed = f"{clock.local(at):%Y-%m-%d %H:%M}"
    return Sheet(
        title=f"{say('title', lang)}　{kind.say(lang)}",
        number=case.number,
        office=office,
        standing=standing,
        danger=case.danger,
        address=address,
        facts=_facts(session, case, lang),
        times=_times(session, case, at, lang),
        words=case.words,
        public_words=case.public_words or "",
        lines=[
            Told(
                "　".join(part for part in (_when(line.at), line.say(lang), line.who) if part),
                line.words,
            )
            for line in story.for_desk(session, case, lang)
        ],
        ratings=[_rating(row, lang) for row in story.ratings_of(session, case)],
        photos=_photos(session, case, lang, known),
        seen=surroundings.around(session, case.place, storefront_id=case.storefront_id)
        if case.place is not None
        else None,
        accuracy_m=case.accuracy_m,
        attribution=known.map_attribution,
        foot=say("foot", lang).format(number=case.number, by=by, at=printed),
        language=lang,
    )


def _facts(session: Session, case: Case, lang: str) -> Facts:
    here, kind = case.subdistrict_id, categories.find(case.category)
    group = categories.groups()[kind.group]
    unit = session.get(Organisation, (here, case.unit_id)) if case.unit_id else None
    holder = session.get(Person, (here, case.holder_id)) if case.holder_id else None
    shop = session.get(Storefront, (here, case.storefront_id)) if case.storefront_id else None
    category = f"{kind.code} {kind.say(lang)}（{group[0 if lang == 'zh' else 1]}）"
    source = SOURCES.get(case.source, (case.source, case.source))[0 if lang == "zh" else 1]
    rows = [
        ("category", category),
        ("place", case.address),
        ("shop", (shop.name or "") if shop else ""),
        ("plate", (shop.human_number or "") if shop else ""),
        ("source", source),
        ("unit", unit.name if unit else say("no_unit", lang) if case.state == "open" else ""),
        ("holder", holder.name if holder else ""),
        ("routed", routing.say(case.routed_by, lang)),
        ("permit", case.permit or ""),
        ("repeat", say("within_30", lang) if case.repeat else ""),
        ("followers", str(case.followers) if case.followers else ""),
    ]
    return [(say(key, lang), value) for key, value in rows if value]


def _times(session: Session, case: Case, at: datetime, lang: str) -> Facts:
    """Every clock of the case: limits, when each was kept, pauses, what citizen and unit lived."""
    end, pick = case.ended_at or at, 0 if lang == "zh" else 1
    pauses = clocks.pauses_of(session, case)
    limit = f"{case.limit_amount:g}"
    if case.extra_amount:
        limit += f" + {case.extra_amount:g}"
    limit += f" {CLOCKS[case.limit_clock][pick]}"
    closing = moves.CLOSINGS.get(case.closing_kind or "", ("", ""))[pick]
    kept = {True: "on_time", False: "too_late"}.get(case.on_time)  # type: ignore[arg-type]
    rows = [
        ("reported", _when(case.reported_at)),
        ("response_due", _when(case.response_due_at)),
        ("contacted", _when(case.contacted_at)),
        ("merchant_due", _when(case.merchant_due_at)),
        ("limit", limit),
        ("begun", _when(case.begun_at)),
        ("due", _when(case.due_at) + (say("provisional", lang) if case.provisional else "")),
        ("ended", _when(case.ended_at)),
        ("closing", "，".join(part for part in (closing, say(kept, lang) if kept else "") if part)),
        ("closings", str(case.closings) if case.closings > 1 or case.reopened else ""),
        ("reopened", str(case.reopened) if case.reopened else ""),
        ("citizen_time", _span(end - case.reported_at, lang)),
        ("unit_time", _span(clocks.unit_time(session, case, until=end), lang)),
    ]
    for row in pauses:
        until = _when(row.ends_at) if row.ends_at else say("still", lang)
        what = PAUSES.get(row.kind, (row.kind, row.kind))[pick]
        rows.append(("pause", f"{what}：{_when(row.begins_at)} – {until}　{row.because}"))
    if case.paused_at is not None and case.ended_at is None:
        spans = [deadlines.Pause(row.begins_at, row.ends_at) for row in pauses]
        left = deadlines.plan(
            case.begun_at, clocks.limit_of(case), spans, at, holidays.calendar(session)
        ).left
        rows.append(("left", _span(left, lang)))
    return [(say(key, lang), value) for key, value in rows if value]


def _photos(session: Session, case: Case, lang: str, known: Settings) -> list[Shot]:
    rows = story.photos_of(session, case)
    kept = blobs.get_many(session, {row.photo_id for row in rows})
    shots = []
    for number, row in enumerate(rows, start=1):
        who = story.part_said(row.part, lang)
        public = row.released_at is not None and row.withdrawn_at is None
        mark = f" · {say('public', lang)}" if public else ""
        blob = kept.get(row.photo_id)
        drawn = small(blobs.path(blob, "screen", known)) if blob else None
        caption = f"{number}　{who}　{_when(row.added_at)}{mark}"
        shots.append(Shot(drawn[0] if drawn else None, drawn[1] if drawn else (4, 3), caption))
    return shots


def small(file: Path) -> tuple[bytes, tuple[int, int]] | None:
    """A photo for print: of moderate size, so that sixty of them can still be mailed."""
    try:
        with Picture.open(file) as picture:
            picture.thumbnail((PHOTO_PX, PHOTO_PX))
            out = io.BytesIO()
            picture.convert("RGB").save(out, "JPEG", quality=PHOTO_QUALITY)
            return out.getvalue(), picture.size
    except (OSError, UnidentifiedImageError):
        return None


def _rating(row: Rating, lang: str) -> str:
    solved = say("solved" if row.solved else "unsolved", lang)
    stars = f" · {row.stars}/5" if row.stars else ""
    return f"{say('closing_no', lang).format(n=row.closing)}{solved}{stars}"


def _when(at: datetime | None) -> str:
    return f"{clock.local(at):%Y-%m-%d %H:%M}" if at else ""


def _span(length: timedelta, lang: str) -> str:
    """Days, hours and minutes."""
    minutes = int(length.total_seconds() // 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    names = ("天", "小时", "分") if lang == "zh" else (" d", " h", " min")
    parts = [f"{n}{name}" for n, name in zip((days, hours, minutes), names, strict=True) if n]
    return " ".join(parts) or f"0{names[2]}"
