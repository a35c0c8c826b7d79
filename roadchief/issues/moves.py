"""The table of moves: where a case may stand, and what takes it from there. *Pure.*

States are where a case stands; steps that leave it where it was (more time, hand-over, rating,
notes) have `to=STAY`. Who acts is told by parts (`CENTRE`, `UNIT` …); workflow.py asks the table.
"""

from collections.abc import Iterable
from dataclasses import dataclass

# Where a case stands: key, Chinese, English.
STATES: dict[str, tuple[str, str]] = {
    "reported": ("已收到", "Received"),
    "verifying": ("核实中", "Being verified"),
    "rejected": ("不予受理", "Not taken up"),
    "duplicate": ("重复", "Duplicate"),
    "open": ("已立案", "Open"),
    "notified_merchant": ("已告知商户", "Merchant told"),
    "assigned": ("已派遣", "Assigned"),
    "in_progress": ("处置中", "In progress"),
    "submitted": ("已处置待核查", "Done, to be checked"),
    "checking": ("核查中", "Being checked"),
    "deferred": ("挂账", "Deferred"),
    "reopened": ("重新打开", "Reopened"),
    "closed": ("已结案", "Closed"),
}
ENDED = frozenset({"rejected", "duplicate", "closed"})
LIVE = frozenset(STATES) - ENDED
# How a case ended. Only the first two count as solved.
CLOSINGS: dict[str, tuple[str, str]] = {
    "fixed_by_merchant": ("商户已整改", "Fixed by the merchant"),
    "fixed_by_unit": ("单位已处置", "Fixed by the unit"),
    "not_found": ("现场未发现", "Not found on site"),
    "not_ours": ("不属本街道", "Not ours"),
    "no_action": ("无需处置", "No action needed"),
    "withdrawn": ("反映人撤回", "Withdrawn"),
}
SOLVED = frozenset({"fixed_by_merchant", "fixed_by_unit"})

# Who acts.
CITIZEN, MERCHANT, UNIT, CENTRE, CHIEF, PATROL, SYSTEM = (
    *("citizen", "merchant", "unit", "centre"),
    *("chief", "patrol", "system"),
)
# What a move needs from whoever makes it.
REASON, PHOTO, TARGET, DAYS, KIND, CATEGORY, CODE, PLACE = (
    *("reason", "photo", "target", "days", "kind"),
    *("category", "inspection_code", "place"),
)
STAY, BACK = "=", "<"  # where it was; where it came from


