"""Whole addresses of ours, for what leaves the browser: links in answers for programs, files."""

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, request, url_for
from werkzeug.routing import RequestRedirect

from roadchief.config import LOOPBACK
from roadchief.web import settings

THIS_MACHINE = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")


def site() -> str:
    """Where people reach us, without a slash at the end: as configured.

    The Host of a request is whatever its sender wrote, and counts in one case alone: the public
    address is this machine, and so is the Host. Who develops opens any port, by either name.
    """
    public = settings().public_url
    if urlsplit(public).hostname in LOOPBACK and THIS_MACHINE.fullmatch(request.host):
        return f"{request.scheme}://{request.host}"
    return public.rstrip("/")


def install(app: Flask) -> None:
    app.after_request(_lead_by_path)


def _lead_by_path(response: Response) -> Response:
    """To a path with its slash by path alone: werkzeug writes the Host of the request before it."""
    redirect = request.routing_exception
    if isinstance(redirect, RequestRedirect):
        parts = urlsplit(redirect.new_url)
        response.location = urlunsplit(("", "", "/" + parts.path.lstrip("/"), parts.query, ""))
        response.set_data(b"")
    return response


def absolute(endpoint: str, **values: Any) -> str:
    return site() + url_for(endpoint, **values)
