"""Passwords and tokens: what is kept is never what was typed."""

import hashlib
import secrets
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pypinyin import lazy_pinyin
from zxcvbn import zxcvbn

from roadchief.config import Settings
from roadchief.errors import BadInput

LONGEST = 256
LOOKED_AT = 72  # characters that the estimate reads; it is slow on long ones
LEAST_SCORE = 3  # of 4: more than 10^8 guesses by somebody who knows lists, keyboards and dates
# What people here build passwords from, beside the 30,000 commonest passwords, names and words
# that zxcvbn knows: pinyin of everyday words, love numbers, surnames, and our own words.
HABITS = (Path(__file__).parent / "habits.txt").read_text(encoding="ascii").split()


def check_new(password: str, *, login: str, name: str, least: int) -> None:
    """Length, and how soon it would be guessed; no composition rules, no forced change."""
    reason: tuple[str, str] | None = None
    lowered = password.lower()
    if len(password) < least:
        reason = (f"至少 {least} 个字符", f"at least {least} characters")
    elif len(password) > LONGEST:
        reason = (f"最多 {LONGEST} 个字符", f"at most {LONGEST} characters")
    elif login.lower() in lowered or (len(name) > 1 and name in password):
        reason = ("不能包含登录名或姓名", "must not contain your login or name")
    elif len(set(password)) < 5 or _score(password, login, name) < LEAST_SCORE:
        reason = (
            "太容易被猜到（常用密码、键盘顺序、拼音、日期或重复），用一句自己的话最好",
            "too easily guessed (common, keyboard order, pinyin, a date, repeated): "
            "a sentence of your own is best",
        )
    if reason:
        raise BadInput(field="密码 password", reason_zh=reason[0], reason_en=reason[1])


def _score(password: str, login: str, name: str) -> int:
    """0 to 4 by zxcvbn, which is also told what belongs to this person."""
    syllables = lazy_pinyin(name)
    own = [login, name, "".join(syllables), "".join(syllables[1:]), *syllables]
    return int(zxcvbn(password[:LOOKED_AT], user_inputs=[*own, *HABITS])["score"])


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
