"""From a form's verb to the verb that does it: one line each, nothing decided here."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from roadchief.accounts.access import CHIEFS
from roadchief.issues import (
    adjusting,
    cases,
    forms,
    handling,
    merging,
    moves,
    opening,
    placing,
    reach,
)
from roadchief.issues.cases import Who
from roadchief.issues.models import Case
from roadchief.issues.reach import Scope
from roadchief.issues.refusals import NoSuchCase, NotNow, bad
from roadchief.issues.spots import Spot
from roadchief.issues.workflow import Verdict, parts_of

# Where somebody plays several parts, in this order.
ORDER = (moves.CENTRE, moves.CHIEF, moves.UNIT, moves.PATROL, moves.MERCHANT)

# What is offered for several cases at once, in this order.
IN_BULK = (
    *("accept", "take_over", "inspect", "dispatch", "remind"),
    *("check", "transfer", "return", "note"),
)


@dataclass(frozen=True)
class Act:
    """One press of a button: who, when, what was written, from which version of the page."""

    who: Who
    at: datetime
    form: Mapping[str, str]
    units: tuple[uuid.UUID, ...] = ()
    photo_ids: tuple[uuid.UUID, ...] = ()
    scope: Scope | None = None  # a case that is not in it cannot be named either

    @property
    def seen(self) -> int | None:
        return forms.version_field(self.form)

    @property
    def words(self) -> str:
        return forms.needed_text(self.form, "words", label="说明 words")

    @property
    def maybe_words(self) -> str | None:
        return forms.long_text(self.form, "words", label="说明 words", most=1000) or None

    @property
    def unit(self) -> uuid.UUID:
        if not self.units:
            raise bad("单位 unit", "请选择", "choose one")
        return self.units[0]

    @property
    def rest(self) -> dict[str, object]:
        return {"who": self.who, "at": self.at, "seen": self.seen}


def who_for(verb: str, parts: frozenset[str], person: uuid.UUID) -> Who:
    """The part in which this person makes this move."""
    move = moves.BY_VERB.get(verb)
    usable = [part for part in ORDER if part in parts and (move is None or part in move.who)]
    if not usable:
        raise NotNow(Verdict(False, "who", "您不能进行此操作", "this is not yours to do"))
    return Who(usable[0], person)


def in_bulk(roles: frozenset[str]) -> list[moves.Move]:
    """What somebody of these roles could do with several cases of the right kind."""
    parts = parts_of(roles, in_unit=True, chief_roles=CHIEFS)
    return [move for verb in IN_BULK if (move := moves.BY_VERB[verb]).who & parts]


def _master(session: Session, act: Act) -> uuid.UUID:
    """The case to merge into; one that this person may not see is not there."""
    named = cases.find_by_number(session, act.form.get("target", "").strip())
    if act.scope is None:
        raise NoSuchCase
    return reach.case_of(session, named.id, act.scope).id


def _spot(session: Session, act: Act) -> Spot:
    """Where it is: touched on the map, else written."""
    lon, lat = (forms.number_field(act.form, name) for name in ("lon", "lat"))
    said = forms.long_text(act.form, "place", label="位置 place", most=200)
    return placing.spot_of_form(session, lon=lon, lat=lat, said=said, at=act.at)


def _amount(act: Act) -> int:
    text = act.form.get("days", "")[:4]
    return int(text) if text.isascii() and text.isdigit() else 0


Doing = Callable[[Session, Case, Act], object]
DOING: dict[str, Doing] = {
    "inspect": lambda s, c, a: cases.move(
        s, c, "inspect", who=a.who, at=a.at, seen=a.seen, words=a.maybe_words
    ),
    "open": lambda s, c, a: opening.open_case(
        s,
        c,
        who=a.who,
        at=a.at,
        seen=a.seen,
        words=a.maybe_words,
        despite_permit=a.form.get("despite") == "1",
        photo_ids=a.photo_ids,
    ),
    "notify": lambda s, c, a: opening.notify(s, c, who=a.who, at=a.at, seen=a.seen),
    "dispatch": lambda s, c, a: opening.dispatch(
        s, c, who=a.who, at=a.at, seen=a.seen, to=a.unit, words=a.maybe_words
    ),
    "accept": lambda s, c, a: handling.accept(s, c, who=a.who, at=a.at, seen=a.seen),
    "take_over": lambda s, c, a: handling.take_over(s, c, who=a.who, at=a.at, seen=a.seen),
    "submit": lambda s, c, a: handling.submit(
        s,
        c,
        who=a.who,
        at=a.at,
        seen=a.seen,
        words=a.words,
        photo_ids=a.photo_ids,
        inspection_code=a.form.get("code", "").strip()[:60] or None,
    ),
    "fix": lambda s, c, a: handling.fix(
        s, c, who=a.who, at=a.at, seen=a.seen, photo_ids=a.photo_ids, words=a.maybe_words
    ),
    "object": lambda s, c, a: handling.object_to(
        s, c, who=a.who, at=a.at, seen=a.seen, words=a.words
    ),
    "check": lambda s, c, a: cases.move(s, c, "check", who=a.who, at=a.at, seen=a.seen),
    "close": lambda s, c, a: handling.close(
        s,
        c,
        who=a.who,
        at=a.at,
        seen=a.seen,
        kind=a.form.get("kind", ""),
        words=a.words,
        photo_ids=a.photo_ids,
    ),
    "send_back": lambda s, c, a: handling.send_back(
        s, c, who=a.who, at=a.at, seen=a.seen, words=a.words, photo_ids=a.photo_ids
    ),
    "reopen": lambda s, c, a: handling.reopen(
        s, c, who=a.who, at=a.at, seen=a.seen, words=a.words, photo_ids=a.photo_ids
    ),
    "return": lambda s, c, a: adjusting.give_back(
        s, c, who=a.who, at=a.at, seen=a.seen, words=a.words
    ),
    "transfer": lambda s, c, a: adjusting.transfer(
        s, c, who=a.who, at=a.at, seen=a.seen, to=a.unit, words=a.words
    ),
    "ask_time": lambda s, c, a: adjusting.ask_time(
        s, c, who=a.who, at=a.at, seen=a.seen, amount=_amount(a), words=a.words
    ),
    "grant_time": lambda s, c, a: adjusting.grant_time(s, c, who=a.who, at=a.at, seen=a.seen),
    "refuse_time": lambda s, c, a: adjusting.refuse_time(
        s, c, who=a.who, at=a.at, seen=a.seen, words=a.words
    ),
    "defer": lambda s, c, a: adjusting.defer(s, c, who=a.who, at=a.at, seen=a.seen, words=a.words),
    "resume": lambda s, c, a: adjusting.resume(s, c, who=a.who, at=a.at, seen=a.seen),
    "ask": lambda s, c, a: adjusting.ask(s, c, who=a.who, at=a.at, seen=a.seen, words=a.words),
    "split": lambda s, c, a: adjusting.split(
        s,
        c,
        who=a.who,
        at=a.at,
        seen=a.seen,
        category=a.form.get("category", ""),
        words=a.words,
    ),
    "whistle": lambda s, c, a: adjusting.whistle(
        s, c, who=a.who, at=a.at, seen=a.seen, to=list(a.units), words=a.words
    ),
    "remind": lambda s, c, a: adjusting.remind(s, c, who=a.who, at=a.at),
    "recategorise": lambda s, c, a: adjusting.recategorise(
        s,
        c,
        who=a.who,
        at=a.at,
        seen=a.seen,
        category=a.form.get("category", ""),
        words=a.words,
    ),
    "relocate": lambda s, c, a: placing.relocate(
        s, c, who=a.who, at=a.at, seen=a.seen, spot=_spot(s, a), words=a.maybe_words
    ),
    "reject": lambda s, c, a: adjusting.reject(
        s, c, who=a.who, at=a.at, seen=a.seen, words=a.words
    ),
    "duplicate": lambda s, c, a: merging.merge(
        s, c, who=a.who, at=a.at, seen=a.seen, into=_master(s, a), words=a.words
    ),
    "unmerge": lambda s, c, a: merging.unmerge(
        s, c, who=a.who, at=a.at, seen=a.seen, words=a.words
    ),
    "contact": lambda s, c, a: adjusting.contact(s, c, who=a.who, at=a.at, words=a.words),
    "note": lambda s, c, a: adjusting.note(s, c, who=a.who, at=a.at, words=a.words),
}


def act(session: Session, case: Case, verb: str, given: Act) -> None:
    """Do it, or refuse. Verbs that belong to citizens or to the machine are unknown here."""
    doing = DOING.get(verb)
    if doing is None:
        raise NotNow(Verdict(False, "unknown", "没有这个操作", "there is no such move"))
    doing(session, case, given)
