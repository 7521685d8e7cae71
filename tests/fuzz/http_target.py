"""A station's HTTP server as a target: bytes from a client, over a real connection."""

import asyncio
import logging
from contextlib import suppress
from functools import cache

from aiohttp import web

from cnc_station.web.clients import Clients

SEEDS = (
    b"GET /health HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/json\r\nContent-Length: 7\r\n\r\n[1,2,3]",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
)
TOKENS = (b"\r\n", b"HTTP/1.1", b": ", b"chunked", b"gzip", b"Content-Length", b"%00", b"Upgrade")
ANSWER_S = 1.0


@cache
def loop() -> asyncio.AbstractEventLoop:
    """Return the loop of all targets that need one."""
    return asyncio.new_event_loop()


class _Errors(logging.Handler):
    """Remembers what the server takes for a bug."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))


@cache
def _server() -> tuple[int, _Errors]:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.path} {len(await request.read())} {request.query}")

    app = web.Application(client_max_size=10_000)
    app.router.add_route("*", "/{path:.*}", echo)
    errors = _Errors()
    logging.getLogger("cnc_station.web.clients").addHandler(errors)
    logging.getLogger("asyncio").addHandler(errors)
    server = Clients(app)
    _KEPT.append(server)
    return loop().run_until_complete(server.start("127.0.0.1", 0)), errors


_KEPT: list[Clients] = []


def http(data: bytes) -> None:
    """Send the bytes, then the end. The server answers or disconnects, and has no bug."""
    port, errors = _server()

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(OSError):
            writer.write(data)
            writer.write_eof()
            async with asyncio.timeout(ANSWER_S):
                await reader.read()
        writer.close()

    loop().run_until_complete(ask())
    assert not errors.found, errors.found.pop()
