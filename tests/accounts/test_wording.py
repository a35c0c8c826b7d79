"""Notices read well in both languages, and data cannot play tricks."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from roadchief.accounts import wording
from roadchief.accounts.wording import BadWording

SOURCE = """
["test.case"]
zh.title = "新案件 {number}"
zh.text = "{place}：{what}"
en.title = "New case {number}"
en.text = "{place}: {what}"
"""


def test_a_notice_in_two_languages() -> None:
    kind = wording.parse(SOURCE)["test.case"]
    words = {"number": "WF-1", "place": "崂山路527号", "what": "垃圾", "path": "/desk/cases/1"}
    assert wording.say(kind, words, "zh").title == "新案件 WF-1"
    assert wording.say(kind, words, "en").text == "崂山路527号: 垃圾"
    assert wording.say(kind, words, "fr").title == "新案件 WF-1"
    assert wording.say(kind, words, "zh").path == "/desk/cases/1"
    assert wording.say(kind, {}, "zh").title == "新案件"


def test_a_word_may_differ_by_language() -> None:
    kind = wording.parse(SOURCE)["test.case"]
    words = {"number": "WF-1", "place": "崂山路", "what": "垃圾", "what_en": "rubbish"}
    assert wording.say(kind, words, "en").text == "崂山路: rubbish"
    assert wording.say(kind, words, "zh").text == "崂山路：垃圾"


def test_words_are_only_words() -> None:
    kind = wording.parse(SOURCE)["test.case"]
    tricky = {"number": "{place}\r\nBcc: all@example.cn", "place": "{0.__class__} {what}"}
    told = wording.say(kind, tricky, "zh")
    assert told.title == "新案件 {place} Bcc: all@example.cn"
    assert told.text == "{0.__class__} {what}："


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "[a]\nzh.title = 'x'",
        "[a",
        SOURCE.replace("{number}", "{other}", 1),
        SOURCE.replace("{what}", "{what!r}"),
        SOURCE.replace("{what}", "{what.__class__}"),
    ],
)
def test_bad_data_is_said_at_once(source: str) -> None:
    with pytest.raises(BadWording):
        wording.parse(source)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/desk/1", True),
        ("/", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("https://evil.example", False),
        ("javascript:alert(1)", False),
        ("/a\r\nSet-Cookie: x", False),
        ("/" + "a" * 500, False),
        ("", False),
    ],
)
def test_a_path_stays_on_our_site(path: str, kept: bool) -> None:
    assert ("path" in wording.sound({"path": path})) == kept


@given(some.dictionaries(some.text(max_size=5), some.text(max_size=3000), max_size=4))
def test_any_words_can_be_kept_and_said(words: dict[str, str]) -> None:
    kept = wording.sound(words)
    assert all(len(word) <= wording.LONGEST_WORD and "\0" not in word for word in kept.values())
    told = wording.say(wording.parse(SOURCE)["test.case"], kept, "zh")
    assert len(told.title) <= wording.LONGEST_TITLE
    assert "\n" not in told.title
