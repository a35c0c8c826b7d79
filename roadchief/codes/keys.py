"""Keys that sign shift manifests: made, rotated, taken out of use after a leak.

No key is on a plate (reliability.md §2.2), so a leak costs no reprint: rotate, and manifests of
the old key are refused. Private keys are files of mode 0400 under var/secrets/manifest, one for
all processes of an installation; their states are a small file beside them.
"""

import base64
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from roadchief.config import Settings
from roadchief.errors import NotFound, WrongState

OVERLAP = timedelta(days=30)  # an old key's manifests are still believed that long
LEAK_SHORTENS = timedelta(days=7)  # manifests live for an hour only, that long after a leak
HALF = 32  # bytes of each half of a P-256 signature, as WebCrypto wants it


class NoSuchKey(NotFound):
    zh = "没有密钥 {key_id}"
    en = "there is no key {key_id}"


class KeyIsOut(WrongState):
    zh = "密钥 {key_id} 已停用"
    en = "key {key_id} is out of use already"


@dataclass(frozen=True)
class Key:
    """`state`: next (phones know it already), current (signs), past (believed until), leaked."""

    key_id: str
    state: str
    made_at: str
    public: str  # raw point, base64url
    until: str | None = None
    leaked_since: str | None = None


def folder(settings: Settings) -> Path:
    return settings.var_dir / "secrets" / "manifest"


def known(settings: Settings, *, at: datetime) -> list[Key]:
    """All keys, oldest first; the first call makes a current and a next one."""
    with _locked(settings) as place:
        keys = _read(place)
        if not keys:
            keys = [_make(place, "current", at), _make(place, "next", at)]
            _write(place, keys)
        return keys


def believed(settings: Settings, *, at: datetime) -> list[Key]:
    """The keys that a phone may believe now; leaked ones and those past their day are not."""
    return [
        one
        for one in known(settings, at=at)
        if one.state in {"current", "next"}
        or (one.state == "past" and one.until and datetime.fromisoformat(one.until) > at)
    ]


def rotate(settings: Settings, *, at: datetime) -> Key:
    """The next key signs from now on, the former is believed for 30 days, a new next is made."""
    known(settings, at=at)
    with _locked(settings) as place:
        return _rotate(place, at, until=at + OVERLAP)


def leak(settings: Settings, key_id: str, *, since: datetime, at: datetime) -> Key:
    """The drill: nothing signed by this key counts any more; the next key takes over at once.

    Answers with the key that signs now. What was accepted since is to be graded again.
    """
    known(settings, at=at)
    with _locked(settings) as place:
        keys = _read(place)
        lost = next((one for one in keys if one.key_id == key_id), None)
        if lost is None:
            raise NoSuchKey(key_id=key_id)
        if lost.state == "leaked":
            raise KeyIsOut(key_id=key_id)
        if lost.state == "current":
            _rotate(place, at, until=at)
        elif lost.state == "next":
            _write(place, [*keys, _make(place, "next", at)])
        marked = replace(lost, state="leaked", until=at.isoformat(), leaked_since=since.isoformat())
        keys = [marked if one.key_id == key_id else one for one in _read(place)]
        _write(place, keys)
        (place / f"{key_id}.pem").unlink(missing_ok=True)
        return next(one for one in keys if one.state == "current")


def is_shaken(settings: Settings, *, at: datetime) -> bool:
    """Soon after a leak: manifests are made for an hour only."""
    return any(
        one.state == "leaked"
        and one.until
        and datetime.fromisoformat(one.until) + LEAK_SHORTENS > at
        for one in known(settings, at=at)
    )


def sign(settings: Settings, message: bytes, *, at: datetime) -> tuple[str, str]:
    """(key id, signature): ECDSA P-256 with SHA-256, r‖s in base64url, as WebCrypto verifies."""
    current = next(one for one in known(settings, at=at) if one.state == "current")
    pem = (folder(settings) / f"{current.key_id}.pem").read_bytes()
    private = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{current.key_id} is no key of an elliptic curve")
    r, s = decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256())))
    return current.key_id, plain64(r.to_bytes(HALF, "big") + s.to_bytes(HALF, "big"))


def plain64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _rotate(place: Path, at: datetime, *, until: datetime) -> Key:
    changed = []
    for one in _read(place):
        if one.state == "current":
            changed.append(replace(one, state="past", until=until.isoformat()))
        elif one.state == "next":
            changed.append(replace(one, state="current"))
        else:
            changed.append(one)
    _write(place, [*changed, _make(place, "next", at)])
    return next(one for one in changed if one.state == "current")


def _make(place: Path, state: str, at: datetime) -> Key:
    private = ec.generate_private_key(ec.SECP256R1())
    point = private.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(point)
    key_id = plain64(digest.finalize()[:6])
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = place / f"{key_id}.pem"
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o400)) as file:
        file.write(pem)
    return Key(key_id, state, at.isoformat(), plain64(point))


@contextmanager
def _locked(settings: Settings) -> Iterator[Path]:
    """One process at a time changes the keys."""
    place = folder(settings)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(place / "lock", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield place


def _read(place: Path) -> list[Key]:
    try:
        rows: list[dict[str, Any]] = json.loads((place / "keys.json").read_text("utf-8"))
    except FileNotFoundError:
        return []
    return [Key(**row) for row in rows]


def _write(place: Path, keys: list[Key]) -> None:
    part = place / "keys.part"
    part.write_text(json.dumps([asdict(one) for one in keys], indent=1), encoding="utf-8")
    part.replace(place / "keys.json")
