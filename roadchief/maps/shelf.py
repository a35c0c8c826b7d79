"""Tiles that were made once: kept while nothing changes in their square, made by one at a time.

The database decides both. A kept tile carries the snapshot that it was made from; it is stale as
soon as a change of its tables, in its square, was committed that this snapshot had not seen. Who
finds none takes an advisory lock, so that fifty who ask at once wait for one computation.
"""

import gzip
import hashlib
import itertools
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.maps import tiles
from roadchief.maps.layers import BOX, Layer
from roadchief.maps.tiles import Square

KEPT_S = 24 * 3600
# From this zoom on a tile shows a few hundred metres. There are too many to keep each that somebody
# passes over once, and each is made as fast as it is found.
SMALL_FROM = 16
CHANGES_KEPT = timedelta(days=2)  # longer than any kept tile, and than any transaction
SWEEP_EVERY = 64  # tiles made by a process
# One row always: the kept tile, if any, and whether it still shows what is there. A tile from
# the future came with a copy of another server's tables.
FIND = f"""
SELECT t.body, t.etag, coalesce(t.stored_at > :oldest
  AND t.since <= CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)
  AND NOT EXISTS (
  SELECT 1 FROM tile_change c
  WHERE c.subdistrict_id = :here AND c.source = ANY(:sources) AND c.xact >= t.since
    AND NOT pg_visible_in_snapshot(CAST(CAST(c.xact AS text) AS xid8),
      CAST(t.snapshot AS pg_snapshot))
    AND (c.box IS NULL OR c.box && {BOX})), false) AS good
FROM (SELECT 1) one LEFT JOIN tile_store t
  ON t.subdistrict_id = :here AND t.name = :name AND t.scope = :scope
  AND t.z = :z AND t.x = :x AND t.y = :y
"""
# Who finds none good takes the right to make it, when nobody has it.
CLAIM = f"""
WITH k AS MATERIALIZED ({FIND})
SELECT k.body, k.etag, k.good, CASE WHEN k.good THEN false
  ELSE pg_try_advisory_xact_lock(hashtextextended(:matter, 0)) END AS mine
FROM k
"""
KEEP = """
INSERT INTO tile_store
  (subdistrict_id, name, scope, z, x, y, body, etag, snapshot, since, stored_at)
VALUES (:here, :name, :scope, :z, :x, :y, :body, :etag, :snapshot, :since, :at)
ON CONFLICT (subdistrict_id, name, scope, z, x, y) DO UPDATE SET body = excluded.body,
  etag = excluded.etag, snapshot = excluded.snapshot, since = excluded.since,
  stored_at = excluded.stored_at
"""
# The newest tiles up to a number of bytes stay; an empty one costs its row too.
TRIM = """
DELETE FROM tile_store d USING (
  SELECT name, scope, z, x, y, stored_at,
    sum(octet_length(body) + 200) OVER (ORDER BY stored_at DESC, name, scope, z, x, y) AS bytes
  FROM tile_store WHERE subdistrict_id = :here) k
WHERE d.subdistrict_id = :here AND (k.bytes > :most OR k.stored_at < :oldest)
  AND (d.name, d.scope, d.z, d.x, d.y) = (k.name, k.scope, k.z, k.x, k.y)
"""
_made = itertools.count(1)


@dataclass(frozen=True)
class Tile:
    """What is sent: gzip, or nothing where nothing is; the tag follows from the bytes."""

    body: bytes
    etag: str


@dataclass(frozen=True)
class Wanted:
    """One tile of one sub-district as one circle of people may see it."""

    name: str
    layers: tuple[Layer, ...]
    square: Square
    values: Mapping[str, Any]

    @property
    def scope(self) -> str:
        """Empty for what everybody sees; else which layers, and narrowed to what."""
        narrow = [one.name for one in self.layers if not one.public]
        if not narrow and not self.values:
            return ""
        return json.dumps([narrow, dict(self.values)], sort_keys=True, default=str)


class Memory:
    """Tiles this process sent a moment ago; trusted so briefly that nobody notices a change."""

    def __init__(self, *, trust_s: float, most_bytes: int) -> None:
        self._trust_s, self._most, self._bytes = trust_s, most_bytes, 0
        self._kept: OrderedDict[tuple[Any, ...], tuple[Tile, float]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: tuple[Any, ...]) -> Tile | None:
        with self._lock:
            tile, since = self._kept.get(key, (None, 0.0))
            return tile if time.monotonic() - since < self._trust_s else None

    def asked_before(self, key: tuple[Any, ...]) -> bool:
        """Whether this process sent it some time ago; without a memory every tile counts so."""
        with self._lock:
            return not self._trust_s or key in self._kept

    def keep(self, key: tuple[Any, ...], tile: Tile) -> None:
        if not self._trust_s:
            return
        with self._lock:
            before = self._kept.pop(key, None)
            self._bytes += len(tile.body) - (len(before[0].body) if before else 0)
            self._kept[key] = (tile, time.monotonic())
            while self._bytes > self._most:
                _key, (oldest, _since) = self._kept.popitem(last=False)
                self._bytes -= len(oldest.body)


