"""Passwords and tokens: what is kept is never what was typed."""

import hashlib
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from roadchief.config import Settings
from roadchief.errors import BadInput

LONGEST = 256
# The commonest passwords of 12 characters and more; shorter ones fail by length (NIST 800-63B-4).
COMMON = frozenset(
    [
        "123456789012",
        "1234567890123",
        "12345678901234",
        "123456123456",
        "123123123123",
        "111111111111",
        "000000000000",
        "888888888888",
        "666666666666",
        "qwertyuiop123",
        "password1234",
        "password12345",
        "passwordpassword",
        "1q2w3e4r5t6y",
        "1qaz2wsx3edc",
        "qwerty123456",
        "abc123456789",
        "a123456789012",
        "administrator",
        "admin1234567",
        "woaini1314520",
        "5201314520131",
        "iloveyou1234",
        "zaq12wsxcde3",
    ]
)


def check_new(password: str, *, login: str, name: str, least: int) -> None:
    """Length and a list of refused ones; no composition rules, no forced change."""
    reason: tuple[str, str] | None = None
    lowered = password.lower()
    if len(password) < least:
        reason = (f"至少 {least} 个字符", f"at least {least} characters")
    elif len(password) > LONGEST:
        reason = (f"最多 {LONGEST} 个字符", f"at most {LONGEST} characters")
    elif lowered in COMMON or len(set(password)) < 5:
        reason = ("过于常见，请换一个", "too common, choose another")
    elif login.lower() in lowered or (len(name) > 1 and name in password):
        reason = ("不能包含登录名或姓名", "must not contain your login or name")
    if reason:
        raise BadInput(field="密码 password", reason_zh=reason[0], reason_en=reason[1])


def hash_password(password: str, settings: Settings) -> str:
    return _hasher(settings.argon2_memory_kib).hash(password)


def is_right(password: str, kept: str | None, settings: Settings) -> bool:
    """As slow for a login that does not exist, so that time tells nothing."""
    hasher = _hasher(settings.argon2_memory_kib)
    try:
        return hasher.verify(
            kept or _dummy(settings.argon2_memory_kib), password[:LONGEST]
        ) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@cache
def _hasher(memory_kib: int) -> PasswordHasher:
    return PasswordHasher(memory_cost=memory_kib, time_cost=3, parallelism=1)


@cache
def _dummy(memory_kib: int) -> str:
    return _hasher(memory_kib).hash(secrets.token_hex(16))
