"""Errors as RFC 9457 problems: `application/problem+json`, a name and a status for each kind."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aiohttp import web

from cnc_station.engine.domain.errors import (
    CncStationError,
    Conflict,
    Fenced,
    FieldError,
    InvalidInput,
    LimitReached,
    Locked,
    NotPermitted,
    NotSignedOn,
    Unavailable,
)

CONTENT_TYPE = "application/problem+json"
RETRY_S = 5
_MOST_PATH = 300  # characters

NAMES: Mapping[int, str] = {
    400: "malformed",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method",
    408: "timeout",
    409: "conflict",
    412: "precondition",
    413: "too-large",
    415: "media-type",
    421: "wrong-host",
    422: "invalid-input",
    429: "limit-rate",
    431: "header-too-large",
    500: "internal",
    503: "unavailable",
}
_KINDS: Sequence[tuple[type[CncStationError], int]] = (
    (InvalidInput, 422),
    (NotPermitted, 403),
    (NotSignedOn, 401),
    (Locked, 429),
    (Conflict, 409),
    (Fenced, 409),
    (Unavailable, 503),
)


@dataclass(eq=False)
class Problem(Exception):
    """Raised by a route, answered as a problem. Not frozen: contexts set its traceback."""

    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str = ""  # where the status has several kinds


def not_found(what: str) -> Problem:
    """The problem of a thing that does not exist, or is another tenant's."""
    return Problem(404, f"There is no {what}.")


def of_error(error: CncStationError) -> Problem:
    """Return an expected failure as a problem."""
    if isinstance(error, LimitReached):
        return _of_limit(error)
    status = next((status for kind, status in _KINDS if isinstance(error, kind)), 503)
    errors = error.errors if isinstance(error, InvalidInput) else ()
    return Problem(status, str(error), errors, _headers(error, status))


def _headers(error: CncStationError, status: int) -> Mapping[str, str]:
    if isinstance(error, Locked):
        return {"Retry-After": str(math.ceil(error.retry_after_s))}
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": str(RETRY_S)} if status == 503 else {}


def _of_limit(reached: LimitReached) -> Problem:
    """A rate passes by itself and says when; active jobs have to end first."""
    if reached.retry_after_s is None:
        return Problem(429, str(reached), name="limit-active")
    headers = {"Retry-After": str(math.ceil(reached.retry_after_s))}
    return Problem(429, str(reached), headers=headers, name="limit-rate")


def answer(problem: Problem, path: str, trace_id: str) -> web.Response:
    """Return the response that tells a problem."""
    content: dict[str, Any] = {
        "type": f"/problems/{problem.name or NAMES[problem.status]}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "instance": path[:_MOST_PATH],
        "trace_id": trace_id,
        "errors": [{"field": e.field, "reason": e.reason} for e in problem.errors],
    }
    if "Retry-After" in problem.headers:
        content["retry_after"] = int(problem.headers["Retry-After"])
    return web.Response(
        body=json.dumps(content, ensure_ascii=False).encode(errors="replace"),
        status=problem.status,
        content_type=CONTENT_TYPE,
        headers=problem.headers,
    )
