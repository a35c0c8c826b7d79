"""Check-ins judged: an item becomes a visit with verdict, grade, flags and answer."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from roadchief.accounts.access import CHIEFS, Actor
from roadchief.db import new_id
from roadchief.patrol import rules
from roadchief.patrol.checklists import questions
from roadchief.patrol.items import answers, moments
from roadchief.patrol.items.answers import Refused
from roadchief.patrol.items.reading import Item, instant_text, line, needed_line, optional_id
from roadchief.patrol.phone import whereabouts
from roadchief.patrol.presence import reach
from roadchief.streets import standards

HOWS = {"scan", "typed", "picked"}
ENFORCE = CHIEFS | {"officer", "segment_chief"}


@dataclass(frozen=True)
class Ready:
    """A judged check-in: its row, its answer, and the findings that come with it."""

    item: Item
    row: dict[str, Any]
    answer: dict[str, Any]
    bad: list[tuple[uuid.UUID, questions.Bad]] = field(default_factory=list)


@dataclass
class Batch:
    """What is the same for all items of one batch."""

    by: Actor
    at: datetime
    ground: whereabouts.Ground
    versions: dict[str, bool]
    last: dict[str, moments.Stamp]
    own_shops: frozenset[uuid.UUID]


def letter_of(item: Item, by: Actor) -> str:
    """As whom this item checks: P or E. An inspection code is for enforcement alone."""
    if line(item.body, "inspection_code", 40):
        if not by.roles & ENFORCE:
            raise Refused("not_enforcement")
        return standards.ENFORCEMENT
    return standards.PATROL


def prepare(item: Item, batch: Batch) -> Ready:
    """Judge one item. Raises Refused; reads and writes nothing."""
    shop, digest, flags = whereabouts.place_of(item, batch.ground)
    shift = batch.ground.shift_of(item)
    when = moments.moment(
        item.stamp, received_at=batch.at, shift_starts_at=shift.starts_at if shift else None
    )
    who = letter_of(item, batch.by)
    said_form = item.body.get("checklist")
    form, bad, form_flags = questions.read_answers(said_form, batch.versions, who=who)
    how, because = _how(item)
    fix = reach.read_fix(item.body.get("fix"))
    verdict = reach.judge(fix, shop.shape, shop.radius_at(when.at), rules.reach())
    flags += [*form_flags, *when.flags, *_odd(item, shift, when.at, batch.last)]
    foreign = whereabouts.hung_elsewhere(item, batch.ground, shop) if digest is None else None
    if foreign:
        flags.append("plate_elsewhere")
    recheck_of = optional_id(item.body, "recheck_of")
    grade = standards.grade(one.item for one in bad) if form else None
    purpose = "recheck" if recheck_of else "patrol"
    stamp = item.stamp
    row: dict[str, Any] = {
        "purpose": purpose,
        "shift_id": shift.id if shift else None,
        "storefront_id": shop.id,
        "segment_id": shop.segment_id,
        "how": how,
        "because": because,
        "plate": plate.hex() if (plate := digest or foreign) else None,
        "occurred_at": when.at,
        "uncertainty_s": when.uncertainty_s,
        "wall": stamp.wall,
        "mono": stamp.mono_ms,
        "page": stamp.session,
        "off": stamp.offset_ms,
        "lon": fix.lon if fix else None,
        "lat": fix.lat if fix else None,
        "fix": item.body.get("fix"),
        **{name: getattr(verdict, name) for name in VERDICT},
        "form": form,
        "grade": grade,
        "took_ms": _took(item.body.get("took_ms")),
        "inspection_code": line(item.body, "inspection_code", 40),
        "recheck_of": recheck_of,
        "photos": len(item.photos),
        "flags": flags,
    }
    return _with_answer(item, row, verdict, [(new_id(), one) for one in bad], flags, when.at)


VERDICT = ("outcome", "reason", "rule", "distance_m", "accuracy_m", "radius_m", "limit_m")


def outcome_of(verdict: reach.Verdict) -> dict[str, Any]:
    """The verdict as the phone shows it."""
    zh, en = reach.WORDS[verdict.outcome]
    return {
        "verdict": verdict.outcome,
        "word": {"zh": zh, "en": en},
        "distance_m": _tenth(verdict.distance_m),
        "limit_m": _tenth(verdict.limit_m),
        "accuracy_m": _tenth(verdict.accuracy_m),
        "radius_m": _tenth(verdict.radius_m),
        "rule": verdict.rule,
        "reason": verdict.reason,
        "say": {one: verdict.say(one) for one in ("zh", "en")},
    }


def _how(item: Item) -> tuple[str, str | None]:
    how = item.body.get("how", "picked")
    if how not in HOWS:
        raise Refused("bad_field", field="how")
    needed = needed_line if how == "picked" else line
    return how, needed(item.body, "because", 200)


def _odd(
    item: Item,
    shift: whereabouts.ShiftFacts | None,
    at: datetime,
    last: dict[str, moments.Stamp],
) -> list[str]:
    """What the item alone shows to be odd: flags for a reviewer, never a refusal."""
    flags = []
    if shift:
        if item.nonce != shift.nonce:
            flags.append("nonce_other")
        if not shift.starts_at - moments.EARLY <= at <= shift.ends_at + moments.EARLY:
            flags.append("outside_shift")
    before = last.get(item.stamp.session or "")
    if before and moments.jumped(before, item.stamp):
        flags.append("clock_jumped")
    fix = item.body.get("fix")
    taken = moments.read_instant(fix.get("at")) if isinstance(fix, dict) else None
    if taken:
        # A fix is stamped by the phone's clock or by the satellites': believe the nearer one.
        clocks = [at, item.stamp.wall or at]
        age_s = min(abs((one - taken).total_seconds()) for one in clocks)
        if age_s > rules.section("signals")["old_fix_s"]:
            flags.append("fix_old")
    if item.photos and all(photo.source == "gallery" for photo in item.photos):
        flags.append("gallery_photo")
    return flags


def _with_answer(
    item: Item,
    row: dict[str, Any],
    verdict: reach.Verdict,
    bad: list[tuple[uuid.UUID, questions.Bad]],
    flags: list[str],
    at: datetime,
) -> Ready:
    answer = answers.stored(
        str(item.id),
        item.sha256,
        occurred_at=instant_text(at),
        flags=flags,
        outcome=outcome_of(verdict),
        grade=row["grade"],
        findings=[str(finding_id) for finding_id, _ in bad],
    )
    return Ready(item, row, answer, bad)


def _tenth(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _took(said: Any) -> int | None:
    found = moments.whole(said)
    return None if found is None else max(0, min(found, 2**31 - 1))
