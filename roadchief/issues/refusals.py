"""What cases refuse, with the facts why."""

from typing import Any

from roadchief.errors import BadInput, Conflict, NotFound, RuleBroken, WrongState
from roadchief.issues.workflow import Verdict


class NotNow(WrongState):
    """The table of moves says no; the sentence is the table's."""

    zh = "{why_zh}"
    en = "{why_en}"

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(why_zh=verdict.zh, why_en=verdict.en, reason=verdict.reason)


class PageIsOld(Conflict):
    """Somebody acted after the page was drawn. `newer` tells what; the asker's words are kept."""

    zh = "此页面打开后，案件已有新进展：{newer}。您写的内容已保留，请看过后再操作"
    en = "The case moved on after this page was opened: {newer}. Your words are kept; look again"


class SomebodyWorksOnIt(Conflict):
    zh = "案件 {number} 正由他人办理，请稍后再试"
    en = "somebody else is working on case {number} just now, try again in a moment"


class NoSuchCase(NotFound):
    zh = "没有找到这个案件"
    en = "There is no such case"


class WrongPin(NotFound):
    """The same for an unknown receipt: guessing learns nothing."""

    zh = "回执号或密码不正确"
    en = "The receipt number or PIN is not right"


class OutsideHere(BadInput):
    def __init__(self) -> None:
        super().__init__(
            field="位置 place",
            reason_zh="不在本街道范围内",
            reason_en="is outside this sub-district",
        )


class Permitted(RuleBroken):
    zh = "此处此时属许可外摆“{name}”，不构成跨门经营"
    en = "outdoor trade is permitted here at this hour ({name})"


class MergeCycle(RuleBroken):
    zh = "案件 {number} 已并入其他案件，不能再作为主案件"
    en = "case {number} is merged into another and cannot take this one"


class TooManyChildren(RuleBroken):
    zh = "一个案件最多拆分 {most} 个子案件，且只分一层"
    en = "a case has at most {most} parts, one level deep"


class AlreadyRated(Conflict):
    zh = "这次结案已评价过"
    en = "this closing has been rated already"


def bad(field: str, zh: str, en: str) -> BadInput:
    """A field of a form that cannot be used."""
    facts: dict[str, Any] = {"field": field, "reason_zh": zh, "reason_en": en}
    return BadInput(**facts)
