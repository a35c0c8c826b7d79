"""Short signed texts for addresses. *Pure.* They say who made them, for what, and until when.

A token is base64url of: key mark (1 byte) · expiry (4) · payload · HMAC-SHA-256 (16). Keys are
derived from the secret and the purpose, so that a token for one thing never opens another.
"""

import base64
import binascii
import hashlib
import hmac
import struct

HEAD = struct.Struct(">BI")
TAG = 16  # bytes: 128 bits


class BadToken(Exception):
    """Not ours, changed, for something else, or over. Askers are not told which."""


def derive(secret: str, purpose: str) -> bytes:
    """The key for one purpose; whoever learns it does not learn the secret."""
    return hmac.digest(secret.encode(), b"roadchief/" + purpose.encode(), "sha256")


def sign(key: bytes, payload: bytes, *, expires: int) -> str:
    """`payload` in the clear, good until the second `expires` of the epoch."""
    head = HEAD.pack(_mark(key), expires) + payload
    return base64.urlsafe_b64encode(head + _tag(key, head)).rstrip(b"=").decode()


def read(keys: list[bytes], token: str, *, now: int) -> tuple[bytes, int]:
    """Payload and expiry of a token by one of `keys` (the present one, and one before it)."""
    raw = _decode(token)
    head, tag = raw[:-TAG], raw[-TAG:]
    if len(head) < HEAD.size:
        raise BadToken
    mark, expires = HEAD.unpack(head[: HEAD.size])
    right = [key for key in keys if _mark(key) == mark]
    if not any(hmac.compare_digest(_tag(key, head), tag) for key in right) or now >= expires:
        raise BadToken
    return head[HEAD.size :], expires


def window_end(now: int, *, shortest: int) -> int:
    """An expiry at least `shortest` seconds away, the same for all who ask in one window.

    Pages that show a thing again then name the same address, and browsers ask for it once.
    """
    return -(-(now + shortest) // shortest) * shortest


def _decode(token: str) -> bytes:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadToken from error
    # Several texts decode to the same bytes; only the one that we would write is right.
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        raise BadToken
    return raw


def _mark(key: bytes) -> int:
    return hashlib.sha256(b"mark" + key).digest()[0]


def _tag(key: bytes, head: bytes) -> bytes:
    return hmac.digest(key, head, "sha256")[:TAG]
