"""Second factor secrets at rest: AES-256-GCM under a key made from ROADCHIEF_SECRET_KEY.

Kept text: `v1.<key mark>.<base64 of nonce and cipher>`. The mark tells which key sealed it, so a
former key can still be read while the new one takes over. Text without a prefix is the plain
secret of earlier versions; like one under the former key, it is sealed anew at its next use.
"""

import os
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from roadchief.config import Settings
from roadchief.errors import WrongState

VERSION = "v1"
NONCE_BYTES = 12


class SecretUnreadable(WrongState):
    zh = "动态验证码的密钥无法读取（系统密钥已更换），请管理员重置您的动态验证码"
    en = (
        "the secret of this second factor cannot be read (the installation's key was changed): "
        "an administrator resets it"
    )


@dataclass(frozen=True)
class Opened:
    """A secret, and whether it should be sealed anew."""

    secret: str
    outdated: bool


@dataclass(frozen=True)
class Key:
    mark: str
    cipher: AESGCM


def seal(secret: str, *, whose: tuple[int, uuid.UUID], settings: Settings) -> str:
    """The secret as it is kept; bound to its person, so that rows cannot be exchanged."""
    key = _key(settings.secret_key)
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + key.cipher.encrypt(nonce, secret.encode(), _bound(whose))
    return f"{VERSION}.{key.mark}.{urlsafe_b64encode(sealed).decode()}"


def unseal(kept: str, *, whose: tuple[int, uuid.UUID], settings: Settings) -> Opened:
    version, _, rest = kept.partition(".")
    if not rest:
        return Opened(kept, outdated=True)
    mark, _, text = rest.partition(".")
    for number, key in enumerate(_keys(settings)):
        if version == VERSION and key.mark == mark:
            try:
                raw = urlsafe_b64decode(text)
                plain = key.cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(whose))
            except (InvalidTag, ValueError) as error:
                raise SecretUnreadable from error
            return Opened(plain.decode(), outdated=number > 0)
    raise SecretUnreadable


def marks(settings: Settings) -> list[str]:
    """How kept texts begin that we can read."""
    return [f"{VERSION}.{key.mark}." for key in _keys(settings)]


def _keys(settings: Settings) -> list[Key]:
    return [_key(text) for text in (settings.secret_key, settings.former_secret_key) if text]


@cache
def _key(secret_key: str) -> Key:
    derived = HKDF(SHA256(), length=36, salt=None, info=b"roadchief second factor v1").derive(
        secret_key.encode()
    )
    return Key(derived[32:].hex(), AESGCM(derived[:32]))


def _bound(whose: tuple[int, uuid.UUID]) -> bytes:
    return f"{whose[0]}:{whose[1]}".encode()
