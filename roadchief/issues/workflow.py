"""What may happen to a case: asked by verbs, buttons and tests; the table is moves.py. *Pure.*"""

from collections.abc import Iterable
from dataclasses import dataclass

from roadchief.issues.moves import (
    BACK,
    BY_VERB,
    CENTRE,
    CHIEF,
    CODE,
    LEADERS,
    MERCHANT,
    MOVES,
    PATROL,
    PHOTO,
    STATES,
    STAY,
    UNIT,
    Move,
)

# The widest button: what usually comes next in each state.
FIRST = {
    "reported": "inspect",
    "verifying": "open",
    "open": "dispatch",
    "notified_merchant": "fix",
    "assigned": "accept",
    "in_progress": "submit",
    "submitted": "check",
    "checking": "close",
    "deferred": "resume",
    "reopened": "accept",
    "duplicate": "unmerge",
}


@dataclass(frozen=True)
class Facts:
    """What a rule must know of a case beside its state."""

    state: str
    came_from: str | None = None
    has_unit: bool = False
    mine: bool = False  # in the hands of who asks
    has_keeper: bool = False
    open_children: tuple[str, ...] = ()
    time_asked: bool = False
    waiting: bool = False
    needs_photo: bool = True
    needs_code: bool = False


@dataclass(frozen=True)
class Verdict:
    """May it be done? `reason` is a key; `zh` and `en` are the sentence with facts."""

    allowed: bool
    reason: str = "ok"
    zh: str = ""
    en: str = ""


OK = Verdict(True)


def parts_of(
    roles: Iterable[str],
    *,
    in_unit: bool = False,
    keeper: bool = False,
    chief_roles: frozenset[str] = frozenset(),
) -> frozenset[str]:
    """The parts that a person plays in one case."""
    held = set(roles)
    parts = set()
    if "operator" in held:
        parts.add(CENTRE)
    if held & chief_roles:
        parts.add(CHIEF)
    if "patroller" in held or "segment_chief" in held:
        parts.add(PATROL)
    if in_unit and "officer" in held:
        parts.add(UNIT)
    if keeper:
        parts.add(MERCHANT)
    return frozenset(parts)


def judge(verb: str, parts: Iterable[str], facts: Facts) -> Verdict:
    """Is this move possible now, for somebody who plays these parts?"""
    move = BY_VERB.get(verb)
    if move is None:
        return Verdict(False, "unknown", "没有这个操作", "there is no such move")
    if not move.who & set(parts):
        return Verdict(False, "who", f"您不能“{move.zh}”", f"{move.en} is not yours to do")
    if verb == "relocate" and facts.state == "notified_merchant" and not LEADERS & set(parts):
        return Verdict(
            False,
            "told",
            "已告知商户，由城运中心或路长改位置",
            "a merchant was told: the centre or a chief moves it",
        )
    if facts.state not in move.frm:
        zh, en = STATES.get(facts.state, (facts.state, facts.state))
        return Verdict(
            False, "state", f"案件“{zh}”，不能“{move.zh}”", f"the case is {en}: no {move.en}"
        )
    return _circumstances(verb, facts)


def moves_for(parts: Iterable[str], facts: Facts) -> list[Move]:
    """The buttons: what these parts may do now, the usual next one first."""
    held = frozenset(parts)
    found = [move for move in MOVES if judge(move.verb, held, facts).allowed]
    return sorted(found, key=lambda move: (move.verb != FIRST.get(facts.state), move.ends))


def target(verb: str, facts: Facts) -> str:
    """The state after the move."""
    to = BY_VERB[verb].to
    if to == STAY:
        return facts.state
    return (facts.came_from or "open") if to == BACK else to


def needs(verb: str, facts: Facts) -> frozenset[str]:
    """What the form must ask, for this case."""
    wanted = set(BY_VERB[verb].needs)
    if not facts.needs_photo and verb == "submit":
        wanted.discard(PHOTO)
    if not facts.needs_code:
        wanted.discard(CODE)
    return frozenset(wanted)


def _circumstances(verb: str, facts: Facts) -> Verdict:
    if verb == "notify" and not facts.has_keeper:
        return Verdict(
            False, "nobody", "该铺位没有可告知的商户", "no merchant can be told at this place"
        )
    if verb == "accept" and not facts.has_unit:
        return Verdict(False, "no_unit", "还没有责任单位", "no unit is responsible yet")
    if verb == "take_over" and facts.mine:
        return Verdict(False, "yours", "已由您办理", "it is in your hands already")
    if verb == "close" and facts.open_children:
        names = "、".join(facts.open_children)
        return Verdict(False, "children", f"子案件未结：{names}", f"still open below it: {names}")
    if verb in {"grant_time", "refuse_time"} and not facts.time_asked:
        return Verdict(False, "not_asked", "没有延期申请", "nobody asked for time")
    if verb == "ask_time" and facts.time_asked:
        return Verdict(False, "asked", "已有延期申请", "time has been asked for already")
    if verb == "answer" and not facts.waiting:
        return Verdict(False, "not_asked", "没有待回答的问题", "no question waits")
    if verb == "ask" and facts.waiting:
        return Verdict(False, "asked", "已在等反映人回答", "the reporter has been asked already")
    return OK
