"""Structured logs with a request id, in UTC, one line an event; no personal data in them."""

import logging
import re
import secrets
import sys
import time

import structlog
from flask import Flask, Response, g, request

from roadchief.config import Settings

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")  # what we accept from a proxy
log = structlog.get_logger("roadchief")


def configure(settings: Settings) -> None:
    """Once a process. JSON for machines, or plain lines for a person who watches."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelName(settings.log_level.upper())
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def install(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)


def request_id() -> str:
    return str(g.get("request_id", "-"))


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = request_id()
    # The rule, not the address: addresses may carry receipts and tokens.
    rule = request.url_rule.rule if request.url_rule else "-"
    duration_s = time.perf_counter() - g.get("began", time.perf_counter())
    if request.endpoint != "static":
        log.info(
            "request",
            method=request.method,
            rule=rule,
            status=response.status_code,
            duration_ms=round(duration_s * 1000, 1),
        )
    return response
