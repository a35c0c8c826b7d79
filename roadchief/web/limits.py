"""Rate limits that hold across workers, counted in PostgreSQL: no further server needed."""

import hashlib
import threading
import time
from typing import Any

import psycopg
from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, Storage
from limits.strategies import FixedWindowRateLimiter
from psycopg_pool import ConnectionPool

from roadchief.config import Settings
from roadchief.lib import clock

limiter = Limiter(key_func=get_remote_address, headers_enabled=True)
_HERE = FixedWindowRateLimiter(MemoryStorage())

COUNT = """
INSERT INTO rate_count (key, hits, expires_at)
VALUES (%(key)s, %(amount)s, clock_timestamp() + make_interval(secs => %(expiry)s))
ON CONFLICT (key) DO UPDATE SET
    hits = CASE WHEN rate_count.expires_at <= clock_timestamp() THEN excluded.hits
                ELSE rate_count.hits + excluded.hits END,
    expires_at = CASE WHEN rate_count.expires_at <= clock_timestamp() THEN excluded.expires_at
                      ELSE rate_count.expires_at END
RETURNING hits
"""
SWEEP_EVERY_S = 300


class PostgresStorage(Storage):
    """Fixed windows in the UNLOGGED table `rate_count`; one atomic upsert a hit."""

    STORAGE_SCHEME = ["roadchief+postgres"]  # noqa: RUF012

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any):
        super().__init__(uri, wrap_exceptions, **options)
        self._pool = ConnectionPool(
            str(options["conninfo"]),
            min_size=0,
            max_size=int(options.get("pool_size", 2)),
            open=True,
            timeout=2,
            kwargs={"autocommit": True, "options": "-c synchronous_commit=off"},
        )
        self._swept_at = time.monotonic()
        self._sweep_lock = threading.Lock()

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        return psycopg.Error

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        self._sweep()
        row = self._ask(COUNT, key, amount=amount, expiry=expiry)
        return int(row[0]) if row else amount

    def get(self, key: str) -> int:
        row = self._ask(
            "SELECT hits FROM rate_count WHERE key = %(key)s AND expires_at > clock_timestamp()",
            key,
        )
        return int(row[0]) if row else 0

    def get_expiry(self, key: str) -> float:
        row = self._ask(
            "SELECT extract(epoch FROM expires_at) FROM rate_count WHERE key = %(key)s", key
        )
        return float(row[0]) if row else clock.now().timestamp()

    def check(self) -> bool:
        return self._ask("SELECT 1", "") is not None

    def reset(self) -> int | None:
        with self._pool.connection() as connection:
            return connection.execute("DELETE FROM rate_count").rowcount

    def clear(self, key: str) -> None:
        with self._pool.connection() as connection:
            connection.execute("DELETE FROM rate_count WHERE key = %s", [_hashed(key)])

    def _ask(self, sql: str, key: str, **values: Any) -> tuple[Any, ...] | None:
        with self._pool.connection() as connection:
            cursor = connection.execute(sql.encode(), {"key": _hashed(key), **values})
            return cursor.fetchone()

    def _sweep(self) -> None:
        """Forget old windows now and then, by whoever comes by."""
        with self._sweep_lock:
            due = time.monotonic() - self._swept_at > SWEEP_EVERY_S
            if due:
                self._swept_at = time.monotonic()
        if due:
            with self._pool.connection() as connection:
                connection.execute("DELETE FROM rate_count WHERE expires_at < clock_timestamp()")


def install(app: Flask, settings: Settings) -> None:
    """Addresses are counted as hashes. Should the counter fail, people are let through."""
    app.config.update(
        RATELIMIT_STORAGE_URI="roadchief+postgres://",
        RATELIMIT_STORAGE_OPTIONS={"conninfo": settings.database_url},
        RATELIMIT_SWALLOW_ERRORS=True,
        RATELIMIT_STRATEGY="fixed-window",
        RATELIMIT_DEFAULT=settings.rate_limit,
        RATELIMIT_ENABLED=not settings.testing,
    )
    # The first application's default would stay for all that are made after it in this process.
    limiter.limit_manager.set_default_limits([])
    limiter.init_app(app)
    limiter.request_filter(lambda: request.endpoint in {"static", "health.healthz"})


def within(matter: str, whose: str, *, a_minute: int) -> bool:
    """Count one more of a matter for somebody; still within so many a minute? For limits that

    stand in a row and not in the code. Should the counter fail, people are let through.
    """
    if not limiter.enabled:
        return True
    try:
        return bool(limiter.limiter.hit(RateLimitItemPerMinute(a_minute), matter, whose))
    except psycopg.Error:
        return True


def within_here(matter: str, whose: str, *, a_minute: int) -> bool:
    """The same, counted by this process alone: for acts that cost less than asking the database
    how many there were. Each web process counts for itself."""
    if not limiter.enabled:
        return True
    return _HERE.hit(RateLimitItemPerMinute(a_minute), matter, whose)


def _hashed(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=20).hexdigest()
