"""Names and numbers of the street: roads, segments, storefronts, credit codes. *Pure.*"""

import re
from dataclasses import dataclass

from roadchief.lib.text import clean, house_numbers, initials

PART = re.compile(r"\(.*?\)|(?<=[路街道])[东南西北中]段$")

# At the end of a name, for 天桥路 is a street as any other.
OFF_THE_GROUND = re.compile(
    r"(地道|隧道|高架|高架路|高架道路|匝道|天桥|立交|立交桥)([东南西北]?[出入]口)?$"
)

# GB 32100-2015: no I O Z S V; a character's value is its place.
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
SUBJECT_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714
SUBJECT_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def road_name(text: str) -> str:
    """A road's name without its part: 崂山路（南段） is 崂山路."""
    whole = clean(text)
    return PART.sub("", whole).strip() or whole


def is_on_the_ground(road: str) -> bool:
    """False for tunnels and flyovers: no junction with what they cross, no doors."""
    return OFF_THE_GROUND.search(road_name(road)) is None


def segment_code(road: str, number: int) -> str:
    """LSL-03. Roads may share initials; the register finds a free code."""
    return f"{initials(road_name(road)).upper() or 'R'}-{number:02d}"


def number_stem(subdistrict: str, road: str, house_number: str) -> str:
    """WF-LSL-0639: a human number without its last part, which counts doors of one number."""
    return f"{road_stem(subdistrict, road)}-{door_code(house_number)}"


def road_stem(subdistrict: str, road: str) -> str:
    """WF-LSL: what all human numbers of a road begin with."""
    return f"{subdistrict}-{initials(road).upper() or 'R'}"


def door_code(house_number: str) -> str:
    """0639: the door's number in a human number."""
    numbers = house_numbers(house_number)
    return f"{numbers[0]:04d}" if numbers else "0000"


def human_number(subdistrict: str, road: str, house_number: str, copy: int) -> str:
    """WF-LSL-0639-1 (domain.md §4.3): printed on the plate, no secret."""
    return f"{number_stem(subdistrict, road, house_number)}-{copy}"


@dataclass(frozen=True)
class CodeVerdict:
    """What a unified social credit code looks like. Warn, never block (domain.md §7.2)."""

    fine: bool
    why_zh: str = ""
    why_en: str = ""


def judge_uscc(code: str) -> CodeVerdict:
    """Some real codes fail the check digit, so a doubt is a note and no refusal."""
    text = clean(code).upper()
    if len(text) == 15 and text.isdigit():
        return CodeVerdict(False, "旧15位注册号", "an old 15-digit registration number")
    if len(text) != 18:
        return CodeVerdict(False, f"应为18位，现为{len(text)}位", f"18 characters, not {len(text)}")
    strange = sorted(set(text) - set(USCC_ALPHABET))
    if strange:
        listed = " ".join(strange)
        return CodeVerdict(False, f"含不允许的字符 {listed}", f"characters not allowed: {listed}")
    if uscc_check(text[:17]) != text[17]:
        return CodeVerdict(False, "校验位不符，请核对执照", "the check character does not fit")
    if subject_check(text[8:16]) != text[16]:
        return CodeVerdict(
            False,
            "主体标识码校验位不符，请核对执照",
            "the check character of the subject code does not fit",
        )
    return CodeVerdict(True)


def uscc_check(first_17: str) -> str:
    """The 18th character."""
    total = sum(
        weight * USCC_ALPHABET.index(character)
        for weight, character in zip(USCC_WEIGHTS, first_17, strict=True)
    )
    return USCC_ALPHABET[(31 - total % 31) % 31]


def subject_check(first_8: str) -> str:
    """The 9th character of the subject code inside (GB 11714)."""
    total = sum(
        weight * SUBJECT_ALPHABET.index(character)
        for weight, character in zip(SUBJECT_WEIGHTS, first_8, strict=True)
    )
    rest = 11 - total % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def same_place(one: str, other: str) -> bool:
    """北蔡 and 北蔡镇 are one sub-district; 川沙 is not 川沙新镇's neighbour."""

    def core(text: str) -> str:
        return re.sub(r"(街道办事处|街道|新镇|镇|乡)$", "", clean(text))

    return bool(core(one)) and core(one) == core(other)
