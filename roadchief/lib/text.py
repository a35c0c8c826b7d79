"""Chinese and English text: cleaning, numbers, initials, search pieces, masks. *Pure.*"""

import re
import unicodedata
from functools import lru_cache

from pypinyin import Style, lazy_pinyin

# Invisible characters that turn, join or hide text; names never need them.
HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
SPACES = re.compile(r"\s+")
DIGITS = re.compile(r"\d+")
HOUSE = re.compile(r"(\d+)(?:[-—~至](\d+))?")
CHINESE_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九十")}
LANE = re.compile(r"(\d+)弄")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
PHONE = re.compile(
    r"^(?:\+?86[- ]?)?(1[3-9]\d{9}|0\d{2,3}[- ]?[2-9]\d{6,7}(?:[-转]\d{1,6})?|"
    r"[48]00[- ]?\d{3}[- ]?\d{4}|1\d{2,4})$"
)


def clean(text: str) -> str:
    """One line of a person's text: full-width forms folded, hidden characters gone."""
    folded = unicodedata.normalize("NFKC", HIDDEN.sub("", CONTROL.sub("", text)))
    return SPACES.sub(" ", folded).strip()


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts 9号 before 12号, and 底层 before 二层."""
    key: list[tuple[int, int, str]] = []
    for part in re.split(r"(\d+)", clean(text)):
        if part.isdigit():
            key.append((0, int(part), ""))
        elif part:
            key.append((1, CHINESE_DIGITS.get(part[0], 99), part))
    return tuple(key)


def house_numbers(text: str) -> tuple[int, int] | None:
    """First and last door number: 12-18号 is (12, 18); 639弄12号 is (639, 639); 底层 is None."""
    folded = clean(text)
    lane = LANE.search(folded)
    if lane:
        return int(lane[1]), int(lane[1])
    found = HOUSE.search(folded)
    if not found:
        return None
    first = int(found[1])
    last = int(found[2]) if found[2] else first
    # 639号-1 is a part of 639, not a range down to 1.
    return first, last if last >= first else first


@lru_cache(maxsize=65536)
def initials(text: str) -> str:
    """Pinyin initials, lower case, for search and codes: 崂山路 is lsl."""
    letters = lazy_pinyin(clean(text), style=Style.FIRST_LETTER, errors=lambda rest: list(rest))
    return "".join(letter.lower() for letter in letters if letter.isascii() and letter.isalnum())


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
    return text[:3] + "*" * max(4, len(text) - 7) + text[-4:] if len(text) > 7 else "*" * len(text)


def is_phone(text: str) -> bool:
    """A mobile, landline, 400/800 or short number (domain.md §7.3)."""
    return PHONE.match(clean(text)) is not None
