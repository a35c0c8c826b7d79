"""What a case's page shows: to the desk everything, to the public an allow-list."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from roadchief.accounts.models import Person
from roadchief.issues import categories, moves, routing
from roadchief.issues.models import Case, CasePhoto, CaseStep
from roadchief.issues.voices import Rating, Receipt, Voice

# How a step reads to the citizen, where it is told at all.
TOLD: dict[str, tuple[str, str]] = {
    "report": ("已收到您的反映", "We received the report"),
    "inspect": ("已派人到现场核实", "Somebody is going to look"),
    "open": ("已立案", "The case is open"),
    "notify": ("已告知商户，请其先行整改", "The merchant was told first"),
    "dispatch": ("已派给责任单位", "A unit was given the case"),
    "accept": ("责任单位已接收", "The unit took it up"),
    "submit": ("已处置，等待核查", "The work is done and will be checked"),
    "fix": ("商户已整改，等待核查", "The merchant put it right; it will be checked"),
    "check": ("正在现场核查", "Being checked on site"),
    "send_back": ("核查未通过，继续处置", "Not yet right: work goes on"),
    "close": ("已结案", "Closed"),
    "reopen": ("重新打开", "Opened again"),
    "reject": ("不予受理", "Not taken up"),
    "duplicate": ("并入另一件相同的反映", "Joined to another report of the same"),
    "unmerge": ("恢复为单独案件", "A case of its own again"),
    "defer": ("暂时挂起", "Deferred for now"),
    "resume": ("恢复办理", "Work goes on"),
    "ask": ("向您提问", "A question to you"),
    "answer": ("已收到回答", "The answer arrived"),
    "transfer": ("转由其他单位办理", "Another unit has it now"),
    "grant_time": ("延长了办理时间", "More time was given"),
    "contact": ("工作人员答复", "A person wrote to you"),
    "withdraw": ("反映已撤回", "The report was withdrawn"),
    "follow": ("有人跟进", "Somebody follows this"),
}
# Told to the public only where the step itself is.
LATER = {"again": ("此后再次反映，另立新案件", "Reported again later, as a new case")}
# Told at the desk alone.
INSIDE: dict[str, tuple[str, str]] = {
    "take_over": ("同事接手办理", "A colleague took it over"),
    "import": ("从其他系统导入", "Taken over from another system"),
    "seen_again": ("巡查再次看到", "Seen again on patrol"),
    "merchant_late": ("商户逾期未改，转入派遣", "The merchant did not put it right in time"),
    "let_go": ("位置已更正，原告知的商户不再负责", "Another place: the merchant told is let go"),
    "limit": ("更改了期限", "The limit was changed"),
    "release": ("公开了文字或照片", "Words or a photo were made public"),
    "withdraw_photo": ("撤下了公开的照片", "A public photo was taken back"),
    "hide": ("反映人隐去了自己的文字和联系方式", "The reporter hid words and contact"),
    "mask": ("到期隐去个人信息", "Personal data were masked when their time was over"),
    "more": ("反映人或跟进人有补充", "The reporter or a follower added something"),
}
NAMED = TOLD | LATER | INSIDE


@dataclass(frozen=True)
class Line:
    """One line of a story."""

    at: datetime
    zh: str
    en: str
    words: str
    who: str
    verb: str
    inside: bool

    def say(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


def steps_of(session: Session, case: Case) -> list[tuple[CaseStep, str | None]]:
    """All steps with the names of who took them, in order."""
    rows = session.execute(
        select(CaseStep, Person.name)
        .outerjoin(
            Person,
            (Person.subdistrict_id == CaseStep.subdistrict_id) & (Person.id == CaseStep.by),
        )
        .where(CaseStep.subdistrict_id == case.subdistrict_id, CaseStep.case_id == case.id)
        .order_by(CaseStep.seq)
        .limit(500)
    )
    return [(row[0], row[1]) for row in rows]


def for_public(session: Session, case: Case) -> list[Line]:
    """Steps from the allow-list; words only where the step was written for the public."""
    found = []
    for step, _name in steps_of(session, case):
        told = TOLD.get(step.verb) or (LATER.get(step.verb) if step.public else None)
        if told:
            zh, en = told
            words = (step.words or "") if step.public else ""
            found.append(Line(step.at, zh, en, words, "", step.verb, False))
    return found


# What a merchant is told of a case of the own shop, in a merchant's words.
TO_MERCHANT: dict[str, tuple[str, str]] = {
    "notify": ("通知了您", "You were told"),
    "fix": ("您已整改", "You put it right"),
    "object": ("您提出了异议", "You objected"),
    "open": ("已立案", "The case is open"),
    "dispatch": ("已派给责任单位", "A unit was given the case"),
    "accept": ("责任单位已接收", "The unit took it up"),
    "submit": ("责任单位已处置，等待核查", "The unit did the work; it will be checked"),
    "check": ("正在现场核查", "Being checked on site"),
    "send_back": ("核查未通过", "Not yet right"),
    "merchant_late": ("逾期未改，转交责任单位", "Not put right in time: a unit has it"),
    "close": ("已结案", "Closed"),
    "reopen": ("重新打开", "Opened again"),
    "reject": ("不予受理", "Not taken up"),
    "duplicate": ("并入另一件", "Joined to another one"),
    "defer": ("暂时挂起", "Deferred for now"),
}
# Whose words the merchant reads: the own ones, and the office's about the outcome.
ABOUT_OUTCOME = frozenset({"send_back", "close"})


def for_merchant(session: Session, case: Case) -> list[Line]:
    """Own words and those about the outcome; what a reporter wrote or was written is not here,
    nor what was before the case came to this shop."""
    found: list[Line] = []
    for step, _name in steps_of(session, case):
        if step.verb == "let_go":
            found.clear()
        if step.verb not in TO_MERCHANT:
            continue
        read = step.part == moves.MERCHANT or (step.public and step.verb in ABOUT_OUTCOME)
        words = (step.words or "") if read else ""
        found.append(Line(step.at, *TO_MERCHANT[step.verb], words, "", step.verb, False))
    return found


def for_desk(session: Session, case: Case, language: str = "zh") -> list[Line]:
    """Everything, with names; what citizens and merchants wrote stands in its place."""
    found = []
    routed = {routing.say(case.routed_by, "zh"): routing.say(case.routed_by, language)}
    for step, name in steps_of(session, case):
        move = moves.BY_VERB.get(step.verb)
        zh, en = (move.zh, move.en) if move else NAMED.get(step.verb, (step.verb, step.verb))
        detail = "、".join(
            str(value)
            for key, value in _said(step).items()
            if key in {"unit", "units", "master", "child", "inspection_code", "to"} and value
        )
        said = step.words or ""
        words = "，".join(part for part in (routed.get(said, said), detail) if part)
        by = name or part_said(step.part, language)
        found.append(Line(step.at, zh, en, words, by, step.verb, not step.public))
    for voice in voices_of(session, case):
        zh, en = VOICES.get(voice.kind, (voice.kind, voice.kind))
        found.append(Line(voice.at, zh, en, voice.words, "", voice.kind, True))
    return sorted(found, key=lambda line: line.at)


def _said(step: CaseStep) -> dict[str, Any]:
    """The facts of a step; a category by its name."""
    known = categories.known()
    if step.verb == "recategorise" and step.data.get("to") in known:
        return step.data | {"to": known[step.data["to"]].zh}
    return step.data


def last_words(session: Session, case_ids: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The newest public words of many cases, in one query."""
    rows = session.execute(
        select(CaseStep.case_id, CaseStep.words)
        .where(CaseStep.subdistrict_id == session.info["subdistrict_id"])
        .where(CaseStep.case_id.in_(case_ids), CaseStep.public, CaseStep.words.is_not(None))
        .where(CaseStep.verb.in_(TOLD))
        .order_by(CaseStep.case_id, CaseStep.seq)
    )
    return {row.case_id: row.words for row in rows}


