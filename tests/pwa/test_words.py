"""Chinese first, English complete, for the sentences in scripts too."""

import re

from tests.pwa.scripts import PATROL, javascript

UNTRANSLATED = {"中文", "巡"}
CHINESE = re.compile("[一-鿿]")


def sentences() -> set[str]:
    """Every Chinese text between quotation marks in the app's scripts."""
    found = set()
    for path in sorted(PATROL.rglob("*.js")):
        if path.name == "english.js":
            continue
        text = path.read_text(encoding="utf-8").replace("image/*", "image")
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        text = re.sub(r"(^|\s)//.*", "", text)
        found |= {one for one in re.findall(r'"((?:[^"\\\n]|\\.)*)"', text) if CHINESE.search(one)}
    return found - UNTRANSLATED


def english() -> dict[str, str]:
    return dict(javascript("return Object.entries((await load('english.js')).ENGLISH);"))


def test_every_sentence_has_its_english_and_none_is_left_over() -> None:
    known = english()
    assert len(known) > 200
    assert sorted(sentences() - set(known)) == []
    assert sorted(set(known) - sentences()) == []


def test_english_says_the_same_facts() -> None:
    for chinese, said in english().items():
        assert said, chinese
        assert not CHINESE.search(said), said
        assert sorted(re.findall(r"\{\w+\}", chinese)) == sorted(re.findall(r"\{\w+\}", said)), (
            chinese
        )
