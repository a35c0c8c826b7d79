"""The secret of a plate: made, written, typed, checked, fitted into the symbol. *Pure.*

A token is `S` + `R` + `K` in Crockford's alphabet: the scheme (0), 16 to 25 random characters
(80 to 125 bits) and a check character (Luhn mod 32) that catches typing errors without a look-up.
Only its SHA-256 is kept. The address is upper case, because a QR symbol packs upper case letters
and digits into 5.5 bits a character; 50 of them are what version 4 at level H holds.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from roadchief.errors import BadInput

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BASE = len(ALPHABET)
VALUE = {letter: value for value, letter in enumerate(ALPHABET)}
SCHEME = "0"
LEAST_RANDOM, MOST_RANDOM = 16, 25
AROUND = 2  # the scheme and the check character
CAPACITY = 50  # alphanumeric characters in a symbol of version 4 at level H
PATH = "/C/"
# What people type for letters that look alike (Crockford), and what they put between groups.
LOOK_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})
BETWEEN = re.compile(r"[\s\-‐-―−_.·]+")
LONGEST_TYPED = 200
HOST = re.compile(r"[A-Z0-9](?:[A-Z0-9.-]*[A-Z0-9])?(?::[0-9]{1,5})?")


class HostTooLong(BadInput):
    """Plates outlive software: their host is short, owned by the government, and for ever."""

    zh = (
        "二维码网址主机名“{host}”有 {length} 个字符，最多 {limit} 个"
        "（QR 版本 4、纠错等级 H），请改用更短的域名"
    )
    en = (
        "the host {host} of the plates has {length} characters, at most {limit} fit "
        "(QR version 4, level H): use a shorter domain"
    )


class HostNotPlain(BadInput):
    zh = "二维码网址主机名“{host}”只能由英文字母、数字、点和连字符组成"
    en = "the host {host} of the plates may hold letters, digits, dots and hyphens alone"


@dataclass(frozen=True)
class Site:
    """Where plates lead: `prefix` is the upper-case beginning of every address."""

    prefix: str
    host: str
    random_characters: int


def site(public_url: str) -> Site:
    """What fits on a plate for this installation's address.

    Raises HostTooLong or HostNotPlain, with the numbers, before anything is minted.
    """
    parts = urlsplit(public_url)
    host = parts.netloc.rpartition("@")[2].upper()
    if not HOST.fullmatch(host):
        raise HostNotPlain(host=host.lower())
    prefix = f"{parts.scheme.upper()}://{host}{PATH}"
    room = CAPACITY - len(prefix) - AROUND
    if room < LEAST_RANDOM:
        limit = len(host) - (LEAST_RANDOM - room)
        raise HostTooLong(host=host.lower(), length=len(host), limit=limit)
    return Site(prefix, host.lower(), min(room, MOST_RANDOM))


def mint(characters: int = LEAST_RANDOM, *, below: Callable[[int], int] = secrets.randbelow) -> str:
    """A new token with that many random characters from the operating system's generator."""
    if not LEAST_RANDOM <= characters <= MOST_RANDOM:
        raise ValueError(f"{characters} random characters: {LEAST_RANDOM} to {MOST_RANDOM}")
    body = SCHEME + "".join(ALPHABET[below(BASE)] for _ in range(characters))
    return body + check_character(body)


def check_character(body: str) -> str:
    """Luhn mod 32: finds each wrong character and nearly each swap of neighbours."""
    total = 0
    for place, letter in enumerate(reversed(body)):
        value = VALUE[letter] * (2 if place % 2 == 0 else 1)
        total += value // BASE + value % BASE
    return ALPHABET[-total % BASE]


def normalise(typed: str) -> str | None:
    """The token behind what was typed or scanned, or None where it cannot be one.

    Lower case, spaces and hyphens, O for 0, I and L for 1 are forgiven; anything else is not.
    """
    if len(typed) > LONGEST_TYPED:
        return None
    token = BETWEEN.sub("", typed).upper().translate(LOOK_ALIKE)
    right = (
        LEAST_RANDOM + AROUND <= len(token) <= MOST_RANDOM + AROUND
        and token[0] == SCHEME
        and all(letter in VALUE for letter in token)
        and check_character(token[:-1]) == token[-1]
    )
    return token if right else None


def token_in(scanned: str, hosts: Iterable[str]) -> str | None:
    """The token in a scanned address of one of `hosts`; a bare token is taken as typed.

    An address of another host is None: somebody may have pasted it over our plate.
    """
    text = scanned.strip()
    if "://" not in text:
        return normalise(text)
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    own = {host.lower() for host in hosts}
    if parts.scheme.lower() not in {"http", "https"} or parts.netloc.lower() not in own:
        return None
    path = parts.path.upper()
    return normalise(parts.path[len(PATH) :]) if path.startswith(PATH) else None


def plate_text(where: Site, token: str) -> str:
    """What the symbol says: `HTTPS://HOST/C/TOKEN`, upper case."""
    return where.prefix + token


def digest(token: str) -> bytes:
    """What we keep of a token: reading the database does not print plates."""
    return hashlib.sha256(token.encode("ascii")).digest()


def spoken(token: str) -> str:
    """In groups of four, for people who type it."""
    return "-".join(token[start : start + 4] for start in range(0, len(token), 4))
