"""Tokens open what they were made for, until they end, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from roadchief.lib import signing

KEY = signing.derive("a secret of good length", "photo")


def test_a_token_gives_back_what_was_signed() -> None:
    token = signing.sign(KEY, b"payload", expires=1000)
    assert signing.read([KEY], token, now=999) == (b"payload", 1000)
    assert token.replace("-", "").replace("_", "").isalnum()


def test_it_ends_in_its_second() -> None:
    token = signing.sign(KEY, b"payload", expires=1000)
    with pytest.raises(signing.BadToken):
        signing.read([KEY], token, now=1000)


def test_another_purpose_or_secret_is_another_key() -> None:
    token = signing.sign(KEY, b"payload", expires=1000)
    for other in (
        signing.derive("a secret of good length", "webhook"),
        signing.derive("another secret of length", "photo"),
    ):
        with pytest.raises(signing.BadToken):
            signing.read([other], token, now=1)
        assert signing.read([other, KEY], token, now=1)[0] == b"payload"


@given(place=some.integers(0, 200), letter=some.characters())
def test_a_changed_token_is_none(place: int, letter: str) -> None:
    token = signing.sign(KEY, b"payload", expires=1000)
    changed = token[: place % len(token)] + letter + token[place % len(token) + 1 :]
    if changed != token:
        with pytest.raises(signing.BadToken):
            signing.read([KEY], changed, now=1)


@given(some.text(max_size=80))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(signing.BadToken):
        signing.read([KEY], text, now=1)


@given(now=some.integers(0, 2**31), shortest=some.integers(1, 10_000))
def test_ends_lie_one_to_two_windows_ahead(now: int, shortest: int) -> None:
    end = signing.window_end(now, shortest=shortest)
    assert shortest <= end - now < 2 * shortest
    assert end % shortest == 0
