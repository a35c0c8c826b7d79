"""Chinese and English text: cleaning, numbers, initials, search pieces, masks. *Pure.*"""

import re
import unicodedata
from functools import cache, lru_cache
from itertools import pairwise

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PHRASES_DICT

# Invisible characters that turn, join or hide text; names never need them.
HIDDEN = re.compile(
    "[\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\u3164\ufeff\uffa0]"
)
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
SPACES = re.compile(r"\s+")
# Longer runs of digits are no number of a door, and too long for int().
DIGITS = re.compile(r"([0-9]{1,18})")
DOOR = r"(?<![0-9A-Za-z])([0-9]{1,6})(?:[-—–~至、]([0-9]{1,6}))?(?![0-9])"
HOUSE = re.compile(DOOR + "号")
BARE_HOUSE = re.compile(DOOR + "(?![楼层室座幢国省县])")
LANE = re.compile(r"(?<![0-9])([0-9]{1,6})弄")
# What has no digits but an order: cellar and ground floor, counting words, the ten stems.
RANKS = {"底": 0} | {
    word: rank
    for words in ("零一二三四五六七八九十", "甲乙丙丁戊己庚辛壬癸")
    for rank, word in enumerate(words)
}
CELLAR = re.compile(r"^(?:地下|[Bb][0-9])")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
PHONE = re.compile(
    r"""(?:(?:\+|00)?86[- ]?)?1[3-9][0-9](?:[- ]?[0-9]{4}){2}        # mobile
    |(?:(?:\+|00)86[- ]?[0-9]{2,3}[- ]?|\(?0[0-9]{2,3}\)?[- ]?)?    # area code
     [2-9][0-9]{2,3}[- ]?[0-9]{4}(?:(?:-|转|分机|[ ]?ext\.?[ ]?)[0-9]{1,6})?
    |[48]00[- ]?[0-9]{3}[- ]?[0-9]{4}
    |1[0-9]{2,4}                                                     # 110, 12345""",
    re.VERBOSE,
)


def clean(text: str) -> str:
    """One line of a person's text: full-width forms folded, hidden characters gone."""
    # Nearly all text is clean already, and the tests below are much faster than the mending:
    # hidden and control characters and odd spaces do not count as printable.
    if text.isprintable() and "  " not in text and unicodedata.is_normalized("NFKC", text):
        return text.strip()
    folded = unicodedata.normalize("NFKC", HIDDEN.sub("", CONTROL.sub("", text)))
    return SPACES.sub(" ", folded).strip()


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts 9号 before 12号, 639号-2 before 639号-10, 甲 before 乙, B1 before 底层 before 二层."""
    folded = clean(text)
    key: list[tuple[int, int, str]] = [(-1, 0, "")] if CELLAR.match(folded) else []
    for part in DIGITS.split(folded):
        if DIGITS.fullmatch(part):
            key.append((0, int(part), ""))
        elif part:
            key.extend((1, RANKS.get(word, 99), word) for word in part)
    return tuple(key)


@lru_cache(maxsize=65536)
def house_numbers(text: str) -> tuple[int, int] | None:
    """First and last door number: 12-18号 is (12, 18); 639弄12号 is (639, 639); B1 is None."""
    folded = clean(text)
    lane = LANE.search(folded)
    if lane:
        return int(lane[1]), int(lane[1])
    found = HOUSE.search(folded) or BARE_HOUSE.search(folded)
    if not found:
        return None
    first = int(found[1])
    last = int(found[2]) if found[2] else first
    # 639号-1 is a part of 639, not a range down to 1.
    return first, last if last >= first else first


@lru_cache(maxsize=65536)
def initials(text: str) -> str:
    """Pinyin initials, lower case, for search and codes: 崂山路 is lsl."""
    folded, (letters, odd) = clean(text), readings()
    if odd.isdisjoint(map("".join, pairwise(folded))):
        return folded.translate(letters)
    found = "".join(lazy_pinyin(folded, style=Style.FIRST_LETTER))
    return "".join(map(_plain, found))


def spelled(text: str) -> str:
    """As one types it on a Latin keyboard: 周建国 is zhoujianguo, Li Na is lina."""
    found = "".join(lazy_pinyin(clean(text), style=Style.NORMAL, v_to_u=False))
    return "".join(map(_plain, found))


class Letters(dict[int, str]):
    """The usual initial of each character, for str.translate; looked up once."""

    def __missing__(self, code: int) -> str:
        found = "".join(lazy_pinyin(chr(code), style=Style.FIRST_LETTER))
        self[code] = "".join(map(_plain, found))
        return self[code]


@cache
def readings() -> tuple[Letters, frozenset[str]]:
    """Initials by character, and the pairs that are read otherwise, such as 银行.

    Cutting a text into words takes ten times as long as looking up its characters, and in most
    texts no word makes a difference.
    """
    letters, odd = Letters({10: "\n"}), set()  # many texts are looked up as lines of one
    for phrase, readings in PHRASES_DICT.items():
        usual = [letters[ord(character)] for character in phrase]
        said = ["".join(map(_plain, _bare(one[0])[:1])) for one in readings]
        for at, letter in enumerate(usual):
            if len(said) != len(usual) or said[at] != letter:
                odd.add(phrase[max(at - 1, 0) : max(at - 1, 0) + 2])
    return letters, frozenset(odd)


def _bare(reading: str) -> str:
    """Without its tone: á is a."""
    return unicodedata.normalize("NFD", reading)


def _plain(letter: str) -> str:
    return letter.lower() if letter.isascii() and letter.isalnum() else ""


def pieces(*texts: str | None) -> list[str]:
    """The two-character pieces of texts, each once, in order: what search looks for."""
    found: dict[str, None] = {}
    for text in texts:
        folded = clean(text or "").lower()
        for start in range(len(folded) - 1):
            pair = folded[start : start + 2]
            if " " not in pair:
                found[pair] = None
    return list(found)


def harmless_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(FORMULA) else text


def masked_phone(text: str | None) -> str:
    """138****1234: enough to recognise, too little to call (domain.md §7.5)."""
    if not text:
        return ""
    if len(text) >= 11:
        return text[:3] + "*" * (len(text) - 7) + text[-4:]
    # A local number has few digits: showing seven of eight would hide nothing.
    return "*" * (len(text) - 2) + text[-2:] if len(text) > 6 else "*" * len(text)


def is_phone(text: str) -> bool:
    """A mobile, landline, 400/800 or short number (domain.md §7.3)."""
    return PHONE.fullmatch(clean(text)) is not None