@dataclass(frozen=True)
class Look:
    """The kept tile while it is good; else whether this transaction has the right to make it."""

    tile: Tile | None
    mine: bool


def find(session: Session, wanted: Wanted, *, at: datetime) -> Look:
    row = session.execute(text(CLAIM), _bindings(session, wanted, at=at)).one()
    return Look(Tile(bytes(row.body), row.etag) if row.good else None, row.mine)


def make(session: Session, wanted: Wanted, look: Look, *, at: datetime, most_bytes: int) -> Tile:
    """A new tile, or the one that another has made while this one waited for the right."""
    bound = _bindings(session, wanted, at=at)
    if not look.mine:
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:matter, 0))"), bound)
    # Asked again under the right, in one statement: what is good by now is not made again.
    row = _found_or_made(session, wanted, bound)
    if row.good:
        return Tile(bytes(row.body), row.etag)
    tile = _folded(row)
    _keep(session, tile, row.snapshot, bound, at=at, most_bytes=most_bytes)
    return tile


def at_once(
    session: Session, wanted: Wanted, *, keep: bool, at: datetime, most_bytes: int
) -> tuple[Tile, bool]:
    """For squares so small that making costs no more than asking for the right to make: the kept
    tile or a new one in one question, and whether it was made. `keep`: lay it on the shelf."""
    bound = _bindings(session, wanted, at=at)
    row = _found_or_made(session, wanted, bound)
    if row.good:
        return Tile(bytes(row.body), row.etag), False
    tile = _folded(row)
    if keep:
        _keep(session, tile, row.snapshot, bound, at=at, most_bytes=most_bytes)
    return tile, True


def _found_or_made(session: Session, wanted: Wanted, bound: Mapping[str, Any]) -> Row[Any]:
    asked = tiles.question(wanted.layers, wanted.square) or "''::bytea"
    return session.execute(
        text(
            f"WITH k AS MATERIALIZED ({FIND}) SELECT k.body, k.etag, k.good, "
            "CASE WHEN k.good THEN NULL ELSE pg_current_snapshot()::text END AS snapshot, "
            f"CASE WHEN k.good THEN NULL ELSE {asked} END AS made FROM k"
        ),
        bound,
    ).one()


def _folded(row: Row[Any]) -> Tile:
    body = gzip.compress(bytes(row.made), 5, mtime=0) if row.made else b""
    return Tile(body, hashlib.blake2b(body, digest_size=12).hexdigest())


def _keep(
    session: Session,
    tile: Tile,
    snapshot: str,
    bound: Mapping[str, Any],
    *,
    at: datetime,
    most_bytes: int,
) -> None:
    since = int(snapshot.partition(":")[0])
    kept = {"body": tile.body, "etag": tile.etag, "snapshot": snapshot, "since": since, "at": at}
    session.execute(text(KEEP), {**bound, **kept})
    if next(_made) % SWEEP_EVERY == 0:
        sweep(session, at=at, most_bytes=most_bytes)


def sweep(session: Session, *, at: datetime, most_bytes: int) -> None:
    """Keep the shelf of one sub-district within its size, and forget old changes."""
    here = tenant_of(session)
    oldest = at - timedelta(seconds=KEPT_S)
    session.execute(text(TRIM), {"here": here, "most": most_bytes, "oldest": oldest})
    session.execute(
        text("DELETE FROM tile_change WHERE subdistrict_id = :here AND at < :oldest"),
        {"here": here, "oldest": at - CHANGES_KEPT},
    )


def _bindings(session: Session, wanted: Wanted, *, at: datetime) -> dict[str, Any]:
    drawn = tiles.drawn(wanted.layers, wanted.square)
    fresh_s = min((one.fresh_s for one in drawn), default=KEPT_S)
    here = tenant_of(session)
    return tiles.bindings(session, wanted.square, wanted.values, at=at) | {
        "name": wanted.name,
        "scope": wanted.scope,
        "matter": f"tile {here} {wanted.name} {wanted.scope} {vars(wanted.square)}",
        "oldest": at - timedelta(seconds=fresh_s),
        "sources": sorted({source for one in drawn for source in one.sources}),
    }
