"""Cleaning, door numbers, search pieces, masks."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PHRASES_DICT

from roadchief.lib import text


@pytest.mark.parametrize(
    ("dirty", "plain"),
    [
        ("　崂山路　６３９号 ", "崂山路 639号"),
        ("崂山\u200b路\u202e", "崂山路"),
        ("a\x00b\ud800", "ab"),
        ("一\n二\t三", "一 二 三"),
        ("ㅤ", ""),
        ("阿卜杜拉·买买提", "阿卜杜拉·买买提"),
        ("𠮷野家", "𠮷野家"),
    ],
)
def test_clean(dirty: str, plain: str) -> None:
    assert text.clean(dirty) == plain


@given(st.text())
def test_any_text_becomes_one_line_that_can_be_stored(dirty: str) -> None:
    plain = text.clean(dirty)
    plain.encode("utf-8")
    assert "\x00" not in plain
    assert len(plain.splitlines()) <= 1
    assert text.clean(plain) == plain


@pytest.mark.parametrize(
    ("address", "numbers"),
    [
        ("639号", (639, 639)),
        ("639号-1", (639, 639)),
        ("639-1号", (639, 639)),
        ("639号甲", (639, 639)),
        ("639弄12号", (639, 639)),
        ("１２－１８号", (12, 18)),
        ("12至18号", (12, 18)),
        ("12、14号", (12, 14)),
        ("639", (639, 639)),
        ("318国道55号", (55, 55)),
        ("S20外环路12号", (12, 12)),
        ("639号2楼101室", (639, 639)),
        ("底层", None),
        ("一层", None),
        ("2楼", None),
        ("B1", None),
        ("", None),
        ("9" * 5000, None),
    ],
)
def test_door_numbers(address: str, numbers: tuple[int, int] | None) -> None:
    assert text.house_numbers(address) == numbers


@pytest.mark.parametrize(
    "in_order",
    [
        ["9号", "12号", "101号"],
        ["639号", "639号-1", "639号-2", "639号-10", "640号"],
        ["639号甲", "639号乙", "639号丙"],
        ["639弄2号", "639弄12号", "640弄1号"],
        ["B1", "底层", "一层", "二层"],
    ],
)
def test_doors_sort_as_people_count_them(in_order: list[str]) -> None:
    assert sorted([*in_order[1:], in_order[0]], key=text.natural_key) == in_order


@given(st.lists(st.text(alphabet="0123456789号-甲乙弄层底B፩²", max_size=30), max_size=5))
def test_any_addresses_can_be_sorted(addresses: list[str]) -> None:
    sorted([*addresses, "7" * 5000], key=text.natural_key)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("崂山路", "lsl"),
        ("潍坊路", "wfl"),
        ("重庆路", "cql"),
        ("Laoshan Rd", "laoshanrd"),
        ("", ""),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert text.initials(name) == letters


def test_search_pieces_are_pairs_without_repeats() -> None:
    assert text.pieces("好好好茶", None, "Tea 1") == ["好好", "好茶", "te", "ea"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＠", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(start: str) -> None:
    assert text.harmless_cell(f"{start}1+1") == f"'{start}1+1"


def test_plain_cells_stay() -> None:
    assert text.harmless_cell("崂山路=") == "崂山路="


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13812345678", "138****5678"),
        ("021-58881234", "021*****1234"),
        ("58881234", "******34"),
        ("12345", "*****"),
        ("", ""),
        (None, ""),
    ],
)
def test_masked_phones(phone: str | None, masked: str) -> None:
    assert text.masked_phone(phone) == masked


@given(st.text(min_size=1, max_size=30))
def test_a_mask_hides_at_least_four_signs(phone: str) -> None:
    assert text.masked_phone(phone).count("*") >= min(4, len(phone))


@pytest.mark.parametrize(
    "phone",
    [
        "13812345678",
        "+86 138 1234 5678",
        "0086-13812345678",
        "１３８１２３４５６７８",
        "021-58881234",
        "(021)58881234",
        "+86 21 5888 1234",
        "58881234",
        "021-58881234转801",
        "400-820-8820",
        "12345",
        "110",
    ],
)
def test_phones(phone: str) -> None:
    assert text.is_phone(phone)


@pytest.mark.parametrize("phone", ["", "12", "138123456789", "12812345678", "021-18881234", "电话"])
def test_not_phones(phone: str) -> None:
    assert not text.is_phone(phone)


def test_initials_are_those_of_the_words_not_of_the_characters() -> None:
    assert text.initials("银行") == "yh"
    assert text.initials("行人") == "xr"
    dice = random.Random(5)
    phrases = list(PHRASES_DICT)
    made = ["".join(dice.choice(phrases) for _ in range(3)) + "A店3号ß" for _ in range(1500)]
    for name in [*dice.sample(phrases, 1500), *made]:
        letters = "".join(lazy_pinyin(text.clean(name), style=Style.FIRST_LETTER))
        slowly = "".join(one.lower() for one in letters if one.isascii() and one.isalnum())
        assert text.initials(name) == slowly, name
