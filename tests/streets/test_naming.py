"""Names of roads, numbers of segments and doors, credit codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadchief.streets import naming


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("崂山路", "崂山路"),
        ("崂山路（南段）", "崂山路"),
        ("崂山路(南段)", "崂山路"),
        ("崂山路南段", "崂山路"),
        ("世纪大道东段", "世纪大道"),
        ("浦东南路", "浦东南路"),
        ("　崂山路 ", "崂山路"),
        ("Laoshan Rd", "Laoshan Rd"),
        ("（南段）", "(南段)"),
        ("", ""),
    ],
)
def test_a_part_of_a_road_bears_its_name(written: str, name: str) -> None:
    assert naming.road_name(written) == name


def test_numbers_say_where_they_are() -> None:
    assert naming.segment_code("崂山路", 3) == "LSL-03"
    assert naming.segment_code("崂山路（南段）", 3) == "LSL-03"
    assert naming.segment_code("？", 3) == "R-03"
    assert naming.human_number("WF", "崂山路", "639号", 1) == "WF-LSL-0639-1"
    assert naming.human_number("WF", "崂山路", "底层", 2) == "WF-LSL-0000-2"


@pytest.mark.parametrize(
    ("road", "on_the_ground"),
    [
        ("崂山路", True),
        ("人民路隧道", False),
        ("浦东大道地道", False),
        ("内环高架路", False),
        ("银城中路匝道出口", False),
        ("延安东路隧道（北线）", False),
        ("天桥路", True),
        ("延安高架路地面道路", True),
    ],
)
def test_tunnels_and_flyovers_make_no_junction(road: str, on_the_ground: bool) -> None:
    assert naming.is_on_the_ground(road) is on_the_ground


@pytest.mark.parametrize(
    "code",
    [
        "91350200MA2YJ1XR9G",
        "91350200776049653A",
        "91440101MA5CJQ4N59",
        "913502000728319549",
        "92310115MA1TE5T0X0",
        "91310115MA1AAAA11E",
        "92310115MA1BBBB250",
        "52310115MJ0CCCC3X1",
        " 92310115ma1te5t0x0 ",
    ],
)
def test_good_credit_codes(code: str) -> None:
    assert naming.judge_uscc(code).fine


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("91350203M0001QAY9B", "校验位"),  # real, and fails: a warning is all we give
        ("92310115MA1TE5T0X", "18位"),
        ("310115600123456", "旧15位"),
        ("9231O115MA1TE5T0X0", "不允许"),
        ("92310115MA1TE5T1X" + naming.uscc_check("92310115MA1TE5T1X"), "主体"),
        ("", "18位"),
    ],
)
def test_doubtful_credit_codes_say_why(code: str, why: str) -> None:
    verdict = naming.judge_uscc(code)
    assert not verdict.fine
    assert why in verdict.why_zh
    assert verdict.why_en


@given(st.text(max_size=40))
def test_any_text_gets_a_verdict(code: str) -> None:
    naming.judge_uscc(code)
    naming.road_name(code)
    naming.human_number("WF", code, code, 1)


@given(st.text(alphabet=naming.USCC_ALPHABET, min_size=17, max_size=17), st.integers(0, 16))
def test_one_wrong_character_is_seen(first_17: str, place: int) -> None:
    check = naming.uscc_check(first_17)
    other = naming.USCC_ALPHABET[(naming.USCC_ALPHABET.index(first_17[place]) + 1) % 31]
    assert naming.uscc_check(first_17[:place] + other + first_17[place + 1 :]) != check
