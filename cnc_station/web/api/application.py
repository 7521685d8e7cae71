"""The API as an aiohttp application: it checks each request by its route, calls it, and answers."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from structlog.contextvars import bound_contextvars

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.errors import CncStationError, FieldError, InvalidInput
from cnc_station.engine.domain.principal import STATION
from cnc_station.engine.domain.random_id import random_id
from cnc_station.engine.domain.trace import TRACE_HEADER, given_trace_id
from cnc_station.engine.door import Door
from cnc_station.engine.queries import AboutStation
from cnc_station.engine.timing import now_ms
from cnc_station.web import docs_page
from cnc_station.web.api import (
    accounts,
    aliases,
    attachments,
    floor,
    job_history,
    jobs,
    metrics,
    needs_attention,
    problems,
    programs,
    schedules,
    set_up_sheets,
    shop,
    tenants,
    webhook_test,
    webhooks,
)
from cnc_station.web.api.aliases import with_aliases
from cnc_station.web.api.idempotency import reply_once, request_key
from cnc_station.web.api.openapi import document
from cnc_station.web.api.problems import Problem
from cnc_station.web.api.rate_limits import limit_headers
from cnc_station.web.api.route import (
    IF_MATCH,
    PATTERNS,
    TEXTS,
    Call,
    Reply,
    Route,
    content_tag,
    is_seen,
)
from cnc_station.web.api.values import Taken
from cnc_station.web.authentication import DOOR, Authentication, bearer_token
from cnc_station.web.capacity import Capacity, paced
from cnc_station.web.guards import OPEN_PATHS, Guards
from cnc_station.web.page import Page
from cnc_station.web.request_log import RequestLine

log = logging.getLogger(__name__)

PREFIX = "/api/v1"
MOST_BODY = 1024 * 1024
MOST_UPLOAD = 64 * 1024 * 1024
ROUTES: tuple[Route, ...] = (
    *jobs.ROUTES,
    *job_history.ROUTES,
    *needs_attention.ROUTES,
    *programs.ROUTES,
    *attachments.ROUTES,
    *set_up_sheets.ROUTES,
    *shop.ROUTES,
    *floor.ROUTES,
    *schedules.ROUTES,
    *webhooks.ROUTES,
    *metrics.ROUTES,
    *accounts.ROUTES,
    *tenants.ROUTES,
)
_TRACE = web.RequestKey("trace_id", str)
_COUNTED = web.RequestKey("counted", Mapping[str, str])
_LINE = web.RequestKey("line", RequestLine)
_SMALL_BODY = 8 * 1024  # bytes that are understood at once, and not beside the loop
_USER = web.AppKey("user", str)


def add_api(app: web.Application, door: Door, guards: Guards | None = None) -> None:
    """Add the API to an application. `door` is that of its principal."""
    about = door.of_principal(STATION).peek(AboutStation())
    routes = with_aliases((*ROUTES, *(webhook_test.routes() if about.webhook_test else ())))
    capacity = Capacity()

    @cache
    def described() -> dict[str, Any]:
        return document(routes, about.version)

    @cache
    def description() -> bytes:
        return json.dumps(described()).encode()

    @cache
    def page() -> Page:
        return docs_page.render(described())

    async def describe(_request: web.Request) -> web.Response:
        content = await asyncio.to_thread(description)
        return web.Response(body=content, content_type="application/json")

    async def show(_request: web.Request) -> web.Response:
        return (await asyncio.to_thread(page)).response()

    async def tell_time(_request: web.Request) -> web.Response:
        return web.json_response({"ms": now_ms()}, headers={"Cache-Control": "no-store"})

    app[_USER] = door.operator
    app.middlewares.append(_answering_problems)
    authentication = Authentication(door)
    (guards or Guards()).add_to(app, lambda: authentication.in_use)
    authentication.add_to(app)
    app.router.add_get("/sync", tell_time)  # for clients that compare their clock
    app.router.add_get(f"{PREFIX}/docs", show)
    for prefix in (PREFIX, aliases.PREFIX):
        app.router.add_get(f"{prefix}/openapi.json", describe)
        for route in routes:
            path = re.sub(r"{(\w+)}", lambda name: f"{{{name[1]}:{PATTERNS[name[1]]}}}", route.path)
            handler = _handler(route, capacity)
            app.router.add_route(route.method, prefix + path, handler)
            if route.method == "GET":
                app.router.add_head(prefix + path, handler)


def _handler(route: Route, capacity: Capacity) -> Callable[[web.Request], Awaitable[web.Response]]:
    most = MOST_UPLOAD if route.uploads else MOST_BODY if route.body else 0

    async def handle(request: web.Request) -> web.Response:
        async with capacity.body(request, most) as content:
            call = Call(
                request[DOOR],
                _path_values(request),
                route.query.read(_query(request)),
                await _body(request, route, content),
                _if_match(request) if route.conditional else None,
                request[_TRACE],
                request.headers,
                bearer_token(request),
            )
            key = None
            if route.creates:
                key = await request_key(request, content, confidential=route.confidential)
            async with capacity.running():
                try:
                    reply = await (reply_once(route, call, key) if key else route.call(call))
                finally:
                    if route.counts:
                        request[_COUNTED] = await limit_headers(call.door, route.counts)
                return _response(request, reply)

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


async def _body(request: web.Request, route: Route, content: bytes) -> Taken | bytes | None:
    if route.uploads:
        return content
    if not route.body:
        return None
    if content and request.content_type != "application/json":
        raise Problem(415, "The body must be application/json.")
    if len(content) <= _SMALL_BODY:
        return _read(route, content)
    return await asyncio.to_thread(_read, route, content)


def _read(route: Route, content: bytes) -> Taken:
    values: Any = {}
    if content:
        try:
            values = json_text.load(content)
        except ValueError as error:
            raise Problem(400, f"The body {error}.") from None
    given = values.keys() if isinstance(values, dict) else frozenset()
    model = max(route.body, key=lambda one: len(given & one.model_fields.keys()))
    return model.read(values)


def _if_match(request: web.Request) -> int | None:
    text = request.headers.get("If-Match")
    if text is None or text == "*":
        return None
    if (match := IF_MATCH.fullmatch(text)) is None:
        raise Problem(400, 'If-Match must be the ETag of an answer, such as "v17".')
    return int(match["version"])


def _response(request: web.Request, reply: Reply) -> web.Response:
    if reply.content is None and reply.parts is None:
        return web.Response(status=reply.status, headers=reply.headers)
    headers = {"Cache-Control": "no-store", **reply.headers}
    if reply.parts is not None:
        body: Any = request[_LINE].stream(paced(request, reply.parts))
    else:
        body = reply.body()
        if reply.is_told and reply.status == 200 and request.method in {"GET", "HEAD"}:
            tag = headers.setdefault("ETag", content_tag(body))
            if is_seen(",".join(request.headers.getall("If-None-Match", ())), tag):
                return web.Response(status=304, headers=headers)
    return web.Response(
        body=body,
        status=reply.status,
        headers=headers,
        content_type=reply.media_type,
        charset="utf-8" if reply.media_type.startswith(TEXTS) else None,
    )


@web.middleware
async def _answering_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer each error of the API as a problem, and log what was asked."""
    if request.path in OPEN_PATHS:
        return await handler(request)
    request[_TRACE] = trace = given_trace_id(request.headers) or random_id()
    with bound_contextvars(trace_id=trace):
        response = await _answer(request, handler)
    response.headers[TRACE_HEADER] = trace
    response.headers.update(request.get(_COUNTED, {}))
    return response


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    trace = request[_TRACE]
    request[_LINE] = line = RequestLine(request, request.app[_USER], trace)
    try:
        response = await handler(request)
    except (Problem, CncStationError, web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
        response = problems.answer(_problem(error), request.path, trace)
    except web.HTTPException:
        raise
    except Exception:
        log.exception("a request failed, trace %s", trace)
        bug = Problem(500, "Internal error: see the log of the station.")
        response = problems.answer(bug, request.path, trace)
    line.end(response)
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
