"""QR symbols for plates: version 4, level H, alphanumeric. *Pure.*

Level H on the smallest version that holds an address with a random token outlives stickers and
scratches better than any longer text (a signature, say) on the same plate.

A QR symbol is linear over GF(2) in the bits of its text: so the `qrcode` package is asked once for
the symbol of every single bit, and from then on a batch of symbols is one product of matrices. The
mask is chosen by the standard's four penalty rules as the package applies them, for all eight
masks of a batch at once, with the rows packed into machine words. Tests hold the outcome against
the package's own, module by module.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from qrcode import QRCode, base, constants, util
from qrcode.util import BitBuffer

from roadchief.errors import BadInput

VERSION = 4
SIZE = 17 + 4 * VERSION  # modules a side
QUIET = 4  # modules that stay light around the symbol, as the standard asks
MOST_CHARACTERS = 50  # what 4-H holds in alphanumeric mode
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
WORTH = {character: value for value, character in enumerate(ALPHABET)}
DATA_BYTES = 36
DATA_BITS = DATA_BYTES * 8
BATCH = 256

Modules = NDArray[np.bool_]
Words = NDArray[np.uint64]


class TooLongForSymbol(BadInput):
    zh = "“{text}”放不进 4-H 规格的二维码：{reason_zh}。网址须大写且主机名不超过 21 个字符"
    en = "{text!r} does not fit a version 4-H symbol: {reason_en}. The host may have 21 characters"


def fits(text: str) -> bool:
    return len(text) <= MOST_CHARACTERS and all(character in WORTH for character in text)


def modules(text: str) -> Modules:
    """The symbol as a square of booleans, dark = True, without its quiet zone."""
    return many([text])[0]


def many(texts: Sequence[str]) -> Modules:
    """Symbols of all texts, stacked."""
    if not texts:
        return np.zeros((0, SIZE, SIZE), bool)
    return np.concatenate(
        [_batch(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
    )


def runs(symbol: Modules) -> list[tuple[int, int, int]]:
    """Dark runs as (column, row, length), rows from the top."""
    edges = np.diff(np.pad(symbol, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]
    return list(zip(starts.tolist(), rows.tolist(), (ends - starts).tolist(), strict=True))


def _batch(texts: Sequence[str]) -> Modules:
    written = np.frombuffer(b"".join(_data_of(text) for text in texts), np.uint8)
    bits = np.unpackbits(written.reshape(len(texts), DATA_BYTES), axis=1).astype(np.float32)
    grown, judged, finished = _basis()
    # Sums stay far below 2**24, so float32 counts them exactly and the fast product can be used.
    odd = (bits @ grown).astype(np.uint16) & 1
    plain: Modules = odd.astype(np.bool_).reshape(-1, SIZE, SIZE)
    best = np.argmin(_penalties(np.bitwise_xor(plain[:, None], judged)), axis=1)
    return np.bitwise_xor(plain, finished[best])


def _data_of(text: str) -> bytes:
    """The text's 36 data bytes: mode, length, pairs of characters, end and padding."""
    if not fits(text):
        foreign = sorted({character for character in text if character not in WORTH})
        raise TooLongForSymbol(
            text=text[:80],
            reason_zh=f"含有 {' '.join(foreign)[:40]}" if foreign else f"{len(text)} 个字符",
            reason_en=f"it has {' '.join(foreign)[:40]}" if foreign else f"{len(text)} characters",
        )
    number, length = (0b0010 << 9) | len(text), 13
    for at in range(0, len(text) - 1, 2):
        number = (number << 11) | (WORTH[text[at]] * 45 + WORTH[text[at + 1]])
        length += 11
    if len(text) % 2:
        number, length = (number << 6) | WORTH[text[-1]], length + 6
    end = min(4, DATA_BITS - length)
    number, length = number << end, length + end
    number, length = number << (-length % 8), length + (-length % 8)
    written = number.to_bytes(length // 8, "big")
    return (written + b"\xec\x11" * DATA_BYTES)[:DATA_BYTES]


@cache
def _basis() -> tuple[NDArray[np.float32], Modules, Modules]:
    """What the package draws for each single data bit, and for no data under each mask.

    The latter comes twice: with the blank format bits under which the package judges masks, and
    with the true ones.
    """
    symbol = QRCode(VERSION, constants.ERROR_CORRECT_H)
    blocks = base.rs_blocks(VERSION, constants.ERROR_CORRECT_H)

    def drawn(data: int, mask: int, judged: bool = False) -> Modules:
        buffer = BitBuffer()
        buffer.buffer, buffer.length = list(data.to_bytes(DATA_BYTES, "big")), DATA_BITS
        symbol.data_cache = util.create_bytes(buffer, blocks)
        symbol.makeImpl(judged, mask)
        return np.array(symbol.modules, bool)

    # Around all ones, not around nothing: the package cannot divide a block of zeros.
    full = (1 << DATA_BITS) - 1
    bits = [full ^ (1 << (DATA_BITS - 1 - bit)) for bit in range(DATA_BITS)]
    whole = drawn(full, 0)
    grown = np.array([drawn(data, 0) ^ whole for data in bits])
    everything = np.logical_xor.reduce(grown)
    judged = np.array([drawn(full, mask, judged=True) ^ everything for mask in range(8)])
    finished = np.array([drawn(full, mask) ^ everything for mask in range(8)])
    return grown.reshape(DATA_BITS, -1).astype(np.float32), judged, finished


def _packed(lines: Modules) -> Words:
    weights = np.uint64(1) << np.arange(SIZE, dtype=np.uint64)
    return (lines * weights).sum(axis=-1, dtype=np.uint64)


def _penalties(drafts: Modules) -> NDArray[np.int64]:
    """The standard's penalty of every draft (first two axes: symbol, mask)."""
    rows = _packed(drafts)
    columns = _packed(drafts.swapaxes(-1, -2))
    lines = np.concatenate([rows, columns], axis=-1)
    total = _long_runs(lines) + _finder_likes(lines) + _blocks(rows)
    dark = np.bitwise_count(rows).sum(axis=-1, dtype=np.int64)
    off_balance = np.abs(dark / SIZE**2 * 100 - 50) / 5
    penalties: NDArray[np.int64] = total + off_balance.astype(np.int64) * 10
    return penalties


def _ones(count: int) -> np.uint64:
    return np.uint64((1 << count) - 1)


def _alike(lines: Words) -> Words:
    """Bit n: module n has the colour of module n + 1."""
    return ~(lines ^ (lines >> np.uint64(1))) & _ones(SIZE - 1)


def _long_runs(lines: Words) -> NDArray[np.int64]:
    """Rule 1: five modules of one colour in line cost 3, each further one 1."""
    same = _alike(lines)
    pairs = same & (same >> np.uint64(1))
    fives = pairs & (pairs >> np.uint64(2))
    begun = fives & ~(fives << np.uint64(1))
    cost = np.bitwise_count(fives).astype(np.int64) + 2 * np.bitwise_count(begun)
    return cost.sum(axis=-1)


def _blocks(rows: Words) -> NDArray[np.int64]:
    """Rule 2: every two-by-two square of one colour costs 3."""
    same = _alike(rows)
    above, below = rows[..., :-1], rows[..., 1:]
    squares = same[..., :-1] & same[..., 1:] & ~(above ^ below)
    return 3 * np.bitwise_count(squares).sum(axis=-1, dtype=np.int64)


def _finder_likes(lines: Words) -> NDArray[np.int64]:
    """Rule 3: what looks like a finder with four light modules beside it costs 40."""
    dark = [lines >> np.uint64(step) for step in range(11)]
    core = _ones(SIZE - 10) & ~dark[1] & dark[4] & ~dark[5] & dark[6] & ~dark[9]
    after = core & dark[0] & dark[2] & dark[3] & ~dark[7] & ~dark[8] & ~dark[10]
    before = core & ~dark[0] & ~dark[2] & ~dark[3] & dark[7] & dark[8] & dark[10]
    return 40 * np.bitwise_count(after | before).sum(axis=-1, dtype=np.int64)
