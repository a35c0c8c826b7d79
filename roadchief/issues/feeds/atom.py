"""An Atom feed (RFC 4287) with places as GeoRSS points. *Pure.*"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree import ElementTree

import shapely

from roadchief.issues.open311.georeport import FORBIDDEN

ATOM, GEORSS = "http://www.w3.org/2005/Atom", "http://www.georss.org/georss"
CONTENT_TYPE = "application/atom+xml; charset=utf-8"
ElementTree.register_namespace("", ATOM)
ElementTree.register_namespace("georss", GEORSS)


@dataclass(frozen=True)
class Entry:
    """One thing of the feed. `id` never changes; `address` is where more is told."""

    id: str
    title: str
    published: datetime
    updated: datetime
    lines: Sequence[str]
    category: tuple[str, str]  # code, words
    address: str
    point: shapely.Point | None = None
    photos: Sequence[str] = ()


@dataclass(frozen=True)
class Feed:
    """The feed itself; `address` is its own, `page` the page for people."""

    id: str
    title: str
    author: str
    address: str
    page: str
    language: str
    updated: datetime
    entries: Sequence[Entry] = field(default_factory=list)


def render(feed: Feed) -> bytes:
    root = ElementTree.Element(
        _atom("feed"), {"{http://www.w3.org/XML/1998/namespace}lang": feed.language}
    )
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    _text(root, "updated", _instant(feed.updated))
    _link(root, "self", feed.address, "application/atom+xml")
    _link(root, "alternate", feed.page, "text/html")
    _text(ElementTree.SubElement(root, _atom("author")), "name", feed.author)
    _text(root, "generator", "RoadChief")
    for entry in feed.entries:
        _entry(root, entry)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(
        root, encoding="unicode"
    ).encode("utf-8", "replace")


def _entry(root: ElementTree.Element, entry: Entry) -> None:
    one = ElementTree.SubElement(root, _atom("entry"))
    _text(one, "id", entry.id)
    _text(one, "title", entry.title)
    _text(one, "published", _instant(entry.published))
    _text(one, "updated", _instant(entry.updated))
    _link(one, "alternate", entry.address, "text/xml")
    for photo in entry.photos:
        _link(one, "enclosure", photo, "image/jpeg")
    code, words = entry.category
    ElementTree.SubElement(
        one, _atom("category"), {"term": code, "label": FORBIDDEN.sub("", words)}
    )
    # Plain text: whatever people wrote is shown as letters, never as markup or a link.
    content = ElementTree.SubElement(one, _atom("content"), {"type": "text"})
    content.text = FORBIDDEN.sub("", "\n".join(line for line in entry.lines if line))
    if entry.point is not None:
        point = ElementTree.SubElement(one, f"{{{GEORSS}}}point")
        point.text = f"{entry.point.y:.6f} {entry.point.x:.6f}"


def _text(parent: ElementTree.Element, name: str, words: str) -> None:
    ElementTree.SubElement(parent, _atom(name)).text = FORBIDDEN.sub("", words)


def _link(parent: ElementTree.Element, rel: str, href: str, kind: str) -> None:
    ElementTree.SubElement(parent, _atom("link"), {"rel": rel, "href": href, "type": kind})


def _atom(name: str) -> str:
    return f"{{{ATOM}}}{name}"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