VOICES = {
    "answer": ("反映人回答", "The reporter answers"),
    "more": ("跟进人补充", "A follower adds"),
    "worse": ("跟进人：比之前更严重", "A follower: worse than before"),
    "objection": ("商户异议", "The merchant objects"),
    "reopen": ("反映人：未解决", "The reporter: not solved"),
    "rating": ("评价", "Rating"),
}
PARTS = {
    "citizen": ("市民", "citizen"),
    "merchant": ("商户", "merchant"),
    "unit": ("单位", "unit"),
    "centre": ("城运中心", "operation centre"),
    "chief": ("路长", "road chief"),
    "patrol": ("巡查员", "patroller"),
    "system": ("系统", "system"),
    "staff": ("工作人员", "staff"),
}


def voices_of(session: Session, case: Case) -> list[Voice]:
    return list(
        session.scalars(
            select(Voice)
            .where(Voice.subdistrict_id == case.subdistrict_id, Voice.case_id == case.id)
            .order_by(Voice.at)
            .limit(200)
        )
    )


def photos_of(session: Session, case: Case) -> list[CasePhoto]:
    return list(
        session.scalars(
            select(CasePhoto)
            .where(CasePhoto.subdistrict_id == case.subdistrict_id, CasePhoto.case_id == case.id)
            .order_by(CasePhoto.added_at)
            .limit(60)
        )
    )


