"""Columns of text, a batch at a time: cleaned, joined, marked and cut into pieces. *Pure.*

Arrow holds a column as one run of bytes, so what follows works on whole columns; only the odd
cell (hidden characters, full-width forms, quotation marks) is looked at by itself.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from roadchief.lib.text import clean, initials, pieces, readings

Column: TypeAlias = Any  # pyarrow.StringArray; pyarrow brings no types
EXACT = 2.0**53  # whole numbers up to here survive as floats
SPACE, QUOTE, BACKSLASH, COMMA, OPEN, LINE_END = 32, 34, 92, 44, 123, 10


def of(texts: Iterable[str | None]) -> Column:
    """A column of plain texts."""
    return pa.array(texts, pa.string())


def blank(count: int) -> Column:
    return pa.repeat("", count)


def cleaned(column: Column) -> Column:
    """Any column of a file as clean texts; what is missing becomes the empty text."""
    if pa.types.is_integer(column.type):
        return pc.fill_null(pc.cast(column, pa.string()), "")
    if pa.types.is_floating(column.type):
        return _whole_numbers(column)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return of([_text(value) for value in column.to_pylist()])
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:  # not UTF-8: shown as � rather than refused
        raw = column.cast(pa.binary()).to_pylist()
        column = of([None if one is None else one.decode("utf-8", "replace") for one in raw])
    column = pc.fill_null(pc.cast(column, pa.string()), "")
    odd = pc.invert(
        pc.and_(pc.utf8_is_printable(column), pc.equal(pc.utf8_normalize(column, "NFKC"), column))
    )
    odd = pc.or_(odd, pc.match_substring(column, "  "))
    # An empty text counts as not printable here.
    odd = pc.and_(odd, pc.not_equal(column, ""))
    mended = of([clean(text) for text in column.filter(odd).to_pylist()])
    return pc.utf8_trim_whitespace(pc.replace_with_mask(column, odd, mended))


def numbers(column: Column) -> NDArray[np.float64]:
    """Longitudes or latitudes of a table; NaN where the cell holds no number."""
    try:
        plain = pc.utf8_trim_whitespace(column) if pa.types.is_string(column.type) else column
        found = pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False)
        return np.array(found, dtype=np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return np.array([_number(value) for value in column.to_pylist()], dtype=np.float64)


def joined(parts: Sequence[Column | str], separator: str | bytes = "") -> Column:
    """Row by row the texts of several columns in one; a plain text stands in every row."""
    return pc.binary_join_element_wise(*parts, separator)


def either(first: Column, second: Column) -> Column:
    """The first text where there is one, else the second."""
    return pc.if_else(pc.equal(first, ""), second, first)


def marks(texts: Sequence[Column], figures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """63 bits for the content of each row: equal means unchanged. `figures` are bytes a row."""
    size = figures.shape[1]
    whole = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(size), len(figures), [None, pa.py_buffer(np.ascontiguousarray(figures))]
    )
    rows = joined([*(one.cast(pa.binary()) for one in texts), whole.cast(pa.binary())], b"\x1f")
    digest = b"".join([hashlib.blake2b(row, digest_size=8).digest() for row in rows.to_pylist()])
    return (np.frombuffer(digest, dtype=">u8") >> 1).astype(np.int64)


def hex_texts(raw: NDArray[np.uint8]) -> Column:
    """Rows of bytes as hexadecimal texts."""
    count, size = raw.shape
    offsets = np.arange(count + 1, dtype=np.int32) * (size * 2)
    data = np.ascontiguousarray(raw).tobytes().hex().encode("ascii")
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(data))


def initials_of(column: Column) -> Column:
    """Pinyin initials of clean texts, as `lib.text.initials` has them."""
    texts = column.to_pylist()
    if not texts:
        return column
    whole = "\n".join(texts)
    found = whole.translate(readings()[0]).split("\n")
    codes = np.frombuffer(whole.encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
    row_of = np.cumsum(codes == LINE_END)
    # Where a word may be read otherwise than its characters, the row is looked at by itself.
    odd = np.isin(_pairs(codes), _odd_pairs())
    for row in np.unique(row_of[:-1][odd]):
        found[row] = initials(texts[row])
    return of(found)


def _pairs(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    return codes[:-1] << 32 | codes[1:]


@cache
def _odd_pairs() -> NDArray[np.int64]:
    return np.array([ord(pair[0]) << 32 | ord(pair[1]) for pair in readings()[1]], dtype=np.int64)


def pieces_literal(texts: Sequence[Column]) -> Column:
    """The two-character pieces of each row's texts as an array literal of PostgreSQL.

    The same pieces as `lib.text.pieces`; one that occurs twice may be listed twice.
    """
    rows = pc.utf8_lower(joined([*texts, ""], " "))  # every row ends with a space
    count = len(rows)
    codes = np.frombuffer("".join(rows.to_pylist()).encode("utf-32-le"), dtype=np.uint32)
    row_of = np.repeat(np.arange(count), pc.utf8_length(rows).to_numpy(zero_copy_only=False))
    first = np.flatnonzero((codes[:-1] != SPACE) & (codes[1:] != SPACE))
    row = row_of[first]
    cells = np.empty((len(first), 5), dtype=np.uint32)
    cells[:, 0], cells[:, 1], cells[:, 4] = COMMA, QUOTE, QUOTE
    cells[:, 2], cells[:, 3] = codes[first], codes[first + 1]
    cells[np.flatnonzero(np.diff(row, prepend=-1)), 0] = OPEN
    widths = 3 + _width(cells[:, 2]) + _width(cells[:, 3])
    ends = np.cumsum(np.bincount(row, weights=widths, minlength=count))
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    data = cells.tobytes().decode("utf-32-le").encode("utf-8")
    literal = pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(data))
    literal = joined([either(literal, blank_literal(count)), "}"])
    odd = np.zeros(count, dtype=bool)
    odd[row_of[(codes == QUOTE) | (codes == BACKSLASH)]] = True
    if not odd.any():
        return literal
    mended = [_quoted(pieces(text)) for text in rows.filter(pa.array(odd)).to_pylist()]
    return pc.replace_with_mask(literal, pa.array(odd), of(mended))


def blank_literal(count: int) -> Column:
    return pa.repeat("{", count)


def _width(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Bytes of each character in UTF-8."""
    return 1 + (codes >= 0x80).astype(np.int64) + (codes >= 0x800) + (codes >= 0x10000)


def _quoted(found: list[str]) -> str:
    inner = (one.replace("\\", "\\\\").replace('"', '\\"') for one in found)
    return "{" + ",".join(f'"{one}"' for one in inner) + "}"


def _whole_numbers(column: Column) -> Column:
    """Ids and house numbers that a program kept as 12.0 are 12."""
    values = column.to_numpy(zero_copy_only=False)
    if np.isnan(values).any() or (np.abs(values) >= EXACT).any() or (values % 1 != 0).any():
        return of([_text(value) for value in column.to_pylist()])
    return pc.cast(pa.array(values.astype(np.int64)), pa.string())


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return clean(str(value))


def _number(value: Any) -> float:
    try:
        return float(str(value).strip())
    except ValueError:
        return float("nan")
