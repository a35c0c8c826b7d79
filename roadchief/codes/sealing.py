"""Tokens between mint and sign maker: sealed in a file, gone when the plates are delivered.

The database holds hashes alone, so that a read of it prints no plates. A print run may be
interrupted and taken up again, therefore the tokens of a batch wait in `var/print/…/tokens.sealed`,
encrypted with a key that is not in the database, and are deleted after delivery or some days.
"""

import json
import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from roadchief.config import Settings
from roadchief.errors import WrongState

NONCE_BYTES = 12
ORPHAN_AGE_S = 24 * 3600
PURPOSE = b"roadchief print batch v1"


class NoLongerSealed(WrongState):
    zh = "此批次的码牌密文已销毁（已交付或已过期），不能再次印制，请重新生成"
    en = "the tokens of this batch are gone (delivered or expired): mint new plates"


@dataclass(frozen=True)
class Secret:
    """One plate of a batch, in printing order."""

    plate_id: str
    number: str
    token: str
    kind: str


def folder(settings: Settings, subdistrict_id: int, batch_id: uuid.UUID) -> Path:
    return settings.var_dir / "print" / str(subdistrict_id) / str(batch_id)


def seal(
    settings: Settings, subdistrict_id: int, batch_id: uuid.UUID, secrets: Sequence[Secret]
) -> Path:
    """Written whole or not at all, before the plates are committed."""
    place = folder(settings, subdistrict_id, batch_id)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    plain = json.dumps([asdict(one) for one in secrets]).encode()
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + AESGCM(_key(settings)).encrypt(nonce, plain, batch_id.bytes)
    path, part = place / "tokens.sealed", place / "tokens.part"
    with open(part, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return path


def unseal(settings: Settings, subdistrict_id: int, batch_id: uuid.UUID) -> list[Secret]:
    """Raises NoLongerSealed when the file is gone or was sealed by another installation."""
    try:
        sealed = (folder(settings, subdistrict_id, batch_id) / "tokens.sealed").read_bytes()
        plain = AESGCM(_key(settings)).decrypt(
            sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], batch_id.bytes
        )
    except (OSError, InvalidTag, ValueError) as error:
        raise NoLongerSealed from error
    rows: list[dict[str, Any]] = json.loads(plain)
    return [Secret(**row) for row in rows]


def destroy(settings: Settings, subdistrict_id: int, batch_id: uuid.UUID) -> None:
    """Tokens and printed pages; the database keeps hashes, list and checksums."""
    shutil.rmtree(folder(settings, subdistrict_id, batch_id), ignore_errors=True)


def destroy_orphans(place: Path, keep: set[str], *, at: datetime) -> None:
    """Sealed tokens of batches that were never committed, or are over; a fresh one is let be."""
    for found in place.iterdir() if place.is_dir() else ():
        age_s = at.timestamp() - found.stat().st_mtime
        if found.name not in keep and age_s > ORPHAN_AGE_S:
            shutil.rmtree(found, ignore_errors=True)


def _key(settings: Settings) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(settings.secret_key.encode())
