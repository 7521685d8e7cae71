"""One HTTP request for each run."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from cnc_station.engine.domain import checks
from cnc_station.engine.domain.errors import FieldError
from cnc_station.engine.domain.trace import trace_headers
from cnc_station.engine.handlers.base import HandlerFailed, HandlerOrder, HandlerResult
from cnc_station.engine.outgoing_http import HttpFailed, HttpRequest, OutgoingHttp
from cnc_station.engine.views import MOST_OUTPUT

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
LONGEST_S = 3_600
DEFAULT_S = 30.0
DEFAULT_SUCCESS = ("2xx",)
_FIELDS = frozenset({"url", "method", "headers", "json", "body", "timeout", "success"})
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_STATUSES = re.compile(r"[1-5]xx")
_MOST_BODY = 65_536


class HttpWebhook:
    """Implements `Handler`.

    Payload: `url`, `method` (default POST), `headers`, `json` or `body` (text), `timeout` in
    seconds (30), `success`: the statuses that count as done (default ["2xx"]). The run's output is
    the body of the answer. `Idempotency-Key` is the key of the run, unless the job has its own.
    """

    name = "http.webhook"

    def __init__(self, http: OutgoingHttp) -> None:
        self._http = http

    def check(self, payload: Mapping[str, Any]) -> Iterable[FieldError]:
        for name in payload.keys() - _FIELDS:
            yield FieldError(str(name), f"is not known; known are {', '.join(sorted(_FIELDS))}")
        yield from _url(payload.get("url", ""))
        method = payload.get("method", "POST")
        if not isinstance(method, str) or method.upper() not in METHODS:
            yield FieldError("method", f"must be one of {', '.join(METHODS)}")
        yield from _headers(payload.get("headers", {}))
        if "json" in payload and "body" in payload:
            yield FieldError("body", "give either json or body")
        yield from checks.text("body", payload.get("body", ""), _MOST_BODY)
        timeout = payload.get("timeout", DEFAULT_S)
        if not checks.number(timeout) or not 0 < timeout <= LONGEST_S:
            yield FieldError("timeout", f"must be a number of seconds up to {LONGEST_S:,}")
        yield from _success(payload.get("success", list(DEFAULT_SUCCESS)))

    async def run(self, order: HandlerOrder, progress: Callable[[float], None]) -> HandlerResult:
        request = _request(order)
        progress(0.0)
        try:
            answer = await self._http.send(request, keep=MOST_OUTPUT)
        except HttpFailed as error:
            raise HandlerFailed(str(error)) from error
        order.output.write(answer.body)
        if answer.truncated:
            order.output.write("\n[… the rest of the answer was not read …]")
        status = answer.status
        if not _is_success(status, order.payload.get("success", DEFAULT_SUCCESS)):
            raise HandlerFailed(f"{request.method} {_shown(request.url)}: HTTP {status}", status)
        progress(1.0)
        return HandlerResult(f"HTTP {status} in {answer.duration_s:.3f} s", status)


def _url(url: object) -> Iterable[FieldError]:
    yield from checks.text("url", url, 2_000, wanted=True)
    if not isinstance(url, str) or not url.strip():
        return
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or any(letter.isspace() for letter in url):
        yield FieldError("url", "must be an address such as https://erp.example/jobs")


def _headers(headers: object) -> Iterable[FieldError]:
    if not isinstance(headers, Mapping):
        yield FieldError("headers", "must be an object of names and texts")
        return
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            yield FieldError("headers", f"{name!r} is not the name of a header")
        elif name.lower() in _OURS:
            yield FieldError(f"headers.{name}", "is set by CNC Station")
        elif not isinstance(value, str) or not _VALUE.fullmatch(value):
            yield FieldError(f"headers.{name}", "must be text in ASCII, in one line")


def _success(asked: object) -> Iterable[FieldError]:
    valid = isinstance(asked, list) and bool(asked)
    for one in asked if isinstance(asked, list) else ():
        status = isinstance(one, int) and not isinstance(one, bool) and 100 <= one <= 599
        valid = valid and (status or (isinstance(one, str) and bool(_STATUSES.fullmatch(one))))
    if not valid:
        yield FieldError("success", 'must be a list of statuses, such as ["2xx", 404]')


def _is_success(status: int, asked: Iterable[int | str]) -> bool:
    return any(one in (status, f"{status // 100}xx") for one in asked)


def _request(order: HandlerOrder) -> HttpRequest:
    payload = order.payload
    headers = {
        "Idempotency-Key": order.key,
        **trace_headers(order.trace_id),
        "X-Job-Id": str(order.job_id),
    }
    body = b""
    if "json" in payload:
        body = json.dumps(payload["json"], separators=(",", ":")).encode()
        headers["Content-Type"] = "application/json"
    elif "body" in payload:
        body = payload["body"].encode()
        headers["Content-Type"] = "text/plain; charset=utf-8"
    given = payload.get("headers", {})
    replaced = {name.lower() for name in given}
    return HttpRequest(
        method=payload.get("method", "POST").upper(),
        url=payload["url"],
        headers={n: v for n, v in headers.items() if n.lower() not in replaced} | dict(given),
        body=body,
        timeout_s=payload.get("timeout", DEFAULT_S),
    )


def _shown(url: str) -> str:
    """The address without a password and without a query, which may be a secret."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
