"""Our PDF parts joined into one file in one pass, with memory that does not grow with the pages.

Not a general tool: it reads what reportlab wrote for us (a plain cross-reference table, no object
streams, no encryption) and only moves numbers.
"""

import re
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

REFERENCE = re.compile(rb"(\d+) 0 R\b")
# What reportlab says of every page and no reader needs.
IDLE = re.compile(rb"/ProcSet \[[^]]*\] ?|/Trans <<\s*>> ?|/Rotate 0 \s*")
# What pages may inherit from their branch: said once there instead of on every page.
SHARED = re.compile(rb"/MediaBox \[[^]]*\] |/Resources <<[^<>]*<<[^<>]*>>\s*>> ")
PAGE = b"/Type /Page\n"
HEAD = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
CATALOGUE, ALL_PAGES, FIRST_FREE = 1, 2, 3


class NotOurs(ValueError):
    """A part that is not whole or was not written by us."""


def join(parts: Sequence[Path], target: BinaryIO) -> int:
    """Write all parts' pages in order; returns how many pages there are."""
    offsets = array("Q", [0] * FIRST_FREE)
    branches: list[tuple[int, int]] = []  # each part's tree of pages: its object and page count
    target.write(HEAD)
    written = len(HEAD)
    for part in parts:
        body = part.read_bytes()
        places, root = _directory(body)
        shift = len(offsets) - 1
        catalogue = _object(body, places, root)
        branch = int(_found(rb"/Pages (\d+) 0 R", catalogue))
        count = int(_found(rb"/Count (\d+)", _object(body, places, branch)))
        branches.append((branch + shift, count))
        objects = [
            _moved(_object(body, places, number), number, shift)
            for number in range(1, len(places) - 1)
        ]
        for moved in _shared(objects, branch):
            offsets.append(written)
            target.write(moved)
            written += len(moved)
    pages = sum(count for _, count in branches)
    _close(target, written, offsets, branches, pages)
    return pages


def _shared(objects: list[bytes], branch: int) -> list[bytes]:
    """Hang the part's branch of pages under the root, and give it what its pages have alike."""
    pages = [at for at, whole in enumerate(objects) if PAGE in whole]
    alike = set.intersection(*(set(SHARED.findall(objects[at])) for at in pages))
    for at in pages:
        for fact in alike:
            objects[at] = objects[at].replace(fact, b"")
    lead = b"<< /Parent %d 0 R " % ALL_PAGES + b"".join(sorted(alike))
    objects[branch - 1] = objects[branch - 1].replace(b"<<", lead, 1)
    return objects


def _close(
    target: BinaryIO,
    written: int,
    offsets: "array[int]",
    branches: list[tuple[int, int]],
    pages: int,
) -> None:
    kids = b" ".join(b"%d 0 R" % branch for branch, _ in branches)
    for number, text in (
        (CATALOGUE, b"<< /Type /Catalog /Pages %d 0 R >>" % ALL_PAGES),
        (ALL_PAGES, b"<< /Type /Pages /Count %d /Kids [ %s ] >>" % (pages, kids)),
    ):
        offsets[number] = written
        whole = b"%d 0 obj\n%s\nendobj\n" % (number, text)
        target.write(whole)
        written += len(whole)
    target.write(b"xref\n0 %d\n0000000000 65535 f \n" % len(offsets))
    for offset in offsets[1:]:
        target.write(b"%010d 00000 n \n" % offset)
    target.write(
        b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(offsets), CATALOGUE, written)
    )


def _directory(body: bytes) -> tuple[list[int], int]:
    """Where each object begins (by its number) and where the last one ends; the catalogue."""
    start = int(_found(rb"startxref\s+(\d+)\s+%%EOF\s*$", body[-64:]))
    table = body[start:]
    count = int(_found(rb"^xref\s+0 (\d+)\s", table))
    rows = re.findall(rb"(\d{10}) \d{5} [fn]", table)
    if len(rows) != count:
        raise NotOurs("the part's table is broken")
    return [*map(int, rows), start], int(_found(rb"/Root (\d+) 0 R", table))


def _object(body: bytes, places: list[int], number: int) -> bytes:
    start, end = places[number], places[number + 1]
    if end <= start or not body.startswith(b"%d 0 obj" % number, start):
        raise NotOurs(f"object {number} is not where the table says")
    return body[start:end]


def _moved(whole: bytes, number: int, shift: int) -> bytes:
    """The object under its new number, its references moved; streams stay as they are."""
    head, mark, stream = whole.partition(b"stream")
    head = head[len(b"%d 0 obj" % number) :]
    head = REFERENCE.sub(lambda found: b"%d 0 R" % (int(found[1]) + shift), head)
    if not mark:
        head = IDLE.sub(b"", head)
    return b"%d 0 obj" % (number + shift) + head + mark + stream


def _found(pattern: bytes, text: bytes) -> bytes:
    found = re.search(pattern, text)
    if not found:
        raise NotOurs(f"no {pattern!r}")
    return found[1]
