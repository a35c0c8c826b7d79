"""Open311 GeoReport v2: how cases look to other systems, in XML and JSON. *Pure.*

Names and types follow the specification: XML without namespace, `text/xml` with declaration;
JSON without outer name, lists as plain arrays, codes and ids as strings, flags as booleans.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

# What XML 1.0 cannot hold.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
YEARS = (1970, 2100)
MOST_DAYS = 90
MOST = 1000  # also what is told where no size is asked
XML, JSON = "text/xml; charset=utf-8", "application/json; charset=utf-8"
ITEMS = {
    "services": "service",
    "service_requests": "request",
    "service_request_updates": "request_update",
    "errors": "error",
}
CLOSED = frozenset({"closed", "rejected", "duplicate"})


class BadRequest(ValueError):
    """An argument that cannot be used; `code` is the HTTP status."""

    def __init__(self, text: str, code: int = 400) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Question:
    """What a reader asks for: ids, or a window of time with filters."""

    ids: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    open: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    updated_since: datetime | None = None
    updated_until: datetime | None = None
    page: int = 1
    size: int = MOST
    extensions: bool = False


def question(given: dict[str, str], *, now: datetime) -> Question:
    """From an address. Empty arguments count as not given; ids override all else."""
    asked = {name: text.strip() for name, text in given.items() if text.strip()}
    extensions = wants_extensions(given)
    ids = listed(asked.get("service_request_id"))
    if ids:
        return Question(ids=ids[:MOST], extensions=extensions, size=MOST)
    since, until = instant(asked.get("start_date")), instant(asked.get("end_date"))
    updated = instant(asked.get("updated_after")), instant(asked.get("updated_before"))
    window = timedelta(days=MOST_DAYS)
    if since and until and until - since > window:
        raise BadRequest(f"start_date to end_date: at most {MOST_DAYS} days")
    if not any((since, until, *updated)):
        since = now - window
    elif since and not until:
        until = since + window
    elif until and not since:
        since = until - window
    return Question(
        codes=listed(asked.get("service_code")),
        open=_status(asked.get("status")),
        since=since,
        until=until,
        updated_since=updated[0],
        updated_until=updated[1],
        page=max(1, _whole(asked.get("page"), "page", 1)),
        size=min(MOST, max(1, _whole(asked.get("page_size"), "page_size", MOST))),
        extensions=extensions,
    )


def wants_extensions(given: dict[str, str]) -> bool:
    return given.get("extensions", "").strip().lower() in {"true", "1"}


def instant(text: str | None) -> datetime | None:
    """A time with zone; a `+` that arrived as a space is meant as one."""
    if not text:
        return None
    plain = text[:40].strip().replace("Z", "+00:00").replace("z", "+00:00")
    plain = re.sub(r" (\d\d:?\d\d)$", r"+\1", plain)
    try:
        found = datetime.fromisoformat(plain)
    except ValueError as error:
        raise BadRequest(
            f"{text[:40]!r} is not a time such as 2026-11-24T10:00:00+08:00"
        ) from error
    if found.tzinfo is None:
        raise BadRequest(f"{text[:40]!r} has no time zone")
    # Windows are counted from it in both directions, so the ends of the calendar are no times.
    if not YEARS[0] <= found.year <= YEARS[1]:
        raise BadRequest(f"{text[:40]!r} is out of range: {YEARS[0]} to {YEARS[1]}")
    return found.astimezone(UTC)


def told(at: datetime | None) -> str | None:
    """A time as we write it: zone, whole seconds."""
    return at.astimezone(UTC).replace(microsecond=0).isoformat() if at else None


def render(name: str, rows: Any, kind: str) -> bytes:
    """A list under its outer name, or one thing; `kind` is xml or json."""
    if kind == "json":
        return json.dumps(rows, ensure_ascii=False).encode()
    root = ElementTree.Element(name)
    if isinstance(rows, dict):
        _fill(root, rows)
    else:
        for row in rows:
            _fill(ElementTree.SubElement(root, ITEMS.get(name, name.rstrip("s"))), row)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(
        root, encoding="unicode"
    ).encode("utf-8", "replace")


def failed(texts: Sequence[str], code: int, kind: str) -> bytes:
    return render("errors", [{"code": str(code), "description": text} for text in texts], kind)


def _fill(element: ElementTree.Element, row: dict[str, Any]) -> None:
    for key, value in row.items():
        child = ElementTree.SubElement(element, key)
        if isinstance(value, list):
            for one in value:
                part = ElementTree.SubElement(child, _single(key))
                if isinstance(one, dict):
                    _fill(part, one)
                else:
                    part.text = FORBIDDEN.sub("", str(one))
        elif isinstance(value, dict):
            _fill(child, value)
        elif value is not None:
            plain = str(value).lower() if isinstance(value, bool) else str(value)
            child.text = FORBIDDEN.sub("", plain)


def _single(key: str) -> str:
    return {"attributes": "attribute", "values": "value", "endpoints": "endpoint"}.get(
        key, key.rstrip("s")
    )


def listed(text: str | None) -> tuple[str, ...]:
    plain = FORBIDDEN.sub("", (text or "")[:60_000])
    return tuple(part.strip()[:60] for part in plain.split(",") if part.strip())


def _status(text: str | None) -> bool | None:
    wanted = set(listed(text))
    if not wanted <= {"open", "closed"}:
        raise BadRequest("status: open, closed, or both")
    return None if len(wanted) != 1 else wanted == {"open"}


def _whole(text: str | None, name: str, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise BadRequest(f"{name}: a whole number")
    return int(text)
