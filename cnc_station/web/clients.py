"""The HTTP clients of a station: how many there may be, and how long each may take."""

import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from cnc_station.peers.limits import HTTP
from cnc_station.peers.listener import Listener

MOST = HTTP.items  # connections at once
IDLE_S = 15.0  # between two requests of one connection
_LARGEST_HEADER = 8_190  # bytes of one line
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


class Clients:
    """Serves an application within the limits of `HTTP`.

    A client has `first_byte_s` for the header of its first request, and `IDLE_S` for each later
    one. A handler has `last_byte_s`, which includes the body of the request, except for a
    WebSocket. An answer that a handler has not sent itself must reach the client within `IDLE_S`.
    """

    def __init__(self, app: web.Application) -> None:
        app.middlewares.append(self._timed)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=log,
            shutdown_timeout=1.0,
            keepalive_timeout=IDLE_S,
            max_line_size=_LARGEST_HEADER,
            max_field_size=_LARGEST_HEADER,
        )
        self._listener: Listener | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen. Return the port: the requested one, or a free one for 0. Raises OSError."""
        await self._runner.setup()
        server = self._runner.server
        assert server is not None
        self._listener = Listener(server, MOST, HTTP.first_byte_s)
        try:
            return await self._listener.start(host, port)
        except OSError:
            await self._runner.cleanup()
            raise

    async def stop(self) -> None:
        """Stop listening, and end all connections."""
        if self._listener is not None:
            await self._listener.stop()
        await self._runner.cleanup()

    @web.middleware
    async def _timed(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        assert self._listener is not None
        connection = self._listener.connection(request.protocol)
        if connection is None:
            return await handler(request)
        connection.serve(None if "Upgrade" in request.headers else HTTP.last_byte_s)
        try:
            return await handler(request)
        finally:
            connection.expect_request(IDLE_S)
