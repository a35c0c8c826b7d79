"""Tokens: what is forgiven, what is refused, and what fits into the symbol."""

import pytest
import qrcode
from hypothesis import given
from hypothesis import strategies as st

from roadchief.codes import tokens
from roadchief.codes.tokens import ALPHABET, HostNotPlain, HostTooLong

HTTPS = "https://lz.gov.cn"  # 9 characters


def test_a_token_has_eighty_random_bits_or_more() -> None:
    minted = {tokens.mint() for _ in range(500)}
    assert len(minted) == 500
    assert all(len(token) == 18 and token[0] == "0" for token in minted)
    used = set("".join(token[1:-1] for token in minted))
    assert used == set(ALPHABET)


@pytest.mark.parametrize("characters", [15, 26, 0, -1])
def test_fewer_or_more_characters_are_not_minted(characters: int) -> None:
    with pytest.raises(ValueError, match="16 to 25"):
        tokens.mint(characters)


@given(st.integers(16, 25), st.data())
def test_each_wrong_character_is_noticed(characters: int, data: st.DataObject) -> None:
    token = tokens.mint(characters)
    place = data.draw(st.integers(1, len(token) - 1))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda letter: letter != token[place]))
    assert tokens.normalise(token) == token
    assert tokens.normalise(token[:place] + other + token[place + 1 :]) is None


def test_what_people_type_is_forgiven() -> None:
    body = "0" + "10" * 8
    token = body + tokens.check_character(body)
    typed = token.replace("1", "l", 3).replace("1", "I", 2).replace("0", "o", 4).lower()
    assert tokens.normalise(f"  {typed[:4]} - {typed[4:9]}—{typed[9:]}\n") == token
    assert tokens.normalise(tokens.spoken(token)) == token


@pytest.mark.parametrize(
    "text",
    ["", "0", "U" * 18, "0" * 300, "\x00" * 18, "０" * 18, "é" * 18, "0" * 17 + "🏮", "1" * 18],
)
def test_what_is_no_token_is_none(text: str) -> None:
    assert tokens.normalise(text) is None


def test_only_our_hosts_are_read_from_an_address() -> None:
    token = tokens.mint()
    hosts = ["lz.gov.cn"]
    assert tokens.token_in(f"HTTPS://LZ.GOV.CN/C/{token}", hosts) == token
    assert tokens.token_in(f"https://lz.gov.cn/c/{token.lower()}", hosts) == token
    assert tokens.token_in(token, hosts) == token
    for foreign in (
        f"https://lz.gov.cn.evil.example/C/{token}",
        f"https://lz.gov.cn@evil.example/C/{token}",
        f"https://evil.example/C/{token}",
        f"https://lz.gov.cn/X/{token}",
        f"ftp://lz.gov.cn/C/{token}",
        f"javascript://lz.gov.cn/C/{token}",
        "https://[::1/C/",
        f"https://lz.gov.cn/C/{token[:-1]}",
    ):
        assert tokens.token_in(foreign, hosts) is None


@pytest.mark.parametrize(
    ("host", "characters"), [("l.cn", 25), ("abcdefgh.cn", 25), ("x" * 12, 25), ("x" * 21, 16)]
)
def test_the_address_fits_version_four_at_level_h(host: str, characters: int) -> None:
    where = tokens.site(f"https://{host}")
    assert where.random_characters == characters
    text = tokens.plate_text(where, tokens.mint(where.random_characters))
    symbol = qrcode.QRCode(version=None, error_correction=qrcode.constants.ERROR_CORRECT_H)
    symbol.add_data(text)
    symbol.make(fit=True)
    assert symbol.version <= 4
    assert len(text) <= tokens.CAPACITY


def test_a_longer_host_is_refused_with_numbers() -> None:
    with pytest.raises(HostTooLong) as refused:
        tokens.site("https://" + "x" * 22)
    assert refused.value.facts["length"] == 22
    assert refused.value.facts["limit"] == 21
    assert "21" in refused.value.say("zh")


@pytest.mark.parametrize("url", ["https://路长.cn", "https://", "https://-a.cn", "https://a b.cn"])
def test_a_host_that_a_symbol_cannot_say_is_refused(url: str) -> None:
    with pytest.raises(HostNotPlain):
        tokens.site(url)


def test_the_digest_is_of_the_written_token() -> None:
    token = tokens.mint()
    assert len(tokens.digest(token)) == 32
    assert tokens.digest(token) == tokens.digest(tokens.normalise(token.lower()) or "")
