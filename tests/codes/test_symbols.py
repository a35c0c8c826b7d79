"""Symbols: module by module what the qrcode package makes, and readable."""

import random

import numpy as np
import pytest
import qrcode
import zxingcpp
from qrcode import constants, util

from roadchief.codes import symbols


def in_letters(text: str) -> util.QRData:
    """Alphanumeric even where the text is all digits and the package would switch its mode."""
    return util.QRData(text, mode=util.MODE_ALPHA_NUM)


def packages_own(text: str) -> np.ndarray:
    symbol = qrcode.QRCode(symbols.VERSION, constants.ERROR_CORRECT_H)
    symbol.add_data(in_letters(text))
    symbol.make(fit=False)
    return np.array(symbol.modules, bool)


def some_texts(count: int) -> list[str]:
    chance = random.Random(4)
    crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return [
        f"HTTPS://LJ{chance.randrange(10)}.EXAMPLE.CN/C/"
        + "".join(chance.choices(crockford, k=18 + number % 7))
        for number in range(count)
    ]


def test_symbols_equal_the_packages_own_with_its_best_mask() -> None:
    texts = some_texts(60)
    ours = symbols.many(texts)
    for text, symbol in zip(texts, ours, strict=True):
        assert (symbol == packages_own(text)).all(), text


@pytest.mark.parametrize("text", ["A", "AB", "7" * 50, "A" * 49, "$%*+-./: 0", "Z" * 47, "X" * 48])
def test_any_length_and_character_of_the_alphabet(text: str) -> None:
    assert (symbols.modules(text) == packages_own(text)).all()


def test_a_wrong_mask_would_be_noticed() -> None:
    """The comparison can fail: another mask gives other modules."""
    text = some_texts(1)[0]
    symbol = qrcode.QRCode(symbols.VERSION, constants.ERROR_CORRECT_H, mask_pattern=0)
    symbol.add_data(in_letters(text))
    best = qrcode.QRCode(symbols.VERSION, constants.ERROR_CORRECT_H)
    best.add_data(in_letters(text))
    symbol.mask_pattern = (best.best_mask_pattern() + 1) % 8
    symbol.make(fit=False)
    assert not (symbols.modules(text) == np.array(symbol.modules, bool)).all()


def test_many_is_each_one_also_across_batches() -> None:
    texts = some_texts(symbols.BATCH + 3)
    together = symbols.many(texts)
    assert len(together) == len(texts)
    for number in (0, 1, symbols.BATCH - 1, symbols.BATCH, symbols.BATCH + 2):
        assert (together[number] == symbols.modules(texts[number])).all()
    assert symbols.many([]).shape == (0, symbols.SIZE, symbols.SIZE)


def test_runs_are_the_dark_modules() -> None:
    symbol = symbols.modules(some_texts(1)[0])
    drawn = np.zeros_like(symbol)
    for column, row, length in symbols.runs(symbol):
        assert not drawn[row, column : column + length].any()
        drawn[row, column : column + length] = True
    assert (drawn == symbol).all()


def test_a_reader_agrees() -> None:
    text = some_texts(1)[0]
    image = np.pad(~symbols.modules(text), symbols.QUIET, constant_values=True)
    image = np.kron(image.astype(np.uint8) * 255, np.ones((4, 4), np.uint8))
    (found,) = zxingcpp.read_barcodes(image)
    assert found.text == text
    assert found.ec_level == "H"


@pytest.mark.parametrize(
    "text", ["A" * 51, "https://lj.example.cn/C/0", "HTTPS://路.CN/C/0", "A\x00"]
)
def test_what_does_not_fit_is_refused_with_the_reason(text: str) -> None:
    assert not symbols.fits(text)
    with pytest.raises(symbols.TooLongForSymbol) as refused:
        symbols.many(["HTTPS://LJ.EXAMPLE.CN/C/0", text])
    assert "4-H" in refused.value.say("zh")
    assert "4-H" in refused.value.say("en")
