"""Notices to a gateway of the office (WeCom, SMS), signed as standardwebhooks.com describes.

Headers: `webhook-id` (the same for every try: the receiver drops what it has seen),
`webhook-timestamp`, and `webhook-signature` = `v1,` + base64 of HMAC-SHA-256 over
`id.timestamp.body` with the shared secret.
"""

import base64
import hmac
import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from roadchief.accounts.outcomes import Later, Never, Outcome, Sent
from roadchief.accounts.wording import Told
from roadchief.config import Settings
from roadchief.lib import outbound

AGAIN = {408, 425, 429}  # of the 4xx, those that ask to come back


@dataclass(frozen=True)
class Call:
    """One notice for one recipient, as the gateway reads it."""

    id: uuid.UUID
    kind: str
    subject_id: uuid.UUID
    to: dict[str, str]  # name, phone, email, person_id: what is known
    told: Told
    language: str
    noticed_at: datetime


def send(call: Call, settings: Settings, *, at: datetime) -> Outcome:
    """Call the gateway, once."""
    body = json.dumps(_body(call, settings), ensure_ascii=False).encode()
    try:
        target = outbound.resolve(settings.webhook_url, private=settings.webhook_private)
        status = outbound.post(target, body, headers(call.id, body, settings, at=at))
    except outbound.Forbidden as error:
        return Later(str(error))  # a setting to mend, not the notice's fault
    except outbound.Unreachable as error:
        return Later(str(error))
    if status // 100 == 2:
        return Sent()
    return Later(f"HTTP {status}") if status >= 500 or status in AGAIN else Never(f"HTTP {status}")


def headers(call_id: uuid.UUID, body: bytes, settings: Settings, *, at: datetime) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    signed = f"{call_id}.{stamp}.".encode() + body
    mark = hmac.digest(settings.webhook_secret.encode(), signed, "sha256")
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "RoadChief",
        "webhook-id": str(call_id),
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(mark).decode(),
    }


def _body(call: Call, settings: Settings) -> dict[str, Any]:
    path = call.told.path
    return {
        "id": str(call.id),
        "kind": call.kind,
        "subject_id": str(call.subject_id),
        "at": call.noticed_at.isoformat(),
        "to": call.to,
        "language": call.language,
        "title": call.told.title,
        "text": call.told.text,
        "link": settings.public_url.rstrip("/") + path if path else None,
    }
