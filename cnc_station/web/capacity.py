"""How much the API does at once, and how much it keeps of requests that are not complete."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from aiohttp import web

from cnc_station.peers.limits import HTTP, MB
from cnc_station.peers.listener import Connection
from cnc_station.web.api.problems import RETRY_S, Problem

MOST_RUNNING = 16  # requests at once: what they have to do in one turn of the loop delays others
MOST_WAITING = 64
PART_S = 15.0
MOST_BYTES = 160 * MB  # of all bodies together
CONNECTION = web.RequestKey("connection", Connection)


class Capacity:
    """What exceeds it is answered with 503 at once, so that nothing piles up."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(MOST_RUNNING)
        self._waiting = 0
        self._bytes = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work on a request in its turn. Raises Problem if too many wait."""
        if self._waiting >= MOST_WAITING:
            raise _too_busy("has as many requests as it can work on")
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turn.release()

    @asynccontextmanager
    async def body(self, request: web.Request, most: int) -> AsyncIterator[bytes]:
        """Read a body of at most this size, and count it until the block ends; 0: ignore it. Raises
        Problem if it is larger, stops, or all bodies together are too large.

        Until it is complete, the connection may be ended for the sake of a new client.
        """
        if not most:
            yield b""
            return
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Problem(415, "The body must not be compressed.")
        if (request.content_length or 0) > most:
            raise _too_large(most)
        connection = request.get(CONNECTION) if request.can_read_body else None
        if connection is not None:
            size = most if request.content_length is None else request.content_length
            limit_s = HTTP.last_byte_s + size / HTTP.bytes_per_s
            connection.expect_body(limit_s, partial(cut, request))
        pieces: list[bytes] = []
        counted = 0
        try:
            while piece := await self._piece(request):
                counted += len(piece)
                self._bytes += len(piece)
                if counted > most:
                    raise _too_large(most)
                if self._bytes > MOST_BYTES:
                    raise _too_busy("receives as much as it can")
                pieces.append(piece)
            if connection is not None:
                connection.serve(HTTP.last_byte_s)
            content = b"".join(pieces)
            pieces.clear()
            yield content
        finally:
            self._bytes -= counted

    async def _piece(self, request: web.Request) -> bytes:
        try:
            async with asyncio.timeout(HTTP.first_byte_s):
                return await request.content.readany()
        except TimeoutError:
            headers = {"Connection": "close"}
            raise Problem(408, "The rest of the body did not come.", headers=headers) from None
        except (web.RequestPayloadError, ConnectionError):
            raise Problem(400, "The body is not complete, or not as its header says.") from None


async def paced(request: web.Request, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """These parts of an answer, each of which must reach the client within `PART_S`."""
    async for part in parts:
        if connection := request.get(CONNECTION):
            connection.expect_request(PART_S)
        yield part


def cut(request: web.Request) -> None:
    """Let whoever reads a body know that the rest of it will not come."""
    if not request.content.is_eof():
        request.content.set_exception(web.RequestPayloadError("the client has ended its side"))


def _too_large(most: int) -> Problem:
    return Problem(413, f"The body may have {most >> 10:,} KiB.")


def _too_busy(what: str) -> Problem:
    headers = {"Retry-After": str(RETRY_S)}
    return Problem(503, f"The station {what}. Try again later.", headers=headers)