def photos_for_reporter(session: Session, case: Case) -> list[CasePhoto]:
    """Those that came with the report; of what others added later, only what a person released."""
    return [
        one
        for one in photos_of(session, case)
        if (one.part == moves.CITIZEN and one.added_at == case.reported_at)
        or (one.released_at and not one.withdrawn_at)
    ]


def ratings_of(session: Session, case: Case) -> list[Rating]:
    return list(
        session.scalars(
            select(Rating)
            .where(Rating.subdistrict_id == case.subdistrict_id, Rating.case_id == case.id)
            .order_by(Rating.at)
        )
    )


def around(session: Session, case: Case) -> list[tuple[str, Case]]:
    """For the public: the case that this one was reported again of, and those after it."""
    rows = session.scalars(
        select(Case)
        .where(Case.subdistrict_id == case.subdistrict_id)
        .where(or_(Case.id == case.again_of_id, Case.again_of_id == case.id))
        .order_by(Case.reported_at)
        .limit(20)
    )
    return [
        ("before" if row.id == case.again_of_id else "again", row) for row in rows if is_public(row)
    ]


def rated(session: Session, case: Case, receipt: Receipt) -> bool:
    """Did this receipt rate the last closing?"""
    row = select(Rating.id).where(
        Rating.subdistrict_id == case.subdistrict_id,
        Rating.receipt_id == receipt.id,
        Rating.closing == case.closings,
    )
    return session.scalar(row) is not None


def beside(session: Session, case: Case) -> list[Any]:
    """Other cases of the same storefront, children, parent and copies: newest first."""
    return list(
        session.execute(
            text(
                "SELECT id, number, category, state, reported_at, "
                "CASE WHEN parent_id = :id THEN 'child' WHEN id = :parent THEN 'parent' "
                "WHEN master_id = :id THEN 'copy' WHEN id = :master THEN 'master' "
                "WHEN again_of_id = :id THEN 'again' WHEN id = :before THEN 'before' "
                "ELSE 'place' END AS how FROM case_file WHERE subdistrict_id = :here "
                "AND id <> :id AND (storefront_id = :shop OR parent_id = :id OR master_id = :id "
                "OR again_of_id = :id OR id = :parent OR id = :master OR id = :before) "
                "ORDER BY (again_of_id = :id OR id = :before) DESC NULLS LAST, "
                "reported_at DESC LIMIT 20"
            ),
            {
                "here": case.subdistrict_id,
                "id": case.id,
                "shop": case.storefront_id,
                "parent": case.parent_id,
                "master": case.master_id,
                "before": case.again_of_id,
            },
        )
    )


def is_public(case: Case) -> bool:
    """A private case is not found anywhere by the public."""
    return case.category in categories.public_codes() and case.state != "rejected"


def public_case(session: Session, case_id: uuid.UUID) -> Case | None:
    case = session.get(Case, (session.info["subdistrict_id"], case_id))
    return case if case and is_public(case) else None


def part_said(part: str, language: str) -> str:
    return PARTS.get(part, (part, part))[0 if language == "zh" else 1]
