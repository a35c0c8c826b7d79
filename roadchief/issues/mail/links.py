"""The links in mails to citizens: each for one purpose, for one receipt and its present address.

They are made when a mail goes, from the settings' key, and kept nowhere. None of them is the PIN
or the link of a receipt, and none signs anybody in.
"""

import struct
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from roadchief.accounts import mail_addresses
from roadchief.config import Settings
from roadchief.errors import NotFound
from roadchief.issues.voices import Receipt
from roadchief.lib import signing

CONFIRM, SHOW, STOP = "confirm", "case", "stop"
GOOD_FOR = {
    CONFIRM: timedelta(days=7),
    SHOW: timedelta(days=60),
    STOP: timedelta(days=730),  # whoever looks for the way out in an old mail finds it
}
MARK = 8  # bytes of the address's mark
PAYLOAD = struct.Struct(f">I16s{MARK}s")  # sub-district, receipt, mark of the address


class BadLink(NotFound):
    """Not ours, changed, over, or of an address that was taken away: all look the same."""

    zh = "链接无效或已过期。请用回执号和密码查询进度"
    en = "This link is not valid any more. Please use the receipt number and PIN"


@dataclass(frozen=True)
class Link:
    """What a good link says."""

    subdistrict_id: int
    receipt_id: uuid.UUID
    mark: bytes


def path(purpose: str, receipt: Receipt, *, at: datetime, settings: Settings) -> str:
    """The address, without the host. The same for the same moment."""
    payload = PAYLOAD.pack(
        receipt.subdistrict_id,
        receipt.id.bytes,
        mail_addresses.mark(receipt.contact or "", settings)[:MARK],
    )
    expires = int((at + GOOD_FOR[purpose]).timestamp())
    return f"/mail/{purpose}/{signing.sign(_keys(purpose, settings)[0], payload, expires=expires)}"


def read(purpose: str, token: str, *, at: datetime, settings: Settings) -> Link:
    try:
        payload, _expires = signing.read(
            _keys(purpose, settings), token[:200], now=int(at.timestamp())
        )
        place, receipt, mark = PAYLOAD.unpack(payload)
    except (signing.BadToken, struct.error) as error:
        raise BadLink from error
    return Link(place, uuid.UUID(bytes=receipt), mark)


def fits(link: Link, receipt: Receipt, settings: Settings) -> bool:
    """Is the receipt's address still the one that the mail went to?"""
    marks = mail_addresses.marks(receipt.contact or "", settings)
    return bool(receipt.contact) and any(mark[:MARK] == link.mark for mark in marks)


def _keys(purpose: str, settings: Settings) -> list[bytes]:
    keys = [settings.secret_key, settings.former_secret_key]
    return [signing.derive(key, f"mail {purpose}") for key in keys if key]
