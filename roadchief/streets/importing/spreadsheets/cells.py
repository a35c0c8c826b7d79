"""A cell of a spreadsheet as the text that a person sees. *Pure.*

Numbers keep all their digits where the format would only round them: 0.125 as a percentage is
12.5%, not 13%. Formats that change the digits (dates, percentages, leading zeros) are followed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel
from openpyxl.utils.escape import unescape

from roadchief.lib.text import CONTROL

# Dates of East Asian versions, which the standard numbers but does not spell out.
DATES_UNSPELT = {*range(27, 37), *range(50, 59)}
MOST_DIGITS = 15  # of a number that Excel keeps; what is typed after them becomes 0
DATE, DURATION, PERCENT, PLAIN = "date", "duration", "percent", ""
ZEROS = re.compile(r"0{2,20}")
EXACT = re.compile(r"-?[0-9]{1,30}")


@dataclass
class Styles:
    """Which kind of number each style of a workbook shows."""

    formats: list[int] = field(default_factory=list)  # by style
    spelt: dict[int, str] = field(default_factory=dict)
    since_1904: bool = False
    _kinds: dict[str, str] = field(default_factory=dict)

    def kind(self, style: str) -> str:
        """`date`, `duration`, `percent`, a row of zeros that is filled up, or empty."""
        found = self._kinds.get(style)
        if found is None:
            at = int(style) if EXACT.fullmatch(style) else -1
            if not 0 <= at < len(self.formats):
                return PLAIN
            found = self._kinds[style] = _kind(self.formats[at], self.spelt)
        return found


def _kind(number: int, spelt: Mapping[int, str]) -> str:
    if number in DATES_UNSPELT:
        return DATE
    written = spelt.get(number) or BUILTIN_FORMATS.get(number, "")
    if is_timedelta_format(written):
        return DURATION
    if is_date_format(written):
        return DATE
    first = written.split(";")[0]
    if first.endswith("%"):
        return PERCENT
    return first if ZEROS.fullmatch(first) else PLAIN


def shown(raw: str, sort: str, style: str, styles: Styles) -> str:
    """The text of a cell. `sort` is its `t`: number, truth, error, date or text."""
    if sort == "n":
        return _number(raw, styles.kind(style), styles) if raw else ""
    if sort == "b":
        return "TRUE" if raw.strip() in ("1", "true") else "FALSE"
    return plain(raw)


def plain(raw: str) -> str:
    """A text as it was typed: _x000D_ stands for a character that XML does not hold."""
    return CONTROL.sub("", unescape(raw)) if "_x" in raw else raw


def _number(raw: str, kind: str, styles: Styles) -> str:
    raw = raw.strip()
    try:
        value = float(raw)
    except ValueError:
        return raw
    if kind in (DATE, DURATION):
        return _moment(value, kind, styles) or _digits(raw, value)
    if kind == PERCENT:
        return _digits("", float(f"{value * 100:.15g}")) + "%"
    text = _digits(raw, value)
    return text.zfill(len(kind)) if kind and text.isdigit() else text


def _digits(raw: str, value: float) -> str:
    if abs(value) < 10.0**MOST_DIGITS:
        return str(int(value)) if value.is_integer() else repr(value)
    # Programs may write all digits of a long number; Excel keeps 15 and shows an exponent.
    if EXACT.fullmatch(raw) and raw.lstrip("-")[MOST_DIGITS:].strip("0"):
        return raw
    return f"{value:.15g}".upper()


def _moment(value: float, kind: str, styles: Styles) -> str:
    """A date, time, both or a duration; empty where the number is none."""
    if value < 0:
        return ""
    epoch = MAC_EPOCH if styles.since_1904 else WINDOWS_EPOCH
    try:
        found = from_excel(value, epoch, timedelta=kind == DURATION)
    except (OverflowError, ValueError):
        return ""
    if isinstance(found, timedelta):
        minutes, seconds = divmod(round(found.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if isinstance(found, datetime):
        found = found.replace(microsecond=0)
        midnight = (found.hour, found.minute, found.second) == (0, 0, 0)
        return found.date().isoformat() if midnight else found.isoformat(" ")
    return str(found.replace(microsecond=0).isoformat())
