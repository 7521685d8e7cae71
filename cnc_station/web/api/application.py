"""The API as an aiohttp application: it checks each request by its route, calls it, and answers."""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from structlog.contextvars import bound_contextvars

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.errors import CncStationError, FieldError, InvalidInput
from cnc_station.engine.domain.trace import TRACE_HEADER, given_trace_id, new_trace_id
from cnc_station.engine.door import Door
from cnc_station.engine.queries import AboutStation
from cnc_station.web.api import (
    jobs,
    needs_attention,
    problems,
    programs,
    schedules,
    shop,
    webhooks,
)
from cnc_station.web.api.idempotency import reply_once, request_key
from cnc_station.web.api.openapi import document
from cnc_station.web.api.problems import Problem
from cnc_station.web.api.route import IF_MATCH, PATTERNS, Call, Reply, Route
from cnc_station.web.api.values import Taken

log = logging.getLogger(__name__)

PREFIX = "/api/v1"
MOST_BODY = 1024 * 1024
MOST_UPLOAD = 64 * 1024 * 1024
ROUTES: tuple[Route, ...] = (
    *jobs.ROUTES,
    *needs_attention.ROUTES,
    *programs.ROUTES,
    *shop.ROUTES,
    *schedules.ROUTES,
    *webhooks.ROUTES,
)
_TRACE = web.RequestKey("trace_id", str)
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})


def add_api(app: web.Application, door: Door) -> None:
    """Add the API to an application. `door` is that of its principal."""
    described = document(ROUTES, door.peek(AboutStation()).version)

    async def describe(_request: web.Request) -> web.Response:
        return web.json_response(described)

    app.middlewares.append(_answering_problems)
    app.router.add_get(f"{PREFIX}/openapi.json", describe)
    for route in ROUTES:
        path = re.sub(r"{(\w+)}", lambda name: f"{{{name[1]}:{PATTERNS[name[1]]}}}", route.path)
        app.router.add_route(route.method, PREFIX + path, _handler(route, door))


def _handler(route: Route, door: Door) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        content = await _content(request, route)
        call = Call(
            door,
            _path_values(request),
            route.query.read(_query(request)),
            _body(request, route, content),
            _if_match(request) if route.conditional else None,
            request[_TRACE],
        )
        key = await request_key(request, content) if route.creates else None
        return _response(await (reply_once(route, call, key) if key else route.call(call)))

    return handle


def _path_values(request: web.Request) -> Mapping[str, Any]:
    found: dict[str, Any] = dict(request.match_info)
    if "id" in found:
        found["id"] = int(found["id"][:20])
        if not 0 < found["id"] < 2**63:
            raise problems.not_found("thing with this number")
    return found


def _query(request: web.Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.query.items():
        if name in found:
            raise InvalidInput(FieldError(name, "is given twice"))
        found[name] = value
    return found


def _body(request: web.Request, route: Route, content: bytes) -> Taken | bytes | None:
    if route.uploads:
        return content
    if not route.body:
        return None
    if content and request.content_type != "application/json":
        raise Problem(415, "The body must be application/json.")
    values: Any = {}
    if content:
        try:
            values = json_text.load(content)
        except ValueError as error:
            raise Problem(400, f"The body {error}.") from None
    given = values.keys() if isinstance(values, dict) else frozenset()
    model = max(route.body, key=lambda one: len(given & one.model_fields.keys()))
    return model.read(values)


async def _content(request: web.Request, route: Route) -> bytes:
    if not (route.body or route.uploads):
        return b""
    most = MOST_UPLOAD if route.uploads else MOST_BODY
    if (request.content_length or 0) > most:
        raise _too_large(most)
    request = request.clone(client_max_size=most)
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise _too_large(most) from None


def _too_large(most: int) -> Problem:
    return Problem(413, f"The body may have {most >> 10:,} KiB.")


def _if_match(request: web.Request) -> int | None:
    text = request.headers.get("If-Match")
    if text is None or text == "*":
        return None
    if (match := IF_MATCH.fullmatch(text)) is None:
        raise Problem(400, 'If-Match must be the ETag of an answer, such as "v17".')
    return int(match["version"])


def _response(reply: Reply) -> web.Response:
    if reply.content is None:
        return web.Response(status=reply.status, headers=reply.headers)
    return web.Response(
        body=reply.body(),
        status=reply.status,
        headers={"Cache-Control": "no-store", **reply.headers},
        content_type=reply.media_type,
        charset="utf-8",
    )


@web.middleware
async def _answering_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer each error of the API as a problem, and log what was asked."""
    if not request.path.startswith(f"{PREFIX}/"):
        return await handler(request)
    request[_TRACE] = trace = given_trace_id(request.headers) or new_trace_id()
    with bound_contextvars(trace_id=trace):
        response = await _answer(request, handler)
    response.headers[TRACE_HEADER] = trace
    return response


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    trace, begun = request[_TRACE], time.perf_counter()
    try:
        _check_host(request)
        response = await handler(request)
    except (Problem, CncStationError, web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
        response = problems.answer(_problem(error), request.path, trace)
    except web.HTTPException:
        raise
    except Exception:
        log.exception("a request failed, trace %s", trace)
        bug = Problem(500, "Internal error: see the log of the station.")
        response = problems.answer(bug, request.path, trace)
    resource = request.match_info.route.resource
    template = resource.canonical if resource else "-"
    took = (time.perf_counter() - begun) * 1000
    log.info("%s %s: %d, %.1f ms", request.method, template, response.status, took)
    return response


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, CncStationError):
        return problems.of_error(error)
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return Problem(405, f"Allowed here: {allowed}.", headers={"Allow": allowed})
    return problems.not_found("such path")


def _check_host(request: web.Request) -> None:
    """Refuse a page of the web whose name was made to point at this computer."""
    name = re.sub(r":\d+$", "", request.headers.get("Host", ""))
    if name.lower() not in _LOCAL_HOSTS:
        raise Problem(421, "Ask for localhost: this station answers no other name.")
