"""Refusals: families, statuses, sentences in both languages."""

import pytest

from roadchief import errors
from roadchief.errors import BadInput, Refusal, RuleBroken, TooMany, status_of


class TooFar(RuleBroken):
    zh = "距门店 {distance_m:.0f} 米，超过 {limit_m} 米"
    en = "{distance_m:.0f} m from the door, more than {limit_m} m"


def test_the_sentence_comes_from_the_facts() -> None:
    refusal = TooFar(distance_m=61.7, limit_m=50)
    assert refusal.say("zh") == "距门店 62 米，超过 50 米"
    assert refusal.say("en") == "62 m from the door, more than 50 m"
    assert refusal.facts == {"distance_m": 61.7, "limit_m": 50}


def test_a_subclass_has_the_status_of_its_family() -> None:
    assert status_of(TooFar(distance_m=1, limit_m=1)) == 422
    assert status_of(TooMany(retry_s=5)) == 429


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [(30, "30 秒", "30 seconds"), (895, "15 分钟", "15 minutes"), (900, "15 分钟", "15 minutes")],
)
def test_a_long_wait_is_said_in_minutes(seconds: int, zh: str, en: str) -> None:
    refusal = TooMany(retry_s=seconds)
    assert f"请 {zh}后再试" in refusal.say("zh")
    assert refusal.say("en").endswith(f"try again in {en}")
    assert refusal.facts["retry_s"] == seconds


@pytest.mark.parametrize("family", errors.STATUS)
def test_every_family_speaks_both_languages(family: type[Refusal]) -> None:
    facts = {"field": "x", "reason_zh": "错", "reason_en": "wrong", "limit": 1, "retry_s": 1}
    refusal = family(**facts)
    assert any("\u4e00" <= character <= "\u9fff" for character in refusal.say("zh"))
    assert refusal.say("en").isascii()


def test_bad_input_names_the_field() -> None:
    refusal = BadInput(field="门牌", reason_zh="请填写", reason_en="is required")
    assert "门牌" in refusal.say("zh")
