"""Every error becomes one clear answer: a page for people, JSON for programs. No bare 500."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from roadchief.errors import (
    Malformed,
    NotFound,
    Refusal,
    TooLarge,
    TooMany,
    Unavailable,
    status_of,
)
from roadchief.web import settings
from roadchief.web.logs import log, request_id
from roadchief.web.pages import language, render_refusal, wants_json


class FormExpired(Malformed):
    zh = "页面已过期，请返回刷新后重新提交"
    en = "This page has expired: go back, reload and send again"


class MethodNotAllowed(Malformed):
    zh = "这个地址不能这样打开（{method}）"
    en = "This address cannot be opened in this way ({method})"


class OurFault(Refusal):
    zh = "系统出错了，我们已记录。编号 {request_id}"
    en = "Something went wrong on our side. It is recorded as {request_id}"


RETRY_S = "30"  # a database that is started anew is back within so long

# Addresses whose protocol has a way of its own to say no, by the beginning of the path.
dialects: dict[str, Callable[[Refusal, int], Response]] = {}


def install(app: Flask) -> None:
    app.register_error_handler(Refusal, answer)
    app.register_error_handler(CSRFError, lambda error: answer(FormExpired()))
    app.register_error_handler(RateLimitExceeded, _answer_limit)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(OperationalError, _answer_database)
    app.register_error_handler(PoolTimeout, _answer_database)
    app.register_error_handler(DBAPIError, _answer_data)
    app.register_error_handler(Exception, _answer_fault)


def answer(refusal: Refusal, status: int | None = None) -> Response:
    """The refusal as the asker reads it. A person who is not signed in is led to the door."""
    status = status or status_of(refusal)
    own = next((say for path, say in dialects.items() if request.path.startswith(path)), None)
    if own:
        response = own(refusal, status)
        status = response.status_code
    elif wants_json():
        body = {"error": refusal.code, "message": refusal.say(language()), "facts": _plain(refusal)}
        response = jsonify(body)
    else:
        response = render_refusal(refusal, status)
    response.status_code = status
    if isinstance(refusal, TooMany):
        response.headers["Retry-After"] = str(refusal.facts["retry_s"])
    for challenge in refusal.challenges:
        response.headers.add("WWW-Authenticate", challenge)
    if isinstance(refusal, Unavailable):
        response.headers["Retry-After"] = RETRY_S
    return response


def _plain(refusal: Refusal) -> dict[str, Any]:
    keep = (str, int, float, bool, type(None))
    return {
        name: fact if isinstance(fact, keep) else str(fact) for name, fact in refusal.facts.items()
    }


def _answer_limit(error: RateLimitExceeded) -> Response:
    retry_s = int(error.limit.limit.get_expiry()) if error.limit else 60
    return answer(TooMany(retry_s=retry_s))


def _answer_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return error.get_response()  # type: ignore[return-value]
    if status == 404:
        return answer(NotFound())
    if status == 405:
        return answer(MethodNotAllowed(method=request.method), 405)
    if status == 413:
        limit = request.max_content_length or settings().request_limit_bytes
        return answer(TooLarge(limit=f"{limit // (1024 * 1024)} MB"))
    return answer(Malformed(), status)


def _answer_database(error: Exception) -> Response:
    log.error("database", reason=type(error).__name__)
    return answer(Unavailable())


def _answer_data(error: DBAPIError) -> Response:
    """Text that PostgreSQL cannot hold (NUL, lone surrogates) is the asker's, not our fault."""
    if type(error.orig).__name__ in {"DataError", "CharacterNotInRepertoire"}:
        return answer(Malformed())
    return _answer_fault(error)


def _answer_fault(error: Exception) -> Response:
    if isinstance(error, UnicodeError):
        return answer(Malformed())
    log.error("fault", exc_info=error)
    return answer(OurFault(request_id=request_id()), 500)
