"""Refusals: facts first, the sentence follows from them; one table maps families to status.

A refusal class states its sentence in Chinese and English as templates over its facts:

    class TooFar(RuleBroken):
        zh = "距门店 {distance_m:.0f} 米，超过 {limit_m} 米"
        en = "{distance_m:.0f} m from the door, more than {limit_m} m"

    raise TooFar(distance_m=62, limit_m=50)
"""

import re
from typing import Any

NAMED_TWICE = re.compile(r"(?P<zh>[^\x00-\x7f]+) (?P<en>[a-z][\x20-\x7e]*)")


class Refusal(Exception):
    """Something we do not do, with the facts why. Never a fault of ours."""

    zh = "无法完成此操作"
    en = "This cannot be done"
    challenges: tuple[str, ...] = ()  # WWW-Authenticate: how to show who one is

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.say("en"))

    @property
    def code(self) -> str:
        """A stable name for programs, such as `WrongState`."""
        return type(self).__name__

    def say(self, language: str = "zh") -> str:
        return (self.zh if language.startswith("zh") else self.en).format(**self.facts)


class NotFound(Refusal):
    """Absent, or out of this person's reach: both look the same on purpose."""

    zh = "没有找到"
    en = "Not found"


class Malformed(Refusal):
    """The request cannot be read at all."""

    zh = "请求格式有误"
    en = "The request cannot be read"


class BadInput(Refusal):
    """The request was read, but a field is wrong."""

    zh = "“{field}”填写有误：{reason_zh}"
    en = "{field}: {reason_en}"

    def say(self, language: str = "zh") -> str:
        """A field named in both languages (“位置 place”) is called by the reader's name of it."""
        both = NAMED_TWICE.fullmatch(str(self.facts.get("field", "")))
        if not both:
            return super().say(language)
        field = both["zh"] if language.startswith("zh") else both["en"]
        text = self.zh if language.startswith("zh") else self.en
        return text.format(**self.facts | {"field": field})


class TooLarge(Refusal):
    zh = "内容过大，上限 {limit}"
    en = "Too large, the limit is {limit}"


class NotSignedIn(Refusal):
    zh = "请先登录"
    en = "Please sign in first"
    challenges: tuple[str, ...] = ("Session",)


class NotAllowed(Refusal):
    zh = "您的岗位没有此项权限"
    en = "Your post does not allow this"


class WrongState(Refusal):
    """The thing is not in a state from which this may happen."""

    zh = "当前状态不能进行此操作"
    en = "Not possible in the present state"


class Conflict(Refusal):
    """Somebody else was first."""

    zh = "与已有记录冲突"
    en = "This conflicts with an existing record"


class RuleBroken(Refusal):
    zh = "不符合规则"
    en = "This breaks a rule"


class TooMany(Refusal):
    zh = "操作过于频繁，请 {wait_zh}后再试"
    en = "Too many attempts, try again in {wait_en}"

    def __init__(self, *, retry_s: int, **facts: Any) -> None:
        minutes = -(-retry_s // 60)  # nobody counts 895 seconds
        many = retry_s > 120
        wait_zh = f"{minutes} 分钟" if many else f"{retry_s} 秒"
        wait_en = f"{minutes} minutes" if many else f"{retry_s} seconds"
        super().__init__(retry_s=retry_s, wait_zh=wait_zh, wait_en=wait_en, **facts)


class Unavailable(Refusal):
    """A part that we need does not answer."""

    zh = "服务暂时不可用，请稍后再试"
    en = "Temporarily unavailable, please try again"


# Looked up along the class's ancestry, so a subclass inherits the status of its family.
STATUS: dict[type[Refusal], int] = {
    Malformed: 400,
    NotSignedIn: 401,
    NotAllowed: 403,
    NotFound: 404,
    WrongState: 409,
    Conflict: 409,
    TooLarge: 413,
    BadInput: 422,
    RuleBroken: 422,
    TooMany: 429,
    Unavailable: 503,
    Refusal: 422,
}


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal's nearest family."""
    return next(STATUS[family] for family in type(refusal).__mro__ if family in STATUS)
