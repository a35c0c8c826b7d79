"""Writes come from our own page, never from a foreign form; answers carry our mark."""

from urllib.parse import urlsplit

from flask import Response, request

from roadchief.errors import NotAllowed, Refusal
from roadchief.web import settings


class ForeignPage(NotAllowed):
    zh = "请求来自其他网站，已拒绝"
    en = "The request comes from another site"


class WrongType(Refusal):
    zh = "只接受 {wanted}"
    en = "Only {wanted} is accepted"


def own_page_only() -> None:
    """Stands in for a CSRF token, which an app that was offline all day would hold outdated.

    Browsers say where a request comes from, and no foreign page may send JSON or PUT without
    asking us first, which we never allow. Programs without a browser send neither header.
    """
    said = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    ours = {request.host, urlsplit(settings().public_url).netloc}
    if said != "same-origin" or (origin is not None and urlsplit(origin).netloc not in ours):
        raise ForeignPage


def json_only() -> None:
    if request.mimetype != "application/json":
        raise WrongType(wanted="application/json")


def dated(response: Response) -> Response:
    """The mark by which a phone tells our answers from those of a portal in between."""
    response.headers["X-RoadChief"] = "1"
    return response
