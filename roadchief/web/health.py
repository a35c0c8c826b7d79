"""For those who watch the machine: alive, ready, and numbers."""

import ipaddress
import secrets
import time

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from roadchief.errors import NotFound
from roadchief.web import database, settings
from roadchief.web.security import csrf

pages = Blueprint("health", __name__)
csrf.exempt(pages)

REQUESTS = Counter("roadchief_requests", "Answers by rule and status", ["rule", "status"])
DURATION = Histogram(
    "roadchief_request_seconds",
    "Time to answer",
    ["rule"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)


@pages.get("/healthz")
def healthz() -> tuple[str, int]:
    """The process answers. Says nothing of the database, so that a restart is not provoked."""
    return "ok\n", 200


@pages.get("/readyz")
def readyz() -> tuple[str, int]:
    """The database answers and its schema is there."""
    try:
        with database().transaction(None) as session:
            session.execute(text("SELECT 1 FROM subdistrict LIMIT 1"))
    except SQLAlchemyError:
        return "database unavailable\n", 503
    return "ready\n", 200


@pages.get("/metrics")
def metrics() -> Response:
    """For the collector: with the configured token, or from this machine where none is set."""
    if not _may_read_metrics():
        raise NotFound
    return Response(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def install(app: Flask) -> None:
    app.register_blueprint(pages)
    app.after_request(_count)


def _may_read_metrics() -> bool:
    token = settings().metrics_token
    if token:
        given = request.headers.get("Authorization", "")
        return secrets.compare_digest(given.encode(), f"Bearer {token}".encode())
    address = request.remote_addr or ""
    forwarded = "X-Forwarded-For" in request.headers
    return not forwarded and bool(address) and ipaddress.ip_address(address).is_loopback


def _count(response: Response) -> Response:
    rule = request.url_rule.rule if request.url_rule else "-"
    REQUESTS.labels(rule, str(response.status_code)).inc()
    if "began" in g:
        DURATION.labels(rule).observe(time.perf_counter() - g.began)
    return response
