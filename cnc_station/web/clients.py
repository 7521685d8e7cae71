"""The HTTP clients of a station: how many there may be, and how long each may take."""

import asyncio
import logging
import secrets
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.typedefs import Handler

from cnc_station.peers.limits import HTTP
from cnc_station.peers.listener import Connection, Listener
from cnc_station.web.api import problems
from cnc_station.web.api.problems import RETRY_S, Problem
from cnc_station.web.capacity import CONNECTION, cut

resource: ModuleType | None
try:
    import resource
except ImportError:  # Windows, which has no such limit
    resource = None

MOST = HTTP.items  # connections at once
IDLE_S = 15.0  # between two requests of one connection
STOP_S = 5.0  # for running requests when the station stops
_LARGEST_HEADER = 8_190  # bytes of one line
_MOST_HEADERS = 128
LINGER_S = 2.0  # for a client to read its answer while it still sends
_MISTAKES = (HttpProcessingError, web.RequestPayloadError, ConnectionError)


class _MistakesOfClients(logging.Filter):
    """Records a client's mistake in one line, without a traceback and what the client sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], _MISTAKES):
            record.msg, record.args = "a client's request is not valid, or not complete", ()
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.exc_info = None
        return True


log = logging.getLogger(__name__)
log.addFilter(_MistakesOfClients())


class _Protocol(web.RequestHandler):
    """Answers also what is not HTTP with a problem, which says nothing of what was sent."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        self.log_exception("a request failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun")
        if isinstance(exc, LineTooLong) or (message or "").startswith("Too many headers"):
            problem = Problem(431, f"A line of the header has {_LARGEST_HEADER:,} bytes at most.")
        elif status == 400:
            problem = Problem(400, "This is not a valid HTTP request.")
        else:
            problem = Problem(500, "Internal error: see the log of the station.")
        return _answer(problem)


class Clients:
    """Serves an application within the limits of `HTTP`, at one or more addresses.

    A client has `first_byte_s` for the header of its first request, and `IDLE_S` for each later
    one. A handler has `last_byte_s`, except for a WebSocket. An answer that a handler has not sent
    itself must reach the client within `IDLE_S`. WebSockets may take half of the connections, so
    that other clients, such as a supervisor, always find one.
    """

    def __init__(self, app: web.Application) -> None:
        app.middlewares.insert(0, self._timed)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        self._listeners: list[Listener] = []
        self._running = 0  # requests, without WebSockets
        self._streams = 0  # WebSockets
        self._stopping = False
        self._done = asyncio.Event()

    async def start(
        self, host: str, port: int, tls: Callable[[], ssl.SSLContext] | None = None
    ) -> int:
        """Listen. Return the port: the requested one, or a free one for 0. Raises OSError."""
        if self._runner.server is None:
            await self._runner.setup()
        server = self._runner.server
        assert server is not None
        options: dict[str, Any] = {
            "access_log": None,
            "logger": log,
            "keepalive_timeout": IDLE_S,
            "lingering_time": LINGER_S,
            "max_line_size": _LARGEST_HEADER,
            "max_field_size": _LARGEST_HEADER,
            "max_headers": _MOST_HEADERS,
            "auto_decompress": False,
        }
        loop = asyncio.get_running_loop()
        protocol = partial(_Protocol, server, loop=loop, **options)
        listener = Listener(protocol, most_connections(), HTTP.first_byte_s, tls)
        bound = await listener.start(host, port)
        self._listeners.append(listener)
        return bound

    async def stop(self) -> None:
        """Stop listening, let running requests end within `STOP_S`, and end all connections. The
        application's `on_shutdown` ends its WebSockets."""
        self._stopping = True
        for listener in self._listeners:
            await listener.stop()
        if self._running:
            self._done.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), STOP_S)
        await self._runner.cleanup()

    @web.middleware
    async def _timed(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = self._connection(request)
        if connection is None:
            return await handler(request)
        if self._stopping:
            return _refused("The station stops.")
        if request.method == "GET" and request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._stream(connection, request, handler)
        request[CONNECTION] = connection
        connection.serve(HTTP.last_byte_s, partial(cut, request))
        self._running += 1
        try:
            return await handler(request)
        finally:
            self._running -= 1
            if not self._running:
                self._done.set()
            connection.expect_request(IDLE_S)

    async def _stream(
        self, connection: Connection, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        if self._streams >= most_connections() // 2:
            return _refused("The station serves as many WebSockets as it can.")
        connection.serve(None)
        self._streams += 1
        try:
            return await handler(request)
        finally:
            self._streams -= 1
            connection.expect_request(IDLE_S)

    def _connection(self, request: web.Request) -> Connection | None:
        found = (listener.connection(request.protocol) for listener in self._listeners)
        return next((connection for connection in found if connection is not None), None)


def most_connections() -> int:
    """How many clients may be connected. They leave the station half of its descriptors."""
    if resource is None:
        return MOST
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft // 2))


def _refused(why: str) -> web.Response:
    return _answer(Problem(503, why, headers={"Retry-After": str(RETRY_S)}))


def _answer(problem: Problem) -> web.Response:
    """Answer outside of the API's own handlers, and end the connection."""
    response = problems.answer(problem, "", secrets.token_hex(16))
    response.force_close()
    return response