@dataclass(frozen=True)
class Move:
    """One line of the table. `starts` names what the move sets off; `danger` marks an end."""

    verb: str
    zh: str
    en: str
    frm: frozenset[str]
    to: str
    who: frozenset[str]
    needs: frozenset[str] = frozenset()
    starts: frozenset[str] = frozenset()
    ends: bool = False

    def say(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


def _move(
    verb: str,
    words: tuple[str, str],
    frm: Iterable[str],
    to: str,
    who: Iterable[str],
    *,
    needs: Iterable[str] = (),
    starts: Iterable[str] = (),
    ends: bool = False,
) -> Move:
    return Move(
        verb,
        *words,
        frozenset(frm),
        to,
        frozenset(who),
        frozenset(needs),
        frozenset(starts),
        ends,
    )


HANDS = {"assigned", "in_progress", "reopened"}
LEADERS = {CENTRE, CHIEF}
MOVES: tuple[Move, ...] = (
    # Citizen and media reports are first verified on the spot (domain.md §6.2).
    _move("inspect", ("去核实", "Verify"), {"reported"}, "verifying", {CENTRE, CHIEF, PATROL}),
    _move(
        "open",
        ("立案", "Open the case"),
        {"reported", "verifying"},
        "open",
        {CENTRE, CHIEF, SYSTEM},
        starts={"clock", "route"},
    ),
    _move(
        "notify",
        ("先告知商户", "Tell the merchant first"),
        {"open", "reopened"},
        "notified_merchant",
        {CENTRE, CHIEF, SYSTEM},
        starts={"merchant_timer", "tell_merchant"},
    ),
    _move(
        "dispatch",
        ("派遣", "Dispatch"),
        {"open", "notified_merchant", "reopened"},
        "assigned",
        {CENTRE, CHIEF, SYSTEM},
        needs={TARGET},
        starts={"tell_unit"},
    ),
    _move(
        "accept",
        ("接收", "Accept"),
        {"assigned", "reopened"},
        "in_progress",
        {UNIT},
        starts={"first_contact_due"},
    ),
    # Somebody is ill or on leave: another of the unit goes on, and it is their case from then on.
    _move("take_over", ("接手办理", "Take it over"), {"in_progress"}, STAY, {UNIT}),
    _move(
        "submit",
        ("现场处置完成", "Work is done"),
        {"in_progress"},
        "submitted",
        {UNIT},
        needs={REASON, PHOTO, CODE},
        starts={"tell_chief"},
    ),
    _move(
        "fix",
        ("已整改，传照片", "Fixed: send a photo"),
        {"notified_merchant"},
        "submitted",
        {MERCHANT},
        needs={PHOTO},
        starts={"tell_chief"},
    ),
    _move(
        "object",
        ("有异议", "Object"),
        {"notified_merchant"},
        "open",
        {MERCHANT},
        needs={REASON},
        starts={"tell_centre"},
    ),
    _move("check", ("去核查", "Check on site"), {"submitted"}, "checking", {CENTRE, CHIEF, PATROL}),
    _move(
        "close",
        ("结案", "Close"),
        {"open", "submitted", "checking", "verifying", "notified_merchant"},
        "closed",
        LEADERS,
        needs={KIND, REASON},
        starts={"ask_satisfaction"},
        ends=True,
    ),
    _move(
        "send_back",
        ("核查未过，退回", "Not fixed: send back"),
        {"submitted", "checking"},
        "reopened",
        {CENTRE, CHIEF, PATROL},
        needs={REASON},
        starts={"tell_unit"},
    ),
    _move(
        "reopen",
        ("重新打开", "Reopen"),
        {"closed", "rejected"},
        "reopened",
        {CENTRE, CHIEF, CITIZEN},
        needs={REASON},
        starts={"clock", "tell_unit"},
    ),
    _move(
        "return",
        ("退回，写理由", "Return"),
        {"assigned", "in_progress", "reopened"},
        "open",
        {UNIT},
        needs={REASON},
        starts={"tell_centre"},
    ),
    _move(
        "transfer",
        ("转给其他单位", "Hand over"),
        HANDS,
        STAY,
        {UNIT, CENTRE, CHIEF},
        needs={TARGET, REASON},
        starts={"tell_unit"},
    ),
    _move(
        "ask_time",
        ("申请延期", "Ask for time"),
        {"assigned", "in_progress"},
        STAY,
        {UNIT},
        needs={DAYS, REASON},
        starts={"tell_centre"},
    ),
    _move(
        "grant_time",
        ("准予延期", "Grant the time"),
        {"assigned", "in_progress"},
        STAY,
        LEADERS,
        starts={"clock"},
    ),
    _move(
        "refuse_time",
        ("不准延期", "Refuse the time"),
        {"assigned", "in_progress"},
        STAY,
        LEADERS,
        needs={REASON},
    ),
    _move(
        "defer",
        ("挂账", "Defer"),
        {"open", "assigned", "in_progress", "reopened"},
        "deferred",
        LEADERS,
        needs={REASON},
        starts={"pause"},
    ),
    _move("resume", ("恢复办理", "Resume"), {"deferred"}, BACK, LEADERS, starts={"clock"}),
    _move(
        "ask",
        ("问反映人", "Ask the reporter"),
        {"verifying", "assigned", "in_progress"},
        STAY,
        {UNIT, CENTRE, CHIEF},
        needs={REASON},
        starts={"pause"},
    ),
    _move(
        "answer",
        ("回答", "Answer"),
        {"verifying", "assigned", "in_progress"},
        STAY,
        {CITIZEN, SYSTEM},
        needs={REASON},
        starts={"clock"},
    ),
    _move(
        "split",
        ("拆分子案件", "Split"),
        {"open", "assigned", "in_progress"},
        STAY,
        {UNIT, CENTRE, CHIEF},
        needs={CATEGORY, REASON},
    ),
    _move(
        "whistle",
        ("吹哨，请单位协同", "Call units together"),
        LIVE - {"reported", "verifying"},
        STAY,
        LEADERS,
        needs={TARGET, REASON},
        starts={"tell_unit"},
    ),
    _move("remind", ("催办", "Remind"), HANDS | {"notified_merchant"}, STAY, LEADERS),
    _move(
        "recategorise",
        ("改类别", "Change the category"),
        LIVE - {"submitted", "checking"},
        STAY,
        LEADERS,
        needs={CATEGORY, REASON},
        starts={"clock"},
    ),
    # Words alone led nowhere, or to the wrong door: the shop that was told is let go (placing.py).
    _move(
        "relocate",
        ("定位置", "Set the place"),
        LIVE - {"submitted", "checking"},
        STAY,
        {CENTRE, CHIEF, UNIT},
        needs={PLACE},
    ),
    _move(
        "reject",
        ("不予受理", "Do not take up"),
        {"reported", "verifying", "open"},
        "rejected",
        LEADERS,
        needs={REASON},
        ends=True,
    ),
    _move(
        "duplicate",
        ("并入另一案件", "Merge into another"),
        {"reported", "verifying", "open", "notified_merchant"} | HANDS,
        "duplicate",
        LEADERS | {UNIT},
        needs={TARGET, REASON},
        ends=True,
    ),
    _move(
        "unmerge",
        ("取消合并", "Undo the merge"),
        {"duplicate"},
        BACK,
        LEADERS,
        needs={REASON},
        starts={"clock"},
    ),
    _move(
        "withdraw",
        ("撤回", "Withdraw"),
        {"reported", "verifying", "open"},
        "closed",
        {CITIZEN},
        ends=True,
    ),
    _move("rate", ("评价", "Rate"), {"closed"}, STAY, {CITIZEN}),
    _move(
        "contact",
        ("答复反映人", "Write to the reporter"),
        STATES,
        STAY,
        {UNIT, CENTRE, CHIEF},
        needs={REASON},
    ),
    _move(
        "note",
        ("内部备注", "Internal note"),
        STATES,
        STAY,
        {UNIT, CENTRE, CHIEF, PATROL},
        needs={REASON},
    ),
)
BY_VERB = {move.verb: move for move in MOVES}
